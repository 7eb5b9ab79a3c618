"""What a roll-out to N accounts takes, by StackSets' published limits and one stated guess. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from shnotify.config.models import Config
from shnotify.config.rollout import Rollout
from shnotify.export.cloudformation import graph_for_export
from shnotify.export.stackset import PAGE, pause_after, reads_results
from shnotify.frozen import frozen
from shnotify.notifier.alarms import MONTHLY_USD
from shnotify.resources.alarm import Alarm
from shnotify.resources.key import Key
from shnotify.resources.subscription import Subscription

INSTANCES_A_SET = 100_000
"""cloudformation-limits."""
CONCURRENT_A_REGION = 10_000
"""Concurrent stack instance operations per Region and administrator account (cloudformation-limits)."""
STACK_SECONDS = 180
"""A guess: how long CloudFormation takes for one stack with two keys; AWS publishes no figure."""


@frozen
class Simulation:
    """The figures of a roll-out.

    minutes  wall time, when every stack takes STACK_SECONDS
    calls    calls of one `rollout apply` that creates every stack
    """

    accounts: int
    regions: int
    stacks: int
    at_once: int
    minutes: int
    calls: int
    mails_to_confirm: int
    cost_per_month_usd: float
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "stack_seconds": STACK_SECONDS, "problems": list(self.problems)}

    def lines(self) -> list[str]:
        """Returns the figures as text, a line each."""
        rows = {
            "accounts": f"{self.accounts:,}",
            "Regions": f"{self.regions:,}",
            "stacks": f"{self.stacks:,}",
            "at once": f"{self.at_once:,}",
            "wall time": f"about {_spoken(self.minutes)}, if a stack takes {STACK_SECONDS} s (a guess)",
            "AWS calls": f"about {self.calls:,}",
            "mails to confirm": f"{self.mails_to_confirm:,}, each within 48 hours",
            "cost a month": f"about {money(self.cost_per_month_usd)} USD (KMS keys and alarms)",
        }
        return [f"{name:17} {value}" for name, value in rows.items()] + [
            f"limit: {problem}" for problem in self.problems
        ]


@frozen
class OneStack:
    """What one stack costs and whom it asks: KMS keys, alarms, and mail addresses to confirm."""

    keys: int
    alarms: int
    mails: int

    @classmethod
    def of(cls, config: Config) -> OneStack:
        things = tuple(graph_for_export(config))
        mails = [one for one in things if isinstance(one, Subscription)]
        return cls(
            keys=sum(isinstance(thing, Key) for thing in things),
            alarms=sum(isinstance(thing, Alarm) for thing in things),
            mails=sum(one.protocol.startswith("email") for one in mails),
        )

    @property
    def usd(self) -> float:
        """USD a month: a KMS key is 1 (AWS KMS pricing), an alarm 0.10; the rest is cents."""
        return self.keys + self.alarms * MONTHLY_USD


def money(usd: float) -> str:
    """Returns an amount as a person writes it: 2, 3.90, 10,000."""
    return f"{usd:,.2f}".removesuffix(".00")


def _spoken(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 180 else f"{round(minutes / 60):,} hours"


def simulate(rollout: Rollout, accounts: int, each: OneStack) -> Simulation:
    """Computes a roll-out to this many accounts, with such a stack in each Region."""
    regions = len(rollout.regions)
    stacks = accounts * regions
    at_once = min(rollout.concurrency, accounts, CONCURRENT_A_REGION)
    seconds = math.ceil(accounts / at_once) * STACK_SECONDS  # the Regions go on side by side
    looks, reads, seen_at = _following(seconds, stacks)
    problems = []
    if stacks > INSTANCES_A_SET:
        problems.append(f"a stack set has at most {INSTANCES_A_SET:,} stacks")
    return Simulation(
        accounts=accounts,
        regions=regions,
        stacks=stacks,
        at_once=at_once,
        minutes=math.ceil(seen_at / 60),
        # who we are, the look, the stack set, its stacks
        calls=4 + looks + reads * math.ceil(stacks / PAGE),
        mails_to_confirm=stacks * each.mails,
        cost_per_month_usd=round(stacks * each.usd, 2),
        problems=tuple(problems),
    )


def _following(seconds: int, stacks: int) -> tuple[int, int, int]:
    """Returns how often an operation is looked at, its results are read, and when its end is seen."""
    moment, looks, reads = 0, 1, 0
    while moment < seconds:
        reads += reads_results(looks, stacks)
        moment += pause_after(looks)
        looks += 1
    return looks, reads + 1, moment
