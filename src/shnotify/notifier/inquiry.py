"""What a diagnosis asks beyond the notifier's own things: Security Hub's set-up, all other rules,
CloudWatch's counts and alarms.

Every question is put beside the reads of the notifier's own things. An answer that was refused is
kept as the error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from shnotify.arns import service_of
from shnotify.aws.failures import AwsError
from shnotify.aws.gateway import Aws
from shnotify.findings.overlap import shared_example
from shnotify.frozen import frozen
from shnotify.notifier.counts import sums
from shnotify.notifier.metrics import Counted, Metric, metrics_of, period, window
from shnotify.notifier.needs import ALSO
from shnotify.notifier.surroundings import or_error
from shnotify.resources.kinds import READS
from shnotify.resources.lookup import mappings_of

DOCTOR_READS = READS | ALSO["doctor"]
"""The operations of `doctor`: what `status` reads, and these."""


@frozen
class Names:
    """What the questions are about, by the names that the services know.

    patterns  the patterns of the rules that are examined
    sources   cspm, hub, or both: which Security Hub the findings come from
    """

    rules: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    patterns: tuple[Mapping[str, Any], ...] = ()
    sources: frozenset[str] = frozenset({"cspm"})


@frozen
class OtherRule:
    """Another rule that is on and lets the same findings through.

    targets  the ARNs it sends to, and of functions that take from queues among them; or why they
             could not be read
    """

    name: str
    managed_by: str
    targets: tuple[str, ...] | AwsError


@frozen
class Answers:
    """What was seen. An `AwsError` stands for an answer that was refused; None was not asked.

    hub         DescribeHub's reply
    admin       the administrator's account id; "" when this account has none
    aggregator  cspm, hub -> the aggregator (ARN, regions, mode); {} when there is none
    others      other rules that let the same findings through
    alarms      metric -> its alarms
    """

    hub: Mapping[str, Any] | AwsError | None = None
    admin: str | AwsError | None = None
    aggregator: Mapping[str, Mapping[str, Any] | AwsError] = field(default_factory=dict)
    others: tuple[OtherRule, ...] | AwsError | None = None
    counted: Counted = field(default_factory=Counted)
    alarms: Mapping[Metric, tuple[Mapping[str, Any], ...] | AwsError] = field(default_factory=dict)


class Inquiry:
    """Puts the questions of a diagnosis.

    hours  how far back the counts go
    """

    def __init__(self, aws: Aws, names: Names, hours: float) -> None:
        self._aws = aws
        self._names = names
        self._hours = hours
        self._asked: dict[str, Future[Any]] = {}
        self._alarms: dict[Metric, Future[Any]] = {}

    def start(self) -> None:
        """Puts all questions and waits for no answer."""
        aws, names = self._aws, self._names
        asked: dict[str, Callable[[], Any]] = {
            "others": lambda: _others(aws, names),
            "counted": lambda: _counted(aws, names, self._hours),
        }
        if "cspm" in names.sources:
            asked["hub"] = lambda: aws(aws.securityhub.describe_hub)
            asked["admin"] = lambda: _administrator(aws)
            asked["cspm"] = lambda: _aggregator(aws)
        if "hub" in names.sources:
            asked["hub2"] = lambda: _aggregator_v2(aws)
        self._asked = {name: aws.start(question) for name, question in asked.items()}
        self._alarms = {
            metric: aws.start(_alarms, aws, metric) for metric in watched(names.queues, names.rules)
        }

    def answers(self) -> Answers:
        """Waits for the answers. Raises `StopError` when no call can succeed any more."""
        found = {name: or_error(self._aws, future) for name, future in self._asked.items()}
        counted = found["counted"]
        if isinstance(counted, AwsError):
            counted = Counted(error=counted, hours=self._hours)
        by_service = {"cspm": found.get("cspm"), "hub": found.get("hub2")}
        return Answers(
            hub=found.get("hub"),
            admin=found.get("admin"),
            aggregator={name: one for name, one in by_service.items() if one is not None},
            others=found["others"],
            counted=counted,
            alarms={metric: or_error(self._aws, future) for metric, future in self._alarms.items()},
        )


def origin(aws: Aws, sources: Iterable[str]) -> Answers:
    """Asks only where the findings come together; many notifiers ask once.

    Raises `StopError` when no call can succeed any more.
    """
    asked: dict[str, Callable[[], Any]] = {}
    if "cspm" in sources:
        asked["admin"] = lambda: _administrator(aws)
        asked["cspm"] = lambda: _aggregator(aws)
    if "hub" in sources:
        asked["hub"] = lambda: _aggregator_v2(aws)
    put = {
        name: aws.start(aws.remember_for_all, ("origin", name), question)
        for name, question in asked.items()
    }
    found = {name: or_error(aws, future) for name, future in put.items()}
    return Answers(admin=found.pop("admin", None), aggregator=found)


def watched(queues: Iterable[str], rules: Iterable[str]) -> tuple[Metric, ...]:
    """Lists the metrics of which an alarm would tell that mail is lost (eb-monitoring)."""
    depth = "ApproximateNumberOfMessagesVisible"
    of_queues = [Metric("AWS/SQS", depth, ("QueueName", queue)) for queue in queues]
    of_rules = [Metric("AWS/Events", "FailedInvocations", ("RuleName", rule)) for rule in rules]
    return tuple(dict.fromkeys([*of_queues, *of_rules]))


# -- Security Hub ----------------------------------------------------------------------------------


def _administrator(aws: Aws) -> str:
    """The account whose member this one is, or "" (API_GetAdministratorAccount)."""
    reply = aws(aws.securityhub.get_administrator_account)
    return str((reply.get("Administrator") or {}).get("AccountId") or "")


def _aggregator(aws: Aws) -> Mapping[str, Any]:
    """The one aggregator of Security Hub CSPM, seen from any Region (API_ListFindingAggregators)."""
    hub = aws.securityhub
    found = [
        one["FindingAggregatorArn"]
        for page in aws.pages(hub.list_finding_aggregators, "NextToken")
        for one in page["FindingAggregators"]
    ]
    if not found:
        return {}
    reply = aws(hub.get_finding_aggregator, FindingAggregatorArn=found[0])
    return {
        "home": reply["FindingAggregationRegion"],
        "mode": reply.get("RegionLinkingMode", ""),
        "regions": list(reply.get("Regions") or ()),
    }


def _aggregator_v2(aws: Aws) -> Mapping[str, Any]:
    """The one aggregator of the new Security Hub (API_ListAggregatorsV2)."""
    hub = aws.securityhub
    found = [
        one["AggregatorV2Arn"]
        for page in aws.pages(hub.list_aggregators_v2, "NextToken")
        for one in page["AggregatorsV2"]
    ]
    if not found:
        return {}
    reply = aws(hub.get_aggregator_v2, AggregatorV2Arn=found[0])
    return {
        "home": reply["AggregationRegion"],
        "mode": reply.get("RegionLinkingMode", ""),
        "regions": list(reply.get("LinkedRegions") or ()),
    }


# -- other rules -----------------------------------------------------------------------------------


def _others(aws: Aws, names: Names) -> tuple[OtherRule, ...]:
    """Finds the other rules of the default bus that let the same findings through."""
    found = []
    for page in aws.pages(aws.events.list_rules, "NextToken"):
        for rule in page["Rules"]:
            on = rule.get("State", "ENABLED") != "DISABLED"
            if on and rule["Name"] not in names.rules and _overlaps(rule, names.patterns):
                found.append((rule["Name"], str(rule.get("ManagedBy") or "")))
    return tuple(OtherRule(name, by, _targets(aws, name)) for name, by in found)


def _overlaps(rule: Mapping[str, Any], patterns: Iterable[Mapping[str, Any]]) -> bool:
    try:
        theirs = json.loads(rule.get("EventPattern") or "")
    except ValueError:
        return False
    return isinstance(theirs, dict) and any(shared_example(ours, theirs) for ours in patterns)


def _targets(aws: Aws, rule: str) -> tuple[str, ...] | AwsError:
    try:
        pages = aws.pages(aws.events.list_targets_by_rule, "NextToken", Rule=rule)
        arns = [str(target["Arn"]) for page in pages for target in page["Targets"]]
        behind = [
            str(one.get("FunctionArn", ""))
            for arn in arns
            if service_of(arn) == "sqs"
            for one in mappings_of(aws, arn)
        ]
        return (*arns, *behind)
    except AwsError as error:
        return error


# -- CloudWatch ------------------------------------------------------------------------------------


def _counted(aws: Aws, names: Names, hours: float) -> Counted:
    """Reads all counts of a diagnosis."""
    metrics = metrics_of(names.rules, names.topics, names.functions)
    begin, end = window(datetime.now(UTC), hours)
    return Counted(sums(aws, metrics, begin, end, period(hours)), hours=hours)


def _alarms(aws: Aws, metric: Metric) -> tuple[Mapping[str, Any], ...]:
    """Lists the alarms on one metric (API_DescribeAlarmsForMetric)."""
    name, value = metric.dimension
    reply = aws(
        aws.cloudwatch.describe_alarms_for_metric,
        Namespace=metric.namespace,
        MetricName=metric.name,
        Dimensions=[{"Name": name, "Value": value}],
    )
    return tuple(reply.get("MetricAlarms") or ())
