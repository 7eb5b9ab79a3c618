"""The documents that are sent, word for word, in each partition; and which policies of others would stop a mail."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.arns import Scope
from shnotify.engine.values import Policy
from shnotify.resources.policies import (
    Uses,
    function_policy,
    key_policy,
    key_problems,
    queue_policy,
    role_policy,
    role_trust,
    topic_policy,
    topic_problems,
)

ACCOUNT = "123456789012"
SCOPES = [
    Scope("aws", "ap-northeast-1", ACCOUNT),
    Scope("aws-cn", "cn-north-1", ACCOUNT),
    Scope("aws-us-gov", "us-gov-west-1", ACCOUNT),
]
EVENTS = {"Service": "events.amazonaws.com"}  # the same in China (EventBridge in the AWS China documentation)


@pytest.fixture(params=SCOPES, ids=lambda scope: scope.partition)
def scope(request: pytest.FixtureRequest) -> Scope:
    found = request.param
    assert isinstance(found, Scope)
    return found


def test_the_keys(scope: Scope) -> None:
    """aws-facts A.1, A.3, A.11: the root statement is in it; EventBridge's has no condition."""
    root = f"arn:{scope.partition}:iam::{ACCOUNT}:root"
    assert key_policy(scope).document == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": root},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "Allow EventBridge to use the key",
                "Effect": "Allow",
                "Principal": EVENTS,
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
            },
        ],
    }
    assert key_policy(scope).own == {"Enable IAM User Permissions", "Allow EventBridge to use the key"}


def test_the_topic(scope: Scope) -> None:
    """aws-facts A.16 to A.19: AWS's default statement is kept, EventBridge's has no condition."""
    topic = f"arn:{scope.partition}:sns:{scope.region}:{ACCOUNT}:t"
    assert scope.topic("t") == topic
    found = topic_policy(scope, topic)
    assert found.document == {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "SNS:GetTopicAttributes",
                    "SNS:SetTopicAttributes",
                    "SNS:AddPermission",
                    "SNS:RemovePermission",
                    "SNS:DeleteTopic",
                    "SNS:Subscribe",
                    "SNS:ListSubscriptionsByTopic",
                    "SNS:Publish",
                ],
                "Resource": topic,
                "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
            },
            {
                "Sid": "AWS Events",
                "Effect": "Allow",
                "Principal": EVENTS,
                "Action": "sns:Publish",
                "Resource": topic,
            },
        ],
    }
    assert found.own == {"AWS Events"}


def test_the_queue(scope: Scope) -> None:
    """aws-facts A.6: exactly our rules."""
    queue, rules = scope.queue("q"), [scope.rule("a"), scope.rule("b")]
    assert queue == f"arn:{scope.partition}:sqs:{scope.region}:{ACCOUNT}:q"
    assert rules[0] == f"arn:{scope.partition}:events:{scope.region}:{ACCOUNT}:rule/a"
    statement = {
        "Sid": "AllowEventBridgeDlq",
        "Effect": "Allow",
        "Principal": EVENTS,
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
    }
    assert queue_policy(queue, rules).document == {"Version": "2012-10-17", "Statement": [statement]}
    one = queue_policy(queue, rules[:1])
    assert one.document["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": rules[0]}}
    assert one.own == {"AllowEventBridgeDlq"}


def test_the_function(scope: Scope) -> None:
    """aws-facts C: no SourceAccount; the form that AddPermission makes."""
    function, rule = scope.function("f"), scope.rule("r")
    assert function == f"arn:{scope.partition}:lambda:{scope.region}:{ACCOUNT}:function:f"
    statement = {
        "Sid": "AllowEventBridge",
        "Effect": "Allow",
        "Principal": EVENTS,
        "Action": "lambda:InvokeFunction",
        "Resource": function,
        "Condition": {"ArnLike": {"AWS:SourceArn": rule}},
    }
    assert function_policy(function, rule).document == {"Version": "2012-10-17", "Statement": [statement]}
    assert function_policy(function, rule).own == {"AllowEventBridge"}


def test_the_role(scope: Scope) -> None:
    trust = {"Sid": "Lambda", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    assert role_trust().document == {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
    assert role_trust().own == {"Lambda"}
    logs, topic, queue = scope.log_group("/aws/lambda/f"), scope.topic("t"), scope.queue("q")
    assert logs == f"arn:{scope.partition}:logs:{scope.region}:{ACCOUNT}:log-group:/aws/lambda/f"
    hub = f"arn:{scope.partition}:securityhub:{scope.region}:{ACCOUNT}"
    keys = ["kms:Decrypt", "kms:GenerateDataKey"]
    allow = {"Effect": "Allow"}
    whole = role_policy(Uses(logs, topic, "key-1", queue, "key-2", scope.hubs()))
    assert whole.document == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Logs", **allow, "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{logs}:*"},
            {"Sid": "Publish", **allow, "Action": "sns:Publish", "Resource": topic},
            {"Sid": "TopicKey", **allow, "Action": keys, "Resource": "key-1"},
            {"Sid": "DeadLetters", **allow, "Action": "sqs:SendMessage", "Resource": queue},
            {"Sid": "DlqKey", **allow, "Action": keys, "Resource": "key-2"},
            {
                "Sid": "Findings",
                **allow,
                "Action": "securityhub:BatchUpdateFindings",
                "Resource": [f"{hub}:hub/default", f"{hub}:hubv2/*"],
            },
        ],
    }
    least = role_policy(Uses(logs, topic))
    assert [s["Sid"] for s in least.statements] == ["Logs", "Publish"]
    assert least.own == whole.own == {"Logs", "Publish", "TopicKey", "DeadLetters", "DlqKey", "Findings"}


# -- policies of others ------------------------------------------------------------------------------------------------


def with_(*statements: Any) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": EVENTS, "Action": action, "Resource": "*", **more}


BOTH = ["kms:Decrypt", "kms:GenerateDataKey"]
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
LIMITED = [{"StringEquals": {name: "x"}} for name in ("aws:SourceAccount", "AWS:SourceArn", "aws:SourceOrgID")]
GOOD_KEYS = {
    "ours": key_policy(SCOPES[0]),
    "two statements": with_(allowing("kms:Decrypt"), allowing(["kms:GenerateDataKey"])),
    "a star": with_(allowing("kms:*")),
    "a part and a star": with_(allowing(["KMS:decrypt", "kms:GenerateDataKey*"])),
    "everything": with_(allowing("*")),
    "everybody": with_(allowing(BOTH, Principal="*")),
    "every account": with_(allowing(BOTH, Principal={"AWS": "*"})),
    "one service of many": with_(allowing(BOTH, Principal={"Service": ["x", "events.amazonaws.com"]})),
    "another condition": with_(allowing(BOTH, Condition={"Bool": {"aws:SecureTransport": "true"}})),
    "limited beside not limited": with_(allowing(BOTH, Condition=LIMITED[0]), allowing(BOTH)),
    "somebody else is denied": with_(allowing(BOTH), {**allowing(BOTH, Effect="Deny"), "Principal": {"AWS": "x"}}),
    "denied under a condition": with_(allowing(BOTH), allowing(BOTH, Effect="Deny", Condition=LIMITED[0])),
    "something else is denied": with_(allowing(BOTH), allowing("kms:ScheduleKeyDeletion", Effect="Deny")),
}
NOT_ALLOWED = "its key policy does not allow events.amazonaws.com "
BAD_KEYS = {
    "empty": (Policy({}), NOT_ALLOWED + "kms:Decrypt and kms:GenerateDataKey"),
    "only the root": (with_(ROOT), NOT_ALLOWED + "kms:Decrypt and kms:GenerateDataKey"),
    "half": (with_(ROOT, allowing("kms:GenerateDataKey*")), NOT_ALLOWED + "kms:Decrypt"),
    "the other half": (with_(ROOT, allowing(["kms:Decrypt*"])), NOT_ALLOWED + "kms:GenerateDataKey"),
    "a longer name and a star": (
        with_(allowing(["kms:DecryptAll*", "kms:Decrypt2*", "kms:GenerateDataKey*"])),
        NOT_ALLOWED + "kms:Decrypt",
    ),
    "no action": (with_({"Effect": "Allow", "Principal": EVENTS}), NOT_ALLOWED + "kms:Decrypt and kms:GenerateDataKey"),
    "another service": (
        with_(allowing(BOTH, Principal={"Service": "sns.amazonaws.com"})),
        NOT_ALLOWED + "kms:Decrypt and kms:GenerateDataKey",
    ),
    "denied": (
        with_(allowing(BOTH), allowing("kms:Decrypt", Effect="Deny")),
        "its key policy denies events.amazonaws.com kms:Decrypt",
    ),
    "all denied to all": (
        with_(allowing(BOTH), allowing("*", Effect="deny", Principal="*")),
        "its key policy denies events.amazonaws.com kms:Decrypt and kms:GenerateDataKey",
    ),
}


@pytest.mark.parametrize("for_topic", [True, False])
@pytest.mark.parametrize("policy", GOOD_KEYS.values(), ids=GOOD_KEYS)
def test_keys_that_eventbridge_can_use(policy: Policy, for_topic: bool) -> None:
    assert key_problems(policy, for_topic=for_topic) == []


@pytest.mark.parametrize("for_topic", [True, False])
@pytest.mark.parametrize(("policy", "problem"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_keys_that_it_cannot(policy: Policy, problem: str, for_topic: bool) -> None:
    assert key_problems(policy, for_topic=for_topic) == [problem]


@pytest.mark.parametrize("condition", LIMITED, ids=str)
def test_a_topics_key_that_is_limited_by_the_source_and_a_queues(condition: Any) -> None:
    """sns-key-management: "not supported for EventBridge-to-encrypted topics"; on a queue's key it may be right."""
    policy = with_(allowing(BOTH, Condition=condition))
    assert key_problems(policy, for_topic=False) == []
    assert key_problems(policy, for_topic=True) == [
        "its key policy limits EventBridge by aws:SourceArn, aws:SourceAccount or aws:SourceOrgID, which AWS does not "
        "support for encrypted topics: take the condition away"
    ]


OWNER = {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}


@pytest.mark.parametrize(
    ("policy", "problems"),
    [
        (topic_policy(SCOPES[0], "t"), []),
        (with_(allowing("SNS:Publish")), []),
        (with_(allowing("sns:*", Principal={"AWS": "*"})), []),
        (with_(allowing("sns:Publish", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})), []),
        (Policy({}), ["its policy does not allow events.amazonaws.com sns:Publish"]),
        (
            with_(allowing("sns:Publish", Principal={"AWS": "*"}, Condition=OWNER)),
            ["its policy does not allow events.amazonaws.com sns:Publish"],
        ),
        (with_(allowing("sns:Subscribe")), ["its policy does not allow events.amazonaws.com sns:Publish"]),
        (
            with_(allowing("sns:Publish"), allowing("sns:Publish", Effect="Deny", Principal="*")),
            ["its policy denies events.amazonaws.com sns:Publish"],
        ),
        (
            with_(
                allowing("sns:Publish"),
                allowing(
                    "sns:Publish", Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "no"}}
                ),
            ),
            [],
        ),
    ],
)
def test_topics_that_eventbridge_can_publish_to_or_not(policy: Policy, problems: list[str]) -> None:
    assert topic_problems(policy) == problems
