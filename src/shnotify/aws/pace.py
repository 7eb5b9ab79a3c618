"""A rate that AWS allows, kept on our side, so that nobody else of the account is throttled."""

from __future__ import annotations

from shnotify.aws.calls import Calls


class Pace:
    """Lets `burst` calls go at once and then `rate` a second, by the command's own clock."""

    def __init__(self, aws: Calls, *, rate: float, burst: int) -> None:
        self.aws = aws
        self.rate = rate
        self.burst = burst
        self._saved = float(burst)
        self._last = aws.clock.now()

    def wait(self) -> None:
        """Waits until the next call may go. Raises `StopError` when the command's time is up."""
        now = self.aws.clock.now()
        self._saved = min(self.burst, self._saved + (now - self._last) * self.rate)
        self._last = now
        if self._saved < 1:
            self.aws.pause((1 - self._saved) / self.rate)
            self._last = self.aws.clock.now()
            self._saved = 1.0
        self._saved -= 1
