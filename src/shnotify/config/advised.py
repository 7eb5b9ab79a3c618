"""What to write instead of a value of the wrong type: the text that was probably meant.

Knows the fields by name.
"""

from __future__ import annotations

import re
from typing import Any

from shnotify.config.yamlfile import Path
from shnotify.schema.scalars import shown

_TYPES = frozenset({"mapping", "list"})
_NONE = frozenset({"none", "no", "off", "false", "disabled", "n"})
_FORMATS = frozenset({"summary", "json", "lambda"})
_DURATION = re.compile(r"[0-9]+[smhd]")


def instead(kind: str, path: Path, value: Any) -> str | None:
    """Returns the text to write for a value of the wrong type whose meaning is plain, or None."""
    if kind not in _TYPES or not path:
        return None
    match path[-1], value:
        case ("topic_key" | "dlq_key") as key, str() if value.startswith("arn:"):
            return f"must be a mapping: write `{key}: {{arn: {shown_plain(value)}}}`"
        case ("topic_key" | "dlq_key") as key, str() if value.startswith("alias/"):
            return f"must be a mapping: write `{key}: {{alias: {shown_plain(value)}}}`"
        case ("topic_key" | "dlq_key") as key, False:
            return f"cannot be switched off alone: `encryption: false` switches off both keys, not `{key}: false`"
        case ("encryption" | "dead_letter_queue") as section, str() if value.lower() in _NONE:
            return f"must be a mapping or false: write `{section}: false`"
        case ("dead_letter_queue" | "topic" | "rule") as section, str() if value:
            return _named(section, value)
        case "message", str() if value in _FORMATS:
            return f"must be a mapping: write `message: {{format: {value}}}`"
        case "retry", bool() | str() if value is False or str(value).lower() in _NONE:
            return "must be a mapping: write `retry: {max_attempts: 0}`"
        case "retry", int():
            return f"must be a mapping: write `retry: {{max_attempts: {value}}}`"
        case "retry", str() if _DURATION.fullmatch(value):
            return f"must be a mapping: write `retry: {{max_age: {value}}}`"
        case "findings", str() | list():
            return _severities(value)
    return _lists(path, value)


def _named(section: str, value: str) -> str:
    if value.startswith("arn:"):
        name = re.split("[:/]", value)[-1]
        return f"must be a mapping, not an ARN: write `{section}: {{name: {shown_plain(name)}}}`"
    return f"must be a mapping: write `{section}: {{name: {shown_plain(value)}}}`"


def _severities(value: str | list[Any]) -> str | None:
    words = [value] if isinstance(value, str) else value
    levels = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
    if words and all(isinstance(word, str) and word.upper() in levels for word in words):
        told = ", ".join(word.upper() for word in words)
        return f"must be a mapping: write `findings: {{severity: [{told}]}}`"
    return None


def _lists(path: Path, value: Any) -> str | None:
    """Handles a single value, or a mapping, where a list is due."""
    match path[-1], value:
        case "subscribers", str():
            return f"must be a list: write `subscribers: [{shown_plain(value)}]`"
        case "subscribers", dict():
            return "must be a list: write `-` before each subscriber"
        case "routes", dict():
            return "must be a list: write `-` before each route's `name`"
        case "fields", str():
            return f"must be a list: write `fields: [{shown_plain(value)}]`"
        case "tags", list():
            return "must be a mapping: write `tags: {Owner: security-team}`"
    return None


def shown_plain(value: str) -> str:
    """Shows a value as the file can hold it, quoted where a plain word could mean something else."""
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9@.+_/-]*", value)
    return value if plain and len(value) <= 80 else shown(value).replace("'", '"')
