"""Values as a person reads them: patterns, policies and templates in lines, nothing cut. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shnotify.engine.values import Late, Pattern, Policy, to_json
from shnotify.escaping import escaped_line

_IS = {
    "StringEquals": "is",
    "StringEqualsIgnoreCase": "is",
    "ArnEquals": "is",
    "ArnLike": "is like",
    "StringLike": "is like",
    "Bool": "is",
    "StringNotEquals": "is not",
    "ArnNotEquals": "is not",
    "ArnNotLike": "is not like",
    "StringNotLike": "is not like",
}
"""IAM's condition operators (IAM User Guide, condition operators) that a word stands for."""


def show(value: Any) -> str:
    """Shows a value on one line, whole."""
    if value is None:
        return "(none)"
    if isinstance(value, Late):
        return "(known after apply)"
    plain = to_json(value)
    if isinstance(plain, str):
        return escaped_line(plain) if plain else '""'
    return escaped_line(json.dumps(plain, ensure_ascii=False, separators=(", ", ": ")))


def is_empty(value: Any) -> bool:
    """Tells whether there is nothing to show of a value: no tags, an empty group or text."""
    return value is None or to_json(value) in ("", {}, [])


def lines(value: Any) -> list[str] | None:
    """Returns the lines of a value that does not read well on one; None for a value that does."""
    if isinstance(value, Pattern):
        return pattern_lines(value.document)
    if isinstance(value, Mapping):
        return list(_mapping_lines(value))
    if isinstance(value, str) and "\n" in value and not isinstance(value, Late):
        texts = [_template_text(line) for line in value.split("\n")]
        return (
            [escaped_line(text) for text in texts if text is not None]
            if None not in texts
            else None
        )
    return None


def _mapping_lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, item in value.items():
        if is_empty(item):
            continue
        inner = lines(item)
        if inner is None:
            yield f"{escaped_line(key)}: {show(item)}"
            continue
        yield f"{escaped_line(key)}:"
        yield from (f"  {line}" for line in inner)


def _template_text(line: str) -> str | None:
    """Returns the text that a line of an input template stands for; None for another text's line."""
    try:
        text = json.loads(line)
    except ValueError:
        return None
    return text if isinstance(text, str) else None


def pattern_lines(pattern: Mapping[str, Any], path: str = "") -> list[str]:
    """Writes an event pattern as `path: value or value`, one field a line."""
    found: list[str] = []
    for key, item in pattern.items():
        here = f"{path}.{key}" if path else key
        if key == "$or" and isinstance(item, list):
            found.append(f"{escaped_line(path or 'event')}: one of these:")
            for branch in item:
                inner = (
                    pattern_lines(branch, path) if isinstance(branch, Mapping) else [show(branch)]
                )
                found += [
                    f"  {'* ' if number == 0 else '  '}{line}" for number, line in enumerate(inner)
                ]
        elif isinstance(item, Mapping):
            found += pattern_lines(item, here) or [f"{escaped_line(here)}: {{}}"]
        else:
            found.append(f"{escaped_line(here)}: {_matchers(item)}")
    return found


def _matchers(item: Any) -> str:
    values = item if isinstance(item, list) else [item]
    return " or ".join(_matcher(value) for value in values) or "[]"


def _matcher(value: Any) -> str:
    """Writes one matcher: a value, or `prefix "x"` for `{"prefix": "x"}`."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(name, of)] = value.items()
        words = _matchers(of) if isinstance(of, list) and name != "numeric" else show(of)
        return f"{escaped_line(str(name))} {words}"
    return (
        show(value)
        if isinstance(value, str) and value
        else escaped_line(json.dumps(to_json(value)))
    )


def statement_name(index: int, statement: Mapping[str, Any]) -> str:
    """Returns the statement's Sid, or its place."""
    return str(statement.get("Sid") or f"statement {index + 1}")


def statement_words(statement: Mapping[str, Any]) -> str:
    """Writes a statement in words: who may do what, and when."""
    principal = statement.get("Principal", statement.get("Resource"))
    who = (
        ", ".join(_text(value) for value in principal.values())
        if isinstance(principal, Mapping)
        else show(principal)
    )
    who = who if "Principal" in statement else f"on {who}"
    action = statement.get("Action")
    what = _text(action) if isinstance(action, list | str) else show(action)
    condition = f" if {condition_words(statement['Condition'])}" if "Condition" in statement else ""
    return escaped_line(f"{statement.get('Effect')} {who}: {what}{condition}")


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def condition_words(condition: Any) -> str:
    """Writes a statement's `Condition` in words: `aws:SourceArn is ... or ...`."""
    if not isinstance(condition, Mapping):
        return show(condition)
    parts: list[str] = []
    for operator, keys in condition.items():
        if not isinstance(keys, Mapping):
            parts.append(f"{operator} {show(keys)}")
            continue
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            word = _IS.get(operator, operator)
            parts.append(
                f"{key} {word} {' or '.join(show(value) for value in listed) or '(nothing)'}"
            )
    return " and ".join(parts)


def statements_of(policy: Policy | None) -> dict[str, dict[str, Any]]:
    """Maps each statement's name to the statement."""
    found = policy.statements if policy else []
    return {statement_name(index, one): one for index, one in enumerate(found)}
