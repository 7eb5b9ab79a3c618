"""The things of the smallest notifier by their names in AWS, and what somebody does to them by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import World
from tests.support.faults import REGION

ACCOUNT = "123456789012"


TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"


RULE = "security-alerts-urgent"


QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/security-alerts-dlq"


def key_id(world: World, which: str) -> str:
    return str(world.client("kms").describe_key(KeyId=f"alias/security-alerts-{which}")["KeyMetadata"]["KeyId"])


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ROOT = {
    "Sid": "Enable IAM User Permissions",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def queue(name: str, value: str) -> Callable[[World], object]:
    return lambda w: w.client("sqs").set_queue_attributes(QueueUrl=QUEUE, Attributes={name: value})


def topic(name: str, value: str) -> Callable[[World], object]:
    return lambda w: w.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)


def rule(**changed: str) -> Callable[[World], object]:
    def edit(world: World) -> None:
        have = world.client("events").describe_rule(Name=RULE)
        kept = {name: have[name] for name in ("Name", "EventPattern", "State", "Description")}
        world.client("events").put_rule(**{**kept, **changed})

    return edit


def target(**changed: Any) -> Callable[[World], object]:
    def edit(world: World) -> None:
        have = world.client("events").list_targets_by_rule(Rule=RULE)["Targets"][0]
        target = {name: value for name, value in {**have, **changed}.items() if value is not None}
        world.client("events").put_targets(Rule=RULE, Targets=[target])

    return edit


def rule_arn(world: World) -> str:
    return str(world.client("events").describe_rule(Name=RULE)["Arn"])


HAND_EDITS: dict[str, tuple[Callable[[World], object], str, list[str]]] = {
    "key description": (
        lambda w: w.client("kms").update_key_description(KeyId=key_id(w, "topic"), Description="x"),
        "TopicKey",
        ["Description"],
    ),
    "key rotation": (
        lambda w: w.client("kms").disable_key_rotation(KeyId=key_id(w, "dlq")),
        "DlqKey",
        ["EnableKeyRotation"],
    ),
    "key disabled": (lambda w: w.client("kms").disable_key(KeyId=key_id(w, "topic")), "TopicKey", ["Enabled"]),
    "key scheduled for deletion": (
        lambda w: w.client("kms").schedule_key_deletion(KeyId=key_id(w, "topic")),
        "TopicKey",
        ["Enabled"],
    ),
    "key policy": (
        lambda w: w.client("kms").put_key_policy(KeyId=key_id(w, "topic"), PolicyName="default", Policy=policy(ROOT)),
        "TopicKey",
        ["KeyPolicy"],
    ),
    "key tag": (
        lambda w: w.client("kms").untag_resource(KeyId=key_id(w, "dlq"), TagKeys=["managed-by"]),
        "DlqKey",
        ["Tags"],
    ),
    "key alias": (
        lambda w: w.client("kms").delete_alias(AliasName="alias/security-alerts-topic"),
        "TopicKey",
        ["AliasName"],
    ),
    "topic display name": (topic("DisplayName", "hey"), "UrgentTopic", ["DisplayName"]),
    "topic key": (topic("KmsMasterKeyId", "alias/aws/sns"), "UrgentTopic", ["KmsMasterKeyId"]),
    "topic encryption": (topic("KmsMasterKeyId", ""), "UrgentTopic", ["KmsMasterKeyId"]),
    "topic policy": (topic("Policy", policy()), "UrgentTopic", ["PolicyDocument"]),
    "topic tag": (
        lambda w: w.client("sns").tag_resource(ResourceArn=TOPIC, Tags=[{"Key": "managed-by", "Value": "me"}]),
        "UrgentTopic",
        ["Tags"],
    ),
    "queue visibility": (queue("VisibilityTimeout", "31"), "Dlq", ["VisibilityTimeout"]),
    "queue retention": (queue("MessageRetentionPeriod", "60"), "Dlq", ["MessageRetentionPeriod"]),
    "queue delay": (queue("DelaySeconds", "5"), "Dlq", ["DelaySeconds"]),
    "queue size": (queue("MaximumMessageSize", "1024"), "Dlq", ["MaximumMessageSize"]),
    "queue wait": (queue("ReceiveMessageWaitTimeSeconds", "7"), "Dlq", ["ReceiveMessageWaitTimeSeconds"]),
    "queue key reuse": (queue("KmsDataKeyReusePeriodSeconds", "600"), "Dlq", ["KmsDataKeyReusePeriodSeconds"]),
    "queue key": (queue("KmsMasterKeyId", "alias/aws/sqs"), "Dlq", ["KmsMasterKeyId"]),
    "queue policy": (queue("Policy", policy()), "Dlq", ["PolicyDocument"]),
    "queue tag": (
        lambda w: w.client("sqs").untag_queue(QueueUrl=QUEUE, TagKeys=["shnotify:resource"]),
        "Dlq",
        ["Tags"],
    ),
    "rule pattern": (rule(EventPattern='{"source":["aws.s3"]}'), "UrgentRule", ["EventPattern"]),
    "rule description": (rule(Description="zzz"), "UrgentRule", ["Description"]),
    "rule state": (lambda w: w.client("events").disable_rule(Name=RULE), "UrgentRule", ["State"]),
    "rule tag": (
        lambda w: w.client("events").untag_resource(ResourceARN=rule_arn(w), TagKeys=["managed-by"]),
        "UrgentRule",
        ["Tags"],
    ),
    "no target": (
        lambda w: w.client("events").remove_targets(Rule=RULE, Ids=["shnotify"]),
        "UrgentRule",
        ["Targets"],
    ),
    "target queue": (target(DeadLetterConfig=None), "UrgentRule", ["Targets.DeadLetterConfig"]),
    "target retry": (
        target(RetryPolicy={"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}),
        "UrgentRule",
        ["Targets.RetryPolicy"],
    ),
    "target message": (target(InputTransformer=None), "UrgentRule", ["Targets.InputTransformer"]),
    "target role": (target(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x"), "UrgentRule", ["Targets.RoleArn"]),
    "target topic": (target(Arn=TOPIC + "x"), "UrgentRule", ["Targets.Arn"]),
}
