"""What a test has shown of each hop, from what was seen of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Literal

from shnotify.engine.health import Link
from shnotify.frozen import frozen
from shnotify.notifier.tracing import Stuck

HopVerdict = Literal["ok", "failed", "unknown"]
HOPS = ("imported", "matched", "invoked", "published", "dead_lettered", "resolved")
"""The ids of the hops, in their order."""

_STOPS = {
    "matched": ("rule", "pattern"),
    "invoked": ("target", "transformer", "formatter"),
    "published": ("topic-policy", "topic-key"),
}
"""Hop -> the links whose break keeps a finding from it."""
STOPPING = frozenset(name for names in _STOPS.values() for name in names)
"""The links whose break keeps a finding from becoming a mail."""
_LATE = "CloudWatch shows nothing of it yet; its numbers come minutes late, or not at all"


@frozen
class Hop:
    """One hop.

    seconds  after the test finding was imported; None when that is not known
    why      None when all is well
    """

    id: str
    verdict: HopVerdict
    seconds: float | None = None
    why: str | None = None

    def to_json(self) -> dict[str, Any]:
        seconds = None if self.seconds is None else round(self.seconds, 1)
        return {"id": self.id, "verdict": self.verdict, "seconds": seconds, "why": self.why}


@frozen
class Watched:
    """What was seen so far. Times are seconds after the import.

    imported  when Security Hub took it; None: it did not
    refused   why it did not
    first     count -> when it was first more than before, of the counts below
    counts    how much each count rose: matched, invoked, failed, kept, published, delivered, bounced
    sent      when the formatter sent the mail, by its log
    failure   the formatter's own words for why it could not, and when
    stuck     the message in the dead-letter queue that holds the test finding
    queue     why the queue could not be looked at; None: it was, and "" when there is none
    counting  why CloudWatch could not be read, or None
    awaited   how many mails SNS surely has to hand over, one a subscriber; None when nobody can
              tell whether any
    """

    imported: float | None = None
    refused: str | None = None
    first: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)
    sent: float | None = None
    failure: str | None = None
    failed_at: float | None = None
    stuck: Stuck | None = None
    stuck_at: float | None = None
    queue: str | None = "it was not looked at"
    counting: str | None = None
    awaited: int | None = None

    def count(self, name: str) -> float:
        return self.counts.get(name, 0)

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be seen: where SNS has nobody to hand a mail to, it counts none."""
        if self.imported is None or self.stuck or self.failure:
            return True
        published = self.sent is not None or self.count("published") > 0
        handed = self.count("delivered") + self.count("bounced")
        return published and handed >= (1 if self.awaited is None else self.awaited)


def hops_of(seen: Watched, chain: Iterable[Link], resolved: Hop) -> tuple[Hop, ...]:
    """Judges every hop.

    chain     the links of the route as they stood before
    resolved  what became of putting the finding away
    """
    links = tuple(chain)
    if seen.imported is None:
        why = "nothing was imported"
        rest = (Hop(name, "unknown", None, why) for name in HOPS[1:-1])
        return Hop("imported", "failed", None, seen.refused), *rest, resolved
    return (
        Hop("imported", "ok", seen.imported),
        _matched(seen, links),
        _invoked(seen, links),
        _published(seen, links),
        _dead_lettered(seen),
        resolved,
    )


def _matched(seen: Watched, links: tuple[Link, ...]) -> Hop:
    if seen.count("matched"):
        return Hop("matched", "ok", _earliest(seen.first.get("matched"), seen.sent))
    return _by_what_follows("matched", seen, links, seen.sent, seen.failed_at, seen.stuck_at)


def _invoked(seen: Watched, links: tuple[Link, ...]) -> Hop:
    stuck = seen.stuck
    if stuck and stuck.kind == "event":
        return Hop("invoked", "failed", seen.stuck_at, f"{stuck.code}: {stuck.cause}")
    if seen.count("invoked") > seen.count("failed"):
        return Hop("invoked", "ok", _earliest(seen.first.get("invoked"), seen.sent))
    if seen.count("failed"):
        why = "EventBridge could not hand it to its target"
        return Hop("invoked", "failed", seen.first.get("failed"), why)
    return _by_what_follows("invoked", seen, links, seen.sent, seen.failed_at, seen.stuck_at)


def _published(seen: Watched, links: tuple[Link, ...]) -> Hop:
    if seen.sent is not None:
        return Hop("published", "ok", seen.sent)
    if seen.failure:
        return Hop("published", "failed", seen.failed_at, seen.failure)
    if seen.stuck and seen.stuck.kind in ("event", "formatter"):
        why = f"{seen.stuck.code}: {seen.stuck.cause}"
        return Hop("published", "failed", seen.stuck_at, why)
    if seen.count("published"):
        return Hop("published", "ok", seen.first.get("published"))
    if seen.stuck:  # SNS gave the mail up, so that it was published before
        return Hop("published", "ok", seen.stuck_at)
    return _by_what_follows("published", seen, links)


def _by_what_follows(
    name: str, seen: Watched, links: tuple[Link, ...], *later: float | None
) -> Hop:
    """Judges a hop of which nothing was counted: by later hops, or by the chain as it stands."""
    times = [time for time in later if time is not None]
    if times:
        return Hop(name, "ok", min(times))
    earlier = [link for hop in _STOPS for link in _STOPS[hop]]
    here = earlier[: earlier.index(_STOPS[name][-1]) + 1]
    broken = next((link for link in links if link.id in here and link.verdict == "broken"), None)
    if broken:
        return Hop(name, "failed", None, broken.why)
    why = f"CloudWatch could not be read: {seen.counting}" if seen.counting else _LATE
    return Hop(name, "unknown", None, why)


def _dead_lettered(seen: Watched) -> Hop:
    """Judges whether it lies in the dead-letter queue; `ok` is that it does not."""
    if seen.stuck:
        why = f"it lies in the dead-letter queue: {seen.stuck.code}: {seen.stuck.cause}"
        return Hop("dead_lettered", "failed", seen.stuck_at, why)
    if seen.count("lost"):
        why = "EventBridge could not even put it into the dead-letter queue"
        return Hop("dead_lettered", "failed", seen.first.get("lost"), why)
    if seen.queue is None:
        return Hop("dead_lettered", "ok")
    if seen.count("kept"):
        why = f"EventBridge put an event into the dead-letter queue meanwhile, and {seen.queue or 'the file has none'}"
        return Hop("dead_lettered", "failed", seen.first.get("kept"), why)
    why = seen.queue or "the file has no dead-letter queue: what fails is lost"
    return Hop("dead_lettered", "unknown", None, why)


def _earliest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)


def delivered_of(seen: Watched, hops: Iterable[Hop]) -> tuple[str, str]:
    """Says whether it was delivered, and why that is said.

    More than that SNS handed the mail over, nobody can know: it logs no delivery of e-mail
    (sns-topic-attributes).
    """
    failed = next((hop for hop in hops if hop.verdict == "failed" and hop.id != "resolved"), None)
    if failed:
        return "no", f"it was stopped: {failed.id}: {failed.why}"
    if seen.awaited == 0:
        return "no", "nobody is subscribed whom the mail reaches: `shnotify subscriptions list`"
    delivered, bounced = seen.count("delivered"), seen.count("bounced")
    if bounced:
        others = f", and handed over {_mails(delivered)}" if delivered else ""
        return "no", f"SNS could not deliver {_mails(bounced)}{others}, by its own count"
    if delivered and delivered < (seen.awaited or 1):
        why = f"SNS has counted {_mails(delivered)} handed over, of {seen.awaited}"
        return "unknown", f"{why}; its numbers come minutes late"
    if delivered:
        return "yes", f"SNS handed over {_mails(delivered)}, by its own count"
    return "unknown", "SNS has counted no delivery yet; its numbers come minutes late"


def _mails(count: float) -> str:
    return f"{count:g} mail{'' if count == 1 else 's'}"
