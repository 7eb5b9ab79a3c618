"""Two runs at the same time, interleaved call by call, and hand edits in the middle of one.

Rows 37 and 71-74 of docs/fault-rows.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shnotify.aws.gateway import Aws
from tests.conftest import World
from tests.support.canonical import account, live_keys
from tests.support.crashes import emptied
from tests.support.faults import Fault
from tests.support.interleaving import APPLY, DESTROY, check, in_the_middle, together
from tests.support.lifecycle import TOPIC, key_id


@pytest.mark.parametrize("commands", [(APPLY, APPLY), (APPLY, DESTROY)], ids=["apply+apply", "apply+destroy"])
def test_two_runs_at_once(world: World, monkeypatch: pytest.MonkeyPatch, commands: tuple[list[str], list[str]]) -> None:
    for seed in range(8):
        with emptied(world):
            if DESTROY in commands:
                world.apply()
            codes = together(world, monkeypatch, seed, *commands)
            assert set(codes) <= {0, 1}
            if commands == (APPLY, APPLY):
                assert 0 in codes
                assert live_keys(world) == ["DlqKey", "TopicKey"], seed
            check(world)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("commands", [(APPLY, APPLY), (APPLY, DESTROY)], ids=["apply+apply", "apply+destroy"])
def test_two_runs_at_once_many_times(
    world: World, monkeypatch: pytest.MonkeyPatch, commands: tuple[list[str], list[str]]
) -> None:
    for seed in range(100, 300):
        with emptied(world):
            if DESTROY in commands:
                world.apply()
            codes = together(world, monkeypatch, seed, *commands)
            assert set(codes) <= {0, 1}
            check(world)


def test_the_loser_of_a_key_race_uses_the_winners_key(world: World) -> None:
    def other_run() -> None:
        tags = {"shnotify:name": "security-alerts", "shnotify:resource": "TopicKey", "managed-by": "shnotify"}
        listed = [{"TagKey": k, "TagValue": v} for k, v in tags.items()]
        key = world.client("kms").create_key(Tags=listed)["KeyMetadata"]["KeyId"]
        world.client("kms").create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=key)

    def rule(_n: int, found: str) -> Fault | None:
        return None

    in_the_middle(world, "kms:CreateAlias", other_run)
    ran = world.apply()
    world.faults.rule = rule
    assert ran.code in (0, 1), ran.err
    assert live_keys(world) == ["DlqKey", "TopicKey"]
    check(world)
    winner = key_id(world, "topic")
    topic = world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert topic["KmsMasterKeyId"].endswith(winner)


@pytest.mark.parametrize(
    ("operation", "make"),
    [
        ("sns:CreateTopic", lambda w: w.client("sns").create_topic(Name="security-alerts-urgent")),
        ("sqs:CreateQueue", lambda w: w.client("sqs").create_queue(QueueName="security-alerts-dlq")),
    ],
)
def test_a_foreign_thing_that_appears_meanwhile_is_not_touched(
    world: World, operation: str, make: Callable[[World], object]
) -> None:
    in_the_middle(world, operation, lambda: make(world))
    ran = world.apply()
    world.faults.rule = lambda _n, _o: None
    assert ran.code == 1
    assert "appeared since we looked" in ran.json["error"]["message"]
    kind = "topics" if "sns" in operation else "queues"
    assert account(world)[kind][0]["tags"] == {}


def test_a_statement_added_by_somebody_at_the_same_moment_is_not_lost(world: World) -> None:
    """SNS has no compare-and-set: who writes a policy between our read and our write must find it there afterwards."""
    world.apply()
    sns = world.client("sns")

    def write(*statements: dict[str, Any]) -> None:
        policy = json.dumps({"Version": "2008-10-17", "Statement": list(statements)})
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy)

    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sns:Publish"}
    write({**theirs, "Sid": "Before", "Resource": TOPIC})
    in_the_middle(world, "sns:GetTopicAttributes", lambda: write({**theirs, "Resource": TOPIC}), nth=2)
    ran = world.apply()
    world.faults.rule = lambda _n, _o: None
    assert ran.code == 0, ran.err
    policy = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    assert {s["Sid"] for s in policy["Statement"]} == {"Theirs", "AWS Events"}


def test_the_gateway_of_one_run_is_not_the_others() -> None:
    assert Aws(region="eu-west-1", allowed=None).existing is not Aws(region="eu-west-1", allowed=None).existing
