"""Whose a thing in AWS is, told by its tags. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TypeVar

from shnotify.engine.resource import Live, Resource
from shnotify.engine.values import Policy, Tags
from shnotify.tags import ADOPTED_TAG, MANAGED_TAG, NAME_TAG, STACK_TAG

R = TypeVar("R", bound=Resource)


def owner_of(tags: Tags, ours: Tags) -> str | None:
    """Returns None when the tags name our notifier, and otherwise words for the owner."""
    if (stack := _stack_of(tags)) is not None:
        return f"it belongs to the CloudFormation stack {stack!r}"
    found = tags.get(NAME_TAG)
    if found is None:
        return "it does not carry our tag"
    return None if found == ours.get(NAME_TAG) else f"it belongs to another notifier, {found!r}"


def with_tags(resource: Resource, more: Mapping[str, str]) -> Resource:
    """Adds tags to a resource, if the resource's kind can carry any."""
    tags = resource.tags_or_none()
    return resource if tags is None else replace(resource, tags=Tags.of({**tags.to_dict(), **more}))  # type: ignore[call-arg]


def is_adopted(live: Live[Resource]) -> bool:
    tags = live.state.tags_or_none()
    return tags is not None and tags.get(ADOPTED_TAG) is not None


def adoptable(tags: Tags) -> bool:
    """Tells whether `--adopt` may take a thing with these tags: nobody else claims the thing."""
    return _stack_of(tags) is None and tags.get(NAME_TAG) is None


def exported(live: Live[Resource], ours: Resource) -> bool:
    """Tells whether a stack made from our own template keeps the thing."""
    tags, wanted = live.state.tags_or_none(), ours.tags_or_none()
    if tags is None or wanted is None or _stack_of(tags) is None:
        return False
    return tags.get(NAME_TAG) == wanted.get(NAME_TAG) and tags.get(STACK_TAG) is not None


def as_exported(want: R, live: Live[Resource]) -> R:
    """Returns what our template wants: the stack's tag, and CloudFormation's own Sids."""
    tags = live.state.tags_or_none() or Tags()
    marked = with_tags(want, {MANAGED_TAG: tags.get(MANAGED_TAG) or ""})
    policies = {
        f.name: value.named_as_in(getattr(live.state, f.name))
        for f in fields(marked)
        if isinstance(value := getattr(marked, f.name), Policy)
        and isinstance(getattr(live.state, f.name), Policy)
    }
    return replace(marked, **policies)  # type: ignore[arg-type, return-value]


def _stack_of(tags: Tags) -> str | None:
    """Returns the CloudFormation stack that the tags name (name, id or logical id), or None."""
    found = {
        key: value for key, value in tags.to_dict().items() if key.startswith("aws:cloudformation:")
    }
    named = found.get("aws:cloudformation:stack-name") or next(iter(found.values()), None)
    return named or tags.get(STACK_TAG)
