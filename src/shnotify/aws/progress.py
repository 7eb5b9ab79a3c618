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


@dataclass(frozen=True)
class Counted:
    """Tells how far a long reading or writing is.

    what     such as `findings read`
    total    how many there are in all, when that is known
    seconds  since it began
    share    else the part that is done, from 0 to 1, as far as anybody can tell
    """

    what: str
    done: int
    seconds: float
    total: int | None = None
    share: float | None = None

    @property
    def left(self) -> float | None:
        """The seconds that the rest will take at this rate, or None when nobody can tell."""
        share = self.done / self.total if self.total else self.share
        if not share or share > 1 or self.seconds <= 0:
            return None
        return (1 - share) * self.seconds / share


Progress = Waiting | Noted | Counted
"""What the gateway reports."""
