"""Kinds that exist in tests only, and plans over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation, Plan
from shnotify.engine.resource import Live, Resource, Unreadable, identity
from shnotify.engine.values import Policy, Tags
from shnotify.errors import ShnotifyError
from shnotify.frozen import frozen
from shnotify.tags import NAME_TAG


@frozen(kw_only=True)
class Thing(Resource):
    CFN: ClassVar[str] = "Test::Thing"
    RANK: ClassVar[int] = 1

    label: str = identity(default="")
    uses: str = ""
    size: int | None = 1
    policy_document: Policy = Policy({})
    tags: Tags = Tags.of({NAME_TAG: "mine"})

    @property
    def name(self) -> str:
        return self.label or self.id

    def identify(self, aws: Any) -> Live[Self] | None:
        raise AssertionError

    read = identify

    def create(self, aws: Any) -> Mapping[str, str]:
        raise AssertionError

    def update(self, aws: Any, live: Any, changes: frozenset[str]) -> None:
        raise AssertionError

    def delete(self, aws: Any, live: Any) -> None:
        raise AssertionError


@frozen(kw_only=True)
class Base(Thing):
    CFN: ClassVar[str] = "Test::Base"
    RANK: ClassVar[int] = 2


@frozen(kw_only=True)
class Last(Thing):
    CFN: ClassVar[str] = "Test::Last"
    RANK: ClassVar[int] = 9
    GOES_LAST: ClassVar[bool] = True


@frozen(kw_only=True)
class Plain(Thing):
    """Of a kind that cannot carry tags and is part of what it uses."""

    CFN: ClassVar[str] = "Test::Plain"
    PART_OF: ClassVar[str] = "uses"

    def tags_or_none(self) -> None:
        return None


BASE = Base(id="Base")


THING = Thing(id="Thing", uses=BASE.ref("Arn"))


GRAPH = Graph((BASE, THING))


UNREADABLE = Unreadable(ShnotifyError("not allowed"))


def live(resource: Thing, owner: str | None = None, **state: Any) -> Live[Resource]:
    found = replace(resource, **{"uses": "arn:base" if resource.uses else "", **state})
    return Live(found, {"Arn": f"arn:{resource.id.lower()}"}, owner)


def seen(base: Any, thing: Any, *left: Any) -> Observation:
    return Observation({"Base": base, "Thing": thing}, tuple(left))


def actions(plan: Plan) -> dict[str, str]:
    return {step.key: step.action for step in plan.steps}


def reasons(plan: Plan) -> dict[str, str]:
    return {step.key: step.reason for step in plan.steps if step.reason}
