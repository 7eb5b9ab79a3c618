"""What a file would have sent: counted finding by finding, in memory that does not grow with them.

Of a finding one event is known: its last update, with the finding as it is now. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shnotify.formatter.times import parse
from shnotify.notifier.backlog import Seen

MAX_LISTED = 1000
"""How many findings that two files treat differently are named; the others are counted."""


@dataclass
class RouteTally:
    """Counts one route's mails.

    now              findings that match and are active, whatever their age
    days             day -> mails; likewise minutes, and products, controls and accounts of those
                     mails
    peak_per_second  the most in one second, of findings that come in the order of their updates
    """

    route: str
    now: int = 0
    days: Counter[dt.date] = field(default_factory=Counter)
    minutes: Counter[dt.datetime] = field(default_factory=Counter)
    by_product: Counter[str] = field(default_factory=Counter)
    by_control: Counter[str] = field(default_factory=Counter)
    by_account: Counter[str] = field(default_factory=Counter)
    peak_per_second: int = 0
    _second: tuple[dt.datetime, int] | None = None

    @property
    def peak_per_minute(self) -> int:
        return max(self.minutes.values(), default=0)

    def add(self, seen: Seen, moment: dt.datetime | None) -> None:
        """Counts a finding that matches; a moment of None lies outside of the time asked for."""
        self.now += seen.active
        if moment is None:
            return
        self.days[moment.date()] += 1
        self.minutes[moment.replace(second=0, microsecond=0)] += 1
        self._count_second(moment.replace(microsecond=0))
        self.by_product[seen.finding.product or "(none)"] += 1
        if seen.finding.control:
            self.by_control[seen.finding.control] += 1
        self.by_account[seen.finding.account or "(none)"] += 1

    def _count_second(self, second: dt.datetime) -> None:
        """Counts the seconds one after another: all of them would not fit into the memory."""
        before = self._second[1] if self._second and self._second[0] == second else 0
        self._second = (second, before + 1)
        self.peak_per_second = max(self.peak_per_second, before + 1)


@dataclass
class Tally:
    """Counts for all routes of a file, from `since` to `until`, both in UTC."""

    since: dt.datetime
    until: dt.datetime
    routes: dict[str, RouteTally]

    @classmethod
    def of(cls, names: Iterable[str], since: dt.datetime, until: dt.datetime) -> Tally:
        return cls(since, until, {name: RouteTally(name) for name in names})

    def add(self, seen: Seen, routes: Iterable[str]) -> None:
        moment = last_event(seen)
        within = moment if moment and self.since <= moment <= self.until else None
        for name in routes:
            self.routes[name].add(seen, within)

    def days(self) -> list[dt.date]:
        """Lists every day of the time asked for, with or without mails."""
        first = self.since.date()
        count = (self.until.date() - first).days + 1
        return [first + dt.timedelta(days=number) for number in range(count)]

    def to_json(self) -> list[dict[str, Any]]:
        """The contract's `routes`."""
        return [
            {
                "route": one.route,
                "now": one.now,
                "per_day": [
                    {"day": day.isoformat(), "count": one.days[day]} for day in self.days()
                ],
                "by_product": ranked(one.by_product),
                "by_control": ranked(one.by_control),
                "by_account": ranked(one.by_account),
                "peak_per_minute": one.peak_per_minute,
                "peak_per_second": one.peak_per_second,
            }
            for one in self.routes.values()
        ]


def last_event(seen: Seen) -> dt.datetime | None:
    """Returns when Security Hub last sent the finding, in UTC; None when the finding does not say."""
    moment = parse(seen.finding.updated) or parse(seen.finding.created)
    try:
        return moment.astimezone(dt.UTC) if moment else None
    except (ValueError, OverflowError):
        return None


def covered(newest_first: Sequence[Seen], since: dt.datetime) -> float | None:
    """Returns which part of the time from now back to `since` lies behind, by the last finding."""
    moment = last_event(newest_first[-1]) if newest_first else None
    if moment is None:
        return None
    now = dt.datetime.now(dt.UTC)
    return (now - moment) / (now - since)


def ranked(counts: Mapping[str, int]) -> dict[str, int]:
    """Sorts counts, the largest first, and alike ones by name."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


@dataclass
class Differences:
    """Collects the findings that two files treat differently."""

    count: int = 0
    listed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, seen: Seen, here: tuple[str, ...], there: tuple[str, ...]) -> None:
        if set(here) == set(there):
            return
        self.count += 1
        if len(self.listed) < MAX_LISTED:
            finding = seen.finding
            self.listed.append(
                {
                    "id": finding.id or finding.uid,
                    "title": finding.title,
                    "severity": finding.severity,
                    "here": list(here),
                    "there": list(there),
                }
            )

    def to_json(self, file: str) -> dict[str, Any]:
        return {
            "file": file,
            "differ": self.count,
            "findings": self.listed,
            "left_out": self.count - len(self.listed),
        }
