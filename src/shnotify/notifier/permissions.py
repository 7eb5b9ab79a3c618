"""The IAM actions that a command's caller needs, put together from what each kind declares.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from shnotify.engine.permissions import Verb, calls
from shnotify.notifier.inquiry import DOCTOR_READS
from shnotify.resources.kinds import KINDS, READS

_VERBS: dict[str, tuple[Verb, ...]] = {
    "status": (),
    "apply": ("create", "update", "delete"),  # `delete`: what the file no longer names
    "destroy": ("delete", "release"),
}

_LOOK = calls("sqs", "GetQueueAttributes", "ReceiveMessage", "ChangeMessageVisibilityBatch")
_TAKE = calls("sqs", "ListQueueTags", "ChangeMessageVisibility")
_WHO = calls("sns", "ListSubscriptionsByTopic", "GetSubscriptionAttributes")

DLQ_OPERATIONS: dict[str, frozenset[str]] = {
    "list": _LOOK,
    "show": _LOOK,
    "export": _LOOK,
    "redrive": _LOOK
    | _TAKE
    | _WHO
    | calls("sqs", "DeleteMessage")
    | calls("sns", "Publish")
    | calls("lambda", "Invoke"),
    "purge": _LOOK | _TAKE | calls("sqs", "DeleteMessageBatch"),
}
"""What `shnotify dlq` sends, by subcommand."""

_SINCE = calls("cloudtrail", "LookupEvents")
_WHY = _LOOK.union(
    calls("securityhub", "GetFindings", "GetFindingsV2", "GetFindingHistory"),
    calls("logs", "FilterLogEvents"),
    calls("cloudwatch", "GetMetricData"),
    _SINCE,
)
ALSO: dict[str, frozenset[str]] = {
    "why": _WHY,
    "test": _WHY | calls("securityhub", "BatchImportFindings", "BatchUpdateFindings"),
    "test --direct": _SINCE | calls("sns", "Publish") | calls("cloudwatch", "GetMetricData"),
    "subscriptions list": _SINCE | calls("cloudwatch", "GetMetricData"),
    "subscriptions resend": calls("sns", "Subscribe"),
    "subscriptions confirm": calls("sns", "ConfirmSubscription"),
    "subscriptions protect": calls("sns", "Unsubscribe", "Subscribe"),
    "subscriptions remove": calls("sns", "Unsubscribe"),
}
"""What these commands send beside the reads of `status`."""

_IAM_NAMES = {
    "securityhub:GetFindingsV2": "securityhub:GetFindings",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""Operations whose permission has another name (service authorization reference;
API_GetFindingsV2)."""


def dlq_actions(*subcommands: str) -> frozenset[str]:
    """Returns the IAM actions of `dlq` subcommands, of all by default.

    Reading needs kms:Decrypt on the queue's key (sqs-key-management), publishing also
    kms:GenerateDataKey on the topic's (sns-key-management).
    """
    chosen = subcommands or tuple(DLQ_OPERATIONS)
    operations = frozenset[str]().union(*(DLQ_OPERATIONS[name] for name in chosen))
    return _iam_actions(operations) | calls("sts", "GetCallerIdentity")


def _iam_actions(operations: frozenset[str]) -> frozenset[str]:
    """Returns the actions that operations need, those on the keys of queue and topic included."""
    keys = frozenset[str]()
    if operations & calls("sqs", "ReceiveMessage"):
        keys |= calls("kms", "Decrypt")
    if operations & calls("sns", "Publish"):
        keys |= calls("kms", "Decrypt", "GenerateDataKey")
    return keys.union(_IAM_NAMES.get(operation, operation) for operation in operations)


def actions_of(command: str) -> frozenset[str]:
    """Returns the actions of a command, as IAM names them, with the reads."""
    if command == "doctor":
        return DOCTOR_READS
    if command == "dlq":
        return dlq_actions()
    if command in ALSO:
        return READS | _iam_actions(ALSO[command])
    verbs = _VERBS[command]
    return READS.union(*(kind.PERMISSIONS.actions(verb) for kind in KINDS for verb in verbs))


def in_words(actions: Iterable[str]) -> str:
    """Writes actions for a reader, by service.

    `sts:GetCallerIdentity`".
    """
    parts = []
    for service, group in groupby(sorted(actions), key=lambda action: action.partition(":")[0]):
        names = [action.partition(":")[2] for action in group]
        listed = ", ".join(f"`{name}`" for name in names)
        parts.append(f"`{service}:` {listed}" if len(names) > 1 else f"`{service}:{names[0]}`")
    return "; ".join(parts)
