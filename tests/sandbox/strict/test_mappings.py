"""Lambda's event source mappings: every row of the strict layer, asked through boto3."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.sandbox.strict.cloud import REGION, Cloud, client, refused

NOBODY = "00000000-0000-0000-0000-000000000000"
QUEUE = f"arn:aws:sqs:{REGION}:123456789012:q"
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
TAKE = {
    "Effect": "Allow",
    "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "Resource": QUEUE,
}
CODE = """
def handle(event, context):
    bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
"""


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def lambda_(cloud: Cloud) -> Any:
    """A function with a time-out of 3 s, whose role may take from the queue `q`."""
    cloud.queue()
    iam = client("iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(TAKE))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("taker.py", CODE)
    found = client("lambda")
    code = {"ZipFile": buffer.getvalue()}
    found.create_function(FunctionName="f", Role=role, Runtime="python3.13", Handler="taker.handle", Code=code)
    return found


def mapped(lambda_: Any, **more: Any) -> str:
    return str(lambda_.create_event_source_mapping(EventSourceArn=QUEUE, FunctionName="f", **more)["UUID"])


def waiting(cloud: Cloud) -> str:
    return cloud.attributes(cloud.queue())["ApproximateNumberOfMessages"]


def test_a_mapping_is_looked_at(lambda_: Any, cloud: Cloud) -> None:
    make = lambda_.create_event_source_mapping
    asked = {"EventSourceArn": QUEUE, "FunctionName": "f"}
    cloud.sqs.set_queue_attributes(QueueUrl=cloud.queue(), Attributes={"VisibilityTimeout": "2"})
    assert "visibility timeout" in refused(make, **asked)[1]
    cloud.sqs.set_queue_attributes(QueueUrl=cloud.queue(), Attributes={"VisibilityTimeout": "30"})
    client("iam").delete_role_policy(RoleName="r", PolicyName="p")
    assert "does not have permissions" in refused(make, **asked)[1]
    client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(TAKE))
    make(**asked)
    assert refused(make, **asked)[0] == "ResourceConflictException"


def test_a_message_is_taken_to_the_function(lambda_: Any, cloud: Cloud) -> None:
    mapped(lambda_)
    for body in ("good", "bad"):
        cloud.sqs.send_message(QueueUrl=cloud.queue(), MessageBody=body)
    have = cloud.attributes(cloud.queue())
    assert have["ApproximateNumberOfMessages"] == "0"
    assert have["ApproximateNumberOfMessagesNotVisible"] == "1"  # the bad one comes again


def test_an_enabled_mapping_goes_on(lambda_: Any, cloud: Cloud) -> None:
    identity = mapped(lambda_, Enabled=False)
    cloud.sqs.send_message(QueueUrl=cloud.queue(), MessageBody="good")
    assert waiting(cloud) == "1"
    lambda_.update_event_source_mapping(UUID=identity, Enabled=True)
    assert waiting(cloud) == "0"
    assert refused(lambda_.update_event_source_mapping, UUID=NOBODY, Enabled=True)[0] == "ResourceNotFoundException"


def test_a_mapping_that_is_not_there_is_not_deleted(lambda_: Any) -> None:
    lambda_.delete_event_source_mapping(UUID=mapped(lambda_))
    assert lambda_.list_event_source_mappings()["EventSourceMappings"] == []
    assert refused(lambda_.delete_event_source_mapping, UUID=NOBODY)[0] == "ResourceNotFoundException"


def test_mappings_are_found_by_their_tags(lambda_: Any, cloud: Cloud) -> None:
    identity = mapped(lambda_, Tags={"a": "b"})
    found = cloud.tagging.get_resources(ResourceTypeFilters=["lambda:event-source-mapping"])
    (one,) = found["ResourceTagMappingList"]
    assert one["ResourceARN"].endswith(f":event-source-mapping:{identity}")
    assert one["Tags"] == [{"Key": "a", "Value": "b"}]
