"""The mistakes that the models find, in our words, and where each stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from shnotify.config.yamlfile import Path
from shnotify.schema.scalars import shown

_KEYS = ("managed", "existing")


_ALTERNATIVES: dict[Any, tuple[str, ...]] = {
    "topic_key": _KEYS,
    "dlq_key": _KEYS,
    "products": ("names", "thresholds", "any"),
}
"""Fields that are written in several ways -> the names pydantic's locations have for them (the models' `Tag`s)."""


def is_derived(data: Any, detail: Any) -> bool:
    """Whether this is about a default made from a name: then the name itself is wrong, which is told already."""
    loc = detail["loc"]
    made = detail["type"] == "value_error" and loc[-1] in ("name", "alias", "description")
    return made and _real_path(data, loc, missing=False)[-1:] != loc[-1:]


def in_words(data: Any, model: type[BaseModel], detail: Any) -> tuple[Path, str, bool]:
    path = _real_path(data, detail["loc"], missing=detail["type"] == "missing")
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    match kind:
        case "missing":
            return path, "is required", False
        case "extra_forbidden":
            close = get_close_matches(str(path[-1]), _siblings(model, path), n=1, cutoff=0.5)
            if close and close[0] == path[-1]:
                return path, "cannot stand here: it belongs to the other way to write this", True
            return path, f"unknown field{f': did you mean {close[0]!r}?' if close else ''}", True
        case "value_error":
            return path, str(context["error"]), False
        case "literal_error":
            return path, f"must be one of {context['expected']}{_suggest(value, context['expected'])}", False
        case "string_type":
            return path, f"must be text{_quoting(value)}", False
        case "bool_type":
            return path, f"must be true or false, not {_shown(value)}", False
        case "int_type" | "int_parsing" | "int_from_float":
            return path, f"must be a whole number, not {_shown(value)}", False
        case "greater_than_equal" | "less_than_equal":
            sign = "at least" if kind == "greater_than_equal" else "at most"
            return path, f"must be {sign} {context.get('ge', context.get('le'))}", False
        case "tuple_type" | "list_type":
            return path, f"must be a list, not {_kind(value)}", False
        case "dict_type" | "model_type" | "model_attributes_type":
            return path, f"must be a mapping, not {_kind(value)}", False
        case "none_required":
            return path, f"must be a list, a mapping or `any`, not {_kind(value)}", False
        case "too_short" | "string_too_short":
            return path, "must not be empty", False
        case "too_long" | "string_too_long":
            return path, f"is too long: at most {context.get('max_length')}", False
    return path, str(detail["msg"]), False


def _real_path(data: Any, loc: tuple[str | int, ...], *, missing: bool) -> Path:
    """pydantic's location less the parts that are names of alternatives, not of anything in the file."""
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


def _siblings(model: type[BaseModel], path: Path) -> list[str]:
    """The known fields at the place of an unknown one."""
    names: dict[str, Any] = {"": model}
    for part in path[:-1]:
        if isinstance(part, str):
            names = {"": _model_of(names[""], part)}
    found = names[""]
    return (
        [name for one in found if one for name in one.model_fields]
        if isinstance(found, list)
        else list(found.model_fields)
    )


def _model_of(model: Any, name: str) -> Any:
    """The model, or the list of models, that a field holds."""
    models = model if isinstance(model, list) else [model]
    fields = [one.model_fields[name] for one in models if name in one.model_fields]
    return [found for field in fields for found in _models_in(field.annotation)]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
    if hasattr(annotation, "__origin__") and not getattr(annotation, "__args__", ()):
        yield from _models_in(annotation.__origin__)


def _suggest(value: Any, expected: str) -> str:
    names = re.findall(r"'([^']*)'", expected)
    close = get_close_matches(str(value).upper(), [n.upper() for n in names], n=1, cutoff=0.6)
    spelled = [n for n in names if n.upper() in close]
    return f": did you mean {spelled[0]}?" if spelled else f", not {_shown(value)}"


def _quoting(value: Any) -> str:
    """What to write instead of a value that YAML took for something else."""
    if isinstance(value, bool | float):
        return ": write it in quotes"  # as it stands in the file: True, 1.10
    return f': write it in quotes, "{value}"' if isinstance(value, int) else f", not {_kind(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value).lower() if isinstance(value, bool) else shown(value)
    return _kind(value)


def _kind(value: Any) -> str:
    kinds: list[tuple[type, str]] = [(bool, "true or false"), (int, "a number"), (float, "a number"), (str, "text")]
    kinds += [(dict, "a mapping"), (list, "a list"), (tuple, "a list"), (type(None), "nothing")]
    return next((words for kind, words in kinds if isinstance(value, kind)), "this")
