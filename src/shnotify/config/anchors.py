"""YAML's parser events with every alias replaced by what its anchor names, within limits.

A copy keeps the positions of what it copies: that is where a mistake in it has to be mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

MAX_COPIED = 10_000
"""Events that aliases may add to a file; a bomb of nine lines would add a billion."""


class AliasProblem(Exception):  # noqa: N818 the reader makes the error of it
    """An alias that cannot be replaced. `event` is the alias."""

    def __init__(self, event: Any, message: str) -> None:
        super().__init__(message)
        self.event = event
        self.message = message


def expanded(events: Iterator[Any]) -> Iterator[Any]:
    """Yields the events with every alias replaced.

    Raises AliasProblem for an unknown one, a cycle, and too much in all.
    """
    known: dict[str, list[Any]] = {}
    open_nodes: list[tuple[str, list[Any], int]] = []
    depth = copied = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            copy = _copy_of(event, known, open_nodes)
            copied += len(copy)
            if copied > MAX_COPIED:
                raise AliasProblem(
                    event, f"aliases make the file too large: at most {MAX_COPIED:,} values"
                )
        else:
            copy = [event]
            opens = isinstance(event, yaml.CollectionStartEvent)
            if opens or isinstance(event, yaml.ScalarEvent):
                anchor = event.anchor
                if anchor is not None:
                    open_nodes.append((anchor, [], depth))
                    known.pop(anchor, None)
            depth += opens
        for _, recorded, _ in open_nodes:
            recorded += copy
        yield from copy
        depth -= isinstance(event, yaml.CollectionEndEvent)
        while open_nodes and open_nodes[-1][2] == depth:
            anchor, recorded, _ = open_nodes.pop()
            known[anchor] = recorded


def _copy_of(
    event: Any, known: dict[str, list[Any]], open_nodes: list[tuple[str, list[Any], int]]
) -> list[Any]:
    if event.anchor in known:
        return known[event.anchor]
    if any(anchor == event.anchor for anchor, _, _ in open_nodes):
        raise AliasProblem(
            event, f"*{event.anchor} stands within &{event.anchor}: a value cannot hold itself"
        )
    raise AliasProblem(event, f"*{event.anchor} has no anchor &{event.anchor} before it")
