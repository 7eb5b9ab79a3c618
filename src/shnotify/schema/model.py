"""The base of every model of the file, and how a field of it is described."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Model(BaseModel):
    """Nothing unknown, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=False)


def described(default: Any = ..., **options: Any) -> Any:
    """A field with its description, which `schema` and the documentation show."""
    return Field(default=default, **options)


def at_most(most: int) -> BeforeValidator:
    """Counted before any item is looked at: a list of thousands is one mistake."""

    def count(values: Any) -> Any:
        if isinstance(values, list) and len(values) > most:
            raise ValueError(f"is too long: at most {most}")
        return values

    return BeforeValidator(count)


def strict_tuple(values: Any) -> Any:
    return tuple(values) if isinstance(values, list) else values


Text = Annotated[str, Field(min_length=1, max_length=1024)]
