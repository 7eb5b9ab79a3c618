"""Two patterns that share one filter's events: the clean text and all the rest."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.findings.complexity import MOST, complexity
from shnotify.findings.guards import BREAKING, Guard, clean, guarded, odd, standing
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import WARN_SIZE, compact, validate_pattern
from tests.support.samples import defaults

TITLE = Guard(("Title",), required=True)
NAME = Guard(("AwsAccountName",))
CONTROL = Guard(("Compliance", "SecurityControlId"))
RESOURCE = Guard(("Resources", "Id"), required=True, listed=True)


def base(**filters: Any) -> dict[str, Any]:
    return event_pattern("cspm", defaults(**filters), None)


def test_as_they_are_written() -> None:
    pattern = {"source": ["aws.securityhub"], "detail": {"findings": {"RecordState": ["ACTIVE"]}}}
    assert clean(pattern, [TITLE, NAME])["detail"]["findings"] == {
        "RecordState": ["ACTIVE"],
        "Title": [{"anything-but": {"wildcard": ['*"*', "*\\\\*", "*\n*", "*\r*", "*\t*"]}}],
        "AwsAccountName": [
            {"anything-but": {"wildcard": ['*"*', "*\\\\*", "*\n*", "*\r*", "*\t*"]}},
            {"exists": False},
        ],
    }
    assert odd(pattern, [TITLE]) == {
        **pattern,
        "$or": [
            {"detail": {"findings": {"Title": [{"wildcard": '*"*'}, {"wildcard": "*\\\\*"}, {"exists": False}]}}},
            {
                "account": [{"exists": True}],
                "detail": {"findings": {"Title": [{"wildcard": "*\n*"}, {"wildcard": "*\r*"}, {"wildcard": "*\t*"}]}},
            },
        ],
    }
    assert (
        compact(clean(pattern, [TITLE])).count("\\\\\\\\") == 1
    )  # a backslash: twice for the wildcard, twice for JSON


@pytest.mark.parametrize(
    ("filters", "guard", "expected"),
    [
        ({}, TITLE, "free"),
        ({"controls": ("S3.1", "EC2.19")}, CONTROL, "safe"),
        ({"exclude": {"controls": ("S3.1",)}}, CONTROL, "shared"),
        ({"exclude": {"controls": ('S3"1',)}}, CONTROL, "taken"),
        ({"controls": ('S3"1',)}, CONTROL, "taken"),
        ({"resource_ids": ("a",)}, RESOURCE, "taken"),
    ],
)
def test_how_a_guard_and_a_filter_get_along(filters: dict[str, Any], guard: Guard, expected: str) -> None:
    assert standing(base(**filters), guard) == expected


@pytest.mark.parametrize("filters", [{}, {"exclude": {"controls": ("S3.1", "EC2.19")}}])
def test_they_are_valid_and_within_the_limits(filters: dict[str, Any]) -> None:
    guards = [TITLE, RESOURCE, CONTROL, NAME, Guard(("Id",)), Guard(("ProductName",))]
    for pattern in (clean(base(**filters), guards), odd(base(**filters), guards)):
        validate_pattern(pattern)
        assert len(compact(pattern)) < WARN_SIZE
        assert (complexity(pattern) or 99) <= MOST


def test_the_base_stays_as_it_is() -> None:
    pattern = base(exclude={"controls": ("S3.1",)})
    before = compact(pattern)
    clean(pattern, [CONTROL, TITLE])
    odd(pattern, [CONTROL, TITLE])
    assert compact(pattern) == before


def test_what_a_pattern_guards_can_be_told_from_it() -> None:
    expected = {"detail.findings.Title", "detail.findings.AwsAccountName"}
    assert guarded(clean(base(), [TITLE, NAME])) == guarded(odd(base(), [TITLE, NAME])) == expected
    assert guarded(base()) == frozenset()


def test_the_list_of_characters() -> None:
    """eb-transform-target-input names quotes, backslashes and line breaks; RFC 8259 control characters."""
    assert BREAKING == ('"', "\\", "\n", "\r", "\t")
