"""Keys that wait for deletion, and somebody who takes them back while `apply` looks or writes.

A key in use that is scheduled for deletion must never come of it, whoever acts and whenever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation, contradictions, plan_apply
from shnotify.engine.resource import Live
from shnotify.engine.values import Policy, Tags
from shnotify.resources.key import Key
from tests.conftest import Cases, World
from tests.support.crashes import emptied
from tests.support.faults import Fault
from tests.support.interleaving import APPLY, check, together
from tests.support.lifecycle import TOPIC

ALIASES = {"topic": "TopicKey", "dlq": "DlqKey"}


def ours(world: World) -> dict[str, str]:
    """Resource id -> key id, of all keys that carry our tags."""
    kms = world.client("kms")
    found = {}
    for key in kms.list_keys()["Keys"]:
        tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]}
        if tags.get("shnotify:name") == "security-alerts":
            found[tags["shnotify:resource"]] = key["KeyId"]
    return found


def taken_back(*resources: str, enabled: bool = True) -> Callable[[World], None]:
    """A person cancels the deletion of these keys, and enables them or forgets to."""

    def act(world: World) -> None:
        for resource, key_id in ours(world).items():
            if resource in resources:
                with suppress(ClientError):  # `apply` was quicker
                    world.client("kms").cancel_key_deletion(KeyId=key_id)
                if enabled:
                    with suppress(ClientError):
                        world.client("kms").enable_key(KeyId=key_id)

    return act


PEOPLE = {
    "both": taken_back("TopicKey", "DlqKey"),
    "the topic's": taken_back("TopicKey"),
    "the queue's": taken_back("DlqKey"),
    "both, left disabled": taken_back("TopicKey", "DlqKey", enabled=False),
}


def at_call(world: World, number: int, act: Callable[[World], None]) -> None:
    """Somebody acts right before call `number` goes out."""

    def meddle(call: Callable[[], Any], _operation: str) -> Any:
        world.faults.rule = lambda _n, _o: None
        act(world)
        return call()

    def rule(n: int, _operation: str) -> Fault | None:
        return meddle if n == number else None

    world.faults.rule = rule


def in_use_and_alive(world: World) -> None:
    """The keys that topic and queue name are enabled, and nothing of ours that is used waits for deletion."""
    kms, sns = world.client("kms"), world.client("sns")
    arn = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["KmsMasterKeyId"]
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"


def gone_and_wanted_again(world: World) -> None:
    """A notifier that was destroyed: its keys wait for deletion."""
    assert world.apply().code == 0
    assert world.run("destroy", "--yes").code == 0


def sweep(world: World, numbers: Iterable[int], who: str) -> int:
    count = 0
    for number in numbers:
        with emptied(world):
            gone_and_wanted_again(world)
            at_call(world, number, PEOPLE[who])
            ran = world.apply()
            world.faults.rule = lambda _n, _o: None
            assert ran.code in (0, 1), ran.err
            if ran.code == 0:
                in_use_and_alive(world)
            check(world)
            in_use_and_alive(world)
            count += 1
    return count


@pytest.mark.parametrize("who", PEOPLE)
def test_a_sample_of_the_moments_at_which_a_person_takes_a_key_back(world: World, who: str, cases: Cases) -> None:
    cases(sweep(world, (3, 9, 14), who))


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", PEOPLE)
def test_every_moment_at_which_a_person_takes_a_key_back(world: World, who: str, cases: Cases) -> None:
    cases(sweep(world, range(1, 51), who))


def applied_twice(world: World, monkeypatch: pytest.MonkeyPatch, seeds: Iterable[int]) -> int:
    count = 0
    for seed in seeds:
        with emptied(world):
            gone_and_wanted_again(world)
            codes = together(world, monkeypatch, seed, APPLY, APPLY)
            assert set(codes) <= {0, 1}
            check(world)
            in_use_and_alive(world)
            count += 1
    return count


def test_a_sample_of_two_applies_on_keys_that_wait(world: World, monkeypatch: pytest.MonkeyPatch, cases: Cases) -> None:
    cases(applied_twice(world, monkeypatch, range(4)))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_two_applies_on_keys_that_wait(world: World, monkeypatch: pytest.MonkeyPatch, cases: Cases) -> None:
    cases(applied_twice(world, monkeypatch, range(1000, 1200)))


# -- the rule itself ---------------------------------------------------------------------------------------------------


def key(**tags: str) -> Key:
    return Key(
        id="TopicKey",
        alias_name="alias/a",
        enable_key_rotation=True,
        description="",
        key_policy=Policy({}),
        tags=Tags.of({"shnotify:name": "mine", **tags}),
    )


def left(**tags: str) -> tuple[Key, Live[Key]]:
    thing = key(**tags)
    return thing, Live(thing, {"Arn": "arn:k1", "KeyId": "k1", "KeyState": "Enabled"})


def test_a_look_that_contradicts_itself_is_worth_nothing() -> None:
    graph = Graph((key(),))
    twin = left(**{"shnotify:resource": "TopicKey"})
    other = left(**{"shnotify:resource": "OldKey"})
    assert contradictions(graph, Observation({"TopicKey": None}, (twin,))) == ["TopicKey"]
    assert contradictions(graph, Observation({"TopicKey": None}, (other,))) == []
    assert contradictions(graph, Observation({"TopicKey": twin[1]}, (twin,))) == []


def test_one_thing_is_never_wanted_and_left_over_in_one_plan() -> None:
    graph = Graph((key(),))
    wanted = left()[1]
    plan = plan_apply(graph, Observation({"TopicKey": wanted}, (left(),)))
    assert [step.key for step in plan.steps] == ["TopicKey"]
    assert plan.count("delete") == 0
