"""What is said about delivery: one judgement for each link of the chain. Pure.

A link that was not looked at, or about which nothing is known, is `unknown`; nothing becomes `ok`
by silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from shnotify.frozen import frozen

Verdict = Literal["ok", "broken", "unknown", "warning"]

LINKS = (
    "credentials",
    "hub",
    "home-region",
    "aggregation",
    "duplicates",
    "rule",
    "pattern",
    "target",
    "transformer",
    "formatter",
    "topic-policy",
    "topic-key",
    "queue",
    "queue-policy",
    "queue-key",
    "subscribers",
    "filter-policy",
    "unsubscribe",
    "undelivered-mail",
    "invocations",
    "mail-failures",
    "queue-depth",
    "watchdog",
)
"""The ids of all links, in the order of the chain."""


@frozen
class Link:
    """A judgement on one link of the chain from Security Hub to an inbox.

    id        the link's name, such as `topic-key`
    verdict   ok: mail passes; broken: no mail passes; unknown: nobody can tell; warning: mail
              passes, for now
    why       one sentence for a person; "" when all is well
    mend      the command that mends it, or None
    evidence  what the judgement rests on, as plain data
    needs     the permissions that were missing to look, as IAM names them
    resource  the id of the resource that was judged, or None
    """

    id: str
    verdict: Verdict
    why: str = ""
    mend: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    resource: str | None = None

    @property
    def place(self) -> int:
        """The link's place in the chain."""
        return LINKS.index(self.id)

    @property
    def stops(self) -> bool:
        """Tells whether the link keeps anybody from saying that mail passes."""
        return self.verdict in ("broken", "unknown")
