"""Two runs at the same time, interleaved call by call, and hand edits in the middle of one.

Rows 37 and 71-74 of docs/fault-rows.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest

from shnotify.aws.gateway import Aws
from tests.conftest import World
from tests.support.canonical import account, live_keys
from tests.support.crashes import FOLDED, WATCHDOG, emptied
from tests.support.faults import Fault, Killed, kill_after, kill_before, on
from tests.support.interleaving import APPLY, DESTROY, check, in_the_middle, together
from tests.support.lifecycle import TOPIC, key_id


@pytest.mark.parametrize("commands", [(APPLY, APPLY), (APPLY, DESTROY)], ids=["apply+apply", "apply+destroy"])
def test_two_runs_at_once(world: World, monkeypatch: pytest.MonkeyPatch, commands: tuple[list[str], list[str]]) -> None:
    for seed in range(4):
        with emptied(world):
            if DESTROY in commands:
                world.apply()
            codes = together(world, monkeypatch, seed, *commands)
            assert set(codes) <= {0, 1}
            if commands == (APPLY, APPLY):
                assert 0 in codes
                assert live_keys(world) == ["DlqKey", "TopicKey"], seed
            check(world)


@pytest.mark.parametrize("seeds", [(7,), pytest.param(range(100, 120), marks=[pytest.mark.full])], ids=["one", "many"])
@pytest.mark.timeout(900)
def test_two_runs_at_once_with_all_kinds(world: World, monkeypatch: pytest.MonkeyPatch, seeds: Iterable[int]) -> None:
    for seed in seeds:
        for commands in ((APPLY, APPLY), (APPLY, DESTROY)):
            with emptied(world):
                world.write(FOLDED + WATCHDOG)
                if DESTROY in commands:
                    world.apply()
                assert set(together(world, monkeypatch, seed, *commands)) <= {0, 1}
                check(world)
                assert len(account(world)["mappings"]) == 1


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


def other_key(world: World, **tags: str) -> str:
    """Somebody else makes a key and gives it our alias."""
    listed = [{"TagKey": name.replace("_", ":"), "TagValue": value} for name, value in tags.items()]
    key = str(world.client("kms").create_key(Tags=listed)["KeyMetadata"]["KeyId"])
    world.client("kms").create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=key)
    return key


def other_run(world: World) -> str:
    return other_key(world, shnotify_name="security-alerts", shnotify_resource="TopicKey")


def topic_key(world: World) -> str:
    attributes = world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    return str(attributes["KmsMasterKeyId"]).rpartition("/")[2]


def test_the_loser_of_a_key_race_uses_the_winners_key(world: World) -> None:
    in_the_middle(world, "kms:CreateAlias", lambda: other_run(world))
    ran = world.apply()
    world.faults.rule = lambda _n, _o: None
    assert ran.code in (0, 1), ran.err  # the winner's key is not yet as our file wants it
    assert topic_key(world) == key_id(world, "topic")
    writes = world.faults.writes
    assert "sns:SetTopicAttributes" not in writes[writes.index("kms:ScheduleKeyDeletion") :]
    assert live_keys(world) == ["DlqKey", "TopicKey"]
    check(world)


@pytest.mark.parametrize("kill", [kill_before, kill_after], ids=["before", "after"])
def test_a_crash_anywhere_after_a_lost_race_leaves_a_topic_with_a_key_that_works(world: World, kill: Fault) -> None:
    writes = ("kms:EnableKeyRotation", "sns:CreateTopic", "sqs:CreateQueue", "events:PutRule")
    for operation in (*writes, "sns:SetTopicAttributes", "kms:ScheduleKeyDeletion", "sns:Subscribe"):
        with emptied(world):
            in_the_middle(world, "kms:CreateAlias", lambda: other_run(world))
            meddle, crash = world.faults.rule, on(operation)(kill)
            world.faults.rule = lambda n, o, m=meddle, c=crash: c(n, o) or m(n, o)  # type: ignore[misc]
            with suppress(Killed):  # the topic may come after the race, and then needs no correction
                world.apply()
            world.faults.rule = lambda _n, _o: None
            if world.client("sns").list_topics()["Topics"]:
                used = world.client("kms").describe_key(KeyId=topic_key(world))["KeyMetadata"]
                assert used["Enabled"], operation
            check(world)


def test_a_key_that_lost_its_alias_to_a_stranger_stays_for_what_is_encrypted_with_it(world: World) -> None:
    in_the_middle(world, "kms:CreateAlias", lambda: other_key(world))
    ran = world.apply()
    world.faults.rule = lambda _n, _o: None
    assert ran.code == 1
    assert "appeared since we looked" in ran.json["error"]["message"]
    assert world.client("kms").describe_key(KeyId=topic_key(world))["KeyMetadata"]["Enabled"]
    assert "kms:ScheduleKeyDeletion" not in world.faults.operations
    assert "events:PutTargets" not in world.faults.operations


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
