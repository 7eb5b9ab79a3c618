"""What `destroy` asks, shows and refuses, on observations made by hand; the whole way stands in test_lifecycle.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shnotify.commands import _each, destroy
from shnotify.commands._session import Session
from shnotify.engine.execute import Outcome
from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation, Plan, Step
from shnotify.engine.resource import Live, Unreadable
from shnotify.engine.values import Tags
from shnotify.errors import ShnotifyError, UsageError
from tests.support.kinds import KEY, NOT_OURS, QUEUE, TOPIC, key_live, meta, queue_live, tags
from tests.support.scripted import Scripted

GRAPH = Graph((KEY, QUEUE, TOPIC))
TOPIC_LIVE = Live(replace(TOPIC, tags=Tags.of(tags("UrgentTopic"))), {"Arn": TOPIC.topic_arn})
ALL = {"TopicKey": key_live(), "Dlq": queue_live(), "UrgentTopic": TOPIC_LIVE}
DELETED = [
    *("sns:DeleteTopic", "sqs:ReceiveMessage", "sqs:DeleteQueue"),
    *("sqs:ReceiveMessage", "kms:DeleteAlias", "kms:ScheduleKeyDeletion"),
]


@dataclass
class Screen:
    answer: bool | None = None
    lines: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    errors: list[tuple[str, str | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def can_ask(self) -> bool:
        return self.answer is not None

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return bool(self.answer)

    def result(self, line: Any = "") -> None:
        self.lines.append(str(line))

    def sum_up(self, line: Any) -> None:
        pass

    def error(self, message: str, hint: str | None = None) -> None:
        self.errors.append((message, hint))

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def document(self, _value: Any) -> None:
        pass


@dataclass
class Run:
    """A session that sees one observation after the other; the last one stays."""

    seen: list[Observation]
    screen: Screen = field(default_factory=Screen)
    graph: Graph = GRAPH
    aws: Scripted = field(default_factory=lambda: Scripted({name: {} for name in DELETED}))
    looks: list[bool] = field(default_factory=list)
    report: Callable[[object], None] = lambda _: None
    finished: list[tuple[Plan, Outcome | None, ShnotifyError | None]] = field(default_factory=list)

    warnings: list[str] = field(default_factory=list)
    warn = Session.warn
    warn_of = Session.warn_of

    def observe(self, *, shallow: bool) -> Observation:
        self.looks.append(shallow)
        return self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]

    def title(self, what: str) -> str:
        return f"{what} mine"

    def plan_document(self, plan: Plan, outcome: Outcome | None, error: ShnotifyError | None) -> dict[str, Any]:
        self.finished.append((plan, outcome, error))
        return {}


def run(*seen: dict[str, Any], answer: bool | None = None, left: Any = (), unsearched: Any = None) -> Any:
    return Run([Observation({**ALL, **one}, tuple(left), unsearched) for one in seen or ({},)], Screen(answer))


def destroyed(it: Any, *, yes: bool = True, force: bool = False, keep: frozenset[str] = frozenset()) -> int:
    return _each.alone(it, destroy._destroyed(it, yes=yes, force=force, keep=keep))


def error(it: Any) -> tuple[str, str | None, str | None] | None:
    [(_, _, found)] = it.finished
    return found and (found.message, found.hint, found.resource)


def told(it: Any, count: int) -> list[str]:
    """The last lines, without the times."""
    return [re.sub(r"  [0-9.]+ s$", "", line) for line in it.screen.lines[-count:]]


KEYS_NOTE = (
    "Keys (1) are scheduled, not deleted at once; until then Security Hub's own control KMS.3 reports each as a "
    "CRITICAL finding. `apply` takes them back; --keep-keys leaves them."
)


def test_all_that_is_ours_goes_when_that_was_said() -> None:
    it = run()
    assert destroyed(it) == 0
    assert it.aws.operations == DELETED
    assert (it.screen.asked, it.looks, error(it)) == ([], [True], None)
    assert it.screen.lines[:2] == ["Destroy mine", ""]
    assert it.screen.lines[2] == "- UrgentTopic  t  SNS::Topic"
    assert it.screen.lines[-7:-5] == ["3 to delete.", KEYS_NOTE]
    assert told(it, 4) == [
        "  deleted             SNS topic t",
        "  deleted             SQS queue q",
        "  deletion scheduled  KMS key alias/a",
        "Done: 3.",
    ]


def test_a_person_is_asked_and_may_say_no() -> None:
    it = run(answer=True)
    assert destroyed(it, yes=False) == 0
    assert (it.screen.asked, it.looks) == (["Remove all this? [y/N]"], [True, True])
    assert it.aws.operations == DELETED
    for answer in (False, None):
        it = run(answer=answer)
        with pytest.raises(UsageError):
            destroyed(it, yes=False)
        assert it.aws.sent == []


def test_what_changed_while_a_person_was_reading_stops_it() -> None:
    it = run({}, {"Dlq": queue_live(found={**tags("Dlq"), "x": "y"})}, answer=True)
    assert destroyed(it, yes=False) == 1
    assert it.aws.sent == []
    assert error(it) == (
        "AWS changed while you were reading the plan, so nothing was done",
        "run the same command again to see the new plan",
        None,
    )


def test_nothing_is_asked_when_there_is_nothing_to_do() -> None:
    it = run(dict.fromkeys(ALL))
    assert destroyed(it, yes=False) == 0
    assert (it.screen.asked, it.looks, it.aws.sent) == ([], [True], [])
    assert it.screen.lines == ["Destroy mine", "", "0 to delete.", "", "Nothing to do."]


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        (Unreadable(ShnotifyError("denied")), "it could not be read: denied"),
        (replace(TOPIC_LIVE, blocked="AWS manages it"), "AWS manages it"),
    ],
)
def test_what_cannot_be_judged_stops_all_of_it(topic: Any, reason: str) -> None:
    it = run({"UrgentTopic": topic})
    assert destroyed(it) == 1
    assert it.aws.sent == []
    assert error(it) == (f"nothing was removed: t: {reason}", None, "UrgentTopic")
    [(plan, outcome, _)] = it.finished
    assert (type(plan), outcome) == (Plan, Outcome())


def test_what_is_not_ours_is_left_and_the_rest_goes() -> None:
    it = run({"TopicKey": key_live(owner=NOT_OURS), "UrgentTopic": replace(TOPIC_LIVE, owner=NOT_OURS)})
    assert destroyed(it) == 1
    assert it.aws.operations == ["sqs:ReceiveMessage", "sqs:DeleteQueue"]
    names = f"UrgentTopic (t): {NOT_OURS}, so it stays; TopicKey (alias/a): {NOT_OURS}, so it stays"
    assert error(it) == (f"left alone: {names}", "remove these by hand if they are yours", None)
    assert it.screen.lines[-6] == "1 to delete, 2 left alone."
    assert told(it, 4) == [
        "  not done  SNS topic t",
        "  deleted   SQS queue q",
        "  not done  KMS key alias/a",
        "Done: 1 of 3.",
    ]


def test_what_was_adopted_is_given_back() -> None:
    adopted = replace(
        TOPIC_LIVE, state=replace(TOPIC, tags=Tags.of({**tags("UrgentTopic"), "shnotify:adopted": "true"}))
    )
    it = run({"UrgentTopic": adopted})
    it.aws.answers |= {"sns:GetTopicAttributes": {"Attributes": {}}, "sns:UntagResource": {}}
    assert destroyed(it) == 0
    assert "sns:DeleteTopic" not in it.aws.operations
    assert "2 to delete, 1 to give back." in it.screen.lines


def test_keys_are_kept_when_that_was_said() -> None:
    it = run()
    assert destroyed(it, keep=frozenset({"AWS::KMS::Key"})) == 0
    assert it.aws.operations == DELETED[:3]
    assert it.screen.lines[-5] == "2 to delete."
    assert told(it, 3) == ["  deleted  SNS topic t", "  deleted  SQS queue q", "Done: 2."]


def test_messages_are_discarded_only_by_force() -> None:
    it = run()
    it.aws.answers["sqs:ReceiveMessage"] = {"Messages": [{}]}
    assert destroyed(it) == 1
    assert it.aws.operations == ["sns:DeleteTopic", "sqs:ReceiveMessage"]
    assert it.screen.errors[0][0] == "Dlq: the queue q holds messages, so it stays, and its key with it"
    it = run()
    it.graph = Graph((QUEUE, TOPIC))
    assert destroyed(it, force=True) == 0
    assert it.aws.operations == ["sns:DeleteTopic", "sqs:DeleteQueue"]
    assert [r.id for r in it.graph] == ["Dlq", "UrgentTopic"]


def test_a_search_that_failed_is_told_and_stops_nothing() -> None:
    it = run(unsearched=Unreadable(ShnotifyError("denied")))
    assert destroyed(it) == 0
    assert it.screen.warnings == ["what is left over could not be looked for: denied"]


def test_what_is_left_over_goes_too() -> None:
    it = run(left=[(replace(TOPIC, id="Old", topic_name="old"), replace(TOPIC_LIVE, outputs={"Arn": "arn:old"}))])
    assert destroyed(it) == 0
    gone = {params["TopicArn"] for operation, params in it.aws.sent if operation == "sns:DeleteTopic"}
    assert gone == {TOPIC.topic_arn, "arn:old"}


def test_several_keys_are_counted() -> None:
    it = run(left=[(replace(KEY, id="OldKey", alias_name=""), key_live(meta("k2"), alias_name=""))])
    assert destroyed(it) == 0
    assert any(line.startswith("Keys (2) are scheduled") for line in it.screen.lines)


def test_a_plan_that_refuses_nothing_leaves_nothing() -> None:
    plan = Plan((Step("delete", TOPIC, TOPIC_LIVE), Step("none", QUEUE)), {})
    assert destroy._left(plan) is None
    assert destroy._stop(plan) is None
