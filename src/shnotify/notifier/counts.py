"""Reads what CloudWatch counted (API_GetMetricData)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shnotify.aws.gateway import Aws
from shnotify.notifier.metrics import MOST_QUERIES, Metric, queries

Series = dict[Metric, dict[datetime, float]]
"""Metric -> the sums of its buckets by their begin; a metric without data is absent."""


def sums(
    aws: Aws, metrics: Sequence[Metric], begin: datetime, end: datetime, seconds: int
) -> Series:
    """Reads the sums of each bucket, in one call for up to five hundred metrics.

    seconds  the length of a bucket

    Raises `AwsError`.
    """
    found: Series = {}
    for first in range(0, len(metrics), MOST_QUERIES):
        some = metrics[first : first + MOST_QUERIES]
        pages = aws.pages(
            aws.cloudwatch.get_metric_data,
            "NextToken",
            MetricDataQueries=queries(some, seconds),
            StartTime=begin,
            EndTime=end,
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                metric = some[int(result["Id"].removeprefix("m"))]
                pairs = zip(result["Timestamps"], result["Values"], strict=False)
                found.setdefault(metric, {}).update(pairs)
    return {metric: series for metric, series in found.items() if series}
