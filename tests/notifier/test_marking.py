"""What a baseline writes on a finding, and what its undo takes away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.notifier.backlog import Seen, Sorter
from shnotify.notifier.marking import Change, Kept, Words, batches, marked, unmarked

WORDS = Words("alerts")
FILE = "name: alerts\nregion: eu-west-1\nroutes:\n  - name: urgent\n    source: both\n"


def sorter(more: str = "") -> Sorter:
    return Sorter.of(completed(parse(FILE + more)).routes, "aws")


def asff(**more: Any) -> dict[str, Any]:
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": "f",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "Severity": {"Label": "CRITICAL"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }
    return {**finding, **more}


def ocsf(**more: Any) -> dict[str, Any]:
    finding = {"class_uid": 2003, "severity": "Critical", "status": "New", "activity_name": "Create"}
    finding["metadata"] = {"uid": "u"}
    return {**finding, **more}


def after(raw: dict[str, Any], change: Any) -> dict[str, Any]:
    """The finding once Security Hub has taken the update."""
    assert isinstance(change, Change)
    if "class_uid" not in raw:
        return {**raw, **change.update}
    words = {1: "New", 2: "In Progress"}
    return {**raw, "status": words[change.update["StatusId"]], "comment": change.update["Comment"]}


def mark(raw: dict[str, Any]) -> Change | Kept | None:
    return marked(Seen.of(raw), sorter(), WORDS)


def undo(raw: dict[str, Any]) -> Change | Kept | None:
    return unmarked(Seen.of(raw), WORDS)


def test_a_finding_that_matches_becomes_notified_with_a_note() -> None:
    change = mark(asff())
    assert isinstance(change, Change)
    assert change.update["Workflow"] == {"Status": "NOTIFIED"}
    assert change.update["Note"] == {"Text": WORDS.note, "UpdatedBy": "shnotify"}
    assert list(change.update["UserDefinedFields"]) == ["shnotify:baseline:alerts"]


@pytest.mark.parametrize(
    "raw",
    [
        asff(Severity={"Label": "LOW"}),
        asff(Workflow={"Status": "NOTIFIED"}),
        asff(Workflow={"Status": "SUPPRESSED"}),
        asff(RecordState="ARCHIVED"),
        ocsf(status="Resolved"),
        ocsf(severity="Low"),
    ],
)
def test_what_does_not_match_or_is_not_new_is_left(raw: dict[str, Any]) -> None:
    assert mark(raw) is None


def test_what_would_be_mailed_all_the_same_is_left_and_told() -> None:
    always = sorter("    findings: {workflow_status: any}\n")
    found = marked(Seen.of(asff()), always, WORDS)
    assert isinstance(found, Kept)
    assert found.why == "urgent mails it whatever its workflow status is"
    then = sorter("  - name: later\n    findings: {workflow_status: [NOTIFIED]}\n")
    found = marked(Seen.of(asff()), then, WORDS)
    assert isinstance(found, Kept)
    assert found.why == "later would mail it once it is NOTIFIED"


@pytest.mark.parametrize(
    "raw",
    [
        asff(),
        asff(UserDefinedFields={"team": "a"}),
        asff(Note={"Text": "a person's", "UpdatedBy": "me"}),
    ],
)
def test_undo_gives_back_what_was_there(raw: dict[str, Any]) -> None:
    marked_one = after(raw, mark(raw))
    back = after(marked_one, undo(marked_one))
    assert back["Workflow"] == {"Status": "NEW"}
    assert back["UserDefinedFields"] == raw.get("UserDefinedFields", {})
    assert back["Note"] == raw.get("Note", {"Text": WORDS.undone, "UpdatedBy": "shnotify"})
    assert undo(back) is None
    assert mark(back) == mark({**raw, "UserDefinedFields": back["UserDefinedFields"], "Note": back["Note"]})


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ({"Workflow": {"Status": "RESOLVED"}}, "its status is RESOLVED now"),
        ({"Workflow": {"Status": "NEW"}}, "its status is NEW now"),
        ({"Note": {"Text": "looked into it", "UpdatedBy": "me"}}, "its note was changed"),
    ],
)
@pytest.mark.parametrize("note", [None, {"Text": "before", "UpdatedBy": "me"}])
def test_undo_leaves_what_somebody_changed_since(since: dict[str, Any], why: str, note: dict[str, Any] | None) -> None:
    raw = asff(**({"Note": note} if note else {}))
    found = undo({**after(raw, mark(raw)), **since})
    assert isinstance(found, Kept)
    assert found.why == why


def test_undo_tells_of_a_mark_that_somebody_overwrote() -> None:
    found = undo({**after(asff(), mark(asff())), "UserDefinedFields": {"team": "a"}})
    assert isinstance(found, Kept)
    assert found.why == "its user-defined fields were changed"


def test_undo_knows_only_its_own_notifiers_marks() -> None:
    marked_one = after(asff(), mark(asff()))
    assert unmarked(Seen.of(marked_one), Words("other")) is None
    assert undo(asff(Workflow={"Status": "NOTIFIED"})) is None


def test_no_room_for_a_field_is_told() -> None:
    found = mark(asff(UserDefinedFields={str(n): "x" for n in range(50)}))
    assert isinstance(found, Kept)
    assert "50 user-defined fields" in found.why


def test_the_new_security_hub_is_marked_by_comment() -> None:
    raw = ocsf()
    change = mark(raw)
    assert isinstance(change, Change)
    assert change.update == {"StatusId": 2, "Comment": WORDS.note}
    marked_one = after(raw, change)
    back = undo(marked_one)
    assert isinstance(back, Change)
    assert back.update == {"StatusId": 1, "Comment": WORDS.undone}
    assert isinstance(undo({**marked_one, "status": "Resolved"}), Kept)
    assert undo({**marked_one, "comment": "mine"}) is None
    assert isinstance(mark(ocsf(comment="mine")), Kept)
    assert isinstance(mark(ocsf(comment=WORDS.undone)), Change)


TEXTS = st.text(max_size=12)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=5),
    st.none() | st.fixed_dictionaries({"Text": TEXTS, "UpdatedBy": TEXTS}),
)
def test_mark_and_undo_are_inverse(fields: dict[str, str], note: dict[str, str] | None) -> None:
    raw = asff(UserDefinedFields=fields, **({"Note": note} if note else {}))
    marked_one = after(raw, mark(raw))
    back = after(marked_one, undo(marked_one))
    assert back["UserDefinedFields"] == fields
    assert back["Workflow"] == raw["Workflow"]
    if note and note["Text"]:
        assert back["Note"] == note


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([(), ("a",), ("b",)]), max_size=350))
def test_batches_hold_each_finding_once_with_its_own_update(kinds: list[tuple[str, ...]]) -> None:
    changes = []
    for number, kind in enumerate(kinds):
        change = mark(asff(Id=f"f-{number}", UserDefinedFields=dict.fromkeys(kind, "x")))
        assert isinstance(change, Change)
        changes.append(change)
    found = list(batches(changes))
    assert sorted(one.seen.finding.id for batch in found for one in batch) == sorted(c.seen.finding.id for c in changes)
    assert all(len(batch) <= 100 for batch in found)
    assert all(one.update == batch[0].update for batch in found for one in batch)
    full = sum(-(-kinds.count(kind) // 100) for kind in set(kinds))
    assert len(found) == full
