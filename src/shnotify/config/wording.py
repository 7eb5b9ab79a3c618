"""The mistakes that the models find, in our words, and where each stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from shnotify.config.advised import instead
from shnotify.config.yamlfile import Path
from shnotify.schema.scalars import shown

_KEYS = ("managed", "existing")


_ALTERNATIVES: dict[Any, tuple[str, ...]] = {
    "topic_key": _KEYS,
    "dlq_key": _KEYS,
    "products": ("names", "thresholds", "any"),
}
"""Fields that are written in several ways -> the names pydantic's locations have for them (the
models' `Tag`s).
"""


def is_derived(data: Any, detail: Any) -> bool:
    """Tells whether an error is about a default made from a name that is itself wrong."""
    loc = detail["loc"]
    made = detail["type"] == "value_error" and loc[-1] in ("name", "alias", "description")
    return made and real_path(data, loc, missing=False)[-1:] != loc[-1:]


def in_words(data: Any, model: type[BaseModel], detail: Any) -> tuple[Path, str, bool]:
    """Turns one of pydantic's errors into path, message, and whether the key is meant."""
    path = real_path(data, detail["loc"], missing=detail["type"] == "missing")
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        return path, _unknown(model, path), True
    if advice := instead(kind, path, value):
        return path, advice, False
    return path, _message(kind, context, value) or str(detail["msg"]), False


def _message(kind: str, context: dict[str, Any], value: Any) -> str | None:
    """Says what is wrong with a value, whatever the field."""
    match kind:
        case "missing":
            return "is required"
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return f"must be one of {context['expected']}{_suggest(value, context['expected'])}"
        case "string_type":
            return f"must be text{_quoting(value)}"
        case "bool_type":
            return f"must be true or false, not {_shown(value)}"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"must be a whole number, not {_shown(value)}"
        case "greater_than_equal" | "less_than_equal":
            sign = "at least" if kind == "greater_than_equal" else "at most"
            return f"must be {sign} {context.get('ge', context.get('le'))}"
        case "tuple_type" | "list_type":
            return f"must be a list, not {_kind(value)}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a mapping, not {_kind(value)}"
        case "none_required":
            return f"must be a list, a mapping or `any`, not {_kind(value)}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "too_long" | "string_too_long":
            return f"is too long: at most {context.get('max_length')}"
    return None


def real_path(data: Any, loc: tuple[str | int, ...], *, missing: bool) -> Path:
    """Removes the names of alternatives from pydantic's location."""
    path: list[str | int] = []
    for number, part in enumerate(loc):
        if number and part in _ALTERNATIVES.get(loc[number - 1], ()):
            continue
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:  # a field that the file does not have: nothing of it is
            return (*path, part) if missing else tuple(path)
        path.append(part)
    return tuple(path)


def _unknown(model: type[BaseModel], path: Path) -> str:
    """Says what is wrong with a field that its section does not have."""
    known = sorted(_fields_at(model, path[:-1]))
    if path[-1] in known:
        if path[-1] == "rotation":
            return "an existing key is never changed: take `rotation` out"
        return "cannot stand here: it belongs to the other way to write this"
    close = get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
    return f"unknown field{f': did you mean {close[0]!r}?' if close else ''}"


def _fields_at(model: type[BaseModel], path: Path) -> set[str]:
    """Lists the known fields of a section, in all its forms, by the models' JSON schema."""
    root = model.model_json_schema()
    nodes = list(_plain(root, root))
    for part in path:
        below: list[dict[str, Any]] = []
        for node in nodes:
            inner = (
                node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
            )
            below += _plain(inner, root) if inner else []
        nodes = below
    return {name for node in nodes for name in node.get("properties", ())}


def _plain(node: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Resolves references and alternatives of a schema."""
    if "$ref" in node:
        yield from _plain(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    for alternative in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _plain(alternative, root)
    yield node


def _suggest(value: Any, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    close = get_close_matches(str(value).upper(), [n.upper() for n in names], n=1, cutoff=0.6)
    spelled = [n for n in names if n.upper() in close]
    return f": did you mean {spelled[0]}?" if spelled else f", not {_shown(value)}"


def _quoting(value: Any) -> str:
    """Says what to write instead of a value that YAML took for something else."""
    if isinstance(value, bool | float):
        return ": write it in quotes"  # as it stands in the file: True, 1.10
    return f': write it in quotes, "{value}"' if isinstance(value, int) else f", not {_kind(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value).lower() if isinstance(value, bool) else shown(value)
    return _kind(value)


def _kind(value: Any) -> str:
    kinds: list[tuple[type, str]] = [
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
    ]
    kinds += [(dict, "a mapping"), (list, "a list"), (tuple, "a list"), (type(None), "nothing")]
    return next((words for kind, words in kinds if isinstance(value, kind)), "this")
