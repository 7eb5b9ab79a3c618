"""Security Hub's own controls, as rules over what stands in the account (sns-controls, sqs-controls, kms-controls)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import SMALLEST, World

Found = Iterator[str]


def _topics(world: World) -> Iterator[tuple[str, dict[str, str], list[Any]]]:
    sns = world.client("sns")
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        yield arn, attributes, sns.list_tags_for_resource(ResourceArn=arn)["Tags"]


def _queues(world: World) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    sqs = world.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        yield url, attributes, sqs.list_queue_tags(QueueUrl=url).get("Tags", {})


def _keys(world: World) -> Iterator[str]:
    kms = world.client("kms")
    for key in kms.list_keys()["Keys"]:
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyManager"] == "CUSTOMER":
            yield key["KeyId"]


FIXED = ("sourceaccount", "sourceowner", "sourcearn", "principalorgid", "principalaccount", "sourceorgid")


def _public(policy: str) -> bool:
    """Whether a statement lets everybody in: a wildcard principal, and no condition with a fixed value."""
    for statement in json.loads(policy or "{}").get("Statement", []):
        principal = statement.get("Principal")
        anybody = principal == "*" or (isinstance(principal, dict) and "*" in str(principal.get("AWS", "")))
        conditions = [key for block in statement.get("Condition", {}).values() for key in block]
        fixed = any(key.lower().partition(":")[2] in FIXED for key in conditions)
        if statement["Effect"] == "Allow" and anybody and not fixed:
            return True
    return False


def sns_1(world: World) -> Found:
    """Topics should be encrypted at rest using AWS KMS."""
    yield from (arn for arn, attributes, _ in _topics(world) if not attributes.get("KmsMasterKeyId"))


def sns_3(world: World) -> Found:
    """Topics should be tagged (system tags, `aws:`, do not count)."""
    yield from (arn for arn, _, tags in _topics(world) if not any(not t["Key"].startswith("aws:") for t in tags))


def sns_4(world: World) -> Found:
    """Topic access policies should not allow public access."""
    yield from (arn for arn, attributes, _ in _topics(world) if _public(attributes["Policy"]))


def sqs_1(world: World) -> Found:
    """Queues should be encrypted at rest: with an SSE-KMS key, or SSE-SQS."""
    for url, attributes, _ in _queues(world):
        if not attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") != "true":
            yield url


def sqs_2(world: World) -> Found:
    """Queues should be tagged."""
    yield from (url for url, _, tags in _queues(world) if not any(not key.startswith("aws:") for key in tags))


def sqs_3(world: World) -> Found:
    """Queue access policies should not allow public access."""
    yield from (url for url, attributes, _ in _queues(world) if _public(attributes.get("Policy", "")))


def kms_4(world: World) -> Found:
    """Key rotation should be enabled."""
    kms = world.client("kms")
    yield from (key for key in _keys(world) if not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])


def kms_5(world: World) -> Found:
    """Keys should not be publicly accessible."""
    kms = world.client("kms")
    yield from (k for k in _keys(world) if _public(kms.get_key_policy(KeyId=k, PolicyName="default")["Policy"]))


CONTROLS: dict[str, Callable[[World], Found]] = {
    "SNS.1": sns_1,
    "SNS.3": sns_3,
    "SNS.4": sns_4,
    "SQS.1": sqs_1,
    "SQS.2": sqs_2,
    "SQS.3": sqs_3,
    "KMS.4": kms_4,
    "KMS.5": kms_5,
}


@pytest.mark.parametrize("message", ["", "    message: {format: lambda}\n"], ids=["summary", "lambda"])
def test_what_we_create_passes(world: World, message: str) -> None:
    world.write(SMALLEST + message)
    assert world.apply().code == 0
    assert {name: list(control(world)) for name, control in CONTROLS.items()} == {name: [] for name in CONTROLS}
    assert [len([*things(world)]) for things in (_topics, _queues, _keys)] == [1, 1, 2]


def _by_hand(world: World) -> None:
    """A set-up as in an article that leaves half of it out, with policies open to everybody."""
    everybody = {"Effect": "Allow", "Principal": "*", "Resource": "*"}

    def policy(action: str) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{**everybody, "Action": action}]})

    arn = world.client("sns").create_topic(Name="t")["TopicArn"]
    world.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy("sns:Publish").replace('"*"}', f'"{arn}"}}')
    )
    attributes = {"Policy": policy("sqs:SendMessage"), "SqsManagedSseEnabled": "false"}
    world.client("sqs").create_queue(QueueName="q", Attributes=attributes)
    world.client("kms").create_key(Policy=policy("kms:*"))


@pytest.mark.parametrize("name", CONTROLS)
def test_each_rule_fails_on_what_breaks_it(world: World, name: str) -> None:
    _by_hand(world)
    assert len([*CONTROLS[name](world)]) == 1
