"""What `apply` reads of each kind: all of it, and whose it is, against an AWS that answers from a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.engine.resource import Live, Resource
from shnotify.engine.values import Pattern, Tags
from tests.support.guards import CHAT, OURS, PERSON, RETRY, by_name, statements, unnamed
from tests.support.kinds import (
    K1,
    K2,
    KEY,
    NONE,
    NOT_OURS,
    QUEUE,
    QUEUE_ARN,
    RULE,
    RULE_ARN,
    TOPIC,
    TOPIC_ARN,
    WAITING,
    alias,
    events,
    key_live,
    kms,
    listed,
    meta,
    sqs,
    subscribed,
    tags,
)
from tests.support.scripted import Answer, scripted

OWNERS = [
    ("mine", None),
    ("other", "it belongs to another notifier, 'other'"),
    (None, NOT_OURS),
]


def owned(resource_id: str, name: str | None) -> dict[str, str]:
    return tags(resource_id, name) if name else {"Owner": "them"}


@pytest.mark.parametrize(("name", "owner"), OWNERS)
@pytest.mark.parametrize("known", [False, True])
def test_a_topic_is_read_with_its_owner(name: str | None, owner: str | None, known: bool) -> None:
    found = owned("UrgentTopic", name)
    attributes = {"DisplayName": "n", "KmsMasterKeyId": K1, "Policy": statements("X").to_text()}
    aws = scripted(
        {"sns:GetTopicAttributes": {"Attributes": attributes}, "sns:ListTagsForResource": {"Tags": listed(found)}}
    )
    aws.existing.update({TOPIC_ARN: TOPIC_ARN} if known else {})
    state = replace(TOPIC, display_name="n", kms_master_key_id=K1, policy_document=statements("X"), tags=Tags.of(found))
    assert TOPIC.read(aws) == Live(state, {"Arn": TOPIC_ARN}, owner)
    assert by_name(aws) == [
        ("sns:GetTopicAttributes", {"TopicArn": TOPIC_ARN}),
        ("sns:ListTagsForResource", {"ResourceArn": TOPIC_ARN}),
    ]
    assert aws.existing == {TOPIC_ARN: TOPIC_ARN}


def test_a_topic_tells_how_many_subscriptions_were_deleted() -> None:
    attributes = {"SubscriptionsDeleted": "2"}
    aws = scripted({"sns:GetTopicAttributes": {"Attributes": attributes}, "sns:ListTagsForResource": {"Tags": []}})
    live = TOPIC.read(aws)
    assert live is not None
    assert live.facts == attributes


def test_a_topic_without_anything_reads_as_empty_and_one_that_is_gone_as_gone() -> None:
    aws = scripted({"sns:GetTopicAttributes": {"Attributes": {}}, "sns:ListTagsForResource": {"Tags": []}})
    assert TOPIC.read(aws) == Live(replace(TOPIC, tags=Tags()), {"Arn": TOPIC_ARN}, NOT_OURS)
    aws = scripted({"sns:GetTopicAttributes": "NotFound"})
    assert (TOPIC.read(aws), aws.existing) == (None, {})


@pytest.mark.parametrize(("name", "owner"), OWNERS)
@pytest.mark.parametrize("known", [False, True])
def test_a_queue_is_read_with_its_owner(name: str | None, owner: str | None, known: bool) -> None:
    found = owned("Dlq", name)
    attributes = {
        "VisibilityTimeout": "11",
        "MessageRetentionPeriod": "12",
        "DelaySeconds": "13",
        "MaximumMessageSize": "14",
        "ReceiveMessageWaitTimeSeconds": "15",
        "KmsDataKeyReusePeriodSeconds": "16",
        "KmsMasterKeyId": K1,
        "RedrivePolicy": '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:x","maxReceiveCount":"5"}',
        "Policy": statements("X").to_text(),
    }
    aws = sqs(attributes, found)
    aws.existing.update({QUEUE_ARN: QUEUE_ARN} if known else {})
    state = replace(
        QUEUE,
        visibility_timeout=11,
        message_retention_period=12,
        delay_seconds=13,
        maximum_message_size=14,
        receive_message_wait_time_seconds=15,
        kms_data_key_reuse_period_seconds=16,
        kms_master_key_id=K1,
        redrive_policy={"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:1:x", "maxReceiveCount": 5},
        policy_document=statements("X"),
        tags=Tags.of(found),
    )
    assert QUEUE.read(aws) == Live(state, {"Arn": QUEUE_ARN, **NONE}, owner)
    assert sorted(aws.operations) == ["sqs:GetQueueAttributes", "sqs:ListQueueTags"]
    assert aws.existing == {QUEUE_ARN: QUEUE_ARN}


def test_a_queue_without_anything_reads_as_empty_and_one_that_is_gone_as_gone() -> None:
    zero = {
        "visibility_timeout": 0,
        "message_retention_period": 0,
        "delay_seconds": 0,
        "maximum_message_size": 0,
        "receive_message_wait_time_seconds": 0,
    }
    state = replace(QUEUE, **zero, sqs_managed_sse_enabled=True, tags=Tags())  # type: ignore[arg-type]
    open_queue = QUEUE.read(sqs({"SqsManagedSseEnabled": "false"}, {}))
    assert open_queue == Live(replace(state, sqs_managed_sse_enabled=False), {"Arn": QUEUE_ARN, **NONE}, NOT_OURS)
    assert QUEUE.read(sqs({"Policy": ""}, {})) == Live(state, {"Arn": QUEUE_ARN, **NONE}, NOT_OURS)
    aws = sqs({}, {})
    aws.answers["sqs:ListQueueTags"] = {}
    assert QUEUE.read(aws) == Live(state, {"Arn": QUEUE_ARN, **NONE}, NOT_OURS)
    aws = sqs("QueueDoesNotExist")
    assert (QUEUE.read(aws), aws.existing) == (None, {})


@pytest.mark.parametrize(
    ("retention", "notes"),
    [
        ("2", ("it holds messages that could not be delivered: 1 waiting",)),
        (
            "3",
            (
                "it holds messages that could not be delivered: 1 waiting",
                "a shorter MessageRetentionPeriod drops the older ones of them (API_SetQueueAttributes)",
            ),
        ),
    ],
)
def test_a_queue_that_holds_messages_says_what_a_shorter_retention_drops(retention: str, notes: Any) -> None:
    live = QUEUE.read(sqs({"MessageRetentionPeriod": retention, WAITING: "1"}))
    assert live is not None
    assert live.notes == notes


@pytest.mark.parametrize(("name", "owner"), OWNERS)
@pytest.mark.parametrize("known", [False, True])
def test_a_rule_is_read_with_its_owner(name: str | None, owner: str | None, known: bool) -> None:
    found = owned("UrgentRule", name)
    aws = events(found, OURS, CHAT)
    shown = {"EventPattern": '{"a":["b"]}', "Description": "d", "State": "DISABLED"}
    aws.answers["events:DescribeRule"] = shown
    aws.existing.update({RULE_ARN: RULE_ARN} if known else {})
    state = replace(
        RULE,
        event_pattern=Pattern({"a": ["b"]}),
        description="d",
        state="DISABLED",
        targets={"Arn": "arn:x", "RetryPolicy": RETRY},
        tags=Tags.of(found),
    )
    live = Live(
        state,
        {"Arn": RULE_ARN, "TargetId": "shnotify"},
        owner,
        notes=("it also feeds arn:chat, which is left alone",),
    )
    assert RULE.read(aws) == live
    aws.answers["events:DescribeRule"] = {**shown, "ManagedBy": "aws.service"}
    aws.forget()
    assert RULE.read(aws) == replace(live, blocked="aws.service manages this rule")
    assert by_name(aws)[::2] == [
        ("events:DescribeRule", {"Name": "r"}),
        ("events:ListTagsForResource", {"ResourceARN": RULE_ARN}),
        ("events:ListTargetsByRule", {"Rule": "r"}),
    ]
    assert aws.existing == {RULE_ARN: RULE_ARN}


def test_a_rule_without_anything_reads_as_empty_and_one_that_is_gone_as_gone() -> None:
    aws = events({})
    empty = replace(RULE, state="", targets={}, tags=Tags())
    for shown in ({}, {"EventPattern": ""}):
        aws.answers["events:DescribeRule"] = shown
        assert RULE.read(aws) == Live(empty, {"Arn": RULE_ARN, "TargetId": ""}, NOT_OURS)
    aws = scripted({"events:DescribeRule": "ResourceNotFoundException"})
    assert (RULE.read(aws), aws.existing) == (None, {})


def whole_key(found: dict[str, Any], owner: dict[str, str], **more: Answer) -> Any:
    return kms(
        found,
        kms_GetKeyPolicy={"Policy": statements("X").to_text()},
        kms_GetKeyRotationStatus={"KeyRotationEnabled": False},
        kms_ListResourceTags={"Tags": listed(owner, "Tag")},
        **more,
    )


@pytest.mark.parametrize(("name", "owner"), OWNERS)
@pytest.mark.parametrize("hint", [None, K1, K2])
def test_a_key_is_read_with_its_owner(name: str | None, owner: str | None, hint: str | None) -> None:
    found = owned("TopicKey", name)
    aws = whole_key(meta(Description="text"), found)
    aws.existing.update({"alias/a": hint} if hint else {})
    state: dict[str, Any] = {
        "description": "text",
        "enable_key_rotation": False,
        "key_policy": statements("X"),
        "tags": Tags.of(found),
    }
    assert KEY.read(aws) == key_live(owner=owner, **state)
    details = ["kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
    asked = {K2: [{"KeyId": K2}, {"KeyId": "k1"}], K1: [{"KeyId": K1}], None: [{"KeyId": "k1"}]}[hint]
    for operation in details:
        policy = {"PolicyName": "default"} if operation == "kms:GetKeyPolicy" else {}
        sent = [params for one, params in aws.sent if one == operation]
        assert sent == [{**params, **policy} for params in asked]
    assert aws.existing == {"alias/a": K1}


def test_a_key_that_is_on_its_way_out_is_taken_back_only_by_its_owner() -> None:
    dying = meta(state="PendingDeletion")
    state: dict[str, Any] = {"description": "", "enabled": False, "key_policy": statements("X")}
    assert KEY.read(whole_key(dying, tags("TopicKey"))) == key_live(dying, **state)
    foreign = tags("TopicKey", "other")
    live = key_live(dying, "it belongs to another notifier, 'other'", **state, tags=Tags.of(foreign))
    blocked = "its owner has scheduled it for deletion, and only the owner takes it back"
    assert KEY.read(whole_key(dying, foreign)) == replace(live, blocked=blocked)
    healthy = KEY.read(whole_key(meta(), foreign))
    assert healthy is not None
    assert healthy.blocked is None
    assert KEY.read(unnamed(dying)) is None
    assert KEY.read(unnamed()) is None


def test_a_subscriber_is_read_when_its_topic_is_there() -> None:
    lists = {"Subscriptions": [subscribed("arn:1", "email", "a@example.com")]}
    aws = scripted({"sns:ListSubscriptionsByTopic": lists, "sns:GetTopicAttributes": {"Attributes": {}}})
    live = Live(PERSON, {"Arn": "arn:1", "State": "confirmed"})
    assert PERSON.read(aws) == live
    asked = ("sns:GetTopicAttributes", {"TopicArn": TOPIC_ARN})
    assert aws.sent == [asked, ("sns:ListSubscriptionsByTopic", {"TopicArn": TOPIC_ARN})]
    aws = scripted({"sns:GetTopicAttributes": "NotFound"})
    assert PERSON.read(aws) is None
    assert aws.sent == [asked]
    aws = scripted({"sns:ListSubscriptionsByTopic": lists})
    aws.existing[TOPIC_ARN] = TOPIC_ARN
    assert PERSON.read(aws) == live


GONE: list[tuple[Resource, str, str]] = [
    (TOPIC, "sns:GetTopicAttributes", "sns:ListTagsForResource"),
    (QUEUE, "sqs:GetQueueAttributes", "sqs:ListQueueTags"),
    (RULE, "events:DescribeRule", "events:ListTagsForResource"),
]


@pytest.mark.parametrize(("thing", "look", "more"), GONE, ids=["topic", "queue", "rule"])
def test_only_what_was_seen_before_is_asked_for_its_tags_in_the_same_round(
    thing: Resource, look: str, more: str
) -> None:
    for known in (False, True):
        aws = scripted({look: "NotFound", more: "NotFound", "events:ListTargetsByRule": "ResourceNotFoundException"})
        aws.existing.update({str(thing.arn): str(thing.arn)} if known else {})
        assert thing.read(aws) is None
        aws._pool.shutdown(wait=True)
        assert (more in aws.operations) is known


def test_a_key_that_has_another_alias_and_one_that_a_topic_names_by_alias() -> None:
    aws = unnamed(
        meta(),
        kms_ListAliases={"Aliases": [alias("old")]},
        kms_GetKeyPolicy={"Policy": statements("X").to_text()},
        kms_GetKeyRotationStatus={"KeyRotationEnabled": True},
    )
    state: dict[str, Any] = {"alias_name": "alias/old", "description": "", "key_policy": statements("X")}
    assert KEY.read(aws) == key_live(**state)
    aws = scripted(
        {
            "sns:GetTopicAttributes": {"Attributes": {"KmsMasterKeyId": "alias/a"}},
            "sns:ListTagsForResource": {"Tags": []},
            "kms:DescribeKey": {"KeyMetadata": meta()},
        }
    )
    live = TOPIC.read(aws)
    assert live is not None
    assert live.state.kms_master_key_id == K1
    aws = sqs({"KmsMasterKeyId": "alias/a"})
    aws.answers["kms:DescribeKey"] = {"KeyMetadata": meta()}
    queue = QUEUE.read(aws)
    assert queue is not None
    assert queue.state.kms_master_key_id == K1
