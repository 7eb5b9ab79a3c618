"""What the tests against an emulator share: ministack, whose command MINISTACK names, and messages out of a queue."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

REGION = "ap-northeast-1"
ACCOUNT = "000000000000"
SOURCE = "shnotify.e2e"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    port, state = free_port(), tmp_path_factory.mktemp("state")
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    more = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local", "STATE_DIR": str(state)}
    with pytest.MonkeyPatch.context() as patch, (state / "log").open("w") as log:
        for name, value in environment.items():
            patch.setenv(name, value)
        server = subprocess.Popen([os.environ["MINISTACK"]], env={**os.environ, **more}, stdout=log, stderr=log)
        try:
            wait_until_open(port, server)
            yield
        finally:
            server.terminate()
            server.wait(30)


def wait_until_open(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the emulator ended"
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the emulator did not start within 30 s")


def shnotify(config: Path, *arguments: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "shnotify", *arguments, "-c", str(config)], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def send(*events: dict[str, Any]) -> list[str]:
    """Puts events of a source of our own on the bus and returns the ids that they get."""
    entries: Any = [
        {
            "Source": SOURCE,
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event.get("resources", []),
        }
        for event in events
    ]
    reply = boto3.client("events").put_events(Entries=entries)
    assert reply["FailedEntryCount"] == 0
    return [entry["EventId"] for entry in reply["Entries"]]


def receive(url: str, count: int, seconds: float = 60) -> list[Any]:
    sqs, until = boto3.client("sqs"), time.monotonic() + seconds
    found: list[Any] = []
    while len(found) < count and time.monotonic() < until:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
