"""Where CloudFormation and its StackSets take more than moto does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shnotify.sandbox.stackoperations import PACE
from tests.sandbox.strict.cloud import Cloud, client

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


TWO = "222222222222"


def create(stacks: Any, operation: str, **more: Any) -> Any:
    return stacks.create_stack_instances(
        StackSetName="alerts", Accounts=[ACCOUNT, TWO], Regions=["eu-west-1"], OperationId=operation, **more
    )


def seen(stacks: Any) -> list[tuple[str, str, str]]:
    found = stacks.list_stack_instances(StackSetName="alerts")["Summaries"]
    return [(one["Account"], one["Status"], one["StackInstanceStatus"]["DetailedStatus"]) for one in found]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> Cloud:
    """A cloud in which each account takes ten seconds."""
    monkeypatch.setattr(PACE, "seconds", 10.0)
    return cloud


def test_operations_take_their_time_and_wait_for_each_other(stacks: Any, slow: Cloud) -> None:
    """K.22: without ManagedExecution the second is refused; with it, it waits its turn."""
    assert create(stacks, "first")["OperationId"] == "first"
    assert seen(stacks) == [(ACCOUNT, "OUTDATED", "RUNNING"), (TWO, "OUTDATED", "PENDING")]
    with pytest.raises(ClientError, match="OperationInProgressException"):
        create(stacks, "second")
    slow.moment += 10
    assert seen(stacks) == [(ACCOUNT, "CURRENT", "SUCCEEDED"), (TWO, "OUTDATED", "RUNNING")]
    slow.moment += 10
    with pytest.raises(ClientError, match="OperationIdAlreadyExistsException"):
        create(stacks, "first")
    stacks.delete_stack_instances(
        StackSetName="alerts", Accounts=[ACCOUNT, TWO], Regions=["eu-west-1"], RetainStacks=False
    )
    with pytest.raises(ClientError, match="StackSetNotEmpty"):
        stacks.delete_stack_set(StackSetName="alerts")
    slow.moment += 20
    assert seen(stacks) == []
    stacks.delete_stack_set(StackSetName="alerts")


def test_failures_beyond_the_tolerance_cancel_the_rest(
    stacks: Any, slow: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PACE, "failing", {ACCOUNT: "no role"})
    create(stacks, "first")
    slow.moment += 10
    assert seen(stacks) == [(ACCOUNT, "OUTDATED", "FAILED"), (TWO, "OUTDATED", "CANCELLED")]
    found = stacks.describe_stack_set_operation(StackSetName="alerts", OperationId="first")["StackSetOperation"]
    assert (found["Status"], found["StatusDetails"]) == ("FAILED", {"FailedStackInstancesCount": 1})
    monkeypatch.setattr(PACE, "failing", {})
    stacks.update_stack_set(StackSetName="alerts", UsePreviousTemplate=True)
    slow.moment += 20
    assert {status for _, status, _ in seen(stacks)} == {"CURRENT"}


def test_another_template_for_some_leaves_the_others_behind(stacks: Any) -> None:
    """API_UpdateStackSet, Accounts: what changes nothing leaves the others as they are."""
    create(stacks, "first")
    some = {"StackSetName": "alerts", "Accounts": [ACCOUNT], "Regions": ["eu-west-1"]}
    stacks.update_stack_set(UsePreviousTemplate=True, **some)
    assert {status for _, status, _ in seen(stacks)} == {"CURRENT"}
    stacks.update_stack_set(TemplateBody=json.dumps({"Resources": {"Key": KEY}}), **some)
    assert [status for _, status, _ in seen(stacks)] == ["CURRENT", "OUTDATED"]
    stacks.update_stack_set(UsePreviousTemplate=True, **{**some, "Accounts": [TWO]})
    assert {status for _, status, _ in seen(stacks)} == {"CURRENT"}


def test_a_stack_set_shows_the_defaults_that_it_took(cloud: object) -> None:
    found = client("cloudformation")
    parameters = {"A": {"Type": "String", "Default": "a"}, "B": {"Type": "String", "Default": "b"}}
    body = json.dumps({"Parameters": parameters, "Resources": {"Key": KEY}})
    given = [{"ParameterKey": "B", "ParameterValue": "c"}]
    found.create_stack_set(StackSetName="defaults", TemplateBody=body, Parameters=given)

    def shown() -> dict[str, str]:
        listed = found.describe_stack_set(StackSetName="defaults")["StackSet"]["Parameters"]
        return {one["ParameterKey"]: one["ParameterValue"] for one in listed}

    assert shown() == {"A": "a", "B": "c"}
    previous = [{"ParameterKey": "B", "UsePreviousValue": True}]
    found.update_stack_set(StackSetName="defaults", UsePreviousTemplate=True, Parameters=previous)
    assert shown() == {"A": "a", "B": "c"}


def test_a_stack_set_keeps_how_it_is_managed(cloud: object) -> None:
    found = client("cloudformation")
    found.create_stack_set(
        StackSetName="units",
        TemplateBody=json.dumps({"Resources": {"Key": KEY}}),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
    )
    assert found.describe_stack_set(StackSetName="units")["StackSet"]["AutoDeployment"]["Enabled"] is True


def test_stacks_are_compared_when_somebody_asks(stacks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    create(stacks, "first")
    monkeypatch.setattr(PACE, "drifted", {TWO})
    drift = [one["DriftStatus"] for one in stacks.list_stack_instances(StackSetName="alerts")["Summaries"]]
    assert drift == ["NOT_CHECKED", "NOT_CHECKED"]
    stacks.detect_stack_set_drift(StackSetName="alerts")
    drift = [one["DriftStatus"] for one in stacks.list_stack_instances(StackSetName="alerts")["Summaries"]]
    assert drift == ["IN_SYNC", "DRIFTED"]


def test_an_empty_list_takes_a_stacks_own_parameters_away(stacks: Any) -> None:
    """API_UpdateStackInstances: without a list they stay."""
    own = [{"ParameterKey": "A", "ParameterValue": "b"}]
    create(stacks, "first", ParameterOverrides=own)

    def after(**given: Any) -> Any:
        where = {"StackSetName": "alerts", "Accounts": [TWO], "Regions": ["eu-west-1"]}
        stacks.update_stack_instances(**where, **given)
        found = stacks.describe_stack_instance(
            StackSetName="alerts", StackInstanceAccount=TWO, StackInstanceRegion="eu-west-1"
        )
        return found["StackInstance"]["ParameterOverrides"]

    assert after() == own
    assert after(ParameterOverrides=[]) == []


def test_a_stacks_key_has_its_tags(cloud: object) -> None:
    client("cloudformation").create_stack(StackName="one", TemplateBody=json.dumps({"Resources": {"Key": KEY}}))
    (key,) = client("kms").list_keys()["Keys"]
    tags = client("kms").list_resource_tags(KeyId=key["KeyId"])["Tags"]
    assert {"TagKey": "Owner", "TagValue": "security-team"} in tags
