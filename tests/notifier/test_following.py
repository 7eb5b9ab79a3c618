"""Whatever a finding holds, what became of it can be told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.arns import Scope
from shnotify.aws.failures import AwsError
from shnotify.config.models import Config
from shnotify.engine.health import Link
from shnotify.notifier.following import traced
from shnotify.notifier.history import history_of
from shnotify.notifier.metrics import Counted, of_topic
from shnotify.notifier.passage import Passage
from shnotify.notifier.tracing import Evidence, Stuck, Trace, not_found
from shnotify.terminal.trace_view import trace_lines, trace_table
from tests.support.files import ROUTE, loaded

SCOPE = Scope("aws", "eu-west-1", "123456789012")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATTERN = {"source": ["aws.securityhub"], "detail": {"findings": {"Severity": {"Label": ["HIGH"]}}}}
FINDING: dict[str, Any] = {
    "SchemaVersion": "2018-10-08",
    "Id": "f",
    "CreatedAt": "2026-01-01T00:00:00Z",
    "UpdatedAt": "2026-01-01T00:00:00Z",
    "Severity": {"Label": "HIGH"},
}
DELIVERED = of_topic("a-urgent", "NumberOfNotificationsDelivered")
FAILED = of_topic("a-urgent", "NumberOfNotificationsFailed")


def config() -> Config:
    return loaded(ROUTE)


def passage(*links: Link) -> Passage:
    """A chain of which only these links are known."""
    return Passage(
        route="urgent",
        rule=None,
        topic=None,
        queue=None,
        function=None,
        target={},
        recipients=(),
        details={},
        links=links,
        keys={},
        pattern=PATTERN,
    )


def trace(finding: dict[str, Any], evidence: Evidence, *links: Link) -> Trace:
    return traced("f", [history_of(finding, None)], config(), [passage(*links)], SCOPE, evidence)


def counted(minutes: float = 0, delivered: float = 0, failed: float = 0) -> Counted:
    at = NOW + timedelta(minutes=minutes)
    series = {DELIVERED: {at: delivered}, FAILED: {at: failed}}
    return Counted({metric: values for metric, values in series.items() if any(values.values())})


STUCK = Stuck("m", "event", "urgent", "NO_PERMISSIONS", "may not", "mend it", "2026-01-01T00:00:05Z", frozenset({"f"}))
DENIED = AwsError("denied", operation="x:Y")


@pytest.mark.parametrize(
    ("evidence", "links", "expected"),
    [
        (Evidence(stuck=(), counted=counted(delivered=1)), (), ("yes", "")),
        (Evidence(stuck=(), counted=counted(minutes=4, delivered=2)), (), ("yes", "")),
        (Evidence(stuck=(), counted=counted(minutes=30, delivered=1)), (), ("unknown", "")),
        (Evidence(stuck=(), counted=counted(minutes=-30, delivered=1)), (), ("unknown", "")),
        (Evidence(stuck=(), counted=counted(minutes=-4, delivered=1), step=300), (), ("yes", "")),
        (Evidence(stuck=()), (), ("unknown", "")),
        (Evidence(stuck=(), counted=counted(delivered=1, failed=1)), (), ("yes", "")),
        (Evidence(stuck=(), counted=counted(failed=1)), (), ("no", "mail-failures")),
        (Evidence(stuck=(), counted=Counted(error=DENIED)), (), ("unknown", "")),
        (Evidence(stuck=(STUCK,), counted=counted(delivered=1)), (), ("no", "queue-depth")),
        (Evidence(stuck=(), counted=counted()), (Link("topic-key", "broken", "why"),), ("no", "topic-key")),
        (Evidence(stuck=(), counted=counted(delivered=1)), (Link("topic-key", "broken"),), ("unknown", "topic-key")),
        (Evidence(stuck=(STUCK,), counted=counted(delivered=1)), (Link("topic-key", "broken"),), ("no", "topic-key")),
        (Evidence(stuck=(), counted=counted(delivered=1)), (Link("topic-key", "unknown"),), ("unknown", "")),
        (Evidence(stuck=DENIED, counted=counted(delivered=1)), (), ("unknown", "")),
        (Evidence(stuck=(), sent={"urgent": {"f": NOW}}), (Link("topic-key", "broken"),), ("yes", "")),
        (Evidence(stuck=(), sent={"urgent": {"f": NOW}}), (Link("filter-policy", "broken"),), ("no", "filter-policy")),
        (Evidence(stuck=(), sent={"urgent": {"g": NOW}}), (), ("unknown", "")),
        (Evidence(stuck=(), born=NOW + timedelta(hours=1)), (), ("no", "rule")),
        (Evidence(stuck=(), born=NOW - timedelta(hours=1), counted=counted(delivered=1)), (), ("yes", "")),
    ],
)
def test_what_is_concluded(evidence: Evidence, links: tuple[Link, ...], expected: tuple[str, str]) -> None:
    (way,) = trace(FINDING, evidence, *links).ways
    assert (way.mailed, way.stopped_by.id if way.stopped_by else "") == expected


def test_what_changed_in_its_life_leaves_a_doubt_and_what_never_changes_none() -> None:
    low = {**FINDING, "Severity": {"Label": "LOW"}}
    assert trace(low, Evidence()).mailed == "no"
    changed = {**low, "UpdatedAt": "2026-01-02T00:00:00Z"}
    assert trace(changed, Evidence()).mailed == "no"


@pytest.mark.parametrize(
    ("evidence", "links", "expected"),
    [
        (Evidence(stuck=()), (), ("unknown", "", False)),
        (Evidence(stuck=()), (Link("topic-key", "broken"),), ("unknown", "topic-key", True)),
        (Evidence(stuck=(STUCK,)), (), ("no", "queue-depth", True)),
    ],
)
def test_what_may_have_passed_before_it_changed_is_unknown_not_broken(
    evidence: Evidence, links: tuple[Link, ...], expected: tuple[str, str, bool]
) -> None:
    resolved = {**FINDING, "Workflow": {"Status": "RESOLVED"}, "UpdatedAt": "2026-01-02T00:00:00Z"}
    pattern = {"detail": {"findings": {"Workflow": {"Status": ["NEW"]}}}}
    way_there = replace(passage(*links), pattern=pattern)
    found = traced("f", [history_of(resolved, None)], config(), [way_there], SCOPE, evidence)
    (way,) = found.ways
    assert {link.id: link.verdict for link in way.links}["pattern"] == "unknown"
    assert (way.mailed, way.stopped_by.id if way.stopped_by else "", found.stopped) == expected
    assert way.words.startswith("stopped at") is (way.mailed == "no")


def test_an_id_that_is_nowhere_stops_at_security_hub() -> None:
    found = not_found("f", Link("hub", "ok"))
    assert (found.mailed, found.stopped, found.since) == ("unknown", True, None)
    off = Link("hub", "broken", "off", mend="turn it on")
    assert not_found("f", off).lost == (off,)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
FINDINGS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("Id", "Title", "Severity", "Workflow", "UpdatedAt", "ProcessedAt", "class_uid", "finding_info", "status"), JSON
    ),
)


@given(FINDINGS, st.sampled_from([(), (STUCK,), DENIED, None]))
def test_any_finding_is_told_on_safe_lines(finding: dict[str, Any], stuck: Any) -> None:
    found = trace(finding, Evidence(stuck=stuck))
    json.dumps(found.to_json())
    assert found.mailed in ("yes", "no", "unknown")
    for line in (*trace_lines(found), *trace_table([found])):
        text = line if isinstance(line, str) else line.plain
        assert "\n" not in text
        assert "\x1b" not in text
