"""Whole steps of a plan, so that nothing a step carries is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from shnotify.engine.graph import Graph
from shnotify.engine.ownership import is_adopted, with_tags
from shnotify.engine.plan import Observation, Step, plan_apply
from shnotify.engine.resource import Change, Live, identity
from shnotify.engine.teardown import plan_destroy
from shnotify.engine.values import Policy, Tags
from shnotify.frozen import frozen
from shnotify.resources.subscription import Subscription
from shnotify.tags import ADOPTED_TAG, NAME_TAG
from tests.support.plans import BASE, GRAPH, THING, UNREADABLE, Base, Last, Thing, actions, live, reasons, seen


@frozen(kw_only=True)
class Third(Thing):
    CFN: ClassVar[str] = "Test::Third"
    RANK: ClassVar[int] = 0

    label: str = identity(default="")
    targets: dict[str, Any] | None = None

    @property
    def arn(self) -> str:
        return "arn:computed"

    def creation_notes(self) -> tuple[str, ...]:
        return ("waits for a click",)


NOTED = ("a note",)
NEEDS = frozenset({"Base"})


def step_for(observed: Any, *, adopt: bool = False) -> Step:
    return plan_apply(GRAPH, seen(live(BASE), observed), adopt=adopt).steps[1]


def test_a_refused_step_carries_what_was_seen() -> None:
    assert step_for(UNREADABLE) == Step("refuse", THING, needs=NEEDS, reason="it could not be read: not allowed")
    blocked = replace(live(THING), blocked="AWS manages it", notes=NOTED)
    assert step_for(blocked) == Step("refuse", THING, blocked, needs=NEEDS, reason="AWS manages it")
    change = (Change("Size", 2, 1),)
    foreign = live(THING, "it is not ours", size=2, tags=Tags())
    refused = step_for(foreign)
    assert (refused.live, refused.needs, refused.changes[0]) == (foreign, NEEDS, change[0])
    taken = live(THING, "it is somebody's", size=2, tags=Tags.of({NAME_TAG: "other"}))
    refused = step_for(taken, adopt=True)
    assert (refused.live, refused.needs, refused.changes[0]) == (taken, NEEDS, change[0])


def test_an_update_and_an_adoption_carry_notes_and_order() -> None:
    drifted = replace(live(THING, size=2), notes=NOTED)
    assert step_for(drifted) == Step("update", THING, drifted, (Change("Size", 2, 1),), NEEDS, notes=NOTED)
    foreign = replace(live(THING, "it is not ours", tags=Tags()), notes=NOTED)
    step = step_for(foreign, adopt=True)
    assert (step.action, step.live, step.needs, step.notes) == ("adopt", foreign, NEEDS, NOTED)
    assert step.changes == (Change("Tags", Tags(), Tags.of({NAME_TAG: "mine", ADOPTED_TAG: "true"})),)


def test_a_creation_says_what_to_know_and_leaves_out_what_is_empty() -> None:
    third = Third(id="Third", tags=Tags())
    step = plan_apply(Graph((third,)), Observation({"Third": None})).steps[0]
    assert step.notes == ("waits for a click",)
    assert [c.path for c in step.changes] == ["Size", "PolicyDocument"]


def test_a_removal_carries_what_was_seen() -> None:
    old = Thing(id="Old")
    for observed, expected in {
        "foreign": (replace(live(old, "theirs"), notes=NOTED), "theirs, so it stays"),
        "blocked": (replace(live(old), blocked="full", notes=NOTED), "full"),
    }.values():
        plan = plan_destroy(GRAPH, seen(None, None, (old, observed)))
        step = next(s for s in plan.steps if s.key == "Old")
        assert (step.action, step.live, step.reason, step.notes) == ("refuse", observed, expected, NOTED)
    adopted = live(old, tags=Tags.of({NAME_TAG: "mine", ADOPTED_TAG: "true"}))
    plan = plan_destroy(GRAPH, seen(live(BASE), None, (old, adopted)))
    step = next(s for s in plan.steps if s.key == "Old")
    reason = "it was adopted, so it stays: only our tags, statements and target are taken away"
    assert step == Step("update", old, adopted, reason=reason, release=True)
    gone = replace(live(THING, size=None), notes=NOTED)
    step = plan_destroy(GRAPH, seen(None, gone)).steps[0]
    assert step.notes == NOTED
    assert step.live == gone
    assert step.changes == (Change("Uses", "arn:base", None), Change("PolicyDocument", Policy({}), None))


def test_what_is_encrypted_goes_before_every_key() -> None:
    other, key = Thing(id="Other"), Last(id="Base")
    graph = Graph((key, THING, other))
    observed = Observation({"Base": live(key), "Thing": live(THING), "Other": live(other)})
    needs = {s.key: (s.needs, s.after) for s in plan_destroy(graph, observed).steps}
    none: frozenset[str] = frozenset()
    assert needs == {"Thing": (none, none), "Other": (none, none), "Base": ({"Thing"}, {"Other"})}
    foreign = Observation({"Base": live(key), "Thing": live(THING), "Other": live(other, "theirs")})
    plan = plan_destroy(graph, foreign)
    assert actions(plan) == {"Thing": "delete", "Other": "refuse", "Base": "delete"}
    assert plan.steps[2].needs == {"Thing"}


def test_two_that_stay_are_both_named() -> None:
    other = Thing(id="Other", uses=BASE.ref("Arn"))
    observed = Observation({"Base": live(BASE), "Thing": live(THING, "theirs"), "Other": live(other, "theirs")})
    plan = plan_destroy(Graph((BASE, THING, other)), observed)
    assert reasons(plan)["Base"] == "Other, Thing stay and may need it, so it stays"


def test_a_kept_kind_shows_what_is_there() -> None:
    kept = plan_destroy(GRAPH, seen(live(BASE), None), keep=frozenset({"Test::Base"})).steps[1]
    assert kept == Step("none", BASE, live(BASE), reason="kept, as asked", needs=kept.needs)
    unread = plan_destroy(GRAPH, seen(UNREADABLE, None), keep=frozenset({"Test::Base"})).steps[1]
    assert unread.live is None


def test_leftovers_of_one_rank_do_not_wait_for_each_other() -> None:
    one, two = Thing(id="One"), Thing(id="Two")
    plan = plan_apply(GRAPH, seen(live(BASE), live(THING), (one, live(one)), (two, live(two))))
    assert [s.needs for s in plan.steps[2:]] == [frozenset({"Base", "Thing"})] * 2


def test_a_plan_knows_what_was_observed() -> None:
    plan = plan_destroy(GRAPH, seen(live(BASE), live(THING)))
    assert plan.known == {"Base.Arn": "arn:base", "Thing.Arn": "arn:thing"}
    assert Graph((Third(id="T"),)).known() == {"T.Arn": "arn:computed"}
    assert Third(id="T").outputs() == {"Arn": "arn:computed"}
    assert Base(id="B").outputs() == {}


def test_the_state_to_write_keeps_what_is_not_ours() -> None:
    wanted = Third(id="T", label="wanted", size=None, tags=Tags.of({"a": "1"}), targets={"x": 1, "y": 2})
    found = Third(id="T", label="found", size=9, tags=Tags.of({"b": "2"}), targets={"x": 1, "z": 3})
    merged = wanted.onto(found)
    assert (merged.label, merged.size, merged.targets) == ("wanted", 9, {"x": 1, "y": 2})
    assert merged.tags == Tags.of({"a": "1", "b": "2"})
    assert wanted.diff(found) == (
        Change("Tags", Tags.of({"b": "2"}), Tags.of({"a": "1", "b": "2"})),
        Change("Targets.y", None, 2),
        Change("Targets.z", 3, None),
    )
    assert wanted.diff(replace(found, targets={}))[1:] == (Change("Targets", {}, {"x": 1, "y": 2}),)
    assert "Label" not in wanted.managed()
    assert "Size" not in wanted.managed()
    assert Third(id="T", targets={"x": 1}).diff(replace(found, targets=None))[-1] == Change("Targets", None, {"x": 1})


def test_a_thing_that_is_not_tagged_has_no_tags() -> None:
    strange = replace(BASE, tags="text")  # type: ignore[arg-type]
    assert strange.tags_or_none() is None
    assert Subscription(id="S", topic_arn="t", protocol="sqs", endpoint="e").tags_or_none() is None
    assert with_tags(strange, {"a": "b"}) is strange
    assert not is_adopted(Live(strange, {}))


def test_a_field_that_says_which_thing_it_is_is_marked_so() -> None:
    named = identity(default="x")
    assert (dict(named.metadata), named.default) == ({"identity": True}, "x")


def test_a_kind_that_cannot_be_given_back_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Test::Thing cannot be adopted"):
        THING.release(None, live(THING))  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="Test::Thing is part of nothing"):
        THING.removed_with_whole(None, live(THING))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "thing",
    [
        UNREADABLE,
        None,
        live(THING),
        live(THING, "it is not ours"),
        live(THING, tags=Tags.of({NAME_TAG: "mine", ADOPTED_TAG: "true"})),
        replace(live(THING), blocked="it holds messages"),
    ],
    ids=["unreadable", "gone", "ours", "foreign", "adopted", "blocked"],
)
def test_whatever_becomes_of_it_its_users_come_first(thing: Any) -> None:
    user = Third(id="User", uses=THING.ref("Arn"))
    observed = Observation({"Base": live(BASE), "Thing": thing, "User": live(user)})
    assert {s.key: s.needs for s in plan_destroy(Graph((BASE, THING, user)), observed).steps}["Thing"] == {"User"}
