"""AWS operations by the names that IAM gives them, and the parameters that name what an operation
is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

_PREFIX = {"resourcegroupstaggingapi": "tag"}
_ACTIONS = {
    "securityhub:GetFindingsV2": "securityhub:GetFindings",
    "securityhub:BatchUpdateFindingsV2": "securityhub:BatchUpdateFindings",
    "securityhub:GetFindingStatisticsV2": "securityhub:GetAdhocInsightResults",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""Operations whose IAM action has another name (API_GetFindingsV2, API_BatchUpdateFindingsV2,
API_GetFindingStatisticsV2; service authorization reference, SQS and Lambda)."""


def operation_name(service: str, name: str) -> str:
    """Returns IAM's name for an operation, such as `kms:CreateKey`."""
    return f"{_PREFIX.get(service, service)}:{name}"


def action_of(operation: str) -> str:
    """Returns the IAM action that an operation needs; nearly always it has the same name."""
    return _ACTIONS.get(operation, operation)


def operation_of(method: Callable[..., Any]) -> str:
    meta = getattr(method, "__self__").meta  # noqa: B009 bound client methods only; Callable does not say so
    return operation_name(
        meta.service_model.service_name, meta.method_to_api_mapping[method.__name__]
    )


def target_of(params: dict[str, Any]) -> str | None:
    return next(
        (cast("str", params[name]) for name in _NAMES if isinstance(params.get(name), str)), None
    )


_NAMES = (
    *(
        "KeyId",
        "AliasName",
        "TopicArn",
        "ResourceArn",
        "QueueUrl",
        "QueueName",
        "Rule",
        "ResourceARN",
        "Name",
    ),
    *("SubscriptionArn", "TargetArn"),
    *(
        "FunctionName",
        "RoleName",
        "logGroupName",
        "logGroupNamePrefix",
        "resourceArn",
        "Resource",
        "StackSetName",
        "AlarmName",
    ),
)
"""The parameters that say which thing a call is about, the most telling first."""
