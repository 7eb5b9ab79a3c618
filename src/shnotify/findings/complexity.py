"""How complex the wildcards of an event pattern are, as EventBridge counts: it refuses a rule that
is too complex. Pure.

The guide says that there is a limit and not where it lies (eb-create-pattern-operators, "Wildcards
and event pattern complexity"). The measure is that of aws/event-ruler's MachineComplexityEvaluator:
in how many places of how many wildcard texts a value can stand at once.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from shnotify.findings.alternatives import alternatives

MOST = 9
"""The greatest measure that AWS is known to take: by public reports three texts `*:stack/A/*` on one
field passed (9), and four were refused (12).
"""
_MOST_SETS = 5_000
_STAR = "*"
_QUOTE = '"'

Texts = tuple[str, ...]


def complexity(pattern: Mapping[str, Any]) -> int | None:
    """Measures the most complex field of a valid pattern; 0 without wildcards.

    None when there is too much of it to be measured.
    """
    ways = alternatives(pattern)
    if not ways:
        return None
    machines: dict[str, dict[str, Texts]] = {}
    for way in ways:
        before = ""
        for condition in sorted(way, key=lambda one: one.field):
            before = f"{before}/{condition.field}"
            found = machines.setdefault(before, {})
            for entry in condition.entries:
                if texts := _wildcards(entry):
                    found[json.dumps(entry, sort_keys=True)] = texts
            before += json.dumps(condition.entries)
    measured = [
        _measure(tuple(found[entry] for entry in sorted(found)))
        for found in machines.values()
        if found
    ]
    return None if None in measured else max((one for one in measured if one), default=0)


def _wildcards(entry: Any) -> Texts:
    """Returns the wildcard texts of one entry of a list; an `anything-but` may have several."""
    if not isinstance(entry, Mapping):
        return ()
    inner = entry.get("anything-but", entry)
    texts = inner.get("wildcard", ()) if isinstance(inner, Mapping) else ()
    return (texts,) if isinstance(texts, str) else tuple(dict.fromkeys(texts))


class _Machine:
    """Holds the places of some wildcard texts: a place is reached by the bytes before it.

    loops    the places in which any text may follow
    steps    place -> byte -> the next places
    weights  place -> of how many entries it is a part
    """

    def __init__(self, entries: Iterable[Texts]) -> None:
        self.steps: list[dict[str, set[int]]] = [{}]
        self.loops: set[int] = set()
        self.after: dict[int, int] = {}
        self.weights: dict[int, int] = {}
        shared: dict[str, int] = {}
        for texts in entries:
            end = len(self.steps)
            self.steps.append({})
            places = {place for text in texts for place in self._add(text, shared, end)}
            for place in places:
                self.weights[place] = self.weights.get(place, 0) + 1

    def _add(self, text: str, shared: dict[str, int], end: int) -> list[int]:
        """Adds one text and returns its places.

        What stands before and at its first `*` is shared with texts that begin alike; `end` is
        shared by all texts of one entry.
        """
        here, head, common = 0, "", True
        places: list[int] = []
        tokens = list(_tokens(text))
        for number, token in enumerate(tokens):
            head += token or "\0*"
            there = end if number == len(tokens) - 1 else shared.get(head) if common else None
            if there is None:
                there = len(self.steps)
                self.steps.append({})
                if common:
                    shared[head] = there
            common = common and token is not None
            if token is None:
                self.after[here] = there
                self.loops.add(there)
            else:
                for place in {here, *(p for p in places[-2:-1] if self.after.get(p) == here)}:
                    self.steps[place].setdefault(token, set()).add(there)
            places.append(there)
            here = there
        return places

    def next(self, places: frozenset[int], byte: str | None) -> frozenset[int]:
        """Returns where a value can stand after one more byte; None is any byte of no text."""
        found = {self.after[place] for place in places if place in self.after}
        found |= places & self.loops
        for place in places if byte else ():
            found |= self.steps[place].get(byte or "", set())
        return frozenset(found)

    def bytes_after(self, places: frozenset[int]) -> set[str | None]:
        """Returns the bytes that lead on from the places, and None for all others alike."""
        return {None, *(byte for place in places for byte in self.steps[place])}

    def weight(self, places: frozenset[int]) -> int:
        open_ends = {self.after[place] for place in places if place in self.after} - places
        return sum(self.weights.get(place, 0) for place in places | open_ends)


@functools.lru_cache(maxsize=256)
def _measure(entries: tuple[Texts, ...]) -> int | None:
    machine = _Machine(entries)
    most, seen, left = 0, set[frozenset[int]](), [frozenset({0})]
    while left:
        if len(seen) > _MOST_SETS:
            return None
        places = left.pop()
        for byte in machine.bytes_after(places):
            after = machine.next(places, byte)
            if after and after not in seen:
                seen.add(after)
                left.append(after)
                most = max(most, machine.weight(after))
    return most


def _tokens(text: str) -> Iterable[str | None]:
    """Yields the characters of a wildcard text in its quotes; None is a `*`."""
    yield _QUOTE
    characters = iter(text)
    for one in characters:
        yield None if one == _STAR else next(characters, one) if one == "\\" else one
    yield _QUOTE
