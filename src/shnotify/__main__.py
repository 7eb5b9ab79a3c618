"""The `shnotify` command."""

from __future__ import annotations

from shnotify.terminal.signals import catch_signals, hold


def main() -> None:
    """Runs the command line and exits by the contract's codes."""
    hold()
    catch_signals()
    import contextlib
    import gc
    import os
    import sys

    gc.disable()  # a short process: collecting costs a third of its CPU and frees nothing that matters
    for name in ("stdout", "stderr", "stdin"):
        if (
            getattr(sys, name) is None
        ):  # closed by the caller: what would be printed is lost, the work is not
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    code = 130
    try:
        from shnotify.cli import run

        code = run(sys.argv[1:])
        hold()
    except KeyboardInterrupt as error:
        hold()
        code = getattr(error, "exit_code", 130)
    gc.freeze()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            OSError, ValueError, KeyboardInterrupt
        ):  # a reader that went away changes nothing
            stream.flush()
    # Not sys.exit: after a time-out or an interrupt a call may still hang in a thread, which Python
    # would wait for.
    os._exit(code)


if __name__ == "__main__":
    main()
