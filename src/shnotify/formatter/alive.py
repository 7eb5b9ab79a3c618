"""The notifier's own sign of life: since when a heartbeat counts, and the mail that it becomes.

Pure: the same code in the function and in `render`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from . import HEARTBEAT_HOUR, text, times
from .settings import Settings
from .words import WORDS, Words

DAYS = {"daily": range(7), "weekly": (0, 3)}
"""Its days, Monday is 0. An alarm looks back over 7 days at most (API_PutMetricAlarm), so `weekly`
is twice a week: one a week could not be told from none.
"""
_LATE = timedelta(hours=1)
"""How late a heartbeat comes at most: so long Scheduler tries to send it."""


@dataclass(frozen=True)
class Counts:
    """What happened since the last heartbeat. None is what nobody can tell; `unknown` says why.

    findings     findings that were mailed, each once; with `many` there are more of them
    lost         alerts that EventBridge, Lambda or SNS gave up and could not keep
    waiting      messages in the dead-letter queue
    subscribers  confirmed subscriptions of the topic
    """

    findings: int | None = None
    many: bool = False
    lost: int | None = None
    waiting: int | None = None
    subscribers: int | None = None
    unknown: tuple[str, ...] = field(default=())


Count = Callable[[datetime], Counts]
"""Counts what happened since a moment."""


def last_beat(moment: datetime, every: str) -> datetime:
    """Returns when the heartbeat before the one of this moment was due."""
    day = moment.replace(hour=HEARTBEAT_HOUR, minute=0, second=0, microsecond=0)
    while day.weekday() not in DAYS[every] or moment - day <= _LATE:
        day -= timedelta(days=1)
    return day


def sign_of_life(
    name: str, moment: datetime, settings: Settings, count: Count | None
) -> tuple[str, str]:
    """Writes subject and body; without counts where nothing is counted or can be told."""
    words = WORDS[settings.language]
    plain = words.alive.format(name=name)
    if not (count and settings.heartbeat):
        return text.subject(plain), text.body(words.alive_body, words.cut)
    since = last_beat(moment, settings.heartbeat)
    counts = count(since)
    day = words.days.split()[times.local(since, settings.time_zone).weekday()]
    told = ", ".join(_told(counts, day, words))
    subject = words.alive_counted.format(told=told, name=name) if told else plain
    shown = times.shown(since.isoformat(), settings.time_zone)
    parts = [
        plain,
        _verdict(counts, words),
        "\n".join(_rows(counts, shown, words)),
    ]
    return text.subject(subject), text.body("\n\n".join(filter(None, parts)) + "\n", words.cut)


def _verdict(counts: Counts, words: Words) -> str:
    if counts.lost or counts.waiting:
        return words.alive_but
    return words.alive_body if _nothing_lost(counts) else words.alive_blind


def _nothing_lost(counts: Counts) -> bool:
    """Tells whether nothing is lost: only where all that can be looked at says so."""
    return counts.lost == 0 and counts.waiting == 0


def _told(counts: Counts, day: str, words: Words) -> list[str]:
    """Lists the subject's parts."""
    found = []
    if counts.findings is not None:
        found.append(words.alive_findings.format(count=_findings(counts), s=_s(counts), day=day))
    if counts.lost:
        found.append(words.alive_lost.format(count=counts.lost))
    if counts.waiting:
        found.append(words.alive_waiting.format(count=counts.waiting))
    if _nothing_lost(counts):
        found.append(words.alive_none_lost)
    if counts.subscribers is not None:
        s = "" if counts.subscribers == 1 else "s"
        found.append(words.alive_subscribers.format(count=counts.subscribers, s=s))
    return found


def _rows(counts: Counts, since: str, words: Words) -> list[str]:
    rows = {
        words.row_findings.format(since=since): _findings(counts),
        words.row_lost: counts.lost,
        words.row_waiting: counts.waiting,
        words.row_subscribers: counts.subscribers,
    }
    known = [f"{label}: {value}" for label, value in rows.items() if value is not None]
    return [*known, *(f"{words.row_unknown}: {text.one_line(why)}" for why in counts.unknown)]


def _findings(counts: Counts) -> str | None:
    if counts.findings is None:
        return None
    return f"{counts.findings}{'+' if counts.many else ''}"


def _s(counts: Counts) -> str:
    return "" if counts.findings == 1 and not counts.many else "s"
