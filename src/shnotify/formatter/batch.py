"""A batch of the buffer queue -> what became of each message (Lambda Developer Guide, services-sqs-errorhandling).

Pure but for what it is given: how to send, to mark, to wait and to ask for the time that is left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from .alive import Counts
from .finding import Finding
from .folding import Due, Parcel, alone, fold, parcels
from .mail import mails
from .settings import Settings

PACE = 0.55
"""Seconds before each mail. At most two batches run at once, which is the least that Lambda's
MaximumConcurrency takes: so no second has more than four mails, and SNS delivers ten.
"""
RESERVE = 15.0
"""Seconds that are left when a batch stops: what is not sent then comes again with the queue."""
_REFUSED = ("Invalid", "Validation", "ParamValidation")
_T = TypeVar("_T")

Marks = Sequence[tuple[Finding, str]]


class Means(Protocol):
    """What a batch is worked off with."""

    def send(self, subject: str, body: str, findings: Sequence[Finding]) -> None: ...

    def mark(self, marks: Marks) -> Mapping[int, str]:
        """Marks findings; returns the places of those that were refused, with the reason."""
        ...

    def wait(self, seconds: float) -> None: ...

    def time_left(self) -> float: ...

    def count(self, since: datetime) -> Counts:
        """Counts what a sign of life tells."""
        ...

    def log(self, entry: Mapping[str, Any]) -> None: ...


def is_batch(event: Any) -> bool:
    """Tells whether an event is a batch of a queue's messages."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return isinstance(records, list) and all(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records
    )


def work_off(event: Mapping[str, Any], settings: Settings, means: Means) -> dict[str, Any]:
    """Sends the batch's mails and names the messages that are to come again.

    A message that fails keeps no other back. Sends first, then marks: a crash repeats mails of
    this batch and loses none.
    """
    return _Batch(settings, means).work_off(event["Records"])


class _Batch:
    def __init__(self, settings: Settings, means: Means) -> None:
        self.settings, self.means = settings, means
        self.failed: dict[str, str] = {}

    def work_off(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        dues = [due for record in records for due in self._read(record)]
        for parcel in parcels(dues, self.settings):
            self._deliver(parcel)
        for message, why in self.failed.items():
            self.means.log({"failed": message, "why": why})
        return {"batchItemFailures": [{"itemIdentifier": message} for message in self.failed]}

    def _read(self, record: Mapping[str, Any]) -> list[Due]:
        message = str(record["messageId"])
        try:
            event = json.loads(record["body"])
        except (ValueError, RecursionError) as error:
            self._fail(message, error)
            return []
        around = event if isinstance(event, Mapping) else {}
        return [
            Due(message, mail, around) for mail in mails(event, self.settings, self.means.count)
        ]

    def _deliver(self, parcel: Parcel) -> None:
        if self.means.time_left() < RESERVE:
            self._fail_all(parcel.dues, TimeoutError("no time was left for it"))
            return
        self.means.wait(PACE)
        findings = [due.mail.finding for due in parcel.dues if due.mail.finding]
        try:
            self.means.send(parcel.subject, parcel.body, findings)
        except Exception as error:  # one mail's failure must not keep the others back
            if len(parcel.dues) > 1 and is_refusal(error):
                for half in halves(parcel.dues):
                    for smaller in self._smaller(half):
                        self._deliver(smaller)
            else:
                self._fail_all(parcel.dues, error)
            return
        self._mark([due for due in parcel.dues if due.mail.finding and due.mail.mark])

    def _smaller(self, dues: Sequence[Due]) -> list[Parcel]:
        return [alone(dues[0])] if len(dues) == 1 else fold(dues, self.settings)

    def _mark(self, dues: Sequence[Due]) -> None:
        if not dues:
            return
        marks = [(due.mail.finding, due.mail.mark) for due in dues]
        try:
            refused = self.means.mark([(one, mark) for one, mark in marks if one and mark])
        except Exception as error:
            if len(dues) > 1 and is_refusal(error):
                for half in halves(dues):
                    self._mark(half)
            else:
                self._fail_all(dues, error)
            return
        for place, why in refused.items():
            self._fail(dues[place].message, RuntimeError(f"sent, but not marked: {why}"))

    def _fail_all(self, dues: Sequence[Due], error: Exception) -> None:
        for due in dues:
            self._fail(due.message, error)

    def _fail(self, message: str, error: Exception) -> None:
        self.failed.setdefault(message, f"{type(error).__name__}: {error}"[:500])


def is_refusal(error: Exception) -> bool:
    """Tells whether AWS, or the SDK, found fault with what was asked, so that a part may pass."""
    response = getattr(error, "response", None)
    code = (response or {}).get("Error", {}).get("Code", "")
    return str(code or type(error).__name__).startswith(_REFUSED)


def halves(some: Sequence[_T]) -> tuple[Sequence[_T], Sequence[_T]]:
    """Divides a sequence in the middle."""
    return some[: len(some) // 2], some[len(some) // 2 :]
