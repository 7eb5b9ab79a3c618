"""Lambda runs a function for an event: its archive, in this process, with its role's permissions.

The code gets a stand-in for boto3 that knows the operations a formatter needs; each call is judged
before it is made. Only Python archives run, as `shnotify` deploys them.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
import uuid
from types import SimpleNamespace
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.core.utils import unix_time_millis, utcfromtimestamp
from moto.logs.models import logs_backends

from shnotify.resources import calls
from shnotify.sandbox.archives import modules_of
from shnotify.sandbox.delivery import TARGETS
from shnotify.sandbox.findingstore import moment_text
from shnotify.sandbox.flood import wait
from shnotify.sandbox.metrics import count
from shnotify.sandbox.permissions import FunctionRole, RefusedError, require_by_policy
from shnotify.sandbox.queues import put_message, queue_of
from shnotify.sandbox.rows import Proceed, model, now
from shnotify.sandbox.sdk import Sdk

_ZERO = "Rate Exceeded."
_REPORT = "Duration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB"
"""As Lambda ends each invocation in the log (monitoring-cloudwatchlogs); nothing is measured."""


def _run(rule: Any, arn: str, text: str) -> None:
    try:
        function = lambda_backends[rule.account_id][rule.region_name].get_function(arn)
    except Exception as error:
        raise RefusedError("NO_RESOURCE", f"the function {arn} does not exist") from error
    policy = {"Version": "2012-10-17", "Statement": function.policy.statements}
    require_by_policy(policy, calls.events_invoke(arn, rule.arn))
    invoke_event(function, json.loads(text))


TARGETS["lambda"] = _run


def invoke_event(function: Any, event: Any) -> None:
    """Invokes a function asynchronously (invocation-async): all its attempts, then OnFailure."""
    request = str(uuid.uuid4())
    if function.reserved_concurrency == 0:
        # "sends all events to the configured destination without any retries" (invocation-async-error-handling)
        _count(function, "Throttles")
        _on_failure(
            function, event, request, 0, {"errorType": "TooManyRequests", "errorMessage": _ZERO}
        )
        return
    settings = function.event_invoke_config[-1].config if function.event_invoke_config else {}
    attempts = 1 + int(settings.get("MaximumRetryAttempts", 2))
    for _ in range(attempts):
        _, failure = attempt(function, event, request)
        if failure is None:
            return
    _on_failure(function, event, request, attempts, failure)


@model(
    "moto.awslambda.models", "LambdaFunction.invoke", "API_Invoke: Event, DryRun, RequestResponse"
)
def an_invoked_function_runs(
    function: Any, _: Proceed, body: Any, request_headers: Any, response_headers: Any
) -> str:
    kind = request_headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    event = json.loads(body or "{}")
    if kind == "Event":
        invoke_event(function, event)
    if kind != "RequestResponse":
        return ""
    if function.reserved_concurrency == 0:
        _count(function, "Throttles")
        error = LambdaClientError("TooManyRequestsException", _ZERO)
        error.code = 429
        raise error
    result, failure = attempt(function, event, str(uuid.uuid4()))
    if failure is not None:
        response_headers["x-amz-function-error"] = "Unhandled"
    return json.dumps(result if failure is None else failure)


def attempt(function: Any, event: Any, request: str) -> tuple[Any, dict[str, Any] | None]:
    """Runs once, logs and counts; returns the result and Lambda's error document
    (python-exceptions), or None.
    """
    lines = [f"START RequestId: {request} Version: $LATEST"]
    result, failure = None, None
    try:
        role = FunctionRole(function)
        role.require_taken()
        with modules_of(function.code_bytes, function.code_sha_256):
            result = _call_handler(function, role, json.loads(json.dumps(event)), lines)
    except (Exception, SystemExit) as error:
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[-1:])
        kind = type(error).__name__
        failure = {"errorMessage": str(error), "errorType": kind, "stackTrace": frames}
        lines.append(json.dumps(failure))
    _log(function, [*lines, f"END RequestId: {request}", f"REPORT RequestId: {request}\t{_REPORT}"])
    _count(function, "Invocations", *(["Errors"] if failure else []))
    return result, failure


def _call_handler(function: Any, role: FunctionRole, event: Any, lines: list[str]) -> Any:
    """Calls the handler; what the archive's modules print becomes lines of the log."""

    def write(*words: object, **_: object) -> None:
        lines.append(" ".join(map(str, words)))

    module_name, _, handler = function.handler.rpartition(".")
    module = importlib.import_module(module_name.replace("/", "."))
    beside = [m for n, m in sys.modules.items() if n.startswith(f"{module.__package__}.")]
    for each in (module, *beside):
        each.__dict__["print"] = write
    module.__dict__["boto3"] = Sdk(function, role)
    if "time" in module.__dict__:
        module.__dict__["time"] = SimpleNamespace(sleep=wait)  # nobody waits here
    context = SimpleNamespace(
        function_name=function.function_name,
        invoked_function_arn=function.function_arn,
        aws_request_id=str(uuid.uuid4()),
        log_group_name=function.logs_group_name,
        get_remaining_time_in_millis=lambda: 1000 * int(function.timeout),
    )
    return getattr(module, handler)(event, context)


def _on_failure(
    function: Any, event: Any, request: str, attempts: int, failure: dict[str, Any] | None
) -> None:
    """Sends the record of a failed event to the OnFailure queue (invocation-async-retain-records)."""
    settings = function.event_invoke_config[-1].config if function.event_invoke_config else {}
    destinations = settings.get("DestinationConfig") or {}
    arn = (destinations.get("OnFailure") or {}).get("Destination")
    if not arn:
        return
    record = {
        "version": "1.0",
        "timestamp": moment_text(),
        "requestContext": {
            "requestId": request,
            "functionArn": f"{function.function_arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": failure,
    }
    try:
        queue = queue_of(arn)
        if queue is None:
            raise RefusedError("NO_RESOURCE", f"the queue {arn} does not exist")
        role = FunctionRole(function)
        role.require("sqs:SendMessage", arn, queue.policy)
        role.require_key(queue.kms_master_key_id, "sqs")
        put_message(queue, json.dumps(record, ensure_ascii=False), {})
    except RefusedError:
        _count(function, "DestinationDeliveryFailures")


def _log(function: Any, lines: list[str]) -> None:
    """Writes to the function's log group, if it is there and the role may."""
    logs = logs_backends[function.account_id][function.region]
    group = logs.groups.get(function.logs_group_name)
    if group is None:
        return
    try:
        role = FunctionRole(function)
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            role.require(action, f"{group.arn}:log-stream:sandbox", None)
    except RefusedError:
        return
    moment = utcfromtimestamp(now())
    stream = f"{moment:%Y/%m/%d}/[$LATEST]sandbox"
    if stream not in group.streams:
        group.create_log_stream(stream)
    stamp = int(unix_time_millis(moment))
    group.put_log_events(stream, [{"timestamp": stamp, "message": line} for line in lines])


def _count(function: Any, *metrics: str) -> None:
    count(function.account_id, function.region, "AWS/Lambda", function.function_name, *metrics)
