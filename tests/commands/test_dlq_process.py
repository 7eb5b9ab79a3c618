"""`dlq` as a process: progress on a terminal, and a person who stops it."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import boto3
import pytest

from shnotify.sandbox.server import Sandbox
from tests.support.deadletters import QUEUE_NAME, from_rule
from tests.support.faults import REGION
from tests.support.process import Env, run, terminal

COUNT = 60


@pytest.fixture
def full(env: Env, sandbox: Sandbox) -> Any:
    """A queue with messages, in the embedded AWS."""
    assert run(env, "apply", "--yes").returncode == 0
    sandbox.confirm("secops@example.com")
    sqs = boto3.client(
        "sqs",
        region_name=REGION,
        endpoint_url=sandbox.endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    url = sqs.get_queue_url(QueueName=QUEUE_NAME)["QueueUrl"]
    for number in range(COUNT):
        body, told = from_rule(number)
        sqs.send_message(
            QueueUrl=url,
            MessageBody=body,
            MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in told.items()},
        )
    return sqs, url


def counts(sqs: Any, url: str) -> tuple[int, int]:
    """(visible, hidden)."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    have = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(have[names[0]]), int(have[names[1]])


def read_until(terminal_end: int, text: bytes, seconds: float = 60) -> bytes:
    shown, ends = b"", time.monotonic() + seconds
    while text not in shown and time.monotonic() < ends:
        try:
            shown += os.read(terminal_end, 4096)
        except OSError:
            break
    return shown


def test_a_redrive_that_is_stopped_gives_back_what_it_holds(env: Env, full: Any) -> None:
    with terminal(env, "dlq", "redrive", "--yes") as (shown, process):
        assert b" a second, about " in read_until(shown, b"sending [#") + read_until(shown, b" left")
        process.send_signal(signal.SIGINT)
        threading.Thread(target=read_until, args=(shown, b"\0never"), daemon=True).start()
        assert process.wait(60) == 130
    visible, hidden = counts(*full)
    assert hidden == 0
    assert 0 < visible < COUNT
    assert f"{visible} messages." in run(env, "dlq", "list").stdout


def test_a_killed_one_leaves_them_for_a_minute_and_the_list_says_so(env: Env, full: Any) -> None:
    sqs, url = full
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)
    ran = run(env, "dlq", "list")
    assert ran.returncode == 0
    assert f"{COUNT - 10} messages." in ran.stdout
    assert "10 more could not be read" in ran.stderr
