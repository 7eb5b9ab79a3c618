"""Ownership and name collisions: rows 30-42 that no other file holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import World
from tests.support import faults
from tests.support.interleaving import in_the_middle
from tests.support.lifecycle import RULE, key_id
from tests.support.rows import always, calm, state_of_key


@pytest.mark.parametrize("tag", ["stack-name", "stack-id", "logical-id"])
def test_row_36_a_key_of_cloudformation_is_refused_even_with_adopt(world: World, tag: str) -> None:
    kms = world.client("kms")
    kms.create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])

    def theirs(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "Tags": [{"TagKey": f"aws:cloudformation:{tag}", "TagValue": "stack"}]}

    world.faults.rule = always("kms:ListResourceTags", theirs)
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert ran.actions()["TopicKey"] == "refuse"
    assert "CloudFormation stack 'stack'" in ran.json["error"]["message"]


def test_row_36_a_rule_that_an_aws_service_manages_is_refused_even_with_adopt(world: World) -> None:
    world.apply()

    def managed(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "ManagedBy": "config.amazonaws.com", "Description": "x"}

    world.faults.rule = always("events:DescribeRule", managed)
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert "config.amazonaws.com manages this rule" in ran.json["error"]["message"]


def test_row_37_a_foreign_rule_that_appears_meanwhile_is_not_overwritten(world: World) -> None:
    events = world.client("events")

    def somebody() -> None:
        events.put_rule(Name=RULE, EventPattern='{"source":["aws.s3"]}', Description="theirs")
        world.faults.time.sleep(10)  # a look of some seconds ago is not repeated

    in_the_middle(world, "kms:CreateKey", somebody)
    ran = world.apply()
    world.faults.rule = calm
    assert ran.code == 1
    assert "appeared since we looked" in ran.json["error"]["message"]
    put = {params["Name"] for operation, params in world.faults.calls if operation == "events:PutRule"}
    assert events.describe_rule(Name=RULE)["Description"] == "theirs"
    assert RULE not in put


def test_row_37_a_key_in_use_is_not_given_up_when_somebody_takes_its_alias(world: World) -> None:
    world.apply()
    kms, ours = world.client("kms"), key_id(world, "topic")
    kms.delete_alias(AliasName="alias/security-alerts-topic")

    def somebody() -> None:
        kms.create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])

    in_the_middle(world, "kms:CreateAlias", somebody)
    ran = world.apply()
    world.faults.rule = calm
    assert ran.code == 1
    assert "was given to another key meanwhile" in ran.json["error"]["message"]
    assert state_of_key(world, ours) == "Enabled"  # the topic is still encrypted with it
    assert "kms:ScheduleKeyDeletion" not in world.faults.writes


def test_row_42_a_renamed_notifier_names_the_set_that_stays(world: World) -> None:
    world.apply()
    world.write(world.path.read_text().replace("name: security-alerts", "name: renamed"))
    for command in ("plan", "apply"):
        ran = world.run(command, *(["--yes"] if command == "apply" else []))
        assert ran.code == 0
        assert "nothing of renamed is here yet, but of security-alerts" in ran.err
    assert "former name" not in world.run("plan").err
    world.faults.rule = always("tag:GetResources", faults.refuse("AccessDeniedException"))
    assert world.run("plan").code == 0
