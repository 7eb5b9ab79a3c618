"""Keys and policies: rows 43-56."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from shnotify.schema.scalars import MAX_ROUTES
from tests.conftest import SMALLEST, World
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.faults import REGION
from tests.support.lifecycle import QUEUE, TOPIC, key_id
from tests.support.rows import always, calm, state_of_key


def without_events(world: World, **condition: Any) -> None:
    """The topic's key, edited by hand: EventBridge's statement is gone, or has this condition."""
    kms = world.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key_id(world, "topic"), PolicyName="default")["Policy"])
    root, ours = policy["Statement"]
    policy["Statement"] = [root, ours | {"Condition": condition}] if condition else [root]
    kms.put_key_policy(KeyId=key_id(world, "topic"), PolicyName="default", Policy=json.dumps(policy))


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ({}, "does not let events.amazonaws.com call kms:Decrypt"),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, "aws:SourceAccount, a key that this call never has"),
    ],
    ids=["row 45 gone", "row 46 conditioned"],
)
def test_row_45_46_a_key_that_eventbridge_cannot_use_stops_delivery(
    world: World, condition: dict[str, Any], says: str
) -> None:
    world.apply()
    without_events(world, **condition)
    status = world.run("status")
    assert (status.code, status.json["delivery"][0]["ok"]) == (3, False)
    assert any(says in problem for problem in status.json["delivery"][0]["problems"])
    assert world.apply().actions() == {"TopicKey": "update"}
    assert not any("TopicKey" in problem for problem in world.run("status").json["delivery"][0]["problems"])


@pytest.mark.parametrize("denied", [False, True])
def test_row_45_a_topic_that_eventbridge_may_not_use_stops_delivery(world: World, denied: bool) -> None:
    world.apply()
    sns = world.client("sns")
    policy = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": TOPIC}
    policy["Statement"] = [*policy["Statement"], theirs] if denied else policy["Statement"][:1]
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(policy))
    status = world.run("status")
    assert (status.code, status.json["delivery"][0]["ok"]) == (4 if denied else 3, False)
    says = '"Theirs" denies it' if denied else "does not allow it: StringEquals AWS:SourceOwner"
    told = [problem for problem in status.json["delivery"][0]["problems"] if says in problem]
    assert "does not let events.amazonaws.com call sns:Publish" in told[0]


def test_row_47_no_condition_of_ours_holds_a_wildcard_or_a_variable(world: World) -> None:
    world.apply()
    documents = [p["Policy"] for _, p in world.faults.calls if "Policy" in p]
    documents += [p["Attributes"]["Policy"] for _, p in world.faults.calls if "Policy" in p.get("Attributes", {})]
    conditions = [s["Condition"] for text in documents for s in json.loads(text)["Statement"] if "Condition" in s]
    assert len(documents) == 4
    assert len(conditions) == 3
    assert not [c for c in conditions if "*" in json.dumps(c) or "${" in json.dumps(c)]


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_row_48_49_a_key_of_ours_that_is_switched_off_is_told_and_taken_back(world: World, state: str) -> None:
    world.apply()
    kms, ours = world.client("kms"), key_id(world, "topic")
    kms.disable_key(KeyId=ours) if state == "Disabled" else kms.schedule_key_deletion(KeyId=ours)
    status = world.run("status")
    assert status.code == 3
    problem = f"TopicKey cannot be used: KMS says it is {state}"
    assert any(told.startswith(problem) for told in status.json["delivery"][0]["problems"])
    world.faults.rule = faults.on("kms:CancelKeyDeletion")(faults.lose_reply)
    assert world.apply().code == 0
    assert (key_id(world, "topic"), state_of_key(world, ours)) == (ours, "Enabled")
    assert kms.get_key_rotation_status(KeyId=ours)["KeyRotationEnabled"] is True


def test_row_49_somebody_elses_key_on_its_way_out_is_not_taken_back_even_with_adopt(world: World) -> None:
    kms = world.client("kms")
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=theirs)
    kms.schedule_key_deletion(KeyId=theirs)
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert "only the owner takes it back" in ran.json["error"]["message"]


@pytest.mark.parametrize("state", ["PendingImport", "Unavailable", "PendingReplicaDeletion", "Creating", "Updating"])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("destroy", "--yes")])
def test_row_50_a_key_in_a_state_that_only_aws_can_change_is_refused(
    world: World, command: tuple[str, ...], state: str
) -> None:
    world.apply()

    def other(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        return {**reply, "KeyMetadata": {**reply["KeyMetadata"], "KeyState": state}}

    world.faults.rule = always("kms:DescribeKey", other)
    ran = world.run(*command)
    assert (ran.code, world.faults.writes) == (1, [])
    assert f"KMS says that the key is {state}" in ran.out


def test_row_50_one_key_behind_both_aliases_is_refused(world: World) -> None:
    world.apply()
    kms, ours = world.client("kms"), key_id(world, "topic")
    kms.update_alias(AliasName="alias/security-alerts-topic", TargetKeyId=key_id(world, "dlq"))
    ran = world.apply()
    assert (ran.code, world.faults.writes) == (1, [])
    assert "TopicKey and DlqKey both name arn:" in ran.json["error"]["message"]
    assert world.run("destroy", "--yes").code == 1
    assert (state_of_key(world, ours), state_of_key(world, key_id(world, "dlq"))) != ("Enabled", "PendingDeletion")


@pytest.mark.parametrize("form", ["alias", "alias ARN", "id"])
def test_row_55_a_key_named_in_another_way_is_the_same_key(world: World, form: str) -> None:
    world.apply()
    key, alias = key_id(world, "topic"), "alias/security-alerts-topic"
    text = {"alias": alias, "alias ARN": f"arn:aws:kms:{REGION}:123456789012:{alias}", "id": key}[form]
    world.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=text)
    assert world.run("status").states() == {}
    assert (world.apply().code, world.faults.writes) == (0, [])


def test_row_55_a_key_that_could_not_be_looked_up_is_unknown_and_no_drift(world: World) -> None:
    world.apply()
    alias = "alias/security-alerts-dlq"
    world.client("sqs").set_queue_attributes(QueueUrl=QUEUE, Attributes={"KmsMasterKeyId": f"{alias}"})
    asked: list[str] = []

    def second_time(call: Callable[[], Any], operation: str) -> Any:
        asked.append(operation)
        reply: Any = call() if len(asked) <= 2 else faults.refuse("InternalFailure", 500)(call, operation)
        return reply

    world.faults.rule = always("kms:DescribeKey", second_time)
    status = world.run("status")
    assert status.code == 1
    assert status.states() == {"Dlq": "unknown"}


def test_row_51_rotation_that_cannot_be_switched_on_is_an_error_and_a_rerun_goes_on(world: World) -> None:
    world.faults.rule = always("kms:EnableKeyRotation", faults.refuse("UnsupportedOperationException"))
    ran = world.apply()
    assert (ran.code, ran.json["error"]["operation"]) == (1, "kms:EnableKeyRotation")
    world.faults.rule = calm
    assert set(world.run("status").drift()["TopicKey"]) == {"EnableKeyRotation"}
    assert world.apply().code == 0
    assert live_keys(world) == ["DlqKey", "TopicKey"]


def test_row_52_a_queue_switched_to_another_key_comes_back_and_that_key_stays_as_it_is(world: World) -> None:
    world.apply()
    theirs = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    world.client("sqs").set_queue_attributes(QueueUrl=QUEUE, Attributes={"KmsMasterKeyId": theirs})
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert, encrypted with that key")
    assert world.run("status").drift() == {"Dlq": ["KmsMasterKeyId"]}
    assert world.apply().code == 0
    assert not [w for w in world.faults.writes if w.startswith("kms:")]
    assert state_of_key(world, theirs) == "Enabled"


@pytest.mark.parametrize(("length", "code"), [(20, 0), (64, 2)])
def test_row_54_a_queue_policy_that_sqs_would_not_take_is_refused_before_any_write(
    world: World, length: int, code: int
) -> None:
    routes = [f"  - {{name: r{n}, rule: {{name: {'n' * (length - 3)}{n:03}}}}}\n" for n in range(MAX_ROUTES)]
    world.write(SMALLEST.partition("  - name")[0] + "".join(routes))
    ran = world.run("plan")
    assert (ran.code, world.faults.writes) == (code, [])
    if code:
        assert re.search(r"would have \d{5} bytes, and SQS takes 8192", ran.json["error"]["message"])
        assert set(world.faults.operations) == {"sts:GetCallerIdentity", "kms:DescribeKey"}  # asked at the same time
