"""The calls of a formatter's role, against policies that stop it and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.resources import calls
from shnotify.resources.evaluation import Verdict, combined
from tests.support.documented_calls import (
    ACCOUNT,
    AWS_ROOT,
    FORMATTER,
    FUNCTION,
    KEY,
    OUTSIDE_ORG,
    ROLE,
    TOPIC,
    denying,
    policy,
)

OWN = policy({"Sid": "own", "Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC})


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        (OUTSIDE_ORG, "unknown"),
        ({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, "allowed"),
        ({"ArnNotEquals": {"aws:PrincipalArn": ROLE}}, "allowed"),
        ({"ArnNotEquals": {"aws:PrincipalArn": f"{ROLE}2"}}, "denied"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "denied"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}, "Bool": {"aws:ViaAWSService": "false"}}, "denied"),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "unknown"),
        ({"Bool": {"aws:SecureTransport": "false"}}, "allowed"),
        ({"BoolIfExists": {"aws:SecureTransport": "false"}}, "allowed"),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, "denied"),
        ({"StringNotEquals": {"aws:PrincipalServiceName": "events.amazonaws.com"}}, "denied"),
        ({"ArnNotEquals": {"lambda:SourceFunctionArn": FUNCTION}}, "allowed"),
        ({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, "allowed"),
        ({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}, "denied"),
        ({"Null": {"aws:TokenIssueTime": "true"}}, "allowed"),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "unknown"),
    ],
)
def test_what_a_topics_deny_does_to_the_formatter(condition: Any, verdict: Verdict) -> None:
    assert combined([OWN], None, policy(denying(FORMATTER, condition)), FORMATTER).verdict == verdict


def test_a_function_in_a_vpc_may_or_may_not_come_through_an_endpoint() -> None:
    request = calls.role_call(ROLE, "sns:Publish", TOPIC, function=FUNCTION, in_vpc=True)
    deny = denying(request, {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})

    assert combined([OWN], None, policy(deny), request).verdict == "unknown"


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"kms:ViaService": "sns.us-east-1.amazonaws.com"}}, "unknown"),
        ({"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}, "denied"),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, "allowed"),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, "unknown"),
    ],
)
def test_sns_uses_a_key_with_the_formatters_credentials(condition: Any, verdict: Verdict) -> None:
    request = calls.role_call(ROLE, "kms:Decrypt", KEY, function=FUNCTION, via="sns")
    own = policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})

    assert combined([own], None, policy({**AWS_ROOT, "Condition": condition}), request, key=True).verdict == verdict
