"""What CloudWatch tells of the sandbox."""

from __future__ import annotations

import datetime as dt

from shnotify.sandbox.rows import now
from tests.sandbox.strict.cloud import client

_DIMENSIONS = {"AWS/Events": "RuleName", "AWS/SNS": "TopicName", "AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName"}


def number(namespace: str, name: str, metric: str) -> float | None:
    """The sum of a metric in the last hour, or None without data."""
    moment = dt.datetime.fromtimestamp(now(), dt.UTC)
    points = client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": _DIMENSIONS[namespace], "Value": name}],
        StartTime=moment - dt.timedelta(hours=1),
        EndTime=moment + dt.timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points) if points else None
