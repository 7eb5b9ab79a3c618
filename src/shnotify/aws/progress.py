"""What the gateway tells while a call waits. The engine adds its own events to these."""

from __future__ import annotations

from shnotify.frozen import frozen


@frozen
class Waiting:
    """Says that a call is tried again after `seconds`, and in `reason` why."""

    operation: str
    reason: str
    seconds: float


@frozen
class Noted:
    """Tells a person something that changes nothing."""

    message: str


Progress = Waiting | Noted
"""What the gateway reports."""
