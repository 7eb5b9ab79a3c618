"""AWS's side of the published rates: as many calls at once as in a second, the rest is thrown back."""

from __future__ import annotations

from shnotify.aws.rates import PUBLISHED
from tests.support.faults import Fault, Faults, refuse


class Allowance:
    """Token buckets of one account and Region."""

    def __init__(self) -> None:
        self.buckets: dict[str, tuple[float, float]] = {}
        self.refused = 0

    def passes(self, operation: str, now: float) -> bool:
        name = operation if operation in PUBLISHED else f"{operation.partition(':')[0]}:*"
        if name not in PUBLISHED:
            return True
        rate = PUBLISHED[name]
        tokens, then = self.buckets.get(name, (rate, now))
        tokens = min(rate, tokens + max(0.0, now - then) * rate)
        passes = tokens >= 1 - 1e-9
        self.buckets[name] = (tokens - passes, now)
        self.refused += not passes
        return passes


def throttled(faults: Faults) -> Allowance:
    """Lets the calls through `faults` only as AWS's rates allow, by its time."""
    allowance = Allowance()

    def rule(_n: int, operation: str) -> Fault | None:
        return None if allowance.passes(operation, faults.time.now()) else refuse("ThrottlingException")

    faults.rule = rule
    return allowance
