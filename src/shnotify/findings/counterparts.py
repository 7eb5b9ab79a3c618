"""What was meant by a field or a value that is written as the other schema, or nobody, writes it.

Pure.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from shnotify.findings import eventshape as known
from shnotify.findings.eventshape import Shape
from shnotify.findings.vocabulary import CSPM, HUB


def right_name(name: str, shape: Shape) -> str | None:
    """Returns this schema's name of a field spelled in other capitals or as in the other schema."""
    if name.partition(".")[0] in shape.fields and name in shape.leaves:
        return name
    other = known.TO_OCSF if shape is known.OCSF else known.TO_ASFF
    spelled = {leaf.lower(): leaf for leaf in sorted(shape.leaves)}
    translated = {there.lower(): here for there, here in other.items()}
    lower = name.lower()
    if lower in spelled:
        return spelled[lower]
    if lower in translated:
        return translated[lower]
    first = name.partition(".")[0]
    if first in shape.fields:
        return None
    by_root = {there.lower().partition(".")[0]: here for there, here in reversed(other.items())}
    if first.lower() in by_root and lower.partition(".")[0] == lower:
        return by_root[lower]
    fields = {field.lower(): field for field in sorted(shape.fields)}
    near = get_close_matches(first.lower(), sorted(fields), n=1, cutoff=0.8)
    return f"{fields[near[0]]}{name[len(first) :]}" if near else None


def right_value(entry: Any, name: str, shape: Shape) -> Any:
    """Returns the value that a literal in other capitals, or of the other schema, stands for.

    None when none is near.
    """
    if not isinstance(entry, str):
        return None
    spelled = {str(value).lower(): value for value in shape.values[name]}
    neutral = {".".join(path): field for field, path in shape.schema.paths.items()}.get(name, "")
    words = shape.schema.words.get(neutral, {}).items()
    translated = {word.lower(): here[0] for word, here in words if here}
    other = CSPM if shape is known.OCSF else HUB
    back = {
        here.lower(): word for word, there in other.words.get(neutral, {}).items() for here in there
    }
    lower = entry.lower()
    if lower in spelled:
        return spelled[lower]
    if lower in translated:
        return translated[lower]
    if back.get(lower) in shape.values[name]:
        return back[lower]
    near = get_close_matches(lower, sorted(spelled), n=1, cutoff=0.7)
    return spelled[near[0]] if near else None
