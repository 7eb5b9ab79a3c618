"""What CloudWatch counted: deliveries, failures, and what was lost. Pure.

EventBridge's metrics are best effort, may be late or missing, and several are sent only when they
are not zero (eb-monitoring). So no data is `unknown`, never `ok`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from shnotify.aws.failures import AwsError
from shnotify.engine.health import Link, Verdict
from shnotify.frozen import frozen
from shnotify.notifier.words import unread

MOST_QUERIES = 500
"""Queries in one GetMetricData (API_GetMetricData)."""
_BUCKETS = 288
_FIVE_MINUTES = 300


@frozen
class Metric:
    """One metric of one thing, summed up.

    dimension  its name and value, such as `RuleName` and the rule's name
    """

    namespace: str
    name: str
    dimension: tuple[str, str]


@frozen
class Counted:
    """What CloudWatch counted in a span of time.

    series   metric -> the sums of its buckets by their begin; a metric without data is absent
    error    why nothing could be read, or None
    hours    how long the span is
    """

    series: Mapping[Metric, Mapping[datetime, float]] = field(default_factory=dict)
    error: AwsError | None = None
    hours: float = 24

    def total(self, metric: Metric) -> float:
        return sum(self.series.get(metric, {}).values())

    def has(self, *metrics: Metric) -> bool:
        return any(self.series.get(metric) for metric in metrics)

    def last(self, metric: Metric) -> datetime | None:
        """When the metric was last not zero."""
        return max((at for at, value in self.series.get(metric, {}).items() if value), default=None)

    @property
    def span(self) -> str:
        return f"{self.hours:g} hours" if self.hours != 1 else "hour"


def of_rule(rule: str, name: str) -> Metric:
    """A metric of a rule on the default bus, which has the one dimension RuleName (eb-monitoring)."""
    return Metric("AWS/Events", name, ("RuleName", rule))


def of_topic(topic: str, name: str) -> Metric:
    return Metric("AWS/SNS", name, ("TopicName", topic))


def of_function(function: str, name: str) -> Metric:
    """Names what is counted of all versions and aliases of a function (monitoring-metrics-types)."""
    return Metric("AWS/Lambda", name, ("FunctionName", function.partition(":")[0]))


_RULE = (
    "Invocations",
    "FailedInvocations",
    "InvocationsSentToDlq",
    "InvocationsFailedToBeSentToDlq",
    "ThrottledRules",
    "MatchedEvents",
    "TriggeredRules",
)
_TOPIC = ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed")
_FUNCTION = ("Invocations", "Errors", "Throttles")


def metrics_of(
    rules: Iterable[str], topics: Iterable[str], functions: Iterable[str]
) -> tuple[Metric, ...]:
    """Lists all metrics that a diagnosis of these things looks at."""
    found = [of_rule(rule, name) for rule in rules for name in _RULE]
    found += [of_topic(topic, name) for topic in topics for name in _TOPIC]
    found += [of_function(function, name) for function in functions for name in _FUNCTION]
    return tuple(dict.fromkeys(found))


def queries(metrics: Iterable[Metric], seconds: int) -> list[dict[str, Any]]:
    """Makes the queries of GetMetricData; the n-th has the id `m<n>`.

    seconds  the length of a bucket
    """
    found = []
    for number, metric in enumerate(metrics):
        name, value = metric.dimension
        stat = {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value}],
            },
            "Period": seconds,
            "Stat": "Sum",
        }
        found.append({"Id": f"m{number}", "MetricStat": stat, "ReturnData": True})
    return found


def period(hours: float) -> int:
    """Seconds of a bucket: a multiple of five minutes, which CloudWatch keeps for 63 days."""
    wanted = hours * 3600 / _BUCKETS
    return max(1, -int(-wanted // _FIVE_MINUTES)) * _FIVE_MINUTES


# -- judgements ------------------------------------------------------------------------------------


def rule_link(resource: str, rule: str, counted: Counted) -> Link:
    """Judges what became of a rule's invocations."""
    if counted.error:
        return _unread("invocations", resource, counted.error)
    counts = {name: counted.total(of_rule(rule, name)) for name in _RULE}
    evidence = {name: int(count) for name, count in counts.items() if count}
    failed, lost = counts["FailedInvocations"], counts["InvocationsFailedToBeSentToDlq"]
    kept = counts["InvocationsSentToDlq"]
    if failed or lost or kept:
        times = [
            counted.last(of_rule(rule, name))
            for name in (
                "FailedInvocations",
                "InvocationsSentToDlq",
                "InvocationsFailedToBeSentToDlq",
            )
        ]
        last = max(time for time in times if time)
        went = [f"{counted_as(failed, 'invocation')} failed"] if failed else []
        went += [f"{counted_as(kept, 'event')} went to the dead-letter queue"] if kept else []
        went += (
            [
                f"{counted_as(lost, 'event')} lost, which could not even be put into the dead-letter queue"
            ]
            if lost
            else []
        )
        why = f"{resource}: in the last {counted.span} {', '.join(went)}, the last at {_at(last)}"
        return _since("invocations", resource, why, _succeeded(rule, counted, last), evidence)
    if counts["ThrottledRules"]:
        why = f"{resource} was throttled {counted_as(counts['ThrottledRules'], 'time')}: mails are late"
        return Link("invocations", "warning", why, evidence=evidence, resource=resource)
    if counts["Invocations"]:
        return Link("invocations", "ok", evidence=evidence, resource=resource)
    if matched := counts["MatchedEvents"] or counts["TriggeredRules"]:
        why = (
            f"{resource} matched {counted_as(matched, 'event')} in the last {counted.span}, "
            "and CloudWatch shows no invocation for them"
        )
        return Link("invocations", "unknown", why, evidence=evidence, resource=resource)
    why = f"no data on {resource} in the last {counted.span}: nothing matched, or the numbers are late"
    return Link("invocations", "unknown", why, mend="shnotify test", resource=resource)


def _succeeded(rule: str, counted: Counted, after: datetime) -> bool:
    """Tells whether an invocation succeeded later; Invocations counts the failed ones too."""
    tried = counted.series.get(of_rule(rule, "Invocations"), {})
    failed = counted.series.get(of_rule(rule, "FailedInvocations"), {})
    return any(at > after and count > failed.get(at, 0) for at, count in tried.items())


def function_link(resource: str, function: str, counted: Counted) -> Link:
    """Judges what became of a formatter's runs."""
    if counted.error:
        return _unread("invocations", resource, counted.error)
    errors, throttles = of_function(function, "Errors"), of_function(function, "Throttles")
    runs = of_function(function, "Invocations")
    evidence = {
        metric.name: int(counted.total(metric))
        for metric in (runs, errors, throttles)
        if counted.total(metric)
    }
    if last := counted.last(errors):
        failures = counted_as(counted.total(errors), "run")
        why = f"{resource}: in the last {counted.span} {failures} ended in an error, the last at {_at(last)}"
        failed = counted.series[errors]
        later = any(
            at > last and count > failed.get(at, 0)
            for at, count in counted.series.get(runs, {}).items()
        )
        return _since("invocations", resource, why, later, evidence)
    if counted.total(throttles):
        times = counted_as(counted.total(throttles), "time")
        why = f"{resource} was throttled {times} in the last {counted.span}: mails are late"
        return Link("invocations", "warning", why, evidence=evidence, resource=resource)
    if counted.total(runs):
        return Link("invocations", "ok", evidence=evidence, resource=resource)
    why = (
        f"no data on {resource} in the last {counted.span}: it did not run, or the numbers are late"
    )
    return Link("invocations", "unknown", why, mend="shnotify test", resource=resource)


def topic_link(resource: str, topic: str, counted: Counted) -> Link:
    """Judges what became of a topic's mails.

    Whether a person's inbox took one, nobody can tell: SNS logs no delivery of e-mail
    (sns-topic-attributes).
    """
    if counted.error:
        return _unread("mail-failures", resource, counted.error)
    delivered = of_topic(topic, "NumberOfNotificationsDelivered")
    failed = of_topic(topic, "NumberOfNotificationsFailed")
    evidence = {
        metric.name: int(counted.total(metric))
        for metric in (delivered, failed)
        if counted.total(metric)
    }
    if last := counted.last(failed):
        mails = counted_as(counted.total(failed), "mail")
        why = f"{resource}: in the last {counted.span} SNS could not deliver {mails}, the last at {_at(last)}"
        later = counted.last(delivered)
        return _since("mail-failures", resource, why, bool(later and later > last), evidence)
    if counted.total(delivered):
        return Link("mail-failures", "ok", evidence=evidence, resource=resource)
    why = f"no data on mails of {resource} in the last {counted.span}: none was sent, or the numbers are late"
    return Link("mail-failures", "unknown", why, mend="shnotify test", resource=resource)


def _since(
    link: str, resource: str, why: str, succeeded: bool, evidence: Mapping[str, Any]
) -> Link:
    """Judges a failure of the past: it counts until a later delivery shows that all is well again."""
    verdict: Verdict = "warning" if succeeded else "broken"
    told = f"{why}; since then others were delivered" if succeeded else why
    return Link(link, verdict, told, "shnotify dlq list", evidence, resource=resource)


def _unread(link: str, resource: str, error: AwsError) -> Link:
    return unread(link, f"what CloudWatch counted for {resource}", error, resource)


def counted_as(number: float, what: str) -> str:
    """Writes a number and what it counts, in the singular or plural."""
    return f"{number:.0f} {what}{'' if number == 1 else 's'}"


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def window(now: datetime, hours: float) -> tuple[datetime, datetime]:
    """Returns begin and end of the span, the begin at a full bucket."""
    step = period(hours)
    begin = now - timedelta(hours=hours)
    return begin - timedelta(seconds=begin.timestamp() % step), now
