"""What the files of fault rows share."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from shnotify import cli
from shnotify.aws import calls
from tests.conftest import SMALLEST, Ran, World
from tests.support import faults
from tests.support.faults import Fault

URL = "http://aws.invalid"


Calm = Callable[[int, str], Fault | None]


def calm(_n: int, _operation: str) -> Fault | None:
    return None


def always(operation: str, fault: Fault) -> Calm:
    return faults.on(operation, times=10_000)(fault)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """A command with the real gateway: nothing stands between it and the SDK. It does not wait between two tries."""
    path = tmp_path / "shnotify.yaml"
    path.write_text(SMALLEST, encoding="utf-8")
    monkeypatch.setattr(calls, "Clock", functools.partial(calls.Clock, sleep=lambda _seconds: None))

    def run(*arguments: str) -> Ran:
        code = cli.run([*arguments, "-c", str(path), "-o", "json"])
        return Ran(code, *capsys.readouterr())

    return run


CALLER = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>x</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@contextlib.contextmanager
def answering(status: int, body: bytes, *, caller: bool = True) -> Iterator[str]:
    """An endpoint that gives every call this answer; `caller`: all but the first, which says who we are."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            first = caller and b"GetCallerIdentity" in asked
            code, reply = (200, CALLER) if first else (status, body)
            self.send_response(code)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def surplus_key(world: World, role: str = "TopicKey", **tags: str) -> str:
    """A key tagged as ours, as a run that was killed leaves it."""
    wanted = {"shnotify:name": "security-alerts", "shnotify:resource": role, "managed-by": "shnotify", **tags}
    listed = [{"TagKey": k, "TagValue": v} for k, v in wanted.items()]
    return str(world.client("kms").create_key(Tags=listed)["KeyMetadata"]["KeyId"])


def state_of_key(world: World, key: str) -> str:
    return str(world.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"])
