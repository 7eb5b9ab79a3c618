"""EventBridge's matching, offline: does an event match a pattern, and if not, which field stopped
it. Pure.

The rules are those of the EventBridge User Guide (eb-create-pattern-operators, eb-event-patterns-
arrays): an event is a set of fields with dotted names, arrays are looked through without an index,
and a field matches when any of its values matches any entry of the pattern's list. Two fields below
one array may match in different entries of it: the guide does not say otherwise, and a Security Hub
event holds a single finding. `only_across_entries` tells where it matters.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shnotify.findings.patternoperators import MAX_NUMBER
from shnotify.findings.patternsyntax import is_or
from shnotify.findings.vocabulary import SCHEMAS
from shnotify.frozen import frozen

Leaf = str | int | float | bool | None


@frozen
class Mismatch:
    """A field that stopped an event.

    `actual`: its value, a list when it has several, None when it is absent.
    """

    path: str
    expected: list[Any]
    actual: Any

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "expected": self.expected, "actual": self.actual}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Tells whether EventBridge would hand the event to a rule with this valid pattern."""
    return not explain(pattern, event)


def explain(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> list[Mismatch]:
    """Lists the fields that stop the event; empty when the event matches.

    Of the branches of an `$or`, none of which matches, the nearest miss is told.
    """
    fields: dict[str, list[Leaf]] = {}
    _flatten(event, "", fields)
    return list(_mismatches(pattern, "", fields))


def only_across_entries(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Tells whether the event matches only by different entries of one array.

    aws/event-ruler has both readings; which one EventBridge takes is not documented.
    """
    alternatives = itertools.islice(_with_one_entry(event, _shape([pattern])), 10_000)
    return matches(pattern, event) and not any(matches(pattern, one) for one in alternatives)


def _shape(nodes: list[Any]) -> dict[str, Any]:
    """Lists the fields of a pattern that hold together or in turn, without their values."""
    below: dict[str, list[Any]] = {}
    for node in nodes:
        for key, value in node.items():
            if is_or(key, value):
                nodes.extend(value)
            else:
                below.setdefault(key, []).extend([value] if isinstance(value, Mapping) else [])
    return {key: _shape(inner) for key, inner in below.items()}


def _with_one_entry(node: Any, shape: Mapping[str, Any]) -> Iterator[Any]:
    """Yields the event with a single entry of each array of objects, in every combination."""
    if isinstance(node, list) and any(isinstance(item, Mapping | list) for item in node):
        for item in node:
            yield from _with_one_entry(item, shape)
    elif isinstance(node, Mapping):
        kept = [key for key in shape if key in node]
        ways = [list(_with_one_entry(node[key], shape[key])) for key in kept]
        yield from (dict(zip(kept, way, strict=True)) for way in itertools.product(*ways))
    else:
        yield node


def _flatten(node: Any, path: str, fields: dict[str, list[Leaf]]) -> None:
    """Maps each dotted name of an event to all values there.

    An array adds nothing to the name, an empty one no value.
    """
    if isinstance(node, Mapping):
        for key, value in node.items():
            _flatten(value, f"{path}.{key}" if path else key, fields)
    elif isinstance(node, list):
        for item in node:
            _flatten(item, path, fields)
    else:
        fields.setdefault(path, []).append(node)


def _mismatches(
    pattern: Mapping[str, Any], path: str, fields: Mapping[str, list[Leaf]]
) -> Iterator[Mismatch]:
    for key, expected in pattern.items():
        here = f"{path}.{key}" if path else key
        if is_or(key, expected):
            yield from _nearest([list(_mismatches(branch, path, fields)) for branch in expected])
        elif isinstance(expected, Mapping):
            yield from _mismatches(expected, here, fields)
        else:
            values = fields.get(here, [])
            if not any(accepts(entry, values) for entry in expected):
                yield Mismatch(
                    here, expected, values if len(values) > 1 else next(iter(values), None)
                )


_SERVICE = ("source", "detail-type")
_PRODUCT = tuple(
    f"detail.findings.{'.'.join(schema.paths['products'])}" for schema in SCHEMAS["both"]
)
_MARK = ("detail.findings.UserDefinedFields.", "detail.findings.comment")


def _nearest(branches: list[list[Mismatch]]) -> list[Mismatch]:
    """Picks the branch of an `$or` that was meant for the event and that fails by the fewest
    fields.

    One for another service, for another product or for what was mailed before was not meant for it,
    however little is amiss there. What branches that miss it by the same fields want is told
    together.
    """
    best = min(branches, key=_distance)
    alike = [branch for branch in branches if [m.path for m in branch] == [m.path for m in best]]
    told = []
    for number, mismatch in enumerate(best):
        entries = [entry for branch in alike for entry in branch[number].expected]
        once = [entry for position, entry in enumerate(entries) if entry not in entries[:position]]
        told.append(Mismatch(mismatch.path, once, mismatch.actual))
    return told


def _distance(branch: list[Mismatch]) -> tuple[int, int, int]:
    service = sum(m.path in _SERVICE for m in branch)
    return service, sum(m.path in _PRODUCT or m.path.startswith(_MARK) for m in branch), len(branch)


def accepts(entry: Any, values: list[Leaf]) -> bool:
    """Tells whether one entry of a pattern's list matches a field with these values."""
    if not isinstance(entry, Mapping):
        return any(_form(entry) == _form(value) for value in values)
    ((name, operand),) = entry.items()
    if name == "exists":
        return bool(values) is operand
    return any(_OPERATORS[name](operand, value) for value in values)


def _form(value: Leaf) -> str:
    """Returns a value's JSON text, by which numbers compare: 300 and 300.0 differ
    (eb-event-patterns).
    """
    return json.dumps(value, ensure_ascii=False)


def _prefix(operand: Any, value: Leaf) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.casefold().startswith(
            operand["equals-ignore-case"].casefold()
        )
    return isinstance(value, str) and value.startswith(operand)


def _suffix(operand: Any, value: Leaf) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.casefold().endswith(
            operand["equals-ignore-case"].casefold()
        )
    return isinstance(value, str) and value.endswith(operand)


def _equals_ignore_case(operand: Any, value: Leaf) -> bool:
    return isinstance(value, str) and value.casefold() == operand.casefold()


def _wildcard(operand: Any, value: Leaf) -> bool:
    """Compiles a wildcard: `*` is any text, `\\*` an asterisk and `\\\\` a backslash."""
    parts = re.findall(r"\\.|.", operand, re.DOTALL)
    expression = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _numeric(operand: Any, value: Leaf) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_NUMBER:
        return False
    return all(
        _COMPARE[sign](value, number)
        for sign, number in zip(operand[::2], operand[1::2], strict=True)
    )


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _cidr(operand: Any, value: Leaf) -> bool:
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in ipaddress.ip_network(
            operand, strict=False
        )
    except ValueError:
        return False


def _anything_but(operand: Any, value: Leaf) -> bool:
    """Tells whether the value differs from every excluded one, whatever its type.

    An absent field never gets here.
    """
    if isinstance(operand, Mapping):
        ((name, excluded),) = operand.items()
        excluded = excluded if isinstance(excluded, list) else [excluded]
        return not any(_OPERATORS[name](one, value) for one in excluded)
    excluded = operand if isinstance(operand, list) else [operand]
    return all(_form(one) != _form(value) for one in excluded)


_OPERATORS: dict[str, Callable[[Any, Leaf], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
