"""The calls on a Lambda function that need care: Lambda refuses changes while it is busy, and a
repeated permission.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.aws.failures import AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.values import Policy
from shnotify.resources.policies import EVENTS, FUNCTION_SID

_BUSY = "Lambda is still busy with the last change of the function"
_NOT_YET_VISIBLE = "Lambda does not show the new function yet"
_ROLE_NOT_YET = "Lambda cannot use the new role yet"
_ROLE_TEXTS = ("cannot be assumed by Lambda", "does not have permissions")


def when_ready(aws: Aws, *, new: bool = False) -> Any:
    """Returns a caller that waits until function and role can take a change (Lambda Developer
    Guide, states).
    """
    waits = {f"InvalidParameterValueException: {text}": _ROLE_NOT_YET for text in _ROLE_TEXTS}
    waits |= {f"ResourceConflictException: {text}": _BUSY for text in ("in progress", "Pending")}
    return aws.patient({**waits, "ResourceNotFoundException": _NOT_YET_VISIBLE} if new else waits)


def allow(aws: Aws, function_name: str, policy: Policy, *, new: bool = False) -> None:
    """Adds our one permission, without SourceAccount, which EventBridge does not send
    (eb-troubleshooting).
    """
    statement = next(s for s in policy.statements if s["Sid"] == FUNCTION_SID)
    try:
        when_ready(aws, new=new)(
            aws.lambda_.add_permission,
            FunctionName=function_name,
            StatementId=FUNCTION_SID,
            Action=statement["Action"],
            Principal=EVENTS,
            SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        )
    except AwsError as error:
        # A reply was lost: the statement is there.
        if error.code != "ResourceConflictException":
            raise


def put_retries(
    aws: Aws, function_name: str, wanted: Mapping[str, Any], *, new: bool = False
) -> None:
    """Writes the whole asynchronous configuration, as the API does. `wanted` is as in `Function`."""
    rest = dict(wanted)
    queue = rest.pop("OnFailure")
    when_ready(aws, new=new)(
        aws.lambda_.put_function_event_invoke_config,
        FunctionName=function_name,
        DestinationConfig={"OnFailure": {"Destination": queue}} if queue else {},
        **rest,
    )


def retries_of(reply: Mapping[str, Any] | None) -> dict[str, Any]:
    """Reads the asynchronous configuration, with Lambda's defaults
    (API_PutFunctionEventInvokeConfig).
    """
    have = reply or {}
    return {
        "MaximumRetryAttempts": have.get("MaximumRetryAttempts", 2),
        "MaximumEventAgeInSeconds": have.get("MaximumEventAgeInSeconds", 21600),
        "OnFailure": ((have.get("DestinationConfig") or {}).get("OnFailure") or {}).get(
            "Destination", ""
        ),
    }


def wait_until_active(aws: Aws, function_name: str) -> None:
    """Waits up to a minute until the function can run; then `status` tells the function's state."""
    look = when_ready(aws, new=True)
    for _ in range(60):
        reply = look(aws.lambda_.get_function, FunctionName=function_name)
        if reply["Configuration"].get("State") != "Pending":
            return
        aws.pause(1)
