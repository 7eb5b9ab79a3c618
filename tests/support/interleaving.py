"""Several runs whose calls go one at a time, in an order that a seed decides."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shnotify import cli
from shnotify.commands import _opening as opening
from tests.conftest import World
from tests.support.canonical import live_keys
from tests.support.faults import Fault, gateway
from tests.support.lifecycle import RULE, TOPIC


class Turns:
    """Lets the calls of several runs go one at a time, in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.runs: list[int] = []
        self.next = 0
        self.condition = threading.Condition()

    def enter(self, run: int) -> None:
        with self.condition:
            if run not in self.runs:
                self.runs.append(run)
            mine = self.runs.index(run)
            # A run that has nothing to ask just now loses its turn after a moment.
            self.condition.wait_for(lambda: self.next == mine, timeout=0.01)
            self.next = self.random.randrange(2)
            self.condition.notify_all()


def together(world: World, monkeypatch: pytest.MonkeyPatch, seed: int, *commands: list[str]) -> list[int]:
    """The exit codes of two commands that run side by side."""
    turns = Turns(seed)

    class Gated(gateway(world.faults)):  # type: ignore[misc]
        def _send(self, operation: str, method: Any, params: Any) -> Any:
            turns.enter(id(self))
            return super()._send(operation, method, params)

    monkeypatch.setattr(opening, "Aws", Gated)
    with ThreadPoolExecutor(len(commands)) as pool:
        codes = list(pool.map(lambda c: cli.run([*c, "-c", str(world.path), "-o", "json"]), commands))
    monkeypatch.setattr(opening, "Aws", gateway(world.faults))
    return codes


def check(world: World) -> None:
    """One undisturbed apply later, all is as after one clean run."""
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert live_keys(world) == ["DlqKey", "TopicKey"]
    listed = world.client("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    assert [s["Endpoint"] for s in listed] == ["secops@example.com"]
    assert [t["Id"] for t in world.client("events").list_targets_by_rule(Rule=RULE)["Targets"]] == ["shnotify"]
    assert world.run("status").states() == {}


APPLY, DESTROY = ["apply", "--yes"], ["destroy", "--yes"]


def in_the_middle(world: World, operation: str, edit: Callable[[], object], nth: int = 1) -> None:
    """Somebody else does `edit` just before the n-th such call goes out."""
    seen: list[str] = []

    def meddle(call: Callable[[], Any], _operation: str) -> Any:
        seen.append(_operation)
        if len(seen) == nth:
            edit()
        return call()

    def rule(_n: int, found: str) -> Fault | None:
        return meddle if found == operation else None

    world.faults.rule = rule
