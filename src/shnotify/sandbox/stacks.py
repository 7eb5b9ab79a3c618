"""Where CloudFormation and its StackSets take more than moto does."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from shnotify.sandbox.rows import ROWS, Row


def _tags_as_kms_wants_them(original: Callable[..., Any]) -> Callable[..., Any]:
    """CloudFormation's tags are Key and Value; KMS's own are TagKey and TagValue (API_Tag)."""

    @wraps(original)
    def create_key(backend: Any, *args: Any, **named: Any) -> Any:
        def spelled(value: Any) -> Any:
            if not isinstance(value, list):
                return value
            return [
                {"TagKey": tag["Key"], "TagValue": tag["Value"]} if "Key" in tag else tag
                for tag in value
            ]

        changed = {name: spelled(v) if name == "tags" else v for name, v in named.items()}
        return original(backend, *(spelled(value) for value in args), **changed)

    return create_key


ROWS.append(
    Row(
        "a_stacks_key_has_its_tags",
        "AWS::KMS::Key Tags",
        (("moto.kms.models", "KmsBackend", "create_key"),),
        _tags_as_kms_wants_them,
    )
)


class OperationIdAlreadyExistsException(ServiceException):  # type: ignore[misc]  # moto has no types
    """The request arrived before (API_CreateStackInstances, Errors)."""

    code = "OperationIdAlreadyExistsException"


def _by_the_callers_id(original: Callable[..., Any]) -> Callable[..., Any]:
    """An operation has the id that its caller gives, and a repeated id starts nothing twice."""

    @wraps(original)
    def method(response: Any) -> Any:
        wanted = response._get_param("OperationId")
        stack_set = response.cloudformation_backend.describe_stack_set(
            response._get_param("StackSetName")
        )
        if wanted in [one["OperationId"] for one in stack_set.operations]:
            raise OperationIdAlreadyExistsException(f"Operation {wanted} already exists")
        answer = original(response)
        if wanted is None:
            return answer
        stack_set.operations[-1]["OperationId"] = wanted
        return ActionResult({"OperationId": wanted})

    return method


def _a_stack_on_paper(original: Callable[..., Any]) -> Callable[..., Any]:
    """The sandbox shows StackSets' own calls; what the stacks hold stays in the accounts' own clouds."""

    @wraps(original)
    def made(instance: Any, **given: Any) -> None:
        for name, value in given.items():
            setattr(instance, name, value)
        instance.parameters = instance.parameters or []

    return made


ROWS.extend(
    (
        Row(
            "an_operation_has_its_callers_id",
            "K.22, API_CreateStackInstances",
            tuple(
                ("moto.cloudformation.responses", "CloudFormationResponse", name)
                for name in (
                    "create_stack_instances",
                    "update_stack_instances",
                    "delete_stack_instances",
                    "update_stack_set",
                )
            ),
            _by_the_callers_id,
        ),
        Row(
            "a_stack_of_a_set_is_on_paper",
            "a limit of the sandbox, not of AWS",
            (("moto.cloudformation.models", "StackInstance", "__init__"),),
            _a_stack_on_paper,
        ),
        Row(
            "a_stack_on_paper_goes_without_a_trace",
            "a limit of the sandbox, not of AWS",
            (("moto.cloudformation.models", "StackInstance", "delete"),),
            lambda _original: lambda _instance: None,
        ),
    )
)
