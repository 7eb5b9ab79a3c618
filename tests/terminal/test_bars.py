"""Bars in a terminal."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.terminal.bars import WIDTH, bars


def test_the_longest_bar_is_the_largest_count() -> None:
    lines = [line.plain for line in bars({"a": 10, "long": 5, "none": 0}, block="#")]
    assert lines == [
        f"    a          10  {'#' * WIDTH}",
        f"    long        5  {'#' * (WIDTH // 2)}",
        "    none        0",
    ]


def test_what_is_too_much_is_summed_up() -> None:
    lines = [line.plain for line in bars({str(n): n for n in range(9, 0, -1)}, block="#", rows=7)]
    assert (len(lines), lines[-1]) == (8, "    and 2 more: 3")


def test_a_name_from_elsewhere_is_one_safe_line() -> None:
    [line] = bars({"evil\x1b[31m\nline": 1}, block="#")
    assert "\x1b" not in line.plain
    assert "\n" not in line.plain


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=60), st.integers(0, 10**9), max_size=20))
def test_a_bar_is_never_too_long_and_never_missing(counts: dict[str, int]) -> None:
    lines = [line.plain for line in bars(counts, block="#", rows=len(counts))]
    assert len(lines) == len(counts)
    for line, count in zip(lines, counts.values(), strict=True):
        drawn = len(line) - len(line.rstrip("#"))
        assert drawn <= WIDTH or count == 0
        assert bool(drawn) == bool(count) or count == 0
