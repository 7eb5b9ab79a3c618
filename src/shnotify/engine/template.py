"""What a resource becomes in a CloudFormation template. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.frozen import frozen


@frozen
class Part:
    """One entry of a template's `Resources`.

    id          the logical id
    type        CloudFormation's type
    properties  the type's properties; values are plain data, `Late`, `Policy`, `Pattern` or `Tags`
    keeps       whether the thing stays when the stack goes: it holds, or opens, what people need
    """

    id: str
    type: str
    properties: Mapping[str, Any]
    keeps: bool = False


@frozen
class Ref:
    """Stands for CloudFormation's `Ref` to a logical id."""

    id: str


@frozen
class Input:
    """Stands for a parameter of the template, with its default (None: it must be given)."""

    id: str
    description: str
    default: str | None = None


def without(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Returns the properties but for those named."""
    return {name: value for name, value in properties.items() if name not in names}


EMPTY: tuple[object, ...] = ("", None, {}, [])
"""Property values that a template leaves out: CloudFormation refuses an empty DisplayName."""
