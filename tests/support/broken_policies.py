"""Broken in a policy, a key, a queue or a function."""

from __future__ import annotations

from typing import Any

from tests.support.breakages import (
    BOTH,
    EVENTS,
    FOREIGN_TOPIC,
    ORG,
    OTHER,
    OUTSIDE,
    QUEUE_ARN,
    RULE_ARN,
    Breakage,
    allow,
    answer,
    deny,
    key_policy,
    key_state,
    policy,
    put,
    queue,
    refuse,
    target,
    topic,
)
from tests.support.broken_names import FUNCTION, GONE, LAMBDA, ROLE_TRUST, SUMMARY, TOPIC
from tests.support.faults import REGION
from tests.support.lifecycle import ACCOUNT

IN_FORMATTER = [
    Breakage(
        "formatter",
        "failed",
        {"lambda:GetFunction": put("Configuration", State="Failed", StateReason="x")},
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "throttled to nothing",
        {"lambda:GetFunction": put(Concurrency={"ReservedConcurrentExecutions": 0})},
        modes=LAMBDA,
    ),
    Breakage("formatter", "nobody may invoke it", {"lambda:GetPolicy": answer({"Policy": policy()})}, modes=LAMBDA),
    Breakage(
        "formatter",
        "another rule may invoke it",
        {
            "lambda:GetPolicy": answer(
                {
                    "Policy": policy(
                        allow(
                            "lambda:InvokeFunction",
                            FUNCTION,
                            Condition={"ArnLike": {"aws:SourceArn": RULE_ARN + "-old"}},
                        )
                    )
                }
            )
        },
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "a source account in its policy",
        {
            "lambda:GetPolicy": answer(
                {
                    "Policy": policy(
                        allow(
                            "lambda:InvokeFunction",
                            FUNCTION,
                            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                        )
                    )
                }
            )
        },
        modes=LAMBDA,
    ),
    Breakage("formatter", "its role is gone", {"iam:GetRole": refuse("NoSuchEntity", 404)}, modes=LAMBDA),
    Breakage(
        "formatter",
        "Lambda may not take its role",
        {"iam:GetRole": put("Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [ROLE_TRUST]})},
        modes=LAMBDA,
    ),
    Breakage(
        "formatter",
        "in a VPC",
        {"lambda:GetFunction": put("Configuration", VpcConfig={"VpcId": "vpc-1"})},
        "unknown",
        modes=LAMBDA,
    ),
    *(
        Breakage("formatter", what, {"lambda:GetFunction": edit}, "unknown", "", modes=LAMBDA)
        for what, edit in {
            "another handler": put("Configuration", Handler="x.y"),
            "too little time": put("Configuration", Timeout=1),
            "too little memory": put("Configuration", MemorySize=64),
            "another topic in its environment": put(
                "Configuration", Environment={"Variables": {"TOPIC_ARN": FOREIGN_TOPIC}}
            ),
        }.items()
    ),
    Breakage(
        "formatter",
        "other code",
        {"lambda:GetFunction": put("Configuration", CodeSha256="x")},
        "unknown",
        "",
        modes=LAMBDA,
    ),
]


def _all_but(statement: dict[str, Any], who: dict[str, str]) -> dict[str, Any]:
    """The statement with a NotPrincipal."""
    return {**{name: value for name, value in statement.items() if name != "Principal"}, "NotPrincipal": who}


def _not_action(statement: dict[str, Any], action: str) -> dict[str, Any]:
    """The statement with a NotAction."""
    return {**{name: value for name, value in statement.items() if name != "Action"}, "NotAction": action}


IN_TOPIC = [
    Breakage("topic-policy", "empty", topic(Policy=policy()), modes=SUMMARY, cites="16"),
    Breakage(
        "topic-policy",
        "only the default statement",
        topic(
            Policy=policy(
                allow(
                    "SNS:Publish",
                    TOPIC,
                    Principal={"AWS": "*"},
                    Condition={"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
                )
            )
        ),
        modes=SUMMARY,
        cites="16",
    ),
    Breakage(
        "topic-policy",
        "another account's rules",
        topic(Policy=policy(allow("sns:Publish", TOPIC, Condition={"StringEquals": {"aws:SourceAccount": OTHER}}))),
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "another topic",
        topic(Policy=policy(allow("sns:Publish", FOREIGN_TOPIC))),
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "another action",
        topic(Policy=policy(allow("sns:Subscribe", TOPIC))),
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "denied outside the organisation",
        topic(Policy=policy(allow("sns:Publish", TOPIC), deny("sns:Publish", TOPIC, Condition=OUTSIDE))),
        modes=SUMMARY,
        cites="case 27",
    ),
    Breakage(
        "topic-policy",
        "a condition that the guides disagree about",
        topic(Policy=policy(allow("sns:Publish", TOPIC, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))),
        "unknown",
        modes=SUMMARY,
    ),
    Breakage(
        "topic-policy",
        "not allowed to look",
        {"sns:GetTopicAttributes": refuse("AuthorizationError", 403)},
        "unknown",
        also=frozenset({"topic-key"}),
        modes=SUMMARY,
        masks=True,
    ),
    *(
        Breakage(
            "topic-policy", what, topic(Policy=policy(allow("sns:Publish", TOPIC), statement)), verdict, modes=SUMMARY
        )
        for what, statement, verdict in (
            ("denied to all but the account", _all_but(deny("sns:Publish", TOPIC), {"AWS": ACCOUNT}), "broken"),
            ("denied but for one action", _not_action(deny("", TOPIC), "sns:Subscribe"), "broken"),
            (
                "denied if for another account",
                deny("sns:Publish", TOPIC, Condition={"StringNotEqualsIfExists": {"aws:SourceAccount": OTHER}}),
                "broken",
            ),
            (
                "denied if not for this account",
                deny("sns:Publish", TOPIC, Condition={"StringNotEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}),
                "unknown",
            ),
            (
                "denied to all but roles",
                deny("sns:Publish", TOPIC, Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}),
                "broken",
            ),
            (
                "denied to services",
                deny("sns:*", "*", Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}),
                "broken",
            ),
            (
                "denied where no organisation is named",
                deny("sns:Publish", TOPIC, Condition={"Null": {"aws:PrincipalOrgID": "true"}}),
                "broken",
            ),
            (
                "denied outside a network",
                deny("sns:Publish", TOPIC, Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
                "broken",
            ),
        )
    ),
    Breakage("topic-policy", "the topic is gone", GONE, rule="", modes=SUMMARY, masks=True),
]

_KEY_FAULTS = {
    "only the root": ([], "broken", "13"),
    "no Decrypt": ([allow("kms:GenerateDataKey*")], "broken", ""),
    "no GenerateDataKey": ([allow("kms:Decrypt")], "broken", ""),
    "another service": ([allow(BOTH, Principal={"Service": "cloudwatch.amazonaws.com"})], "broken", ""),
    "limited to the organisation": ([allow(BOTH, Condition={"StringEquals": ORG})], "broken", "case 26"),
    "denied outside the organisation": (
        [allow(BOTH), deny("kms:*", Condition=OUTSIDE)],
        "broken",
        "case 26",
    ),
    "denied": ([allow(BOTH), deny("kms:Decrypt", Principal=EVENTS)], "broken", ""),
    "limited to a VPC": (
        [allow(BOTH, Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})],
        "broken",
        "",
    ),
}
_SNS_ONLY = {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}
_ONLY_TOPIC_KEY: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "only by way of SNS": ([allow(BOTH, Condition={"StringEquals": _SNS_ONLY})], "unknown", ""),
    "denied but by way of SNS": (
        [allow(BOTH), deny("kms:Decrypt", Condition={"StringNotEquals": _SNS_ONLY})],
        "unknown",
        "",
    ),
    "for another topic": (
        [allow(BOTH, Condition={"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": FOREIGN_TOPIC}})],
        "broken",
        "",
    ),
    "denied but for one action": ([allow(BOTH), _not_action(deny(""), "kms:Describe*")], "broken", ""),
    "denied to services": (
        [allow(BOTH), deny("kms:Decrypt", Condition={"BoolIfExists": {"aws:PrincipalIsAWSService": "true"}})],
        "broken",
        "",
    ),
    "for another key": ([allow(BOTH, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other")], "broken", ""),
}
SOURCES = {
    f"limited by {name}": ([allow(BOTH, Condition={"StringEquals": {name: value}})], "broken", "14")
    for name, value in {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": RULE_ARN,
        "aws:SourceOrgID": "o-abc",
    }.items()
}

_ELSEWHERE = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"

IN_KEYS = [
    *(
        Breakage("topic-key", what, key_policy("topic", *statements), verdict, modes=SUMMARY, cites=cites)
        for what, (statements, verdict, cites) in {**_KEY_FAULTS, **_ONLY_TOPIC_KEY, **SOURCES}.items()
    ),
    *(
        Breakage("queue-key", what, key_policy("dlq", *statements), verdict, cites="15" if cites == "13" else "")
        for what, (statements, verdict, cites) in _KEY_FAULTS.items()
    ),
    Breakage("topic-key", "of another Region", topic(KmsMasterKeyId=_ELSEWHERE)),
    Breakage("queue-key", "of another Region", queue(KmsMasterKeyId=_ELSEWHERE)),
    Breakage("topic-key", "disabled", key_state("topic", "Disabled")),
    Breakage("topic-key", "on its way out", key_state("topic", "PendingDeletion")),
    Breakage("topic-key", "denied to all", key_policy("topic", deny("kms:*"))),
    Breakage("queue-key", "disabled", key_state("dlq", "Disabled")),
    Breakage("queue-key", "on its way out", key_state("dlq", "PendingDeletion")),
]

OF_AWS = [
    Breakage("topic-key", "AWS's own key", topic(KmsMasterKeyId="alias/aws/sns"), modes=SUMMARY, cites="13"),
    Breakage("queue-key", "AWS's own key", queue(KmsMasterKeyId="alias/aws/sqs"), cites="13"),
]

IN_QUEUE = [
    Breakage(
        "queue",
        "gone",
        {"sqs:GetQueueAttributes": refuse("AWS.SimpleQueueService.NonExistentQueue")},
        masks=True,
    ),
    Breakage("queue", "the target names none", target(DeadLetterConfig=None), rule="warning"),
    Breakage(
        "queue",
        "a queue of another Region",
        target(DeadLetterConfig={"Arn": QUEUE_ARN.replace(REGION, "us-east-1")}),
        modes=SUMMARY,
        rule="",
    ),
    Breakage("queue", "a FIFO queue", target(DeadLetterConfig={"Arn": QUEUE_ARN + ".fifo"}), rule=""),
    Breakage(
        "queue",
        "the function keeps nothing",
        {"lambda:GetFunctionEventInvokeConfig": answer({"MaximumRetryAttempts": 2})},
        rule="",
        modes=LAMBDA,
    ),
    Breakage("queue-policy", "empty", queue(Policy=policy()), cites="15"),
    Breakage(
        "queue-policy",
        "for another rule",
        queue(
            Policy=policy(
                allow("sqs:SendMessage", QUEUE_ARN, Condition={"ArnEquals": {"aws:SourceArn": RULE_ARN + "2"}})
            )
        ),
    ),
    Breakage(
        "queue-policy",
        "another service",
        queue(Policy=policy(allow("sqs:SendMessage", QUEUE_ARN, Principal={"Service": "sns.amazonaws.com"}))),
    ),
    Breakage(
        "queue-policy",
        "denied outside the organisation",
        queue(Policy=policy(allow("sqs:SendMessage", QUEUE_ARN), deny("sqs:*", QUEUE_ARN, Condition=OUTSIDE))),
    ),
    Breakage(
        "queue-policy",
        "the rule of another bus",
        queue(
            Policy=policy(
                allow(
                    "sqs:SendMessage",
                    QUEUE_ARN,
                    Condition={"ArnEquals": {"aws:SourceArn": RULE_ARN.replace("rule/", "rule/bus/")}},
                )
            )
        ),
    ),
    Breakage(
        "queue-policy",
        "denied to all but another rule",
        queue(
            Policy=policy(
                allow("sqs:SendMessage", QUEUE_ARN),
                deny("sqs:*", QUEUE_ARN, Condition={"ArnNotEquals": {"aws:SourceArn": RULE_ARN + "2"}}),
            )
        ),
    ),
    Breakage("queue", "too small for any finding", queue(MaximumMessageSize="1024")),
    Breakage("queue", "too small for a large finding", queue(MaximumMessageSize="65536"), "warning"),
    Breakage("queue", "forgets within a minute", queue(MessageRetentionPeriod="60"), "warning"),
    Breakage(
        "queue",
        "the target names another",
        target(DeadLetterConfig={"Arn": QUEUE_ARN + "2"}),
        "unknown",
        rule="broken",
    ),
    Breakage("queue-depth", "messages wait", queue(ApproximateNumberOfMessages="3")),
    Breakage("queue-depth", "messages are read", queue(ApproximateNumberOfMessagesNotVisible="1")),
]
