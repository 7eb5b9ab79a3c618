"""Reads every message of a queue, and gives each back that was not taken out.

SQS has no way to look without receiving. A received message is hidden for a while; here for as long
as the reading is expected to take, and no longer than that if this process dies.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from shnotify.arns import name_in
from shnotify.aws.failures import NOT_FOUND, AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.aws.progress import Noted
from shnotify.errors import ShnotifyError
from shnotify.frozen import frozen
from shnotify.resources.lookup import queue_url

BATCH = 10
"""Messages a call takes (API_ReceiveMessage, API_ChangeMessageVisibilityBatch)."""
POLL_SECONDS = 1
"""Long polling asks all of SQS's servers, short polling only some (SQS, short and long polling)."""
LEASE_SECONDS = 60
"""How long a message is hidden at least while it is looked at."""
_LONGEST_LEASE = 12 * 3600
_AT_ONCE = 4
_MANY = 50
"""Messages from which several calls are made at once."""
_FAREWELL = 2.0
"""Seconds that are kept for giving back, besides what a call takes."""
_GONE_HANDLE = frozenset(
    {
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
        "MessageNotInflight",
        "InvalidIdFormat",
    }
)
"""What SQS says of a receipt whose time is over (API_ChangeMessageVisibility, Errors)."""


@frozen
class Depth:
    """How many messages SQS counts, about a minute late (API_GetQueueAttributes)."""

    waiting: int
    hidden: int

    @property
    def all(self) -> int:
        return self.waiting + self.hidden


def depth_of(aws: Aws, queue_arn: str) -> Depth:
    """Asks how many messages there are. Raises ShnotifyError when reading would do harm."""
    url = queue_url(aws, queue_arn)
    try:
        reply = aws(aws.sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
    except AwsError as error:
        if error.code in NOT_FOUND:
            raise ShnotifyError(
                f"there is no queue {name_in(queue_arn)} here", hint="shnotify apply makes it"
            ) from error
        raise
    have = {str(name): value for name, value in reply["Attributes"].items()}
    if have.get("RedrivePolicy"):
        raise ShnotifyError(
            f"{name_in(queue_arn)} has a RedrivePolicy of its own: what is read there several times, SQS moves away",
            hint="shnotify apply takes the policy off; then run this again",
            code="RedrivePolicy",
        )
    waiting, hidden, delayed = (
        int(have.get(f"ApproximateNumberOfMessages{kind}", "0"))
        for kind in ("", "NotVisible", "Delayed")
    )
    return Depth(waiting, hidden + delayed)


class Reading:
    """Receives each message of a queue once, and gives all back at the end that were not deleted.

    expected  how many there are, as far as is known
    at_once   calls that are made beside each other
    lease     seconds for which a message is hidden; by default what reading all of them may take

        with Reading(aws, arn, expected=12) as reading:
            for message in reading: ...
    """

    def __init__(
        self,
        aws: Aws,
        queue_arn: str,
        *,
        expected: int,
        at_once: int | None = None,
        lease: int | None = None,
    ) -> None:
        self._aws = aws
        self._url = queue_url(aws, queue_arn)
        self._expected = expected
        self._at_once = at_once or (_AT_ONCE if expected > _MANY else 1)
        self.lease = lease or min(_LONGEST_LEASE, LEASE_SECONDS + expected // 10)
        self._asked: deque[Future[list[dict[str, Any]]]] = deque()
        self._receipts: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._slowest = 0.0
        self.seen: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._collect()
        self._give_back()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yields each message once, until SQS has no other for us."""
        empty = again = 0
        while empty < (1 if len(self.seen) >= self._expected else 3) and again < self._patience:
            found = self._receive()
            fresh = [message for message in found if self._note(message)]
            empty = 0 if found else empty + 1
            again = 0 if fresh or not found else again + 1
            yield from fresh

    @property
    def _patience(self) -> int:
        """How many batches in a row may hold only known messages: their time was over too early."""
        return 3 + self._expected // 5

    # -- one message ---------------------------------------------------------------------------------------------------

    def holds(self, message_id: str, seconds: float) -> bool:
        """Makes sure that a message stays hidden for so long; False when it is not ours any more."""
        left = self.lease - (self._aws.clock.now() - self._since[message_id])
        if left > seconds:
            return True
        try:
            self._aws(
                self._aws.sqs.change_message_visibility,
                QueueUrl=self._url,
                ReceiptHandle=self._receipts[message_id],
                VisibilityTimeout=self.lease,
            )
        except AwsError as error:
            if error.code in _GONE_HANDLE:
                self._receipts.pop(message_id, None)
                return False
            raise
        self._since[message_id] = self._aws.clock.now()
        return True

    def delete(self, message_id: str) -> None:
        """Takes a message out of the queue for good."""
        receipt = self._receipts[message_id]
        self._aws(self._aws.sqs.delete_message, QueueUrl=self._url, ReceiptHandle=receipt)
        self._receipts.pop(message_id, None)

    def delete_all(self, message_ids: list[str]) -> dict[str, str]:
        """Takes up to ten messages out for good; returns id -> why for those that SQS kept."""
        entries = [
            {"Id": str(number), "ReceiptHandle": self._receipts[one]}
            for number, one in enumerate(message_ids)
        ]
        reply = self._aws(
            self._aws.sqs.delete_message_batch,
            QueueUrl=self._url,
            Entries=entries,  # type: ignore[arg-type]
        )
        failed = {
            message_ids[int(one["Id"])]: f"SQS kept it: {one.get('Code')} {one.get('Message', '')}"
            for one in reply.get("Failed") or []
        }
        for one in message_ids:
            if one not in failed:
                self._receipts.pop(one, None)
        return failed

    # -- receiving -----------------------------------------------------------------------------------------------------

    def _receive(self) -> list[dict[str, Any]]:
        farewell = _FAREWELL + 2 * self._slowest + len(self._receipts) / 100
        if self._aws.remaining() < farewell:
            raise self._aws.out_of_time()
        while len(self._asked) < self._at_once:
            self._asked.append(self._aws.start(self._ask))
        found = self._aws.in_time(self._asked[0])
        self._asked.popleft()
        return found

    def _ask(self) -> list[dict[str, Any]]:
        began = self._aws.clock.now()
        reply = self._aws(
            self._aws.sqs.receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=self.lease,
            WaitTimeSeconds=POLL_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        self._slowest = max(self._slowest, self._aws.clock.now() - began)
        return list(reply.get("Messages") or [])  # type: ignore[arg-type]

    def _note(self, message: Mapping[str, Any]) -> bool:
        """Remembers the newest receipt of a message, which alone counts; True for a new message."""
        name = str(message["MessageId"])
        known = name in self.seen
        self.seen.add(name)
        self._receipts[name] = str(message["ReceiptHandle"])
        self._since[name] = self._aws.clock.now()
        return not known

    # -- giving back ---------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        """Waits for calls under way: what they receive would be hidden without a receipt."""
        for future in self._asked:
            try:
                for message in self._aws.in_time(future):
                    self._note(message)
            except AwsError:
                continue  # nothing came, so nothing is hidden
        self._asked.clear()

    def _give_back(self) -> None:
        receipts = list(self._receipts.values())
        self._receipts.clear()
        parts = [receipts[at : at + BATCH] for at in range(0, len(receipts), BATCH)]
        futures = [self._aws.start(self._show_again, part) for part in parts]
        kept, why = 0, ""
        for future, part in zip(futures, parts, strict=True):
            try:
                self._aws.in_time(future)
            except AwsError as error:
                kept, why = kept + len(part), why or error.message
        if kept:
            text = f"{kept} messages come back by themselves, after at most {self.lease} s: {why}"
            self._aws.report(Noted(text))

    def _show_again(self, receipts: list[str]) -> None:
        """Makes messages visible at once: together, and one by one what SQS did not take so."""
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts)
        ]
        try:
            reply = self._aws(
                self._aws.sqs.change_message_visibility_batch,
                QueueUrl=self._url,
                Entries=entries,  # type: ignore[arg-type]
            )
            left = [receipts[int(one["Id"])] for one in reply.get("Failed") or []]
        except StopError:
            raise
        except AwsError:
            left = receipts
        for receipt in left:
            self._show_one(receipt)

    def _show_one(self, receipt: str) -> None:
        try:
            self._aws(
                self._aws.sqs.change_message_visibility,
                QueueUrl=self._url,
                ReceiptHandle=receipt,
                VisibilityTimeout=0,
            )
        except AwsError as error:
            if error.code not in _GONE_HANDLE:  # that one is visible already, or gone
                raise
