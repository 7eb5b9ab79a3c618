"""Can a raw event pattern ever match an event of Security Hub? If not: where it fails, and what
would be right. Pure.

Judged is what AWS documents; what nobody can know (a field of a product's own, another service's
event) passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from shnotify.findings import eventshape as known
from shnotify.findings.alternatives import Alternative, Condition, alternatives
from shnotify.findings.counterparts import right_name, right_value
from shnotify.findings.eventshape import Shape
from shnotify.findings.matching import accepts

Found = tuple[str, str]
"""Where in the pattern, and what is wrong there."""

_FINDINGS = "detail.findings."


def never_matches(pattern: Mapping[str, Any]) -> list[Found]:
    """Says why no event of Security Hub ever matches the pattern.

    Empty when one can, or when nobody can know.

    The pattern must be well formed (`validate_pattern`).
    """
    found: list[Found] = []
    for one in alternatives(pattern):
        faults = _faults(one)
        if not faults:
            return []
        found += faults
    return list(dict.fromkeys(found))


def never_by_itself(pattern: Mapping[str, Any]) -> str:
    """Says what the pattern lets through instead of new and changed findings; "" when it lets them."""
    kinds: list[str] = []
    for one in alternatives(pattern):
        kind = next((condition for condition in one if condition.field == "detail-type"), None)
        if kind is None or any(
            _accepts(kind, name) for name in (known.IMPORTED, known.HUB_IMPORTED)
        ):
            return ""
        kinds += [name for name in known.DETAIL_TYPES if _accepts(kind, name)]
    return " or ".join(dict.fromkeys(kinds))


def strange_envelope(pattern: Mapping[str, Any], account: str, region: str) -> str:
    """Names a condition beside the finding that no event need meet that Security Hub sends here.

    "" when there is none. An event that another account or Region forwards keeps its own
    (eb-cross-account).
    """
    finding = f"arn:aws:securityhub:{region}::product/aws/securityhub/stand-in"
    here = {"account": account, "region": region, "version": "0", "resources": finding}
    strange: list[str] = []
    for one in alternatives(pattern):
        beside = [each for each in one if each.field in _BESIDE]
        odd = [each for each in beside if not _accepts(each, here.get(each.field))]
        if not odd:
            return ""
        strange += [f"{each.field} {_said(each)}" for each in odd]
    return strange[0] if strange else ""


_BESIDE = ("account", "region", "version", "resources", "id", "time", "replay-name")


def dead_parts(pattern: Mapping[str, Any]) -> list[Found]:
    """Finds parts that can match nothing while the rest of the pattern can."""
    found: list[Found] = []
    for one in alternatives(pattern):
        faults = _faults(one)
        found += faults or _dead_values(one)
    return list(dict.fromkeys(found))


def _faults(one: Alternative) -> list[Found]:
    """Says why nothing matches these conditions together."""
    by_field = {condition.field: condition for condition in one}
    source = by_field.get("source")
    found: list[Found] = []
    if source and not _accepts(source, known.SOURCE):
        near = _near(source.entries, [known.SOURCE, "securityhub"])
        if not near:
            text = f"this is not Security Hub's source ({known.SOURCE}): none of its findings matches the pattern"
            return [(source.place, text)]
        found.append(
            (_at(source), f"{_said(source)} is no source: Security Hub's is {known.SOURCE}")
        )
    found += _envelope(one)
    kind = by_field.get("detail-type")
    kinds = [name for name in known.DETAIL_TYPES if kind is None or _accepts(kind, name)]
    if kind and not kinds:
        near = _near(kind.entries, known.DETAIL_TYPES) or [known.IMPORTED]
        text = f"{_said(kind)} is no detail-type of Security Hub: did you mean {near[0]!r}?"
        found.append((_at(kind), text))
        kinds = near
    return found + _nearest_faults(one, kinds, open_kind=kind is None)


def _envelope(one: Alternative) -> Iterator[Found]:
    """Finds names that no event has beside `source` and `detail`."""
    for condition in one:
        name = condition.field.partition(".")[0]
        if name not in known.ENVELOPE and not _may_be_absent(condition):
            near = get_close_matches(name.lower(), known.ENVELOPE, n=1, cutoff=0.6)
            hint = f": did you mean {near[0]}?" if near else f" ({', '.join(known.ENVELOPE[:-1])})"
            yield condition.place, f"an event has no field {name!r}{hint}"


def _nearest_faults(one: Alternative, kinds: list[str], *, open_kind: bool) -> list[Found]:
    """Says what is wrong for the detail-type that fits best.

    Nothing as soon as one fits or cannot be judged.
    """
    conditions = [condition for condition in one if condition.field.startswith("detail.")]
    if not conditions:
        return []
    of_findings = any(f"{condition.field}.".startswith(_FINDINGS) for condition in conditions)
    best: list[Found] | None = None
    for kind in kinds:
        shape = known.SHAPES.get(kind)
        if shape is None:
            if open_kind and (of_findings or _looks_like_a_finding(conditions)):
                continue
            return []
        faults = [fault for condition in conditions for fault in _detail(condition, kind, shape)]
        faults = faults or list(_together(conditions, shape))
        if not faults:
            return []
        if best is None or len(faults) < len(best):
            best = faults
    return best or []


def _looks_like_a_finding(conditions: list[Condition]) -> bool:
    names = {name.lower() for name in known.ASFF.fields | known.OCSF.fields}
    return any(condition.field.split(".")[1].lower() in names for condition in conditions)


def _detail(condition: Condition, kind: str, shape: Shape) -> Iterator[Found]:
    """Says what is wrong with one condition on the `detail` of an event of this kind."""
    if all(entry == {"exists": False} for entry in condition.entries):
        name = condition.field.removeprefix(_FINDINGS)
        if name in shape.always:
            yield condition.place, f"every finding of {kind!r} events has findings.{name}"
        return
    if _may_be_absent(condition):
        return
    name = condition.field.removeprefix("detail.")
    if name == "findings":
        yield (
            condition.place,
            "`findings` holds mappings: name a field in it, such as findings: {Id: [...]}",
        )
    elif name.startswith("findings."):
        yield from _field(condition, name.removeprefix("findings."), kind, shape)
    elif name.partition(".")[0] not in known.BESIDE.get(kind, ()):
        wanted = right_name(name, shape) or name
        right = _nested(f"findings.{wanted}")
        yield condition.place, f"the detail of these events holds `findings`: write detail: {right}"


def _field(condition: Condition, name: str, kind: str, shape: Shape) -> Iterator[Found]:
    right = right_name(name, shape)
    if right and right != name:
        text = f"{kind!r} events have no findings.{name}: write findings: {_nested(right)}"
        yield condition.place, text + _spelling(condition, right, shape)
        return
    first = name.partition(".")[0]
    below = [leaf for leaf in shape.leaves if leaf.startswith(f"{name}.")]
    if first not in shape.fields and shape.closed:
        yield condition.place, f"no field {first!r} is known in the findings of {kind!r} events"
    elif below and name not in shape.leaves:
        wanted = next((leaf for leaf in below if leaf in shape.values), below[0])
        yield condition.place, f"findings.{name} is a mapping: write findings: {_nested(wanted)}"
    elif over := [leaf for leaf in shape.leaves if name.startswith(f"{leaf}.")]:
        yield (
            condition.place,
            f"nothing stands below findings.{over[0]}: write findings: {_nested(over[0])}",
        )
    elif name in shape.values and not any(
        _accepts(condition, value) for value in shape.values[name]
    ):
        yield _at(condition), _wrong_value(condition, name, shape)


def _spelling(condition: Condition, name: str, shape: Shape) -> str:
    """Adds the right values to a message about a field, when the written values are wrong there."""
    values = shape.values.get(name)
    if not values or any(_accepts(condition, value) for value in values):
        return ""
    near = [right_value(entry, name, shape) for entry in condition.entries]
    told = [str(value) for value in near if value is not None]
    return f", with {', '.join(told)}" if told else ""


def _wrong_value(condition: Condition, name: str, shape: Shape) -> str:
    near = [right_value(entry, name, shape) for entry in condition.entries]
    told = list(dict.fromkeys(str(value) for value in near if value is not None))
    values = shape.values[name]
    numbers = all(isinstance(value, int) for value in values)
    every = f"a number from {values[0]} to {values[-1]}" if numbers else ", ".join(map(str, values))
    hint = f"write [{', '.join(told)}]" if told else f"it is one of {every}"
    if numbers:
        hint = f"it is {every}"
    return f"findings.{name} is never {_said(condition)}: {hint}"


def _together(conditions: list[Condition], shape: Shape) -> Iterator[Found]:
    """Finds conditions on the severity by word and by number that no finding meets together."""
    by_field = {condition.field.removeprefix(_FINDINGS): condition for condition in conditions}
    ocsf = shape is known.OCSF
    word, number = (
        ("severity", "severity_id") if ocsf else ("Severity.Label", "Severity.Normalized")
    )
    if word not in by_field or number not in by_field:
        return
    pairs = [
        (label, value)
        for label, low, high in known.LABELS_BY_NUMBER
        for value in range(low, high + 1)
    ]
    if ocsf:
        pairs = list(known.OCSF_SEVERITIES.items())
    if not any(
        _accepts(by_field[word], label) and _accepts(by_field[number], value)
        for label, value in pairs
    ):
        yield (
            by_field[number].place,
            f"no finding has this {number} and that {word} together: keep one of them",
        )


def _dead_values(one: Alternative) -> Iterator[Found]:
    """Finds single values that a closed list holds only in other capitals or in the other schema."""
    kind = next((condition for condition in one if condition.field == "detail-type"), None)
    shapes = {
        id(shape): shape
        for name, shape in known.SHAPES.items()
        if kind is None or _accepts(kind, name)
    }
    source = next((condition for condition in one if condition.field == "source"), None)
    if len(shapes) != 1 or (source and not _accepts(source, known.SOURCE)):
        return
    (shape,) = shapes.values()
    for condition in one:
        name = condition.field.removeprefix(_FINDINGS)
        for number, entry in enumerate(condition.entries if name in shape.values else ()):
            right = right_value(entry, name, shape)
            if right is not None and entry not in shape.values[name]:
                yield (
                    f"{condition.place}[{number}]",
                    f"findings.{name} is never {entry!r}: write {right}",
                )


def _near(entries: tuple[Any, ...], names: list[str] | tuple[str, ...]) -> list[str]:
    spelled = {name.lower(): name for name in names}
    for entry in entries:
        text = _text(entry)
        near = get_close_matches(text.lower(), sorted(spelled), n=1, cutoff=0.6) if text else []
        if near:
            return [spelled[near[0]]]
    return []


def _text(entry: Any) -> str:
    """Returns the text of a literal or of an operator on text."""
    while isinstance(entry, Mapping) and len(entry) == 1:
        entry = next(iter(entry.values()))
    return entry if isinstance(entry, str) else ""


def _accepts(condition: Condition, value: Any) -> bool:
    return any(accepts(entry, [value]) for entry in condition.entries)


def _may_be_absent(condition: Condition) -> bool:
    return any(accepts(entry, []) for entry in condition.entries)


def _at(condition: Condition) -> str:
    """Returns the place of a list's only item, or else of the list."""
    return f"{condition.place}[0]" if len(condition.entries) == 1 else condition.place


def _said(condition: Condition) -> str:
    """Writes the entries as a message shows them."""
    shown = [_shown(entry) for entry in condition.entries[:3]]
    return " or ".join(shown) + (" ..." if len(condition.entries) > 3 else "")


def _shown(entry: Any) -> str:
    if isinstance(entry, Mapping):
        return f"{{{', '.join(f'{name}: {_shown(value)}' for name, value in entry.items())}}}"
    return repr(entry)


def _nested(name: str) -> str:
    """Turns `findings.Severity.Label` into `{findings: {Severity: {Label: [...]}}}`."""
    parts = name.split(".")
    return "".join(f"{{{part}: " for part in parts) + "[...]" + "}" * len(parts)
