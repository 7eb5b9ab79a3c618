"""Two patterns for one filter: what holds text that a mail can carry, and all the rest. Pure.

EventBridge puts values into a template without escaping them, and drops a message that is no valid
JSON afterwards (eb-transform-target-input). So it looks first: the rule whose mail names free text
lets through only events in which every guarded field is free of `BREAKING`; a second rule lets
through exactly the others.

A field that holds several values matches when any value does (eb-event-patterns-arrays), so an
event with a clean and an unclean resource passes both: never none.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from shnotify.findings.alternatives import alternatives

BREAKING = ('"', "\\", "\n", "\r", "\t")
"""What ends a text in a template, or makes it no JSON: the characters that eb-transform-target-input
names, and the two control characters that text is written with (RFC 8259, 7).

The 29 other control characters are not among them: a pattern that names them all is several times
too long and too complex. `<` and `>` are not either: a value is put in once and not read again.
"""

_GROUPS = (BREAKING[:2], BREAKING[2:])
"""The characters that one list of the second pattern names: more at once are too complex
(`complexity.MOST`).
"""
_ALWAYS = {"account": [{"exists": True}]}
"""True of every event (eb-events-structure). Before the other fields it makes EventBridge look at
the second group of characters apart from the first.
"""


class Guard(NamedTuple):
    """A field of free text.

    path      where it is in a finding
    required  whether an event without it goes to the second rule as well
    listed    whether a finding can have several of it
    """

    path: tuple[str, ...]
    required: bool = False
    listed: bool = False


Standing = Literal["free", "safe", "shared", "taken"]


def standing(base: Mapping[str, Any], guard: Guard) -> Standing:
    """Says how a guard and a filter get along that may stand on the same field.

    A pattern has one list a field, and a list's entries are alternatives, so two conditions on one
    field cannot both hold: free is a field without a filter; safe one that the filter allows only
    clean texts; shared one that the filter forbids only clean texts, which the guard can forbid
    with the rest; and taken any other.
    """
    entries = _leaf(base, guard.path)
    if entries is None:
        return "free"
    if not guard.listed and all(_is_clean(entry) for entry in entries):
        return "safe"
    return "shared" if _forbidden(entries) is not None else "taken"


def clean(base: Mapping[str, Any], guards: Sequence[Guard]) -> dict[str, Any]:
    """Narrows a pattern to the events whose guarded fields are free of `BREAKING`."""
    pattern = copy.deepcopy(dict(base))
    for guard in guards:
        forbidden = _forbidden(_leaf(base, guard.path)) or []
        entries: list[Any] = [{"anything-but": {"wildcard": [*_texts(BREAKING), *forbidden]}}]
        if not guard.required:
            entries.append({"exists": False})
        _finding(pattern).update(_merged(_finding(pattern), _nested(guard.path, entries)))
    return pattern


def odd(base: Mapping[str, Any], guards: Sequence[Guard]) -> dict[str, Any]:
    """Narrows a pattern to exactly the events that `clean` leaves out."""
    pattern = copy.deepcopy(dict(base))
    shared = [(guard, _leaf(base, guard.path)) for guard in guards]
    for guard, entries in shared:
        if entries is not None:
            _take_out(_finding(pattern), guard.path)
    branches = [_branch(number, shared) for number in range(len(_GROUPS))]
    if not pattern.get("detail", {}).get("findings"):
        pattern.pop("detail", None)
    return {**pattern, "$or": branches}


def guarded(pattern: Mapping[str, Any]) -> frozenset[str]:
    """Names the fields of a valid pattern that are looked at with wildcards, as dotted text.

    Empty when there is too much of it.
    """
    return frozenset(
        condition.field
        for way in alternatives(pattern)
        for condition in way
        if any("wildcard" in json.dumps(entry) for entry in condition.entries)
    )


def _branch(number: int, guards: Sequence[tuple[Guard, list[Any] | None]]) -> dict[str, Any]:
    """Builds the alternative for one group of characters."""

    def broken(guard: Guard) -> dict[str, Any]:
        entries: list[Any] = [{"wildcard": text} for text in _texts(_GROUPS[number])]
        if guard.required and number == 0:
            entries.append({"exists": False})
        return _nested(guard.path, entries)

    inner = _any([broken(guard) for guard, entries in guards if entries is None])
    for guard, entries in guards:
        if entries is not None:
            kept = _nested(guard.path, entries)
            inner = _any([{**kept, **inner}, broken(guard)] if inner else [broken(guard)])
    return {**(_ALWAYS if number else {}), "detail": {"findings": inner}}


def _any(ways: list[dict[str, Any]]) -> dict[str, Any]:
    if len(ways) > 1:
        return {"$or": ways}
    return ways[0] if ways else {}


def _texts(characters: Sequence[str]) -> list[str]:
    """Writes wildcards for "holds this character"."""
    return [f"*{_escaped(character)}*" for character in characters]


def _escaped(text: str) -> str:
    """Writes a text inside a wildcard: `*` and backslash have a backslash before them
    (eb-create-pattern-operators).
    """
    return text.replace("\\", "\\\\").replace("*", "\\*")


def _is_clean(entry: Any) -> bool:
    return isinstance(entry, str) and not any(character in entry for character in BREAKING)


def _forbidden(entries: list[Any] | None) -> list[str] | None:
    """Returns the texts that a list forbids, escaped, when it does nothing else; None otherwise."""
    match entries:
        case [{"anything-but": list() as texts}, {"exists": False}] if all(map(_is_clean, texts)):
            return [_escaped(text) for text in texts]
    return None


def _finding(pattern: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pattern.setdefault("detail", {}).setdefault("findings", {})
    return found


def _leaf(base: Mapping[str, Any], path: tuple[str, ...]) -> list[Any] | None:
    node: Any = base
    for name in ("detail", "findings", *path):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, list) else None


def _take_out(node: dict[str, Any], path: tuple[str, ...]) -> None:
    first, *rest = path
    if rest:
        _take_out(node[first], tuple(rest))
    if not rest or not node[first]:
        del node[first]


def _nested(path: tuple[str, ...], entries: list[Any]) -> dict[str, Any]:
    node: Any = entries
    for name in reversed(path):
        node = {name: node}
    found: dict[str, Any] = node
    return found


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Merges two mappings; a list of `other` stands in for one of `one`."""
    found = dict(one)
    for name, value in other.items():
        here = found.get(name)
        both = isinstance(here, Mapping) and isinstance(value, Mapping)
        found[name] = _merged(here, value) if both and here is not None else value
    return found
