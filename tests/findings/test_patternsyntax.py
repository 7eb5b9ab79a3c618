"""The form of raw patterns: what EventBridge takes and what it refuses, each with its place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shnotify.findings.patternsyntax import PatternError, validate_pattern


@pytest.mark.parametrize(
    "value",
    [
        "x", 1, 1.5, True, None, "", {"prefix": "a"}, {"suffix": {"equals-ignore-case": "A"}}, {"exists": False},
        {"anything-but": "a"}, {"anything-but": [1, 2]}, {"anything-but": {"prefix": ["a", "b"]}},
        {"anything-but": {"wildcard": "a*"}}, {"anything-but": {"equals-ignore-case": "a"}}, {"numeric": ["=", 1]},
        {"numeric": [">", 0, "<=", 5]}, {"numeric": [">=", 5, "<=", 5]}, {"cidr": "10.0.0.0/24"}, {"cidr": "2001::/32"},
        {"equals-ignore-case": "a"}, {"wildcard": "a*b"}, {"wildcard": r"\*\\*"},
    ],
)  # fmt: skip
def test_raw_entries_that_eventbridge_takes(value: Any) -> None:
    assert validate_pattern({"a": [value]}) == {"a": [value]}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("text", "pattern"),
        ({}, "pattern"),
        ({"a": {}}, "pattern.a"),
        ({"a": "x"}, "pattern.a"),
        ({"a": None}, "pattern.a"),
        ({"a": date(2026, 1, 1)}, "pattern.a"),
        ({"$or": [{"a": {"$or": [{"x": ["y"]}, 1]}}, {"b": ["z"]}]}, "pattern.$or[0].a.$or[1]"),
        ({"a": []}, "pattern.a"),
        ({"a": [["x"]]}, "pattern.a[0]"),
        ({"a": [float("nan")]}, "pattern.a[0]"),
        ({1: ["x"]}, "pattern.1"),
        ({"a": [{}]}, "pattern.a[0]"),
        ({"a": [{"prefix": "a", "suffix": "b"}]}, "pattern.a[0]"),
        ({"a": [{"Prefix": "a"}]}, "pattern.a[0].Prefix"),
        ({"a": [{"prefix": 1}]}, "pattern.a[0].prefix"),
        ({"a": [{"suffix": {"wildcard": "a"}}]}, "pattern.a[0].suffix"),
        ({"a": [{"equals-ignore-case": ["a"]}]}, "pattern.a[0].equals-ignore-case"),
        ({"a": [{"exists": "yes"}]}, "pattern.a[0].exists"),
        ({"a": [{"wildcard": "a**b"}]}, "pattern.a[0].wildcard"),
        ({"a": [{"wildcard": "a\\b"}]}, "pattern.a[0].wildcard"),
        ({"a": [{"wildcard": 1}]}, "pattern.a[0].wildcard"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "pattern.a[0].cidr"),
        ({"a": [{"cidr": "10.0.0.0/32"}]}, "pattern.a[0].cidr"),
        ({"a": [{"cidr": "host/8"}]}, "pattern.a[0].cidr"),
        ({"a": [{"cidr": 1}]}, "pattern.a[0].cidr"),
        ({"a": [{"numeric": 1}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": [">"]}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": ["!=", 1]}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": [">", 5, "<", 5]}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": ["=", True]}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": [">", 5_000_000_001]}]}, "pattern.a[0].numeric"),
        ({"a": [{"numeric": [">", -6e9, "<", 0]}]}, "pattern.a[0].numeric"),
        ({"a": [{"anything-but": []}]}, "pattern.a[0].anything-but"),
        ({"a": [{"anything-but": [None]}]}, "pattern.a[0].anything-but"),
        ({"a": [{"anything-but": ["a", 1]}]}, "pattern.a[0].anything-but"),
        ({"a": [{"anything-but": {"numeric": ["=", 1]}}]}, "pattern.a[0].anything-but"),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "pattern.a[0].anything-but.prefix"),
        ({"a": [{"anything-but": {"suffix": 5}}]}, "pattern.a[0].anything-but.suffix"),
        ({"a": [{"anything-but": {"wildcard": ["a**"]}}]}, "pattern.a[0].anything-but.wildcard"),
        ({"$or": "x"}, "pattern.$or"),
        ({"$or": [{"a": ["x"]}]}, "pattern.$or"),
        ({"$or": [{"a": ["x"]}, "y"]}, "pattern.$or[1]"),
        ({"$or": [{"a": ["x"]}, {"prefix": ["y"]}]}, "pattern.$or[1].prefix"),
        ({"a": ["x"], "$or": [{"a": ["y"]}, {"b": ["z"]}]}, "pattern.$or[0]"),
    ],
)  # fmt: skip
def test_raw_patterns_that_eventbridge_refuses(raw: Any, path: str) -> None:
    with pytest.raises(PatternError) as caught:
        validate_pattern(raw)
    assert caught.value.path == path


def test_too_many_combinations() -> None:
    many = {f"f{n}": {"$or": [{"a": ["x"]}, {"b": ["y"]}]} for n in range(10)}
    with pytest.raises(PatternError, match="1,024 combinations"):
        validate_pattern(many)
