"""The base of every model of the file, and how a field of it is described.

`schema/reading.py` makes a model out of what the file holds. Both are ours, because the import of a
library that does the same takes longer than a whole `validate` (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple, NoReturn, TypeVar, dataclass_transform

REQUIRED: Any = object()
"""Stands for the default of a field that has none."""


class Field(NamedTuple):
    """What a model says about a field beside its type."""

    default: Any = REQUIRED
    description: str = ""
    default_factory: Callable[[], Any] | None = None

    @property
    def required(self) -> bool:
        return self.default is REQUIRED and self.default_factory is None

    def absent(self) -> Any:
        """Returns the value of a field that is not written."""
        return self.default_factory() if self.default_factory else self.default


def described(
    *,
    default: Any = REQUIRED,
    description: str = "",
    default_factory: Callable[[], Any] | None = None,
) -> Any:
    """Declares a field with its description, which `schema` and the documentation show."""
    return Field(default, description, default_factory)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(described,))
class Model:
    """A value of named fields that never changes.

    The constructor takes values as they are; `reading.read` checks them.
    """

    _fields: ClassVar[dict[str, Field]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: cls.__dict__.get(name, Field()) for name in cls.__annotations__}
        cls._fields = {**cls._fields, **own}

    def __init__(self, **values: Any) -> None:
        """Raises TypeError for a field that there is not, or that is missing."""
        fields = fields_of(type(self))
        absent = {name: field for name, field in fields.items() if name not in values}
        if unknown := values.keys() - fields.keys():
            raise TypeError(f"{type(self).__name__} has no field {min(unknown)!r}")
        if missing := next((name for name, field in absent.items() if field.required), None):
            raise TypeError(f"{type(self).__name__} needs {missing!r}")
        whole = {**{name: field.absent() for name, field in absent.items()}, **values}
        vars(self).update({name: whole[name] for name in fields})

    def _check(self) -> None:
        """Raises ValueError with what is wrong between fields that are right one by one."""

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({said})"


M = TypeVar("M", bound=Model)


def fields_of(model: type[Model]) -> dict[str, Field]:
    """Maps the names of a model's fields, its bases' first, to what the model says about them."""
    return model._fields


def changed(model: M, **values: Any) -> M:
    """Returns the model with other values in these fields, which are not checked."""
    return type(model)(**{**vars(model), **values})


class Before(NamedTuple):
    """Prepares what is written before its type is looked at; a ValueError says what is wrong.

    form  how the scalar is written, by its name in the JSON schema
    """

    act: Callable[[Any], Any]
    form: str = ""


class After(NamedTuple):
    """Looks at a value of the right type; a ValueError says what is wrong."""

    act: Callable[[Any], Any]


class Limits(NamedTuple):
    """Limits a number, or the length of text, a list or a mapping, inclusive."""

    ge: int | None = None
    le: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


class Chosen(NamedTuple):
    """Says which alternative of a union a value is: its place in the union."""

    place: Callable[[Any], int]


def at_most(most: int) -> Before:
    """Limits a list's length before any item is looked at: a list of thousands is one mistake."""

    def count(values: Any) -> Any:
        if isinstance(values, list) and len(values) > most:
            raise ValueError(f"is too long: at most {most}")
        return values

    return Before(count)


Text = Annotated[str, Limits(min_length=1, max_length=1024)]
