"""StackSets as the documents tell of them: operations take time, wait for each other, and fail in parts.

The stacks are on paper: what they hold would be in the accounts' own clouds. An account's stacks
take `PACE.seconds`; `concurrency` accounts are at work at once, all Regions side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shnotify.sandbox.rows import now

Pair = tuple[str, str]
"""An account and a Region."""


@dataclass
class Pace:
    """How the simulated accounts behave.

    seconds  what an account's stacks take
    failing  account -> why its stacks fail
    drifted  accounts whose stacks somebody changed by hand
    """

    seconds: float = 0.0
    failing: dict[str, str] = field(default_factory=dict)
    drifted: set[str] = field(default_factory=set)


PACE = Pace()
NO_ROLE = "the account should have the role AWSCloudFormationStackSetExecutionRole"
"""Why stacks fail most often (stacksets-troubleshooting)."""


@dataclass
class Operation:
    """One operation on some stacks, the accounts in the order in which they are worked on.

    begins  when it leaves the queue
    failed  what goes wrong, by account
    """

    id: str
    action: str
    asked: float
    begins: float
    places: dict[str, int]
    pairs: tuple[Pair, ...]
    at_once: int
    tolerance: int
    seconds: float
    failed: dict[str, str]
    stopped: float | None = None

    @property
    def cut(self) -> int:
        """Returns the batch with which a Region's failures go beyond the tolerance, or a late one.

        Batches after it are cancelled (stacksets-concepts, failure tolerance).
        """
        places = sorted(self.places[account] for account in self.failed if account in self.places)
        if len(places) <= self.tolerance:
            return len(self.places) + 1
        return places[self.tolerance] // self.at_once

    @property
    def ends(self) -> float:
        batches = -(-len(self.places) // self.at_once) if self.places else 0
        return self.begins + min(batches, self.cut + 1) * self.seconds

    def status(self) -> str:
        moment = now()
        if self.stopped is not None:
            return "STOPPED"
        if moment < self.begins:
            return "QUEUED"
        if moment < self.ends:
            return "RUNNING"
        return "FAILED" if self.cut < len(self.places) else "SUCCEEDED"

    def of(self, account: str) -> str:
        """Returns the detailed status of an account's stacks."""
        batch, moment = self.places[account] // self.at_once, now()
        begins = self.begins + batch * self.seconds
        if self.stopped is not None and begins >= self.stopped:
            return "CANCELLED"
        if batch > self.cut:
            return "CANCELLED" if moment >= self.ends else "PENDING"
        if moment < begins or (moment < self.begins):
            return "PENDING"
        if moment < begins + self.seconds:
            return "RUNNING"
        return "FAILED" if account in self.failed else "SUCCEEDED"


@dataclass
class Stack:
    """A stack of a set: what the last operation on it is, and its own parameters.

    behind  whether the set's template or parameters changed and the stack was left out
    """

    unit: str
    operation: Operation
    overrides: list[dict[str, str]]
    drift: str = "NOT_CHECKED"
    checked: Operation | None = None
    behind: bool = False

    def state(self, account: str) -> tuple[str, str]:
        """Returns the status of a stack and the detailed one (API_StackInstanceSummary)."""
        detailed = self.operation.of(account)
        if detailed == "FAILED" and self.operation.action == "DELETE":
            return "INOPERABLE", "INOPERABLE"
        current = detailed == "SUCCEEDED" and not self.behind
        return "CURRENT" if current else "OUTDATED", detailed


@dataclass
class Model:
    """What one stack set remembers."""

    operations: list[Operation] = field(default_factory=list)
    stacks: dict[Pair, Stack] = field(default_factory=dict)

    def standing(self) -> dict[Pair, Stack]:
        """Lets go what deletes have removed by now, and returns the rest."""
        gone = [
            pair
            for pair, stack in self.stacks.items()
            if stack.operation.action == "DELETE" and stack.operation.of(pair[0]) == "SUCCEEDED"
        ]
        for pair in gone:
            del self.stacks[pair]
        return self.stacks
