"""`${VAR}` in the file: other tools replace it, this one does not, and says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shnotify.config.yamlfile import Path

_VARIABLE = re.compile(r"\$\{[A-Za-z_][^{}\s]*\}|\$\([A-Za-z_][^()]*\)")


def variables(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yields every text that looks like an environment variable, with a message about it."""
    if isinstance(value, str):
        if told := _told(value):
            yield path, told
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from variables(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from variables(item, (*path, number))


def variable_in(data: Any, path: Path) -> str | None:
    """Returns the message about a variable at this path, or None."""
    for part in path:
        inside = isinstance(data, dict) and part in data
        inside = inside or (isinstance(data, list) and isinstance(part, int) and part < len(data))
        if not inside:
            return None
        data = data[part]
    return _told(data) if isinstance(data, str) else None


def _told(text: str) -> str | None:
    found = _VARIABLE.search(text)
    return (
        f"environment variables are not expanded: {found[0]} stays as it is written"
        if found
        else None
    )
