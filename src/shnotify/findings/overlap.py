"""Two event patterns: is there an event that both let through? Only what is shown by an example is
said. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shnotify.findings import eventshape as known
from shnotify.findings.alternatives import Alternative, Condition, alternatives
from shnotify.findings.matching import accepts

Example = dict[str, Any]
"""Dotted name -> the value that both patterns take; None for an absent field."""

_MOST_PAIRS = 2_500
_STAND_INS = ("stand-in", "123456789012")
"""Values for a field that a pattern only excludes from."""
_VALUES = {
    "source": (known.SOURCE,),
    "detail-type": known.DETAIL_TYPES,
    **{
        f"detail.findings.{name}": values
        for shape in (known.ASFF, known.OCSF)
        for name, values in shape.values.items()
    },
}
_CONTROLS = ("detail.findings.Compliance.SecurityControlId", "detail.findings.compliance.control")
_PRODUCTS = ("detail.findings.ProductArn", "detail.findings.metadata.product.uid")
_OWN = ("/aws/securityhub", "/aws/securityhub-coverage")


def shared_example(first: Mapping[str, Any], second: Mapping[str, Any]) -> Example | None:
    """Returns an event that both patterns let through, or None when none was found."""
    one, other = alternatives(first), alternatives(second)
    if len(one) * len(other) > _MOST_PAIRS:
        return None
    for here in one:
        for there in other:
            example = _example(here, there)
            if example is not None:
                return example
    return None


def examples(pattern: Mapping[str, Any]) -> Iterator[Example]:
    """Yields events that the pattern lets through: for each field every value that it names, beside
    the first of all other fields.
    """
    for one in alternatives(pattern):
        taken = {condition.field: _taken(condition) for condition in one}
        first = {field: values[0] for field, values in taken.items()}
        yield from ({**first, field: value} for field, values in taken.items() for value in values)


def _taken(condition: Condition) -> list[Any]:
    """Lists the values that a condition names; a stand-in when it only names what it excludes."""
    named = [value for entry in condition.entries for value in _samples(entry)]
    listed = _VALUES.get(condition.field, named)
    found = [value for value in dict.fromkeys(listed) if _all_take([condition], value)]
    others = (value for value in (*_STAND_INS, None) if _all_take([condition], value))
    return found or [next(others, None)]


def event_of(example: Mapping[str, Any]) -> dict[str, Any]:
    """Makes the event of an example, with one finding in it as AWS sends it."""
    event: dict[str, Any] = {}
    for field, value in example.items():
        if value is not None:
            *names, last = field.split(".")
            node = event
            for name in names:
                node = node.setdefault(name, {})
            node[last] = value
    detail = event.get("detail")
    if isinstance(detail, dict) and isinstance(detail.get("findings"), dict):
        detail["findings"] = [detail["findings"]]
    return event


def _example(here: Alternative, there: Alternative) -> Example | None:
    by_field: dict[str, list[Condition]] = {}
    for condition in (*here, *there):
        by_field.setdefault(condition.field, []).append(condition)
    example: Example = {}
    for field, conditions in by_field.items():
        candidates = [
            value for value in _candidates(field, conditions) if _all_take(conditions, value)
        ]
        if not candidates:
            return None
        example[field] = candidates[0]
    return example if _makes_sense(example) else None


def _candidates(field: str, conditions: list[Condition]) -> Iterable[Any]:
    if field in _VALUES:
        yield from _VALUES[field]
    else:
        for condition in conditions:
            for entry in condition.entries:
                yield from _samples(entry)
        yield from _STAND_INS
    yield None


def _samples(entry: Any) -> Iterable[Any]:
    """Yields values that an entry of a pattern's list takes."""
    if not isinstance(entry, Mapping):
        yield entry
        return
    ((name, operand),) = entry.items()
    while isinstance(operand, Mapping):
        operand = next(iter(operand.values()))
    match name, operand:
        case "prefix" | "equals-ignore-case", str():
            yield operand
        case "suffix", str():
            yield operand
            yield f"arn:aws:securityhub:us-east-1:{operand}"
        case "wildcard", str():
            yield operand.replace("*", "")
        case "numeric", list():
            numbers = operand[1::2]
            yield from (
                *numbers,
                *(number + 1 for number in numbers),
                *(number - 1 for number in numbers),
            )


def _all_take(conditions: list[Condition], value: Any) -> bool:
    values = [] if value is None else [value]
    return all(
        any(accepts(entry, values) for entry in condition.entries) for condition in conditions
    )


def _makes_sense(example: Example) -> bool:
    """Tells whether there are such findings: only Security Hub's own have controls."""
    control = any(example.get(field) is not None for field in _CONTROLS)
    products = [str(example[field]) for field in _PRODUCTS if example.get(field) is not None]
    return not control or all(
        product.endswith(_OWN) or product == "stand-in" for product in products
    )
