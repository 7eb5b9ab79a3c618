"""The live line and coloured text: the part of the screen that needs rich.

Decides nothing, and prints only events.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, assert_never

from rich.console import Console as RichConsole
from rich.live import Live
from rich.status import Status
from rich.text import Text as RichText

from shnotify.aws.progress import Noted, Waiting
from shnotify.engine.events import Advanced, Event, Looking, StepEnded, StepStarted
from shnotify.escaping import escaped
from shnotify.terminal.event_view import DOING, bar
from shnotify.terminal.styled import Text


class Console(RichConsole):
    """A console of rich that goes on when its reader goes away.

    Here the work goes on and the rest is not printed.
    """

    def on_broken_pipe(self) -> None:
        self.file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the rest of the process


def console(stream: TextIO, *, plain: bool) -> Console:
    """Makes rich's console for a stream; `plain` means without any control sequence."""
    return Console(
        file=stream,
        no_color=plain,
        color_system=None if plain else "auto",
        force_terminal=None if stream.isatty() and not plain else False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        legacy_windows=False,
    )


@contextmanager
def drawing(console: Console) -> Iterator[Callable[[list[Text | str]], None]]:
    """Yields a function that draws lines over those it drew before; at the end they go away."""
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def draw(lines: list[Text | str]) -> None:
            texts = [line if isinstance(line, Text) else Text(escaped(line)) for line in lines]
            live.update(RichText("\n").join(text.__rich__() for text in texts), refresh=True)

        yield draw


class LiveLine:
    """Shows what is being done at the moment, in one line that is rewritten."""

    def __init__(self, status: Status, tell: Callable[[Event], None]) -> None:
        self.status = status
        self.tell = tell
        self.doing: dict[str, str] = {}

    def show(self, event: Event, *, typing: bool) -> None:
        """Takes an event in; while somebody is `typing`, the line stays away."""
        self.doing.pop("waiting", None)
        match event:
            case Looking():
                self.doing.clear()
                self.doing["looking"] = "reading AWS"
            case StepStarted(step):
                self.doing.pop("looking", None)
                self.doing[step.key] = f"{DOING.get(step.action, '')} {step.key}"
            case StepEnded(step):
                self.doing.pop(step.key, None)
                self.tell(event)
            case Advanced(what, done, total):
                self.doing.pop("looking", None)
                self.doing[what] = bar(event)
                if total is not None and done >= total:
                    del self.doing[what]
            case Waiting(operation, reason, seconds):
                self.doing["waiting"] = f"{operation}: {reason}, again in {seconds:.1f} s"
            case Noted():
                self.tell(event)
            case _:
                assert_never(event)
        if not self.doing:
            self.status.stop()
        elif not typing:
            self.status.update(
                RichText(escaped(", ".join(self.doing.values())))
            )  # as text it would be read as markup
            self.status.start()
