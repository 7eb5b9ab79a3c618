"""Frozen values: frozen data classes whose definition costs a tenth of the time.

`dataclasses` compiles six methods for each class, 0.4 ms, and a command defines 80 of them before
it has done anything. The methods here are written once and read the fields when they are called.
`fields`, `replace` and pattern matching treat a value as the data class that it is.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable
from dataclasses import MISSING, FrozenInstanceError
from typing import Any, NoReturn, TypeVar, cast, dataclass_transform, overload

T = TypeVar("T")


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = False, eq: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: Any = None, /, *, kw_only: bool = False, eq: bool = True) -> Any:
    """Makes a class a value, as `dataclass(frozen=True)` does.

    kw_only  fields are given by name only
    eq       whether two values with the same fields are equal; otherwise each is itself only
    """

    def made(cls: type[T]) -> type[T]:
        cls.__doc__ = cls.__doc__ or cls.__name__  # otherwise dataclasses works a signature out
        whole = dataclasses.dataclass(cls, init=False, repr=False, eq=False, kw_only=kw_only)
        for name, method in (_COMPARED if eq else _ALWAYS).items():
            if name not in vars(whole):
                setattr(whole, name, method)
        return whole

    return made if cls is None else made(cls)


def _init(self: Any, /, *given: Any, **named: Any) -> None:
    """Raises TypeError for a field that there is not, that is given twice or that is missing."""
    places, defaults, factories = _plan(cast("Hashable", type(self)))
    values = dict(zip(places, given, strict=False))
    if len(values) < len(given) or not values.keys().isdisjoint(named):
        raise TypeError(f"{type(self).__name__} takes each field once, and has not that many")
    values |= named
    made = {name: factory() for name, factory in factories.items() if name not in values}
    whole = {**defaults, **made, **values}
    if len(whole) > len(defaults):
        unknown = min(whole.keys() - defaults.keys())
        raise TypeError(f"{type(self).__name__} has no field {unknown!r}")
    for name, value in whole.items():
        if value is MISSING:
            raise TypeError(f"{type(self).__name__} needs {name!r}")
    vars(self).update(whole)
    if hasattr(self, "__post_init__"):
        self.__post_init__()


@functools.cache
def _plan(cls: Hashable) -> tuple[tuple[str, ...], dict[str, Any], dict[str, Callable[[], Any]]]:
    """Returns the fields that may be given by their place, and each field's default and factory."""
    fields = dataclasses.fields(cast("Any", cls))
    return (
        tuple(one.name for one in fields if not one.kw_only),
        {one.name: one.default for one in fields},
        {one.name: one.default_factory for one in fields if one.default_factory is not MISSING},
    )


@functools.cache
def _compared_names(cls: Hashable) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(cast("Any", cls)) if one.compare)


def _compared(self: Any) -> tuple[Any, ...]:
    held = vars(self)
    return tuple(held[name] for name in _compared_names(cast("Hashable", type(self))))


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = (one for one in dataclasses.fields(self) if one.repr)
    inner = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in shown)
    return f"{type(self).__qualname__}({inner})"


def _set(_self: Any, name: str, _: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_ALWAYS: dict[str, Any] = {
    "__init__": _init,
    "__repr__": _repr,
    "__setattr__": _set,
    "__delattr__": _delete,
}
_COMPARED = {**_ALWAYS, "__eq__": _eq, "__hash__": _hash}
