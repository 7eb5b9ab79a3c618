"""The `shnotify` command."""

from __future__ import annotations

import _thread
import contextlib
import gc
import os
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


class Interrupted(KeyboardInterrupt):
    """A signal that ends the command; `exit_code` is 128 plus its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)


def _swallowed(lost: UnraisableHookArgs) -> None:
    """Python drops what is raised in a callback of its own (of an import, say): the signal is sent once more."""
    if isinstance(lost.exc_value, Interrupted):
        _thread.start_new_thread(_again, (lost.exc_value.exit_code - 128,))
    else:
        sys.__unraisablehook__(lost)


def _again(number: int) -> None:
    time.sleep(0.01)  # until the callback is over
    os.kill(os.getpid(), number)


def catch_signals() -> None:
    """From here on a signal that ends the command is an `Interrupted` in the main thread."""
    sys.unraisablehook = _swallowed
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)


def main() -> None:
    """Runs the command line and exits by the contract's codes."""
    gc.disable()  # a short process: collecting costs a third of its CPU and frees nothing that matters
    catch_signals()
    for name in ("stdout", "stderr", "stdin"):
        if getattr(sys, name) is None:  # closed by the caller: what would be printed is lost, the work is not
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    code = 130
    try:
        from shnotify.cli import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt as error:
        code = getattr(error, "exit_code", 130)
    gc.freeze()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a reader that went away changes nothing
            stream.flush()
    # Not sys.exit: after a time-out or an interrupt a call may still hang in a thread, which Python would wait for.
    os._exit(code)


if __name__ == "__main__":
    main()
