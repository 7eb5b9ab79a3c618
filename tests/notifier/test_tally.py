"""What a file would have sent, counted."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.config.load import completed
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse
from shnotify.notifier.backlog import Seen, Sorter
from shnotify.notifier.tally import MAX_LISTED, Differences, Tally, last_event

UNTIL = dt.datetime(2026, 3, 31, 12, 0, tzinfo=dt.UTC)
SINCE = UNTIL - dt.timedelta(days=30)
TWO = """\
name: alerts
region: eu-west-1
routes:
  - name: urgent
    findings: {severity: [CRITICAL]}
    subscribers: [a@example.com]
  - name: all
    findings: {severity: [CRITICAL, HIGH, MEDIUM, LOW], workflow_status: any, record_state: any}
    subscribers: [b@example.com]
"""


def config(text: str = TWO) -> Config:
    return completed(parse(text))


def asff(number: int, updated: str, **more: Any) -> dict[str, Any]:
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": f"f-{number}",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "ProductName": "Security Hub",
        "AwsAccountId": "111122223333",
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": updated,
        "Title": f"title {number}",
        "Severity": {"Label": "CRITICAL"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.1"},
        "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b"}],
    }
    return {**finding, **more}


def tallied(*findings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    sorter = Sorter.of(config().routes, "aws")
    tally = Tally.of(sorter.patterns, SINCE, UNTIL)
    for raw in findings:
        seen = Seen.of(raw)
        tally.add(seen, sorter.routes(seen))
    return {route["route"]: route for route in tally.to_json()}


def per_day(route: dict[str, Any]) -> dict[str, int]:
    return {day["day"]: day["count"] for day in route["per_day"] if day["count"]}


def test_each_finding_counts_once_on_the_day_of_its_last_update() -> None:
    found = tallied(
        asff(1, "2026-03-30T10:00:10Z"),
        asff(2, "2026-03-30T10:00:59Z", AwsAccountId="444455556666"),
        asff(3, "2026-03-31T01:00:00+02:00", Compliance={"Status": "FAILED", "SecurityControlId": "EC2.1"}),
        asff(4, "2026-03-29T10:00:00Z", Severity={"Label": "LOW"}),
    )
    urgent = found["urgent"]
    assert urgent["now"] == 3
    assert per_day(urgent) == {"2026-03-30": 3}  # 01:00 at +02:00 is the evening before
    assert urgent["by_control"] == {"S3.1": 2, "EC2.1": 1}
    assert urgent["by_account"] == {"111122223333": 2, "444455556666": 1}
    assert urgent["by_product"] == {"Security Hub": 3}
    assert (urgent["peak_per_minute"], urgent["peak_per_second"]) == (2, 1)
    assert per_day(found["all"]) == {"2026-03-29": 1, "2026-03-30": 3}


def test_every_day_is_there() -> None:
    days = [day["day"] for day in tallied()["urgent"]["per_day"]]
    assert (days[0], days[-1], len(days)) == ("2026-03-01", "2026-03-31", 31)


def test_what_is_old_counts_now_and_on_no_day() -> None:
    found = tallied(asff(1, "2025-12-01T00:00:00Z"), asff(2, "nonsense", CreatedAt=""))
    assert (found["urgent"]["now"], per_day(found["urgent"]), found["urgent"]["by_product"]) == (2, {}, {})


def test_what_is_archived_or_resolved_is_no_backlog() -> None:
    found = tallied(
        asff(1, "2026-03-30T00:00:00Z", RecordState="ARCHIVED"),
        asff(2, "2026-03-30T00:00:00Z", Workflow={"Status": "RESOLVED"}),
        asff(3, "2026-03-30T00:00:00Z", Workflow={"Status": "NOTIFIED"}),
    )
    assert (found["urgent"]["now"], per_day(found["urgent"])) == (0, {})
    assert (found["all"]["now"], per_day(found["all"])) == (1, {"2026-03-30": 3})


def test_a_finding_without_workflow_is_new_as_an_import_makes_it() -> None:
    bare = asff(1, "2026-03-30T00:00:00Z")
    del bare["Workflow"], bare["RecordState"]
    assert tallied(bare)["urgent"]["now"] == 1


def test_findings_of_the_new_security_hub_are_counted_too() -> None:
    text = TWO.replace("    findings: {severity: [CRITICAL]}", "    source: hub\n    findings: {severity: [CRITICAL]}")
    sorter = Sorter.of(config(text).routes, "aws")
    raw = {
        "class_uid": 2003,
        "severity": "Critical",
        "status": "New",
        "activity_name": "Create",
        "metadata": {"uid": "u", "product": {"name": "GuardDuty"}},
        "finding_info": {"uid": "f", "modified_time_dt": "2026-03-30T00:00:00Z"},
    }
    seen = Seen.of(raw)
    assert sorter.routes(seen) == ("urgent",)
    assert sorter.routes(seen.with_status("NOTIFIED")) == ()
    assert last_event(seen) == dt.datetime(2026, 3, 30, tzinfo=dt.UTC)


def test_differences_are_counted_and_some_are_named() -> None:
    found = Differences()
    for number in range(MAX_LISTED + 5):
        found.add(Seen.of(asff(number, "2026-03-30T00:00:00Z")), ("urgent",), ())
    found.add(Seen.of(asff(0, "2026-03-30T00:00:00Z")), ("urgent", "all"), ("all", "urgent"))
    shown = found.to_json("other.yaml")
    assert (shown["differ"], len(shown["findings"]), shown["left_out"]) == (MAX_LISTED + 5, MAX_LISTED, 5)
    assert shown["findings"][0] == {
        "id": "f-0",
        "title": "title 0",
        "severity": "CRITICAL",
        "here": ["urgent"],
        "there": [],
    }


BURSTS = st.sampled_from([UNTIL - dt.timedelta(seconds=n / 4) for n in range(12)])
MOMENTS = BURSTS | st.datetimes(dt.datetime(2026, 2, 20), dt.datetime(2026, 4, 5), timezones=st.just(dt.UTC))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["CRITICAL", "LOW"])), max_size=30))
def test_counts_are_those_of_a_plain_list(findings: list[tuple[dt.datetime, str]]) -> None:
    findings.sort(reverse=True)  # as Security Hub is asked for them
    raws = [asff(n, moment.isoformat(), Severity={"Label": label}) for n, (moment, label) in enumerate(findings)]
    urgent = tallied(*raws)["urgent"]
    wanted = [moment for moment, label in findings if label == "CRITICAL"]
    within = [moment for moment in wanted if SINCE <= moment <= UNTIL]
    assert urgent["now"] == len(wanted)
    assert per_day(urgent) == Counter(moment.date().isoformat() for moment in within)
    assert sum(urgent["by_account"].values()) == len(within)
    minutes = Counter(moment.strftime("%Y-%m-%dT%H:%M") for moment in within)
    assert urgent["peak_per_minute"] == max(minutes.values(), default=0)
    seconds = Counter(moment.replace(microsecond=0) for moment in within)
    assert urgent["peak_per_second"] == max(seconds.values(), default=0)
