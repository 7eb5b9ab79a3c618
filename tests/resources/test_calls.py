"""The calls of AWS services for a notifier, against policies that silence it and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.resources import calls
from shnotify.resources.evaluation import Verdict, evaluate
from shnotify.resources.requests import Request
from tests.support.documented_calls import (
    ACCOUNT,
    AWS_ROOT,
    FORMATTER,
    FUNCTION,
    KEY,
    OUTSIDE_ORG,
    ROLE,
    TOPIC,
    allowing,
    denying,
    policy,
)

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:bug-hunt-dlq"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/bug-hunt-urgent"
ALARM = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:a"

PUBLISH = calls.events_publish(TOPIC, RULE)
DECRYPT = calls.events_use_topic_key(KEY, TOPIC, "kms:Decrypt")
DATA_KEY = calls.events_use_topic_key(KEY, TOPIC, "kms:GenerateDataKey")
ALL = (
    PUBLISH,
    DECRYPT,
    calls.events_send(QUEUE, RULE),
    calls.events_use_queue_key(KEY, QUEUE, RULE, "kms:Decrypt"),
    calls.events_invoke(FUNCTION, RULE),
    calls.sns_send(QUEUE, TOPIC),
    calls.sns_use_queue_key(KEY, QUEUE, TOPIC, "kms:Decrypt"),
    calls.cloudwatch_publish(TOPIC, ALARM),
    calls.cloudwatch_use_topic_key(KEY, TOPIC, ALARM, "kms:Decrypt"),
    calls.scheduler_use_queue_key(KEY, QUEUE, "kms:Decrypt"),
    calls.lambda_take_role(ROLE),
)
BY_SERVICES = pytest.mark.parametrize("request_", ALL, ids=[f"{each.principal} {each.action}" for each in ALL])

EVENTS_KEY = {
    "Sid": "e",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}
IN_ORG = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}}
IN_ORG_PATH = {"Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-abc/*"]}}}
DENY_DECRYPT = {"Sid": "d", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}


@pytest.mark.parametrize(
    ("document", "decrypt", "data_key", "statement"),
    [
        (policy(AWS_ROOT, {**EVENTS_KEY, **IN_ORG}), "denied", "denied", '"e"'),
        (policy(AWS_ROOT, {**EVENTS_KEY, **IN_ORG_PATH}), "denied", "denied", '"e"'),
        (policy(AWS_ROOT, EVENTS_KEY, {**DENY_DECRYPT, "Condition": OUTSIDE_ORG}), "denied", "allowed", '"d"'),
        (policy(AWS_ROOT, EVENTS_KEY), "allowed", "allowed", '"e"'),
        (policy(AWS_ROOT), "denied", "denied", ""),
    ],
)
def test_key_policies_that_silence_eventbridge(
    document: Any, decrypt: Verdict, data_key: Verdict, statement: str
) -> None:
    decided = evaluate(document, DECRYPT, "key")

    assert (decided.verdict, decided.statement) == (decrypt, statement)
    assert evaluate(document, DATA_KEY, "key").verdict == data_key


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abc/*"}},
        {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}},
        {"StringEquals": {"aws:PrincipalTag/team": "a"}},
        {"StringLike": {"aws:userid": "AROAEXAMPLE:*"}},
        {"StringEquals": {"aws:username": "alice"}},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringEquals": {"aws:PrincipalType": ["User", "AssumedRole"]}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"Bool": {"aws:PrincipalIsAWSService": "false"}},
        {"Bool": {"aws:ViaAWSService": "true"}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"ForAnyValue:StringEquals": {"aws:CalledVia": "sns.amazonaws.com"}},
    ],
)
@BY_SERVICES
def test_a_condition_no_service_meets_lets_none_through(request_: Request, condition: Any) -> None:
    decided = evaluate(policy(allowing(request_, condition)), request_)

    assert (decided.verdict, decided.statement, decided.explicit) == ("denied", '"yes"', False)


@pytest.mark.parametrize(
    "condition",
    [
        OUTSIDE_ORG,
        {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abc"}},
        {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-abc/*"}},
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"ArnNotEquals": {"aws:PrincipalArn": ROLE}},
        {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    ],
)
@BY_SERVICES
def test_a_deny_on_a_key_that_is_not_there_stops_a_service(request_: Request, condition: Any) -> None:
    decided = evaluate(policy(allowing(request_, {}), denying(request_, condition)), request_)

    assert (decided.verdict, decided.statement, decided.explicit) == ("denied", '"no"', True)


@pytest.mark.parametrize(
    "guard",
    [
        {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
        {"Bool": {"aws:PrincipalIsAWSService": "false"}},
        {"StringNotEqualsIfExists": {"aws:PrincipalServiceName": [each.principal for each in ALL]}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"Bool": {"aws:SecureTransport": "false"}},
        {"StringEqualsIfExists": {"aws:PrincipalServiceName": "s3.amazonaws.com"}},
        {"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-abc/*"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
    ],
)
@BY_SERVICES
def test_a_deny_with_a_guard_stops_no_service(request_: Request, guard: Any) -> None:
    guarded = {**guard, "StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}}

    decided = evaluate(policy(allowing(request_, {}), denying(request_, guarded)), request_)

    assert (decided.verdict, decided.statement) == ("allowed", '"yes"')


SOURCE_ARN, SOURCE_ACCOUNT = {"ArnEquals": {"aws:SourceArn": RULE}}, {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
OTHER_ARN, OTHER_ACCOUNT = {"ArnEquals": {"aws:SourceArn": f"{RULE}x"}}, {"StringEquals": {"aws:SourceAccount": "1"}}


@pytest.mark.parametrize(
    ("request_", "arn", "account", "other_arn", "other_account"),
    [
        (PUBLISH, "unknown", "unknown", "denied", "denied"),
        (DECRYPT, "denied", "denied", "denied", "denied"),
        (calls.events_send(QUEUE, RULE), "allowed", "unknown", "denied", "denied"),
        (calls.events_use_queue_key(KEY, QUEUE, RULE, "kms:Decrypt"), "unknown", "unknown", "unknown", "denied"),
        (calls.events_invoke(FUNCTION, RULE), "allowed", "denied", "denied", "denied"),
        (calls.scheduler_use_queue_key(KEY, QUEUE, "kms:Decrypt"), "unknown", "unknown", "unknown", "unknown"),
        (calls.cloudwatch_publish(TOPIC, RULE), "allowed", "allowed", "denied", "denied"),
        (calls.sns_send(QUEUE, RULE), "allowed", "unknown", "denied", "denied"),
        (calls.sns_use_queue_key(KEY, QUEUE, RULE, "kms:Decrypt"), "unknown", "unknown", "denied", "denied"),
        (FORMATTER, "denied", "denied", "denied", "denied"),
    ],
)
def test_for_whom_a_service_says_it_calls(
    request_: Request, arn: Verdict, account: Verdict, other_arn: Verdict, other_account: Verdict
) -> None:
    conditions = (SOURCE_ARN, SOURCE_ACCOUNT, OTHER_ARN, OTHER_ACCOUNT)

    verdicts = [evaluate(policy(allowing(request_, condition)), request_).verdict for condition in conditions]

    assert verdicts == [arn, account, other_arn, other_account]


def test_the_default_statement_of_a_topic_lets_eventbridge_not_in() -> None:
    default = allowing(PUBLISH, {"StringEquals": {"AWS:SourceOwner": ACCOUNT}})

    assert evaluate(policy(default), PUBLISH).verdict == "denied"
    assert evaluate(policy(default), calls.cloudwatch_publish(TOPIC, ALARM)).verdict == "unknown"


def test_a_topic_closed_to_other_organizations_is_closed_to_eventbridge() -> None:
    allow = {"Sid": "AWS Events", "Effect": "Allow", "Principal": {"Service": calls.EVENTS}, "Action": "sns:Publish"}
    deny = {**allow, "Sid": "DenyOutsideOrg", "Effect": "Deny", "Principal": "*", "Condition": OUTSIDE_ORG}
    document = policy({**allow, "Resource": TOPIC}, {**deny, "Resource": TOPIC})

    decided = evaluate(document, PUBLISH)

    assert (decided.verdict, decided.explicit) == ("denied", True)
    assert decided.reason == (
        '"DenyOutsideOrg" denies it: StringNotEquals aws:PrincipalOrgID, a key that this call never has'
    )


@pytest.mark.parametrize(
    ("effect", "condition", "verdict"),
    [
        ("Allow", {"Null": {"aws:PrincipalOrgID": "true"}}, "allowed"),
        ("Allow", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abc"}}, "allowed"),
        ("Allow", {"Bool": {"aws:PrincipalIsAWSService": "true"}}, "allowed"),
        ("Allow", {"StringEquals": {"aws:PrincipalServiceName": calls.EVENTS}}, "allowed"),
        ("Deny", {"Null": {"aws:PrincipalOrgID": "true"}}, "denied"),
        ("Deny", {"Null": {"aws:PrincipalOrgID": "true"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}, "allowed"),
        ("Deny", {"StringEquals": {"aws:SourceOrgID": "o-abc"}}, "unknown"),
        ("Deny", {"StringNotEquals": {"aws:ResourceTag/a": "b"}}, "unknown"),
        ("Deny", {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, "allowed"),
        ("Deny", {"Bool": {"aws:SecureTransport": "false"}}, "allowed"),
        ("Deny", {"BoolIfExists": {"aws:SecureTransport": "false"}}, "unknown"),
        ("Allow", {"Bool": {"aws:SecureTransport": "true"}}, "unknown"),
    ],
)
def test_what_a_condition_on_a_topic_does_to_eventbridge(effect: str, condition: Any, verdict: Verdict) -> None:
    """Network keys are redacted in calls by services, so aws:SecureTransport may be missing (its "Note")."""
    statement = allowing(PUBLISH, condition) if effect == "Allow" else denying(PUBLISH, condition)
    open_to_all = [allowing(PUBLISH, {})] if effect == "Deny" else []

    assert evaluate(policy(*open_to_all, statement), PUBLISH).verdict == verdict


@pytest.mark.parametrize(("principal", "verdict"), [("*", "allowed"), ({"Service": "s3.amazonaws.com"}, "denied")])
def test_a_topic_open_to_all_is_open_to_eventbridge(principal: Any, verdict: Verdict) -> None:
    statement = {
        "Sid": "x",
        "Effect": "Allow",
        "Principal": principal,
        "Action": ["sns:Publish", "sns:Subscribe"],
        "Resource": TOPIC,
    }

    assert evaluate(policy(statement), PUBLISH).verdict == verdict


@pytest.mark.parametrize("request_", [*ALL, FORMATTER])
def test_a_call_names_its_keys_in_lower_case(request_: Request) -> None:
    assert [key for key in request_.context if key != key.lower()] == []
    assert request_.states("AWS:PRINCIPALISAWSSERVICE") == ((str(request_.by_service).lower(),),)


def test_lambda_may_take_a_role_that_trusts_it() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

    assert evaluate(policy(trust), calls.lambda_take_role(ROLE), "trust").verdict == "allowed"
    assert evaluate(policy({**trust, "Effect": "Deny"}, trust), calls.lambda_take_role(ROLE), "trust").explicit
