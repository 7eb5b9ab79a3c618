"""The operators in an event pattern's lists: which there are, and what each takes. Pure.

The rules are those of the EventBridge User Guide (eb-create-pattern-operators) and of the compiler
in aws/event-ruler.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterator
from typing import Any

MAX_NUMBER = 5_000_000_000
"""`numeric` knows no number beyond it, nor below its negative (eb-create-pattern-operators)."""

# event-ruler refuses these as names inside `$or` (Constants.java): there they are operators that
# lost their brackets.
OPERATORS = frozenset(
    {
        "anything-but",
        "cidr",
        "equals-ignore-case",
        "exists",
        "numeric",
        "prefix",
        "suffix",
        "wildcard",
    }
)

Problems = Iterator[tuple[str, str]]


def is_of_fields(item: dict[Any, Any]) -> bool:
    """Tells whether a mapping in a list names fields of the event and no operator."""
    from difflib import get_close_matches

    inner = all(isinstance(value, dict | list) for value in item.values())
    near = any(get_close_matches(str(name).lower(), OPERATORS, n=1, cutoff=0.7) for name in item)
    return bool(item) and inner and not near


def operator_problems(item: dict[Any, Any], path: str) -> Problems:
    if len(item) != 1:
        yield path, "an operator is a mapping with exactly one name, such as {prefix: abc}"
        return
    ((name, value),) = item.items()
    here = f"{path}.{name}"
    match name:
        case "prefix" | "suffix":
            text = (
                value.get("equals-ignore-case")
                if isinstance(value, dict) and len(value) == 1
                else value
            )
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
            from difflib import get_close_matches

            near = get_close_matches(str(name).lower(), sorted(OPERATORS), n=1, cutoff=0.7)
            hint = (
                f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(OPERATORS))}"
            )
            yield here, f"no such operator (names are case-sensitive); {hint}"


def _wildcard(value: object, path: str) -> Problems:
    if not isinstance(value, str):
        yield path, "takes a text"
    elif re.search(r"\\(?![*\\])", re.sub(r"\\[*\\]", "", value)):
        yield path, r"a backslash may only stand before * or \ "[:-1]
    elif "**" in re.sub(r"\\[*\\]", "x", value):  # an escaped one stands between
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
    known = [
        ["="],
        ["<"],
        ["<="],
        [">"],
        [">="],
        [">", "<"],
        [">", "<="],
        [">=", "<"],
        [">=", "<="],
    ]
    if (
        operators not in known
        or len(numbers) != len(operators)
        or not all(_is_number(number) for number in numbers)
    ):
        yield (
            path,
            'takes ["=", n], ["<", n], [">", n] or a range such as [">", 0, "<=", 5] (lower end first)',
        )
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
            yield (
                path,
                "takes a value, a list, or one of prefix, suffix, equals-ignore-case, wildcard",
            )
        elif not values or not all(isinstance(item, str) for item in values):
            yield f"{path}.{name}", "takes a text or a list of texts"
        elif name in ("prefix", "suffix") and "" in values:
            yield f"{path}.{name}", "an empty text would exclude everything"
        elif name == "wildcard":
            for item in values:
                yield from _wildcard(item, f"{path}.{name}")
        return
    values = value if isinstance(value, list) else [value]
    if not values or not (
        all(isinstance(v, str) for v in values) or all(_is_number(v) for v in values)
    ):
        yield path, "takes texts only or numbers only (no true, false, null or empty list)"
