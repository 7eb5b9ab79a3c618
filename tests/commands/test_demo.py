"""`shnotify demo`: it shows what it promises, in 80 columns, and ends well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import run

ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def test_the_demo_tells_the_whole_story(tmp_path: Path) -> None:
    ran = run({**ENV, "HOME": str(tmp_path)}, "demo")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert max(map(len, ran.stdout.splitlines())) <= 80
    told = [
        "Subject: AWS Notification - Subscription Confirmation",
        "route urgent: can deliver",
        '| "CRITICAL',
        "BROKEN   topic-key (urgent)",
        "does not let events.amazonaws.com call",
        "updated  KMS key alias/",
        "1 x NO_PERMISSIONS",
        "Sent 1 of 1.",
        "deleted             EventBridge rule",
    ]
    places = [ran.stdout.find(text) for text in told]
    assert -1 not in places, dict(zip(told, places, strict=True))
    assert places == sorted(places)


@pytest.mark.full
def test_the_demo_as_a_document(tmp_path: Path) -> None:
    ran = run({**ENV, "HOME": str(tmp_path)}, "demo", "-o", "json")
    document = json.loads(ran.stdout)
    assert (ran.returncode, document["error"]) == (0, None)
    commands = [step["command"][0] for step in document["steps"]]
    assert (commands[0], commands[-1]) == ("plan", "destroy")
    assert [mail["to"] for mail in document["mails"]] == ["secops@example.com"] * 3
