"""What the gateway tells while a call waits. The engine adds its own events to these."""

from __future__ import annotations

from dataclasses import dataclass


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


Progress = Waiting | Noted
"""What the gateway reports."""
