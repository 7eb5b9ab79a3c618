"""A frozen value behaves as `dataclass(frozen=True)` does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.frozen import frozen

_frozen = dataclass(frozen=True)


def _made(how: Callable[[type], type], name: str) -> Any:
    annotations = {"a": "int", "b": "str", "c": "tuple[int, ...]", "d": "int", "e": "int"}
    values: dict[str, Any] = {
        "b": "x",
        "c": field(default_factory=tuple),
        "d": field(default=0, compare=False, repr=False),
        "e": field(default=1, kw_only=True),
    }
    return how(type(name, (), {"__annotations__": annotations, "__doc__": "Stands for any.", **values}))


Ours, Theirs = _made(frozen, "One"), _made(_frozen, "One")
GIVEN = st.lists(st.integers(0, 2), max_size=5)
NAMED = st.dictionaries(st.sampled_from([*"abcde", "f"]), st.integers(0, 2), max_size=4)


def _of(cls: Any, positional: list[int], named: dict[str, int]) -> Any:
    try:
        return cls(*positional, **named)
    except TypeError:
        return None


@given(GIVEN, NAMED, GIVEN, NAMED)
def test_the_same_arguments_make_the_same_value(
    p: list[int], n: dict[str, int], q: list[int], m: dict[str, int]
) -> None:
    ours, theirs = _of(Ours, p, n), _of(Theirs, p, n)
    assert (ours is None) == (theirs is None)
    if ours is None:
        return
    assert vars(ours) == vars(theirs)
    assert repr(ours) == repr(theirs)
    assert hash(ours) == hash(theirs)
    other, their_other = _of(Ours, q, m), _of(Theirs, q, m)
    assert (ours == other) == (theirs == their_other)
    assert ours != theirs
    assert vars(replace(ours, a=9)) == vars(replace(theirs, a=9))


def test_no_field_of_a_value_can_be_set_or_deleted() -> None:
    one = Ours(1)
    with pytest.raises(FrozenInstanceError):
        one.a = 2
    with pytest.raises(FrozenInstanceError):
        del one.a
    assert one.a == 1


@pytest.mark.parametrize("arguments", [(), (1, "x", (), 2, 3)])
def test_a_missing_field_and_one_too_many_are_told(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="One"):
        Ours(*arguments)


def test_methods_of_the_class_itself_stay() -> None:
    @frozen
    class Whole:
        a: int

        def __repr__(self) -> str:
            return "whole"

        def __post_init__(self) -> None:
            vars(self)["a"] = self.a + 1

    assert repr(Whole(1)) == "whole"
    assert Whole(1).a == 2


def test_without_eq_each_is_itself() -> None:
    @frozen(eq=False)
    class Each:
        a: int

    one = Each(1)
    assert one == one
    assert one != Each(1)


def test_values_by_name_only() -> None:
    @frozen(kw_only=True)
    class Named:
        a: int
        b: int = 0

    assert Named(a=1) == Named(b=0, a=1)
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]


def test_a_match_takes_fields_by_their_place() -> None:
    match Ours(1, "y"):
        case Ours(1, text):
            assert text == "y"
    assert [one.name for one in dataclasses.fields(Ours)] == ["a", "b", "c", "d", "e"]
