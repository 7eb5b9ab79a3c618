"""Planning: pure and total.

Drift, absence, foreign owners and unreadable things are values, not exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from shnotify.engine.fingerprint import digest
from shnotify.engine.graph import Graph
from shnotify.engine.ownership import adoptable, as_exported, exported, is_adopted, with_tags
from shnotify.engine.resource import Change, Live, Observed, Resource, Unreadable
from shnotify.engine.values import Tags, late_parts
from shnotify.frozen import frozen
from shnotify.tags import ADOPTED_TAG, RESOURCE_TAG

Action = Literal["create", "update", "delete", "adopt", "refuse", "none"]
Result = Literal["done", "failed", "skipped"]


@frozen
class Step:
    """Says what is done to one resource.

    resource  the wanted resource, or the leftover one that is removed
    needs     keys of the steps that must have succeeded before
    after     keys of the steps of which the first part must have succeeded before
    reason    why it is refused, or left alone; None otherwise
    release   an update that gives an adopted resource back
    part      it goes with what it is part of, which is removed before: no call of its own
    """

    action: Action
    resource: Resource
    live: Live[Resource] | None = None
    changes: tuple[Change, ...] = ()
    needs: frozenset[str] = frozenset()
    reason: str | None = None
    notes: tuple[str, ...] = ()
    release: bool = False
    part: bool = False
    after: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return self.resource.id


@frozen
class Plan:
    """Holds steps in an order that respects their `needs`.

    `known` maps `Id.Attribute` to what is known before the first step.
    """

    steps: tuple[Step, ...]
    known: Mapping[str, str]

    @property
    def refused(self) -> tuple[Step, ...]:
        return tuple(s for s in self.steps if s.action == "refuse")

    @property
    def changes_anything(self) -> bool:
        return any(s.action not in ("none", "refuse") for s in self.steps)

    def count(self, *actions: Action) -> int:
        return sum(s.action in actions for s in self.steps)

    @property
    def fingerprint(self) -> str:
        """Returns a digest of what the plan was made from and of what the plan does.

        Equal digests do equal things.
        """
        parts = [
            (s.action, s.key, s.reason, s.changes, s.live and (s.live.state, s.live.owner))
            for s in self.steps
        ]
        return digest(parts)


@frozen
class Observation:
    """Holds what AWS showed: the wanted resources by id, and our things that nobody wants any more.

    unsearched  why leftovers could not be looked for, or None
    """

    wanted: Mapping[str, Observed]
    leftovers: tuple[tuple[Resource, Live[Resource] | Unreadable], ...] = ()
    unsearched: Unreadable | None = None


def plan_apply(graph: Graph, seen: Observation, *, adopt: bool = False) -> Plan:
    """Plans the steps that make AWS match the graph, and then those that remove leftovers."""
    seen = replace(seen, wanted=_apart(seen.wanted))
    known = known_values(graph, seen)
    unread = frozenset(
        resource_id for resource_id, live in seen.wanted.items() if isinstance(live, Unreadable)
    )
    steps = [_converge(r, r.resolved(known), seen.wanted[r.id], unread, adopt=adopt) for r in graph]
    steps = _with_the_stack(steps)
    steps = _in_turn(steps, graph, seen)
    everything = frozenset(s.key for s in steps)
    in_use = _arns(seen.wanted.values()) | {r.arn for r in graph if r.arn}
    removals: list[Step] = []
    for resource, live in sorted(seen.leftovers, key=lambda item: item[0].RANK):
        if (
            isinstance(live, Live)
            and live.outputs.get("Arn") in in_use
            and live.state.tags_or_none() is not None
        ):
            continue  # one thing is never wanted and left over in one plan
        if resource.whole() in _kept_by_a_stack(steps):
            continue  # who is on a stack's topic is the stack's to say
        earlier = frozenset(s.key for s in removals if s.resource.RANK < resource.RANK)
        step = removal(resource, live, everything | earlier)
        # What cannot be removed now must not keep the rest from being made right.
        removals.append(replace(step, action="none") if step.action == "refuse" else step)
    return Plan((*steps, *removals), known)


def on_the_way(graph: Graph, seen: Observation) -> Graph | None:
    """Returns the graph to make first, when no order of changes alone is safe (`Resource.bridge`)."""
    wanted = {resource.id: resource for resource in graph}
    found = tuple(resource.bridge(wanted, seen.wanted) for resource in graph)
    changed = any(one is not other for one, other in zip(found, graph, strict=True))
    return Graph(found) if changed else None


def _in_turn(steps: list[Step], graph: Graph, seen: Observation) -> list[Step]:
    """Lets changes wait for the changes that must come before them (`Resource.turns`)."""
    wanted = {resource.id: resource for resource in graph}
    return [
        replace(step, needs=step.needs | step.resource.turns(wanted, seen.wanted))
        if step.action in ("update", "adopt")
        else step
        for step in steps
    ]


def _apart(wanted: Mapping[str, Observed]) -> dict[str, Observed]:
    """Blocks every live thing that two wanted resources name, because each would undo the other's
    writes.
    """
    users: dict[str, list[str]] = {}
    for resource_id, live in wanted.items():
        if (
            isinstance(live, Live)
            and live.state.tags_or_none() is not None
            and live.outputs.get("Arn")
        ):
            users.setdefault(live.outputs["Arn"], []).append(resource_id)
    shared = {
        user: users_of for users_of in users.values() if len(users_of) > 1 for user in users_of
    }
    return {
        resource_id: replace(
            live, blocked=f"{' and '.join(shared[resource_id])} both name {live.outputs['Arn']}"
        )
        if isinstance(live, Live) and resource_id in shared
        else live
        for resource_id, live in wanted.items()
    }


def contradictions(graph: Graph, seen: Observation) -> list[str]:
    """Finds wanted things that look absent while a usable thing of ours says that it is the wanted
    one.

    Two reads of one observation saw the thing before and after somebody changed it, so the look is
    worth nothing.
    """
    missing = [resource for resource in graph if seen.wanted[resource.id] is None]
    lives = [live for _, live in seen.leftovers if isinstance(live, Live) and live.owner is None]
    return sorted({resource.id for resource in missing for live in lives if _is_it(resource, live)})


def _is_it(resource: Resource, live: Live[Resource]) -> bool:
    """Tells whether a live thing is the wanted one: by ARN, or by tags where no ARN is known
    before.
    """
    if type(live.state) is not type(resource):
        return False
    if resource.arn:
        return live.outputs.get("Arn") == resource.arn
    tags = live.state.tags_or_none() or Tags()
    return tags.get(RESOURCE_TAG) == resource.id


def _arns(observed: Iterable[Observed]) -> set[str]:
    return {
        live.outputs["Arn"] for live in observed if isinstance(live, Live) and "Arn" in live.outputs
    }


def known_values(graph: Graph, seen: Observation) -> dict[str, str]:
    known = graph.known()
    for resource in graph:
        live = seen.wanted[resource.id]
        if isinstance(live, Live):
            known |= {f"{resource.id}.{key}": value for key, value in live.outputs.items()}
    return known


def _converge(
    resource: Resource, want: Resource, live: Observed, unread: frozenset[str], *, adopt: bool
) -> Step:
    needs = resource.needs()
    if isinstance(live, Unreadable):
        return Step(
            "refuse", resource, needs=needs, reason=f"it could not be read: {live.error.message}"
        )
    if live is None:
        changes = tuple(
            Change(path, None, value)
            for path, value in want.managed().items()
            if value not in ("", Tags(), {})
        )
        return Step("create", resource, None, changes, needs, notes=resource.creation_notes())
    if live.blocked:
        return Step("refuse", resource, live, needs=needs, reason=live.blocked)
    if exported(live, want):
        return _left_to_the_stack(resource, as_exported(want, live), live, needs)
    changes, unsure = _sure(want.diff(live.state), unread)
    if live.owner is None and unsure and not changes:
        return Step("refuse", resource, needs=needs, reason=unsure)
    if live.owner is None:
        return Step(
            "update" if changes else "none", resource, live, changes, needs, notes=live.notes
        )
    if not adoptable(live.state.tags_or_none() or Tags()):
        return Step(
            "refuse",
            resource,
            live,
            changes,
            needs,
            reason=f"{live.owner}: choose another name in the file",
        )
    if adopt:
        resource = with_tags(resource, {ADOPTED_TAG: "true"})
        changes = with_tags(want, {ADOPTED_TAG: "true"}).diff(live.state)
        return Step("adopt", resource, live, changes, needs, notes=live.notes)
    reason = f"{live.owner}: choose another name in the file, or take it over with `shnotify apply --adopt`"
    return Step("refuse", resource, live, changes, needs, reason=reason)


def _left_to_the_stack(
    resource: Resource, want: Resource, live: Live[Resource], needs: frozenset[str]
) -> Step:
    """Compares a thing that a stack made from our template; only the stack changes it."""
    changes = want.diff(live.state)
    if not changes:
        notes = (str(live.owner), *live.notes)
        return Step("none", resource, live, needs=needs, notes=notes)
    return Step("refuse", resource, live, changes, needs, reason=f"{live.owner}: {_UPDATE}")


_UPDATE = "update the stack with what `shnotify export cloudformation` prints"


def _kept_by_a_stack(steps: Iterable[Step]) -> dict[str, str]:
    """Maps the ids of what a stack keeps to words for the stack."""
    return {s.key: str(s.live.owner) for s in steps if s.live and exported(s.live, s.resource)}


def _with_the_stack(steps: list[Step]) -> list[Step]:
    """Leaves to the stack what is part of a thing of the stack, such as a subscription."""
    kept = _kept_by_a_stack(steps)
    return [
        replace(s, action="refuse", reason=f"{kept[whole]}: {_UPDATE}")
        if (whole := s.resource.whole()) in kept and whole and s.action in ("create", "update")
        else s
        for s in steps
    ]


def _sure(changes: tuple[Change, ...], unread: frozenset[str]) -> tuple[tuple[Change, ...], str]:
    """Drops the changes that hang on an unreadable resource, and says in words why."""
    unsure = {
        change.path: sorted({r for r, _ in late_parts(change.after)} & unread) for change in changes
    }
    sources = sorted({source for found in unsure.values() for source in found})
    paths = ", ".join(path for path, found in unsure.items() if found)
    why = f"{paths} cannot be compared: {', '.join(sources)} could not be read" if sources else ""
    return tuple(change for change in changes if not unsure[change.path]), why


def removal(resource: Resource, live: Observed, needs: frozenset[str]) -> Step:
    if isinstance(live, Unreadable):
        return Step(
            "refuse", resource, needs=needs, reason=f"it could not be read: {live.error.message}"
        )
    if live is None:
        return Step("none", resource, reason="it is not there", needs=needs)
    if live.owner is not None:
        return Step(
            "refuse",
            resource,
            live,
            needs=needs,
            reason=f"{live.owner}, so it stays",
            notes=live.notes,
        )
    if is_adopted(live):
        reason = "it was adopted, so it stays: only our tags, statements and target are taken away"
        return Step("update", resource, live, needs=needs, reason=reason, release=True)
    if live.blocked:
        return Step("refuse", resource, live, needs=needs, reason=live.blocked, notes=live.notes)
    changes = tuple(
        Change(p, v, None) for p, v in live.state.managed().items() if p != "Tags" and v != ""
    )
    return Step("delete", resource, live, changes, needs, notes=live.notes)
