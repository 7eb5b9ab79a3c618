"""The contract of every kind, over the one table `CASES`: one suite, whichever the kind.

CloudFormation's handler contract is the model: create then read is equal, update then read is equal, delete then read
is nothing, and a second create or delete is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from shnotify.aws.failures import AwsError, DeniedError
from shnotify.engine.graph import Graph
from shnotify.engine.observe import observe
from shnotify.engine.ownership import owner_of, with_tags
from shnotify.engine.permissions import VERBS, Verb
from shnotify.engine.plan import plan_apply
from shnotify.engine.resource import Live, Resource, Unreadable
from shnotify.engine.values import Tags
from shnotify.resources.kinds import KINDS
from shnotify.sandbox.strict import strict
from shnotify.sandbox.subscriptions import confirm_subscription
from shnotify.tags import ADOPTED_TAG, OUR_TAGS
from tests.resources.cases import CASES, GRAPH, Case
from tests.support import faults
from tests.support.faults import REGION, Faults, gateway

TESTS = Path(__file__).parents[1]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


class Account:
    """An embedded account in which one thing is made, with the operations that each verb sent."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.sent: dict[Verb, set[str]] = {verb: set() for verb in VERBS}
        self.known = GRAPH.known()

    def aws(self) -> Any:
        return gateway(self.faults)(allowed=None, region=REGION)

    def client(self, service: str) -> Any:
        return self.faults.client(service)

    def verb(self, name: Verb, call: Callable[[], Any]) -> Any:
        """What the verb gives; the operations that it sends are noted under its name."""
        self.faults.calls.clear()
        try:
            return call()
        finally:
            self.sent[name] |= set(self.faults.operations)

    def prepare(self, case: Case) -> Resource:
        """Everything that the thing needs is made; the thing itself is not."""
        for needed in case.needed:
            outputs = needed.resolved(self.known).create(self.aws())
            self.known |= {f"{needed.id}.{name}": value for name, value in outputs.items()}
        return case.wanted.resolved(self.known)

    def create(self, want: Resource) -> None:
        self.verb("create", lambda: want.create(self.aws()))

    def read(self, want: Resource) -> Live[Resource] | None:
        found: Live[Resource] | None = self.verb("read", lambda: want.read(self.aws()))
        return found

    def seen(self, want: Resource) -> Live[Resource]:
        found = self.read(want)
        assert found is not None
        return found

    def mend(self, want: Resource) -> None:
        """What the engine does with a thing that differs."""
        live = self.seen(want)
        merged = want.onto(live.state)
        paths = frozenset(change.path.partition(".")[0] for change in merged.diff(live.state))
        assert paths
        self.verb("update", lambda: merged.update(self.aws(), live, paths))


@pytest.fixture
def account() -> Iterator[Account]:
    found = Account()
    with mock_aws(), strict(clock=found.faults.time.now):
        yield found


def test_every_kind_has_its_row() -> None:
    assert {type(case.wanted) for case in CASES} == set(KINDS)
    assert len(CASES) == len(KINDS)


@each
def test_what_was_created_is_read_as_it_was_wanted(account: Account, case: Case) -> None:
    want = account.prepare(case)
    assert account.read(want) is None
    account.create(want)
    live = account.seen(want)
    assert want.diff(live.state) == ()
    assert live.owner is None
    assert live.blocked is None


@each
def test_a_second_create_is_harmless(account: Account, case: Case) -> None:
    want = account.prepare(case)
    account.create(want)
    before = account.seen(want)
    with_error = None
    try:
        account.create(want)
    except AwsError as error:  # that it exists: the engine then looks at it and goes on
        with_error = type(error).__name__
    assert with_error in (None, "AlreadyThereError")
    assert account.seen(want) == before


@each
def test_what_was_updated_is_read_as_it_was_wanted(account: Account, case: Case) -> None:
    want = account.prepare(case)
    account.create(want)
    for variant in case.variants:
        other: Resource = variant(want)
        account.mend(other)
        assert other.diff(account.seen(other).state) == ()


@each
def test_what_was_changed_by_hand_is_mended(account: Account, case: Case) -> None:
    want = account.prepare(case)
    account.create(want)
    for hand in case.hands:
        hand(account.client, want)
        account.mend(want)
        assert want.diff(account.seen(want).state) == ()


def confirmed(want: Resource) -> None:
    """Somebody clicks, where the thing is a subscriber."""
    if endpoint := getattr(want, "endpoint", None):
        confirm_subscription(endpoint)


@each
def test_what_was_deleted_is_not_there_and_a_second_delete_is_harmless(account: Account, case: Case) -> None:
    want = account.prepare(case)
    account.create(want)
    confirmed(want)
    if case.before:
        case.before(account.client, want)
        account.seen(want)
    live = want.identify(account.aws())
    assert live is not None
    for _ in range(2):
        account.verb("delete", lambda: want.delete(account.aws(), live))
        assert account.read(want) is None


@each
def test_what_was_adopted_is_given_back_without_a_trace_of_ours(account: Account, case: Case) -> None:
    want = account.prepare(case)
    if want.tags_or_none() is None:
        pytest.skip("it carries no tags, so nothing of this kind is adopted or given back")
    account.create(with_tags(want, {ADOPTED_TAG: "true", "Theirs": "yes"}))
    live = account.seen(want)
    account.verb("release", lambda: want.release(account.aws(), live))
    after = account.seen(want)
    left = after.state.tags_or_none() or Tags()
    assert not [tag for tag in OUR_TAGS if left.get(tag)]
    assert left.get("Theirs") == "yes"
    assert after.owner == owner_of(left, want.tags_or_none() or Tags()) != None  # noqa: E711


@each
def test_what_cannot_be_read_is_unknown_and_never_created(account: Account, case: Case) -> None:
    """A refusal proves nothing about what exists, whichever read it meets."""
    want = account.prepare(case)
    account.create(want)
    account.faults.calls.clear()
    assert want.read(account.aws()) is not None
    reads = set(account.faults.operations) - {"tag:GetResources"}
    graph = Graph((replace(want, **_unreferenced(want)),))
    for operation in reads:
        account.faults.rule = faults.on(operation, times=1000)(faults.refuse("AccessDenied", 403))
        seen = observe(graph, account.aws(), lambda _: None)
        found = seen.wanted[want.id]
        assert isinstance(found, Unreadable), operation
        assert isinstance(found.error, DeniedError)
        (step,) = plan_apply(graph, seen).steps
        assert step.action == "refuse"


def _unreferenced(want: Resource) -> dict[str, Any]:
    """Nothing: the thing is resolved, so that it stands alone in a graph."""
    assert want.needs() == frozenset()
    return {}


def test_every_operation_that_a_verb_sends_is_declared_and_none_more() -> None:
    """The table of permissions in the README is made from these declarations."""
    problems: list[str] = []
    for case in CASES:
        account = Account()
        _all_of_it(account, case)
        declared = type(case.wanted).PERMISSIONS
        for verb in VERBS:
            sent = account.sent[verb]
            allowed = declared.called(verb) | (declared.read if verb != "read" else frozenset())
            problems += [f"{case.id}: {verb} sends {operation}, undeclared" for operation in sent - allowed]
            rare = {operation for of, operation in case.rare if of == verb}
            taking_back = declared.update if verb == "create" else frozenset()  # it is an update, which has its own row
            unsent = (declared.called(verb) - sent - taking_back) ^ rare
            problems += [f"{case.id}: {verb} declares {operation} and does not send it" for operation in unsent]
    assert problems == []


def test_what_the_suite_does_not_reach_is_named_by_a_test_of_its_own() -> None:
    texts = [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    for _, operation in (rare for case in CASES for rare in case.rare):
        assert any(f'"{operation}"' in text for text in texts), operation


def _all_of_it(account: Account, case: Case) -> None:
    """Every verb in every way that the row names."""
    tests = (
        test_what_was_created_is_read_as_it_was_wanted,
        test_what_was_updated_is_read_as_it_was_wanted,
        test_what_was_changed_by_hand_is_mended,
        test_what_was_deleted_is_not_there_and_a_second_delete_is_harmless,
        test_a_second_create_is_harmless,
    )
    for test in tests:
        account.known = GRAPH.known()
        with mock_aws(), strict(clock=account.faults.time.now):
            test(account, case)
    account.known = GRAPH.known()
    with mock_aws(), strict(clock=account.faults.time.now):
        if case.wanted.tags_or_none() is not None:
            test_what_was_adopted_is_given_back_without_a_trace_of_ours(account, case)
    for operation, fault in case.retried.items():
        account.known = GRAPH.known()
        with mock_aws(), strict(clock=account.faults.time.now):
            want = account.prepare(case)
            account.faults.rule = faults.on(operation)(fault)
            account.create(want)
            account.faults.rule = lambda _n, _o: None
    with mock_aws(), strict(clock=account.faults.time.now):
        account.known = GRAPH.known()
        want = account.prepare(case)
        account.create(want)
        live = account.seen(want)
        account.verb("read", lambda: want.identify(account.aws()))
        account.verb("read", lambda: list(live.state.points_at(account.aws())))
