"""A backlog marked NOTIFIED, and the mark taken away again.

What was changed stands on the finding itself, so that an undo needs no file: in ASFF a user-defined
field with the former status and a digest of the note that stood there then, in OCSF the comment
(API_BatchUpdateFindings, API_BatchUpdateFindingsV2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from shnotify.aws.gateway import Aws
from shnotify.aws.pace import Pace
from shnotify.formatter.finding import at, text
from shnotify.frozen import frozen
from shnotify.notifier.backlog import Question, Seen, Sorter

BATCH = 100
"""Findings in one call (API_BatchUpdateFindings)."""
WRITES_PER_SECOND = 10
WRITE_BURST = 30
MAX_FIELDS = 50
"""User-defined fields of a finding (asff-top-level-attributes)."""
BY = "shnotify"
_STATUS_ID = {"NEW": 1, "NOTIFIED": 2}
"""OCSF's `status_id`: New, and In Progress, which stands for NOTIFIED."""

Doing = Literal["mark", "undo"]


@frozen
class Words:
    """What a notifier writes on the findings of its backlog."""

    name: str

    @property
    def field(self) -> str:
        """The user-defined field that holds the mark."""
        return f"shnotify:baseline:{self.name}"

    @property
    def note(self) -> str:
        return f"shnotify baseline of {self.name}: it was there before anybody was mailed (was NEW)"

    @property
    def undone(self) -> str:
        return f"shnotify baseline of {self.name}: undone"

    def replaceable(self, note: str) -> bool:
        """Tells whether a note or comment is nobody's loss: none, or one of ours."""
        return note in ("", self.note, self.undone)


@frozen
class Change:
    """Says what one finding gets; findings with the same `update` go in one call."""

    seen: Seen
    update: Mapping[str, Any]


@frozen
class Kept:
    """Says why a finding stays as it is."""

    seen: Seen
    why: str


def marked(seen: Seen, sorter: Sorter, words: Words) -> Change | Kept | None:
    """Decides what a mark would be; None for a finding that needs none.

    Only an active, new finding is marked, and only where the mark keeps a mail from being sent.
    """
    routes = sorter.routes(seen)
    if not routes or not seen.active or seen.finding.status != "NEW":
        return None
    left = sorter.routes(seen.with_status("NOTIFIED"))
    if not set(routes) - set(left):
        return Kept(seen, f"{', '.join(routes)} mails it whatever its workflow status is")
    if new := set(left) - set(routes):
        return Kept(seen, f"{', '.join(sorted(new))} would mail it once it is NOTIFIED")
    return _mark_v2(seen, words) if seen.finding.schema == "hub" else _mark(seen, words)


def _mark(seen: Seen, words: Words) -> Change | Kept:
    raw = seen.finding.raw
    update: dict[str, Any] = {"Workflow": {"Status": "NOTIFIED"}}
    note = (text(raw, "Note", "Text"), text(raw, "Note", "UpdatedBy"))
    if words.replaceable(note[0]):
        note = (words.note, BY)
        update["Note"] = {"Text": note[0], "UpdatedBy": note[1]}
    fields = {**_fields(raw), words.field: f"NEW {_digest(note)}"}
    if len(fields) > MAX_FIELDS:
        return Kept(seen, f"it has {MAX_FIELDS} user-defined fields, and no room for ours")
    return Change(seen, {**update, "UserDefinedFields": fields})


def _mark_v2(seen: Seen, words: Words) -> Change | Kept:
    if not words.replaceable(text(seen.finding.raw, "comment")):
        return Kept(seen, "it has somebody's comment, in whose place ours would stand")
    return Change(seen, {"StatusId": _STATUS_ID["NOTIFIED"], "Comment": words.note})


def unmarked(seen: Seen, words: Words) -> Change | Kept | None:
    """Decides how a mark is taken away; None for a finding that carries none.

    What somebody changed since stays as it is.
    """
    raw = seen.finding.raw
    if seen.finding.schema == "hub":
        if text(raw, "comment") != words.note:
            return None
        if seen.finding.status != "NOTIFIED":
            return Kept(seen, f"its status is {seen.finding.status} now")
        return Change(seen, {"StatusId": _STATUS_ID["NEW"], "Comment": words.undone})
    mark = _fields(raw).get(words.field)
    note = (text(raw, "Note", "Text"), text(raw, "Note", "UpdatedBy"))
    if mark is None:
        ours = note == (words.note, BY)
        return Kept(seen, "its user-defined fields were changed") if ours else None
    if seen.finding.status != "NOTIFIED":
        return Kept(seen, f"its status is {seen.finding.status} now")
    if mark != f"NEW {_digest(note)}":
        return Kept(seen, "its note was changed")
    rest = {name: value for name, value in _fields(raw).items() if name != words.field}
    update: dict[str, Any] = {"Workflow": {"Status": "NEW"}, "UserDefinedFields": rest}
    if note == (words.note, BY):  # a note can be replaced and not removed
        update["Note"] = {"Text": words.undone, "UpdatedBy": BY}
    return Change(seen, update)


def _fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = at(raw, "UserDefinedFields")
    return dict(found) if isinstance(found, Mapping) else {}


def _digest(note: tuple[str, str]) -> str:
    return hashlib.sha256("\n".join(note).encode(errors="replace")).hexdigest()[:12]


def marked_ones(service: str, words: Words) -> Question:
    """Asks one service for what may carry the mark; `unmarked` decides."""
    if service == "cspm":
        status = [{"Value": "NOTIFIED", "Comparison": "EQUALS"}]
        return Question(service, {"WorkflowStatus": status})
    wanted = {"FieldName": "comment", "Filter": {"Value": words.note, "Comparison": "EQUALS"}}
    filters = {"CompositeFilters": [{"StringFilters": [wanted]}], "CompositeOperator": "AND"}
    return Question(service, filters)


def batches(changes: list[Change]) -> Iterator[list[Change]]:
    """Groups what goes in one call: one service, one update, at most 100 findings."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        group = groups.setdefault(repr((change.seen.finding.schema, change.update)), [])
        group.append(change)
        if len(group) == BATCH:
            yield group.copy()
            group.clear()
    yield from (group for group in groups.values() if group)


def write_pace(aws: Aws) -> Pace:
    return Pace(aws, rate=WRITES_PER_SECOND, burst=WRITE_BURST)


def send(aws: Aws, batch: list[Change]) -> list[dict[str, Any]]:
    """Updates the findings of a batch; returns those that Security Hub did not take, and why."""
    first = batch[0]
    if first.seen.finding.schema == "hub":
        uids = [change.seen.finding.uid for change in batch]
        reply: Any = aws(
            aws.securityhub.batch_update_findings_v2, MetadataUids=uids, **first.update
        )
        return [
            _refused(one, one.get("MetadataUid", ""))
            for one in reply.get("UnprocessedFindings", [])
        ]
    findings: Any = [
        {"Id": one.seen.finding.id, "ProductArn": one.seen.finding.product_arn} for one in batch
    ]
    reply = aws(aws.securityhub.batch_update_findings, FindingIdentifiers=findings, **first.update)
    return [
        _refused(one, text(one, "FindingIdentifier", "Id"))
        for one in reply.get("UnprocessedFindings", [])
    ]


def _refused(one: Mapping[str, Any], identity: str) -> dict[str, Any]:
    return {"id": identity, "code": one.get("ErrorCode"), "message": one.get("ErrorMessage")}
