"""A buffer queue, two functions that work it off, and SNS's limit: by a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from shnotify.formatter.alive import Counts
from shnotify.formatter.batch import Marks, work_off
from shnotify.formatter.finding import Finding
from shnotify.formatter.settings import Settings
from tests.support.samples import sample

SUSPENDS_AT = 11
"""Mails in a second at which SNS suspends an e-mail subscription (sns-email-notifications)."""
ANSWER = 0.02
"""Seconds that a call takes."""


class Killed(BaseException):
    """The function's process ends at once."""


class RefusedError(Exception):
    """AWS finds fault with a call."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


@dataclass
class Sns:
    """What was mailed, and when."""

    mails: list[tuple[float, str, str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def most_in_a_second(self) -> int:
        times = sorted(mail[0] for mail in self.mails)
        first, most = 0, 0
        for last, moment in enumerate(times):
            while moment - times[first] > 1:
                first += 1
            most = max(most, last - first + 1)
        return most

    @property
    def named(self) -> list[str]:
        return [one for mail in self.mails for one in mail[3]]


@dataclass
class Means:
    """What one invocation works with. `marked`: the findings that were marked, in order."""

    sns: Sns
    now: float
    fault: Callable[[str, Sequence[str]], None] = lambda _what, _ids: None
    lasts: float = 120.0
    refused: Mapping[str, str] = field(default_factory=dict)
    marked: list[str] = field(default_factory=list)
    order: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    logged: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = self.now + self.lasts

    def send(self, subject: str, body: str, findings: Sequence[Finding]) -> None:
        ids = tuple(one.id for one in findings)
        self.fault("send", ids)
        self.now += ANSWER
        self.sns.mails.append((self.now, subject, body, ids))
        self.order.append(("send", ids))
        self.fault("sent", ids)

    def count(self, since: datetime) -> Counts:
        return Counts(14, False, 0, 0, 2) if since else Counts()

    def mark(self, marks: Marks) -> Mapping[int, str]:
        ids = tuple(finding.id for finding, _ in marks)
        self.fault("mark", ids)
        self.now += ANSWER
        self.marked += [one for one in ids if one not in self.refused]
        self.order.append(("mark", ids))
        return {place: self.refused[one] for place, one in enumerate(ids) if one in self.refused}

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def time_left(self) -> float:
        return self.ends - self.now

    def log(self, entry: Mapping[str, Any]) -> None:
        self.logged.append(entry)


def finding_id(number: int) -> str:
    return f"arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/{number:08d}"


@cache
def _text() -> str:
    return json.dumps(sample("cspm-control-s3"))


def event(number: int, **changes: Any) -> dict[str, Any]:
    """An event with one finding of its own."""
    found = json.loads(_text())
    finding = found["detail"]["findings"][0]
    finding |= {"Id": finding_id(number), **changes}
    finding["Resources"][0]["Id"] = f"arn:aws:s3:::bucket-{number:08d}"
    return dict(found)


def record(number: int, body: str | None = None, **changes: Any) -> dict[str, Any]:
    text = json.dumps(event(number, **changes)) if body is None else body
    return {"messageId": f"m{number}", "body": text, "eventSource": "aws:sqs"}


def batch(records: Sequence[Mapping[str, Any]], settings: Settings, means: Means) -> set[str]:
    """Works a batch off; returns the messages that come again."""
    answer = work_off({"Records": list(records)}, settings, means)
    return {one["itemIdentifier"] for one in answer["batchItemFailures"]}


def replay(
    arrivals: Sequence[tuple[float, Mapping[str, Any]]],
    settings: Settings,
    *,
    size: int,
    window: float,
    hidden: float,
    fault: Callable[[str, Sequence[str]], None] = lambda _what, _ids: None,
) -> tuple[Sns, list[list[str]]]:
    """Works the queue off by two functions at once, as MaximumConcurrency 2 does.

    Returns what was mailed, and the messages of each batch that a crash cut off.
    """
    sns, slots, crashed = Sns(), [0.0, 0.0], []
    waiting = sorted(arrivals, key=lambda one: one[0])
    while waiting:
        slot = slots.index(min(slots))
        begins = max(slots[slot], waiting[0][0])
        full = waiting[size - 1][0] if len(waiting) >= size else float("inf")
        begins = max(begins, min(full, waiting[0][0] + window))
        taken = [one for one in waiting if one[0] <= begins][:size]
        waiting = waiting[len(taken) :] if taken == waiting[: len(taken)] else waiting
        means = Means(sns, begins, fault)
        records = [one for _, one in taken]
        try:
            again = batch(records, settings, means)
        except Killed:
            again = {one["messageId"] for one in records}
            crashed.append(sorted(again))
        slots[slot] = means.now
        back = [(begins + hidden, one) for one in records if one["messageId"] in again]
        waiting = sorted([*waiting, *back], key=lambda one: one[0])
    return sns, crashed
