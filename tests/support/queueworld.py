"""A queue, a topic and a function in memory, in virtual time, behind the gateway's own retries.

A message that was received is hidden until its time is over, as in SQS; every call can be refused, cut or killed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from shnotify.arns import Scope
from shnotify.aws.calls import Calls, Clock
from tests.support.deadletters import ACCOUNT, QUEUE_NAME, Message, received
from tests.support.faults import REGION, Fault, Killed, Time

QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE_NAME}"
_OPERATIONS = {
    "sqs": {
        "receive_message": "ReceiveMessage",
        "delete_message": "DeleteMessage",
        "change_message_visibility": "ChangeMessageVisibility",
        "change_message_visibility_batch": "ChangeMessageVisibilityBatch",
    },
    "sns": {"publish": "Publish"},
    "lambda": {"invoke": "Invoke"},
}


def error(code: str, operation: str, status: int = 400) -> ClientError:
    reply = {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, operation)  # type: ignore[arg-type]


@dataclass
class Stored:
    """A message in the queue."""

    body: dict[str, Any]
    hidden_until: float = 0.0
    receipt: str = ""


class Service:
    """What the gateway asks of a client of the SDK."""

    def __init__(self, name: str) -> None:
        self.meta = SimpleNamespace(
            service_model=SimpleNamespace(service_name=name),
            method_to_api_mapping=_OPERATIONS[name],
            endpoint_url=f"https://{name}",
        )


class Queue(Service):
    def __init__(self, time: Time, messages: dict[str, dict[str, Any]]) -> None:
        super().__init__("sqs")
        self.time = time
        self.stored = {name: Stored(body) for name, body in messages.items()}
        self.receives = 0
        self.receipts: dict[str, str] = {}
        self.order: Callable[[list[str]], list[str]] = list

    def visible(self) -> list[str]:
        return [name for name, one in self.stored.items() if one.hidden_until <= self.time.now()]

    def _of(self, receipt: str) -> Stored | None:
        """The message that this receipt is the newest one of."""
        one = self.stored.get(self.receipts.get(receipt, ""))
        return one if one is not None and one.receipt == receipt else None

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        found = []
        for name in self.order(self.visible())[: asked["MaxNumberOfMessages"]]:
            self.receives += 1
            one = self.stored[name]
            one.hidden_until = self.time.now() + asked["VisibilityTimeout"]
            one.receipt = f"{name}/{self.receives}"
            self.receipts[one.receipt] = name
            found.append({**one.body, "ReceiptHandle": one.receipt})
        return {"Messages": found} if found else {}

    def delete_message(self, **asked: Any) -> dict[str, Any]:
        if self._of(asked["ReceiptHandle"]) is not None:
            del self.stored[self.receipts[asked["ReceiptHandle"]]]
        return {}

    def change_message_visibility(self, **asked: Any) -> dict[str, Any]:
        one = self._of(asked["ReceiptHandle"])
        if one is None or one.hidden_until <= self.time.now():
            raise error("MessageNotInflight", "ChangeMessageVisibility")
        one.hidden_until = self.time.now() + asked["VisibilityTimeout"]
        return {}

    def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        assert 1 <= len(asked["Entries"]) <= 10
        for entry in asked["Entries"]:
            if (one := self._of(entry["ReceiptHandle"])) is not None:
                one.hidden_until = self.time.now() + entry["VisibilityTimeout"]
        return {"Failed": []}


class Topic(Service):
    def __init__(self, time: Time) -> None:
        super().__init__("sns")
        self.time = time
        self.mails: list[tuple[float, dict[str, Any]]] = []

    def publish(self, **asked: Any) -> dict[str, Any]:
        self.mails.append((self.time.now(), asked))
        return {"MessageId": "m"}


class Function(Service):
    """A formatter that mails what it gets, or fails as it is told."""

    def __init__(self, topic: Topic) -> None:
        super().__init__("lambda")
        self.topic = topic
        self.answer: dict[str, Any] | None = None

    def invoke(self, **asked: Any) -> dict[str, Any]:
        if self.answer is not None:
            return {**self.answer, "Payload": io.BytesIO(json.dumps(self.answer["Payload"]).encode())}
        self.topic.publish(TopicArn="formatter", Message=asked["Payload"].decode())
        return {"StatusCode": 200, "Payload": io.BytesIO(b'{"sent": 1}')}


class QueueWorld(Calls):
    """The gateway over these three; calls of threads are made at once, so that a run is the same each time."""

    def __init__(self, *messages: Message, timeout: float = 86400) -> None:
        self.time = Time()
        self.notes: list[object] = []
        super().__init__(timeout=timeout, report=self.notes.append, clock=Clock(self.time.now, self.time.sleep))
        found = [received(message, number) for number, message in enumerate(messages, start=1)]
        self.sqs: Any = Queue(self.time, {str(one["MessageId"]): one for one in found})
        self.sns: Any = Topic(self.time)
        self.functions: Any = Function(self.sns)
        self.scope = Scope("aws", REGION, ACCOUNT)
        self.sent: list[str] = []
        self.rule: Callable[[int, str], Fault | None] = lambda _n, _o: None
        self.dead = False

    def start(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as failure:
            future.set_exception(failure)
        return future

    def _send(self, operation: str, method: Any, params: Any) -> Any:
        if self.dead:
            raise Killed
        self.sent.append(operation)
        fault = self.rule(len(self.sent), operation)
        try:
            return method(**params) if fault is None else fault(lambda: method(**params), operation)
        except Killed:
            self.dead = True
            raise

    def alive(self) -> None:
        """A new process: the next run begins."""
        self.dead = False
        self.sent.clear()
        self.rule = lambda _n, _o: None
        self.deadline = self.clock.now() + 86400
