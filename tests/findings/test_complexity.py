"""How complex wildcards are, as EventBridge counts (aws/event-ruler's MachineComplexityEvaluator)."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.findings.complexity import MOST, complexity

STACKS = [f"*:stack/{name}/*" for name in ("Shared", "Api", "Web", "Monitoring")]
BREAKING = ['*"*', r"*\\*", "*\n*", "*\r*", "*\t*"]


def one_of(*texts: str) -> dict[str, Any]:
    return {"a": [{"wildcard": text} for text in texts]}


def test_what_aws_took_and_what_it_refused() -> None:
    """By a public report three of these passed and the fourth did not."""
    assert complexity(one_of(*STACKS[:3])) == MOST
    assert complexity(one_of(*STACKS)) == 12


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], 0), (["a"], 1), (["a*"], 2), (["*a"], 2), (BREAKING[:1], 4), (BREAKING[:2], 7), (BREAKING[2:], 9)],
)
def test_each_more_costs_about_three(texts: list[str], expected: int) -> None:
    assert complexity(one_of(*texts) if texts else {"a": ["b"]}) == expected


def test_the_texts_of_one_anything_but_are_one_entry() -> None:
    assert complexity({"a": [{"anything-but": {"wildcard": BREAKING}}]}) == 8
    assert complexity({"a": [{"anything-but": {"wildcard": "*a*"}}]}) == 3


def test_a_repeated_sequence_costs() -> None:
    """The guide's own example (eb-create-pattern-operators)."""
    long, short = complexity(one_of("/U/*/dir/dir/dir/doc.txt")), complexity(one_of("/U/*/doc.txt"))
    assert long is not None
    assert short is not None
    assert long > short


def test_fields_are_measured_apart_and_branches_together() -> None:
    apart = {"a": [{"wildcard": STACKS[0]}], "b": [{"wildcard": STACKS[1]}]}
    assert complexity(apart) == complexity(one_of(STACKS[0])) == 3
    branches = {"$or": [one_of(STACKS[0]), one_of(STACKS[1])]}
    assert complexity(branches) == complexity(one_of(*STACKS[:2])) == 6


def test_a_field_before_them_keeps_branches_apart() -> None:
    assert complexity({"$or": [one_of(STACKS[0]), {"Z": ["x"], **one_of(STACKS[1])}]}) == 3


def test_too_much_is_not_measured() -> None:
    many = {"$or": [{"$or": [{f"f{i}{j}": ["x"]} for j in range(20)]} for i in range(20)]}
    assert complexity(many) is None
    assert complexity(one_of("*a*a*a*a*a*a*a*a*a*a*a*a*a*b*a*a*a*a*a*a*a*a")) is not None
