"""Where Amazon SQS says no and moto does not."""

from __future__ import annotations

import json
import time
from typing import Any

from shnotify.sandbox.kms import key_trouble
from shnotify.sandbox.rows import ROWS, Call, Proceed, Row, around, model, now, refuse

_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
}
_TWO_KINDS = (
    "You can use one type of server-side encryption (SSE) at one time. "
    "You can either enable KMS SSE or SQS SSE."
)


def _queue(call: Call) -> Any:
    """moto's queue, or None; of CreateQueue by its name, of all others by its URL."""
    name = call.param("QueueName") or call.response._get_queue_name()
    return call.response.sqs_backend.queues.get(name)


def _deleted(call: Call) -> dict[str, float]:
    """Name -> when it was deleted.

    Kept on moto's backend, so that moto's reset takes it away too.
    """
    memory: dict[str, float] = call.response.sqs_backend.__dict__.setdefault("deleted_at", {})
    return memory


@around("sqs", "DeleteQueue", "B.SQS.2")
def remember_deletion(call: Call, proceed: Proceed) -> Any:
    queue = _queue(call)
    reply = proceed()
    _deleted(call)[queue.name] = now()
    return reply


@refuse("sqs", "CreateQueue", "B.SQS.2")
def deleted_recently(call: Call) -> None:
    if now() - _deleted(call).get(call.param("QueueName"), float("-inf")) < 60:
        call.fail(
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        )


@refuse("sqs", "CreateQueue SetQueueAttributes", "B.SQS.4, B.SQS.5, API_SetQueueAttributes")
def impossible_attributes(call: Call) -> None:
    given = call.param("Attributes") or {}
    for name, (low, high) in _RANGES.items():
        value = str(given.get(name, low))
        if not value.isdecimal() or not low <= int(value) <= high:
            call.fail("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    if given.get("Policy"):
        try:
            json.loads(given["Policy"])
        except ValueError:
            call.fail("InvalidAttributeValue", "Invalid value for the parameter Policy.")
    if given.get("KmsMasterKeyId") and str(given.get("SqsManagedSseEnabled")).lower() == "true":
        call.fail("InvalidAttributeName", _TWO_KINDS)


@around("sqs", "CreateQueue SetQueueAttributes", "B.SQS.5, B.SQS.6")
def encryption_is_of_one_kind(call: Call, proceed: Proceed) -> Any:
    given = call.param("Attributes") or {}
    reply = proceed()
    queue = _queue(call)
    if given.get("KmsMasterKeyId"):
        queue.sqs_managed_sse_enabled = "false"
    if str(given.get("SqsManagedSseEnabled")).lower() == "true":
        queue.kms_master_key_id = None
    return reply


@around("sqs", "SetQueueAttributes", "API_SetQueueAttributes: only what is named is set")
def policy_stays(call: Call, proceed: Proceed) -> Any:
    queue = _queue(call)
    policy = None if queue is None else queue.policy
    reply = proceed()
    if queue is not None and "Policy" not in (call.param("Attributes") or {}):
        queue.policy = policy
    return reply


@around("sqs", "CreateQueue", "B.SQS.1: an existing queue is returned as it is")
def tags_stay(call: Call, proceed: Proceed) -> Any:
    queue = _queue(call)
    tags = None if queue is None else queue.tags
    reply = proceed()
    if queue is not None:
        queue.tags = tags
    return reply


@refuse("sqs", "SendMessage SendMessageBatch ReceiveMessage", "B.SQS.9")
def messages_need_the_key(call: Call) -> None:
    queue = _queue(call)
    trouble = (
        key_trouble(queue.kms_master_key_id, call.account, call.region) if queue is not None else ""
    )
    if trouble:
        call.fail(f"Kms{trouble}", f"The queue's KMS key cannot be used: {queue.kms_master_key_id}")


@around("sqs", "PurgeQueue", "B.SQS.8")
def purge_once_a_minute(call: Call, proceed: Proceed) -> Any:
    queue = _queue(call)
    if queue is None:
        return proceed()
    if now() - getattr(queue, "purged_at", float("-inf")) < 60:
        call.fail(
            "AWS.SimpleQueueService.PurgeQueueInProgress",
            f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.",
        )
    queue.last_purged_at = None  # moto's own check reads the real clock
    reply = proceed()
    queue.purged_at = now()
    return reply


@model(
    "moto.sqs.models",
    "SQSBackend.is_message_valid_based_on_retention_period",
    "API_CreateQueue: MessageRetentionPeriod",
)
def retention_is_cheap(backend: Any, _: Proceed, queue_name: str, message: Any) -> bool:
    """Tells whether a message is still kept; moto counts the whole queue for each message."""
    kept = int(backend.get_queue(queue_name).message_retention_period)
    return bool(kept + message.sent_timestamp / 1000 > time.time())


ROWS.append(
    Row(
        "milliseconds_are_cheap",
        "moto: asks the time several times for each message of a queue, in 10 us each",
        (("moto.sqs.models", "", "unix_time_millis"),),
        lambda _: lambda: time.time() * 1000,
    )
)
