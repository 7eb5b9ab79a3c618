"""Makes models out of plain data: every mistake at once, each with the place where it stands.

A model's annotations say how its fields are read. They are looked at when the first value is read,
never at import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from shnotify.schema.model import After, Before, Chosen, Field, Limits, Model, fields_of

M = TypeVar("M", bound=Model)
Part = str | int

KINDS = {str: "text", bool: "bool", int: "int"}
"""A scalar's type -> the mistake that another type is."""


class Mistake(NamedTuple):
    """One thing that is wrong.

    kind     what kind of mistake; `config/wording.py` has the words
    about    what the words need: the message, the choices or the limit
    """

    path: tuple[Part, ...]
    kind: str
    value: Any
    about: Any = None


class Wrong(Exception):  # noqa: N818 it says what the value is
    """Raised for a value with at least one mistake."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def read(model: type[M], data: Any) -> M:
    """Makes a model of plain data. Raises `Wrong` with every mistake."""
    return cast("M", Section(model).read(data))


class Reader:
    """Reads one type; this one takes anything. `inner` are the readers of what is inside."""

    def __init__(self, *inner: Reader) -> None:
        self.inner = inner

    def read(self, value: Any) -> Any:
        """Returns the value as the models hold it. Raises `Wrong`."""
        return value


class Scalar(Reader):
    """Reads text, a whole number, or true and false."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind

    def read(self, value: Any) -> Any:
        if type(value) is not self.kind:
            raise _wrong(KINDS[self.kind], value)
        return value


class Nothing(Reader):
    """Takes null only."""

    def read(self, value: Any) -> None:
        if value is not None:
            raise _wrong("nothing", value)


class Choice(Reader):
    """Takes one of several words."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.words = words

    def read(self, value: Any) -> Any:
        if value not in self.words:
            raise _wrong("choice", value, self.words)
        return value


class Listed(Reader):
    """Reads a list, which the models hold as a tuple."""

    def read(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _wrong("list", value)
        parts = _Parts()
        items = [parts.read(self.inner[0], item, number) for number, item in enumerate(value)]
        parts.end()
        return tuple(items)


class Mapped(Reader):
    """Reads a mapping with any keys of one type; `inner` are the readers of key and item."""

    def read(self, value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise _wrong("mapping", value)
        parts, (key, item) = _Parts(), self.inner
        found = {
            parts.read(key, name, name): parts.read(item, inside, name)
            for name, inside in value.items()
        }
        parts.end()
        return found


class Section(Reader):
    """Reads a model: no unknown field, and no field missing that has no default."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.model = model

    def read(self, value: Any) -> Model:
        if isinstance(value, self.model):
            return value
        if not isinstance(value, dict):
            raise _wrong("mapping", value)
        parts, fields = _Parts(), fields_of(self.model)
        found = {
            name: parts.read(reader, value[name], name)
            for name, reader in readers_of(self.model).items()
            if name in value or parts.absent(name, fields[name])
        }
        parts.unknown(name for name in value if name not in fields)
        parts.end()
        made = self.model(**found)
        _told(lambda _: made._check(), value)
        return made


class Alternatives(Reader):
    """Reads one of several types; `place` says which."""

    def __init__(self, place: Callable[[Any], int], *several: Reader) -> None:
        super().__init__(*several)
        self.place = place

    def read(self, value: Any) -> Any:
        return self.inner[self.place(value)].read(value)


class Optional(Reader):
    """Takes null too."""

    def read(self, value: Any) -> Any:
        return None if value is None else self.inner[0].read(value)


class Prepared(Reader):
    """Reads what `step` makes of the value."""

    def __init__(self, inner: Reader, step: Before) -> None:
        super().__init__(inner)
        self.step = step

    def read(self, value: Any) -> Any:
        return self.inner[0].read(_told(self.step.act, value))


class Checked(Reader):
    """Reads the value, which `step` then looks at."""

    def __init__(self, inner: Reader, step: After) -> None:
        super().__init__(inner)
        self.step = step

    def read(self, value: Any) -> Any:
        return _told(self.step.act, self.inner[0].read(value))


class Limited(Reader):
    """Reads a value within limits."""

    def __init__(self, inner: Reader, limits: Limits) -> None:
        super().__init__(inner)
        self.limits = limits

    def read(self, value: Any) -> Any:
        found, (low, high, shortest, longest, pattern) = self.inner[0].read(value), self.limits
        if low is not None and found < low:
            raise _wrong("too_small", found, low)
        if high is not None and found > high:
            raise _wrong("too_large", found, high)
        if shortest is not None and len(found) < shortest:
            raise _wrong("too_short", found, shortest)
        if longest is not None and len(found) > longest:
            raise _wrong("too_long", found, longest)
        if pattern is not None and not re.search(pattern, found):
            raise _wrong("pattern", found, pattern)
        return found


class _Parts:
    """Reads the parts of a value one by one, and keeps what is wrong with each."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def read(self, reader: Reader, value: Any, part: Part) -> Any:
        try:
            return reader.read(value)
        except Wrong as wrong:
            self.mistakes += (one._replace(path=(part, *one.path)) for one in wrong.mistakes)

    def absent(self, name: str, field: Field) -> Literal[False]:
        if field.required:
            self.mistakes.append(Mistake((name,), "missing", None))
        return False

    def unknown(self, names: Iterable[str]) -> None:
        self.mistakes += (Mistake((name,), "unknown", None) for name in names)

    def end(self) -> None:
        if self.mistakes:
            raise Wrong(*self.mistakes)


def _wrong(kind: str, value: Any, about: Any = None) -> Wrong:
    return Wrong(Mistake((), kind, value, about))


def _told(act: Callable[[Any], Any], value: Any) -> Any:
    """Returns what `act` makes of the value; the ValueError that it raises becomes a mistake."""
    try:
        return act(value)
    except ValueError as error:
        raise _wrong("refused", value, str(error)) from None


_readers: dict[type[Model], dict[str, Reader]] = {}
"""A model -> what reads its fields, since the first was read."""


def readers_of(model: type[Model]) -> dict[str, Reader]:
    """Maps the names of a model's fields to what reads each."""
    if model not in _readers:
        hints = get_type_hints(model, include_extras=True)
        _readers[model] = {name: reader_of(hints[name]) for name in fields_of(model)}
    return _readers[model]


def reader_of(annotation: Any) -> Reader:
    """Returns what reads values of a type. Raises TypeError for a type that no field may have."""
    if annotation in KINDS:
        return Scalar(annotation)
    if annotation is Any:
        return Reader()
    if annotation is NoneType:
        return Nothing()
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return Section(annotation)
    return _composed(get_origin(annotation), get_args(annotation))


def _composed(origin: Any, arguments: tuple[Any, ...]) -> Reader:
    """Returns what reads a type that is made of others."""
    if origin is Annotated:
        return _annotated(*arguments)
    if origin is Literal:
        return Choice(arguments)
    if origin is tuple and arguments[1:] == (...,):
        return Listed(reader_of(arguments[0]))
    if origin is dict:
        return Mapped(*map(reader_of, arguments))
    if origin in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
        return Optional(reader_of(next(one for one in arguments if one is not NoneType)))
    raise TypeError(f"no field has the type {origin}{arguments}")


def _annotated(annotation: Any, *steps: Any) -> Reader:
    """Returns what reads a type with steps; the last `Before` comes first, the last `After` last."""
    choice = next((step for step in steps if isinstance(step, Chosen)), None)
    if choice:
        reader: Reader = Alternatives(choice.place, *map(reader_of, get_args(annotation)))
    else:
        reader = reader_of(annotation)
    for step in steps:
        if isinstance(step, Before):
            reader = Prepared(reader, step)
        elif isinstance(step, After):
            reader = Checked(reader, step)
        elif isinstance(step, Limits):
            reader = Limited(reader, step)
    return reader


def forms(reader: Reader) -> Iterator[Reader]:
    """Yields every way in which a value may be written, without what only prepares or checks it."""
    if isinstance(reader, Alternatives | Optional | Prepared | Checked | Limited):
        for inner in reader.inner:
            yield from forms(inner)
    else:
        yield reader


def models_in(reader: Reader) -> Iterator[type[Model]]:
    """Yields the models that a type names; what these name is theirs."""
    if isinstance(reader, Section):
        yield reader.model
    for inner in reader.inner:
        yield from models_in(inner)
