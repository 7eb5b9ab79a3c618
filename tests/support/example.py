"""The example file, and every field of the file's models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from models_in(argument)


def fields_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field, with its path."""
    for name, field in model.model_fields.items():
        here = (*path, name)
        yield here
        for inner in models_in(field.annotation):
            # `exclude` has the fields of `findings`, where they are shown
            if not set(inner.model_fields) < set(model.model_fields):
                yield from fields_of(inner, here)
