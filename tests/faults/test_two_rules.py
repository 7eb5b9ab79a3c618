"""Two rules for one mail: no event falls between them, and where EventBridge takes no second one, one does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shnotify.findings.matching import matches
from tests.conftest import SMALLEST, Cases, World
from tests.support import faults
from tests.support.crashes import HOWS, PLAIN, SWITCHES, emptied, sweep
from tests.support.hostile import event
from tests.support.lifecycle import RULE
from tests.support.rows import calm

SECOND = f"{RULE}-plain"
EVENTS = [
    event("cspm", {}),
    event("cspm", {"title": 'a"b'}),
    event("cspm", {"title": "a\nb", "resource_id": "\\"}),
    event("cspm", {"resource_id": "a\tb"}),
    event("cspm", {"title": None, "description": "a\nb"}),
    event("cspm", {"description": "a\nb"}),
]
MAILS = {
    "the default": "",
    "no text": PLAIN,
    "title": "    message: {fields: [title]}\n",
    "title and description": "    message: {fields: [title, description]}\n",
    "json": "    message: {format: json}\n",
}
CHANGES = [
    ("no text", "the default"),
    ("the default", "no text"),
    ("title", "title and description"),
    ("title and description", "title"),
    ("the default", "title and description"),
    ("title and description", "the default"),
    ("json", "the default"),
]
"""More is guarded, less, and other fields in both directions at once."""


def fed(world: World) -> list[list[str]]:
    """The rules that take each event and have a target for it."""
    events = world.client("events")
    aimed = {
        rule["Name"]: json.loads(rule["EventPattern"])
        for rule in events.list_rules(NamePrefix=RULE)["Rules"]
        if events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    }
    return [[name for name, pattern in aimed.items() if matches(pattern, found)] for found in EVENTS]


@contextmanager
def nothing_lost(world: World) -> Iterator[list[int]]:
    """Looks around every write to a rule whether each event is taken by some; says how many take it at once."""
    most = [0]

    def look(_number: int, operation: str) -> Any:
        if not operation.startswith(("events:Put", "events:Remove", "events:Delete")):
            return
        counts = [len(names) for names in fed(world)]
        assert min(counts) >= 1, counts
        most[0] = max(most[0], *counts)

    world.faults.rule = look
    yield most
    look(0, "events:Put")
    world.faults.rule = calm


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_no_event_is_lost_when_the_mail_changes(world: World, before: str, after: str) -> None:
    world.write(SMALLEST + MAILS[before])
    assert world.apply().code == 0
    subscribed = world.client("sns").list_subscriptions()["Subscriptions"]
    world.write(SMALLEST + MAILS[after])
    with nothing_lost(world) as most:
        ran = world.apply()
    assert ran.code == 0, ran.err
    assert most[0] <= 2
    assert all(len(names) == 1 for names in fed(world))
    assert world.client("sns").list_subscriptions()["Subscriptions"] == subscribed
    assert world.run("plan", "--exit-code").code == 0


def test_the_articles_rule_stays_the_first_and_is_narrowed_last(world: World) -> None:
    events = world.client("events")
    world.write(SMALLEST + PLAIN)
    world.apply()
    events.untag_resource(
        ResourceARN=events.describe_rule(Name=RULE)["Arn"],
        TagKeys=["shnotify:name", "shnotify:resource", "managed-by"],
    )
    world.write(SMALLEST)
    with nothing_lost(world):
        ran = world.apply("--adopt")
    assert ran.actions()["UrgentRule"] == "adopt"
    assert ran.actions()["UrgentRulePlain"] == "create"
    first = next(i for i, (op, params) in enumerate(world.faults.calls) if op == "events:PutRule")
    assert world.faults.calls[first][1]["Name"] == SECOND


@pytest.mark.parametrize("story", SWITCHES)
def test_a_crash_while_the_mail_changes_loses_nothing(world: World, story: str, cases: Cases) -> None:
    prepare, command = SWITCHES[story]
    with emptied(world):
        prepare(world)
        world.run(*command)
        writes = [n for n, (op, _) in enumerate(world.faults.calls, 1) if op in world.faults.writes]
    for number in writes:
        with emptied(world):
            prepare(world)
            world.faults.rule = faults.at(number)(faults.kill_before)
            with pytest.raises(faults.Killed):
                world.run(*command)
            with nothing_lost(world):
                assert world.run(*command).code == 0
            assert all(len(names) == 1 for names in fed(world))
    cases(len(writes))


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", SWITCHES)
def test_every_call_while_the_mail_changes(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=1))


def others(world: World, count: int) -> None:
    """Somebody's rules with wildcards: a bus takes 30 of everybody's (eb-quota)."""
    for number in range(count):
        world.client("events").put_rule(Name=f"theirs-{number}", EventPattern='{"a":[{"wildcard":"*x*"}]}')


def too_complex(call: Callable[[], Any], operation: str) -> Any:
    return faults.refuse("InvalidEventPatternException")(call, operation)


@pytest.mark.parametrize("taken", [29, 30])
@pytest.mark.parametrize("before", ["nothing", "one rule"])
def test_where_no_second_rule_fits_one_lets_through_all_and_says_so(world: World, taken: int, before: str) -> None:
    if before == "one rule":
        world.write(SMALLEST + PLAIN)
        world.apply()
        world.write(SMALLEST)
    others(world, taken)
    ran = world.apply()
    assert (ran.code, ran.json["error"]) == (0, None), ran.err
    assert "EventBridge took no second rule (LimitExceededException)" in ran.err
    assert [rule["Name"] for rule in world.client("events").list_rules(NamePrefix=RULE)["Rules"]] == [RULE]
    assert fed(world) == [[RULE]] * len(EVENTS)
    status = world.run("status")
    assert (status.json["in_sync"], status.states()) == (True, {})
    [note] = [note for note in status.json["delivery"][0]["notes"] if "second rule" in note]
    assert "aws events untag-resource --resource-arn" in note
    assert note in world.run("plan").err
    again = world.apply()
    assert (again.code, world.faults.writes) == (0, [])


def test_when_there_is_room_again_and_the_tag_is_gone_the_second_rule_is_made(world: World) -> None:
    others(world, 30)
    world.apply()
    events = world.client("events")
    events.delete_rule(Name="theirs-0")
    events.delete_rule(Name="theirs-1")
    assert world.run("plan", "--exit-code").code == 0
    events.untag_resource(ResourceARN=events.describe_rule(Name=RULE)["Arn"], TagKeys=["shnotify:plain"])
    with nothing_lost(world):
        ran = world.apply()
    assert (ran.code, ran.actions()["UrgentRulePlain"]) == (0, "create")
    assert all(len(names) == 1 for names in fed(world))


def test_a_pattern_that_eventbridge_finds_too_complex_falls_back_too(world: World) -> None:
    asked = "events:TestEventPattern"
    world.faults.rule = lambda _n, operation: too_complex if operation == asked else None
    plan = world.run("plan")
    assert (plan.code, plan.actions()["UrgentRule"]) == (0, "create")
    assert "UrgentRulePlain" not in plan.actions()
    assert "(InvalidEventPatternException)" in plan.err
    world.faults.rule = faults.on("events:PutRule", times=2)(too_complex)
    ran = world.apply()
    assert (ran.code, ran.actions()["UrgentRule"]) == (0, "create"), ran.err
    assert fed(world) == [[RULE]] * len(EVENTS)


def test_a_foreign_rule_of_the_second_rules_name_is_left_alone(world: World) -> None:
    world.client("events").put_rule(Name=SECOND, EventPattern='{"source":["aws.s3"]}')
    ran = world.apply()
    assert (ran.code, ran.actions()["UrgentRulePlain"], world.faults.writes) == (1, "refuse", [])


def test_a_plan_says_once_why_a_route_has_one_rule(world: World) -> None:
    accounts = ", ".join(f"'{number:012d}'" for number in range(110))
    world.write(f"{SMALLEST}    findings: {{accounts: [{accounts}]}}\n")
    told = [warning for warning in world.run("plan").json["warnings"] if "go without title" in warning]
    told += [warning for warning in world.run("plan").json["warnings"] if "mails without title" in warning]
    assert len(told) == 1
    assert "would have 2,4" in told[0]
