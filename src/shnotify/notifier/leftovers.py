"""What is ours in AWS but no longer in the file: found by tag, and by what still points at us."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields, replace

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.graph import Graph
from shnotify.engine.ownership import owner_of
from shnotify.engine.resource import Live, Observed, Resource, Unreadable
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.resources.kinds import thing_at
from shnotify.resources.lookup import tagged
from shnotify.tags import NAME_TAG, RESOURCE_TAG

Leftover = tuple[Resource, Live[Resource] | Unreadable]


@frozen
class Finder:
    """Looks for everything that carries the notifier's tag and that nobody wants any more.

    pointers  also for what our live resources name, and for rules that feed our topics: a tag
              search may be minutes
              behind (tag:GetResources promises nothing)
    """

    aws: Aws
    graph: Graph
    name: str
    pointers: bool

    def prepare(self) -> None:
        """Asks early, beside all other reads, what `find` will need.

        A refusal is kept for `find` to raise.
        """
        wanted = list(self.graph) if self.pointers else []
        pending = [self.aws.start(list, thing.points_at(self.aws)) for thing in wanted]
        with suppress(AwsError):
            tagged(self.aws, self.name)
        for future in pending:
            future.exception()

    def find(self, wanted: Mapping[str, Observed], /) -> tuple[Leftover, ...]:
        """Finds what is left over. Raises `AwsError` when it cannot look.

        A tag found by search proves nothing (it may be an old one), so each candidate is read
        before it counts.
        """
        seen = self._seen(wanted)
        lives = [
            live
            for live in (*wanted.values(), *(live for _, live in seen))
            if isinstance(live, Live)
        ]
        taken = {thing.id for thing in self.graph}
        result: list[Leftover] = []
        for thing, live in seen:
            if isinstance(wanted.get(thing.id), Unreadable):
                continue  # it may be the wanted one itself
            named = _named_apart(thing, taken)
            taken.add(named.id)
            result.append((named, _kept(thing, live, lives)))
        surplus = (part for thing in self.graph for part in thing.surplus(self.aws, self.graph))
        return (*result, *surplus)

    def _seen(self, wanted: Mapping[str, Observed]) -> list[Leftover]:
        """Collects what carries our tag, what our things point at, and what those point at, less
        what is wanted.
        """
        found = {t.arn: t.tags.get(RESOURCE_TAG) for t in tagged(self.aws, self.name)}
        for arn in _pointed_at(self.aws, wanted.values()) if self.pointers else ():
            found.setdefault(arn)
        asked = _named_by(self.graph) | {
            live.outputs["Arn"] for live in wanted.values() if isinstance(live, Live)
        }
        seen: list[Leftover] = []
        while new := {arn: hint for arn, hint in found.items() if arn not in asked}:
            for companion in self._companions(new):
                if companion not in asked:
                    new.setdefault(companion)
            asked |= new.keys()
            looked = self._look(new)
            seen += looked
            # The search may show a topic and not yet its rule: without its topic that would feed
            # nobody.
            found = dict.fromkeys(_pointed_at(self.aws, (live for _, live in looked)))
        return seen

    def _companions(self, arns: Iterable[str]) -> list[str]:
        """Lists ARNs of what stands beside the things that these ARNs name."""
        things = (thing_at(arn, self._ours) for arn in arns)
        return [arn for thing in things if thing for arn in thing.companions()]

    @property
    def _ours(self) -> Tags:
        return Tags.of({NAME_TAG: self.name})

    def _look(self, found: Mapping[str, str | None]) -> list[Leftover]:
        """Reads the things that these ARNs name, and keeps ours."""
        things = ((thing_at(arn, self._ours), hint) for arn, hint in sorted(found.items()))
        guarded = [_called(thing, hint).guarded(self.graph) for thing, hint in things if thing]
        with ThreadPoolExecutor(8, thread_name_prefix="leftovers") as pool:
            seen = list(pool.map(lambda thing: _identify(self.aws, thing), guarded))
        return [one for one in seen if one]


def _called(thing: Resource, hint: str | None) -> Resource:
    """Gives the thing the resource id that the tag search shows, if it shows one."""
    return replace(thing, id=hint) if hint else thing


def _named_apart(thing: Resource, taken: set[str]) -> Resource:
    """Gives the thing an id that nothing else has."""
    if thing.id not in taken:
        return thing
    digest = hashlib.sha256((thing.arn or thing.name).encode()).hexdigest()[:8]
    return replace(thing, id=f"{thing.id}Leftover{digest}")


def _kept(
    thing: Resource, live: Live[Resource] | Unreadable, lives: list[Live[Resource]]
) -> Live[Resource] | Unreadable:
    """Blocks the thing when the thing must stay for another thing's sake."""
    if isinstance(live, Unreadable) or live.blocked:
        return live
    reason = thing.kept_for(lives)
    return replace(live, blocked=reason) if reason else live


def _named_by(graph: Graph) -> set[str]:
    """Collects every text of the wanted resources; their ARNs are among them."""
    values = (getattr(resource, f.name) for resource in graph for f in fields(resource))
    return {value for value in values if isinstance(value, str)}


def _pointed_at(aws: Aws, lives: Iterable[Observed]) -> Iterable[str]:
    """Lists ARNs that our live resources name, and ARNs of what names them."""
    for live in lives:
        if isinstance(live, Live) and live.owner is None:
            yield from live.state.points_at(aws)


def _identify(aws: Aws, resource: Resource) -> Leftover | None:
    try:
        live = resource.identify(aws)
    except StopError:
        raise
    except AwsError as error:
        return resource, Unreadable(error)
    if live is None:
        return None
    tags = live.state.tags_or_none() or Tags()
    if owner_of(tags, resource.tags_or_none() or Tags()) is not None:
        return None
    return replace(resource, id=tags.get(RESOURCE_TAG) or resource.id), live
