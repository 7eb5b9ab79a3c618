"""What every AWS thing has in common: a frozen dataclass whose fields are CloudFormation's properties."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from shnotify.engine.health import Link, Verdict
from shnotify.engine.permissions import Permissions
from shnotify.engine.values import Late, Tags, late_parts, resolve

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.errors import ShnotifyError

R = TypeVar("R", bound="Resource", covariant=True)


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
    facts    what a judgement on delivery needs besides the state, by name
    """

    state: R
    outputs: Mapping[str, str]
    owner: str | None = None
    blocked: str | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


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
    """CloudFormation's name of the kind."""
    PERMISSIONS: ClassVar[Permissions]
    """The AWS operations of each verb."""
    RANK: ClassVar[int]
    """The position in `resources.kinds.KINDS`, which sets it: in a removal, lower goes first."""
    PART_OF: ClassVar[str] = ""
    """The field that names the thing it is part of, with which it goes or stays; "" when it stands alone."""
    GOES_LAST: ClassVar[bool] = False
    """Whether everything else is removed before it: what others are encrypted with."""

    id: str = identity()

    @property
    @abstractmethod
    def name(self) -> str:
        """The name a person knows it by."""

    @property
    def arn(self) -> str | None:
        """Its ARN, if that can be computed before it exists."""
        return None

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        """The thing that an ARN names, with nothing wanted of it; None when the ARN is of another kind.

        tags  those that make it ours
        """
        return None

    @classmethod
    def unmanaged(cls, **known: Any) -> Self:
        """A thing of which only the `known` fields are told: the others are not managed."""
        required = (f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)
        return cls(**{**dict.fromkeys(required), **known})

    def points_at(self, aws: Aws) -> Iterable[str]:
        """ARNs of what the thing names, and of what names the thing, as a live state shows them."""
        return ()

    def companions(self) -> Iterable[str]:
        """ARNs of what stands beside the thing and is found only through its name."""
        return ()

    def surplus(self, aws: Aws, graph: Iterable[Resource]) -> Iterable[tuple[Resource, Live[Resource]]]:
        """Parts of the thing that the graph does not name, and that the file wants removed."""
        return ()

    def guarded(self, graph: Iterable[Resource]) -> Self:
        """The thing, knowing what of the graph must be looked at before the thing is removed."""
        return self

    def kept_for(self, lives: Iterable[Live[Resource]]) -> str | None:
        """Why the thing stays while these live ones are as they are; None when it may go."""
        return None

    def links(self) -> tuple[str, ...]:
        """The links of the delivery chain that it is, by name; () for what is no link."""
        return ()

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        """The judgement on each of its links, as far as its own live state shows it."""
        return ()

    def judged(self, seen: Observed) -> tuple[Link, ...]:
        """The judgement on each of its links: a missing thing is broken, and one that cannot be read is unknown."""
        if seen is None:
            return tuple(self.link(name, "broken", f"{self.id} is missing") for name in self.links()[:1])
        if isinstance(seen, Unreadable):
            needs = (seen.error.operation,) if seen.error.operation else ()
            why = f"{self.id} could not be read: {seen.error.message}"
            return tuple(Link(name, "unknown", why, needs=needs, resource=self.id) for name in self.links())
        return self.health(seen)

    def link(self, name: str, verdict: Verdict, why: str = "", **evidence: Any) -> Link:
        """A judgement on one of its links; what is broken here, `apply` mends."""
        mend = "shnotify apply" if verdict == "broken" else None
        return Link(name, verdict, why, mend=mend, evidence=evidence, resource=self.id)

    def ref(self, attribute: str) -> Late:
        """Text that stands for an attribute of this resource and makes whoever holds it depend on it."""
        return Late(f"${{{self.id}.{attribute}}}")

    def outputs(self) -> dict[str, str]:
        """What is known of it before it exists."""
        return {"Arn": self.arn} if self.arn else {}

    def needs(self) -> frozenset[str]:
        """Ids of the resources that must be right before this one is touched."""
        return frozenset(target for f in fields(self) for target, _ in late_parts(getattr(self, f.name)))

    def whole(self) -> str | None:
        """The id of the resource that it is part of, or None."""
        named = late_parts(getattr(self, self.PART_OF)) if self.PART_OF else ()
        return next((target for target, _ in named), None)

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
