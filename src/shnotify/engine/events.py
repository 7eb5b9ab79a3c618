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


Event = Looking | StepStarted | StepEnded | Progress
