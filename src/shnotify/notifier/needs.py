"""What each command calls: the verbs of the kinds, and the operations of its own.

A new command is one row here; `shnotify iam-policy --for` and the README follow from it. Pure.
"""

from __future__ import annotations

from shnotify.engine.permissions import Verb, calls
from shnotify.frozen import frozen

BACKLOG = calls("securityhub", "GetFindings", "GetFindingsV2")
"""What reads the findings that are there."""
ESTIMATE = BACKLOG | calls("securityhub", "GetFindingStatisticsV2")
"""What counts them besides."""
MARKING = calls("securityhub", "BatchUpdateFindings", "BatchUpdateFindingsV2")
"""What marks findings."""


_LETTERS = calls("sqs", "GetQueueAttributes", "ReceiveMessage") | calls(
    "sqs", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"
)
"""What reads the dead-letter queue and leaves every message in it."""
_TAKE = calls("sqs", "ListQueueTags")
_WHO = calls("sns", "ListSubscriptionsByTopic", "GetSubscriptionAttributes")

DLQ_OPERATIONS: dict[str, frozenset[str]] = {
    "list": _LETTERS,
    "show": _LETTERS,
    "export": _LETTERS,
    "redrive": _LETTERS
    | _TAKE
    | _WHO
    | calls("sqs", "DeleteMessage")
    | calls("sns", "Publish")
    | calls("lambda", "Invoke"),
    "purge": _LETTERS | _TAKE | calls("sqs", "DeleteMessageBatch"),
}
"""What `shnotify dlq` sends, by subcommand."""

_SINCE = calls("cloudtrail", "LookupEvents")
"""What tells since when a subscriber is asked."""
_TRACES = (
    BACKLOG
    | _SINCE
    | _LETTERS
    | calls("securityhub", "GetFindingHistory")
    | calls("logs", "FilterLogEvents")
    | calls("cloudwatch", "GetMetricData")
)
"""What follows one finding through the chain."""

ALSO: dict[str, frozenset[str]] = {
    "doctor": calls("events", "ListRules")
    | calls("lambda", "ListEventSourceMappings")
    | calls("securityhub", "GetAdministratorAccount")
    | calls("securityhub", "ListFindingAggregators", "GetFindingAggregator")
    | calls("securityhub", "ListAggregatorsV2", "GetAggregatorV2")
    | calls("cloudwatch", "GetMetricData", "DescribeAlarmsForMetric")
    | calls("cloudtrail", "LookupEvents"),
    "why": _TRACES,
    "test": _TRACES | calls("securityhub", "BatchImportFindings", "BatchUpdateFindings"),
    "test --direct": _SINCE | calls("sns", "Publish") | calls("cloudwatch", "GetMetricData"),
    "subscriptions list": _SINCE | calls("cloudwatch", "GetMetricData"),
    "subscriptions resend": calls("sns", "Subscribe"),
    "subscriptions confirm": calls("sns", "ConfirmSubscription"),
    "subscriptions protect": calls("sns", "Unsubscribe", "Subscribe"),
    "subscriptions remove": calls("sns", "Unsubscribe"),
}
"""What these commands send beside the reads of `status`."""

PLAN = (
    BACKLOG
    | calls("securityhub", "GetAdministratorAccount")
    | calls("securityhub", "ListFindingAggregators", "GetFindingAggregator")
    | calls("securityhub", "ListAggregatorsV2", "GetAggregatorV2")
)
"""What `plan` sends beside the reads of `status`."""

INIT = PLAN | calls("sns", "ListTopics") | calls("events", "ListRules")
"""What `init` sends beside the reads of `status`: it looks for what is there, and ends with the plan."""

ROLLOUT_READS = calls(
    "cloudformation",
    "DescribeStackSet",
    "DescribeStackInstance",
    "DescribeStackSetOperation",
    "ListStackInstances",
    "ListStackSetOperations",
    "ListStackSetOperationResults",
)
ROLLOUT_DRIFT = calls("cloudformation", "DetectStackSetDrift")
"""What `rollout status --detect-drift` sends besides: StackSets compare, and change no stack."""
ROLLOUT_WRITES = calls(
    "cloudformation",
    "CreateStackSet",
    "UpdateStackSet",
    "CreateStackInstances",
    "UpdateStackInstances",
    "DeleteStackInstances",
    "DeleteStackSet",
)


@frozen(kw_only=True)
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
    "init": Needs(own=INIT),
    "status": Needs(),
    "plan": Needs(own=PLAN),
    # `delete`: what the file no longer names
    "apply": Needs(verbs=("create", "update", "delete"), own=BACKLOG),
    "destroy": Needs(verbs=("delete", "release")),
    "estimate": Needs(observes=False, own=ESTIMATE),
    "baseline": Needs(observes=False, own=BACKLOG | MARKING),
    "dlq": Needs(
        observes=False,
        own=frozenset[str]().union(*DLQ_OPERATIONS.values()),
        besides=calls("kms", "Decrypt", "GenerateDataKey"),
    ),
    "test": Needs(
        own=ALSO["test"] | ALSO["test --direct"], besides=calls("kms", "Decrypt", "GenerateDataKey")
    ),
    "doctor": Needs(own=ALSO["doctor"]),
    "why": Needs(own=ALSO["why"], besides=calls("kms", "Decrypt")),
    "subscriptions": Needs(
        own=frozenset().union(*(ALSO[name] for name in ALSO if name.startswith("subscriptions")))
    ),
    "rollout": Needs(
        observes=False,
        own=ROLLOUT_READS | ROLLOUT_DRIFT | ROLLOUT_WRITES,
        # API_CreateStackSet: tags; CallAs=DELEGATED_ADMIN (stacksets-prereqs)
        besides=calls("cloudformation", "TagResource")
        | calls("organizations", "ListDelegatedAdministrators"),
    ),
}
