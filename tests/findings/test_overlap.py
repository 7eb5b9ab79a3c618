"""Two patterns that let the same finding through: an example of it, which both of them match."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.findings.matching import matches
from shnotify.findings.overlap import shared_example
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import PatternError
from tests.support.samples import NAMES, defaults, sample

SAMPLES = [sample(name) for name in NAMES]


def made(source: str = "cspm", **fields: Any) -> dict[str, Any]:
    return event_pattern(source, defaults(fields.pop("exclude", None), **fields), None)


SHARED = {
    "the same": (made(), made()),
    "a product and a level": (made(severity=("CRITICAL",)), made(products=("guardduty",))),
    "a schema of two": (made("both"), made("hub")),
    "an account and a Region": (made(accounts=("123456789012",)), made(regions=("us-east-1",))),
    "an ARN and its short name": (
        made(products=("arn:aws:securityhub:us-east-1::product/aws/guardduty",)),
        made(products=("guardduty",)),
    ),
    "levels of products": (made(products={"guardduty": ("HIGH",), "any": ("CRITICAL",)}), made(severity=("HIGH",))),
    "a raw one": ({"source": ["aws.securityhub"]}, made()),
}
APART = {
    "levels": (made(severity=("CRITICAL",)), made(severity=("HIGH",))),
    "schemas": (made("hub"), made("cspm")),
    "products": (made(products=("guardduty",)), made(products=("inspector",))),
    "all others": (made(products=("guardduty",)), made(exclude={"products": ("guardduty",)})),
    "a control, which has no other product": (made(controls=("S3.1",)), made(products=("inspector",))),
    "another event": ({"detail-type": ["Security Hub Findings - Custom Action"]}, made()),
    "another source": ({"source": ["my.app"]}, made()),
}


@pytest.mark.parametrize(("first", "second"), SHARED.values(), ids=SHARED)
def test_what_both_let_through_is_shown(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert matches(first, as_event(shared_example(first, second)))
    assert matches(second, as_event(shared_example(second, first)))


@pytest.mark.parametrize(("first", "second"), APART.values(), ids=APART)
def test_patterns_that_stand_apart_are_not_told(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert shared_example(first, second) is None
    assert shared_example(second, first) is None


def as_event(example: dict[str, Any] | None) -> dict[str, Any]:
    assert example is not None
    event: dict[str, Any] = {}
    for field, value in example.items():
        node = event
        *parents, leaf = field.split(".")
        for part in parents:
            node = node.setdefault(part, {})
        if value is not None:
            node[leaf] = value
    return event


some = st.sampled_from
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "severity": some([("CRITICAL",), ("HIGH",), ("LOW", "HIGH"), None]),
        "workflow_status": some([("NEW",), ("NOTIFIED",), None]),
        "products": some([("guardduty",), ("inspector",), ("securityhub",), None]),
        "regions": some([("us-east-1",), ("eu-west-1", "us-east-1"), None]),
        "exclude": some([{}, {"products": ("guardduty",)}, {"severity": ("HIGH",)}]),
    },
)


@given(FIELDS, FIELDS, some(["cspm", "hub", "both"]), some(["cspm", "both"]))
def test_samples_that_pass_both_are_no_surprise(one: Any, other: Any, first: str, second: str) -> None:
    try:
        here, there = made(first, **one), made(second, **other)
    except PatternError:  # filters that exclude all that they want
        return
    example = shared_example(here, there)
    if any(matches(here, event) and matches(there, event) for event in SAMPLES):
        assert example is not None
    if example is not None:
        event = as_event(example)
        assert matches(here, event)
        assert matches(there, event)
