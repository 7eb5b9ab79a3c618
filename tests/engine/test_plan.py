"""Planning is pure: every case is a graph, what was seen, and the steps that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.engine.graph import Graph
from shnotify.engine.ownership import adoptable, owner_of, with_tags
from shnotify.engine.plan import Observation, plan_apply
from shnotify.engine.resource import Live, cfn_name
from shnotify.engine.teardown import plan_destroy
from shnotify.engine.values import Policy, Tags
from shnotify.tags import ADOPTED_TAG, NAME_TAG
from tests.support.plans import BASE, GRAPH, THING, UNREADABLE, Base, Plain, Thing, actions, live, reasons, seen


def test_what_is_missing_is_created_after_what_it_needs() -> None:
    plan = plan_apply(GRAPH, seen(None, None))
    assert actions(plan) == {"Base": "create", "Thing": "create"}
    assert [(s.key, s.needs) for s in plan.steps] == [("Base", frozenset()), ("Thing", frozenset({"Base"}))]
    assert {c.path: c.after for c in plan.steps[1].changes} == {
        "Uses": "${Base.Arn}",
        "Size": 1,
        "PolicyDocument": Policy({}),
        "Tags": Tags.of({NAME_TAG: "mine"}),
    }
    assert all(c.before is None for c in plan.steps[1].changes)
    assert plan.changes_anything


def test_what_is_as_wanted_is_left() -> None:
    plan = plan_apply(GRAPH, seen(live(BASE), live(THING)))
    assert actions(plan) == {"Base": "none", "Thing": "none"}
    assert (plan.changes_anything, plan.refused, plan.known["Base.Arn"]) == (False, (), "arn:base")


def test_only_what_differs_is_updated() -> None:
    plan = plan_apply(GRAPH, seen(live(BASE), live(THING, size=2)))
    assert actions(plan) == {"Base": "none", "Thing": "update"}
    assert [(c.path, c.before, c.after) for c in plan.steps[1].changes] == [("Size", 2, 1)]


def test_none_is_not_managed_and_empty_must_be_empty() -> None:
    free = Graph((replace(BASE, size=None),))
    assert actions(plan_apply(free, Observation({"Base": live(BASE, size=5)}))) == {"Base": "none"}
    assert actions(plan_apply(Graph((BASE,)), Observation({"Base": live(BASE, uses="x")}))) == {"Base": "update"}


@pytest.mark.parametrize("adopt", [False, True])
def test_what_cannot_be_read_is_refused(adopt: bool) -> None:
    plan = plan_apply(GRAPH, seen(UNREADABLE, live(THING)), adopt=adopt)
    assert actions(plan)["Base"] == "refuse"
    assert reasons(plan) == {
        "Base": "it could not be read: not allowed",
        "Thing": "Uses cannot be compared: Base could not be read",
    }


def test_what_is_not_ours_is_refused_and_adopted_only_when_asked() -> None:
    foreign = live(BASE, "it does not carry our tag", tags=Tags(), size=7)
    plan = plan_apply(GRAPH, seen(foreign, live(THING)))
    assert actions(plan) == {"Base": "refuse", "Thing": "none"}
    assert "--adopt" in reasons(plan)["Base"]
    assert [s.key for s in plan.refused] == ["Base"]
    assert not plan.changes_anything
    adopted = plan_apply(GRAPH, seen(foreign, live(THING)), adopt=True)
    assert actions(adopted) == {"Base": "adopt", "Thing": "none"}
    assert [c.path for c in adopted.steps[0].changes] == ["Size", "Tags"]
    assert adopted.steps[0].resource.tags.get(ADOPTED_TAG) == "true"  # type: ignore[attr-defined]


@pytest.mark.parametrize("tags", [{NAME_TAG: "other"}, {"aws:cloudformation:stack-name": "s"}])
def test_what_somebody_elses_tag_claims_is_never_adopted(tags: dict[str, str]) -> None:
    foreign = live(BASE, "it is somebody's", tags=Tags.of(tags))
    plan = plan_apply(GRAPH, seen(foreign, live(THING)), adopt=True)
    assert actions(plan) == {"Base": "refuse", "Thing": "none"}
    assert reasons(plan)["Base"] == "it is somebody's: choose another name in the file"


def test_what_is_blocked_is_refused_even_when_ours() -> None:
    blocked = replace(live(BASE), blocked="AWS manages it")
    plan = plan_apply(GRAPH, seen(blocked, live(THING)), adopt=True)
    assert (actions(plan)["Base"], reasons(plan)) == ("refuse", {"Base": "AWS manages it"})


def test_what_two_are_found_as_is_left_as_it_is() -> None:
    one, two, three = (Thing(id=name) for name in ("One", "Two", "Three"))
    plain = Plain(id="Plain")
    same = [replace(live(thing), outputs={"Arn": "arn:same"}) for thing in (one, two)]
    alike = Live(plain, {"Arn": "arn:same"})  # what carries no tags is no thing of its own
    nameless = replace(live(three), outputs={})
    observed = Observation({"One": same[0], "Two": same[1], "Three": nameless, "Plain": alike, "Base": UNREADABLE})
    plan = plan_apply(Graph((one, two, three, plain, BASE)), observed)
    assert actions(plan) == {"One": "refuse", "Two": "refuse", "Three": "none", "Plain": "none", "Base": "refuse"}
    assert reasons(plan)["One"] == reasons(plan)["Two"] == "One and Two both name arn:same"
    alone = plan_apply(Graph((one, plain)), Observation({"One": same[0], "Plain": alike}))
    assert alone.refused == ()
    empty = [replace(live(thing), outputs={"Arn": ""}) for thing in (one, two)]
    assert plan_apply(Graph((one, two)), Observation(dict(zip(("One", "Two"), empty, strict=True)))).refused == ()


def test_leftovers_go_after_everything_else_in_their_order() -> None:
    old, older = Thing(id="Old"), Base(id="Older")
    plan = plan_apply(GRAPH, seen(live(BASE), None, (older, live(older)), (old, live(old))))
    assert actions(plan) == {"Base": "none", "Thing": "create", "Old": "delete", "Older": "delete"}
    assert plan.steps[2].needs == {"Base", "Thing"}
    assert plan.steps[3].needs == {"Base", "Thing", "Old"}


def test_a_leftover_that_must_stay_keeps_nothing_from_being_made_right() -> None:
    old = Thing(id="Old")
    for left in (replace(live(old), blocked="it holds messages"), UNREADABLE):
        plan = plan_apply(GRAPH, seen(live(BASE), live(THING), (old, left)))
        assert actions(plan)["Old"] == "none"
        assert plan.refused == ()
        assert reasons(plan)["Old"]


def test_destroy_takes_users_first() -> None:
    plan = plan_destroy(GRAPH, seen(live(BASE), live(THING)))
    assert [(s.key, s.action) for s in plan.steps] == [("Thing", "delete"), ("Base", "delete")]
    assert plan.steps[1].needs == {"Thing"}
    assert [c.path for c in plan.steps[0].changes] == ["Uses", "Size", "PolicyDocument"]
    assert [c.path for c in plan.steps[1].changes] == ["Size", "PolicyDocument"]


def test_destroying_nothing_is_nothing() -> None:
    plan = plan_destroy(GRAPH, seen(None, None))
    assert (actions(plan), plan.changes_anything) == ({"Thing": "none", "Base": "none"}, False)
    assert plan_destroy(Graph(()), Observation({})).steps == ()


def test_what_stays_keeps_what_it_needs() -> None:
    plan = plan_destroy(GRAPH, seen(live(BASE), live(THING, "it does not carry our tag")))
    assert actions(plan) == {"Thing": "refuse", "Base": "refuse"}
    assert reasons(plan)["Thing"] == "it does not carry our tag, so it stays"
    assert reasons(plan)["Base"] == "Thing stays and may need it, so it stays"
    assert plan.steps[1].changes == ()


def test_what_stays_keeps_nothing_else() -> None:
    plan = plan_destroy(GRAPH, seen(live(BASE, "it is not ours"), live(THING)))
    assert actions(plan) == {"Thing": "delete", "Base": "refuse"}


@pytest.mark.parametrize("left", [UNREADABLE, replace(live(THING), blocked="it holds messages")])
def test_destroy_refuses_what_it_may_not_or_cannot_judge(left: Any) -> None:
    plan = plan_destroy(GRAPH, seen(live(BASE), left))
    assert actions(plan) == {"Thing": "refuse", "Base": "refuse"}


def test_kinds_can_be_kept() -> None:
    plan = plan_destroy(GRAPH, seen(live(BASE), live(THING)), keep=frozenset({"Test::Base"}))
    assert actions(plan) == {"Thing": "delete", "Base": "none"}
    assert reasons(plan) == {"Base": "kept, as asked"}
    assert plan_destroy(GRAPH, seen(None, None), keep=frozenset({"Test::Base"})).steps[1].reason == "it is not there"


def test_destroy_takes_leftovers_in_their_place() -> None:
    old, older = Thing(id="Old"), Base(id="Older")
    plan = plan_destroy(GRAPH, seen(live(BASE), live(THING), (old, live(old)), (older, live(older))))
    needs = {s.key: s.needs for s in plan.steps}
    assert needs["Base"] >= {"Thing", "Old"}
    assert needs["Older"] >= {"Thing", "Old"}
    assert needs["Thing"] == needs["Old"] == frozenset()


def test_what_was_adopted_is_given_back() -> None:
    adopted = live(THING, tags=Tags.of({NAME_TAG: "mine", ADOPTED_TAG: "true"}))
    plan = plan_destroy(GRAPH, seen(live(BASE), adopted))
    assert (actions(plan)["Thing"], plan.steps[0].release) == ("update", True)
    assert "adopted" in reasons(plan)["Thing"]
    assert not plan.steps[1].release


def test_the_same_observation_gives_the_same_fingerprint_and_another_gives_another() -> None:
    first = plan_apply(GRAPH, seen(live(BASE), live(THING)))
    assert first.fingerprint == plan_apply(GRAPH, seen(live(BASE), live(THING))).fingerprint
    others = [
        seen(live(BASE), live(THING, size=3)),
        seen(live(BASE), None),
        seen(live(BASE, "not ours"), live(THING)),
        seen(live(BASE), live(THING, tags=Tags.of({NAME_TAG: "mine", "x": "y"}))),
        seen(live(BASE), live(THING), (Thing(id="Old"), live(Thing(id="Old")))),
    ]
    assert len({first.fingerprint, *(plan_apply(GRAPH, other).fingerprint for other in others)}) == 6


def test_counts() -> None:
    plan = plan_apply(GRAPH, seen(live(BASE, size=2), None))
    assert (plan.count("create"), plan.count("update"), plan.count("create", "update"), plan.count("none")) == (
        1,
        1,
        2,
        0,
    )


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({NAME_TAG: "mine"}, None),
        ({NAME_TAG: "mine", "aws:cloudformation:stack-name": "s"}, "it belongs to the CloudFormation stack 's'"),
        (
            {NAME_TAG: "mine", "aws:cloudformation:logical-id": "l", "aws:cloudformation:stack-name": "s"},
            "it belongs to the CloudFormation stack 's'",
        ),
        ({NAME_TAG: "mine", "aws:cloudformation:stack-id": "i"}, "it belongs to the CloudFormation stack 'i'"),
        ({NAME_TAG: "other"}, "it belongs to another notifier, 'other'"),
        ({NAME_TAG: ""}, "it belongs to another notifier, ''"),
        ({"managed-by": "shnotify"}, "it does not carry our tag"),
        ({}, "it does not carry our tag"),
    ],
)
def test_who_owns_it(tags: dict[str, str], words: str | None) -> None:
    assert owner_of(Tags.of(tags), Tags.of({NAME_TAG: "mine", "managed-by": "shnotify"})) == words
    assert owner_of(Tags.of(tags), Tags()) is not None


@pytest.mark.parametrize(
    ("tags", "free"),
    [({}, True), ({"Owner": "x"}, True), ({NAME_TAG: "x"}, False), ({"aws:cloudformation:stack-name": "s"}, False)],
)
def test_what_may_be_adopted(tags: dict[str, str], free: bool) -> None:
    assert adoptable(Tags.of(tags)) is free


def test_a_graph_refuses_what_cannot_be_ordered_and_references_lost_in_text() -> None:
    with pytest.raises(ValueError, match="before"):
        Graph((THING, BASE))
    with pytest.raises(ValueError, match="twice"):
        Graph((BASE, BASE))
    with pytest.raises(ValueError, match="lost its edge"):
        Graph((BASE, Thing(id="T", uses=f"x{BASE.ref('Arn')}")))
    assert list(Graph((BASE, Thing(id="T", uses="costs ${money.much}"))))[1].needs() == frozenset()


def test_small_things() -> None:
    assert cfn_name("kms_master_key_id") == "KmsMasterKeyId"
    assert with_tags(BASE, {"a": "b"}).tags_or_none() == Tags.of({NAME_TAG: "mine", "a": "b"})
    assert THING.resolved({"Base.Arn": "arn:base"}).uses == "arn:base"
