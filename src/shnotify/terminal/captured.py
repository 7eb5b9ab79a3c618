"""What one of several notifiers says, kept until it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shnotify.terminal.screen import Screen
from shnotify.terminal.styled import Text


class Captured(Screen):
    """A screen of which only the document, the warnings and the errors are kept.

    With `verbose` the result's lines too, and what is to be copied always. Nobody can be asked through it.
    """

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(json_output=not verbose, verbose=verbose, no_color=True)
        self.lines: list[tuple[Text | str, bool]] = []
        """Each with whether it is exact, as `Screen.result` takes it."""
        self.warnings: list[str] = []
        self.errors: list[tuple[str, str | None]] = []
        self.summary = ""
        self.made: dict[str, Any] = {}
        """The document."""

    @property
    def can_ask(self) -> bool:
        return False

    def result(self, line: Text | str = "", *, exact: bool = False) -> None:
        if self.verbose or exact:
            self.lines.append((line, exact))

    def document(self, value: dict[str, Any]) -> None:
        self.made = value

    def sum_up(self, line: Text | str) -> None:
        self.summary = line if isinstance(line, str) else line.plain

    def say(self, line: Text | str) -> None:
        """Drops what is neither a result nor a warning."""

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def error(self, message: str, hint: str | None = None) -> None:
        self.errors.append((message, hint))

    @contextmanager
    def block(self) -> Iterator[Callable[[list[Text | str]], None] | None]:
        yield None
