"""Sends dead letters again: each through its route as the file has it now, slowly, one at a time.

A message leaves the queue only after AWS has taken its mail, so whatever ends the work, nothing is
lost; the one message in flight may be mailed twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shnotify.arns import Scope
from shnotify.aws.failures import AwsError, StopError, UnansweredError
from shnotify.aws.gateway import FUNCTION_SECONDS, Aws
from shnotify.config.models import Config, Route
from shnotify.errors import ShnotifyError
from shnotify.notifier import names
from shnotify.notifier.deadletters import Letter, read_letter
from shnotify.notifier.queuereading import Reading
from shnotify.notifier.redrive import (
    PER_SECOND,
    Order,
    answered,
    by_formatter,
    destination,
    post_of,
)
from shnotify.notifier.senders import Senders

LEASE_SECONDS = 2 * FUNCTION_SECONDS
"""How long a message is hidden while it waits for its turn in a batch."""
_IN_A_ROW = 3
"""Failures of one route after which the route's other messages are not tried."""


class KeptError(ShnotifyError):
    """One message was not sent, and stays; others may be."""


@dataclass
class Resent:
    """What became of each message. `sent`: (id, route, mails); `kept`: id -> why; `refused`: AWS's
    answer to the first that was not taken.
    """

    sent: list[tuple[str, str, int]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    refused: AwsError | None = None
    error: ShnotifyError | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "sent": [{"id": one, "route": route, "mails": n} for one, route, n in self.sent],
            "kept": [{"id": one, "why": why} for one, why in self.kept.items()],
        }


class Pace:
    """Keeps to so many mails a second, by the gateway's clock."""

    def __init__(self, aws: Aws, per_second: float = PER_SECOND) -> None:
        self._aws = aws
        self._each = 1 / per_second
        self._next = aws.clock.now()

    def wait(self) -> None:
        if (seconds := self._next - self._aws.clock.now()) > 0:
            self._aws.pause(seconds)

    def spent(self, mails: int) -> None:
        self._next = max(self._next, self._aws.clock.now()) + max(1, mails) * self._each


class Sender:
    """Sends one letter by its route: through the formatter's function, or to the topic."""

    def __init__(self, aws: Aws, config: Config, scope: Scope) -> None:
        self._aws, self._config, self._scope = aws, config, scope
        self._pace = Pace(aws)

    def send(self, letter: Letter, route: Route) -> int:
        """Returns how many mails went out for each subscriber.

        Raises KeptError when this one cannot be sent, UnansweredError when nobody can tell.
        """
        self._pace.wait()
        made = 1
        try:
            made = self._invoke(letter, route) if by_formatter(letter, route) else 1
            if not by_formatter(letter, route):
                self._publish(letter, route)
        finally:
            self._pace.spent(made)
        return made

    def _invoke(self, letter: Letter, route: Route) -> int:
        """Runs the formatter and waits for it (API_Invoke). What it raises is a FunctionError."""
        name = names.function_name(self._config, route)
        reply = self._aws.once(
            self._aws.functions.invoke,
            FunctionName=name,
            InvocationType="RequestResponse",
            Payload=json.dumps(letter.event).encode(),
        )
        made, said = answered(reply["Payload"].read())
        if reply.get("FunctionError"):
            raise KeptError(f"the formatter {name} failed: {said}", hint="shnotify doctor")
        if made is None:
            raise KeptError(f"the formatter {name} does not say what it sent: {said}")
        if not made:
            raise KeptError(f"the formatter {name} found no mail due for it (message.dedup)")
        return made

    def _publish(self, letter: Letter, route: Route) -> None:
        post = post_of(letter, route, self._scope)
        subject: Any = {"Subject": post.subject} if post.subject else {}
        self._aws.once(
            self._aws.sns.publish,
            TopicArn=self._scope.topic(route.topic.name),
            Message=post.body,
            **subject,
        )


@dataclass
class Resending:
    """One run over the queue.

    planned  message id -> the route that the preview named; nothing else is touched
    told     hears of each message that is done with
    """

    aws: Aws
    queue_arn: str
    senders: Senders
    routes: Mapping[str, Route]
    sender: Sender
    order: Order
    told: Callable[[Resent], None] = lambda _: None
    result: Resent = field(default_factory=Resent)
    _failures: dict[str, int] = field(default_factory=dict)
    _in_flight: str = ""

    def run(self, planned: Mapping[str, str], expected: int) -> Resent:
        """Sends what was planned. What AWS says against going on stands in `error`.

        An interrupt is raised; `result` tells all the same.
        """
        left = dict(planned)
        reading = Reading(
            self.aws, self.queue_arn, expected=expected, at_once=1, lease=LEASE_SECONDS
        )
        why = "the work was ended before its turn"
        try:
            with reading:
                for message in reading:
                    if str(message["MessageId"]) in left:
                        self._one(reading, read_letter(message, self.senders), left)
                    if not left:
                        break
            why = "it could not be read again: another reader has it at the moment"
        except AwsError as error:
            self.result.error = error
        finally:
            doubt = "the work was ended while it was sent: it may have been"
            reasons = {one: doubt if one == self._in_flight else why for one in left}
            self.result.kept |= reasons
        return self.result

    def _one(self, reading: Reading, letter: Letter, left: dict[str, str]) -> None:
        route = destination(letter, self.routes, self.order)
        if isinstance(route, str):  # it is not what the preview saw
            self._keep(left, letter.id, route)
        elif self._failures.get(route.name, 0) >= _IN_A_ROW:
            self._keep(left, letter.id, f"route {route.name} failed {_IN_A_ROW} times in a row")
        elif reading.holds(letter.id, FUNCTION_SECONDS + 5):
            self._in_flight = letter.id
            self._send(reading, letter, route, left)
            self._in_flight = ""

    def _send(self, reading: Reading, letter: Letter, route: Route, left: dict[str, str]) -> None:
        try:
            made = self.sender.send(letter, route)
        except UnansweredError as error:
            self._fail(left, letter.id, f"it may have been sent: {error.message}")
            raise
        except StopError:
            raise
        except (KeptError, AwsError) as error:
            self._fail(left, letter.id, error.message)
            if isinstance(error, AwsError):
                self.result.refused = self.result.refused or error
            self._failures[route.name] = self._failures.get(route.name, 0) + 1
            return
        self._failures[route.name] = 0
        self.result.sent.append((letter.id, route.name, made))
        del left[letter.id]
        try:
            reading.delete(letter.id)
        except AwsError as error:
            error.message = f"{letter.id} was sent, but is still in the queue, so the next run sends it again: {error}"
            raise
        self.told(self.result)

    def _fail(self, left: dict[str, str], letter_id: str, why: str) -> None:
        self.result.failed += 1
        self._keep(left, letter_id, why)

    def _keep(self, left: dict[str, str], letter_id: str, why: str) -> None:
        left.pop(letter_id, None)
        self.result.kept[letter_id] = why
        self.told(self.result)
