"""What every AWS thing has in common: a frozen dataclass whose fields are CloudFormation's
properties.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from shnotify.engine.health import Link, Verdict
from shnotify.engine.permissions import Permissions
from shnotify.engine.template import EMPTY, Part
from shnotify.engine.values import Late, Tags, late_parts, resolve
from shnotify.frozen import frozen

if TYPE_CHECKING:
    from shnotify.aws.calls import Question
    from shnotify.aws.gateway import Aws
    from shnotify.errors import ShnotifyError

R = TypeVar("R", bound="Resource", covariant=True)


def identity(**kwargs: Any) -> Any:
    """Declares a field that says which thing a resource is.

    It is never compared, because another value is another thing.
    """
    return field(metadata={"identity": True}, **kwargs)


@frozen
class Change:
    """One property's difference. `path` uses CloudFormation's property names."""

    path: str
    before: Any
    after: Any


@frozen
class Live(Generic[R]):
    """Holds what AWS shows: the state, in the class of the wanted one, and what only AWS knows.

    outputs  attribute -> value, e.g. {"Arn": ...}; the kinds keep what their own updates need here
             too
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


@frozen
class Unreadable:
    """Stands for a thing that AWS did not show: the thing is neither there nor absent."""

    error: ShnotifyError


@frozen(kw_only=True)
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
    """The field that names the thing it is part of, with which it goes or stays.

    "" when it stands alone.
    """
    GETATT: ClassVar[Mapping[str, str]] = {}
    """The attributes that CloudFormation's `Fn::GetAtt` calls otherwise: our name to its name."""
    GOES_LAST: ClassVar[bool] = False
    """Whether everything else is removed, or looked into, before it: what others are encrypted with."""
    BEGINS: ClassVar[bool] = False
    """Whether `create` is `begin` and then `finish`, with others created in between."""
    COMPLETES: ClassVar[bool] = False
    """Whether `complete` comes after `finish`, beside whatever waits for the thing; with `BEGINS` only."""
    LETS_GO: ClassVar[bool] = False
    """Whether `let_go` comes before `delete`, and what it used is removed beside `delete`."""
    LOOKS_FIRST: ClassVar[bool] = False
    """Whether `let_go` only looks, right before `delete`, whether the thing may go."""

    id: str = identity()

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that a person knows the resource by."""

    @property
    def arn(self) -> str | None:
        """The resource's ARN, if the ARN can be computed before the resource exists."""
        return None

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        """Returns the thing that an ARN names, with nothing wanted of the thing.

        None when the ARN is of another kind.

        tags  those that make it ours
        """
        return None

    @classmethod
    def unmanaged(cls, **known: Any) -> Self:
        """Makes a thing of which only the `known` fields are given; all other properties are not
        managed.
        """
        required = (
            f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING
        )
        return cls(**{**dict.fromkeys(required), **known})

    def points_at(self, aws: Aws) -> Iterable[str]:
        """Lists ARNs that the thing names, and ARNs of what names the thing, from a live state."""
        return ()

    def companions(self) -> Iterable[str]:
        """Lists ARNs of what stands beside the thing and can be found only through the thing's
        name.
        """
        return ()

    def surplus(
        self, aws: Aws, graph: Iterable[Resource]
    ) -> Iterable[tuple[Resource, Live[Resource]]]:
        """Lists parts of the thing that the graph does not name and that the file wants removed."""
        return ()

    def guarded(self, graph: Iterable[Resource]) -> Self:
        """Returns the thing with what must be looked at before the thing is removed."""
        return self

    def kept_for(self, lives: Iterable[Live[Resource]]) -> str | None:
        """Says why the thing must stay while these live things are as they are, or returns None."""
        return None

    def links(self) -> tuple[str, ...]:
        """Names the links of the delivery chain that the resource is; () when it is none."""
        return ()

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        """Judges each of the resource's links, as far as the live state shows them."""
        return ()

    def judged(self, seen: Observed) -> tuple[Link, ...]:
        """Judges each link: a missing thing is broken, an unreadable one is unknown."""
        if seen is None:
            return tuple(
                self.link(name, "broken", f"{self.id} is missing") for name in self.links()[:1]
            )
        if isinstance(seen, Unreadable):
            needs = (seen.error.operation,) if seen.error.operation else ()
            why = f"{self.id} could not be read: {seen.error.message}"
            return tuple(
                Link(name, "unknown", why, needs=needs, resource=self.id) for name in self.links()
            )
        return self.health(seen)

    def link(self, name: str, verdict: Verdict, why: str = "", **evidence: Any) -> Link:
        """Makes a judgement on one link; `apply` mends what is broken here."""
        mend = "shnotify apply" if verdict == "broken" else None
        return Link(name, verdict, why, mend=mend, evidence=evidence, resource=self.id)

    def ref(self, attribute: str) -> Late:
        """Returns text that stands for an attribute of this resource, and makes its holder depend
        on this resource.
        """
        return Late(f"${{{self.id}.{attribute}}}")

    def outputs(self) -> dict[str, str]:
        """Returns the attributes that are known before the resource exists."""
        return {"Arn": self.arn} if self.arn else {}

    def needs(self) -> frozenset[str]:
        """Returns the ids of the resources that must be right before this one is touched."""
        return frozenset(
            target for f in fields(self) for target, _ in late_parts(getattr(self, f.name))
        )

    def turns(self, wanted: Mapping[str, Resource], seen: Mapping[str, Observed]) -> frozenset[str]:
        """Returns the ids of the resources whose change must come before a change of this one.

        Unlike `needs` it hangs on what is there: nothing waits for its turn to be created.
        """
        return frozenset()

    def bridge(self, wanted: Mapping[str, Resource], seen: Mapping[str, Observed]) -> Self:
        """Returns the resource as it is wanted on the way, when no order of changes alone is safe."""
        return self

    def whole(self) -> str | None:
        """Returns the id of the resource that this one is part of, or None."""
        named = late_parts(getattr(self, self.PART_OF)) if self.PART_OF else ()
        return next((target for target, _ in named), None)

    def resolved(self, known: Mapping[str, str]) -> Self:
        return replace(
            self, **{f.name: resolve(getattr(self, f.name), known) for f in fields(self)}
        )

    def tags_or_none(self) -> Tags | None:
        """Returns the resource's tags, or None when its kind carries none."""
        tags = getattr(self, "tags", None)
        return tags if isinstance(tags, Tags) else None

    def purpose(self) -> str:
        """Says in a few words what the thing is for; "" when its kind does not say."""
        return ""

    def creation_notes(self) -> tuple[str, ...]:
        """Returns what a person should know before the resource is created."""
        return ()

    def managed(self) -> dict[str, Any]:
        """Returns the compared properties by CloudFormation name, without those that are not
        managed.
        """
        return {
            cfn_name(f.name): getattr(self, f.name)
            for f in fields(self)
            if not f.metadata.get("identity") and getattr(self, f.name) is not None
        }

    def properties(self) -> dict[str, Any]:
        """Returns the properties of the template's entry, without empty ones.

        Source: the CloudFormation resource type reference; our fields carry its names.
        """
        named = {
            cfn_name(f.name): getattr(self, f.name)
            for f in fields(self)
            if f.metadata.get("identity") and f.name.endswith("_name")
        }
        given = {**named, **self.managed()}
        return {name: value for name, value in given.items() if value not in EMPTY}

    def cfn(self) -> tuple[Part, ...]:
        """Returns the entries of a CloudFormation template, the resource's own first."""
        return (Part(self.id, self.CFN, self.properties()),)

    def onto(self, live: Self) -> Self:
        """Merges this wanted state onto a live one, and keeps what belongs to others."""
        merged = {}
        for f in fields(self):
            want, have = getattr(self, f.name), getattr(live, f.name)
            if have is not None:
                merged[f.name] = (
                    have if want is None else want.onto(have) if hasattr(want, "onto") else want
                )
        return replace(self, **merged)

    def diff(self, live: Self) -> tuple[Change, ...]:
        """Lists the properties in which the live state differs from this wanted state."""
        have = live.managed()
        return tuple(
            change
            for path, want in self.onto(live).managed().items()
            if want != have.get(path)
            for change in _changes(path, have.get(path), want)
        )

    @abstractmethod
    def identify(self, aws: Aws) -> Live[Self] | None:
        """Finds out whether the thing exists and who owns it, in as few calls as possible.

        None when AWS says it is not there.
        """

    @abstractmethod
    def read(self, aws: Aws) -> Live[Self] | None:
        """Reads the whole thing; returns None when AWS says that the thing is not there."""

    @abstractmethod
    def create(self, aws: Aws) -> Mapping[str, str]:
        """Creates the thing with everything it has.

        Returns its outputs. Harmless when it exists already as wanted.
        """

    def begin(self, aws: Aws) -> Mapping[str, str]:
        """Creates so much of the thing that others can be built on it; returns its outputs."""
        raise NotImplementedError(f"{self.CFN} is created in one part")

    def finish(self, aws: Aws, begun: Mapping[str, str]) -> Mapping[str, str]:
        """Creates the rest. Returns the outputs: others than `begun` when another thing won."""
        raise NotImplementedError(f"{self.CFN} is created in one part")

    def complete(self, aws: Aws, begun: Mapping[str, str]) -> None:
        """Does the last of a creation: what others do not need in order to use the thing."""
        raise NotImplementedError(f"{self.CFN} is whole when it is finished")

    def questions(self, aws: Aws) -> tuple[Question[Any], ...]:
        """Lists what `read` asks of a new thing and remembers, but for what is written last.

        They are asked while the last writes of a run are under way, for the look after them.
        """
        return ()

    def retire(self, aws: Aws, begun: Mapping[str, str]) -> None:
        """Removes what was begun and did not become the thing; nothing is built on it any more."""
        raise NotImplementedError(f"{self.CFN} is created in one part")

    @abstractmethod
    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        """Makes the live thing match this state in place; `changes` names the properties that
        differ.
        """

    def release(self, aws: Aws, live: Live[Self]) -> None:
        """Gives an adopted thing back: removes our parts, our tags last, and leaves the rest."""
        raise NotImplementedError(f"{self.CFN} cannot be adopted")

    def let_go(self, aws: Aws, live: Live[Self]) -> Live[Self]:
        """Does the first part of a removal; returns what is left of the thing for `delete`."""
        return live

    @abstractmethod
    def delete(self, aws: Aws, live: Live[Self]) -> None:
        """Removes the thing. Harmless when the thing is gone."""

    def removed_with_whole(self, aws: Aws, live: Live[Self]) -> None:
        """Reports that the thing went with the whole that it is part of. Makes no call."""
        raise NotImplementedError(f"{self.CFN} is part of nothing")


Observed = Live[Resource] | Unreadable | None


def _changes(path: str, have: Any, want: Any) -> list[Change]:
    """Lists one change, or one for each key of a property that is itself a mapping."""
    if isinstance(want, dict) and isinstance(have, dict) and have:
        return [
            Change(f"{path}.{k}", have.get(k), want.get(k))
            for k in sorted({*have, *want})
            if have.get(k) != want.get(k)
        ]
    return [Change(path, have, want)]


def cfn_name(field_name: str) -> str:
    """Converts `kms_master_key_id` to `KmsMasterKeyId`."""
    return "".join(part.capitalize() for part in field_name.split("_"))
