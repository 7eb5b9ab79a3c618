"""A quiet year of a notifier with a watchdog, by a virtual clock: no finding at all, only heartbeats.

The model of CloudWatch is that of alarms-and-missing-data and API_PutMetricAlarm: one data point a period, what is
missing counts as the alarm says, and all periods must breach.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.arns import Scope
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.engine.graph import Graph
from shnotify.frozen import frozen
from shnotify.notifier.desired import build
from shnotify.notifier.heartbeat import HOURS
from shnotify.resources.alarm import Alarm
from shnotify.resources.schedule import Schedule
from tests.conftest import Cases
from tests.support.broken_stacks import BROKEN

BEGIN = datetime(2026, 1, 1)
YEAR = 365 * 24
Series = dict[tuple[str, str], dict[int, float]]
"""(namespace, metric) -> hour -> value."""

NOTHING: dict[str, float] = {}
LOST = {"AWS/Events FailedInvocations": 1.0, "AWS/SQS ApproximateNumberOfMessagesVisible": 1.0}
EFFECTS: dict[str, dict[str, float]] = {
    "credentials": NOTHING,
    "rule": NOTHING,
    "pattern": NOTHING,
    "target": NOTHING,
    "transformer": LOST,
    "formatter": {"AWS/Lambda Errors": 1.0},
    "topic-policy": LOST,
    "topic-key": LOST,
    "subscribers": NOTHING,
    "filter-policy": NOTHING,
    "invocations": LOST,
    "mail-failures": {"AWS/SNS NumberOfNotificationsFailed": 1.0},
}
"""A broken link that stops mail -> what a heartbeat counts then, in place of a delivered mail.

NOTHING is the worst that may be: many of these count something besides.
"""
BESIDE = {"hub", "home-region", "aggregation", "duplicates", "unsubscribe", "undelivered-mail", "watchdog"} | {
    "queue",
    "queue-policy",
    "queue-key",
    "queue-depth",
}
"""Links before the first rule, which a heartbeat does not pass, and those that no mail passes."""


def graph(every: str) -> Graph:
    text = (
        "name: mine\nregion: eu-west-1\nroutes:\n  - name: urgent\n    message: {format: lambda}\n"
        f"    subscribers: [a@example.com]\nwatchdog: {{subscribers: [b@example.com], heartbeat: {every}}}\n"
    )
    return build(completed(parse(text)), Scope("aws", "eu-west-1", "123456789012"))


@cache
def beats(expression: str) -> list[int]:
    """The hours of the year in which a schedule of `cron(0 H ? * DAYS *)` sends."""
    _, hour, _, _, days, _ = expression.removeprefix("cron(").removesuffix(")").split()
    found = []
    for number in range(YEAR):
        at = BEGIN + timedelta(hours=number)
        named = days in ("?", "*") or at.strftime("%a").upper() in days.split(",")
        if at.hour == int(hour) and named:
            found.append(number)
    return found


@frozen
class Year:
    """When each alarm of a graph is on, hour by hour, when a link breaks at some hour and stays so."""

    graph: Graph

    def series(self, broken: int, effect: dict[str, float]) -> Series:
        found: Series = defaultdict(dict)
        (schedule,) = (thing for thing in self.graph if isinstance(thing, Schedule))
        for hour in beats(schedule.schedule_expression):
            counted = {"AWS/SNS NumberOfNotificationsDelivered": 1.0} if hour < broken else effect
            for name, value in counted.items():
                namespace, metric = name.split(" ")
                found[namespace, metric][hour] = value
        return found

    def first(self, broken: int, effect: dict[str, float]) -> int | None:
        """The first hour after the first heartbeat in which some alarm is on."""
        series = self.series(broken, effect)
        (schedule,) = (thing for thing in self.graph if isinstance(thing, Schedule))
        begin = beats(schedule.schedule_expression)[0]
        alarms = [thing for thing in self.graph if isinstance(thing, Alarm)]
        hours = [on for alarm in alarms if (on := _on(alarm, series, begin)) is not None]
        return min(hours, default=None)


def _on(alarm: Alarm, series: Series, begin: int) -> int | None:
    data = series[alarm.namespace, alarm.metric_name]
    breaches: Callable[[float], bool] = (
        (lambda value: value < alarm.threshold)
        if alarm.comparison_operator == "LessThanThreshold"
        else (lambda value: value >= alarm.threshold)
    )
    periods = alarm.evaluation_periods
    if alarm.treat_missing_data != "breaching":
        assert periods == 1
        return min((hour for hour, value in data.items() if hour >= begin and breaches(value)), default=None)
    run = 0
    for hour in range(begin, YEAR):
        value = data.get(hour)
        bad = value is None or breaches(value)
        run = run + 1 if bad else 0
        if run >= periods:
            return hour
    return None


@pytest.mark.parametrize("every", HOURS)
def test_a_whole_year_has_no_false_alarm(every: str) -> None:
    assert Year(graph(every)).first(YEAR, NOTHING) is None


@pytest.mark.parametrize("every", HOURS)
def test_every_broken_link_that_stops_mail_is_told_within_one_heartbeat(every: str, cases: Cases) -> None:
    year = Year(graph(every))
    broken = [one for one in BROKEN if one.verdict == "broken" and one.link not in BESIDE]
    assert {one.link for one in broken} <= set(EFFECTS)
    for number, one in enumerate(broken):
        hour = 200 + number * 97
        told = year.first(hour, EFFECTS[one.link])
        assert told is not None, one.what
        assert hour <= told <= hour + HOURS[every], one.what
    cases(len(broken))


@given(hour=st.integers(200, YEAR - 200), every=st.sampled_from(sorted(HOURS)), link=st.sampled_from(sorted(EFFECTS)))
@settings(max_examples=30, deadline=None)
def test_it_is_told_whenever_it_breaks(hour: int, every: str, link: str) -> None:
    told = Year(graph(every)).first(hour, EFFECTS[link])
    assert told is not None
    assert hour <= told <= hour + HOURS[every]


def test_every_link_of_the_chain_is_in_the_year_or_beside_it() -> None:
    assert {one.link for one in BROKEN} == set(EFFECTS) | BESIDE
