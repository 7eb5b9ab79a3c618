"""What holds of every decision, and that a second evaluator, written otherwise, comes to the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shnotify.resources.evaluation import Decision, Kind, combined, evaluate
from shnotify.resources.requests import Request, States
from tests.resources.policies_at_random import KEYS, ROLE, TOPIC, conditions, contexts, policies, requests, states
from tests.support.second_evaluator import combined_verdict, verdict

KINDS: tuple[Kind, ...] = ("resource", "key", "trust", "identity")
kinds = st.sampled_from(KINDS)
SAMPLE = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
whole = [pytest.mark.full, pytest.mark.timeout(900)]
in_both_sizes = pytest.mark.parametrize("count", [150, pytest.param(3000, marks=whole)])

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(("Allow", "Deny", "*")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("Statement", "Effect", "Principal", "Action", "Resource", "Condition", "Sid", "AWS", "Bool")
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@in_both_sizes
def test_a_second_evaluator_comes_to_the_same_of_a_condition(count: int) -> None:
    @settings(SAMPLE, max_examples=count)
    @given(conditions(), contexts)
    def same(condition: Any, context: dict[str, States]) -> None:
        allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}
        policy = {"Version": "2012-10-17", "Statement": allow}
        request = Request(ROLE, "sns:Publish", TOPIC, context)

        assert evaluate(policy, request).verdict == verdict(policy, request)

    same()


@in_both_sizes
def test_a_second_evaluator_comes_to_the_same_of_a_policy(count: int) -> None:
    @settings(SAMPLE, max_examples=count)
    @given(policies(), requests, kinds)
    def same(policy: Any, request: Request, kind: Kind) -> None:
        assert evaluate(policy, request, kind).verdict == verdict(policy, request, kind)

    same()


@in_both_sizes
def test_a_second_evaluator_comes_to_the_same_of_a_role(count: int) -> None:
    own = policies(identity=True, most=2)

    @settings(SAMPLE, max_examples=count)
    @given(st.lists(own, max_size=2), st.none() | own, st.none() | policies(most=2), contexts, st.booleans())
    def same(identity: list[Any], boundary: Any, resource: Any, context: dict[str, States], key: bool) -> None:
        request = Request(ROLE, "sns:Publish", TOPIC, context)

        decided = combined(identity, boundary, resource, request, key=key)

        assert decided.verdict == combined_verdict(identity, boundary, resource, request, key)

    same()


@SAMPLE
@given(policies(), requests, kinds)
def test_a_certain_deny_denies_whatever_else_stands_there(policy: Any, request: Request, kind: Kind) -> None:
    who = {} if kind == "identity" else {"Principal": "*"}
    deny = {"Sid": "no", "Effect": "Deny", **who, "Action": "*", "Resource": "*"}

    denied = evaluate({**policy, "Statement": [*policy["Statement"], deny]}, request, kind)

    assert (denied.verdict, denied.explicit) == ("denied", True)


@SAMPLE
@given(policies(), policies(most=1), requests, kinds)
def test_one_more_deny_never_allows_more(policy: Any, more: Any, request: Request, kind: Kind) -> None:
    order = ("denied", "unknown", "allowed")
    denies = [{**one, "Effect": "Deny"} for one in more["Statement"] if isinstance(one, dict)]
    before = evaluate(policy, request, kind)

    after = evaluate({**policy, "Statement": [*policy["Statement"], *denies]}, request, kind)

    assert order.index(after.verdict) <= order.index(before.verdict)


@in_both_sizes
def test_to_know_a_key_only_settles_what_was_unknown(count: int) -> None:
    @settings(SAMPLE, max_examples=count)
    @given(policies(), requests, kinds, st.sampled_from(KEYS), st.data())
    def settles(policy: Any, request: Request, kind: Kind, key: str, data: st.DataObject) -> None:
        others = {name: held for name, held in request.context.items() if name != key.lower()}
        without = evaluate(policy, replace(request, context=others), kind)

        knowing = evaluate(policy, replace(request, context={**others, key.lower(): data.draw(states(key))}), kind)

        assert without.verdict in ("unknown", knowing.verdict)

    settles()


@SAMPLE
@given(anything, anything, requests, kinds)
def test_nothing_that_json_can_hold_makes_it_fail(policy: Any, other: Any, request: Request, kind: Kind) -> None:
    for decided in (evaluate(policy, request, kind), combined([policy], other, policy, request, key=kind == "key")):
        assert isinstance(decided, Decision)
        assert decided.reason


@SAMPLE
@given(policies(), requests, kinds)
def test_a_decision_says_what_decides(policy: Any, request: Request, kind: Kind) -> None:
    decided = evaluate(policy, request, kind)

    assert "\n" not in decided.reason
    assert decided.statement in decided.reason
    assert decided.statement or decided.verdict == "denied"
    assert decided.verdict == "denied" or not decided.explicit
