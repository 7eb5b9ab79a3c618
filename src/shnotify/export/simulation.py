"""What a roll-out to N accounts takes, by StackSets' published limits and one stated guess. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from shnotify.config.rollout import Rollout

INSTANCES_A_SET = 100_000
"""cloudformation-limits."""
CONCURRENT_A_REGION = 10_000
"""Concurrent stack instance operations per Region and administrator account (cloudformation-limits)."""
PAGE = 100
"""Entries of one ListStackInstances page (API_ListStackInstances)."""
STACK_SECONDS = 180
"""A guess: how long CloudFormation takes for one stack with two keys; AWS publishes no figure."""
POLL_SECONDS = 10


@dataclass(frozen=True)
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
    cost_per_month_usd: int
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
            "wall time": f"about {self.minutes:,} minutes, if a stack takes {STACK_SECONDS} s (a guess)",
            "AWS calls": f"about {self.calls:,}",
            "mails to confirm": f"{self.mails_to_confirm:,}, each within 48 hours",
            "cost a month": f"about {self.cost_per_month_usd:,} USD (KMS keys)",
        }
        return [f"{name:17} {value}" for name, value in rows.items()] + [
            f"limit: {problem}" for problem in self.problems
        ]


def simulate(rollout: Rollout, accounts: int, *, keys: int, mails: int) -> Simulation:
    """Computes a roll-out to this many accounts. `keys` and `mails` are those of one stack."""
    regions = len(rollout.regions)
    stacks = accounts * regions
    at_once = min(rollout.concurrency, accounts, CONCURRENT_A_REGION)
    seconds = math.ceil(accounts / at_once) * STACK_SECONDS  # the Regions go on side by side
    polls = seconds // POLL_SECONDS
    pages = math.ceil(stacks / PAGE)
    problems = []
    if stacks > INSTANCES_A_SET:
        problems.append(f"a stack set has at most {INSTANCES_A_SET:,} stacks")
    return Simulation(
        accounts=accounts,
        regions=regions,
        stacks=stacks,
        at_once=at_once,
        minutes=math.ceil(seconds / 60),
        calls=5 + 2 * pages + polls + (polls // 6) * pages,
        mails_to_confirm=stacks * mails,
        cost_per_month_usd=stacks * keys,
        problems=tuple(problems),
    )
