"""The mistakes that the models find, in our words, and where each stands in the file."""

from __future__ import annotations

from typing import Any

from shnotify.config.advised import instead
from shnotify.config.yamlfile import Path
from shnotify.schema.model import Model, fields_of
from shnotify.schema.reading import Listed, Mistake, Reader, Section, forms, readers_of
from shnotify.schema.scalars import shown


def is_derived(data: Any, mistake: Mistake) -> bool:
    """Tells whether a mistake is about a default made from a name that is itself wrong."""
    made = mistake.kind == "refused" and mistake.path[-1] in ("name", "alias", "description")
    return made and standing(data, mistake)[-1:] != mistake.path[-1:]


def in_words(data: Any, model: type[Model], mistake: Mistake) -> tuple[Path, str, bool]:
    """Turns a mistake into path, message, and whether the key is meant."""
    path = standing(data, mistake)
    if mistake.kind == "unknown":
        return path, _unknown(model, path), True
    advice = instead(mistake.kind, path, mistake.value)
    return path, advice or _message(mistake), False


def _message(mistake: Mistake) -> str:
    """Says what is wrong with a value, whatever the field."""
    value, about = mistake.value, mistake.about
    match mistake.kind:
        case "missing":
            return "is required"
        case "choice":
            return f"must be one of {_one_of(about)}{_suggest(value, about)}"
        case "text":
            return f"must be text{_quoting(value)}"
        case "bool":
            return f"must be true or false, not {_shown(value)}"
        case "int":
            return f"must be a whole number, not {_shown(value)}"
        case "too_small":
            return f"must be at least {about}"
        case "too_large":
            return f"must be at most {about}"
        case "list":
            return f"must be a list, not {_kind(value)}"
        case "mapping":
            return f"must be a mapping, not {_kind(value)}"
        case "nothing":
            return f"must be a list, a mapping or `any`, not {_kind(value)}"
        case "too_short":
            return "must not be empty"
        case "too_long":
            return f"is too long: at most {about}"
        case "pattern":
            return f"String should match pattern '{about}'"
    return str(about)


def standing(data: Any, mistake: Mistake) -> Path:
    """Returns the path of what the file holds of a mistake: defaults stand nowhere in it.

    A field that is missing stands nowhere either, and is named all the same.
    """
    for number, part in enumerate(mistake.path):
        inside = isinstance(data, dict) and part in data
        if not inside and not (isinstance(data, list) and part in range(len(data))):
            return mistake.path[: number + (mistake.kind == "missing")]
        data = data[part]
    return mistake.path


def _unknown(model: type[Model], path: Path) -> str:
    """Says what is wrong with a field that its section does not have."""
    from difflib import get_close_matches

    known = sorted(_fields_at(model, path[:-1]))
    if path[-1] in known:
        if path[-1] == "rotation":
            return "an existing key is never changed: take `rotation` out"
        return "cannot stand here: it belongs to the other way to write this"
    close = get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
    return f"unknown field{f': did you mean {close[0]!r}?' if close else ''}"


def _fields_at(model: type[Model], path: Path) -> set[str]:
    """Lists the known fields of a section, in all its forms."""
    found: list[Reader] = [Section(model)]
    for part in path:
        found = [form for reader in found for form in _inside(reader, part)]
    return {name for one in found if isinstance(one, Section) for name in fields_of(one.model)}


def _inside(reader: Reader, part: str | int) -> list[Reader]:
    """Lists the forms of what stands in a section under a name, or in a list."""
    if isinstance(reader, Section) and isinstance(part, str):
        inner = readers_of(reader.model).get(part)
        return [*forms(inner)] if inner else []
    return [*forms(reader.inner[0])] if isinstance(reader, Listed) else []


def _one_of(words: tuple[str, ...]) -> str:
    *most, last = map(repr, words)
    return f"{', '.join(most)} or {last}" if most else last


def _suggest(value: Any, words: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    upper = {word.upper(): word for word in words}
    close = get_close_matches(str(value).upper(), upper, n=1, cutoff=0.6)
    return f": did you mean {upper[close[0]]}?" if close else f", not {_shown(value)}"


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
