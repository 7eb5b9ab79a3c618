"""Where AWS Lambda, and the tagging API for what belongs to a function, say no, or more, and moto
does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.core.resource_tagging import TaggedResource
from moto.iam.models import iam_backends

from shnotify.sandbox.rows import Proceed, model


def _conflict(text: str) -> Exception:
    error: Exception = LambdaClientError("ResourceConflictException", text)
    error.code = 409  # type: ignore[attr-defined]
    return error


@model(
    "moto.awslambda.policy", "Policy.add_statement", "API_AddPermission: ResourceConflictException"
)
def one_statement_per_id(policy: Any, proceed: Proceed) -> Any:
    before = [statement["Sid"] for statement in policy.statements]
    answer = proceed()
    if answer[0]["Sid"] in before:
        policy.statements.pop()
        raise _conflict(f"The statement id ({answer[0]['Sid']}) provided already exists.")
    return answer


@model(
    "moto.awslambda.models",
    "LambdaBackend.put_function_event_invoke_config",
    "API_PutFunctionEventInvokeConfig",
)
def one_asynchronous_configuration(backend: Any, proceed: Proceed) -> Any:
    """Overwrites; the function's role must be allowed to send to the destination
    (invocation-async-retain-records).
    """
    before = {id(fn): list(fn.event_invoke_config) for fn in backend.list_functions()}
    answer = proceed()
    changed = next(
        fn for fn in backend.list_functions() if fn.event_invoke_config != before[id(fn)]
    )
    queue = answer.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if queue and not _may_send(changed, backend, queue):
        changed.event_invoke_config = before[id(changed)]
        text = f"The function's execution role does not have permissions to call SendMessage on {queue}"
        raise LambdaClientError("InvalidParameterValueException", text)
    changed.event_invoke_config = changed.event_invoke_config[-1:]
    return answer


def _may_send(function: Any, backend: Any, queue: str) -> bool:
    role = iam_backends[backend.account_id][backend.partition].get_role_by_arn(function.role)
    statements = [s for text in role.policies.values() for s in json.loads(text)["Statement"]]
    return any(s["Action"] == "sqs:SendMessage" and s["Resource"] == queue for s in statements)


@model(
    "moto.awslambda.models",
    "LambdaFunction.get_code",
    "API_GetFunction: Concurrency, also when it is 0",
)
def a_function_tells_its_concurrency_even_when_it_is_none(function: Any, proceed: Proceed) -> Any:
    reserved = function.reserved_concurrency
    return proceed() | (
        {} if reserved is None else {"Concurrency": {"ReservedConcurrentExecutions": reserved}}
    )


@model(
    "moto.logs.models",
    "LogsBackend.iter_tagged_resources",
    "API_GetResources: the type is the ARN's, log-group",
)
def log_groups_are_found_by_their_type(backend: Any, _: Proceed) -> Iterator[Any]:
    for group in backend.groups.values():
        yield TaggedResource(
            group.arn, backend.tagger.get_tag_dict_for_resource(group.arn), "logs:log-group"
        )
