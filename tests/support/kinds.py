"""One thing of each kind, wanted and live, and AWS's replies about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shnotify.engine.resource import Live
from shnotify.engine.values import Pattern, Policy, Tags
from shnotify.resources.key import Key
from shnotify.resources.queue import Queue
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic
from shnotify.tags import MANAGED_TAG, NAME_TAG, RESOURCE_TAG
from tests.support.scripted import Answer, scripted

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


K1, K2 = ARN.format("kms", "key/k1"), ARN.format("kms", "key/k2")


TOPIC_ARN, QUEUE_ARN, RULE_ARN = ARN.format("sns", "t"), ARN.format("sqs", "q"), ARN.format("events", "rule/r")


NOT_OURS = "it does not carry our tag"


def tags(resource_id: str, name: str = "mine") -> dict[str, str]:
    return {NAME_TAG: name, RESOURCE_TAG: resource_id, MANAGED_TAG: "shnotify"}


def listed(found: dict[str, str], prefix: str = "") -> list[dict[str, str]]:
    return [{f"{prefix}Key": key, f"{prefix}Value": value} for key, value in found.items()]


KEY = Key(
    id="TopicKey",
    alias_name="alias/a",
    pending_window_in_days=9,
    enable_key_rotation=True,
    description="d",
    key_policy=Policy({}),
    guards=(QUEUE_ARN,),
    tags=Tags.of({**tags("TopicKey"), "Owner": "me"}),
)


KIND = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "MultiRegion": False}


def meta(key: str = "k1", state: str = "Enabled", day: int = 1, **more: Any) -> dict[str, Any]:
    made = datetime(2026, 1, day, tzinfo=UTC)
    return {
        "KeyId": key,
        "Arn": ARN.format("kms", f"key/{key}"),
        "KeyState": state,
        "CreationDate": made,
        **KIND,
        **more,
    }


def alias(name: str, key: str = "k1") -> dict[str, str]:
    return {"AliasName": f"alias/{name}", "TargetKeyId": key}


def kms(found: Any = None, **more: Answer) -> Any:
    """A key that `alias/a` names, tagged as ours; `more` replaces answers."""
    answers: dict[str, Answer] = {
        "kms:DescribeKey": {"KeyMetadata": meta() if found is None else found},
        "kms:ListAliases": {"Aliases": [alias("a"), alias("theirs", "k2"), {"AliasName": "alias/aws/sns"}]},
        "kms:ListGrants": {"Grants": []},
        "kms:ListResourceTags": {"Tags": listed(tags("TopicKey"), "Tag")},
        "tag:GetResources": {"ResourceTagMappingList": []},
    }
    return scripted({**answers, **{name.replace("_", ":"): answer for name, answer in more.items()}})


def key_live(found: dict[str, Any] | None = None, owner: str | None = None, **state: Any) -> Live[Key]:
    found = found or meta()
    whole = {"key_id": found["KeyId"], "alias_name": "alias/a", "tags": Tags.of(tags("TopicKey")), **state}
    outputs = {name: found[name] for name in ("Arn", "KeyId", "KeyState")}
    return Live(replace(KEY, **whole), outputs, owner)


def tagged(arn: str, resource_id: str, name: str = "mine") -> dict[str, Any]:
    return {"ResourceARN": arn, "Tags": listed(tags(resource_id, name))}


QUEUE = Queue(
    id="Dlq",
    queue_name="q",
    queue_arn=QUEUE_ARN,
    visibility_timeout=1,
    message_retention_period=2,
    delay_seconds=3,
    maximum_message_size=4,
    receive_message_wait_time_seconds=5,
    kms_master_key_id="",
    kms_data_key_reuse_period_seconds=None,
    policy_document=Policy({}),
    tags=Tags.of({**tags("Dlq"), "Owner": "me"}),
)


WAITING, IN_FLIGHT, DELAYED = (f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed"))


NONE = {WAITING: "0", IN_FLIGHT: "0", DELAYED: "0"}


def sqs(attributes: Any, found: dict[str, str] | None = None) -> Any:
    return scripted(
        {
            "sqs:GetQueueAttributes": attributes if isinstance(attributes, str) else {"Attributes": attributes},
            "sqs:ListQueueTags": {"Tags": tags("Dlq") if found is None else found},
        }
    )


def queue_live(owner: str | None = None, found: dict[str, str] | None = None, **counts: Any) -> Live[Queue]:
    state = replace(QUEUE, tags=Tags.of(tags("Dlq") if found is None else found))
    return Live(state, {"Arn": QUEUE_ARN, **NONE, **counts}, owner)


TOPIC = Topic(
    id="UrgentTopic",
    topic_name="t",
    topic_arn=TOPIC_ARN,
    display_name="",
    kms_master_key_id="",
    policy_document=Policy({}),
    tags=Tags.of({**tags("UrgentTopic"), "Owner": "me"}),
)


def subscribed(arn: str = TOPIC_ARN + ":1", protocol: str = "sqs", endpoint: str = "e") -> dict[str, str]:
    return {"SubscriptionArn": arn, "Protocol": protocol, "Endpoint": endpoint}


def sns(found: Any, *subscriptions: dict[str, str]) -> Any:
    return scripted(
        {
            "sns:ListTagsForResource": found if isinstance(found, str) else {"Tags": listed(found)},
            "sns:ListSubscriptionsByTopic": "NotFound" if found == "NotFound" else {"Subscriptions": subscriptions},
        }
    )


RULE = Rule(
    id="UrgentRule",
    rule_name="r",
    rule_arn=RULE_ARN,
    event_pattern=Pattern({}),
    description="",
    state="ENABLED",
    targets={"Arn": TOPIC_ARN, "Input": "wanted"},
    tags=Tags.of({**tags("UrgentRule"), "Owner": "me"}),
)


def events(found: Any, *targets: Any) -> Any:
    return scripted(
        {
            "events:ListTagsForResource": found if isinstance(found, str) else {"Tags": listed(found)},
            "events:ListTargetsByRule": {"Targets": list(targets)},
        }
    )
