"""Fills in a CloudFormation template as the service does: Ref, Fn::GetAtt and Fn::Sub (its intrinsic functions)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """The value with everything `known`: names for Ref, `Id.Attribute` for Fn::GetAtt; both for Fn::Sub."""
    match value:
        case {"Ref": name}:
            return known[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return known[f"{name}.{attribute}"]
        case {"Fn::Sub": text}:
            return _VARIABLE.sub(lambda m: f"${{{m[2]}}}" if m[1] else known[m[2]], text)
        case dict():
            return {key: filled(item, known) for key, item in value.items()}
        case list():
            return [filled(item, known) for item in value]
        case _:
            return value
