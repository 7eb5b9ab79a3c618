"""What is known of single findings, and what was concluded: why each was mailed, or was not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any, Literal

from shnotify.aws.failures import AwsError
from shnotify.engine.health import Link
from shnotify.formatter.finding import read
from shnotify.frozen import frozen
from shnotify.notifier.metrics import Counted
from shnotify.notifier.words import link_json

Mailed = Literal["yes", "no", "unknown"]


@frozen
class Stuck:
    """A message in the dead-letter queue that holds findings.

    message  its id
    kind     who gave up: `event`, `formatter` or `mail`
    route    the route it belongs to, or None
    sent     when it came into the queue, ISO 8601
    """

    message: str
    kind: str
    route: str | None
    code: str
    cause: str
    cure: str
    sent: str | None
    findings: frozenset[str]


@frozen
class Evidence:
    """What was seen beside the chain itself. An `AwsError` stands for what could not be read.

    sent     route -> (finding id -> when its formatter sent the mail), of routes with a formatter
    stuck    what lies in the dead-letter queue; None when the file has none
    counted  CloudWatch's counts around the events
    step     seconds that each count stands for
    born     when the topics' key was made: the notifier is hardly older; None when that is not known
    """

    sent: Mapping[str, Mapping[str, datetime] | AwsError] = field(default_factory=dict)
    stuck: tuple[Stuck, ...] | AwsError | None = None
    counted: Counted = field(default_factory=Counted)
    step: int = 60
    born: datetime | None = None


@frozen
class Way:
    """What became of one finding on one route.

    links    up to the first that is broken
    since    when that happened, ISO 8601, or None
    message  the message of the dead-letter queue in which the finding lies, or None
    """

    route: str
    links: tuple[Link, ...]
    mailed: Mailed
    since: str | None
    words: str
    message: str | None = None

    @property
    def stopped_by(self) -> Link | None:
        return next((link for link in self.links if link.verdict == "broken"), None)


@frozen
class Trace:
    """What became of one finding.

    finding  the id that was asked about
    raw      the finding; None when Security Hub has none of this id
    """

    finding: str
    raw: Mapping[str, Any] | None
    ways: tuple[Way, ...]
    lost: tuple[Link, ...] = ()

    @property
    def mailed(self) -> Mailed:
        found = {way.mailed for way in self.ways} or {"unknown"}
        return next(word for word in MAILED if word in found)

    @property
    def since(self) -> str | None:
        """When it was mailed first, or else when it was stopped last."""
        times = [way.since for way in self.ways if way.mailed == self.mailed and way.since]
        return (min(times) if self.mailed == "yes" else max(times)) if times else None

    @property
    def stopped(self) -> bool:
        """Whether it was mailed by no route, and each has a link that stopped it."""
        if self.lost:
            return True
        return self.mailed != "yes" and all(way.stopped_by for way in self.ways)

    def to_json(self) -> dict[str, Any]:
        links = [link_json(link, None) for link in self.lost]
        links += [link_json(link, way.route) for way in self.ways for link in way.links]
        routes = [
            {
                "route": way.route,
                "mailed": way.mailed,
                "since": way.since,
                "why": way.words,
                "message": way.message,
            }
            for way in self.ways
        ]
        seen = read(self.raw, {}) if self.raw else None
        return {
            "finding": self.finding,
            "title": seen.title if seen else None,
            "severity": seen.severity if seen else None,
            "updated": seen.updated if seen else None,
            "mailed": self.mailed,
            "since": self.since,
            "links": links,
            "routes": routes,
        }


MAILED: tuple[Mailed, ...] = ("yes", "unknown", "no")


def not_found(finding: str, hub: Link) -> Trace:
    """Makes the trace of an id that Security Hub does not have."""
    if hub.verdict == "broken":
        return Trace(finding, None, (), (hub,))
    why = (
        "Security Hub has no finding with this id here: it is in another Region or account that is not aggregated "
        "here, it was removed (90 days after its last change), or the id is not the whole one"
    )
    return Trace(finding, None, (), (replace(hub, verdict="broken", why=why, mend=None),))
