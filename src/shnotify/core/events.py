"""What the engine and the gateway tell while they work: a closed union of frozen events."""

from __future__ import annotations

from dataclasses import dataclass

from shnotify.core.plan import Result, Step


@dataclass(frozen=True)
class Looking:
    """AWS is about to be read."""

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
class Waiting:
    """A call is tried again after `seconds`; `reason` says what AWS said or is known to do."""

    operation: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Noted:
    """Something a person should know; it changes nothing."""

    message: str


Event = Looking | StepStarted | StepEnded | Waiting | Noted
