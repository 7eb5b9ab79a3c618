"""`make e2e`: rule -> function -> topic -> queue, in an emulator that really runs the function.

ministack refuses events from `aws.*`, as AWS does (API_PutEvents), so the route has a raw pattern with a source of its
own; everything else is as it is for a finding.
"""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from emulated import ACCOUNT, REGION, SOURCE, emulator, receive, send, shnotify
from shnotify.formatter.settings import Settings
from shnotify.mail.preview import render

__all__ = ["emulator"]
SAMPLES = Path(__file__).parent.parent / "tests" / "data"
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


@pytest.fixture(scope="module")
def inbox(emulator: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a queue that is subscribed to the route's topic."""
    url: str = boto3.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    config = tmp_path_factory.mktemp("run") / "shnotify.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    shnotify(config, "apply", "--yes")
    return url


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
