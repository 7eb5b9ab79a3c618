"""What every AWS thing has in common: a frozen dataclass whose fields are CloudFormation's properties."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from shnotify.core.values import Late, Tags, late_parts, resolve

if TYPE_CHECKING:
    from shnotify.aws import Aws
    from shnotify.errors import ShnotifyError

R = TypeVar("R", bound="Resource", covariant=True)

NAME_TAG = "shnotify:name"
RESOURCE_TAG = "shnotify:resource"
MANAGED_TAG = "managed-by"
ADOPTED_TAG = "shnotify:adopted"
"""Says that somebody else made it: `destroy` gives it back instead of deleting it."""
OUR_TAGS = (NAME_TAG, RESOURCE_TAG, MANAGED_TAG, ADOPTED_TAG)


def identity(**kwargs: Any) -> Any:
    """A field that says which thing it is; it is never compared, because another value is another thing."""
    return field(metadata={"identity": True}, **kwargs)


@dataclass(frozen=True)
class Change:
    """One property's difference. `path` uses CloudFormation's property names."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Live(Generic[R]):
    """What AWS holds: the state in the same class as the wanted one, and what only AWS knows.

    outputs  attribute -> value, e.g. {"Arn": ...}; the kinds keep what their own updates need here too
    owner    None when it is ours; else words for whose it is
    blocked  None, or why it must not be touched though it is ours
    notes    what a person should know; never a drift
    """

    state: R
    outputs: Mapping[str, str]
    owner: str | None = None
    blocked: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """AWS did not let us look: neither there nor absent."""

    error: ShnotifyError


@dataclass(frozen=True, kw_only=True)
class Resource(ABC):
    """A wanted or live AWS resource. Fields are CloudFormation's properties in snake case.

    A field of None is not managed; "" must be empty.
    """

    CFN: ClassVar[str]
    RANK: ClassVar[int]
    """Deletion order between things that name each other only in AWS: lower goes first."""

    id: str = identity()

    @property
    @abstractmethod
    def name(self) -> str:
        """The name a person knows it by."""

    @property
    def arn(self) -> str | None:
        """Its ARN, if that can be computed before it exists."""
        return None

    def ref(self, attribute: str) -> Late:
        """Text that stands for an attribute of this resource and makes whoever holds it depend on it."""
        return Late(f"${{{self.id}.{attribute}}}")

    def outputs(self) -> dict[str, str]:
        """What is known of it before it exists."""
        return {"Arn": self.arn} if self.arn else {}

    def needs(self) -> frozenset[str]:
        """Ids of the resources that must be right before this one is touched."""
        return frozenset(target for f in fields(self) for target, _ in late_parts(getattr(self, f.name)))

    def resolved(self, known: Mapping[str, str]) -> Self:
        return replace(self, **{f.name: resolve(getattr(self, f.name), known) for f in fields(self)})

    def tags_or_none(self) -> Tags | None:
        """Its tags, if its kind can carry any."""
        tags = getattr(self, "tags", None)
        return tags if isinstance(tags, Tags) else None

    def creation_notes(self) -> tuple[str, ...]:
        """What a person should know before it is created."""
        return ()

    def managed(self) -> dict[str, Any]:
        """The compared properties by CloudFormation name; what is None is not managed."""
        return {
            cfn_name(f.name): getattr(self, f.name)
            for f in fields(self)
            if not f.metadata.get("identity") and getattr(self, f.name) is not None
        }

    def onto(self, live: Self) -> Self:
        """The state to write: this one, with what belongs to others in the live one kept."""
        merged = {}
        for f in fields(self):
            want, have = getattr(self, f.name), getattr(live, f.name)
            if have is not None:
                merged[f.name] = have if want is None else want.onto(have) if hasattr(want, "onto") else want
        return replace(self, **merged)

    def diff(self, live: Self) -> tuple[Change, ...]:
        """The properties in which `live` is not as this state wants it."""
        have = live.managed()
        return tuple(
            change
            for path, want in self.onto(live).managed().items()
            if want != have.get(path)
            for change in _changes(path, have.get(path), want)
        )

    @abstractmethod
    def identify(self, aws: Aws) -> Live[Self] | None:
        """Whether it exists and whose it is, in as few calls as that takes; None when AWS says it is not there."""

    @abstractmethod
    def read(self, aws: Aws) -> Live[Self] | None:
        """All of it; None when AWS says it is not there."""

    @abstractmethod
    def create(self, aws: Aws) -> Mapping[str, str]:
        """Creates it with all it has. Returns its outputs. Harmless when it exists already as wanted."""

    @abstractmethod
    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        """Makes `live` this state in place; `changes` are the property names that differ."""

    def release(self, aws: Aws, live: Live[Self]) -> None:
        """Gives an adopted one back: takes away what is ours in it, our tags last, and leaves the rest."""
        raise NotImplementedError(f"{self.CFN} cannot be adopted")

    @abstractmethod
    def delete(self, aws: Aws, live: Live[Self]) -> None:
        """Removes it. Harmless when it is gone."""

    def went(self, aws: Aws, live: Live[Self]) -> None:
        """What it is part of was removed, and it with that: nothing is left to do but to tell."""
        raise NotImplementedError(f"{self.CFN} is part of nothing")


Observed = Live[Resource] | Unreadable | None


def _changes(path: str, have: Any, want: Any) -> list[Change]:
    """One change, or one for each key of a property that is itself a set of properties."""
    if isinstance(want, dict) and isinstance(have, dict) and have:
        return [
            Change(f"{path}.{k}", have.get(k), want.get(k))
            for k in sorted({*have, *want})
            if have.get(k) != want.get(k)
        ]
    return [Change(path, have, want)]


def cfn_name(field_name: str) -> str:
    """`kms_master_key_id` -> `KmsMasterKeyId`."""
    return "".join(part.capitalize() for part in field_name.split("_"))


def owner_of(tags: Tags, ours: Tags) -> str | None:
    """None when these tags name the notifier that `ours` name; else words for whose it is."""
    if (stack := _stack_of(tags)) is not None:
        return f"it belongs to the CloudFormation stack {stack!r}"
    found = tags.get(NAME_TAG)
    if found is None:
        return "it does not carry our tag"
    return None if found == ours.get(NAME_TAG) else f"it belongs to another notifier, {found!r}"


def with_tags(resource: Resource, more: Mapping[str, str]) -> Resource:
    """The resource with these tags too, if its kind can carry any."""
    tags = resource.tags_or_none()
    return resource if tags is None else replace(resource, tags=Tags.of({**tags.to_dict(), **more}))  # type: ignore[call-arg]


def is_adopted(live: Live[Resource]) -> bool:
    tags = live.state.tags_or_none()
    return tags is not None and tags.get(ADOPTED_TAG) is not None


def adoptable(tags: Tags) -> bool:
    """Whether `--adopt` may take it: only what nobody else's tag claims."""
    return _stack_of(tags) is None and tags.get(NAME_TAG) is None


def _stack_of(tags: Tags) -> str | None:
    """The CloudFormation stack that the tags name, by any of the tags it sets (name, id, logical id)."""
    found = {key: value for key, value in tags.to_dict().items() if key.startswith("aws:cloudformation:")}
    return found.get("aws:cloudformation:stack-name") or next(iter(found.values()), None)


@dataclass(frozen=True)
class Graph:
    """All wanted resources of one notifier, in an order in which each comes after what it needs."""

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
                if type(value) is str and any(m in ids for m in re.findall(r"\$\{([A-Za-z0-9]+)\.", value)):
                    raise ValueError(f"{resource.id}.{f.name}: a reference was put into plain text and lost its edge")
            seen.add(resource.id)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def known(self) -> dict[str, str]:
        return {f"{r.id}.{key}": value for r in self.resources for key, value in r.outputs().items()}
