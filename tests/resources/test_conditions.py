"""Conditions, row by row as the IAM User Guide shows them ("Request context" and "Result" of its tables)."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.resources.conditions import entries
from shnotify.resources.requests import ABSENT, PRESENT, UNKNOWN, Request, States, Truth, all_of, known, perhaps

JOB = {"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}
HOME = {"StringLike": {"s3:prefix": ["home/", "home/${aws:username}/"]}}
TAGS = {
    "StringEqualsIgnoreCase": {"aws:RequestTag/environment": ["preprod", "storage"]},
    "ForAnyValue:StringEquals": {"aws:TagKeys": "environment"},
}
PLAIN = {"Bool": {"aws:SecureTransport": "false"}}
BINARY = {"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}
RANGE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
BOTH_RANGES = {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}
ISSUED = {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}
OTHERS = "arn:aws::cloudfront:777788889999:distribution/costcenter"
SOURCE = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-west-2:123456789012:TOPIC-ID"}}
DISTRIBUTION = "arn:aws::cloudfront:123456789012:distribution/"
LOGS = {
    "ForAllValues:ArnLike": {
        "logs:LogGeneratingResourceArns": [f"{DISTRIBUTION}costcenter*", f"{DISTRIBUTION}support*"]
    }
}
TYPES = {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}
ALL_TAGS = {
    "ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]},
    "Null": {"aws:TagKeys": "false"},
}
ANY_TAG = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]}}
ANA, MARY = "arn:aws:iam::222222222222:user/Ana", "arn:aws:iam::222222222222:user/Mary"
TEAM = {"aws:PrincipalTag/department": ["finance", "hr", "legal"], "aws:PrincipalTag/role": ["audit", "security"]}
SEVERAL = {"StringEquals": TEAM, "ArnLike": {"aws:PrincipalArn": [ANA, MARY]}}
NOR = {"StringEquals": TEAM, "ArnNotLike": {"aws:PrincipalArn": [ANA, MARY]}}
NIKKI = "arn:aws:iam::222222222222:user/Nikki"
VARIABLE = {"StringNotEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}}


def team(department: States, role: States, arn: str) -> dict[str, States]:
    return {
        "aws:principaltag/department": department,
        "aws:principaltag/role": role,
        "aws:principalarn": known(arn),
    }


def tagged(keys: States, environment: States) -> dict[str, States]:
    return {"aws:tagkeys": keys, "aws:requesttag/environment": environment}


DOCUMENTED: list[tuple[Any, dict[str, States], bool]] = [
    (JOB, {"aws:principaltag/job-category": known("iamuser-admin")}, True),
    (JOB, {"aws:principaltag/job-category": known("dev-ops")}, False),
    (JOB, {"aws:principaltag/*": ABSENT}, False),
    (HOME, {"aws:username": known("martha_rivera"), "s3:prefix": known("home/martha_rivera/")}, True),
    (HOME, {"aws:username": known("nikki_wolf"), "s3:prefix": known("home/martha_rivera/")}, False),
    (HOME, {"aws:username": ABSENT, "s3:prefix": known("home/martha_rivera/")}, False),
    (TAGS, tagged(known("environment"), known("preprod")), True),
    (TAGS, tagged(known("environment", "costcenter"), known("PreProd")), True),
    (TAGS, tagged(known("Environment"), known("preprod")), False),
    (TAGS, tagged(known("costcenter"), known("preprod")), False),
    (TAGS, tagged(ABSENT, known("storage")), False),
    (TAGS, tagged(known("environment"), ABSENT), False),
    (TAGS, tagged(ABSENT, ABSENT), False),
    (PLAIN, {"aws:securetransport": known("false")}, True),
    (PLAIN, {"aws:securetransport": known("true")}, False),
    (PLAIN, {"aws:securetransport": ABSENT}, False),
    (BINARY, {"key": known("QmluYXJ5VmFsdWVJbkJhc2U2NA==")}, True),
    (BINARY, {"key": known("ASIAIOSFODNN7EXAMPLE")}, False),
    (BINARY, {"key": ABSENT}, False),
    (RANGE, {"aws:sourceip": known("203.0.113.1")}, True),
    (RANGE, {"aws:sourceip": known("198.51.100.1")}, False),
    (RANGE, {"aws:sourceip": ABSENT}, False),
    (BOTH_RANGES, {"aws:sourceip": known("2001:db8:1234:5678::9")}, True),
    (SOURCE, {"aws:sourcearn": known("arn:aws:sns:us-west-2:123456789012:TOPIC-ID")}, True),
    (SOURCE, {"aws:sourcearn": known("arn:aws:sns:us-west-2:777788889999:TOPIC-ID")}, False),
    (SOURCE, {"aws:sourcearn": ABSENT}, False),
    (LOGS, {"logs:loggeneratingresourcearns": known(f"{DISTRIBUTION}costcenter")}, True),
    (LOGS, {"logs:loggeneratingresourcearns": known(f"{DISTRIBUTION}costcenter", f"{DISTRIBUTION}support2025")}, True),
    (LOGS, {"logs:loggeneratingresourcearns": known(f"{DISTRIBUTION}costcenter", f"{DISTRIBUTION}admin")}, False),
    (LOGS, {"logs:loggeneratingresourcearns": known(OTHERS)}, False),
    (LOGS, {"logs:loggeneratingresourcearns": ABSENT}, True),
    (TYPES, {"ec2:instancetype": known("t1.micro")}, True),
    (TYPES, {"ec2:instancetype": known("m2.micro")}, False),
    (TYPES, {"ec2:instancetype": ABSENT}, True),
    ({"Null": {"aws:TokenIssueTime": "false"}}, {"aws:tokenissuetime": PRESENT}, True),
    ({"Null": {"aws:TokenIssueTime": "false"}}, {"aws:tokenissuetime": ABSENT}, False),
    ({"Null": {"aws:TokenIssueTime": "true"}}, {"aws:tokenissuetime": ABSENT}, True),
    (ALL_TAGS, {"aws:tagkeys": known("environment")}, True),
    (ALL_TAGS, {"aws:tagkeys": known("environment", "cost-center")}, True),
    (ALL_TAGS, {"aws:tagkeys": known("environment", "dept")}, False),
    (ALL_TAGS, {"aws:tagkeys": ABSENT}, False),
    (ANY_TAG, {"aws:tagkeys": known("cost-center")}, True),
    (ANY_TAG, {"aws:tagkeys": known("environment", "dept")}, True),
    (ANY_TAG, {"aws:tagkeys": known("dept")}, False),
    (ANY_TAG, {"aws:tagkeys": ABSENT}, False),
    (SEVERAL, team(known("legal"), known("audit"), MARY), True),
    (SEVERAL, team(known("hr"), known("audit"), NIKKI), False),
    (SEVERAL, team(known("hr"), known("payroll"), MARY), False),
    (SEVERAL, team(known("hr"), ABSENT, MARY), False),
    (SEVERAL, team(ABSENT, ABSENT, MARY), False),
    (NOR, team(known("legal"), known("audit"), NIKKI), True),
    (NOR, team(known("hr"), known("audit"), MARY), False),
    (NOR, team(known("hr"), known("payroll"), NIKKI), False),
    (NOR, team(known("hr"), ABSENT, NIKKI), False),
    (VARIABLE, {"s3:existingobjecttag/team": known("a"), "aws:principaltag/team": ABSENT}, True),
    (VARIABLE, {"s3:existingobjecttag/team": known("a"), "aws:principaltag/team": known("a")}, False),
    ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": known("10")}, True),
    ({"NumericLessThanEquals": {"s3:max-keys": 10}}, {"s3:max-keys": known("11")}, False),
    ({"NumericLessThan": {"ec2:RoleDelivery": "2.0"}}, {"ec2:roledelivery": known("1.0")}, True),
    (ISSUED, {"aws:tokenissuetime": known("2026-01-01T00:00:00Z")}, True),
    (ISSUED, {"aws:tokenissuetime": ABSENT}, False),
    ({"DateLessThan": {"aws:EpochTime": 1577836801}}, {"aws:epochtime": known("2020-01-01T00:00:00Z")}, True),
]  # fmt: skip


def holds(condition: Any, context: dict[str, States], *, variables: bool = True) -> Truth:
    request = Request("arn:aws:iam::111122223333:role/r", "s3:GetObject", "arn:aws:s3:::b", context)
    return all_of(entry.holds for entry in entries(condition, request, variables=variables))


@pytest.mark.parametrize(("condition", "context", "result"), DOCUMENTED)
def test_a_condition_comes_out_as_documented(condition: Any, context: dict[str, States], result: bool) -> None:
    assert holds(condition, context) is result


ORG = "aws:PrincipalOrgID"


@pytest.mark.parametrize(
    ("condition", "state", "result"),
    [
        ({"StringNotEquals": {ORG: "o-1"}}, ABSENT, True),
        ({"StringNotEqualsIfExists": {ORG: "o-1"}}, ABSENT, True),
        ({"StringEqualsIfExists": {ORG: "o-1"}}, ABSENT, True),
        ({"ForAllValues:StringNotEquals": {ORG: "o-1"}}, ABSENT, True),
        ({"ForAnyValue:StringNotEquals": {ORG: "o-1"}}, ABSENT, False),
        ({"StringEquals": {ORG: "o-1"}}, UNKNOWN, None),
        ({"StringNotEquals": {ORG: "o-1"}}, UNKNOWN, None),
        ({"Null": {ORG: "true"}}, UNKNOWN, None),
        ({"Null": {ORG: ["true", "false"]}}, UNKNOWN, True),
        ({"StringLikeIfExists": {ORG: "*"}}, UNKNOWN, True),
        ({"StringLike": {ORG: "*"}}, UNKNOWN, None),
        ({"StringLike": {ORG: "*"}}, PRESENT, True),
        ({"StringEquals": {ORG: "o-2"}}, perhaps("o-1"), False),
        ({"StringEquals": {ORG: "o-1"}}, perhaps("o-1"), None),
        ({"StringNotEquals": {ORG: "o-2"}}, perhaps("o-1"), True),
        ({"StringEquals": {ORG: []}}, known("o-1"), False),
        ({"StringEquals": {ORG: "o-1"}}, known("o-1", "o-1"), True),
        ({"StringEquals": {ORG: "o-1"}}, known("o-1", "o-2"), None),
    ],
)
def test_what_may_be_the_case_settles_what_can_be_told(condition: Any, state: States, result: Truth) -> None:
    assert holds(condition, {ORG.lower(): state}) is result


@pytest.mark.parametrize(
    "condition",
    [
        [],
        "x",
        {"StringEquals": "x"},
        {"StringEquals": {}},
        {"StringAlmost": {ORG: "o-1"}},
        {"ForSomeValues:StringEquals": {ORG: "o-1"}},
        {"NullIfExists": {ORG: "true"}},
        {"Null": {ORG: "perhaps"}},
        {"StringEquals": {ORG: {"a": 1}}},
        {"NumericEquals": {ORG: "five"}},
        {"NumericNotEquals": {ORG: "five"}},
        {"Bool": {ORG: "${aws:SecureTransport}"}},
        {"DateLessThan": {ORG: "tomorrow"}},
        {"IpAddress": {ORG: "here"}},
        {"ArnLike": {ORG: "*"}},
    ],
)
def test_what_cannot_be_read_may_hold_or_not(condition: Any) -> None:
    assert holds(condition, {ORG.lower(): known("5")}) is None


@pytest.mark.parametrize(
    ("text", "tag", "result"),
    [
        ("${aws:PrincipalTag/team, 'company-wide'}", ABSENT, False),
        ("${aws:PrincipalTag/team, 'yellow'}", ABSENT, True),
        ("${AWS:principaltag/Team}", known("yellow"), True),
        ("${aws:PrincipalTag/team}", UNKNOWN, None),
        ("${aws:PrincipalTag/team}", known("yellow", "red"), None),
        ("red-${aws:PrincipalTag/team}", UNKNOWN, False),
        ("yellow${*}", ABSENT, False),
    ],
)
def test_a_variable_stands_for_the_value_of_its_key(text: str, tag: States, result: Truth) -> None:
    context = {"k": known("yellow"), "aws:principaltag/team": tag}

    assert holds({"StringLike": {"k": text}}, context) is result


def test_a_variable_without_a_value_leaves_no_certain_match() -> None:
    """ "If AWS cannot resolve a variable this might cause the entire statement to be invalid"."""
    condition = {"StringLike": {"k": ["yellow", "${aws:username}"]}}

    assert holds(condition, {"k": known("yellow"), "aws:username": ABSENT}) is None


def test_an_older_policy_knows_no_variables() -> None:
    context = {"k": known("${aws:username}"), "aws:username": known("x")}

    assert holds({"StringEquals": {"k": "${aws:username}"}}, context, variables=False) is True
    assert holds({"StringEquals": {"k": "${aws:username}"}}, context) is False


def test_a_negation_is_met_whatever_another_variable_lacks() -> None:
    """ "Inverted condition operators ... do match against a null value"."""
    condition = {"StringNotLike": {"k": ["red", "${aws:username}"]}}

    assert holds(condition, {"k": known("yellow"), "aws:username": ABSENT}) is True


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("arn:aws:sns:*:alerts", None),
        ("arn:aws:sqs:*:alerts", False),
        ("arn:aws:*:1:alerts:*", False),
        ("arn:aws:sns:us-*:1:alerts", True),
        ("arn:aws:*:1:alerts:x:*", False),
        ("arn:*:*:*:*:*", True),
        ("arn:aws:sns:${aws:RequestedRegion}:1:alerts", None),
        ("arn:aws:sns:us-east-1:1:${k}", False),
    ],
)
def test_an_arn_is_compared_part_by_part(text: str, result: Truth) -> None:
    """A text that is no ARN, or has a variable before the fifth colon, is not documented."""
    context = {"k": known("arn:aws:sns:us-east-1:1:alerts"), "aws:requestedregion": known("us-east-1")}

    assert holds({"ArnEquals": {"k": text}}, context) is result


def test_a_wildcard_does_not_leave_its_part_of_an_arn() -> None:
    assert holds({"ArnLike": {"k": "arn:aws:*:1:*:b"}}, {"k": known("arn:aws:sns:us:1:x:b")}) is False
    assert holds({"StringLike": {"k": "arn:aws:*:1:*:b"}}, {"k": known("arn:aws:sns:us:1:x:b")}) is True
