"""Lambda takes batches from a queue and hands them to a function (with-sqs).

Nobody waits for a batch window in the sandbox: one call that brings findings is one window, and what
comes by itself is taken at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.core.resource_tagging import TaggedResource
from moto.sqs.models import sqs_backends

from shnotify.sandbox.permissions import FunctionRole, RefusedError
from shnotify.sandbox.queues import queue_of
from shnotify.sandbox.rows import Proceed, model
from shnotify.sandbox.running import attempt

_LAMBDA = "moto.awslambda.models"
_NEEDED = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@model(_LAMBDA, "LambdaBackend.create_event_source_mapping", "API_CreateEventSourceMapping")
def a_mapping_is_looked_at(backend: Any, proceed: Proceed, spec: dict[str, Any]) -> Any:
    """One for a queue and a function; the role may receive; the queue hides longer than the function runs."""
    found = backend.list_event_source_mappings(spec["EventSourceArn"], "")
    function = backend.get_function(spec["FunctionName"])
    for one in found:
        if one.function_arn == function.function_arn:
            raise _error("ResourceConflictException", f"existing mapping with UUID {one.uuid}", 409)
    queue = queue_of(spec["EventSourceArn"])
    if queue is not None:
        _require(function, queue)
        if int(queue.visibility_timeout) < int(function.timeout):
            text = "Queue visibility timeout is less than Function timeout"
            raise _error("InvalidParameterValueException", text)
    mapping = proceed()
    _take_over(queue)
    return mapping


def _require(function: Any, queue: Any) -> None:
    try:
        role = FunctionRole(function)
        for action in _NEEDED:
            role.require(action, queue.queue_arn, queue.policy)
    except RefusedError as error:
        text = "The function execution role does not have permissions to call ReceiveMessage on SQS"
        raise _error("InvalidParameterValueException", text) from error


def _take_over(queue: Any) -> None:
    """Keeps moto from running functions by itself, in containers."""
    if queue is not None:
        queue.lambda_event_source_mappings.clear()


@model(_LAMBDA, "LambdaBackend.update_event_source_mapping", "API_UpdateEventSourceMapping")
def an_enabled_mapping_goes_on(_: Any, proceed: Proceed) -> Any:
    mapping = proceed()
    if mapping is None:
        raise _error("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    queue = queue_of(mapping.event_source_arn)
    _take_over(queue)
    if queue is not None:
        poll(queue)
    return mapping


@model(_LAMBDA, "LambdaBackend.delete_event_source_mapping", "API_DeleteEventSourceMapping")
def a_mapping_that_is_not_there_is_not_deleted(_: Any, proceed: Proceed) -> Any:
    mapping = proceed()
    if mapping is None:
        raise _error("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return mapping


@model(_LAMBDA, "LambdaBackend.iter_tagged_resources", "Lambda Developer Guide: tags-esm")
def mappings_are_found_by_their_tags(backend: Any, proceed: Proceed) -> Iterator[Any]:
    yield from proceed()
    for mapping in backend.list_event_source_mappings("", ""):
        yield TaggedResource(mapping.arn, mapping.tags, "lambda:event-source-mapping")


_windows: list[dict[str, Any]] = []
"""The open windows, each with the queues that got a message in it, by ARN."""


@contextmanager
def one_window() -> Iterator[None]:
    """Gathers what comes meanwhile into batches (API_CreateEventSourceMapping,
    MaximumBatchingWindowInSeconds).
    """
    window: dict[str, Any] = {}
    _windows.append(window)
    try:
        yield
    finally:
        _windows[:] = [one for one in _windows if one is not window]  # equal is not the same
        for queue in window.values():
            poll(queue)


@model("moto.sqs.models", "Queue.add_message", "with-sqs: Lambda polls the queue")
def a_message_is_taken_to_the_function(queue: Any, proceed: Proceed) -> None:
    proceed()
    if _windows:
        _windows[-1][queue.queue_arn] = queue
    else:
        poll(queue)


def poll(queue: Any) -> None:
    """Hands what is visible in a queue to the functions that take from it, batch by batch."""
    backend = lambda_backends[queue.account_id][queue.region]
    for mapping in backend.list_event_source_mappings(queue.queue_arn, ""):
        while mapping.enabled and _take(backend.get_function(mapping.function_arn), mapping, queue):
            pass


def _take(function: Any, mapping: Any, queue: Any) -> bool:
    """Hands over one batch; returns whether there was one."""
    try:
        _require(function, queue)
        FunctionRole(function).require_key(queue.kms_master_key_id, "sqs")
    except (LambdaClientError, RefusedError):
        return False
    if function.reserved_concurrency == 0:
        return False
    sqs = sqs_backends[queue.account_id][queue.region]
    hidden = int(queue.visibility_timeout)
    messages = sqs.receive_message(queue.name, mapping.batch_size, 0, hidden)
    if not messages:
        return False
    event = {"Records": [_record(message, queue) for message in messages]}
    result, failure = attempt(function, event, str(uuid.uuid4()))
    if failure is not None:
        return True
    failed = {one.get("itemIdentifier") for one in (result or {}).get("batchItemFailures") or ()}
    for message in messages:
        if message.id not in failed:
            sqs.delete_message(queue.name, message.receipt_handle)
    return True


def _record(message: Any, queue: Any) -> dict[str, Any]:
    """One message as the function gets it (with-sqs, example event)."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.approximate_receive_count)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }


def _error(code: str, text: str, status: int = 400) -> Exception:
    error: Exception = LambdaClientError(code, text)
    error.code = status  # type: ignore[attr-defined]
    return error
