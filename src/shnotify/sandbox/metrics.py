"""CloudWatch's numbers about what happened here, kept in moto's CloudWatch.

What did not happen has no data point: "no data" and zero differ (K.6).
"""

from __future__ import annotations

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.utils import utcfromtimestamp

from shnotify.sandbox.rows import now

_DIMENSIONS = {
    "AWS/Events": "RuleName",
    "AWS/SNS": "TopicName",
    "AWS/Lambda": "FunctionName",
    "AWS/SQS": "QueueName",
}


def count(
    account: str, region: str, namespace: str, name: str, *metrics: str, value: float = 1
) -> None:
    """Counts something of the rule, topic, function or queue `name` (D.6, D.7)."""
    datum = {
        "Dimensions": [{"Name": _DIMENSIONS[namespace], "Value": name}],
        "Timestamp": utcfromtimestamp(now()),
        "Value": value,
        "Unit": "Count",
    }
    data = [{**datum, "MetricName": metric} for metric in metrics]
    cloudwatch_backends[account][region].put_metric_data(namespace, data)
