"""What is told while a plan is made and carried out: a closed union of frozen events."""

from __future__ import annotations

from dataclasses import dataclass

from shnotify.aws.progress import Progress
from shnotify.engine.plan import Result, Step


@dataclass(frozen=True)
class Looking:
    """Says that AWS is about to be read."""

    count: int


@dataclass(frozen=True)
class StepStarted:
    step: Step


@dataclass(frozen=True)
class StepEnded:
    step: Step
    result: Result
    message: str | None = None


@dataclass(frozen=True)
class Advanced:
    """Says how far a long work has come.

    what     what is being done: `reading`, `sending`
    total    how much there is; None when nobody knows
    seconds  since the work began
    """

    what: str
    done: int
    total: int | None
    seconds: float


Event = Looking | StepStarted | StepEnded | Advanced | Progress
