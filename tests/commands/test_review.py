"""Review and automation: `plan --markdown`, and `apply --expect` of the plan that was reviewed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from shnotify.engine.values import Tags
from shnotify.terminal.markdown import plain
from tests.conftest import SMALLEST, World
from tests.support.lifecycle import queue, topic

PROGRAM = """
from shnotify.engine.fingerprint import digest
from shnotify.engine.values import Late, Policy, Tags
many = {f"key{n}": f"value{n}" for n in range(20)}
policy = Policy({"Statement": [many]}, frozenset(many))
print(digest(("create", Tags.of(many), {"a": frozenset(many)}, policy, Late("x"))))
"""


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
    assert Tags.of({"a": "1", "b": "2"}) == Tags.of({"b": "2", "a": "1"})


def test_only_the_reviewed_plan_is_carried_out(world: World) -> None:
    reviewed = world.run("plan").json["fingerprint"]
    assert f"Fingerprint: {reviewed}" in world.text("plan").out
    ran = world.run("apply", "--expect", "0" * 64)
    assert (ran.code, ran.json["error"]["code"], world.faults.writes) == (1, "UnexpectedPlan", [])
    assert ran.json["fingerprint"] == reviewed
    assert world.run("apply", "--expect", reviewed.upper()).code == 0
    assert world.run("apply", "--expect", reviewed).code == 1  # AWS is another one now
    assert world.faults.writes == []


def test_a_change_after_the_review_stops_it(world: World) -> None:
    world.apply()
    queue("MessageRetentionPeriod", "60")(world)
    reviewed = world.run("plan").json["fingerprint"]
    queue("MessageRetentionPeriod", "61")(world)
    ran = world.run("apply", "--expect", reviewed)
    assert (ran.code, world.faults.writes) == (1, [])
    assert "not the plan that was reviewed" in ran.json["error"]["message"]


FRESH = """\
### Plan for security-alerts in account 123456789012, eu-west-1

**Plan: 7 to create, 0 to update, 0 to delete, 0 unchanged.**

| | what | name | id |
| --- | --- | --- | --- |
| create | KMS key | alias/security-alerts-topic | TopicKey |
| create | KMS key | alias/security-alerts-dlq | DlqKey |
| create | SQS queue | security-alerts-dlq | Dlq |
| create | SNS topic | security-alerts-urgent | UrgentTopic |
| create | subscription | email:secops\\@example.com | UrgentSubscription567df1a1 |
| create | EventBridge rule | security-alerts-urgent-plain | UrgentRulePlain |
| create | EventBridge rule | security-alerts-urgent | UrgentRule |

<details><summary>What changes</summary>

```diff
+ TopicKey alias/security-alerts-topic
"""


def test_a_plan_for_a_pull_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")  # Markdown is not wrapped
    ran = world.text("plan", "--markdown")
    assert (ran.code, ran.out[: len(FRESH)]) == (0, FRESH)
    assert ran.out.count("```") == 2
    reviewed = world.run("plan").json["fingerprint"]
    assert ran.out.splitlines()[-1] == f"`shnotify apply --expect {reviewed}` carries out this plan and no other."
    world.apply()
    assert "| --- |" not in world.text("plan", "--markdown").out
    queue("MessageRetentionPeriod", "60")(world)
    ran = world.text("plan", "--markdown", "--exit-code")
    assert ran.code == 3
    assert "```diff\n~ Dlq security-alerts-dlq\n    MessageRetentionPeriod: 60 → 345600\n```\n" in ran.out


def test_warnings_are_in_the_markdown_and_in_the_json(world: World) -> None:
    world.write(SMALLEST + "  - name: silent\n")
    warning = "no subscriber in the file, so nobody is told"
    assert f"- ⚠️ {plain(str(world.path))}:6:5: " in world.text("plan", "--markdown").out
    assert any(warning in text for text in world.run("plan").json["warnings"])
    assert any(warning in text for text in world.apply().json["warnings"])


def test_nothing_in_it_is_read_as_markdown_and_no_text_ends_the_block(world: World) -> None:
    world.apply()
    topic("DisplayName", "````</details> @all")(world)
    out = world.text("plan", "--markdown").out
    assert out.count("\n`````") == 2  # a fence longer than what it holds
    assert plain("a|b `c` <d> @all #1 [x](y) _z_\n") == r"a\|b \`c\` \<d\> \@all \#1 \[x\](y) \_z\_\\n"


def test_two_forms_at_once_are_refused(world: World) -> None:
    ran = world.run("plan", "--markdown")
    assert (ran.code, "two forms" in ran.json["error"]["message"]) == (2, True)
