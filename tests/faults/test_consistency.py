"""Eventual consistency: rows 23-29."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import World
from tests.support import faults
from tests.support.faults import REGION
from tests.support.lifecycle import key_id
from tests.support.rows import always


def test_row_24_what_is_never_shown_is_told_and_is_no_drift(world: World) -> None:
    world.apply()
    world.write(world.path.read_text() + "    topic: {display_name: Alerts}\n")

    def old(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        return {**reply, "Attributes": {**reply["Attributes"], "DisplayName": ""}}

    world.faults.rule = always("sns:GetTopicAttributes", old)
    began = world.faults.time.seconds
    ran = world.apply()
    assert ran.code == 1
    assert ran.json["error"]["message"] == "written, but AWS does not show it yet: UrgentTopic"
    assert {a["id"]: a["result"] for a in ran.json["actions"]}["UrgentTopic"] == "done"
    assert 90 <= world.faults.time.seconds - began <= 120


def test_row_25_what_the_tag_search_omits_or_still_shows_proves_nothing(world: World) -> None:
    def nothing(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "ResourceTagMappingList": []}

    gone = [
        {"ResourceARN": f"arn:aws:sns:{REGION}:123456789012:gone", "Tags": []},
        {"ResourceARN": f"arn:aws:sqs:{REGION}:123456789012:gone", "Tags": []},
        {"ResourceARN": f"arn:aws:events:{REGION}:123456789012:rule/gone", "Tags": []},
        {"ResourceARN": f"arn:aws:kms:{REGION}:123456789012:key/00000000-0000-0000-0000-000000000000", "Tags": []},
    ]

    def ghosts(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        return {**reply, "ResourceTagMappingList": [*reply["ResourceTagMappingList"], *gone]}

    world.apply()
    for lie in (nothing, ghosts):
        world.faults.rule = always("tag:GetResources", lie)
        assert world.run("status").states() == {}
        assert (world.apply().code, world.faults.writes) == (0, [])


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("sns:TagResource", "ConcurrentAccess"),
        ("sns:TagResource", "StaleTag"),
        ("events:PutRule", "ConcurrentModificationException"),
    ],
)
def test_row_27_somebody_who_writes_at_the_same_moment_is_waited_for(world: World, operation: str, code: str) -> None:
    world.apply()
    world.write(world.path.read_text() + "    rule: {description: new}\ntags: {Owner: me}\n")
    world.faults.rule = faults.on(operation, 3)(faults.refuse(code))
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert world.faults.writes.count(operation) == (5 if operation.startswith("events:Put") else 4)  # of two rules


def test_row_28_a_principal_that_is_not_visible_yet_is_waited_for_and_no_longer_than_two_minutes(world: World) -> None:
    world.apply()
    kms = world.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key_id(world, "topic"), PolicyName="default")["Policy"])
    kms.put_key_policy(
        KeyId=key_id(world, "topic"),
        PolicyName="default",
        Policy=json.dumps(policy | {"Statement": policy["Statement"][:1]}),
    )
    unseen = faults.refuse("MalformedPolicyDocumentException", message="The principal is not valid")
    world.faults.rule = always("kms:PutKeyPolicy", unseen)
    began = world.faults.time.seconds
    ran = world.apply()
    assert (ran.code, ran.json["error"]["operation"]) == (1, "kms:PutKeyPolicy")
    assert 110 <= world.faults.time.seconds - began <= 140
    world.faults.rule = faults.on("kms:PutKeyPolicy", 3)(unseen)
    assert world.apply().code == 0
