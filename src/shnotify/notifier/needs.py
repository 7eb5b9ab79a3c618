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


_LETTERS = calls("sqs", "GetQueueAttributes", "ReceiveMessage", "ChangeMessageVisibilityBatch")
"""What reads the dead-letter queue and leaves every message in it."""
_TRACES = (
    BACKLOG
    | _LETTERS
    | calls("securityhub", "GetFindingHistory")
    | calls("logs", "FilterLogEvents")
    | calls("cloudwatch", "GetMetricData")
)
"""What follows one finding through the chain."""


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
        observes=False,
        own=_LETTERS
        | calls("sqs", "ListQueueTags", "DeleteMessage", "DeleteMessageBatch")
        | calls("sqs", "ChangeMessageVisibility")
        | calls("sns", "ListSubscriptionsByTopic", "GetSubscriptionAttributes", "Publish")
        | calls("lambda", "Invoke"),
        besides=calls("kms", "Decrypt", "GenerateDataKey"),
    ),
    "test": Needs(
        own=_TRACES | calls("securityhub", "BatchImportFindings", "BatchUpdateFindings"),
        besides=calls("kms", "Decrypt"),
    ),
    "doctor": Needs(
        own=calls("events", "ListRules")
        | calls("securityhub", "GetAdministratorAccount")
        | calls("securityhub", "ListFindingAggregators", "GetFindingAggregator")
        | calls("securityhub", "ListAggregatorsV2", "GetAggregatorV2")
        | calls("cloudwatch", "GetMetricData", "DescribeAlarmsForMetric")
    ),
    "why": Needs(own=_TRACES, besides=calls("kms", "Decrypt")),
    "subscriptions": Needs(own=calls("sns", "Subscribe", "ConfirmSubscription", "Unsubscribe")),
}
