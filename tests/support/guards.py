"""What the tests of guards share."""

from __future__ import annotations

from typing import Any

from shnotify.engine.values import Policy
from shnotify.resources.subscription import Subscription
from tests.support.kinds import (
    TOPIC_ARN,
    kms,
    tagged,
)
from tests.support.scripted import Answer

URL = "https://sqs/123456789012/q"


def statements(*sids: str) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow"} for sid in sids]})


def by_name(aws: Any) -> list[tuple[str, dict[str, Any]]]:
    return sorted(aws.sent, key=lambda call: call[0])


PROBE = {"QueueUrl": URL, "MaxNumberOfMessages": 1, "VisibilityTimeout": 0, "WaitTimeSeconds": 1}


PERSON = Subscription(id="S", topic_arn=TOPIC_ARN, protocol="email", endpoint="A@example.com")


OURS, BY_HAND = {"Id": "shnotify", "Arn": "arn:x"}, {"Id": "hand", "Arn": TOPIC_ARN}


CHAT, MAIL = {"Id": "chat", "Arn": "arn:chat"}, {"Id": "mail", "Arn": "arn:mail"}


def unnamed(*found: dict[str, Any], **more: Answer) -> Any:
    """No key has our alias; the tag search finds these."""
    metas = {one["Arn"]: one for one in found}

    def describe(params: dict[str, Any]) -> Any:
        return {"KeyMetadata": metas[params["KeyId"]]} if params["KeyId"] in metas else "NotFoundException"

    search = {"ResourceTagMappingList": [tagged(arn, "TopicKey") for arn in metas]}
    return kms(**{"kms_DescribeKey": describe, "tag_GetResources": search, **more})


RETRY = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
