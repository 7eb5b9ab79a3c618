"""Destroy and the queue, and two operators: rows 57-74."""

from __future__ import annotations

import pytest

from tests.conftest import World
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.interleaving import in_the_middle
from tests.support.lifecycle import QUEUE, key_id
from tests.support.rows import calm, state_of_key, surplus_key


@pytest.mark.parametrize("kind", ["in flight", "delayed"])
def test_row_57_messages_that_cannot_be_received_just_now_count_too(world: World, kind: str) -> None:
    world.apply()
    sqs = world.client("sqs")
    sqs.send_message(QueueUrl=QUEUE, MessageBody="an alert", DelaySeconds=900 if kind == "delayed" else 0)
    if kind == "in flight":
        assert sqs.receive_message(QueueUrl=QUEUE)["Messages"]
    ran = world.run("destroy", "--yes")
    assert (ran.code, world.faults.writes) == (1, [])
    assert f"1 {kind}" in ran.json["error"]["message"]


@pytest.mark.parametrize("kind", ["waiting", "in flight", "delayed"])
def test_row_58_a_message_that_arrives_while_destroy_runs_keeps_queue_and_key(world: World, kind: str) -> None:
    world.apply()
    sqs, key = world.client("sqs"), key_id(world, "dlq")

    def arrives() -> None:
        sqs.send_message(QueueUrl=QUEUE, MessageBody="an alert", DelaySeconds=900 if kind == "delayed" else 0)
        if kind == "in flight":
            sqs.receive_message(QueueUrl=QUEUE)
        world.faults.time.sleep(10)  # a look of some seconds ago is not repeated

    in_the_middle(world, "events:RemoveTargets", arrives)
    ran = world.run("destroy", "--yes")
    world.faults.rule = calm
    assert ran.code == 1
    assert "holds messages, so it stays, and its key with it" in ran.json["error"]["message"]
    assert state_of_key(world, key) == "Enabled"
    assert sqs.get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"]


def test_row_59_a_key_goes_in_thirty_days_and_its_alias_with_it(world: World) -> None:
    world.apply()
    user = {key_id(world, "topic"): "sns:DeleteTopic", key_id(world, "dlq"): "sqs:DeleteQueue"}
    assert world.run("destroy", "--yes").code == 0
    calls, order = world.faults.calls, world.faults.operations
    scheduled = [(i, params) for i, (name, params) in enumerate(calls) if name == "kms:ScheduleKeyDeletion"]
    for at, params in scheduled:
        assert params["PendingWindowInDays"] == 30
        assert order.index(user.pop(params["KeyId"].rpartition("/")[2])) < at
    assert user == {}
    assert order.count("kms:DeleteAlias") == 2


def test_row_60_a_key_that_a_grant_lets_others_use_is_not_scheduled(world: World) -> None:
    world.apply()
    kms, key = world.client("kms"), key_id(world, "topic")
    who = "arn:aws:iam::123456789012:role/backup"
    kms.create_grant(KeyId=key, GranteePrincipal=who, Operations=["Decrypt"])
    ran = world.run("destroy", "--yes")
    assert ran.code == 1
    assert f"a grant for {who}" in ran.json["error"]["message"]
    assert state_of_key(world, key) == "Enabled"


def test_row_60_a_left_over_key_that_others_use_is_shown_and_stays(world: World) -> None:
    world.apply()
    kms, key = world.client("kms"), key_id(world, "topic")
    kms.create_alias(AliasName="alias/theirs", TargetKeyId=key)
    world.write(world.path.read_text() + "encryption: false\n")
    assert world.apply().code == 0
    assert state_of_key(world, key) == "Enabled"
    status = world.run("status")
    assert status.states() == {"TopicKey": "leftover"}
    assert "alias/theirs" in status.json["resources"][-1]["reason"]


def test_row_61_destroy_says_which_finding_scheduled_keys_raise(world: World) -> None:
    world.apply()
    ran = world.text("destroy")  # nobody can be asked, so nothing is done
    assert (ran.code, world.faults.writes) == (2, [])
    assert "KMS.3" in ran.out
    assert "CRITICAL" in ran.out


def test_row_63_a_pending_subscription_is_left_to_aws(world: World) -> None:
    world.apply()
    ran = world.run("destroy", "--yes")
    assert ran.code == 0
    assert "sns:Unsubscribe" not in world.faults.writes
    assert "secops@example.com is still pending: AWS drops it by itself" in ran.err


def test_row_71_the_loser_of_a_race_whose_reply_is_lost_gives_its_key_up_once(world: World) -> None:
    in_the_middle(
        world,
        "kms:CreateAlias",
        lambda: world.client("kms").create_alias(
            AliasName="alias/security-alerts-topic", TargetKeyId=surplus_key(world)
        ),
    )
    race = world.faults.rule
    lose = faults.on("kms:ScheduleKeyDeletion")(faults.lose_reply)
    world.faults.rule = lambda n, operation: race(n, operation) or lose(n, operation)
    ran = world.apply()
    world.faults.rule = calm
    assert ran.code in (0, 1), ran.err
    assert "pending deletion" not in ran.out
    assert world.apply().code == 0
    assert live_keys(world) == ["DlqKey", "TopicKey"]
