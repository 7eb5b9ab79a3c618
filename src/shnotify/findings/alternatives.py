"""An event pattern as the plain patterns that its `$or`s multiply to. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shnotify.findings.patternsyntax import is_or

MOST = 200
"""Alternatives that are looked at; a pattern with more is not judged."""


class Condition(NamedTuple):
    """Says what one field must be.

    field    its dotted name in the event
    place    where in the pattern the list stands, as dotted text with indices
    entries  the list: the field must match one of them
    """

    field: str
    place: str
    entries: tuple[Any, ...]


Alternative = tuple[Condition, ...]
"""Conditions that hold together."""


def alternatives(pattern: Mapping[str, Any], place: str = "pattern") -> list[Alternative]:
    """Rewrites the pattern without `$or`; empty when there are more than `MOST` alternatives."""
    found = list(itertools.islice(_expanded(pattern, "", place), MOST + 1))
    return found if len(found) <= MOST else []


def _expanded(node: Mapping[str, Any], field: str, place: str) -> Iterator[Alternative]:
    ways = [
        _ways(key, value, f"{field}.{key}" if field else key, field, place)
        for key, value in node.items()
    ]
    for combination in itertools.product(*ways):
        yield tuple(condition for alternative in combination for condition in alternative)


def _ways(key: str, value: Any, here: str, field: str, place: str) -> list[Alternative]:
    """Lists the alternatives of one key of a mapping."""
    if is_or(key, value):
        branches = enumerate(value)
        return [
            way for number, one in branches for way in _some(one, field, f"{place}.$or[{number}]")
        ]
    if isinstance(value, Mapping):
        return _some(value, here, f"{place}.{key}")
    return [(Condition(here, f"{place}.{key}", tuple(value)),)]


def _some(node: Mapping[str, Any], field: str, place: str) -> list[Alternative]:
    return list(itertools.islice(_expanded(node, field, place), MOST + 1))
