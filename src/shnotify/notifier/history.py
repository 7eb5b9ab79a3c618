"""How a finding was before: its present form, with the recorded changes undone one by one. Pure.

Security Hub sends an event for each change (securityhub-cwe-event-types), so each form is what one
event held.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from shnotify.formatter.finding import Finding, at, is_ocsf, read
from shnotify.formatter.times import parse
from shnotify.frozen import frozen

CHANGING = frozenset(
    {
        *("Workflow", "WorkflowState", "RecordState", "Compliance", "Note", "UserDefinedFields"),
        *("UpdatedAt", "LastObservedAt", "ProcessedAt", "VerificationState"),
        *("status", "status_id", "activity_name", "activity_id", "comment", "compliance", "time"),
    }
)
"""The fields below `detail.findings` that change in a finding's life while it stays the same one."""


@frozen
class Version:
    """A form that the finding had.

    moment  when it got that form; None when its own times cannot be read
    """

    finding: Mapping[str, Any]
    moment: datetime | None


@frozen
class History:
    """The forms of a finding, the newest first.

    complete  whether they go back to its beginning
    """

    versions: tuple[Version, ...]
    complete: bool

    @property
    def newest(self) -> Version:
        return self.versions[0]


def moment_of(finding: Mapping[str, Any]) -> datetime | None:
    """Returns when a finding last changed, as it says itself."""
    seen = read(finding, {})
    if is_ocsf(finding):
        return _milliseconds(seen.updated) or _milliseconds(seen.created)
    processed = at(finding, "ProcessedAt")
    return (
        parse(processed if isinstance(processed, str) else "")
        or parse(seen.updated)
        or parse(seen.created)
    )


def _milliseconds(text: str) -> datetime | None:
    """Reads one of OCSF's times: ISO 8601, or milliseconds since 1970."""
    if text.isascii() and text.isdecimal() and len(text) < 15:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return parse(text)


def history_of(finding: Mapping[str, Any], records: Iterable[Mapping[str, Any]] | None) -> History:
    """Rebuilds a finding's forms from the records of GetFindingHistory; None: there are none to see.

    A finding that has never changed needs no records.
    """
    seen = read(finding, {})
    if records is None:
        return History((Version(finding, moment_of(finding)),), _never_changed(seen))
    ordered = sorted(records, key=lambda one: str(one.get("UpdateTime", "")), reverse=True)
    versions: list[Version] = []
    form: Mapping[str, Any] = finding
    complete = False
    for record in ordered:
        when = record.get("UpdateTime")
        versions.append(Version(form, when if isinstance(when, datetime) else moment_of(form)))
        if record.get("FindingCreated"):
            complete = True
            break
        form = _undone(form, record.get("Updates") or ())
    else:
        versions.append(Version(form, parse(seen.created)))
    return History(tuple(versions), complete)


def _never_changed(seen: Finding) -> bool:
    """BatchUpdateFindings leaves UpdatedAt as it is, but not the workflow (API_BatchUpdateFindings)."""
    return bool(seen.created) and seen.created == seen.updated and seen.status == "NEW"


def _undone(finding: Mapping[str, Any], updates: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Takes one record's changes back.

    A field is named by its path; a value is text, or JSON (API_FindingHistoryUpdate).
    """
    before = copy.deepcopy(dict(finding))
    for update in updates:
        path = str(update.get("UpdatedField", "")).split(".")
        old = update.get("OldValue")
        node: Any = before
        for step in path[:-1]:
            node = node.setdefault(step, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            continue
        if old is None:
            node.pop(path[-1], None)
        else:
            node[path[-1]] = _value(str(old), like=node.get(path[-1]))
    return before


def _value(text: str, *, like: Any) -> Any:
    """Reads an old value; a text stays text where text stands now."""
    if isinstance(like, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
