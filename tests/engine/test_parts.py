"""Parts, which go or stay with their whole, and what hangs on something that could not be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation, Step, plan_apply
from shnotify.engine.resource import Live
from shnotify.engine.teardown import plan_destroy
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.tags import ADOPTED_TAG, NAME_TAG
from tests.support.plans import BASE, THING, UNREADABLE, Base, Last, Plain, Thing, live

PARTS = (Plain(id="PartB", uses=BASE.ref("Arn")), Plain(id="PartA", uses=BASE.ref("Arn")))
LAST = Last(id="Last")
WHOLE = Graph((LAST, BASE, *PARTS, THING))
ADOPTED = Tags.of({NAME_TAG: "mine", ADOPTED_TAG: "true"})


def removal(base: Any, *left: Any) -> dict[str, Step]:
    wanted = {"Last": live(LAST), "Base": base, "Thing": live(THING), **{part.id: live(part) for part in PARTS}}
    return {step.key: step for step in plan_destroy(WHOLE, Observation(wanted, left)).steps}


def test_a_part_goes_after_its_whole_without_a_call() -> None:
    steps = removal(live(BASE))
    assert list(steps) == ["Thing", "Base", "PartB", "PartA", "Last"]
    assert {key: (step.action, step.part, step.needs) for key, step in steps.items()} == {
        "Thing": ("delete", False, frozenset()),
        "Base": ("delete", False, {"Thing"}),
        "PartB": ("delete", True, {"Base"}),
        "PartA": ("delete", True, {"Base"}),
        "Last": ("delete", False, frozenset()),
    }
    assert steps["Last"].after == {"Thing", "Base"}


@pytest.mark.parametrize(
    ("base", "action"),
    [
        (live(BASE, "theirs"), "refuse"),
        (replace(live(BASE), blocked="in use"), "refuse"),
        (UNREADABLE, "refuse"),
        (live(BASE, tags=ADOPTED), "update"),
    ],
    ids=["foreign", "blocked", "unreadable", "adopted"],
)
def test_a_part_of_what_stays_stays_with_it(base: Any, action: str) -> None:
    steps = removal(base)
    assert list(steps) == ["Thing", "Base", "PartB", "PartA", "Last"]
    assert steps["Base"].action == action
    assert steps["Base"].needs == {"Thing"}
    for part in ("PartA", "PartB"):
        step = steps[part]
        assert (step.action, step.changes, step.part) == ("none", (), False)
        assert step.reason == "Base stays, so this stays with it"


def test_a_part_whose_whole_is_gone_is_removed_itself() -> None:
    steps = removal(None)
    assert list(steps) == ["PartB", "PartA", "Thing", "Base", "Last"]
    assert (steps["PartA"].action, steps["PartA"].part, steps["Base"].action) == ("delete", False, "none")
    assert steps["Base"].needs == {"PartA", "PartB", "Thing"}


def test_a_whole_that_goes_last_does_not_wait_for_its_parts() -> None:
    """Without keys and queue a topic is the last of all."""
    wanted = {"Base": live(BASE), **{part.id: live(part) for part in PARTS}}
    steps = plan_destroy(Graph((BASE, *PARTS)), Observation(wanted)).steps
    assert [(s.key, s.needs) for s in steps] == [
        ("Base", frozenset()),
        ("PartB", frozenset({"Base"})),
        ("PartA", frozenset({"Base"})),
    ]


def test_only_what_is_to_go_and_has_a_whole_is_a_part() -> None:
    """Not what is gone, what stays itself, what stands alone; and a leftover that names a wanted whole is one."""
    alone, gone, theirs = (
        Plain(id="Alone"),
        Plain(id="Gone", uses=BASE.ref("Arn")),
        Plain(id="Theirs", uses=BASE.ref("Arn")),
    )
    stray = Plain(id="Stray", uses=BASE.ref("Arn"))
    graph = Graph((LAST, BASE, alone, gone, theirs))
    wanted: dict[str, Any] = {
        "Last": live(LAST),
        "Base": live(BASE),
        "Alone": live(alone),
        "Gone": None,
        "Theirs": live(theirs, "theirs"),
    }
    steps = {s.key: s for s in plan_destroy(graph, Observation(wanted, ((stray, live(stray)),))).steps}
    assert {key: (step.action, step.part) for key, step in steps.items()} == {
        "Alone": ("delete", False),
        "Gone": ("none", False),
        "Theirs": ("refuse", False),
        "Base": ("refuse", False),
        "Stray": ("none", False),
        "Last": ("delete", False),
    }
    wanted["Theirs"] = None
    steps = {s.key: s for s in plan_destroy(graph, Observation(wanted, ((stray, live(stray)),))).steps}
    assert list(steps) == ["Alone", "Gone", "Theirs", "Base", "Stray", "Last"]
    assert (steps["Stray"].action, steps["Stray"].part, steps["Stray"].needs) == ("delete", True, frozenset({"Base"}))


def test_what_hangs_on_several_unreadable_things_names_them_all() -> None:
    other = Base(id="Another")
    both = Pair(id="Pair", uses=BASE.ref("Arn"), second=other.ref("Arn"))
    known = Base(id="Known")
    plain = Thing(id="Plain", uses=known.ref("Arn"))
    graph = Graph((BASE, other, both, known, plain))
    found = Live(replace(both, uses="arn:1", second="arn:2"), {"Arn": "arn:pair"})
    observed = Observation(
        {
            "Base": UNREADABLE,
            "Another": UNREADABLE,
            "Pair": found,
            "Known": live(known),
            "Plain": live(plain, size=2, uses="arn:known"),
        }
    )
    steps = {s.key: s for s in plan_apply(graph, observed).steps}
    why = "Uses, Second cannot be compared: Another, Base could not be read"
    assert steps["Pair"] == Step("refuse", both, needs=frozenset({"Base", "Another"}), reason=why)
    assert (steps["Plain"].action, [c.path for c in steps["Plain"].changes]) == ("update", ["Size"])
    changed = replace(found, state=replace(found.state, size=7))
    half = replace(observed, wanted={**observed.wanted, "Pair": changed})
    mixed = {s.key: s for s in plan_apply(graph, half).steps}
    assert (mixed["Pair"].action, [c.path for c in mixed["Pair"].changes]) == ("update", ["Size"])


@frozen(kw_only=True)
class Pair(Thing):
    second: str = ""
