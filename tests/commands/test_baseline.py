"""`baseline`: the backlog becomes NOTIFIED, and NEW again."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from tests.conftest import SMALLEST, Cases, World
from tests.support import faults
from tests.support.backlog import asff, ocsf, stored, there
from tests.support.crashes import HOWS, emptied

HUB = SMALLEST.replace("    subscribers", "    source: hub\n    subscribers")
BOTH = HUB.replace("hub", "both")


def statuses() -> dict[str, str]:
    return {key: one.get("status") or one["Workflow"]["Status"] for key, one in stored().items()}


def changed(finding: dict[str, Any], **more: Any) -> None:
    finding.update(more)


def test_it_marks_what_matches_and_nothing_else(world: World) -> None:
    there(asff(1), asff(2, "HIGH"), asff(3, "LOW"), asff(4, RecordState="ARCHIVED"))
    ran = world.run("baseline", "--yes")
    assert (ran.code, ran.json["found"], ran.json["done"]) == (0, 2, 2)
    assert statuses() == {"finding-1": "NOTIFIED", "finding-2": "NOTIFIED", "finding-3": "NEW", "finding-4": "NEW"}
    assert "baseline of security-alerts" in stored()["finding-1"]["Note"]["Text"]
    assert world.run("estimate").json["routes"][0]["now"] == 0


def test_it_asks_first(world: World) -> None:
    there(asff(1))
    ran = world.text("baseline")
    assert (ran.code, statuses()) == (2, {"finding-1": "NEW"})
    assert "1 findings match now and would be NOTIFIED" in ran.out
    assert "give --yes" in ran.err


def test_a_preview_changes_nothing(world: World) -> None:
    there(asff(1))
    ran = world.run("baseline", "--preview")
    assert (ran.code, ran.json["found"], ran.json["done"]) == (0, 1, 0)
    assert ran.json["findings"] == [
        {"id": "finding-1", "title": "title 1", "severity": "CRITICAL", "account": "123456789012"}
    ]
    assert world.faults.writes == []


def test_a_hundred_a_call(world: World) -> None:
    there(*(asff(n) for n in range(250)))
    assert world.run("baseline", "--yes").json["done"] == 250
    sent = [params for operation, params in world.faults.calls if operation == "securityhub:BatchUpdateFindings"]
    assert sorted(len(params["FindingIdentifiers"]) for params in sent) == [50, 100, 100]


def test_it_goes_on_where_it_was_stopped(world: World) -> None:
    there(*(asff(n) for n in range(250)))
    world.faults.rule = faults.on("securityhub:BatchUpdateFindings")(faults.kill_after)
    with pytest.raises(faults.Killed):
        world.run("baseline", "--yes")
    assert list(statuses().values()).count("NOTIFIED") == 100
    world.faults.rule = lambda _n, _o: None
    assert world.run("baseline", "--yes").json["done"] == 150
    assert set(statuses().values()) == {"NOTIFIED"}


def test_an_error_in_between_tells_what_is_done(world: World) -> None:
    there(*(asff(n) for n in range(150)))
    left = [0]

    def second(_n: int, operation: str) -> faults.Fault | None:
        left[0] += operation == "securityhub:BatchUpdateFindings"
        return faults.refuse("AccessDeniedException", 403) if left[0] > 1 else None

    world.faults.rule = second
    ran = world.run("baseline", "--yes")
    assert (ran.code, ran.json["done"]) == (1, 100)
    assert ran.json["error"]["operation"] == "securityhub:BatchUpdateFindings"


def test_undo_restores_what_it_changed_and_nothing_else(world: World) -> None:
    there(
        asff(1),
        asff(2, Note={"Text": "a person's", "UpdatedBy": "me", "UpdatedAt": "2026-01-01T00:00:00Z"}),
        asff(3, UserDefinedFields={"team": "a"}),
        asff(4),
        asff(5),
        asff(6, Workflow={"Status": "NOTIFIED"}),
    )
    assert world.run("baseline", "--yes").json["done"] == 5
    changed(stored()["finding-4"], Workflow={"Status": "RESOLVED"})
    changed(stored()["finding-5"], Note={"Text": "looked into it", "UpdatedBy": "me"})
    ran = world.run("baseline", "--undo", "--yes")
    assert (ran.code, ran.json["done"]) == (0, 3)
    assert [(one["id"], one["why"]) for one in ran.json["kept"]] == [("finding-5", "its note was changed")]
    assert statuses() == {
        "finding-1": "NEW",
        "finding-2": "NEW",
        "finding-3": "NEW",
        "finding-4": "RESOLVED",
        "finding-5": "NOTIFIED",
        "finding-6": "NOTIFIED",
    }
    assert stored()["finding-2"]["Note"]["Text"] == "a person's"
    assert stored()["finding-3"]["UserDefinedFields"] == {"team": "a"}
    assert world.run("baseline", "--undo", "--yes").json["found"] == 0


def test_the_new_security_hub(world: World) -> None:
    world.write(HUB)
    there(ocsf(1), ocsf(2, "Low"), ocsf(3, comment="a person's"))
    ran = world.run("baseline", "--yes")
    assert (ran.json["done"], [one["id"] for one in ran.json["kept"]]) == (1, ["info-3"])
    assert statuses() == {"uid-1": "In Progress", "uid-2": "New", "uid-3": "New"}
    assert world.run("baseline", "--undo", "--yes").json["done"] == 1
    assert statuses()["uid-1"] == "New"


def test_what_security_hub_does_not_take_is_told(world: World) -> None:
    there(asff(1), asff(2))

    def refuses(_call: Any, _operation: str) -> Any:
        identifier = {"Id": "finding-1", "ProductArn": "p"}
        entry = {"FindingIdentifier": identifier, "ErrorCode": "FindingNotFound", "ErrorMessage": "gone"}
        return {"ProcessedFindings": [], "UnprocessedFindings": [entry]}

    world.faults.rule = faults.on("securityhub:BatchUpdateFindings")(refuses)
    ran = world.run("baseline", "--yes")
    assert (ran.code, ran.json["done"]) == (1, 1)
    assert ran.json["unprocessed"] == [{"id": "finding-1", "code": "FindingNotFound", "message": "gone"}]
    assert "1 of 2 updates" in ran.json["error"]["message"]


def test_text_of_findings_is_made_safe(world: World) -> None:
    there(asff(1, Title="evil \x1b[31m\nline"))
    out = world.text("baseline", "--preview").out
    assert "\x1b" not in out
    assert "evil \\x1b[31m\\nline" in out


def somebodys_change() -> None:
    """Somebody decides on two findings, and leaves the others."""
    changed(stored()["finding-1"], Workflow={"Status": "SUPPRESSED"})
    changed(stored()["uid-1"], status="Resolved", status_id=4)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("undo", [(), ("--undo",)], ids=["mark", "undo"])
def test_a_crash_at_every_call(
    world: World, monkeypatch: pytest.MonkeyPatch, undo: tuple[str, ...], how: str, cases: Cases
) -> None:
    """Whatever is cut off where, the next run brings both services to where a whole run does."""
    monkeypatch.setattr("shnotify.notifier.marking.BATCH", 2)

    def ran_through(crash: int = 0) -> tuple[dict[str, str], int]:
        with emptied(world):
            world.write(BOTH)
            there(*(asff(n) for n in range(5)), *(ocsf(n) for n in range(5)), asff(9, "LOW"))
            if undo:
                assert world.run("baseline", "--yes").code == 0
                somebodys_change()
            if crash:
                world.faults.rule = faults.at(crash)(HOWS[how])
                with contextlib.suppress(faults.Killed):
                    world.run("baseline", "--yes", *undo)
                world.faults.rule = lambda _n, _o: None
            ran = world.run("baseline", "--yes", *undo)
            assert ran.code == 0, ran.err
            return statuses(), len(world.faults.calls)

    wanted, calls = ran_through()
    if undo:
        assert (wanted.pop("finding-1"), wanted.pop("uid-1")) == ("SUPPRESSED", "Resolved")
    assert set(wanted.values()) == ({"NEW", "New"} if undo else {"NOTIFIED", "In Progress", "NEW"})
    for crash in range(1, calls + 1):
        found, _ = ran_through(crash)
        assert {key: found[key] for key in wanted} == wanted, crash
    cases(calls)
