"""A plan as a person reads it: one block for each resource that something happens to.

Decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from shnotify.engine.plan import Plan, Step
from shnotify.engine.resource import Change
from shnotify.engine.values import Late, Pattern, Policy, Tags, to_json
from shnotify.escaping import escaped_line

STYLES: dict[str, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "adopt": ("@", "cyan"),
    "refuse": ("!", "bold red"),
    "none": ("=", "dim"),
}
CLIP = 160
"""Characters of a value in one line; `-o json` has all of it."""


def plan_lines(plan: Plan, between: str = " → ") -> Iterator[Text]:
    """Writes one block for each resource that something happens to."""
    for step in plan.steps:
        if step.action != "none" or (step.reason and step.live) or step.notes:
            yield from _step_lines(step, between)


def _step_lines(step: Step, between: str) -> Iterator[Text]:
    symbol, style = STYLES[step.action]
    kind = step.resource.CFN.removeprefix("AWS::")
    yield Text.assemble(
        (f"{symbol} {step.key}", style), f"  {escaped_line(step.resource.name)}  ", (kind, "dim")
    )
    if step.reason:
        yield Text(f"    {escaped_line(step.reason)}", "yellow")
    if step.action == "delete":
        yield from (Text(f"    {escaped_line(note)}", "yellow") for note in step.notes)
        return
    for change in step.changes:
        if (
            step.action != "create" or change.path != "Tags"
        ):  # every new resource gets the same ones; said once
            yield from change_lines(change, between, created=step.action == "create")
    yield from (Text(f"    note: {escaped_line(note)}", "dim") for note in step.notes)


def change_lines(change: Change, between: str, *, created: bool = False) -> Iterator[Text]:
    """Writes a change as `Path: before → after`; `between` stands between the two.

    Policies by statement.
    """
    before, after = change.before, change.after
    if isinstance(after, Policy) or isinstance(before, Policy):
        yield Text(f"    {change.path}:")
        yield from _policy_lines(before, after, between)
    elif created and isinstance(after, dict):
        yield Text(f"    {change.path}:")
        yield from (
            Text(f"      {escaped_line(key)}: {_clip(_show(value))}")
            for key, value in after.items()
        )
    elif created:
        yield Text(f"    {change.path}: {_show(after)}")
    elif isinstance(after, Pattern):
        yield Text(f"    {change.path}:")
        yield Text(f"      - {_show(before)}", "red")
        yield Text(f"      + {_show(after)}", "green")
    elif isinstance(before, Tags) and isinstance(after, Tags):
        yield Text(f"    {change.path}: {_tag_changes(before, after, between)}")
    else:
        yield from _value_lines(change.path, before, after, between)


def _value_lines(path: str, before: Any, after: Any, between: str) -> Iterator[Text]:
    """Writes `path: before → after`; of mappings and long texts only what differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key):
                yield from _value_lines(
                    f"{path}.{escaped_line(key)}", before.get(key), after.get(key), between
                )
        return
    old, new = _show(before), _show(after)
    if min(len(old), len(new)) > CLIP:
        same = next(
            i for i, (a, b) in enumerate(zip(old + "\0", new + "\1", strict=False)) if a != b
        )
        old, new = (f"…{text[same - 20 :]}" if same > 20 else text for text in (old, new))
    yield Text(f"    {path}: {_clip(old)}{between}{_clip(new)}")


def _tag_changes(before: Tags, after: Tags, between: str) -> str:
    old = before.to_dict()
    parts = (
        f"{k}: {_show(old.get(k))}{between}{_show(v)}" for k, v in sorted(after.minus(before).pairs)
    )
    return ", ".join(parts)


def _policy_lines(before: Policy | None, after: Policy | None, between: str) -> Iterator[Text]:
    old = {_statement_name(i, s): s for i, s in enumerate(before.statements if before else [])}
    new = {_statement_name(i, s): s for i, s in enumerate(after.statements if after else [])}
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in new:
            yield Text(f"      - {escaped_line(name)}: {_statement(old[name])}", "red")
        elif name not in old:
            yield Text(f"      + {escaped_line(name)}: {_statement(new[name])}", "green")
        elif Policy({"Statement": [old[name]]}) != Policy({"Statement": [new[name]]}):
            yield Text(f"      ~ {escaped_line(name)}", "yellow")
            for key in sorted({*old[name], *new[name]}):
                if old[name].get(key) != new[name].get(key):
                    was, becomes = _show(old[name].get(key)), _show(new[name].get(key))
                    yield Text(f"          {escaped_line(key)}: {was}{between}{becomes}")


def _statement_name(index: int, statement: dict[str, Any]) -> str:
    return str(statement.get("Sid") or f"statement {index + 1}")


def _statement(statement: dict[str, Any]) -> str:
    principal = statement.get(
        "Principal", statement.get("Resource")
    )  # a role's statement names no principal
    who = (
        ", ".join(str(v) for v in principal.values())
        if isinstance(principal, dict)
        else _show(principal)
    )
    who = who if "Principal" in statement else f"on {who}"
    action = statement.get("Action")
    what = (
        ", ".join(map(str, action))
        if isinstance(action, list) and len(action) <= 3
        else _show(action)
    )
    if isinstance(action, list) and len(action) > 3:
        what = f"{len(action)} actions"
    condition = f" if {_show(statement['Condition'])}" if "Condition" in statement else ""
    return escaped_line(f"{statement.get('Effect')} {who}: {what}{condition}")


def _clip(text: str) -> str:
    """Cuts a value to one readable line; `-o json` has the whole value."""
    return text if len(text) <= CLIP else f"{text[:CLIP]}… ({len(text)} characters)"


def _show(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, Late):
        return "(known after apply)"
    plain = to_json(value)
    if isinstance(plain, str):
        return escaped_line(plain) if plain else '""'
    return escaped_line(json.dumps(plain, ensure_ascii=False, separators=(", ", ": ")))


def summary_line(plan: Plan) -> Text:
    """Writes `Plan: 2 to create, 1 to update, 0 to delete, 4 unchanged.`"""
    parts = [f"{plan.count('create')} to create", f"{plan.count('update')} to update"]
    if plan.count("adopt"):
        parts.append(f"{plan.count('adopt')} to adopt")
    parts += [f"{plan.count('delete')} to delete", f"{plan.count('none')} unchanged"]
    if plan.refused:
        parts.append(f"{len(plan.refused)} refused")
    return Text(f"Plan: {', '.join(parts)}.", "bold")
