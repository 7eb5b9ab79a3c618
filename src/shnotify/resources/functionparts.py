"""A function in a template: beside itself its retries, and a permission for each rule. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from shnotify.engine.template import Input, Part, Ref, without
from shnotify.engine.values import Policy
from shnotify.resources.policies import EVENTS

CODE_BUCKET = Input(
    "CodeBucket", "The bucket, in the stack's Region, with the functions' archives."
)
"""Where a stack finds the code."""


def code_key(function_name: str, archive: bytes) -> str:
    """Returns an archive's key in the bucket: another code is another key, so a stack sees it."""
    return f"shnotify/{function_name}-{hashlib.sha256(archive).hexdigest()[:16]}.zip"


def code(resource_id: str, key: str) -> dict[str, Input]:
    """Returns a function's Code; `key` is the default of the parameter that names the archive.

    Inline code is one file of at most 4 MiB (AWS::Lambda::Function Code); ours is several.
    """
    words = f"The archive's key in {CODE_BUCKET.id}."
    return {"S3Bucket": CODE_BUCKET, "S3Key": Input(f"{resource_id}CodeKey", words, key)}


def retries(resource_id: str, wanted: Mapping[str, Any]) -> Part:
    """Returns what becomes of an event that fails. `wanted` is as in `Function`."""
    given = without(wanted, "OnFailure")
    if queue := wanted.get("OnFailure"):
        given["DestinationConfig"] = {"OnFailure": {"Destination": queue}}
    given |= {"FunctionName": Ref(resource_id), "Qualifier": "$LATEST"}
    return Part(f"{resource_id}Retries", "AWS::Lambda::EventInvokeConfig", given)


def permissions(resource_id: str, policy: Policy) -> tuple[Part, ...]:
    """Returns an AWS::Lambda::Permission for each rule that may invoke the function."""
    sources = [
        source
        for statement in policy.statements
        for source in _texts(statement["Condition"]["ArnLike"]["AWS:SourceArn"])
    ]
    return tuple(
        Part(
            f"{resource_id}Permission{number or ''}",
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": Ref(resource_id),
                "Principal": EVENTS,
                "SourceArn": source,
            },
        )
        for number, source in enumerate(sources)
    )


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
