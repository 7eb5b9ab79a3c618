"""A property's change as a person reads it: what was, what will be, nothing cut."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import ndiff
from typing import Any

from shnotify.engine.resource import Change
from shnotify.engine.values import Policy, Tags
from shnotify.escaping import escaped_line
from shnotify.terminal.styled import Text
from shnotify.terminal.values_view import (
    condition_words,
    is_empty,
    lines,
    show,
    statement_words,
    statements_of,
)


def change_lines(change: Change, between: str, *, created: bool = False) -> Iterator[Text]:
    """Writes a change as `Path: before → after`; `between` stands between the two.

    Policies by statement, in words first; patterns and templates by line.
    """
    before, after = change.before, change.after
    if isinstance(after, Policy) or isinstance(before, Policy):
        yield Text(f"    {change.path}:")
        yield from _policy_lines(before, after, between, created=created)
    elif created:
        yield from _value(change.path, after)
    elif isinstance(before, Tags) and isinstance(after, Tags):
        yield Text(f"    {change.path}: {_tag_changes(before, after, between)}")
    else:
        yield from _value_lines(change.path, before, after, between)


def _value(path: str, value: Any) -> Iterator[Text]:
    """Writes a new thing's property; nothing of an empty one."""
    if is_empty(value):
        return
    inner = lines(value)
    if inner is None:
        yield Text(f"    {path}: {show(value)}")
        return
    yield Text(f"    {path}:")
    yield from (Text(f"      {line}") for line in inner)


def _value_lines(path: str, before: Any, after: Any, between: str) -> Iterator[Text]:
    """Writes `path: before → after`; of mappings what differs, of longer texts line by line."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key):
                yield from _value_lines(
                    f"{path}.{escaped_line(key)}", before.get(key), after.get(key), between
                )
        return
    if lines(before) or lines(after):
        yield Text(f"    {path}:")
        yield from _line_changes(before, after)
        return
    yield Text(f"    {path}: {show(before)}{between}{show(after)}")


def _line_changes(before: Any, after: Any) -> Iterator[Text]:
    """Writes the lines of both values, with `-` before what goes and `+` before what comes."""
    old, new = (
        [] if is_empty(value) else lines(value) or [show(value)] for value in (before, after)
    )
    for line in ndiff(old, new):
        if not line.startswith("?"):
            style = {"-": "red", "+": "green"}.get(line[0], "")
            yield Text(f"      {line}", style)


def _tag_changes(before: Tags, after: Tags, between: str) -> str:
    old = before.to_dict()
    parts = (
        f"{escaped_line(k)}: {show(old.get(k))}{between}{show(v)}"
        for k, v in sorted(after.minus(before).pairs)
    )
    return ", ".join(parts)


def _policy_lines(
    before: Policy | None, after: Policy | None, between: str, *, created: bool
) -> Iterator[Text]:
    old, new = statements_of(before), statements_of(after)
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in new:
            words = statement_words(old[name])
            yield Text(f"      - {escaped_line(name)}: {words}", "red")
        elif name not in old:
            words = statement_words(new[name])
            yield Text(f"      + {escaped_line(name)}: {words}", "green")
            if created:
                yield Text(f"        {show(new[name])}", "dim")
        elif Policy({"Statement": [old[name]]}) != Policy({"Statement": [new[name]]}):
            yield Text(f"      ~ {escaped_line(name)}", "yellow")
            yield from _statement_changes(old[name], new[name], between)


def _statement_changes(old: dict[str, Any], new: dict[str, Any], between: str) -> Iterator[Text]:
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            was, becomes = (
                condition_words(one[key])
                if key == "Condition" and key in one
                else show(one.get(key))
                for one in (old, new)
            )
            yield Text(f"          {escaped_line(key)}: {was}{between}{becomes}")
