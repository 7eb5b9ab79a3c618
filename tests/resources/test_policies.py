"""The documents that are sent, word for word, in each partition; and which policies of others would stop a mail."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.arns import Scope
from shnotify.engine.values import Policy
from shnotify.resources.policies import (
    Uses,
    function_policy,
    gone_principals,
    key_policy,
    open_notes,
    open_statements,
    queue_key_policy,
    queue_policy,
    role_policy,
    role_trust,
    topic_policy,
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
    assert queue_policy(queue, rules, []).document == {"Version": "2012-10-17", "Statement": [statement]}
    one = queue_policy(queue, rules[:1], [])
    assert one.document["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": rules[0]}}
    assert one.own == {"AllowEventBridgeDlq", "AllowSnsUndelivered"}


def test_the_queue_lets_sns_in_for_exactly_the_topics(scope: Scope) -> None:
    topics = [scope.topic("a"), scope.topic("b")]
    assert queue_policy(scope.queue("q"), [scope.rule("a")], topics).statements[1] == {
        "Sid": "AllowSnsUndelivered",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": scope.queue("q"),
        "Condition": {"ArnEquals": {"aws:SourceArn": topics}},
    }


def test_the_key_of_the_queue_lets_sns_in_without_a_condition_unless_switched_off(scope: Scope) -> None:
    on, off = (queue_key_policy(scope, undelivered_mail=wanted) for wanted in (True, False))
    assert on.statements[2] == {
        "Sid": "Allow SNS to use the key",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
    }
    assert off.statements == key_policy(scope).statements
    assert on.own == off.own == key_policy(scope).own | {"Allow SNS to use the key"}


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
    counted = role_policy(Uses(logs, topic, queue=queue, counts=True)).statements[3:]
    assert {one["Sid"]: (one["Action"], one["Resource"]) for one in counted} == {
        "CountMailed": ("logs:FilterLogEvents", f"{logs}:*"),
        "CountLost": ("cloudwatch:GetMetricData", "*"),
        "CountWaiting": ("sqs:GetQueueAttributes", queue),
        "CountSubscribers": ("sns:GetTopicAttributes", topic),
    }
    ours = {"Logs", "Publish", "TopicKey", "DeadLetters", "DlqKey", "Findings", *(one["Sid"] for one in counted)}
    assert least.own == whole.own == ours


# -- policies of others ------------------------------------------------------------------------------------------------


def with_(*statements: Any) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": list(statements)})


def allowing(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": EVENTS, "Action": action, "Resource": "*", **more}


@pytest.mark.parametrize(
    ("policy", "open_to_all"),
    [
        (with_(allowing("sns:Publish", Principal="*", Sid="x")), ["x"]),
        (with_(allowing("sns:Publish"), allowing("sns:*", Principal={"AWS": ["a", "*"]})), ["statement 2"]),
        (with_(allowing("sns:Publish", Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})), []),
        (with_(allowing("sns:Publish", Principal="*", Effect="Deny")), []),
        (topic_policy(SCOPES[0], "t"), []),
        (Policy({}), []),
    ],
)
def test_a_statement_for_everybody_without_a_condition_is_told(policy: Policy, open_to_all: list[str]) -> None:
    assert open_statements(policy) == open_to_all
    assert open_notes(policy) == tuple(
        f"its policy lets anybody in, without a condition ({name!r})" for name in open_to_all
    )


def test_a_principal_that_is_gone_is_told_by_its_statement() -> None:
    """IAM shows a deleted role or user by its unique id (reference_identifiers)."""
    gone = allowing("kms:*", Sid="Ops", Principal={"AWS": ["AROAEXAMPLEDELETED0001", "arn:aws:iam::1:role/r"]})
    policy = with_(gone, allowing("kms:*"), allowing("kms:*", Principal={"AWS": "AIDAEXAMPLEDELETED02"}))
    assert gone_principals(policy) == [
        "'Ops' names AROAEXAMPLEDELETED0001",
        "'statement 3' names AIDAEXAMPLEDELETED02",
    ]
    assert gone_principals(with_(allowing("kms:*", Principal="*"))) == []
