"""Crashes and partial work: rows 1-12 of docs/fault-rows.md that no other file holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.conftest import World
from tests.support.lifecycle import RULE, TOPIC, key_id
from tests.support.rows import always, state_of_key, surplus_key


def test_row_8_of_two_keys_without_alias_the_oldest_is_used_and_no_third_is_made(world: World) -> None:
    first = surplus_key(world)
    time.sleep(0.01)  # moto's keys carry the real time of their creation
    second = surplus_key(world)
    assert world.apply().code == 0
    assert world.faults.writes.count("kms:CreateKey") == 1  # the queue's
    assert key_id(world, "topic") == first
    assert (state_of_key(world, first), state_of_key(world, second)) == ("Enabled", "PendingDeletion")


def test_row_9_a_rule_without_target_cannot_deliver(world: World) -> None:
    world.apply()
    world.client("events").remove_targets(Rule=RULE, Ids=["shnotify"])
    status = world.run("status")
    assert (status.code, status.json["delivery"][0]["ok"]) == (3, False)
    assert any("has no target" in problem for problem in status.json["delivery"][0]["problems"])
    assert world.apply().actions() == {"UrgentRule": "update"}


def test_row_10_a_target_refused_because_of_somebody_else_is_put_again(world: World) -> None:
    left = [2]

    def busy(call: Callable[[], Any], _operation: str) -> Any:
        left[0] -= 1
        if left[0] < 0:
            return call()
        failed = {"TargetId": "shnotify", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "busy"}
        return {"FailedEntryCount": 1, "FailedEntries": [failed]}

    world.faults.rule = always("events:PutTargets", busy)
    assert world.apply().code == 0
    assert world.faults.writes.count("events:PutTargets") == 4


def test_row_12_a_half_made_topic_is_completed_and_never_deleted(world: World) -> None:
    world.apply()
    sns = world.client("sns")
    subscribed = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    for name, value in {"KmsMasterKeyId": "", "DisplayName": "x", "Policy": '{"Statement": []}'}.items():
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)
    sns.untag_resource(ResourceArn=TOPIC, TagKeys=["managed-by", "shnotify:resource"])
    assert world.apply().actions() == {"UrgentTopic": "update"}
    assert not [w for w in world.faults.writes if "Delete" in w or "Unsubscribe" in w]
    assert sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"] == subscribed
