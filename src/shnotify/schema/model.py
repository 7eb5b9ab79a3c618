"""The base of every model of the file, and how a field of it is described."""

from __future__ import annotations

import os
from typing import Annotated, Any

# No plug-in of another package may look into the file, and to search for them takes longer than all
# our models (pydantic's documentation, plugins).
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Model(BaseModel):
    """A model that takes no unknown field, converts nothing and never changes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, str_strip_whitespace=False, defer_build=True
    )


def described(default: Any = ..., **options: Any) -> Any:
    """Declares a field with its description, which `schema` and the documentation show."""
    return Field(**options) if "default_factory" in options else Field(default=default, **options)


def at_most(most: int) -> BeforeValidator:
    """Limits a list's length before any item is looked at: a list of thousands is one mistake."""

    def count(values: Any) -> Any:
        if isinstance(values, list) and len(values) > most:
            raise ValueError(f"is too long: at most {most}")
        return values

    return BeforeValidator(count)


def strict_tuple(values: Any) -> Any:
    return tuple(values) if isinstance(values, list) else values


Text = Annotated[str, Field(min_length=1, max_length=1024)]
