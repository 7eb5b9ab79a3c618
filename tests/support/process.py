"""The installed command as a process, against the embedded AWS."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shnotify.sandbox.server import Sandbox
from tests.conftest import SMALLEST
from tests.support.faults import REGION

Env = dict[str, str]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(region=REGION) as found:
        yield found


@pytest.fixture
def env(sandbox: Sandbox, tmp_path: Path) -> Env:
    path = tmp_path / "shnotify.yaml"
    path.write_text(SMALLEST, encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    return sandbox.child_environment(kept) | {"SHNOTIFY_CONFIG": str(path), "TERM": "xterm"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "shnotify", *arguments]


def run(env: Env, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextlib.contextmanager
def terminal(env: Env, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command(*arguments), env=env, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    try:
        yield ours, process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for one in held:
            one.close()
