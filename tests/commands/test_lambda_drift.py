"""`message.format: lambda`: drift of the function, its role and its log, and how it is mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import World
from tests.support.canonical import account
from tests.support.lambda_mode import (
    ACCOUNT,
    DELETIONS,
    FUNCTION,
    FUNCTION_ARN,
    LOGS,
    LOGS_ARN,
    QUEUE_ARN,
    ROLE,
    RULE_ARN,
    configure,
    role_policy,
)


def _other_code(world: World) -> None:
    world.client("lambda").update_function_code(FunctionName=FUNCTION, ZipFile=b"PK\x05\x06" + b"\0" * 18)


def _other_permission(world: World) -> None:
    lambda_ = world.client("lambda")
    lambda_.remove_permission(FunctionName=FUNCTION, StatementId="AllowEventBridge")
    lambda_.add_permission(
        FunctionName=FUNCTION,
        StatementId="AllowEventBridge",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=RULE_ARN,
        SourceAccount=ACCOUNT,
    )


def _remove_permission(world: World) -> None:
    world.client("lambda").remove_permission(FunctionName=FUNCTION, StatementId="AllowEventBridge")


def _retries(**changed: Any) -> Callable[[World], object]:
    return lambda w: w.client("lambda").put_function_event_invoke_config(FunctionName=FUNCTION, **changed)


def _trust(world: World) -> None:
    statement = {"Sid": "Lambda", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


_DESTINATION = {"OnFailure": {"Destination": QUEUE_ARN}}
HAND_EDITS: dict[str, tuple[Callable[[World], object], str, list[str]]] = {
    "description": (configure(Description="x"), "UrgentFormatter", ["Description"]),
    "runtime": (configure(Runtime="python3.11"), "UrgentFormatter", ["Runtime"]),
    "handler": (configure(Handler="a.b"), "UrgentFormatter", ["Handler"]),
    "timeout": (configure(Timeout=3), "UrgentFormatter", ["Timeout"]),
    "memory": (configure(MemorySize=128), "UrgentFormatter", ["MemorySize"]),
    "environment": (
        configure(Environment={"Variables": {"AWS_ENDPOINT_URL": "http://127.0.0.1"}}),
        "UrgentFormatter",
        ["Environment.AWS_ENDPOINT_URL"],
    ),
    "role": (configure(Role=f"arn:aws:iam::{ACCOUNT}:role/x"), "UrgentFormatter", ["Role"]),
    "code": (_other_code, "UrgentFormatter", ["CodeSha256"]),
    "no permission": (_remove_permission, "UrgentFormatter", ["PolicyDocument"]),
    "other permission": (_other_permission, "UrgentFormatter", ["PolicyDocument"]),
    "retries": (
        _retries(MaximumRetryAttempts=0, DestinationConfig=_DESTINATION),
        "UrgentFormatter",
        ["EventInvokeConfig.MaximumRetryAttempts"],
    ),
    "age": (
        _retries(MaximumEventAgeInSeconds=60, DestinationConfig=_DESTINATION),
        "UrgentFormatter",
        ["EventInvokeConfig.MaximumEventAgeInSeconds"],
    ),
    "no destination": (_retries(MaximumRetryAttempts=2), "UrgentFormatter", ["EventInvokeConfig.OnFailure"]),
    "tags": (
        lambda w: w.client("lambda").untag_resource(Resource=FUNCTION_ARN, TagKeys=["managed-by"]),
        "UrgentFormatter",
        ["Tags"],
    ),
    "role policy": (role_policy, "UrgentFormatterRole", ["Policies"]),
    "no role policy": (
        lambda w: w.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="shnotify"),
        "UrgentFormatterRole",
        ["Policies"],
    ),
    "trust": (_trust, "UrgentFormatterRole", ["AssumeRolePolicyDocument"]),
    "role description": (
        lambda w: w.client("iam").update_role(RoleName=ROLE, Description="x"),
        "UrgentFormatterRole",
        ["Description"],
    ),
    "role tags": (
        lambda w: w.client("iam").untag_role(RoleName=ROLE, TagKeys=["managed-by"]),
        "UrgentFormatterRole",
        ["Tags"],
    ),
    "retention": (
        lambda w: w.client("logs").delete_retention_policy(logGroupName=LOGS),
        "UrgentFormatterLogs",
        ["RetentionInDays"],
    ),
    "log tags": (
        lambda w: w.client("logs").untag_resource(resourceArn=LOGS_ARN, tagKeys=["managed-by"]),
        "UrgentFormatterLogs",
        ["Tags"],
    ),
}


@pytest.mark.parametrize("what", HAND_EDITS)
def test_a_hand_edit_is_seen_and_mended_and_nothing_else_is_touched(applied: World, what: str) -> None:
    edit, resource, paths = HAND_EDITS[what]
    before = account(applied)
    edit(applied)
    assert account(applied) != before
    status = applied.run("status")
    assert (status.code, status.drift(), applied.faults.writes) == (3, {resource: paths}, [])
    mended = applied.apply()
    assert (mended.code, mended.actions()) == (0, {resource: "update"}), mended.err
    assert account(applied) == before
    assert (applied.apply().code, applied.faults.writes) == (0, [])


def test_what_others_added_to_the_role_and_the_function_stays(applied: World) -> None:
    lambda_, iam = applied.client("lambda"), applied.client("iam")
    lambda_.add_permission(
        FunctionName=FUNCTION, StatementId="theirs", Action="lambda:InvokeFunction", Principal=ACCOUNT
    )
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    iam.put_role_policy(RoleName=ROLE, PolicyName="theirs", PolicyDocument=json.dumps(allow))
    _remove_permission(applied)
    assert applied.apply().code == 0
    policy = json.loads(lambda_.get_policy(FunctionName=FUNCTION)["Policy"])
    assert sorted(s["Sid"] for s in policy["Statement"]) == ["AllowEventBridge", "theirs"]
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["shnotify", "theirs"]
    assert applied.run("destroy", "--yes").code == 0
    assert account(applied)["roles"] == []


@pytest.mark.parametrize("what", DELETIONS)
def test_what_was_deleted_by_hand_is_seen_and_restored(applied: World, what: str) -> None:
    delete, missing = DELETIONS[what]
    before = account(applied)
    delete(applied)
    status = applied.run("status")
    assert (status.code, status.states()) == (3, {missing: "missing"})
    problems = status.json["delivery"][0]["problems"]
    assert (f"{missing} is missing" in problems) == (missing != "UrgentFormatterLogs")
    assert applied.apply().actions() == {missing: "create"}
    assert account(applied) == before


def test_a_function_that_is_throttled_to_nothing_cannot_deliver(applied: World) -> None:
    applied.client("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    status = applied.run("status")
    assert status.code == 4
    assert any("reserved concurrency is 0" in p for p in status.json["delivery"][0]["problems"])
