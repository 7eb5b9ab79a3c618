"""`make e2e`: hostile findings through the two rules of a guarded mail, in an emulator with a matcher of its own.

ministack refuses events from `aws.*`, as AWS does (API_PutEvents), so each rule's pattern gets a source of our own
once `apply` has made it; everything else stays. Its transformer knows no array index, so the mails are told by `$.id`.
"""

from __future__ import annotations

import copy
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import pytest

from emulated import ACCOUNT, REGION, SOURCE, emulator, receive, send, shnotify

__all__ = ["emulator"]
SAMPLES = Path(__file__).parent.parent / "tests" / "data"
CONFIG = f"""\
name: guarded
region: {REGION}
routes:
  - name: urgent
    source: both
    message: {{fields: [title, resource_id, account_name, product_name, control, event_id]}}
    subscribers:
      - {{protocol: sqs, endpoint: "arn:aws:sqs:{REGION}:{ACCOUNT}:guarded-inbox"}}
"""
BREAKING = ['"', "\\", "\n", "\r", "\t"]
TEXTS = {
    "cspm-control-s3": [
        ("Title",),
        ("Id",),
        ("AwsAccountName",),
        ("ProductName",),
        ("Compliance", "SecurityControlId"),
    ],
    "hub-compliance-create": [
        ("finding_info", "title"),
        ("finding_info", "uid"),
        ("cloud", "account", "name"),
        ("metadata", "product", "name"),
        ("compliance", "control"),
    ],
}
RESOURCES = {"cspm-control-s3": ("Resources", "Id"), "hub-compliance-create": ("resources", "uid")}


@pytest.fixture(scope="module")
def inbox(emulator: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a queue that is subscribed to the topic that all rules of the route feed."""
    url: str = boto3.client("sqs").create_queue(QueueName="guarded-inbox")["QueueUrl"]
    config = tmp_path_factory.mktemp("run") / "shnotify.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    shnotify(config, "apply", "--yes")
    events = boto3.client("events")
    rules = events.list_rules(NamePrefix="guarded-urgent")["Rules"]
    assert sorted(rule["Name"] for rule in rules) == [
        "guarded-urgent", "guarded-urgent-hub", "guarded-urgent-hub-plain", "guarded-urgent-plain",
    ]  # fmt: skip
    for rule in rules:
        pattern = {**json.loads(rule["EventPattern"]), "source": [SOURCE]}
        events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern), State="ENABLED")
    return url


def hostile(rng: random.Random) -> str:
    pieces = [*BREAKING, *"<>{}$*?", "<severity>", "\\\\n", "日本", "👩‍👩‍👧", "plain ", "arn:aws:s3:::b"]
    return "".join(rng.choice(pieces[rng.choice([0, len(BREAKING)]) :]) for _ in range(rng.randint(1, 8)))


def event(name: str, rng: random.Random) -> tuple[dict[str, Any], bool]:
    """A finding with hostile text in one of its fields, and whether it has a clean and an odd resource."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    finding = found["detail"]["findings"][0]
    if rng.random() < 0.3:
        where, leaf = RESOURCES[name]
        both = rng.random() < 0.3
        ids = [hostile(rng)] if not both else ["clean", rng.choice(BREAKING) + hostile(rng)]
        finding[where] = [{**copy.deepcopy(finding[where][0]), leaf: identity} for identity in ids]
        return found, both
    *parents, leaf = rng.choice(TEXTS[name])
    node = finding
    for parent in parents:
        node = node[parent]
    node[leaf] = hostile(rng)
    if rng.random() < 0.1:
        del node[leaf]
    return found, False


@pytest.mark.timeout(600)
def test_each_of_200_hostile_findings_arrives_and_only_the_documented_ones_twice(inbox: str) -> None:
    rng = random.Random(200)
    made = [event(name, rng) for name in [*TEXTS] * 100]
    expected: dict[str, int] = {}
    for start in range(0, len(made), 10):
        batch = made[start : start + 10]
        ids = send(*(one for one, _ in batch))
        expected |= {identity: 2 if twice else 1 for identity, (_, twice) in zip(ids, batch, strict=True)}
    assert len(expected) == 200
    total = sum(expected.values())
    arrived = Counter(told(message["Message"]) for message in receive(inbox, total, seconds=240))
    time.sleep(2)  # whatever comes too often comes now
    arrived.update(told(message["Message"]) for message in receive(inbox, 1, seconds=3))
    assert dict(arrived) == expected
    assert 5 < total - 200 < 60


def told(mail: str) -> str:
    """The id of the event that a mail is about."""
    (line,) = [line for line in mail.splitlines() if line.strip('"').startswith("Event: ")]
    return line.strip('"').removeprefix("Event: ")
