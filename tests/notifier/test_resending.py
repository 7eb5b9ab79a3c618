"""Sending dead letters again: whatever breaks, nothing is lost, and at most the message in flight goes out twice."""

from __future__ import annotations

import contextlib
import json
import random
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from shnotify.aws.failures import StopError
from shnotify.notifier.deadletters import Summary, read_letter, senders_of
from shnotify.notifier.queuereading import LEASE_SECONDS, Reading
from shnotify.notifier.redrive import Order, destination
from shnotify.notifier.resending import LEASE_SECONDS as LONGEST_HIDDEN
from shnotify.notifier.resending import Resending, Resent, Sender
from tests.conftest import Cases
from tests.support import faults
from tests.support.deadletters import BUS_RECORD, STRANGER, Message, from_formatter, from_rule, from_topic
from tests.support.faults import Fault
from tests.support.files import loaded
from tests.support.queueworld import QUEUE_ARN, QueueWorld

SUMMARY = "name: security-alerts\nroutes:\n  - name: urgent\n"
LAMBDA = f"{SUMMARY}    message: {{format: lambda}}\n"


def interrupt(call: Callable[[], object], _operation: str) -> object:
    call()
    raise KeyboardInterrupt


FAULTS: dict[str, Fault] = {
    "killed before": faults.kill_before,
    "killed after": faults.kill_after,
    "reply lost": faults.lose_reply,
    "throttled": faults.refuse("ThrottlingException"),
    "broken": faults.refuse("InternalError", 500),
    "refused": faults.refuse("KMSDisabled"),
    "interrupted": interrupt,
}


def work_on(world: QueueWorld, text: str = SUMMARY) -> tuple[Resending, dict[str, str]]:
    """A run that is ready to go, and what it is to send."""
    config = loaded(text)
    senders = senders_of(config, world.scope)
    routes = {route.name: route for route in config.routes}
    planned = {}
    for name, stored in world.sqs.stored.items():
        where = destination(read_letter(stored.body, senders), routes, Order())
        if not isinstance(where, str):
            planned[name] = where.name
    sender = Sender(world, config, world.scope)  # type: ignore[arg-type]
    return Resending(world, QUEUE_ARN, senders, routes, sender, Order()), planned  # type: ignore[arg-type]


def run(world: QueueWorld, text: str = SUMMARY) -> Resent:
    work, planned = work_on(world, text)
    return work.run(planned, len(world.sqs.stored))


def mailed(world: QueueWorld) -> list[str]:
    """The findings that were mailed, by the number in their ids; one entry a mail."""
    return [str(asked["Message"]).partition("finding-")[2].partition('"')[0] for _, asked in world.sns.mails]


def test_what_is_sent_leaves_the_queue_and_what_is_not_ours_stays() -> None:
    world = QueueWorld(from_rule(1), STRANGER, from_formatter(3), BUS_RECORD, from_topic("a mail"))
    result = run(world)
    assert (len(result.sent), result.kept, result.error) == (3, {}, None)
    assert sorted(world.sqs.visible()) == sorted(world.sqs.stored)
    assert [one.body["Body"] for one in world.sqs.stored.values()] == [STRANGER[0], BUS_RECORD[0]]


def test_fewer_than_five_mails_a_second() -> None:
    world = QueueWorld(*(from_rule(number) for number in range(40)))
    run(world)
    moments = [moment for moment, _ in world.sns.mails]
    assert len(moments) == 40
    assert max(sum(begin <= moment < begin + 1 for moment in moments) for begin in moments) < 5


def test_a_message_whose_mail_is_refused_stays_and_says_why() -> None:
    world = QueueWorld(from_rule(1), from_rule(2))
    world.rule = lambda _n, operation: FAULTS["refused"] if operation == "sns:Publish" else None
    result = run(world)
    assert (result.sent, result.failed, len(world.sqs.visible())) == ([], 2, 2)
    assert all("KMSDisabled" in why for why in result.kept.values())


def test_a_route_that_fails_thrice_is_left_alone() -> None:
    world = QueueWorld(*(from_rule(number) for number in range(9)))
    world.rule = lambda _n, operation: FAULTS["refused"] if operation == "sns:Publish" else None
    result = run(world)
    assert world.sent.count("sns:Publish") == 3
    assert (len(result.kept), len(world.sqs.visible())) == (9, 9)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"FunctionError": "Unhandled", "Payload": {"errorMessage": "no key"}}, "failed: no key"),
        ({"Payload": {"sent": 0}}, "no mail due"),
        ({"Payload": "happy path"}, "does not say what it sent"),
        ({"Payload": {"sent": True}}, "does not say what it sent"),
    ],
)
def test_what_the_formatter_did_not_mail_stays(answer: dict[str, object], said: str) -> None:
    world = QueueWorld(from_rule(1))
    world.functions.answer = answer
    result = run(world, LAMBDA)
    assert (result.sent, len(world.sqs.visible())) == ([], 1)
    assert said in next(iter(result.kept.values()))


def test_in_doubt_nothing_else_is_sent() -> None:
    """A lost reply to Publish: the mail may be out. The message stays, and the run ends."""
    world = QueueWorld(*(from_rule(number) for number in range(5)))
    world.rule = faults.on("sns:Publish")(FAULTS["reply lost"])
    result = run(world)
    assert result.error is not None
    assert (len(world.sns.mails), len(world.sqs.visible()), len(result.kept)) == (1, 5, 5)
    assert sum("may have been sent" in why for why in result.kept.values()) == 1


def test_a_message_that_somebody_else_took_meanwhile_is_not_sent() -> None:
    """Its time was over while others were sent: another run may be sending it."""
    world = QueueWorld(*(from_rule(number) for number in range(3)))
    slow = {"sns:Publish": LONGEST_HIDDEN + 1.0}

    def drag(call: Callable[[], object], operation: str) -> object:
        world.time.sleep(slow[operation])
        return call()

    world.rule = faults.on("sns:Publish")(drag)
    result = run(world)
    assert len(world.sns.mails) == 1
    assert [why for why in result.kept.values() if "another reader" in why] != []


def test_five_hundred_runs_with_crashes_lost_replies_and_throttling(cases: Cases) -> None:
    """Each of several runs over one queue may break anywhere; the last one does not."""
    runs = 0
    for seed in range(500):
        rng = random.Random(seed)
        messages: list[Message] = [
            rng.choice((from_rule, from_rule, from_formatter))(number) for number in range(rng.randint(1, 24))
        ]
        others = rng.randint(0, 2)
        world = QueueWorld(*messages, *[STRANGER] * others)
        world.sqs.order = shuffled(rng)
        everything = {str(number) for number in range(len(messages))}
        text = rng.choice((SUMMARY, LAMBDA))
        while len(world.sqs.stored) > others:
            before, mails = set(world.sqs.stored), len(world.sns.mails)
            if breaks := rng.random() < 0.8:
                number, fault = rng.randint(1, 3 + 2 * len(before)), rng.choice(list(FAULTS.values()))
                world.rule = broken_from(number, fault, stays=rng.random() < 0.2)
            with contextlib.suppress(faults.Killed, KeyboardInterrupt):
                run(world, text)
            runs += 1
            gone = before - set(world.sqs.stored)
            assert len(world.sns.mails) - mails - len(gone) in (0, 1), f"seed {seed}: more than one in flight"
            assert everything - set(mailed(world)) <= still_there(world), f"seed {seed}: lost"
            assert breaks or len(world.sqs.stored) == others
            world.alive()
            world.time.sleep(LONGEST_HIDDEN + 1)
        assert set(mailed(world)) == everything, f"seed {seed}"
        assert len(world.sqs.visible()) == others
    cases(runs)


def shuffled(rng: random.Random) -> Callable[[list[str]], list[str]]:
    return lambda found: rng.sample(found, len(found))


def broken_from(call: int, fault: Fault, *, stays: bool) -> Callable[[int, str], Fault | None]:
    """The fault at one call, or from it on."""
    return lambda n, _operation: fault if n == call or (stays and n > call) else None


def still_there(world: QueueWorld) -> set[str]:
    """The findings of the messages in the queue."""
    bodies = (str(one.body["Body"]) for one in world.sqs.stored.values())
    return {body.partition("finding-")[2].partition('"')[0] for body in bodies}


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 10, 11, 137])
def test_every_message_is_read_once_and_visible_afterwards(count: int) -> None:
    world = QueueWorld(*(from_rule(number) for number in range(count)))
    with Reading(world, QUEUE_ARN, expected=count) as reading:  # type: ignore[arg-type]
        found = [message["MessageId"] for message in reading]
    assert sorted(found) == sorted(world.sqs.stored)
    assert len(world.sqs.visible()) == count


@pytest.mark.parametrize("call", range(1, 8))
@pytest.mark.parametrize("how", ["interrupted", "broken", "refused"])
def test_whatever_ends_the_reading_all_is_visible_at_once(how: str, call: int) -> None:
    world = QueueWorld(*(from_rule(number) for number in range(60)))
    world.rule = lambda n, operation: FAULTS[how] if n >= call and operation == "sqs:ReceiveMessage" else None
    with contextlib.suppress(Exception, KeyboardInterrupt), Reading(world, QUEUE_ARN, expected=60) as reading:  # type: ignore[arg-type]
        list(reading)
    hidden = 10 if how == "interrupted" else 0  # the batch of the call that the test cut off in this very thread
    assert len(world.sqs.visible()) >= 60 - hidden


def test_what_a_call_under_way_receives_when_a_person_stops_it_is_given_back_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = QueueWorld(*(from_rule(number) for number in range(60)))
    real, waits = world.in_time, iter(range(100))

    def waiting(future: Future[Any]) -> Any:
        if next(waits) == 2:
            raise KeyboardInterrupt
        return real(future)

    monkeypatch.setattr(world, "in_time", waiting)
    with pytest.raises(KeyboardInterrupt), Reading(world, QUEUE_ARN, expected=60) as reading:  # type: ignore[arg-type]
        list(reading)
    assert len(world.sqs.visible()) == 60


def listing(world: QueueWorld) -> list[Summary]:
    senders = senders_of(loaded(SUMMARY), world.scope)
    with Reading(world, QUEUE_ARN, expected=len(world.sqs.stored)) as reading:  # type: ignore[arg-type]
        return [read_letter(message, senders).summary() for message in reading]


def test_ten_thousand_messages_are_listed() -> None:
    world = QueueWorld(*[from_rule(1)] * 10_000)
    found = listing(world)
    assert (len(found), len({one.id for one in found}), len(world.sqs.visible())) == (10_000, 10_000, 10_000)


def test_of_a_message_only_its_summary_stays_in_memory() -> None:
    """Two hundred megabytes of messages are listed in a fiftieth of that."""
    body, told = from_rule(1)
    world = QueueWorld(*[(json.dumps({**json.loads(body), "resources": ["x" * 200_000]}), told)] * 1000)
    tracemalloc.start()
    try:
        assert len(listing(world)) == 1000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_after_a_crash_they_come_back_by_themselves() -> None:
    world = QueueWorld(*(from_rule(number) for number in range(30)))
    world.rule = faults.at(2)(FAULTS["killed after"])
    with contextlib.suppress(faults.Killed), Reading(world, QUEUE_ARN, expected=30) as reading:  # type: ignore[arg-type]
        list(reading)
    assert len(world.sqs.visible()) == 10
    world.time.sleep(LEASE_SECONDS + 3)
    assert len(world.sqs.visible()) == 30


def test_when_time_is_up_all_is_given_back_first() -> None:
    world = QueueWorld(*(from_rule(number) for number in range(60)), timeout=20)

    def slow(call: Callable[[], object], _operation: str) -> object:
        world.time.sleep(4)
        return call()

    world.rule = lambda _n, operation: slow if operation == "sqs:ReceiveMessage" else None
    with pytest.raises(StopError), Reading(world, QUEUE_ARN, expected=60, at_once=1) as reading:  # type: ignore[arg-type]
        list(reading)
    assert len(world.sqs.visible()) == 60


def test_a_reading_slower_than_the_time_messages_are_hidden_still_sees_each() -> None:
    world = QueueWorld(*(from_rule(number) for number in range(40)))
    world.sqs.order = shuffled(random.Random(1))

    def slow(call: Callable[[], object], _operation: str) -> object:
        world.time.sleep(LEASE_SECONDS / 2)
        return call()

    world.rule = lambda _n, operation: slow if operation == "sqs:ReceiveMessage" else None
    with Reading(world, QUEUE_ARN, expected=40, at_once=1) as reading:  # type: ignore[arg-type]
        found = [message["MessageId"] for message in reading]
    assert sorted(found) == sorted(world.sqs.stored)
