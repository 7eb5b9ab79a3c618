"""A digest of what a plan does, the same in every process that makes the same plan. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from shnotify.engine.values import Late


def digest(value: Any) -> str:
    """Returns the SHA-256 of a value, in hex digits. Sets and mappings have no order."""
    return hashlib.sha256(_stable(value).encode()).hexdigest()


def _stable(value: Any) -> str:
    """Writes a value so that equal values read the same, whatever Python's hash seed is."""
    if is_dataclass(value) and not isinstance(value, type):
        inner = ", ".join(f"{f.name}={_stable(getattr(value, f.name))}" for f in fields(value))
        return f"{type(value).__name__}({inner})"
    if isinstance(value, Mapping):
        pairs = sorted(f"{_stable(key)}: {_stable(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(_stable(item) for item in value))}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_stable(item) for item in value)}]"
    if isinstance(value, Late):
        return f"Late({str(value)!r})"
    return repr(value)
