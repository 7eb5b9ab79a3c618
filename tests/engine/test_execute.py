"""How parts of a creation are carried out: what waits for what, and what becomes of a step that is cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from typing import Any, ClassVar

import pytest

from shnotify.aws.failures import AwsError, StopError
from shnotify.engine.events import Event, StepEnded, StepStarted
from shnotify.engine.execute import Outcome, execute
from shnotify.engine.plan import Plan, Step
from shnotify.engine.resource import identity
from shnotify.frozen import frozen
from tests.support.plans import Thing
from tests.support.scripted import scripted


class Journal:
    """What was done, in order; `at` is run when that is done."""

    def __init__(self, **at: Callable[[], None]) -> None:
        self.done: list[str] = []
        self.at = at

    def note(self, what: str) -> None:
        self.done.append(what)
        self.at.get(what, lambda: None)()


@frozen(kw_only=True)
class Noted(Thing):
    journal: Any = identity(default=None)

    def create(self, aws: Any) -> Mapping[str, str]:
        self.journal.note(f"{self.id}_made")
        return {"Arn": f"arn:{self.id}"}

    def questions(self, aws: Any) -> tuple[Any, ...]:
        return ((self.id, lambda: self.journal.note(f"{self.id}_asked")),)


@frozen(kw_only=True)
class Whole(Noted):
    BEGINS: ClassVar[bool] = True
    COMPLETES: ClassVar[bool] = True

    other: bool = identity(default=False)
    """Whether another run is first."""

    def begin(self, aws: Any) -> Mapping[str, str]:
        return {"Arn": f"arn:{self.id}"}

    def finish(self, aws: Any, begun: Mapping[str, str]) -> Mapping[str, str]:
        self.journal.note(f"{self.id}_finished")
        return {"Arn": "arn:theirs"} if self.other else begun

    def complete(self, aws: Any, begun: Mapping[str, str]) -> None:
        self.journal.note(f"{self.id}_completed")

    def retire(self, aws: Any, begun: Mapping[str, str]) -> None:
        self.journal.note(f"{self.id}_retired")


def carried_out(
    journal: Journal,
    *,
    other: bool = False,
    aws: Any = None,
    told: Callable[[Event], None] = lambda _: None,
) -> Outcome:
    """Creates a key, a topic on it, and a rule on that."""
    key = Whole(id="Key", journal=journal, other=other)
    topic = Noted(id="Topic", uses=key.ref("Arn"), journal=journal)
    rule = Noted(id="Rule", uses=topic.ref("Arn"), journal=journal)
    steps = tuple(Step("create", thing, needs=thing.needs()) for thing in (key, topic, rule))
    return execute(Plan(steps, {}), aws or scripted({}), told)


def passed(event: threading.Event) -> None:
    assert event.wait(30)


def stopped(aws: Any) -> None:
    """Waits until nothing more may begin."""
    while not aws._stopped.wait(0.01):
        pass


def test_nothing_waits_for_the_last_part_of_a_creation() -> None:
    """The rule is made while the key waits to be whole."""
    made = threading.Event()
    journal = Journal(Key_completed=lambda: passed(made), Rule_made=made.set)
    outcome = carried_out(journal)
    assert outcome.results == {"Key": "done", "Topic": "done", "Rule": "done"}
    assert outcome.error is None


def test_what_cannot_be_completed_has_failed_and_the_rest_stands() -> None:
    def refuse() -> None:
        raise AwsError("no", operation="kms:EnableKeyRotation", code="AccessDenied")

    outcome = carried_out(Journal(Key_completed=refuse))
    assert outcome.results == {"Key": "failed", "Topic": "done", "Rule": "done"}
    assert [error.resource for error in outcome.errors] == ["Key"]


def test_what_another_run_made_first_is_not_completed_but_given_up() -> None:
    journal = Journal()
    outcome = carried_out(journal, other=True)
    assert "Key_completed" not in journal.done
    assert "Key_retired" in journal.done
    assert outcome.results["Key"] == "done"


@pytest.mark.parametrize("whole", [True, False])
def test_after_an_interrupt_only_what_is_whole_is_done(whole: bool) -> None:
    """The gateway lets no call start after an interrupt, and the call under way ends by itself."""
    aws = scripted({})

    def complete() -> None:
        stopped(aws)
        if not whole:
            raise StopError("interrupted")

    def interrupt(event: Event) -> None:
        if isinstance(event, StepEnded):
            raise KeyboardInterrupt

    outcome = carried_out(Journal(Key_completed=complete), aws=aws, told=interrupt)
    assert isinstance(outcome.interrupted, KeyboardInterrupt)
    assert outcome.results["Key"] == ("done" if whole else "failed")


def test_after_an_interrupt_what_was_not_completed_yet_has_failed() -> None:
    aws, key = scripted({}), Whole(id="Key", journal=Journal())
    first = Noted(id="First", journal=Journal(First_made=lambda: stopped(aws)))

    def interrupt(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step.key == "Second":
            raise KeyboardInterrupt

    second = Noted(id="Second", uses=key.ref("Arn"), journal=Journal())
    steps = tuple(Step("create", thing, needs=thing.needs()) for thing in (second, first, key))
    outcome = execute(Plan(steps, {}), aws, interrupt)
    assert outcome.results["Key"] == "failed"
    assert key.journal.done == []


def test_what_is_new_is_asked_for_once_beside_the_last_writes() -> None:
    asked, aws = threading.Event(), scripted({})
    journal = Journal(Topic_asked=asked.set, Rule_made=lambda: passed(asked))
    carried_out(journal, aws=aws)
    aws.forget()
    for _ in range(2):
        aws.remember("Topic", lambda: journal.note("Topic_asked_anew"))
    assert (journal.done.count("Topic_asked"), journal.done.count("Topic_asked_anew")) == (1, 0)
    aws.forget()
    aws.remember("Topic", lambda: journal.note("Topic_asked_anew"))
    assert journal.done.count("Topic_asked_anew") == 1


def test_a_key_that_is_being_given_up_when_an_interrupt_comes_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    aws, retiring = scripted({}), threading.Event()

    def retire() -> None:
        retiring.set()
        stopped(aws)

    def interrupted(running: Any, timeout: float, return_when: str = "") -> Any:
        """Comes while the key is being given up."""
        while return_when:
            if retiring.is_set():
                raise KeyboardInterrupt
            if any((found := wait(running, timeout=0.01, return_when=return_when))[0]):
                return found
        return wait(running, timeout)

    monkeypatch.setattr("shnotify.engine.execute.wait", interrupted)
    outcome = carried_out(Journal(Key_retired=retire), other=True, aws=aws)
    assert isinstance(outcome.interrupted, KeyboardInterrupt)
    assert outcome.results["Key"] == "done"


def test_nothing_is_asked_ahead_once_something_failed() -> None:
    def refuse() -> None:
        raise AwsError("no", operation="sns:CreateTopic", code="AccessDenied")

    journal = Journal(Topic_made=refuse)
    outcome = carried_out(journal)
    assert outcome.results == {"Key": "done", "Topic": "failed", "Rule": "skipped"}
    assert [what for what in journal.done if what.endswith("_asked")] == []


def test_what_was_asked_ahead_too_long_ago_is_asked_again() -> None:
    aws, asked = scripted({}), Journal()
    aws.ahead("thing", lambda: asked.note("ahead"))
    aws.time.sleep(6)
    aws.forget()
    aws.remember("thing", lambda: asked.note("anew"))
    assert asked.done[-1] == "anew"
    assert aws.age() == 0


def test_an_observation_is_as_old_as_what_was_asked_ahead_for_it() -> None:
    aws, asked = scripted({}), Journal()
    aws.ahead("thing", lambda: asked.note("ahead"))
    aws.time.sleep(3)
    aws.forget()
    aws.remember("thing", lambda: asked.note("anew"))
    assert asked.done == ["ahead"]
    assert aws.age() == 3
