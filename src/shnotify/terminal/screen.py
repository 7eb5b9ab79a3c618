"""How a person sees results and progress. Consumes events; decides nothing.

rich is loaded for colours on a terminal and for the live line, and for nothing else: it costs more
than a whole `validate`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from shnotify.escaping import escaped
from shnotify.terminal import language
from shnotify.terminal.signals import one_document
from shnotify.terminal.styled import Text
from shnotify.terminal.wrapping import NARROWEST, breaks, lead, wrapped

if TYPE_CHECKING:
    from rich.text import Text as RichText

    from shnotify.engine.events import Event
    from shnotify.terminal.live import Console, LiveLine


PROGRESS_SECONDS = 10
"""How often a long work is told of where no line can be rewritten."""


class Stream:
    """Writes to stdout or stderr. A reader that goes away never stops the work."""

    def __init__(self, file: TextIO, *, no_color: bool) -> None:
        self.file = file
        self.plain = no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        self.lost = False
        """Whether something could not be written though its reader was there (a full disk, say)."""

    @property
    def coloured(self) -> bool:
        return self.file.isatty() and not self.plain

    @property
    def rewritable(self) -> bool:
        """Whether a line can be drawn over another."""
        return self.coloured and not self.console.is_dumb_terminal

    @cached_property
    def console(self) -> Console:
        from shnotify.terminal.live import console

        return console(self.file, plain=self.plain)

    @property
    def width(self) -> int | None:
        """The columns to write in: $COLUMNS, else the terminal's; None: nobody reads by lines."""
        said = os.environ.get("COLUMNS", "")
        if said.isdecimal() and int(said) > 0:
            return max(int(said), NARROWEST)
        try:
            columns = os.get_terminal_size(self.file.fileno()).columns
        except (OSError, ValueError):  # a file, a pipe, or something that is neither
            return None
        return max(columns, NARROWEST) if columns else None

    def print(self, line: Text | str, *, exact: bool = False) -> None:
        """Prints a line, and makes it safe for a terminal if nobody did before.

        exact  the line is not broken at words: it is to be copied, or is somebody else's text
        """
        line = line if exact else _in_the_readers_language(line)
        text = line if isinstance(line, str) else line.plain
        safe = escaped(text)
        width = None if exact else self.width
        try:
            if self.coloured and not isinstance(line, str) and safe == text:
                for part in _parts(line, width):
                    self.console.print(part)
            else:
                for each in safe.split("\n"):
                    self.file.write("".join(f"{part}\n" for part in wrapped(each, width)))
            self.file.flush()
        except (OSError, ValueError) as error:
            self.lost = not isinstance(error, BrokenPipeError)
            self.file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the rest of the process
            self.__dict__.pop("console", None)


def _in_the_readers_language(line: Text | str) -> Text | str:
    """Translates a line; a translated one has the first colour of the English one."""
    if language.language() == "en":
        return line
    text = line if isinstance(line, str) else line.plain
    told = "\n".join(language.line(each) for each in text.split("\n"))
    if told == text or isinstance(line, str):
        return told if isinstance(line, str) else line
    return Text(told, line.style)


def _parts(line: Text, width: int | None) -> list[RichText]:
    """Breaks coloured text as `wrapped` breaks plain text."""
    text = line.__rich__()
    if width is None or "\n" in line.plain:
        return [text]
    from rich.text import Text as RichText

    first, *rest = breaks(line.plain, width)
    indent = lead(line.plain, width)
    return [text[slice(*first)], *(RichText(indent) + text[slice(*piece)] for piece in rest)]


class Screen:
    """Writes results to stdout and everything else to stderr."""

    def __init__(
        self, *, json_output: bool = False, verbose: bool = False, no_color: bool = False
    ) -> None:
        self.json = json_output
        self.verbose = verbose
        self.out = Stream(sys.stdout, no_color=no_color)
        self.err = Stream(sys.stderr, no_color=no_color)
        self.plain_text = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        """Whether stdout may carry nothing beyond ASCII."""
        self.between = " -> " if self.plain_text else " → "
        self.bar_mark = "#" if self.plain_text else "█"
        self._live: LiveLine | None = None
        self._typing = False
        self._told: dict[str, float] = {}
        """A long work -> at which of its seconds it was last told of."""

    def code(self, code: int) -> int:
        """Returns the exit code, or 1 when the result could not be written."""
        if self.out.lost:
            self.error("the result could not be written: is the disk full?")
        return 1 if self.out.lost else code

    @property
    def can_ask(self) -> bool:
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    def result(self, line: Text | str = "", *, exact: bool = False) -> None:
        """Prints one line of the result; nothing in JSON form.

        exact  the line is not broken at words
        """
        if not self.json:
            self._rest()
            self.out.print(line, exact=exact)

    def document(self, value: dict[str, Any]) -> None:
        """Prints the one JSON document; nothing in text form.

        JSON escapes what a terminal must not see.
        """
        if self.json:
            with one_document() as wanted:
                if wanted:
                    self.out.print(json.dumps(value, indent=2), exact=True)

    def sum_up(self, line: Text | str) -> None:
        """Takes in what the plan is in one line; it is shown where many notifiers are."""

    def say(self, line: Text | str) -> None:
        """Prints anything that is not the result."""
        self._rest()
        self.err.print(line)

    def _rest(self) -> None:
        """Takes the live line away before something else is printed or typed.

        The next event brings it back.
        """
        if self._live:
            self._live.status.stop()

    def warn(self, message: str) -> None:
        self._labelled("warning: ", "yellow", message)

    def error(self, message: str, hint: str | None = None) -> None:
        self._labelled("error: ", "bold red", message)
        if hint:
            self.say("       " + escaped(hint))

    def _labelled(self, label: str, style: str, message: str) -> None:
        if not self.err.coloured:
            self.say(label + escaped(message))
            return
        self.say(Text.assemble((label, style), escaped(message)))

    def ask(self, question: str) -> bool:
        """Asks until the answer is yes or no; nothing typed, or the end of the input, is no."""
        while typed := self.line(question):
            answer = typed.strip().lower()
            if answer in ("y", "yes"):
                return True
            if answer in ("", "n", "no"):
                return False
            self.say("please answer yes or no")
        return False

    def line(self, question: str) -> str:
        """Returns what is typed, with its line feed; nothing at the end of the input.

        Not `input()`, which a signal does not end when it arrives between the question and the
        reading.
        """
        self._typing = True
        self._rest()
        try:
            asked = wrapped(escaped(language.line(question)), self.err.width)
            self.err.file.write("\n".join(asked) + " ")
            self.err.file.flush()
            return sys.stdin.readline()
        finally:
            self._typing = False

    @contextmanager
    def progress(self) -> Iterator[Callable[[Event], None]]:
        """Shows a live line on a terminal, and plain lines elsewhere."""
        if not self.err.rewritable:
            yield self._plain
            return
        from shnotify.terminal.live import LiveLine

        self._live = live = LiveLine(self.err.console.status(""), self._plain)
        try:
            yield lambda event: live.show(event, typing=self._typing)
        finally:
            self._rest()
            self._live = None

    @contextmanager
    def block(self) -> Iterator[Callable[[list[Text | str]], None] | None]:
        """Gives lines a place on stderr where they can be drawn again and again; None without a
        terminal.

        The live line stays away meanwhile.
        """
        if self.json or not self.err.rewritable:
            yield None
            return
        from shnotify.terminal.live import drawing

        self._rest()
        self._typing = True
        try:
            with drawing(self.err.console) as draw:
                yield draw
        finally:
            self._typing = False

    def _plain(self, event: Event) -> None:
        from shnotify.engine.events import Advanced
        from shnotify.terminal.event_view import bar, event_line

        if isinstance(event, Advanced):
            if event.seconds - self._told.get(event.what, 0) > PROGRESS_SECONDS:
                self._told[event.what] = event.seconds
                self.say(bar(event))
            return
        line = event_line(event, verbose=self.verbose)
        if line:
            self.say(line)
