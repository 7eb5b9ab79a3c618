"""What a heartbeat counts, asked of AWS with the function's own role.

Each of the questions may fail alone: a heartbeat never fails for its counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from .alive import Counts
from .settings import Settings

Client = Callable[[str], Any]
"""Makes the client of a service."""
_HOUR = 3600
_TIME_KEPT = 20_000
"""Milliseconds that are kept for the mail."""


def counts_since(client: Client, settings: Settings, context: Any, since: datetime) -> Counts:
    """Asks for everything that a heartbeat's mail says."""
    asked: dict[str, tuple[str, Callable[[], Any]]] = {
        "findings": ("logs:FilterLogEvents", lambda: _mailed(client("logs"), context, since)),
        "lost": (
            "cloudwatch:GetMetricData",
            lambda: _lost(client("cloudwatch"), settings, context, since),
        ),
        "waiting": ("sqs:GetQueueAttributes", lambda: _waiting(client, settings)),
        "subscribers": ("sns:GetTopicAttributes", lambda: _confirmed(client("sns"), settings)),
    }
    found: dict[str, Any] = {}
    unknown = []
    for name, (action, ask) in asked.items():
        try:
            found[name] = ask()
        except Exception as error:  # whatever it is: the sign of life goes out
            unknown.append(f"{action} ({_code(error)})")
    findings, many = found.pop("findings", (None, False))
    return Counts(findings, many, **found, unknown=tuple(unknown))


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def _mailed(logs: Any, context: Any, since: datetime) -> tuple[int, bool]:
    """Counts the findings that this function's log says it mailed; and whether there are more."""
    ids: set[str] = set()
    asked = {
        "logGroupName": context.log_group_name,
        "startTime": int(since.timestamp() * 1000),
        "filterPattern": '{ $.sent = "*" }',
    }
    while True:
        page = logs.filter_log_events(**asked)
        ids.update(filter(None, map(_finding, page.get("events", []))))
        if not page.get("nextToken"):
            return len(ids), False
        if context.get_remaining_time_in_millis() < _TIME_KEPT:
            return len(ids), True
        asked["nextToken"] = page["nextToken"]


def _finding(event: dict[str, Any]) -> str | None:
    """Returns the id of the finding that a line of the log says was mailed."""
    try:
        line = json.loads(event.get("message", ""))
    except ValueError:
        return None
    named = isinstance(line, dict) and "sent" in line and line.get("finding")
    return str(named) if named else None


def _lost(cloudwatch: Any, settings: Settings, context: Any, since: datetime) -> int:
    """Adds up what was given up and not kept. These metrics have data only where something was
    (eb-monitoring, monitoring-metrics-types, sns-monitoring-using-cloudwatch).
    """
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": _HOUR,
                "Stat": "Sum",
            },
        }
        for number, (namespace, metric, dimension, value) in enumerate(_losses(settings, context))
    ]
    reply = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=since, EndTime=datetime.now(UTC)
    )
    results = reply["MetricDataResults"]
    partly = [one for one in results if one.get("StatusCode", "Complete") != "Complete"]
    if partly or reply.get("NextToken"):
        raise ValueError("not all data came")
    return int(sum(sum(one["Values"]) for one in results))


def _losses(settings: Settings, context: Any) -> Iterator[tuple[str, str, str, str]]:
    """Names the metrics of alerts that are in no queue."""
    topic = settings.topic_arn.rpartition(":")[2]
    kept = "InvocationsFailedToBeSentToDlq" if settings.queue else "FailedInvocations"
    yield "AWS/Events", kept, "RuleName", settings.rule
    function = "DestinationDeliveryFailures" if settings.queue else "AsyncEventsDropped"
    yield "AWS/Lambda", function, "FunctionName", context.function_name
    failed = "NumberOfNotificationsFailed"
    mail = f"{failed}ToRedriveToDlq" if settings.keeps_mail else failed
    yield "AWS/SNS", mail, "TopicName", topic


def _waiting(client: Client, settings: Settings) -> int:
    """Counts the messages in the dead-letter queue, also those that somebody looks at just now."""
    if not settings.queue:
        return 0
    sqs = client("sqs")
    url = f"{sqs.meta.endpoint_url}/{settings.topic_arn.split(':')[4]}/{settings.queue}"
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def _confirmed(sns: Any, settings: Settings) -> int:
    reply = sns.get_topic_attributes(TopicArn=settings.topic_arn)
    return int(reply["Attributes"]["SubscriptionsConfirmed"])
