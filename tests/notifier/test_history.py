"""A finding's earlier forms, rebuilt from what Security Hub recorded of its changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shnotify.notifier.history import history_of, moment_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FINDING: dict[str, Any] = {
    "SchemaVersion": "2018-10-08",
    "Id": "f",
    "CreatedAt": "2026-01-01T00:00:00Z",
    "UpdatedAt": "2026-01-01T00:00:00Z",
    "Workflow": {"Status": "NEW"},
    "Severity": {"Label": "HIGH"},
    "Title": "t",
}


def record(minute: int, *changes: tuple[str, Any, Any], created: bool = False) -> dict[str, Any]:
    updates = [
        {"UpdatedField": path, **({} if old is None else {"OldValue": text(old)}), "NewValue": text(new)}
        for path, old, new in changes
    ]
    return {"UpdateTime": BEGIN + timedelta(minutes=minute), "FindingCreated": created, "Updates": updates}


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_each_record_gives_one_form() -> None:
    now = {**FINDING, "Workflow": {"Status": "RESOLVED"}, "Note": {"Text": "mine"}}
    records = [
        record(20, ("Workflow.Status", "NOTIFIED", "RESOLVED")),
        record(0, created=True),
        record(10, ("Workflow", {"Status": "NEW"}, {"Status": "NOTIFIED"}), ("Note", None, {"Text": "mine"})),
    ]
    found = history_of(now, records)
    assert found.complete
    assert [v.finding["Workflow"]["Status"] for v in found.versions] == ["RESOLVED", "NOTIFIED", "NEW"]
    assert ["Note" in v.finding for v in found.versions] == [True, True, False]
    assert [v.moment for v in found.versions] == [BEGIN + timedelta(minutes=m) for m in (20, 10, 0)]
    assert now["Workflow"] == {"Status": "RESOLVED"}  # the finding itself stays as it is


def test_without_its_beginning_a_history_is_not_complete() -> None:
    found = history_of(FINDING, [record(5, ("Title", "u", "t"))])
    assert not found.complete
    assert [v.finding["Title"] for v in found.versions] == ["t", "u"]


def test_what_never_changed_needs_no_records() -> None:
    assert history_of(FINDING, None).complete
    assert not history_of({**FINDING, "Workflow": {"Status": "NOTIFIED"}}, None).complete
    assert not history_of({**FINDING, "UpdatedAt": "2026-01-02T00:00:00Z"}, None).complete
    assert history_of(FINDING, None).newest.moment == BEGIN


def test_when_a_finding_changed() -> None:
    ocsf = {"class_uid": 2003, "finding_info": {"modified_time": 1767225600000}}
    assert moment_of(ocsf) == BEGIN
    assert moment_of({**FINDING, "ProcessedAt": "2026-01-01T00:05:00Z"}) == BEGIN + timedelta(minutes=5)
    assert moment_of({"SchemaVersion": "x", "UpdatedAt": "nonsense"}) is None


LABELS = st.sampled_from(["LOW", "HIGH", "CRITICAL"])
STATES = st.sampled_from(["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"])


@given(st.lists(st.tuples(LABELS, STATES, st.text(max_size=5)), min_size=1, max_size=6))
def test_the_forms_are_those_it_had(forms: list[tuple[str, str, str]]) -> None:
    made = [
        {**FINDING, "Severity": {"Label": label}, "Workflow": {"Status": state}, "Title": title}
        for label, state, title in forms
    ]
    records = [record(0, created=True)]
    for minute, (old, new) in enumerate(pairwise(made), start=1):
        changes = [
            ("Severity.Label", old["Severity"]["Label"], new["Severity"]["Label"]),
            ("Workflow", old["Workflow"], new["Workflow"]),
            ("Title", old["Title"], new["Title"]),
        ]
        records.append(record(minute, *changes))
    found = history_of(made[-1], records)
    assert found.complete
    assert [version.finding for version in found.versions] == made[::-1]


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)
UPDATES = st.fixed_dictionaries(
    {}, optional={"UpdatedField": st.text("a.W", max_size=6), "OldValue": st.text(max_size=6)}
)


@given(
    st.dictionaries(st.text("aW", max_size=2), JSON, max_size=3),
    st.lists(st.fixed_dictionaries({}, optional={"Updates": st.lists(UPDATES, max_size=3)}), max_size=3),
)
def test_whatever_was_recorded_nothing_fails(finding: dict[str, Any], records: list[dict[str, Any]]) -> None:
    assert history_of(finding, records).newest.finding == finding
