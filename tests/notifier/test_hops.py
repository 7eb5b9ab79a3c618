"""What a test says of each hop: no data is never ok, and what came later proves what came before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.engine.health import Link
from shnotify.notifier.hops import HOPS, STOPPING, Hop, Watched, delivered_of, hops_of
from shnotify.notifier.tracing import Stuck

DONE = Hop("resolved", "ok", 1.0)
STARTED = Watched(imported=0.5, queue=None)
STUCK = Stuck("m", "event", "urgent", "NO_PERMISSIONS", "may not", "mend it", None, frozenset({"f"}))


def verdicts(seen: Watched, *links: Link) -> dict[str, str]:
    return {hop.id: hop.verdict for hop in hops_of(seen, links, DONE)}


def seen(*, counts: dict[str, float] | None = None, **more: Any) -> Watched:
    counts = counts or {}
    return replace(STARTED, counts=counts, first=dict.fromkeys(counts, 60.0), **more)


ALL = {"matched": 1.0, "invoked": 1.0, "published": 1.0, "delivered": 1.0}


@pytest.mark.parametrize(
    ("watched", "expected"),
    [
        (STARTED, "ok unknown unknown unknown ok ok"),
        (seen(counts=ALL), "ok ok ok ok ok ok"),
        (seen(sent=2.0), "ok ok ok ok ok ok"),
        (seen(counts={"matched": 1, "invoked": 1, "failed": 1}), "ok ok failed unknown ok ok"),
        (seen(stuck=STUCK, stuck_at=3.0), "ok ok failed failed failed ok"),
        (seen(stuck=replace(STUCK, kind="formatter"), stuck_at=3.0), "ok ok ok failed failed ok"),
        (seen(stuck=replace(STUCK, kind="mail"), stuck_at=3.0), "ok ok ok ok failed ok"),
        (seen(failure="[ERROR] DeliveryError", failed_at=2.0), "ok ok ok failed ok ok"),
        (seen(counts={"lost": 1}), "ok unknown unknown unknown failed ok"),
        (replace(STARTED, queue="denied"), "ok unknown unknown unknown unknown ok"),
        (replace(STARTED, queue=""), "ok unknown unknown unknown unknown ok"),
        (replace(seen(counts={"kept": 1}), queue="denied"), "ok unknown unknown unknown failed ok"),
        (Watched(refused="InvalidAccess"), "failed unknown unknown unknown unknown ok"),
    ],
)
def test_the_hops(watched: Watched, expected: str) -> None:
    assert verdicts(watched) == dict(zip(HOPS, expected.split(), strict=True))


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("rule", "failed failed failed"),
        ("pattern", "failed failed failed"),
        ("target", "unknown failed failed"),
        ("formatter", "unknown failed failed"),
        ("topic-key", "unknown unknown failed"),
        ("subscribers", "unknown unknown unknown"),
        ("queue-depth", "unknown unknown unknown"),
    ],
)
def test_a_broken_link_explains_what_did_not_come(link: str, expected: str) -> None:
    found = verdicts(STARTED, Link(link, "broken", "why"))
    assert [found[name] for name in HOPS[1:4]] == expected.split()
    assert verdicts(seen(counts=ALL), Link(link, "broken", "why"))["published"] == "ok"
    assert (link in STOPPING) is ("failed" in expected)


def test_when_a_hop_was_seen() -> None:
    found = {hop.id: hop.seconds for hop in hops_of(seen(counts=ALL, sent=2.0), (), DONE)}
    assert found == {
        "imported": 0.5,
        "matched": 2.0,
        "invoked": 2.0,
        "published": 2.0,
        "dead_lettered": None,
        "resolved": 1.0,
    }


def awaiting(mails: int | None, **counts: float) -> Watched:
    return replace(seen(counts={**ALL, "delivered": 0, **counts}), awaited=mails)


@pytest.mark.parametrize(
    ("watched", "delivered", "why"),
    [
        (awaiting(1, delivered=1), "yes", "handed over 1 mail,"),
        (awaiting(1, delivered=2), "yes", "handed over 2 mails,"),  # another finding's mail, or one more subscriber
        (awaiting(None, delivered=1), "yes", "handed over 1 mail,"),
        (awaiting(0, delivered=1), "no", "nobody is subscribed"),
        (awaiting(3, delivered=2), "unknown", "counted 2 mails handed over, of 3"),
        (awaiting(3, delivered=2, bounced=1), "no", "could not deliver 1 mail, and handed over 2 mails"),
        (awaiting(1), "unknown", "counted no delivery yet"),
        (replace(seen(sent=1.0), awaited=1), "unknown", "counted no delivery yet"),
        (awaiting(1, bounced=1), "no", "could not deliver 1 mail,"),
        (replace(seen(stuck=STUCK), awaited=1), "no", "it was stopped: invoked"),
        (STARTED, "unknown", "counted no delivery yet"),
    ],
)
def test_whether_it_was_delivered(watched: Watched, delivered: str, why: str) -> None:
    said = delivered_of(watched, hops_of(watched, (), DONE))
    assert said[0] == delivered
    assert why in said[1]


def test_a_finding_that_was_not_put_away_says_nothing_of_the_mail() -> None:
    hops = hops_of(seen(counts=ALL), (), Hop("resolved", "failed", None, "denied"))
    assert delivered_of(seen(counts=ALL), hops)[0] == "yes"


@pytest.mark.parametrize(
    ("watched", "settled"),
    [
        (STARTED, False),
        (seen(sent=1.0), False),
        (seen(sent=1.0, counts={"delivered": 1}), True),
        (seen(counts={"delivered": 1}), False),  # it may be another one's mail
        (seen(counts=ALL), True),
        (awaiting(3, delivered=2), False),
        (awaiting(3, delivered=2, bounced=1), True),
        (awaiting(0), True),  # SNS has nobody to hand it to, and counts none
        (awaiting(None), False),
        (replace(STARTED, awaited=0), False),
        (replace(seen(sent=1.0), awaited=0), True),
        (seen(stuck=STUCK), True),
        (seen(failure="x"), True),
        (Watched(refused="x"), True),
    ],
)
def test_when_nothing_more_is_to_be_seen(watched: Watched, settled: bool) -> None:
    assert watched.settled is settled
