"""The form of an EventBridge event pattern: what EventBridge would refuse, found before it is
called. Pure.

The rules are those of the EventBridge User Guide (eb-event-patterns, eb-create-pattern-operators)
and of the compiler in aws/event-ruler, the library that EventBridge's matching comes from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from shnotify.errors import ShnotifyError
from shnotify.findings.patternoperators import OPERATORS, is_of_fields, operator_problems

WARN_SIZE = 2048
"""Characters; the default quota of an account, which AWS raises on request (eb-quota)."""
MAX_SIZE = 4096
"""Characters; the API's own limit on `EventPattern` (PutRule)."""
MAX_OR_COMBINATIONS = 1000
"""What the lengths of all `$or` lists of one pattern may multiply to (eb-quota)."""


class PatternError(ShnotifyError):
    """A filter that EventBridge cannot express, or a raw pattern that it would refuse.

    `path` is where in the route's configuration (`findings.exclude.types`), `message` what is wrong
    and what would be right; `problems` holds all that were found, the first of them being `path`
    and `message`.
    """

    exit_code = 2

    def __init__(self, path: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(message)
        self.path = path
        self.problems: list[tuple[str, str]] = [(path, message), *more]

    @classmethod
    def of(cls, problems: list[tuple[str, str]]) -> PatternError:
        """Makes one error of a non-empty list of (path, message)."""
        (path, message), *more = problems
        return cls(path, message, *more)


def compact(pattern: dict[str, Any]) -> str:
    """Writes the pattern as it is sent to AWS, without blanks and `\\u` escapes."""
    return json.dumps(pattern, ensure_ascii=False, separators=(",", ":"))


def size_warning(pattern: dict[str, Any]) -> str | None:
    """Warns of a pattern that only a raised quota takes.

    None for a pattern within the default.
    """
    size = len(compact(pattern))
    if size <= WARN_SIZE:
        return None
    return (
        f"the event pattern has {size:,} characters; EventBridge takes {WARN_SIZE:,} unless the account's quota "
        '"event pattern size" is raised: raise it, or split the values over two routes'
    )


def check_size(pattern: dict[str, Any], path: str = "findings") -> int:
    """Counts the pattern's characters.

    Above `WARN_SIZE` the caller warns (it may need a raised quota).

    Raises PatternError above `MAX_SIZE`, which no quota raises.
    """
    size = len(compact(pattern))
    if size > MAX_SIZE:
        raise PatternError(
            path,
            f"the event pattern has {size:,} characters; EventBridge takes at most {MAX_SIZE:,}. "
            "Shorten the lists, or split the route in two",
        )
    return size


def validate_pattern(raw: object, path: str = "pattern") -> dict[str, Any]:
    """Returns the raw pattern, when EventBridge would accept its form.

    Raises PatternError with every problem in it.
    """
    if not isinstance(raw, dict):
        raise PatternError(
            path, "must be a mapping of event fields, such as {source: [aws.securityhub]}"
        )
    problems = list(_object(raw, path, inside_or=False))
    if not problems:
        combinations = or_combinations(raw)
        if combinations > MAX_OR_COMBINATIONS:
            text = f"its $or lists multiply to {combinations:,} combinations; EventBridge takes {MAX_OR_COMBINATIONS:,}"
            problems.append((path, text))
    if problems:
        raise PatternError.of(problems)
    return raw


def is_or(key: str, value: object) -> bool:
    """Tells whether this is the `$or` operator and not a field of that name."""
    return key == "$or" and isinstance(value, list)


Problems = Iterator[tuple[str, str]]


def _object(node: dict[Any, Any], path: str, *, inside_or: bool) -> Problems:
    if not node:
        yield path, "an empty mapping is not allowed; name at least one field"
    for key, value in node.items():
        here = f"{path}.{key}"
        if not isinstance(key, str):
            yield here, "field names must be text"
        elif key == "$or":
            yield from _or(node, value, here)
        elif inside_or and key in OPERATORS:
            yield here, f"'{key}' is an operator and belongs into a list: [{{{key}: ...}}]"
        elif isinstance(value, dict):
            yield from _object(value, here, inside_or=inside_or)
        elif not isinstance(value, list):
            yield here, f"must be a mapping or a list of values, such as [{_shown(value)}]"
        elif not value:
            yield here, "an empty list is not allowed (it would match nothing)"
        else:
            yield from _values(value, key, here)


def _values(values: list[Any], key: str, path: str) -> Problems:
    fields = [item for item in values if isinstance(item, dict) and is_of_fields(item)]
    if fields and len(fields) == len(values):
        wanted = ", ".join(f"{name}: ..." for name in list(fields[0])[:3])
        yield (
            path,
            f"a list where a mapping is due: write a mapping, `{key}: {{{wanted}}}`, without brackets or `-`",
        )
        return
    for number, item in enumerate(values):
        yield from _value(item, f"{path}[{number}]")


def _or(beside: dict[Any, Any], branches: object, path: str) -> Problems:
    if not isinstance(branches, list) or len(branches) < 2:
        yield path, "must be a list of at least two mappings"
        return
    taken = set(_leaves({key: value for key, value in beside.items() if key != "$or"}))
    for number, branch in enumerate(branches):
        here = f"{path}[{number}]"
        if not isinstance(branch, dict):
            yield here, "must be a mapping of event fields"
            continue
        for leaf in sorted(taken & set(_leaves(branch))):
            # event-ruler lets the later one replace the earlier, so the AND a reader sees would not
            # be one.
            yield (
                here,
                f"'{leaf}' stands beside $or too; EventBridge would not AND them: put it into every branch",
            )
        yield from _object(branch, here, inside_or=True)


def _leaves(node: dict[Any, Any], prefix: str = "") -> Iterator[str]:
    """Yields the dotted names of all fields in a pattern, through every `$or`."""
    for key, value in node.items():
        if is_or(key, value):
            for branch in value:
                if isinstance(branch, dict):
                    yield from _leaves(branch, prefix)
        elif isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def or_combinations(node: dict[str, Any]) -> int:
    """Multiplies the lengths of all `$or` lists, nested ones too, as the guide counts them
    (eb-create-pattern-operators).
    """
    return math.prod(
        len(value) * math.prod(or_combinations(branch) for branch in value)
        if is_or(key, value)
        else or_combinations(value)
        for key, value in node.items()
        if isinstance(value, dict) or is_or(key, value)
    )


def _value(item: object, path: str) -> Problems:
    if isinstance(item, dict):
        yield from operator_problems(item, path)
    elif isinstance(item, float) and not math.isfinite(item):
        yield path, "must be a finite number"
    elif (
        isinstance(item, int) and len(str(item)) == 12
    ):  # would never match: ids of accounts are text in every event
        yield path, f'looks like an account id, and those are text: write it in quotes, "{item}"'
    elif not isinstance(item, str | int | float | None):
        yield path, f"must be text, a number, true, false, null or an operator, not {_shown(item)}"


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)
