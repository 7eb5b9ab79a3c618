"""The policy documents that a notifier writes, and what a person should know of one that others
wrote. Pure.
"""

from __future__ import annotations

import re
from typing import Any

from shnotify.arns import Scope
from shnotify.engine.values import Policy
from shnotify.frozen import frozen

EVENTS = "events.amazonaws.com"
"""EventBridge's service principal, the same in every partition (China's guide too)."""

KEY_ROOT_SID = "Enable IAM User Permissions"
KEY_SID = "Allow EventBridge to use the key"
SNS_KEY_SID = "Allow SNS to use the key"
TOPIC_SID = "AWS Events"
QUEUE_SID = "AllowEventBridgeDlq"
SNS_QUEUE_SID = "AllowSnsUndelivered"
FUNCTION_SID = "AllowEventBridge"
ALARM_SID = "AllowCloudWatchAlarms"
BUFFER_SID = "Buffer"
BUFFER_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda does with a queue in the role's name (with-sqs, execution role permissions)."""
LAMBDA = "lambda.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"
SNS = "sns.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
"""CloudWatch alarms' service principal."""

KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
_UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{8,}")


def key_policy(scope: Scope) -> Policy:
    """Writes a key's policy, with the root statement that a CreateKey policy would otherwise
    replace (key-policy-default).

    EventBridge's statement has no condition: on the key of a topic AWS does not support one
    (sns-key-management), and on the key of a queue it is not documented for rule targets.
    """
    root = {
        "Sid": KEY_ROOT_SID,
        "Effect": "Allow",
        "Principal": {"AWS": scope.root()},
        "Action": "kms:*",
        "Resource": "*",
    }
    events = {
        "Sid": KEY_SID,
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": list(KEY_ACTIONS),
        "Resource": "*",
    }
    return _policy("2012-10-17", [root, events], {KEY_ROOT_SID, KEY_SID})


def queue_key_policy(scope: Scope, *, undelivered_mail: bool) -> Policy:
    """Writes the policy of the queue's key, which lets SNS in too when SNS keeps its mail there
    (sns-dead-letter-queues).

    SNS's statement has no condition either: AWS's own for a queue behind a subscription has none
    (sns-enable-encryption-for-topic-sqs-queue-subscriptions).
    """
    policy = key_policy(scope)
    sns = {
        "Sid": SNS_KEY_SID,
        "Effect": "Allow",
        "Principal": {"Service": SNS},
        "Action": list(KEY_ACTIONS),
        "Resource": "*",
    }
    statements = [*policy.statements, *([sns] if undelivered_mail else [])]
    return _policy("2012-10-17", statements, {*policy.own, SNS_KEY_SID})


def topic_policy(scope: Scope, topic_arn: str) -> Policy:
    """Writes a topic's policy: AWS's default statement, and EventBridge's without a condition.

    AWS's documents contradict each other on conditions here (eb-use-resource-based,
    sns-access-policy-use-cases).
    """
    events = {
        "Sid": TOPIC_SID,
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "sns:Publish",
        "Resource": topic_arn,
    }
    return _of_topic(scope, topic_arn, events, TOPIC_SID)


def alarm_topic_policy(scope: Scope, topic_arn: str) -> Policy:
    """Writes the policy of the topic that alarms tell: this account's alarms only, a condition that
    CloudWatch keeps (sns-access-policy-use-cases).
    """
    alarms = {
        "Sid": ALARM_SID,
        "Effect": "Allow",
        "Principal": {"Service": CLOUDWATCH},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": scope.account}},
    }
    return _of_topic(scope, topic_arn, alarms, ALARM_SID)


def _of_topic(scope: Scope, topic_arn: str, statement: dict[str, Any], sid: str) -> Policy:
    """Puts a statement beside SNS's own default."""
    default = {
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
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": scope.account}},
    }
    policy = _policy("2008-10-17", [default, statement], {sid})
    return Policy({"Id": "__default_policy_ID", **policy.document}, policy.own)


QUEUE_POLICY_BYTES = 8192
"""SQS Developer Guide, quotas related to policies."""


def queue_policy(queue_arn: str, rule_arns: list[str], topic_arns: list[str]) -> Policy:
    """Lets EventBridge send what exactly these rules could not deliver (eb-rule-dlq), and SNS what
    exactly these topics could not (sns-configure-dead-letter-queue).
    """
    statements = [_sending(QUEUE_SID, EVENTS, queue_arn, rule_arns)]
    if topic_arns:
        statements.append(_sending(SNS_QUEUE_SID, SNS, queue_arn, topic_arns))
    return _policy("2012-10-17", statements, {QUEUE_SID, SNS_QUEUE_SID})


def _sending(sid: str, service: str, queue_arn: str, sources: list[str]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": sources[0] if len(sources) == 1 else sources}},
    }


def function_policy(function_arn: str, rule_arn: str) -> Policy:
    """Lets EventBridge invoke the function for exactly this rule, in the form that AddPermission
    gives.
    """
    statement = {
        "Sid": FUNCTION_SID,
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "lambda:InvokeFunction",
        "Resource": function_arn,
        "Condition": {"ArnLike": {"AWS:SourceArn": rule_arn}},
    }
    return _policy("2012-10-17", [statement], {FUNCTION_SID})


def role_trust() -> Policy:
    """Lets Lambda take the role (lambda-intro-execution-role)."""
    statement = {
        "Sid": "Lambda",
        "Effect": "Allow",
        "Principal": {"Service": LAMBDA},
        "Action": "sts:AssumeRole",
    }
    return _policy("2012-10-17", [statement], {"Lambda"})


def scheduler_trust(scope: Scope) -> Policy:
    """Lets EventBridge Scheduler take the role for this account's schedules (scheduler user guide,
    cross-service-confused-deputy-prevention).
    """
    statement = {
        "Sid": "Scheduler",
        "Effect": "Allow",
        "Principal": {"Service": SCHEDULER},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": scope.account}},
    }
    return _policy("2012-10-17", [statement], {"Scheduler"})


def heartbeat_policy(bus: str, queue: str) -> Policy:
    """Allows what the schedule does: send the event, keep what could not be sent."""
    statements = [
        {"Sid": "Send", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus},
        {"Sid": "Keep", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue},
    ]
    return _policy("2012-10-17", statements, {"Send", "Keep"})


def only_encrypted(queue_arn: str) -> Policy:
    """Refuses calls without TLS; who may use the queue, IAM says (sqs-security-best-practices)."""
    statement = {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return _policy("2012-10-17", [statement], {"OnlyTls"})


@frozen
class Uses:
    """Names what the formatter's function works with, by ARN; "" stands for nothing."""

    log_group: str
    topic: str
    topic_key: str = ""
    queue: str = ""
    queue_key: str = ""
    hub: tuple[str, ...] = ()
    """Security Hub's ARNs, when findings are marked."""
    buffer: str = ""
    counts: bool = False
    """Whether a sign of life says what happened since the last one."""


def role_policy(uses: Uses) -> Policy:
    """Allows what the function does: write its log, send mails, keep failures, mark findings, and
    take batches.

    CreateLogGroup is not in it: a log group of ours that was deleted must not come back by itself.
    What a sign of life counts it may only read; GetMetricData takes no resource (Service
    Authorization Reference, CloudWatch).
    Both Security Hub APIs ask for `securityhub:BatchUpdateFindings` (API_BatchUpdateFindingsV2).
    """
    statements = {
        "Logs": (["logs:CreateLogStream", "logs:PutLogEvents"], f"{uses.log_group}:*"),
        "Publish": ("sns:Publish", uses.topic),
        "TopicKey": (list(KEY_ACTIONS), uses.topic_key),
        "DeadLetters": ("sqs:SendMessage", uses.queue),
        "DlqKey": (list(KEY_ACTIONS), uses.queue_key),
        "Findings": ("securityhub:BatchUpdateFindings", list(uses.hub)),
        BUFFER_SID: (list(BUFFER_ACTIONS), uses.buffer),
        "CountMailed": ("logs:FilterLogEvents", f"{uses.log_group}:*" if uses.counts else ""),
        "CountLost": ("cloudwatch:GetMetricData", "*" if uses.counts else ""),
        "CountWaiting": ("sqs:GetQueueAttributes", uses.queue if uses.counts else ""),
        "CountSubscribers": ("sns:GetTopicAttributes", uses.topic if uses.counts else ""),
    }
    given = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
        for sid, (actions, resource) in statements.items()
        if resource
    ]
    # Without a buffer its statement is nobody's: it stays while one that is left over is emptied.
    own = set(statements) - (set() if uses.buffer else {BUFFER_SID})
    return _policy("2012-10-17", given, own)


def open_statements(policy: Policy) -> list[str]:
    """Names the statements that let anybody in: an Allow for `*` without a condition."""
    found = []
    for number, statement in enumerate(policy.statements, start=1):
        allows = str(statement.get("Effect")).lower() == "allow"
        if allows and not statement.get("Condition") and _is_everybody(statement.get("Principal")):
            found.append(str(statement.get("Sid") or f"statement {number}"))
    return found


def open_notes(policy: Policy) -> tuple[str, ...]:
    """Says what a person should know of a policy that lets anybody in."""
    return tuple(
        f"its policy lets anybody in, without a condition ({name!r})"
        for name in open_statements(policy)
    )


def gone_principals(policy: Policy) -> list[str]:
    """Names the statements with a deleted user or role, which IAM shows by an id
    (reference_identifiers).
    """
    found = []
    for number, statement in enumerate(policy.statements, start=1):
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, dict) else None
        gone = [name for name in _list(named) if _UNIQUE_ID.fullmatch(str(name))]
        if gone:
            found.append(
                f"{str(statement.get('Sid') or f'statement {number}')!r} names {', '.join(gone)}"
            )
    return found


def _is_everybody(principal: Any) -> bool:
    if isinstance(principal, dict):
        return "*" in _list(principal.get("AWS"))
    return bool(principal == "*")


def _policy(version: str, statements: list[dict[str, Any]], own: set[str]) -> Policy:
    return Policy({"Version": version, "Statement": statements}, frozenset(own))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
