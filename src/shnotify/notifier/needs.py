"""What each command calls: the verbs of the kinds, and the operations of its own.

A new command is one row here; `shnotify iam-policy --for` and the README follow from it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from shnotify.engine.permissions import Verb, calls

BACKLOG = calls("securityhub", "GetFindings", "GetFindingsV2")
"""What reads the findings that are there."""
ESTIMATE = BACKLOG | calls("securityhub", "GetFindingStatisticsV2")
"""What counts them besides."""
MARKING = calls("securityhub", "BatchUpdateFindings", "BatchUpdateFindingsV2")
"""What marks findings."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Lists what one command calls.

    observes  whether it reads the notifier's own things, all of them
    verbs     what it does to them besides
    own       operations of its own, as the SDK names them
    besides   actions that AWS checks though no operation of that name is called
    """

    observes: bool = True
    verbs: tuple[Verb, ...] = ()
    own: frozenset[str] = frozenset()
    besides: frozenset[str] = frozenset()


COMMANDS: dict[str, Needs] = {
    "status": Needs(),
    "plan": Needs(own=BACKLOG),
    # `delete`: what the file no longer names
    "apply": Needs(verbs=("create", "update", "delete"), own=BACKLOG),
    "destroy": Needs(verbs=("delete", "release")),
    "estimate": Needs(observes=False, own=ESTIMATE),
    "baseline": Needs(observes=False, own=BACKLOG | MARKING),
    "dlq": Needs(
        own=calls("sqs", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
        | calls("sqs", "PurgeQueue")
        | calls("sns", "Publish"),
        besides=calls("kms", "Decrypt", "GenerateDataKey"),
    ),
    "test": Needs(
        own=calls("securityhub", "BatchImportFindings", "BatchUpdateFindings", "GetFindings")
        | calls("cloudwatch", "GetMetricData")
        | calls("sqs", "ReceiveMessage"),
        besides=calls("kms", "Decrypt"),
    ),
    "doctor": Needs(
        own=calls("cloudwatch", "GetMetricData")
        | calls("events", "ListRules")
        | calls("securityhub", "ListFindingAggregators", "GetAdministratorAccount")
    ),
    "why": Needs(own=BACKLOG | calls("cloudwatch", "GetMetricData")),
    "subscriptions": Needs(
        own=calls("sns", "Subscribe", "ConfirmSubscription", "Unsubscribe")
        | calls("sns", "SetSubscriptionAttributes")
    ),
}
