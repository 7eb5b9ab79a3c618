"""What the gateway tells while a call waits. The engine adds its own events to these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """Says that a call is tried again after `seconds`, and in `reason` why."""

    operation: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Noted:
    """Tells a person something that changes nothing."""

    message: str


Progress = Waiting | Noted
"""What the gateway reports."""
