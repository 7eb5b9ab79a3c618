"""How a person sees results and progress. Consumes events; decides nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, assert_never

from rich.console import Console
from rich.status import Status
from rich.text import Text

from shnotify.aws.progress import Noted, Waiting
from shnotify.engine.events import Event, Looking, StepEnded, StepStarted
from shnotify.engine.plan import Action
from shnotify.escaping import clean
from shnotify.terminal.signals import one_document

_DOING: dict[Action, str] = {"create": "creating", "update": "updating", "delete": "deleting", "adopt": "taking over"}


class Screen:
    """stdout for the result, stderr for all else. A reader that goes away never stops the work."""

    def __init__(self, *, json_output: bool = False, verbose: bool = False, no_color: bool = False) -> None:
        self.json = json_output
        self.verbose = verbose
        self.out = _console(sys.stdout, no_color=no_color)
        self.err = _console(sys.stderr, no_color=no_color)
        self.between = " → " if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else " -> "
        self._status: Status | None = None
        self._typing = False

    def code(self, code: int) -> int:
        """The exit code of a command whose result is all that it is for: 1 when that could not be written."""
        if self.out.lost:
            self.error("the result could not be written: is the disk full?")
        return 1 if self.out.lost else code

    @property
    def can_ask(self) -> bool:
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    def result(self, line: Text | str = "") -> None:
        """One line of the result; nothing in JSON form."""
        if not self.json:
            self._rest()
            _print(self.out, line)

    def document(self, value: dict[str, Any]) -> None:
        """The one JSON document; nothing in text form. JSON escapes what a terminal must not see."""
        if self.json:
            with one_document() as wanted:
                if wanted:
                    _print(self.out, json.dumps(value, indent=2))

    def say(self, line: Text | str) -> None:
        """Anything that is not the result."""
        self._rest()
        _print(self.err, line)

    def _rest(self) -> None:
        """Takes the live line away, before something else is printed or typed; the next event brings it back."""
        if self._status:
            self._status.stop()

    def warn(self, message: str) -> None:
        self.say(Text.assemble(("warning: ", "yellow"), clean(message)))

    def error(self, message: str, hint: str | None = None) -> None:
        self.say(Text.assemble(("error: ", "bold red"), clean(message)))
        if hint:
            self.say("       " + clean(hint))

    def ask(self, question: str) -> bool:
        return self.line(question).strip().lower() in ("y", "yes")

    def line(self, question: str) -> str:
        """What is typed, with its line feed; nothing at the end of the input.

        Not `input()`, which a signal does not end when it arrives between the question and the reading.
        """
        self._typing = True
        self._rest()
        try:
            self.err.print(clean(question), end=" ", markup=False, highlight=False)
            return sys.stdin.readline()
        finally:
            self._typing = False

    @contextmanager
    def progress(self) -> Iterator[Callable[[Event], None]]:
        """A live line on a terminal, plain lines elsewhere."""
        doing: dict[str, str] = {}
        if not self.err.is_terminal or self.err.is_dumb_terminal:
            yield self._plain
            return
        self._status = self.err.status("")
        try:
            yield lambda event: self._live(event, doing)
        finally:
            self._rest()
            self._status = None

    def _plain(self, event: Event) -> None:
        line = _event_line(event, verbose=self.verbose)
        if line:
            self.say(line)

    def _live(self, event: Event, doing: dict[str, str]) -> None:
        doing.pop("waiting", None)
        match event:
            case Looking():
                doing.clear()
                doing["looking"] = "reading AWS"
            case StepStarted(step):
                doing.pop("looking", None)
                doing[step.key] = f"{_DOING.get(step.action, '')} {step.key}"
            case StepEnded(step):
                doing.pop(step.key, None)
                self._plain(event)
            case Waiting(operation, reason, seconds):
                doing["waiting"] = f"{operation}: {reason}, again in {seconds:.1f} s"
            case Noted():
                self._plain(event)
            case _:
                assert_never(event)
        if self._status and doing and not self._typing:
            self._status.update(Text(clean(", ".join(doing.values()))))  # as text it would be read as markup
            self._status.start()


class _Console(Console):
    """rich ends the process when a reader goes away; here the work goes on and the rest is not printed."""

    lost = False
    """Whether something could not be written though its reader was there (a full disk, say)."""

    def on_broken_pipe(self) -> None:
        self.file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the rest of the process


def _console(stream: TextIO, *, no_color: bool) -> _Console:
    plain = no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return _Console(
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


def _print(console: _Console, line: Text | str) -> None:
    """The one door to a terminal: what nobody made safe before becomes safe here, at the price of its colours."""
    plain = line if isinstance(line, str) else line.plain
    if clean(plain) != plain:
        line = clean(plain)
    try:
        console.print(line)
        console.file.flush()
    except (OSError, ValueError) as error:
        console.lost = not isinstance(error, BrokenPipeError)
        console.on_broken_pipe()


def _event_line(event: Event, *, verbose: bool) -> Text | None:
    match event:
        case Looking():
            return None
        case StepStarted(step):
            return Text(f"{step.key}: {_DOING.get(step.action, step.action)}")
        case StepEnded(step, result, message):
            style = {"done": "green", "failed": "bold red", "skipped": "yellow"}[result]
            return Text.assemble(f"{step.key}: ", (result, style), clean(f": {message}" if message else ""))
        case Waiting(operation, reason, seconds):
            return Text(clean(f"{operation}: {reason}; again in {seconds:.1f} s")) if verbose or seconds > 2 else None
        case Noted(message):
            return Text(clean(f"note: {message}"))
        case _:
            assert_never(event)
