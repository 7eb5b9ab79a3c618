"""Amazon SNS mails an address ten times a second at most; what is above suspends its subscription.

"Email delivery ... 10 messages per second per subscription": beyond that SNS puts the subscription
into PendingConfirmation (B.SNS.10, sns-email-notifications).
"""

from __future__ import annotations

from collections import deque
from typing import Any

from shnotify.sandbox.rows import now

MOST_A_SECOND = 10
_ahead = 0.0


def wait(seconds: float) -> None:
    """Lets a function wait between two mails, by the mailbox's clock only: nobody waits here."""
    global _ahead
    _ahead += seconds


def is_flooded(subscription: Any) -> bool:
    """Notes one more mail, and tells whether it is one too many in a second."""
    moment = now() + _ahead
    sent: deque[float] = subscription.__dict__.setdefault("mailed_at", deque())
    while sent and moment - sent[0] >= 1:
        sent.popleft()
    sent.append(moment)
    return len(sent) > MOST_A_SECOND
