"""GetFindings' filters and orders, held against plain statements of what they mean."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.sandbox.findingfilters import in_order, passes, passes_composite, values_at

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
FINDING: dict[str, Any] = {
    "Title": "GuardDuty Lambda Protection",
    "UpdatedAt": "2026-05-31T00:00:00Z",
    "Severity": {"Label": "HIGH", "Normalized": 70},
    "Resources": [{"Id": "a", "Tags": {"k": "v"}}, {"Id": "b"}],
    "Network": {"SourceIpV4": "10.1.2.3"},
    "Sample": True,
    "UserDefinedFields": {"team": "blue"},
}
WORDS = st.text("ab", max_size=3)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"Title": [{"Value": "lambda", "Comparison": "CONTAINS_WORD"}]}, True),
        ({"Title": [{"Value": "ambda", "Comparison": "CONTAINS_WORD"}]}, False),
        ({"Title": [{"Value": "ambda", "Comparison": "CONTAINS"}]}, True),
        ({"ResourceId": [{"Value": "b", "Comparison": "EQUALS"}]}, True),
        ({"ResourceId": [{"Value": "b", "Comparison": "NOT_EQUALS"}]}, False),
        ({"NoteText": [{"Value": "x", "Comparison": "NOT_EQUALS"}]}, True),
        ({"SeverityNormalized": [{"Gte": 70, "Lte": 89}]}, True),
        ({"SeverityNormalized": [{"Gt": 70}]}, False),
        ({"UpdatedAt": [{"DateRange": {"Value": 2, "Unit": "DAYS"}}]}, True),
        ({"UpdatedAt": [{"DateRange": {"Value": 2, "Unit": "DAYS", "Comparison": "OLDER_THAN"}}]}, False),
        ({"CreatedAt": [{"Start": "2026-01-01T00:00:00Z"}]}, False),
        ({"Sample": [{"Value": True}]}, True),
        ({"Sample": [{"Value": False}]}, False),
        ({"UserDefinedFields": [{"Key": "team", "Value": "blue", "Comparison": "EQUALS"}]}, True),
        ({"ResourceTags": [{"Key": "k", "Value": "w", "Comparison": "EQUALS"}]}, False),
        ({"Network.SourceIpV4": [{"Cidr": "10.0.0.0/8"}]}, True),
        ({"Title": [{"Value": "Lambda", "Comparison": "PREFIX"}], "Sample": [{"Value": True}]}, False),
    ],
)
def test_a_filter_means_what_the_api_says(filters: dict[str, Any], expected: bool) -> None:
    assert passes(FINDING, filters, NOW) is expected


@given(title=WORDS, wanted=st.lists(WORDS, max_size=3), unwanted=st.lists(WORDS, max_size=3))
def test_what_is_wanted_is_joined_by_or_and_what_is_not_by_and(
    title: str, wanted: list[str], unwanted: list[str]
) -> None:
    conditions = [{"Value": word, "Comparison": "EQUALS"} for word in wanted]
    conditions += [{"Value": word, "Comparison": "PREFIX_NOT_EQUALS"} for word in unwanted]
    expected = (not wanted or title in wanted) and not any(title.startswith(word) for word in unwanted)
    assert passes({"Title": title}, {"Title": conditions}, NOW) is expected


@given(st.lists(st.tuples(st.integers(0, 3) | st.none(), st.integers(0, 3)), max_size=8), st.booleans())
def test_the_first_criterion_counts_most_and_what_lacks_it_comes_last(
    rows: list[tuple[int | None, int]], downwards: bool
) -> None:
    findings = [{"n": n, **({} if a is None else {"a": a}), "b": b} for n, (a, b) in enumerate(rows)]
    criteria = [{"Field": "a", "SortOrder": "desc" if downwards else "asc"}, {"Field": "b", "SortOrder": "asc"}]
    sign = -1 if downwards else 1
    expected = sorted(findings, key=lambda f: ("a" not in f, sign * int(f.get("a") or 0), int(f["b"] or 0)))
    assert in_order(findings, criteria) == expected


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [("AND", "AND", False), ("OR", "AND", True), ("AND", "OR", True), (None, None, False)],
)
def test_composites_nest(inner: str | None, outer: str | None, expected: bool) -> None:
    def equals(value: str) -> dict[str, Any]:
        return {"FieldName": "severity", "Filter": {"Value": value, "Comparison": "EQUALS"}}

    groups: list[dict[str, Any]] = [
        {"StringFilters": [equals("High"), equals("Low")]},
        {"StringFilters": [equals("High")]},
    ]
    if inner:
        groups[0]["Operator"] = inner
    filters = {"CompositeFilters": groups, **({"CompositeOperator": outer} if outer else {})}
    assert passes_composite({"severity": "High"}, filters, NOW) is expected
    nested = {"CompositeFilters": [{"NestedCompositeFilters": groups, **({"Operator": outer} if outer else {})}]}
    assert passes_composite({"severity": "High"}, nested, NOW) is expected


def test_lists_are_looked_through() -> None:
    assert values_at({"a": [{"b": [1, 2]}, {"b": 3}, {}, 4]}, "a.b") == [1, 2, 3]
    assert values_at({}, "a.b") == []
