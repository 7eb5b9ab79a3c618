"""How a roll-out is shown while it goes on: a table in place on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.text import Text

from shnotify.export.rollout import Progress
from shnotify.export.stackset import Instance
from shnotify.terminal.screen import Screen

ROWS = 15
"""Stacks that the table shows at once: those that failed first, then those that are at work."""
_FIRST = ("FAILED", "INOPERABLE", "CANCELLED", "RUNNING", "PENDING", "SUCCEEDED")


def table(stacks: Iterable[Instance], rows: int = ROWS) -> list[str]:
    """Lists the stacks that a person wants to see, and says how many are not listed."""
    found = sorted(stacks, key=lambda one: (_place(one), one.account, one.region))
    lines = [
        f"  {one.account} {one.region:15} {one.status.lower()}{f': {one.reason}' if one.reason else ''}"
        for one in found[:rows]
    ]
    return lines + ([f"  and {len(found) - rows:,} more"] if len(found) > rows else [])


def _place(one: Instance) -> int:
    return _FIRST.index(one.status) if one.status in _FIRST else len(_FIRST)


class Following:
    """Shows how far an operation is."""

    def __init__(
        self, screen: Screen, draw: Callable[[list[Text | str]], None] | None = None
    ) -> None:
        self._screen = screen
        self._draw = draw
        self._told = ""

    def show(self, progress: Progress) -> None:
        text = (
            f"{progress.action.kind.replace('_', ' ')}: {progress.status.lower()}, "
            f"{progress.done} of {progress.of} stacks done, {progress.failed} failed"
        )
        if self._draw:
            self._draw([f"{text} (Ctrl-C is safe: AWS goes on)", *table(progress.stacks)])
        elif text != self._told:
            self._screen.say(text)
        self._told = text
