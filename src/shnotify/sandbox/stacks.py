"""Where CloudFormation takes more than moto does; its StackSets are a model of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

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
