"""Which part of a step waits for which part of another: the depth of a creation and of a removal."""

from __future__ import annotations

from typing import ClassVar

from shnotify.engine.order import Node, order
from shnotify.engine.plan import Plan, Step
from shnotify.engine.resource import Live
from shnotify.frozen import frozen
from tests.support.plans import BASE, Thing


@frozen(kw_only=True)
class Split(Thing):
    """A thing that is created in two parts, and lets go of what it uses before it is removed."""

    BEGINS: ClassVar[bool] = True
    LETS_GO: ClassVar[bool] = True


@frozen(kw_only=True)
class Whole(Split):
    """A thing that others can use before it is whole."""

    COMPLETES: ClassVar[bool] = True


@frozen(kw_only=True)
class Holder(Thing):
    """A thing that is looked into before it is removed."""

    LOOKS_FIRST: ClassVar[bool] = True


def create(thing: Thing, *needs: str) -> Step:
    return Step("create", thing, needs=frozenset(needs))


def delete(thing: Thing, *needs: str, after: tuple[str, ...] = ()) -> Step:
    return Step("delete", thing, Live(thing, {}), needs=frozenset(needs), after=frozenset(after))


def rounds(*steps: Step) -> list[set[Node]]:
    """What is carried out at the same time when every part takes as long as every other.

    `settle` and `retire` mostly make no call, so they take no time.
    """
    before = order(Plan(steps, {}))
    done: set[Node] = set()
    found: list[set[Node]] = []
    while len(done) < len(before):
        ready = {node for node, needs in before.items() if node not in done and needs <= done}
        free = {node for node in ready if node[1] in ("settle", "retire")}
        assert ready, "nothing can go on"
        done |= free or ready
        if not free:
            found.append(ready)
    return found


KEY, TOPIC, RULE, QUEUE = Split(id="Key"), Thing(id="Topic"), Split(id="Rule"), Holder(id="Queue")


def test_what_a_key_encrypts_is_created_beside_its_alias_and_the_rule_beside_the_topic() -> None:
    steps = create(KEY), create(TOPIC, "Key"), create(RULE, "Topic"), create(Thing(id="Mail"), "Topic")
    assert rounds(*steps) == [
        {("Key", "begin")},
        {("Key", "make"), ("Topic", "make"), ("Rule", "begin")},
        {("Rule", "make"), ("Mail", "make")},
    ]


def test_a_key_is_made_whole_beside_what_uses_it() -> None:
    key = Whole(id="Key")
    steps = create(key), create(TOPIC, "Key"), create(RULE, "Topic"), create(Thing(id="Mail"), "Topic")
    assert rounds(*steps)[2] == {("Key", "complete"), ("Rule", "make"), ("Mail", "make")}
    assert not [needs for needs in order(Plan(steps, {})).values() if ("Key", "complete") in needs]


def test_nothing_is_sent_to_what_is_not_final() -> None:
    before = order(Plan((create(KEY), create(TOPIC, "Key"), create(RULE, "Topic")), {}))
    assert before["Rule", "make"] == {("Rule", "begin"), ("Topic", "settle")}
    assert before["Topic", "settle"] == {("Topic", "make"), ("Key", "settle")}
    assert before["Key", "retire"] == {("Key", "make"), ("Topic", "settle")}


def test_an_update_waits_for_everything_it_needs() -> None:
    update = Step("update", RULE, Live(RULE, {}), needs=frozenset({"Key"}))
    assert order(Plan((create(KEY), update), {}))["Rule", "make"] == {("Key", "settle")}


def test_a_removal_looks_into_the_queue_beside_the_rest_and_a_key_goes_when_nothing_can_use_it() -> None:
    key, other = Thing(id="TopicKey"), Thing(id="QueueKey")
    steps = (
        delete(RULE),
        delete(TOPIC, "Rule"),
        delete(QUEUE, "Rule"),
        delete(key, "Topic", after=("Rule", "Queue")),
        delete(other, "Queue", after=("Rule", "Topic")),
    )
    assert rounds(*steps) == [
        {("Rule", "begin")},
        {("Rule", "make"), ("Topic", "make"), ("Queue", "begin")},
        {("Queue", "make"), ("TopicKey", "make")},
        {("QueueKey", "make")},
    ]


def test_a_part_goes_with_its_whole_in_one_part() -> None:
    part = Step("delete", Split(id="Part"), Live(BASE, {}), needs=frozenset({"Topic"}), part=True)
    assert order(Plan((delete(TOPIC), part), {}))["Part", "make"] == {("Topic", "make")}
