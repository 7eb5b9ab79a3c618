"""Messages that a service puts into a queue, after it was let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.sqs.models import sqs_backends

from shnotify.sandbox.metrics import count
from shnotify.sandbox.permissions import RefusedError


def queue_of(arn: str) -> Any:
    """moto's queue, or None."""
    _, _, _, region, account, name = arn.split(":", 5)
    return sqs_backends[account][region].queues.get(name)


def put_message(queue: Any, text: str, attributes: Mapping[str, str]) -> None:
    """Puts a message into a queue, as whoever was let in; counts it.

    Raises `RefusedError` when it is too large for the queue.
    """
    size = len(text.encode()) + sum(len(f"{k}String{v}".encode()) for k, v in attributes.items())
    if size > int(queue.maximum_message_size):
        raise RefusedError("INVALID_PARAMETER", f"the message is too large for {queue.queue_arn}")
    typed = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    sqs_backends[queue.account_id][queue.region].send_message(queue.name, text, typed)
    waiting = len(queue.messages)
    count(queue.account_id, queue.region, "AWS/SQS", queue.name, "NumberOfMessagesSent")
    metric = "ApproximateNumberOfMessagesVisible"
    count(queue.account_id, queue.region, "AWS/SQS", queue.name, metric, value=waiting)
