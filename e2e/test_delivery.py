"""`make e2e`: rule -> function -> topic -> queue, in an emulator that really runs the function.

ministack refuses events from `aws.*`, as AWS does (API_PutEvents), so the route has a raw pattern with a source of its
own; everything else is as it is for a finding. Set MINISTACK to its command.
"""

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

from shnotify.formatter.settings import Settings
from shnotify.mail.preview import render

SAMPLES = Path(__file__).parent.parent / "tests" / "data"
SOURCE = "shnotify.e2e"
REGION = "ap-northeast-1"
ACCOUNT = "000000000000"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"
CONFIG = f"""\
name: security-alerts
region: {REGION}
routes:
  - name: urgent
    pattern: {{source: [{SOURCE}]}}
    message: {{format: lambda, language: ja, time_zone: Asia/Tokyo, dedup: none}}
    subscribers:
      - {{protocol: sqs, endpoint: "arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"}}
"""


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


@pytest.fixture(scope="module")
def inbox(emulator: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a queue that is subscribed to the route's topic."""
    url: str = boto3.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    shnotify(tmp_path_factory.mktemp("run") / "shnotify.yaml", "apply", "--yes")
    return url


def shnotify(config: Path, *arguments: str) -> None:
    config.write_text(CONFIG, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "shnotify", *arguments, "-c", str(config)], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def send(event: dict[str, Any]) -> None:
    entry: Any = {
        "Source": SOURCE,
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event.get("resources", []),
    }
    assert boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def receive(url: str, count: int, seconds: float = 60) -> list[Any]:
    sqs, until = boto3.client("sqs"), time.monotonic() + seconds
    found: list[Any] = []
    while len(found) < count and time.monotonic() < until:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sample", sorted(p.stem for p in SAMPLES.glob("*.json")))
def test_what_arrives_is_what_render_shows(inbox: str, sample: str) -> None:
    event = json.loads((SAMPLES / f"{sample}.json").read_text(encoding="utf-8"))
    settings = Settings(topic_arn=TOPIC, language="ja", time_zone="Asia/Tokyo", dedup="none")
    # The Region of an event is where it was sent, in both.
    expected = render({**event, "source": SOURCE, "region": REGION}, "lambda", "both", settings=settings)
    send(event)
    arrived = receive(inbox, len(expected))
    shown = sorted((mail.subject, without_event_id(mail.body)) for mail in expected)
    assert sorted((m["Subject"], without_event_id(m["Message"])) for m in arrived) == shown


def without_event_id(body: str) -> str:
    """A body that shows the whole event shows ids and times that EventBridge made."""
    return body.partition('"id"')[0]
