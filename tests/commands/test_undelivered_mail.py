"""`dead_letter_queue.undelivered_mail`: mail that SNS gives up goes to the queue, from the file to `status`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, World
from tests.support import faults
from tests.support.faults import Fault
from tests.support.lifecycle import ACCOUNT, QUEUE, TOPIC, key_id

QUEUE_ARN = f"arn:aws:sqs:{faults.REGION}:{ACCOUNT}:security-alerts-dlq"
OFF = f"{SMALLEST}dead_letter_queue: {{undelivered_mail: false}}\n"
SUBSCRIPTION = "UrgentSubscription567df1a1"
NO_POLICY = faults.refuse("InvalidParameter", 400, "Invalid parameter: Attributes Reason: RedrivePolicy")


@pytest.fixture
def ready(world: World) -> World:
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    return world


def redrive_policy(world: World, **put: str) -> Any:
    """What the subscription's RedrivePolicy is, after it was set by hand if asked for."""
    sns = world.client("sns")
    (found,) = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    if put:
        sns.set_subscription_attributes(SubscriptionArn=found["SubscriptionArn"], AttributeName="RedrivePolicy", **put)
    attributes = sns.get_subscription_attributes(SubscriptionArn=found["SubscriptionArn"])["Attributes"]
    return json.loads(attributes.get("RedrivePolicy") or "{}")


def queue_sids(world: World) -> list[str]:
    have = world.client("sqs").get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["Policy"])["Attributes"]
    return [statement["Sid"] for statement in json.loads(have["Policy"])["Statement"]]


def key_sids(world: World, which: str) -> list[str]:
    text = world.client("kms").get_key_policy(KeyId=key_id(world, which), PolicyName="default")["Policy"]
    return [statement["Sid"] for statement in json.loads(text)["Statement"]]


def notes(world: World) -> list[str]:
    return list(world.run("status").json["delivery"][0]["notes"])


def test_apply_lets_sns_in_for_exactly_the_files_topics(ready: World) -> None:
    assert redrive_policy(ready) == {"deadLetterTargetArn": QUEUE_ARN}
    have = ready.client("sqs").get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["Policy"])["Attributes"]
    assert json.loads(have["Policy"])["Statement"][1] == {
        "Sid": "AllowSnsUndelivered",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE_ARN,
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }
    assert "Allow SNS to use the key" in key_sids(ready, "dlq")
    assert "Allow SNS to use the key" not in key_sids(ready, "topic")
    again = ready.run("status")
    assert (again.code, again.json["delivery"][0]["notes"]) == (0, [])


def test_one_that_somebody_took_off_is_drift_and_mended(ready: World) -> None:
    redrive_policy(ready, AttributeValue="{}")
    ran = ready.run("status")
    assert (ran.code, ran.drift()) == (3, {SUBSCRIPTION: ["RedrivePolicy"]})
    assert "secops@example.com that SNS gives up is lost" in ran.json["delivery"][0]["notes"][0]
    assert ready.apply().code == 0
    assert redrive_policy(ready) == {"deadLetterTargetArn": QUEUE_ARN}
    assert ready.run("status").code == 0


def test_one_that_names_somebody_elses_queue_is_left_alone(ready: World) -> None:
    theirs = {"deadLetterTargetArn": QUEUE_ARN.replace("security-alerts", "their")}
    redrive_policy(ready, AttributeValue=json.dumps(theirs))
    ran = ready.run("status")
    assert (ran.code, ran.drift()) == (0, {})
    assert "which is not ours" in ran.json["delivery"][0]["notes"][0]
    assert ready.apply().actions() == {}
    assert redrive_policy(ready) == theirs


def test_switched_off_everything_of_it_goes(ready: World) -> None:
    ready.write(OFF)
    assert ready.apply().code == 0
    assert (queue_sids(ready), redrive_policy(ready)) == (["AllowEventBridgeDlq"], {})
    assert "Allow SNS to use the key" not in key_sids(ready, "dlq")
    assert ready.run("status").code == 0
    ready.write(SMALLEST)
    assert ready.apply().code == 0
    assert redrive_policy(ready) == {"deadLetterTargetArn": QUEUE_ARN}


def test_where_aws_refuses_it_apply_does_not_fail_and_status_says_so(world: World) -> None:
    def rule(n: int, operation: str) -> Fault | None:
        given = "Attributes" in world.faults.calls[n - 1][1]
        return NO_POLICY if operation == "sns:Subscribe" and given else None

    world.faults.rule = rule
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert "AWS keeps no undelivered mail for email" in ran.err
    confirm_subscription("secops@example.com")
    shown = world.run("status")
    assert (shown.code, shown.json["in_sync"]) == (0, True)
    assert "is lost: AWS keeps none for email" in shown.json["delivery"][0]["notes"][0]
    assert world.apply().actions() == {}


def test_a_key_of_somebody_else_that_keeps_sns_out_is_said_and_not_changed(world: World) -> None:
    kms = world.client("kms")
    events = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
    }
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [root, events]})
    arn = kms.create_key(Policy=text)["KeyMetadata"]["Arn"]
    world.write(f'{SMALLEST}encryption: {{dlq_key: {{arn: "{arn}"}}}}\n')
    planned = world.run("plan")
    assert "does not let sns.amazonaws.com call kms:Decrypt" in planned.err
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    ran = world.run("status")
    assert (ran.code, ran.json["delivery"][0]["verdict"]) == (0, "ok")
    assert "does not let sns.amazonaws.com call kms:Decrypt" in ran.json["delivery"][0]["notes"][0]
    assert json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]) == json.loads(text)


def test_destroy_takes_it_away_with_the_subscription(ready: World) -> None:
    assert ready.run("destroy", "--yes").code == 0
    assert ready.client("sns").list_subscriptions()["Subscriptions"] == []
