"""What CloudWatch counted: failures that still count, failures that are over, and no data, which is never fine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.aws.failures import AwsError, DeniedError
from shnotify.notifier.metrics import (
    Counted,
    Metric,
    function_link,
    metrics_of,
    of_function,
    of_rule,
    of_topic,
    period,
    queries,
    rule_link,
    topic_link,
    window,
)
from tests.conftest import World
from tests.support.faults import REGION

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
EARLY, LATE = NOW - timedelta(hours=9), NOW - timedelta(hours=1)
EVENTS = (
    "Invocations",
    "FailedInvocations",
    "InvocationsSentToDlq",
    "InvocationsFailedToBeSentToDlq",
    "ThrottledRules",
    "MatchedEvents",
    "TriggeredRules",
)


def rule(**counts: dict[datetime, float]) -> tuple[str, str]:
    series = {of_rule("r", name): points for name, points in counts.items()}
    link = rule_link("UrgentRule", "r", Counted(series))
    return link.verdict, link.why


@pytest.mark.parametrize(
    ("counts", "verdict", "says"),
    [
        ({"Invocations": {LATE: 3}}, "ok", ""),
        ({}, "unknown", "no data on UrgentRule in the last 24 hours"),
        ({"TriggeredRules": {LATE: 2}}, "unknown", "matched 2 events"),
        ({"MatchedEvents": {LATE: 1}}, "unknown", "matched 1 event in"),
        ({"Invocations": {LATE: 3}, "FailedInvocations": {LATE: 3}}, "broken", "3 invocations failed"),
        ({"Invocations": {LATE: 3, EARLY: 1}, "FailedInvocations": {EARLY: 1}}, "warning", "others were delivered"),
        # Invocations counts the failed ones too, so this later one was no success (eb-monitoring).
        (
            {"Invocations": {LATE: 1, EARLY: 1}, "FailedInvocations": {LATE: 1, EARLY: 1}},
            "broken",
            "the last at 2026-01-05 11:00 UTC",
        ),
        ({"InvocationsSentToDlq": {LATE: 1}}, "broken", "1 event went to the dead-letter queue"),
        ({"InvocationsFailedToBeSentToDlq": {LATE: 2}}, "broken", "2 events lost, which could not even be put into"),
        ({"Invocations": {LATE: 3}, "ThrottledRules": {LATE: 1}}, "warning", "throttled 1 time"),
        ({"FailedInvocations": {LATE: 0}, "Invocations": {LATE: 0}}, "unknown", "no data"),
    ],
)
def test_a_rules_invocations(counts: dict[str, dict[datetime, float]], verdict: str, says: str) -> None:
    found, why = rule(**counts)
    assert found == verdict
    assert says in why


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"NumberOfNotificationsDelivered": {LATE: 1}}, "ok"),
        ({}, "unknown"),
        ({"NumberOfNotificationsFailed": {LATE: 1}, "NumberOfNotificationsDelivered": {EARLY: 1}}, "broken"),
        ({"NumberOfNotificationsFailed": {EARLY: 1}, "NumberOfNotificationsDelivered": {LATE: 1}}, "warning"),
    ],
)
def test_a_topics_mails(counts: dict[str, dict[datetime, float]], verdict: str) -> None:
    series = {of_topic("t", name): points for name, points in counts.items()}
    assert topic_link("UrgentTopic", "t", Counted(series)).verdict == verdict


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"Invocations": {LATE: 1}}, "ok"),
        ({}, "unknown"),
        ({"Invocations": {LATE: 1}, "Errors": {LATE: 1}}, "broken"),
        ({"Invocations": {EARLY: 1, LATE: 1}, "Errors": {EARLY: 1}}, "warning"),
        ({"Throttles": {LATE: 1}}, "warning"),
    ],
)
def test_a_functions_runs(counts: dict[str, dict[datetime, float]], verdict: str) -> None:
    series = {of_function("f", name): points for name, points in counts.items()}
    assert function_link("UrgentFormatter", "f", Counted(series)).verdict == verdict


@given(st.dictionaries(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from([EARLY, LATE]), st.integers(0, 3))))
def test_nothing_is_called_ok_without_a_success(counts: dict[str, dict[datetime, float]]) -> None:
    verdict, why = rule(**counts)
    total = {name: sum(points.values()) for name, points in counts.items()}
    fine = total.get("Invocations", 0) > 0 and not any(total.get(name) for name in EVENTS[1:5])
    assert (verdict == "ok") is fine
    assert bool(why) is not fine


def test_a_refused_read_names_the_permission_and_another_error_none() -> None:
    denied = DeniedError("no", operation="cloudwatch:GetMetricData")
    link = rule_link("UrgentRule", "r", Counted(error=denied))
    assert (link.verdict, link.needs) == ("unknown", ("cloudwatch:GetMetricData",))
    broken = AwsError("no answer", operation="cloudwatch:GetMetricData")
    assert topic_link("UrgentTopic", "t", Counted(error=broken)).needs == ()


@given(st.floats(1 / 12, 63 * 24))
def test_a_span_has_buckets_that_cloudwatch_keeps(hours: float) -> None:
    begin, end = window(NOW, hours)
    assert period(hours) % 300 == 0
    assert begin.timestamp() % period(hours) == 0
    assert round(hours * 3600) <= (end - begin).total_seconds() <= hours * 3600 + period(hours)
    assert (end - begin).total_seconds() / period(hours) <= 290


def test_all_metrics_fit_into_one_call_of_forty_routes() -> None:
    metrics = metrics_of([f"r{n}" for n in range(40)], [f"t{n}" for n in range(40)], [f"f{n}" for n in range(40)])
    asked = queries(metrics, period(24))
    assert len({query["Id"] for query in asked}) == len(metrics) == 480 <= 500
    assert asked[0]["MetricStat"]["Stat"] == "Sum"
    assert metrics[0] == Metric("AWS/Events", "Invocations", ("RuleName", "r0"))


def test_what_cloudwatch_really_holds_is_read(world: World) -> None:
    """From the embedded AWS's own metrics, through the command."""
    world.apply()
    for name, space, dimension in (
        ("FailedInvocations", "AWS/Events", "RuleName"),
        ("NumberOfNotificationsDelivered", "AWS/SNS", "TopicName"),
    ):
        world.client("cloudwatch").put_metric_data(
            Namespace=space,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension, "Value": "security-alerts-urgent"}],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=90),
                    "Value": 2,
                }
            ],
        )

    def looked(*arguments: str) -> dict[str, Any]:
        found = world.run("doctor", *arguments).json["links"]
        return {link["id"]: link for link in found if link["resource"] != "UrgentRulePlain"}

    links = looked()
    assert links["invocations"]["verdict"] == "broken"
    assert links["invocations"]["evidence"] == {"FailedInvocations": 2}
    assert links["mail-failures"]["verdict"] == "ok"
    later = looked("--since", "1h")
    assert later["invocations"]["verdict"] == later["mail-failures"]["verdict"] == "unknown"
    assert world.run("doctor").json["region"] == REGION
