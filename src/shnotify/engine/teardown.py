"""The plan of `destroy`: what is removed, in which order, and what stays with what stays. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation, Plan, Step, known_values, removal
from shnotify.engine.resource import Live, Observed, Resource


def plan_destroy(graph: Graph, seen: Observation, *, keep: frozenset[str] = frozenset()) -> Plan:
    """Plans the steps that remove everything of ours. `keep` names CloudFormation types to leave."""
    users: dict[str, set[str]] = {r.id: set() for r in graph}
    for resource in graph:
        for needed in resource.needs():
            users[needed].add(resource.id)
    things: list[tuple[Resource, Observed]] = [(r, seen.wanted[r.id]) for r in graph]
    things += list(seen.leftovers)
    wanted = {r.id for r in graph}
    order = sorted(things, key=lambda item: item[0].RANK)
    steps: list[Step] = []
    for resource, live in order:
        before = {s.key for s in steps if s.resource.RANK < resource.RANK}
        needs = users[resource.id] | (before - wanted) if resource.id in wanted else before
        if resource.CFN in keep and live is not None:
            steps.append(
                Step(
                    "none",
                    resource,
                    live if isinstance(live, Live) else None,
                    reason="kept, as asked",
                )
            )
        else:
            steps.append(removal(resource, live, frozenset(needs)))
    return Plan(
        _last_things_last(_with_their_whole(_block_users(steps))), known_values(graph, seen)
    )


def _last_things_last(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Moves what others are encrypted with behind all of them, for messages may still be on their
    way; a queue need not be gone, but is known to be empty.
    """
    removed = frozenset(
        s.key for s in steps if s.action == "delete" and not s.part and not s.resource.GOES_LAST
    )
    return tuple(replace(s, after=removed - s.needs) if s.resource.GOES_LAST else s for s in steps)


def _block_users(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Keeps every thing that another staying thing still needs."""
    staying: set[str] = set()
    result: list[Step] = []
    for step in steps:
        holders = sorted(step.needs & staying)
        if step.action == "delete" and holders:
            reason = f"{', '.join(holders)} {'stays' if len(holders) == 1 else 'stay'} and may need it, so it stays"
            step = replace(step, action="refuse", reason=reason, changes=())
        if step.action == "refuse":
            staying.add(step.key)
        result.append(step)
    return tuple(result)


def _with_their_whole(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Puts each part right after the thing that the part belongs to, and lets both go or stay
    together.

    DeleteTopic takes a topic's subscriptions along (API_DeleteTopic), the pending ones too, which
    nothing else removes.
    """
    wholes = {s.key: s for s in steps if s.action == "refuse" or s.release or s.action == "delete"}
    parts: dict[str, list[Step]] = {}
    for step in steps:
        whole = step.resource.whole()
        if step.action == "delete" and whole in wholes:
            parts.setdefault(whole, []).append(step)
    gone = frozenset(part.key for found in parts.values() for part in found)
    result: list[Step] = []
    for step in steps:
        if step.key not in gone:
            result.append(replace(step, needs=step.needs - gone))
            result += [_part(part, step) for part in parts.get(step.key, [])]
    return tuple(result)


def _part(part: Step, whole: Step) -> Step:
    if whole.action == "delete":
        return replace(part, needs=frozenset({whole.key}), part=True)
    return replace(
        part, action="none", changes=(), reason=f"{whole.key} stays, so this stays with it"
    )
