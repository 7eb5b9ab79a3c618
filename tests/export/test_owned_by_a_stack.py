"""What a stack made from our template is compared by `status` and touched by nobody but the stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import World
from tests.support.faults import REGION
from tests.support.lifecycle import ACCOUNT, QUEUE, RULE, TOPIC, key_id
from tests.support.lifecycle import topic as topic_attribute

STACK = {"managed-by": "cloudformation", "shnotify:stack": "alerts"}
INBOX = f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"
PAIRS = [{"Key": key, "Value": value} for key, value in STACK.items()]


def hand_over(world: World) -> None:
    """Gives everything the tags that the template gives."""
    for which in ("topic", "dlq"):
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in PAIRS]
        world.client("kms").tag_resource(KeyId=key_id(world, which), Tags=tags)
    world.client("sns").tag_resource(ResourceArn=TOPIC, Tags=PAIRS)
    world.client("sqs").tag_queue(QueueUrl=QUEUE, Tags=STACK)
    for name in (RULE, f"{RULE}-plain"):
        rule = world.client("events").describe_rule(Name=name)["Arn"]
        world.client("events").tag_resource(ResourceARN=rule, Tags=PAIRS)


@pytest.fixture
def stacked(world: World) -> World:
    assert world.apply().code == 0
    hand_over(world)
    return world


def test_status_compares_it_and_names_the_stack(stacked: World) -> None:
    ran = stacked.run("status")
    assert ran.json["in_sync"] is True
    assert ran.states() == {}
    notes = [note for r in ran.json["resources"] for note in r.get("notes", ())]
    assert notes.count("it belongs to the CloudFormation stack 'alerts'") == 6


def test_apply_and_destroy_leave_it_alone(stacked: World) -> None:
    assert stacked.apply().json["summary"] == summary(unchanged=7)
    assert stacked.faults.writes == []
    stacked.run("destroy", "--yes")
    assert stacked.faults.writes == []


def summary(**counts: int) -> dict[str, Any]:
    return {"create": 0, "update": 0, "delete": 0, "unchanged": 0, "refused": 0} | counts


def test_its_drift_is_shown_and_left_to_the_stack(stacked: World) -> None:
    topic_attribute("DisplayName", "by hand")(stacked)
    assert stacked.run("status").drift() == {"UrgentTopic": ["DisplayName"]}
    ran = stacked.apply("--adopt")
    assert ran.code == 1
    assert "update the stack with what `shnotify export cloudformation` prints" in ran.json["error"]["message"]
    assert stacked.faults.writes == []


def test_a_subscriber_whom_the_stack_lacks_is_the_stacks_to_add(stacked: World) -> None:
    text = stacked.path.read_text(encoding="utf-8")
    stacked.write(text.replace("[secops@example.com]", "[secops@example.com, new@example.com]"))
    assert sorted(stacked.run("plan").actions().values()) == ["refuse"]
    assert stacked.apply().code == 1
    assert stacked.faults.writes == []


def test_a_subscriber_of_the_stack_alone_stays(stacked: World) -> None:
    stacked.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=INBOX)
    text = stacked.path.read_text(encoding="utf-8")
    stacked.write(text + "    unlisted_subscribers: remove\n")
    assert stacked.run("plan").actions() == {}


def test_the_stack_of_another_notifier_is_somebody_elses(stacked: World) -> None:
    stacked.client("sns").tag_resource(ResourceArn=TOPIC, Tags=[{"Key": "shnotify:name", "Value": "other"}])
    ran = stacked.run("status")
    assert ran.states() == {"UrgentTopic": "unmanaged"}
