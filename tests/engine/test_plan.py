"""Planning is pure: every case is a graph, what was seen, and the steps that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import pytest

from shnotify.engine.graph import Graph
from shnotify.engine.ownership import adoptable, is_adopted, owner_of, with_tags
from shnotify.engine.plan import Observation, Plan, Step, plan_apply
from shnotify.engine.resource import Change, Live, Resource, Unreadable, cfn_name, identity
from shnotify.engine.teardown import plan_destroy
from shnotify.engine.values import Policy, Tags
from shnotify.errors import ShnotifyError
from shnotify.resources.subscription import Subscription
from shnotify.tags import ADOPTED_TAG, NAME_TAG


@dataclass(frozen=True, kw_only=True)
class Thing(Resource):
    CFN: ClassVar[str] = "Test::Thing"
    RANK: ClassVar[int] = 1

    label: str = identity(default="")
    uses: str = ""
    size: int | None = 1
    policy_document: Policy = Policy({})
    tags: Tags = Tags.of({NAME_TAG: "mine"})

    @property
    def name(self) -> str:
        return self.label or self.id

    def identify(self, aws: Any) -> Live[Self] | None:
        raise AssertionError

    read = identify

    def create(self, aws: Any) -> Mapping[str, str]:
        raise AssertionError

    def update(self, aws: Any, live: Any, changes: frozenset[str]) -> None:
        raise AssertionError

    def delete(self, aws: Any, live: Any) -> None:
        raise AssertionError


@dataclass(frozen=True, kw_only=True)
class Base(Thing):
    CFN: ClassVar[str] = "Test::Base"
    RANK: ClassVar[int] = 2


@dataclass(frozen=True, kw_only=True)
class Last(Thing):
    CFN: ClassVar[str] = "Test::Last"
    RANK: ClassVar[int] = 9
    GOES_LAST: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Plain(Thing):
    """Of a kind that cannot carry tags and is part of what it uses."""

    CFN: ClassVar[str] = "Test::Plain"
    PART_OF: ClassVar[str] = "uses"

    def tags_or_none(self) -> None:
        return None


BASE = Base(id="Base")
THING = Thing(id="Thing", uses=BASE.ref("Arn"))
GRAPH = Graph((BASE, THING))
UNREADABLE = Unreadable(ShnotifyError("not allowed"))


def live(resource: Thing, owner: str | None = None, **state: Any) -> Live[Resource]:
    found = replace(resource, **{"uses": "arn:base" if resource.uses else "", **state})
    return Live(found, {"Arn": f"arn:{resource.id.lower()}"}, owner)


def seen(base: Any, thing: Any, *left: Any) -> Observation:
    return Observation({"Base": base, "Thing": thing}, tuple(left))


def actions(plan: Plan) -> dict[str, str]:
    return {step.key: step.action for step in plan.steps}


def reasons(plan: Plan) -> dict[str, str]:
    return {step.key: step.reason for step in plan.steps if step.reason}


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


# -- whole steps, so that nothing a step carries is lost on the way ------------------------------------------


@dataclass(frozen=True, kw_only=True)
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
    needs = {s.key: s.needs for s in plan_destroy(graph, observed).steps}
    assert needs == {"Thing": frozenset(), "Other": frozenset(), "Base": frozenset({"Thing", "Other"})}
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
        THING.went(None, live(THING))  # type: ignore[arg-type]


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


# -- parts, which go or stay with their whole ------------------------------------------------------------------------

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
        "Last": ("delete", False, {"Thing", "Base"}),
    }


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


# -- what hangs on something that could not be read -----------------------------------------------------------------


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


@dataclass(frozen=True, kw_only=True)
class Pair(Thing):
    second: str = ""
