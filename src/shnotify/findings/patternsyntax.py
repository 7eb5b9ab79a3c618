"""The form of an EventBridge event pattern: what EventBridge would refuse, found before it is called. Pure.

The rules are those of the EventBridge User Guide (eb-event-patterns, eb-create-pattern-operators) and of the compiler
in aws/event-ruler, the library that EventBridge's matching comes from.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from shnotify.errors import ShnotifyError

WARN_SIZE = 2048
"""Characters; the default quota of an account, which AWS raises on request (eb-quota)."""
MAX_SIZE = 4096
"""Characters; the API's own limit on `EventPattern` (PutRule)."""
MAX_OR_COMBINATIONS = 1000
"""Sub-patterns that all `$or` of one pattern may multiply to (eb-quota)."""
MAX_NUMBER = 5_000_000_000
"""`numeric` knows no number beyond it, nor below its negative (eb-create-pattern-operators)."""

# event-ruler refuses these as names inside `$or` (Constants.java): there they are operators that lost their brackets.
OPERATORS = frozenset(
    {"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"}
)


class PatternError(ShnotifyError):
    """A filter that EventBridge cannot express, or a raw pattern that it would refuse.

    `path` is where in the route's configuration (`findings.exclude.types`), `message` what is wrong and what would be
    right; `problems` holds all that were found, the first of them being `path` and `message`.
    """

    exit_code = 2

    def __init__(self, path: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(message)
        self.path = path
        self.problems: list[tuple[str, str]] = [(path, message), *more]

    @classmethod
    def of(cls, problems: list[tuple[str, str]]) -> PatternError:
        """One error for a non-empty list of (path, message)."""
        (path, message), *more = problems
        return cls(path, message, *more)


def compact(pattern: dict[str, Any]) -> str:
    """The pattern as it is sent to AWS: no blanks, and no `\\u` escapes that would count six characters for one."""
    return json.dumps(pattern, ensure_ascii=False, separators=(",", ":"))


def size_warning(pattern: dict[str, Any]) -> str | None:
    """What a person should know of a pattern that only a raised quota takes; None for a pattern within the default."""
    size = len(compact(pattern))
    if size <= WARN_SIZE:
        return None
    return (
        f"the event pattern has {size:,} characters; EventBridge takes {WARN_SIZE:,} unless the account's quota "
        '"event pattern size" is raised'
    )


def check_size(pattern: dict[str, Any], path: str = "findings") -> int:
    """The pattern's size in characters; above `WARN_SIZE` the caller warns (it may need a raised quota).

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
    """The raw pattern itself, when EventBridge would accept its form. Raises PatternError with every problem in it."""
    if not isinstance(raw, dict):
        raise PatternError(path, "must be a mapping of event fields, such as {source: [aws.securityhub]}")
    problems = list(_object(raw, path, inside_or=False))
    if not problems:
        combinations = _combinations(raw)
        if combinations > MAX_OR_COMBINATIONS:
            text = f"its $or lists multiply to {combinations:,} combinations; EventBridge takes {MAX_OR_COMBINATIONS:,}"
            problems.append((path, text))
    if problems:
        raise PatternError.of(problems)
    return raw


def is_or(key: str, value: object) -> bool:
    """Whether this is the `$or` operator and not a field of that name: event-ruler reads it so only above a list."""
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
            for number, item in enumerate(value):
                yield from _value(item, f"{here}[{number}]")


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
            # event-ruler lets the later one replace the earlier, so the AND a reader sees would not be one.
            yield here, f"'{leaf}' stands beside $or too; EventBridge would not AND them: put it into every branch"
        yield from _object(branch, here, inside_or=True)


def _leaves(node: dict[Any, Any], prefix: str = "") -> Iterator[str]:
    """The dotted names of all fields in a pattern, `$or` looked through."""
    for key, value in node.items():
        if is_or(key, value):
            for branch in value:
                if isinstance(branch, dict):
                    yield from _leaves(branch, prefix)
        elif isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _combinations(node: dict[str, Any]) -> int:
    """How many plain patterns the `$or`s multiply to."""
    return math.prod(
        sum(_combinations(branch) for branch in value) if is_or(key, value) else _combinations(value)
        for key, value in node.items()
        if isinstance(value, dict) or is_or(key, value)
    )


def _value(item: object, path: str) -> Problems:
    if isinstance(item, dict):
        yield from _operator(item, path)
    elif isinstance(item, float) and not math.isfinite(item):
        yield path, "must be a finite number"
    elif isinstance(item, int) and len(str(item)) == 12:  # would never match: ids of accounts are text in every event
        yield path, f'looks like an account id, and those are text: write it in quotes, "{item}"'
    elif not isinstance(item, str | int | float | None):
        yield path, f"must be text, a number, true, false, null or an operator, not {_shown(item)}"


def _operator(item: dict[Any, Any], path: str) -> Problems:
    if len(item) != 1:
        yield path, "an operator is a mapping with exactly one name, such as {prefix: abc}"
        return
    ((name, value),) = item.items()
    here = f"{path}.{name}"
    match name:
        case "prefix" | "suffix":
            text = value.get("equals-ignore-case") if isinstance(value, dict) and len(value) == 1 else value
            if not isinstance(text, str):
                yield here, "takes a text, or {equals-ignore-case: a text}"
        case "equals-ignore-case":
            if not isinstance(value, str):
                yield here, "takes a text"
        case "wildcard":
            yield from _wildcard(value, here)
        case "exists":
            if not isinstance(value, bool):
                yield here, "takes true or false"
        case "cidr":
            yield from _cidr(value, here)
        case "numeric":
            yield from _numeric(value, here)
        case "anything-but":
            yield from _anything_but(value, here)
        case _:
            yield here, f"no such operator (names are case-sensitive); there are {', '.join(sorted(OPERATORS))}"


def _wildcard(value: object, path: str) -> Problems:
    if not isinstance(value, str):
        yield path, "takes a text"
    elif re.search(r"\\(?![*\\])", re.sub(r"\\[*\\]", "", value)):
        yield path, r"a backslash may only stand before * or \ "[:-1]
    elif "**" in re.sub(r"\\[*\\]", "", value):
        yield path, "two wildcards may not stand side by side"


def _cidr(value: object, path: str) -> Problems:
    address, slash, bits = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        length: int = ipaddress.ip_address(address).max_prefixlen
    except ValueError:
        length = 0
    if not slash or not bits.isdecimal() or int(bits) >= length:
        yield path, "takes an address and a mask shorter than the address, such as 10.0.0.0/24"


def _numeric(value: object, path: str) -> Problems:
    terms = value if isinstance(value, list) else []
    operators, numbers = terms[::2], terms[1::2]
    known = [["="], ["<"], ["<="], [">"], [">="], [">", "<"], [">", "<="], [">=", "<"], [">=", "<="]]
    if operators not in known or len(numbers) != len(operators) or not all(_is_number(number) for number in numbers):
        yield path, 'takes ["=", n], ["<", n], [">", n] or a range such as [">", 0, "<=", 5] (lower end first)'
    elif not all(abs(number) <= MAX_NUMBER for number in numbers):
        yield path, f"EventBridge compares numbers from -{MAX_NUMBER:,} to {MAX_NUMBER:,} only"
    elif len(numbers) == 2 and not _range_holds_something(operators, numbers):
        yield path, "the range is empty"


def _range_holds_something(operators: list[str], numbers: list[float]) -> bool:
    bottom, top = numbers
    return bottom < top or (bottom == top and operators == [">=", "<="])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _anything_but(value: object, path: str) -> Problems:
    if isinstance(value, dict):
        name = next(iter(value), None)
        values = value.get(name)
        values = values if isinstance(values, list) else [values]
        if len(value) != 1 or name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            yield path, "takes a value, a list, or one of prefix, suffix, equals-ignore-case, wildcard"
        elif not values or not all(isinstance(item, str) for item in values):
            yield f"{path}.{name}", "takes a text or a list of texts"
        elif name in ("prefix", "suffix") and "" in values:
            yield f"{path}.{name}", "an empty text would exclude everything"
        elif name == "wildcard":
            for item in values:
                yield from _wildcard(item, f"{path}.{name}")
        return
    values = value if isinstance(value, list) else [value]
    if not values or not (all(isinstance(v, str) for v in values) or all(_is_number(v) for v in values)):
        yield path, "takes texts only or numbers only (no true, false, null or empty list)"


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)
