"""All wanted resources of one notifier, in an order in which each stands after what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

from shnotify.engine.resource import Resource
from shnotify.frozen import frozen


@frozen
class Graph:
    """Holds all wanted resources of one notifier, each after everything that the resource needs."""

    resources: tuple[Resource, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        ids = {r.id for r in self.resources}
        for resource in self.resources:
            missing = resource.needs() - seen
            if resource.id in seen or missing:
                raise ValueError(f"{resource.id}: twice in the graph, or before {sorted(missing)}")
            for f in fields(resource):
                value = getattr(resource, f.name)
                if type(value) is str and any(
                    m in ids for m in re.findall(r"\$\{([A-Za-z0-9]+)\.", value)
                ):
                    raise ValueError(
                        f"{resource.id}.{f.name}: a reference was put into plain text and lost its edge"
                    )
            seen.add(resource.id)

    def __getitem__(self, resource_id: str) -> Resource:
        """Returns the resource of this id.

        Raises LookupError when the graph has none: an id is never guessed.
        """
        for resource in self.resources:
            if resource.id == resource_id:
                return resource
        raise LookupError(f"the graph has no resource {resource_id!r}")

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def known(self) -> dict[str, str]:
        return {
            f"{r.id}.{key}": value for r in self.resources for key, value in r.outputs().items()
        }
