"""Messages as they come into a dead-letter queue, of every shape, and putting them there."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import World
from tests.support.faults import REGION

ACCOUNT = "123456789012"
QUEUE_NAME = "security-alerts-dlq"
RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/security-alerts-urgent"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:security-alerts-urgent-formatter:$LATEST"

Message = tuple[str, dict[str, str]]
"""Body and attributes."""


def event(number: int = 1, **finding: Any) -> dict[str, Any]:
    """An event of Security Hub with one finding."""
    found = {
        "SchemaVersion": "2018-10-08",
        "Id": f"finding-{number}",
        "ProductArn": f"arn:aws:securityhub:{REGION}::product/aws/securityhub",
        "AwsAccountId": "111122223333",
        "Region": REGION,
        "Title": f"S3.{number} Buckets should be private",
        "Severity": {"Label": "HIGH"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::bucket-{number}"}],
        **finding,
    }
    return {
        "version": "0",
        "id": f"event-{number}",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-11-30T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {"findings": [found]},
    }


def from_rule(number: int = 1, code: str = "NO_PERMISSIONS", rule: str = RULE_ARN, **more: str) -> Message:
    told = {
        "RULE_ARN": rule,
        "TARGET_ARN": TOPIC_ARN,
        "ERROR_CODE": code,
        "ERROR_MESSAGE": "not authorized to perform: SNS:Publish",
        **more,
    }
    return json.dumps(event(number)), told


def from_formatter(number: int = 1) -> Message:
    record = {
        "version": "1.0",
        "timestamp": "2026-11-30T00:00:00.000Z",
        "requestContext": {
            "requestId": "r",
            "functionArn": FUNCTION_ARN,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event(number),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "1 of 1 failed", "errorType": "DeliveryError", "stackTrace": []},
    }
    return json.dumps(record), {}


def from_topic(text: str = "a mail") -> Message:
    envelope = {
        "Type": "Notification",
        "MessageId": "m",
        "TopicArn": TOPIC_ARN,
        "Subject": "[HIGH] S3.1",
        "Message": text,
        "Timestamp": "2026-11-30T00:00:00.000Z",
    }
    return json.dumps(envelope), {}


RAW_MAIL: Message = ("a mail without envelope", {"RequestID": "r", "ErrorCode": "550", "ErrorMessage": "no such user"})
BUS_RECORD: Message = (
    json.dumps(
        {
            "version": "1.0",
            "busArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-busv2/orders/X",
            "subscriberArn": f"arn:aws:events:{REGION}:{ACCOUNT}:subscriber/orders/X",
            "targetArn": TOPIC_ARN,
            "errorCode": "ACCESS_DENIED",
            "errorMessage": "The delivery role is not authorized.",
            "exhaustedRetryCondition": "MaximumEventAgeInSeconds",
            "retryAttempts": 4,
            "failedMessages": [{"eventId": "a1"}],
        }
    ),
    {},
)
STRANGER: Message = ("hello", {})


def received(message: Message, number: int = 1) -> dict[str, Any]:
    """A message in the form of ReceiveMessage."""
    body, told = message
    return {
        "MessageId": f"{number:08d}-0000-0000-0000-000000000000",
        "ReceiptHandle": f"receipt-{number}",
        "Body": body,
        "Attributes": {"SentTimestamp": "1796000000000", "ApproximateReceiveCount": "1"},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in told.items()},
    }


def queue_url(world: World) -> str:
    return str(world.client("sqs").get_queue_url(QueueName=QUEUE_NAME)["QueueUrl"])


def put(world: World, *messages: Message) -> list[str]:
    """Puts messages into the queue, and returns their ids."""
    return [
        str(
            world.client("sqs").send_message(
                QueueUrl=queue_url(world),
                MessageBody=body,
                MessageAttributes={n: {"DataType": "String", "StringValue": t} for n, t in told.items()},
            )["MessageId"]
        )
        for body, told in messages
    ]


def visible(world: World) -> list[str]:
    """The ids of the messages that anybody can receive now; they stay receivable."""
    found: list[dict[str, Any]] = []
    while True:
        reply = world.client("sqs").receive_message(
            QueueUrl=queue_url(world), MaxNumberOfMessages=10, VisibilityTimeout=60
        )
        if not reply.get("Messages"):
            break
        found += reply["Messages"]
    for one in found:
        world.client("sqs").change_message_visibility(
            QueueUrl=queue_url(world), ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0
        )
    return sorted(one["MessageId"] for one in found)
