"""Where CloudFormation and its StackSets take more than moto does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.strict.cloud import client

ACCOUNT = "111111111111"
KEY = {
    "Type": "AWS::KMS::Key",
    "Properties": {"KeyPolicy": {"Statement": []}, "Tags": [{"Key": "Owner", "Value": "security-team"}]},
}


@pytest.fixture
def stacks(cloud: object) -> Any:
    found = client("cloudformation")
    body = json.dumps({"Resources": {"Key": KEY}})
    found.create_stack_set(StackSetName="alerts", TemplateBody=body)
    return found


def create(stacks: Any, operation: str) -> Any:
    return stacks.create_stack_instances(
        StackSetName="alerts", Accounts=[ACCOUNT], Regions=["eu-west-1"], OperationId=operation
    )


def test_an_operation_has_its_callers_id(stacks: Any) -> None:
    assert create(stacks, "first")["OperationId"] == "first"
    found = stacks.describe_stack_set_operation(StackSetName="alerts", OperationId="first")
    assert found["StackSetOperation"]["Status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="OperationIdAlreadyExistsException"):
        create(stacks, "first")


def test_a_stack_of_a_set_is_on_paper(stacks: Any) -> None:
    create(stacks, "first")
    (found,) = stacks.list_stack_instances(StackSetName="alerts")["Summaries"]
    assert (found["Account"], found["Region"]) == (ACCOUNT, "eu-west-1")


def test_a_stack_on_paper_goes_without_a_trace(stacks: Any) -> None:
    create(stacks, "first")
    stacks.delete_stack_instances(
        StackSetName="alerts", Accounts=[ACCOUNT], Regions=["eu-west-1"], RetainStacks=False, OperationId="second"
    )
    assert stacks.list_stack_instances(StackSetName="alerts")["Summaries"] == []


def test_a_stacks_key_has_its_tags(cloud: object) -> None:
    client("cloudformation").create_stack(StackName="one", TemplateBody=json.dumps({"Resources": {"Key": KEY}}))
    (key,) = client("kms").list_keys()["Keys"]
    tags = client("kms").list_resource_tags(KeyId=key["KeyId"])["Tags"]
    assert {"TagKey": "Owner", "TagValue": "security-team"} in tags
