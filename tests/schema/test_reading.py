"""Models out of plain data: all mistakes at once, each at its place; whatever the data is, nothing else is raised."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.schema import reading
from shnotify.schema.model import After, Before, Chosen, Limits, Model, at_most, changed, described, fields_of


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


class Inner(Model):
    word: Literal["a", "b"]
    many: tuple[Annotated[str, Limits(min_length=1, max_length=3, pattern="^x")], ...] = described(default=())


class Other(Model):
    number: int


def _is_other(value: Any) -> bool:
    return isinstance(value, dict) and "number" in value


class Whole(Model):
    text: str
    flag: bool = described(default=True, description="A flag.")
    even: Annotated[int, Limits(ge=0, le=10), After(_even)] = described(default=2)
    size: Annotated[int, Before(lambda value: len(value) if isinstance(value, str) else value)] = described(default=0)
    few: Annotated[tuple[int, ...], at_most(2)] | None = described(default=None)
    pairs: dict[str, int] = described(default_factory=dict)
    inner: Inner | None = described(default=None)
    one: Annotated[Inner | Other, Chosen(_is_other)] | None = described(default=None)
    anything: Any = described(default=None)

    def _check(self) -> None:
        if self.text == "flag" and not self.flag:
            raise ValueError("a flag is needed")


class Longer(Whole):
    flag: bool = described(default=False)
    last: str = described(default="")


def mistakes(data: Any) -> list[tuple[str, str]]:
    with pytest.raises(reading.Wrong) as raised:
        reading.read(Whole, data)
    return [(".".join(map(str, one.path)), one.kind) for one in raised.value.mistakes]


def test_what_is_right_is_read() -> None:
    data = {"text": "t", "size": "four", "few": [1, 2], "inner": {"word": "a", "many": ["x"]}, "one": {"number": 1}}
    found = reading.read(Whole, data)
    assert (found.text, found.flag, found.even, found.size, found.few) == ("t", True, 2, 4, (1, 2))
    assert (found.inner, found.one) == (Inner(word="a", many=("x",)), Other(number=1))
    assert reading.read(Whole, found) is found


WRONG: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no mapping": ([], [("", "mapping")]),
    "nothing": ({}, [("text", "missing")]),
    "all at once, in the order of the fields, what is unknown last": (
        {"x": 1, "text": 1, "flag": 1, "even": True, "few": "1", "pairs": {"a": "b", "c": 1}, "inner": {}},
        [
            ("text", "text"),
            ("flag", "bool"),
            ("even", "int"),
            ("few", "list"),
            ("pairs.a", "int"),
            ("inner.word", "missing"),
            ("x", "unknown"),
        ],
    ),
    "too small": ({"text": "", "even": -1}, [("even", "too_small")]),
    "too large": ({"text": "", "even": 11}, [("even", "too_large")]),
    "a value that is looked at": ({"text": "", "even": 3}, [("even", "refused")]),
    "a list that is too long, whatever is in it": ({"text": "", "few": ["", "", ""]}, [("few", "refused")]),
    "a number with a fraction": ({"text": "", "few": [1.0]}, [("few.0", "int")]),
    "no such word": ({"text": "", "inner": {"word": ["a"]}}, [("inner.word", "choice")]),
    "lengths and a pattern": (
        {"text": "", "inner": {"word": "b", "many": ["", "xxxx", "y", "x"]}},
        [("inner.many.0", "too_short"), ("inner.many.1", "too_long"), ("inner.many.2", "pattern")],
    ),
    "the alternative that is meant": ({"text": "", "one": {"number": "1"}}, [("one.number", "int")]),
    "the other alternative": ({"text": "", "one": {"word": 1}}, [("one.word", "choice")]),
    "fields that contradict each other": ({"text": "flag", "flag": False}, [("", "refused")]),
    "what hangs on a wrong field is not told": ({"text": "flag", "flag": 0}, [("flag", "bool")]),
}


@pytest.mark.parametrize(("data", "expected"), WRONG.values(), ids=WRONG)
def test_every_mistake_is_told_at_its_place(data: Any, expected: list[tuple[str, str]]) -> None:
    assert mistakes(data) == expected


NAMES = st.sampled_from([*fields_of(Whole), "word", "many", "number", "else"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 12) | st.floats() | st.sampled_from(["", "a", "x", "xyz", "flag"])
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


def value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.dictionaries(NAMES, DATA, max_size=6) | DATA)
def test_any_data_is_a_model_or_a_list_of_its_mistakes(data: Any) -> None:
    try:
        found = reading.read(Whole, data)
    except reading.Wrong as wrong:
        places = [one.path[:-1] if one.kind == "missing" else one.path for one in wrong.mistakes]
        assert [value_at(data, place) for place in places] != []
        return
    assert set(data) <= set(fields_of(Whole))
    assert all(getattr(found, name) is data[name] for name in ("text", "flag", "anything") if name in data)
    assert reading.read(Whole, {**data}) == found


def test_a_model_never_changes_and_is_its_values() -> None:
    one = Other(number=1)
    assert (one == Other(number=1), one == Other(number=2), hash(one) == hash(Other(number=1))) == (True, False, True)
    assert (repr(one), one == Inner(word="a")) == ("Other(number=1)", False)
    assert (changed(one, number=2), one) == (Other(number=2), Other(number=1))
    with pytest.raises(AttributeError, match="frozen"):
        one.number = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del one.number
    with pytest.raises(TypeError, match="has no field 'n'"):
        changed(one, n=2)
    with pytest.raises(TypeError, match="needs 'number'"):
        Other()  # type: ignore[call-arg]


def test_a_field_of_a_base_keeps_its_place() -> None:
    assert [*fields_of(Longer)] == [*fields_of(Whole), "last"]
    assert (Longer(text="").flag, Whole(text="").flag) == (False, True)
    assert fields_of(Whole)["flag"].description == "A flag."


def test_no_type_is_looked_at_before_the_first_value_is_read() -> None:
    class Odd(Model):
        field: set[int]

    assert [*fields_of(Odd)] == ["field"]
    with pytest.raises(TypeError, match="no field has the type"):
        reading.read(Odd, {})
