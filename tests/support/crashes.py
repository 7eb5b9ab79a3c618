"""Crashes at every call: the stories that are interrupted, how, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from tests.conftest import SMALLEST, World
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


def nothing(_: World) -> None: ...


def applied(world: World) -> None:
    assert world.apply().code == 0


def changed_file(world: World) -> None:
    applied(world)
    world.write(world.path.read_text() + CHANGED)


PLAIN = "    message: {fields: [severity, product]}\n"
"""A mail without free text, which takes one rule."""


def plain(world: World) -> None:
    world.write(SMALLEST + PLAIN)
    applied(world)
    world.write(SMALLEST)


def guarded(world: World) -> None:
    applied(world)
    world.write(SMALLEST + PLAIN)


def broken(world: World) -> None:
    applied(world)
    arn = world.client("sns").list_topics()["Topics"][0]["TopicArn"]
    world.client("sns").delete_topic(TopicArn=arn)
    key = world.client("kms").describe_key(KeyId="alias/security-alerts-topic")["KeyMetadata"]["KeyId"]
    world.client("kms").schedule_key_deletion(KeyId=key)
    world.client("kms").delete_alias(AliasName="alias/security-alerts-dlq")
    world.client("events").remove_targets(Rule="security-alerts-urgent", Ids=["shnotify"])


Story = tuple[Callable[[World], None], tuple[str, ...]]
SWITCHES: dict[str, Story] = {
    "from one rule to two": (plain, ("apply", "--yes")),
    "from two rules to one": (guarded, ("apply", "--yes")),
}
FOLDED = SMALLEST + "    message: {format: lambda, fold: {window: 1m, after: 5}}\n"
WATCHDOG = "watchdog: {subscribers: [oncall@example.com]}\n"
WATCHED = SMALLEST + WATCHDOG
"""With a second topic, alarms, and a schedule with its group, role and queue."""


def between(before: str, after: str) -> Callable[[World], None]:
    """A file that was applied, if any, and another that is to be."""

    def prepare(world: World) -> None:
        if before:
            world.write(before)
            applied(world)
        world.write(after)

    return prepare


WATCHDOGS: dict[str, Story] = {
    "watchdog: switched on": (between(SMALLEST, WATCHED), ("apply", "--yes")),
    "watchdog: switched off": (between(WATCHED, SMALLEST), ("apply", "--yes")),
    "watchdog: destroy": (between(WATCHED, WATCHED), ("destroy", "--yes")),
}
STORIES: dict[str, Story] = {
    **SWITCHES,
    **WATCHDOGS,
    "fresh apply": (nothing, ("apply", "--yes")),
    "update of every field": (changed_file, ("apply", "--yes")),
    "repair": (broken, ("apply", "--yes")),
    "destroy": (applied, ("destroy", "--yes")),
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


READS_AMONG = 8
"""Of the reads, every so many is a case of its own of a whole sweep of kills."""


def told_apart(world: World) -> list[int]:
    """The calls of the last run at which a kill leaves another state: the writes, and some of the reads."""
    calls = [operation for operation, _ in world.faults.calls]
    writes = set(world.faults.writes)
    wrote = [number for number, operation in enumerate(calls, 1) if operation in writes]
    read = [number for number, operation in enumerate(calls, 1) if operation not in writes]
    return sorted([*wrote, *read[::READS_AMONG]])


def sweep(world: World, story: str, how: str, step: int) -> int:
    """Crashes at every call, or every `step`th; a reply that is lost is told apart at every read too."""
    calls, expected = clean_run(world, story)
    whole = step == 1 and HOWS[how] is not faults.lose_reply
    numbers = told_apart(world) if whole else list(range(1, calls + 1))
    cases = numbers[len(how) % step if step > 1 else 0 :: step]
    for call in cases:
        found, keys = crash_and_rerun(world, story, how, call)
        assert found == expected, f"{story}: {how} call {call}"
        assert keys == ([] if "destroy" in story else ["DlqKey", "TopicKey"]), f"{story}: {how} call {call}"
    return len(cases)
