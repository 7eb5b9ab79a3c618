"""The policy documents of a notifier, and what is wrong with one that is not ours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shnotify.arns import Scope
from shnotify.engine.values import Policy

EVENTS = "events.amazonaws.com"
"""EventBridge's service principal, the same in every partition (China's guide too)."""

KEY_ROOT_SID = "Enable IAM User Permissions"
KEY_SID = "Allow EventBridge to use the key"
TOPIC_SID = "AWS Events"
QUEUE_SID = "AllowEventBridgeDlq"
FUNCTION_SID = "AllowEventBridge"
LAMBDA = "lambda.amazonaws.com"

_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
_PUBLISH = "sns:Publish"
_UNSUPPORTED = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")


def key_policy(scope: Scope) -> Policy:
    """A CreateKey policy replaces the default one, so the root statement is in it (key-policy-default).

    EventBridge's statement has no condition: on the key of a topic AWS does not support one (sns-key-management), and
    on the key of a queue it is not documented for rule targets.
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
        "Action": list(_KEY_ACTIONS),
        "Resource": "*",
    }
    return _policy("2012-10-17", [root, events], {KEY_ROOT_SID, KEY_SID})


def topic_policy(scope: Scope, topic_arn: str) -> Policy:
    """AWS's default statement (as CreateTopic makes it) and EventBridge's, which has no condition.

    AWS's documents contradict each other on conditions here (eb-use-resource-based, sns-access-policy-use-cases).
    """
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
    events = {
        "Sid": TOPIC_SID,
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "sns:Publish",
        "Resource": topic_arn,
    }
    policy = _policy("2008-10-17", [default, events], {TOPIC_SID})
    return Policy({"Id": "__default_policy_ID", **policy.document}, policy.own)


def queue_policy(queue_arn: str, rule_arns: list[str]) -> Policy:
    """Lets EventBridge send what exactly these rules could not deliver (eb-rule-dlq)."""
    statement = {
        "Sid": QUEUE_SID,
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arns[0] if len(rule_arns) == 1 else rule_arns}},
    }
    return _policy("2012-10-17", [statement], {QUEUE_SID})


def function_policy(function_arn: str, rule_arn: str) -> Policy:
    """Lets EventBridge invoke the function for exactly this rule, in the form that AddPermission makes of it."""
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
    statement = {"Sid": "Lambda", "Effect": "Allow", "Principal": {"Service": LAMBDA}, "Action": "sts:AssumeRole"}
    return _policy("2012-10-17", [statement], {"Lambda"})


@dataclass(frozen=True)
class Uses:
    """What the formatter's function works with, by ARN; "" for what there is none of."""

    log_group: str
    topic: str
    topic_key: str = ""
    queue: str = ""
    queue_key: str = ""
    hub: tuple[str, ...] = ()
    """Security Hub's ARNs, when findings are marked."""


def role_policy(uses: Uses) -> Policy:
    """Just what the function does: write its log, send its mails, keep what failed, mark what was sent.

    CreateLogGroup is not in it: a log group of ours that was deleted must not come back by itself. Both Security Hub
    APIs ask for `securityhub:BatchUpdateFindings` (API_BatchUpdateFindingsV2).
    """
    statements = {
        "Logs": (["logs:CreateLogStream", "logs:PutLogEvents"], f"{uses.log_group}:*"),
        "Publish": ("sns:Publish", uses.topic),
        "TopicKey": (list(_KEY_ACTIONS), uses.topic_key),
        "DeadLetters": ("sqs:SendMessage", uses.queue),
        "DlqKey": (list(_KEY_ACTIONS), uses.queue_key),
        "Findings": ("securityhub:BatchUpdateFindings", list(uses.hub)),
    }
    given = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
        for sid, (actions, resource) in statements.items()
        if resource
    ]
    return _policy("2012-10-17", given, set(statements))


def key_problems(policy: Policy, *, for_topic: bool) -> list[str]:
    """Why EventBridge could not use a key that has this policy; empty when it can."""
    if denied := _denied(policy, _KEY_ACTIONS):
        return [f"its key policy denies {EVENTS} {' and '.join(denied)}"]
    allowing = _for_events(policy, "allow")
    usable = [s for s in allowing if not for_topic or not _condition_keys(s) & set(_UNSUPPORTED)]
    missing = [action for action in _KEY_ACTIONS if not any(_is_about(s, action) for s in usable)]
    if not missing:
        return []
    if len(usable) < len(allowing):
        return [
            "its key policy limits EventBridge by aws:SourceArn, aws:SourceAccount or aws:SourceOrgID, which AWS does "
            "not support for encrypted topics: take the condition away"
        ]
    return [f"its key policy does not allow {EVENTS} {' and '.join(missing)}"]


def topic_problems(policy: Policy) -> list[str]:
    """Why EventBridge could not publish to a topic that has this policy; empty when it can.

    The default statement, which is for everybody, holds for the account's own callers only (AWS:SourceOwner).
    """
    if _denied(policy, (_PUBLISH,)):
        return [f"its policy denies {EVENTS} {_PUBLISH}"]
    named = [s for s in _for_events(policy, "allow") if "aws:sourceowner" not in _condition_keys(s)]
    return [] if any(_is_about(s, _PUBLISH) for s in named) else [f"its policy does not allow {EVENTS} {_PUBLISH}"]


def _denied(policy: Policy, actions: tuple[str, ...]) -> list[str]:
    """The actions that EventBridge is denied whatever the circumstances; a denial with a condition may never apply."""
    denials = [s for s in _for_events(policy, "deny") if not _condition_keys(s)]
    return [action for action in actions if any(_is_about(s, action) for s in denials)]


def _for_events(policy: Policy, effect: str) -> list[dict[str, Any]]:
    """The statements of this effect that mean EventBridge."""
    found = [s for s in policy.statements if str(s.get("Effect")).lower() == effect]
    return [s for s in found if _names_events(s.get("Principal"))]


def _condition_keys(statement: dict[str, Any]) -> set[str]:
    return {key.lower() for block in _dict(statement.get("Condition")).values() for key in _dict(block)}


def _is_about(statement: dict[str, Any], action: str) -> bool:
    return any(_covers(given, action) for given in _list(statement.get("Action")))


def _policy(version: str, statements: list[dict[str, Any]], own: set[str]) -> Policy:
    return Policy({"Version": version, "Statement": statements}, frozenset(own))


def _names_events(principal: Any) -> bool:
    return principal == "*" or any(
        name in (EVENTS, "*") for kind in ("Service", "AWS") for name in _list(_dict(principal).get(kind))
    )


def _covers(given: Any, action: str) -> bool:
    pattern = str(given).lower()
    return pattern == action.lower() or (pattern.endswith("*") and action.lower().startswith(pattern[:-1]))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
