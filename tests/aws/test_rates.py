"""AWS's rates, kept on our side: never beyond what AWS allows, and hardly below."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shnotify.aws.rates import PUBLISHED, Rates
from tests.support.throttling import Allowance


class Now:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def all_at_once(rates: Rates, now: Callable[[], float], operation: str, count: int) -> list[float]:
    """When the calls go that are all wanted now."""
    return [now() + rates.turn(operation) for _ in range(count)]


@given(
    operation=st.sampled_from([*PUBLISHED, "events:PutRule", "lambda:CreateFunction"]).filter(lambda o: "*" not in o),
    pauses=st.lists(st.floats(0, 0.6), min_size=1, max_size=60),
    data=st.data(),
)
def test_aws_throttles_nothing_even_when_calls_arrive_late(
    operation: str, pauses: list[float], data: st.DataObject
) -> None:
    now, rates, allowance = Now(), Rates(lambda: now.seconds), Allowance()
    sent = []
    for pause in pauses:
        now.seconds += pause
        sent.append(now() + rates.turn(operation))
    late = data.draw(st.lists(st.floats(0, 0.1), min_size=len(sent), max_size=len(sent)))
    arrivals = sorted(at + more for at, more in zip(sent, late, strict=True))
    assert all(allowance.passes(operation, at) for at in arrivals)


def test_the_rate_is_used_up() -> None:
    now = Now()
    gone = all_at_once(Rates(now), now, "kms:CreateKey", 60)
    least = (60 - 5) / 5
    assert gone[:4] == [100] * 4
    assert least < gone[-1] - 100 < 1.06 * least


def test_a_few_calls_wait_for_nothing() -> None:
    now = Now()
    assert {
        all_at_once(Rates(now), now, "kms:CreateKey", 4)[-1],
        *all_at_once(Rates(now), now, "events:PutRule", 40),
    } == {100}


def test_operations_of_a_service_share_what_it_allows() -> None:
    now = Now()
    rates = Rates(now)
    all_at_once(rates, now, "events:PutRule", 40)
    assert rates.turn("events:PutTargets") > 0
    assert rates.turn("lambda:GetFunction") == rates.turn("lambda:Invoke") == 0


def test_what_aws_throttles_is_slowed_down_and_recovers() -> None:
    now = Now()
    rates = Rates(now)
    rates.refused("kms:CreateKey", now())
    slow = [b - a for a, b in pairwise(all_at_once(rates, now, "kms:CreateKey", 5))]
    assert all(gap > 1 / 5 for gap in slow)
    now.seconds += 60
    for _ in range(100):
        rates.answered("kms:CreateKey")
    all_at_once(rates, now, "kms:CreateKey", 4)
    fast = [b - a for a, b in pairwise(all_at_once(rates, now, "kms:CreateKey", 5))]
    assert max(fast) < 0.21
    assert rates.throttled == 1


def test_calls_that_are_thrown_back_together_slow_down_once() -> None:
    """Another run used the rate up: our first burst says so, and not forty times."""
    now = Now()
    rates, once = Rates(now), Rates(now)
    sent = now()
    now.seconds += 0.1
    once.refused("events:PutRule", sent)
    for _ in range(40):
        rates.refused("events:PutRule", sent)
    gaps = [all_at_once(one, now, "events:PutRule", 30) for one in (rates, once)]
    assert gaps[0] == gaps[1]
    now.seconds += 0.1
    rates.refused("events:PutRule", now())
    assert rates.turn("events:PutRule") > once.turn("events:PutRule")


def test_an_operation_without_a_published_rate_runs_free_until_aws_throttles_it() -> None:
    now = Now()
    rates = Rates(now)
    assert set(all_at_once(rates, now, "sqs:GetQueueAttributes", 500)) == {100}
    rates.refused("sqs:GetQueueAttributes", now())
    assert rates.turn("sqs:GetQueueAttributes") > 0
    assert rates.turn("sqs:CreateQueue") == 0


@given(st.integers(1, 40))
def test_however_often_it_is_throttled_a_call_has_its_turn(times: int) -> None:
    now = Now()
    rates = Rates(now)
    for _ in range(times):
        now.seconds += 0.1
        rates.refused("kms:CreateKey", now())
    assert rates.turn("kms:CreateKey") <= 2
