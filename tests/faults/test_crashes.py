"""Kill it anywhere, cut any reply: the next run converges to a clean run's state (docs/fault-rows.md, 1-12).

Every case is {command} x {call} x {killed before the call, killed after it took effect, reply lost}.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from tests.conftest import SMALLEST, Cases, World
from tests.support import faults
from tests.support.canonical import account, live_keys
from tests.support.faults import Fault, Killed

HOWS: dict[str, Fault] = {"before": faults.kill_before, "after": faults.kill_after, "reply lost": faults.lose_reply}

CHANGED = """\
    retry: {max_attempts: 3, max_age: 1h}
    rule: {description: new, enabled: false}
    topic: {display_name: Alerts}
    findings: {severity: [LOW]}
dead_letter_queue: {visibility_timeout: 2m, retention: 14d}
encryption: {topic_key: {description: other, rotation: false}}
tags: {Owner: me}
"""


def _nothing(_: World) -> None: ...


def _applied(world: World) -> None:
    assert world.apply().code == 0


def _changed_file(world: World) -> None:
    _applied(world)
    world.write(world.path.read_text() + CHANGED)


def _broken(world: World) -> None:
    _applied(world)
    arn = world.client("sns").list_topics()["Topics"][0]["TopicArn"]
    world.client("sns").delete_topic(TopicArn=arn)
    key = world.client("kms").describe_key(KeyId="alias/security-alerts-topic")["KeyMetadata"]["KeyId"]
    world.client("kms").schedule_key_deletion(KeyId=key)
    world.client("kms").delete_alias(AliasName="alias/security-alerts-dlq")
    world.client("events").remove_targets(Rule="security-alerts-urgent", Ids=["shnotify"])


STORIES: dict[str, tuple[Callable[[World], None], tuple[str, ...]]] = {
    "fresh apply": (_nothing, ("apply", "--yes")),
    "update of every field": (_changed_file, ("apply", "--yes")),
    "repair": (_broken, ("apply", "--yes")),
    "destroy": (_applied, ("destroy", "--yes")),
}


@contextmanager
def emptied(world: World) -> Iterator[World]:
    """The same world with an account that holds nothing, and no faults."""
    world.faults.rule = lambda _n, _o: None
    world.faults.time.sleep(1000)
    world.write(SMALLEST)
    BackendDict.reset()  # an inner mock_aws() would keep what the outer one holds
    reset_model_data()
    yield world


def test_an_emptied_world_is_empty(world: World) -> None:
    world.apply()
    with emptied(world):
        assert not any(account(world).values())
        assert world.apply().json["summary"]["create"] == 6


def clean_run(world: World, story: str) -> tuple[int, dict[str, object]]:
    """(how many calls an undisturbed run makes, the state it leaves)."""
    prepare, command = STORIES[story]
    with emptied(world):
        prepare(world)
        ran = world.run(*command)
        assert ran.code == 0, ran.err
        return len(world.faults.calls), account(world)


def crash_and_rerun(world: World, story: str, how: str, *calls: int) -> tuple[dict[str, object], list[str]]:
    """The state, and the live keys, after crashes at these calls of one run after another, and one undisturbed run."""
    prepare, command = STORIES[story]
    with emptied(world):
        prepare(world)
        for call in calls:
            world.faults.rule = faults.at(call)(HOWS[how])
            try:
                ran = world.run(*command)
            except Killed:
                continue
            finally:
                world.faults.rule = lambda _n, _o: None
            # A lost reply is mended in the same run, or told.
            assert ran.code == 0 or (ran.code == 1 and ran.json["error"]["message"]), ran.err
        ran = world.run(*command)
        assert ran.code == 0, ran.err
        return account(world), live_keys(world)


def sweep(world: World, story: str, how: str, step: int) -> int:
    calls, expected = clean_run(world, story)
    cases = range(1 + (len(how) % step if step > 1 else 0), calls + 1, step)
    for call in cases:
        found, keys = crash_and_rerun(world, story, how, call)
        assert found == expected, f"{story}: {how} call {call}"
        assert keys == ([] if "destroy" in story else ["DlqKey", "TopicKey"]), f"{story}: {how} call {call}"
    return len(cases)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", STORIES)
def test_every_call(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=1))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", STORIES)
def test_a_sample_of_the_calls(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=8))


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
