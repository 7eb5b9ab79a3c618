"""The example file, and every field of the file's models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shnotify.schema.model import Model
from shnotify.schema.reading import models_in, readers_of

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def fields_of(model: type[Model], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field, with its path."""
    own = readers_of(model)
    for name, reader in own.items():
        here = (*path, name)
        yield here
        for inner in models_in(reader):
            # `exclude` has the fields of `findings`, where they are shown
            if not set(readers_of(inner)) < set(own):
                yield from fields_of(inner, here)
