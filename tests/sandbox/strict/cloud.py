"""What the tests of the strict layer share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "ap-northeast-1"
ROOT = "arn:aws:iam::123456789012:root"
SECRET_TEXT = b"text"


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


@dataclass
class Cloud:
    """One strict AWS, with a clock that the test moves."""

    moment: float = 1_000_000.0
    kms: KMSClient = field(default_factory=lambda: client("kms"))
    sns: SNSClient = field(default_factory=lambda: client("sns"))
    sqs: SQSClient = field(default_factory=lambda: client("sqs"))
    events: EventBridgeClient = field(default_factory=lambda: client("events"))
    tagging: ResourceGroupsTaggingAPIClient = field(default_factory=lambda: client("resourcegroupstaggingapi"))

    def key(self) -> str:
        return self.kms.create_key()["KeyMetadata"]["Arn"]

    def dying_key(self) -> str:
        key = self.key()
        self.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        return key

    def disabled_key(self) -> str:
        key = self.key()
        self.kms.disable_key(KeyId=key)
        return key

    def topic(self, **attributes: str) -> str:
        return self.sns.create_topic(Name="t", Attributes=attributes)["TopicArn"]

    def queue(self, **attributes: str) -> str:
        return self.sqs.create_queue(QueueName="q", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]

    def attributes(self, url: str) -> dict[str, str]:
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {str(name): value for name, value in found.items()}

    def rule(self, **more: Any) -> str:
        return self.events.put_rule(Name="r", EventPattern='{"source": ["x"]}', **more)["RuleArn"]


def refused(method: Callable[..., Any], **params: Any) -> tuple[str, str]:
    """(the Code, the message) that AWS refuses with; the class of boto3 must be that of the service's model."""
    with pytest.raises(ClientError) as caught:
        method(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def statement(**change: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"} | change


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def subscribe(cloud: Cloud, topic: str, endpoint: str = "a@example.com", protocol: str = "email") -> str:
    return cloud.sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]


ACCOUNT = "123456789012"
DEFAULT_PRODUCT = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"


def finding(identity: str = "f", **change: Any) -> dict[str, Any]:
    """A finding as a product of one's own sends it (asff-required-attributes)."""
    return {
        "SchemaVersion": "2018-10-08",
        "Id": identity,
        "ProductArn": DEFAULT_PRODUCT,
        "GeneratorId": "g",
        "AwsAccountId": ACCOUNT,
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-01T00:00:00Z",
        "Title": "t",
        "Description": "d",
        "Severity": {"Label": "HIGH"},
        "Resources": [{"Type": "Other", "Id": "r"}],
        **change,
    }
