"""Kill it anywhere, cut any reply: the next run converges to a clean run's state (docs/fault-rows.md, 1-12).

Every case is {command} x {call} x {killed before the call, killed after it took effect, reply lost}.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Cases, World
from tests.support import faults
from tests.support.canonical import account, live_keys
from tests.support.crashes import (
    HOWS,
    STORIES,
    SWITCHES,
    WATCHDOGS,
    clean_run,
    crash_and_rerun,
    emptied,
    sweep,
)
from tests.support.faults import Killed


def test_an_emptied_world_is_empty(world: World) -> None:
    world.apply()
    with emptied(world):
        assert not any(account(world).values())
        assert world.apply().json["summary"]["create"] == 7


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", STORIES)
def test_every_call(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=1))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", sorted(STORIES.keys() - SWITCHES.keys() - WATCHDOGS.keys()))
def test_a_sample_of_the_calls(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=8))


@pytest.mark.parametrize(("story", "how"), [*zip(WATCHDOGS, HOWS, strict=True)])
def test_a_sample_of_the_watchdogs_calls(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=37))


@pytest.mark.parametrize("how", ["before", "after"])
def test_every_write_of_a_fresh_apply(world: World, how: str, cases: Cases) -> None:
    _, expected = clean_run(world, "fresh apply")
    with emptied(world):
        world.apply()
        writes = [n for n, (op, _) in enumerate(world.faults.calls, 1) if op in world.faults.writes]
    for call in writes:
        found, keys = crash_and_rerun(world, "fresh apply", how, call)
        assert (found, keys) == (expected, ["DlqKey", "TopicKey"]), f"{how} call {call}"
    cases(len(writes))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_all_pairs_of_two_crashes_of_a_fresh_apply(world: World, cases: Cases) -> None:
    calls, expected = clean_run(world, "fresh apply")
    for first, second in itertools.product(range(1, calls + 1), repeat=2):
        found, keys = crash_and_rerun(world, "fresh apply", "after", first, second)
        assert (found, keys) == (expected, ["DlqKey", "TopicKey"]), f"calls {first}, then {second}"
    cases(calls**2)


def test_a_sample_of_pairs_of_two_crashes(world: World) -> None:
    calls, expected = clean_run(world, "fresh apply")
    pairs = list(itertools.product(range(1, calls + 1), repeat=2))
    for first, second in pairs[17 :: len(pairs) // 16]:
        found, keys = crash_and_rerun(world, "fresh apply", "after", first, second)
        assert (found, keys) == (expected, ["DlqKey", "TopicKey"]), f"calls {first}, then {second}"


def test_a_lost_reply_to_create_key_makes_no_second_key(world: World) -> None:
    world.faults.rule = faults.on("kms:CreateKey", times=2)(faults.lose_reply)
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert live_keys(world) == ["DlqKey", "TopicKey"]
    assert world.faults.writes.count("kms:CreateKey") == 2


def test_a_lost_reply_is_not_answered_by_a_search_that_lags_behind(world: World) -> None:
    """tag:GetResources may be minutes behind; asking each key for its tags is not."""

    def lagging(call: Callable[[], Any], operation: str) -> Any:
        return {**call(), "ResourceTagMappingList": []}

    lose = faults.on("kms:CreateKey", times=2)(faults.lose_reply)
    world.faults.rule = lambda n, operation: lagging if operation == "tag:GetResources" else lose(n, operation)
    for number in range(5):
        world.client("kms").create_key(Description=f"somebody's {number}")
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert live_keys(world) == ["?"] * 5 + ["DlqKey", "TopicKey"]


def test_a_key_without_alias_is_found_by_its_tags(world: World) -> None:
    world.faults.rule = faults.on("kms:CreateAlias")(faults.kill_before)
    with pytest.raises(Killed):
        world.apply()
    world.faults.rule = lambda _n, _o: None
    assert world.apply().code == 0
    assert live_keys(world) == ["DlqKey", "TopicKey"]


def test_a_surplus_key_of_ours_is_left_over_and_scheduled(world: World) -> None:
    world.apply()
    tags = [
        {"TagKey": "shnotify:name", "TagValue": "security-alerts"},
        {"TagKey": "shnotify:resource", "TagValue": "TopicKey"},
    ]
    surplus = world.client("kms").create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    left = [r for r in world.run("status").json["resources"] if r["state"] == "leftover"]
    assert [r["arn"].rpartition("/")[2] for r in left] == [surplus]
    assert world.apply().code == 0
    assert world.client("kms").describe_key(KeyId=surplus)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert world.run("status").states() == {}
