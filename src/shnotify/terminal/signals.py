"""How a command ends: signals as exceptions, and one JSON document whatever comes between.

Imports next to nothing: until it is there, a signal meets Python's own handler.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from types import FrameType, TracebackType


class Interrupted(KeyboardInterrupt):
    """Raised for a signal that ends the command; `exit_code` is 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


class _State:
    """holding: signals wait. held: those that do. documented: stdout has its JSON document."""

    def __init__(self) -> None:
        self.holding = False
        self.held: list[int] = []
        self.documented = False


_state = _State()


def catch_signals() -> None:
    """Turns signals into an `Interrupted` in the main thread from here on."""
    sys.unraisablehook = _swallowed
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)


def hold() -> None:
    """Makes signals wait, because nothing can be told yet, or all is told."""
    _state.holding = True


def release() -> None:
    """Lets signals through again; raises `Interrupted` for one that waited."""
    _state.holding = False
    if _state.held:
        number = _state.held[0]
        _state.held.clear()
        raise Interrupted(number)


def begin() -> None:
    """Marks the start of a command that can tell what ends it."""
    _state.documented = False
    release()


class one_document:  # noqa: N801 a context manager
    """Tells whether the JSON document is still to be written.

    No signal cuts it off, none makes a second one.
    """

    def __enter__(self) -> bool:
        self._before, _state.holding = _state.holding, True
        wanted, _state.documented = not _state.documented, True
        return wanted

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        _state.holding = self._before
        if not _state.holding:
            release()


def _interrupt(number: int, _: FrameType | None) -> None:
    # A second one at the document is obeyed at once: whoever reads it may hang.
    if not _state.holding or (_state.held and _state.documented):
        raise Interrupted(number)
    _state.held.append(number)


def _swallowed(lost: sys.UnraisableHookArgs) -> None:
    """Sends the signal once more when Python dropped it in a callback of its own."""
    if isinstance(lost.exc_value, Interrupted):
        _thread.start_new_thread(_again, (lost.exc_value.exit_code - 128,))
    else:
        sys.__unraisablehook__(lost)


def _again(number: int) -> None:
    time.sleep(0.01)  # until the callback is over
    os.kill(os.getpid(), number)
