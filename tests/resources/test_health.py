"""What each kind says of its own live state: ok, broken, or that nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.aws.failures import DeniedError
from shnotify.engine.resource import Live, Unreadable
from shnotify.resources.function import Function
from shnotify.resources.kinds import KINDS
from tests.resources.cases import CASES, GRAPH

OUTPUTS = {"Arn": "arn:x", "State": "Active", "Reason": "", "Concurrency": "", "KeyState": "Enabled"}
FACTS: dict[str, Any] = {"Vpc": "", "Layers": []}


def function(
    outputs: dict[str, str] | None = None, facts: dict[str, Any] | None = None, **state: Any
) -> tuple[str, str]:
    """(verdict, sentence) of a formatter that stands like this."""
    want = GRAPH["UrgentFormatter"]
    assert isinstance(want, Function)
    live = Live(replace(want, **state), {**OUTPUTS, **(outputs or {})}, facts={**FACTS, **(facts or {})})
    (link,) = want.health(live)
    return link.verdict, link.why


@pytest.mark.parametrize(
    ("changed", "verdict", "says"),
    [
        ({}, "ok", ""),
        ({"outputs": {"State": "Inactive"}}, "ok", ""),
        ({"outputs": {"State": "Failed", "Reason": "no image"}}, "broken", "Lambda says it is Failed no image"),
        ({"outputs": {"Concurrency": "0"}}, "broken", "its reserved concurrency is 0"),
        ({"facts": {"Vpc": "vpc-1"}}, "unknown", "runs in a VPC"),
        ({"facts": {"Layers": ["arn:layer"]}}, "unknown", "layers that are not ours (arn:layer)"),
        ({"role": "arn:aws:iam::123456789012:role/other"}, "unknown", "runs as another role"),
    ],
)
def test_a_formatter_that_runs_and_one_that_does_not(changed: dict[str, Any], verdict: str, says: str) -> None:
    found, why = function(**changed)
    assert found == verdict
    assert says in why


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_missing_is_broken_and_what_cannot_be_read_is_unknown(case: Any) -> None:
    want = case.wanted
    missing = want.judged(None)
    unread = want.judged(Unreadable(DeniedError("no", operation="x:Get")))
    assert {link.verdict for link in missing} <= {"broken"}
    assert {link.verdict for link in unread} <= {"unknown"}
    assert {link.id for link in unread} == set(want.links())
    assert bool(missing) is bool(want.links())
    assert all(link.needs == ("x:Get",) for link in unread)


def test_every_link_of_a_kind_has_the_contracts_name() -> None:
    known = {"rule", "target", "formatter", "topic-policy", "topic-key", "queue-key", "watchdog"}
    assert {name for case in CASES for name in case.wanted.links()} <= known
    assert [kind.RANK for kind in KINDS] == list(range(len(KINDS)))
