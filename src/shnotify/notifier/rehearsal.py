"""What a test will do to one route, worked out before anything is sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shnotify.arns import Scope
from shnotify.config.models import Config, Route
from shnotify.engine.graph import Graph
from shnotify.engine.health import Link
from shnotify.errors import UsageError
from shnotify.findings.matching import matches
from shnotify.formatter.settings import Settings
from shnotify.frozen import frozen
from shnotify.mail.summary import settings_of
from shnotify.notifier import names
from shnotify.notifier.delivery import rules_of
from shnotify.notifier.doctor import Diagnosis
from shnotify.notifier.passage import Passage
from shnotify.notifier.probe import Target
from shnotify.notifier.specimen import Order, as_sent, quietest, specimen
from shnotify.notifier.subscribers import Recipient
from shnotify.resources.loggroup import LogGroup
from shnotify.resources.queue import Queue


@frozen
class Rehearsal:
    """What a test of one route will do.

    links       the route's chain as it stands
    recipients  who is subscribed
    who         who sends it
    """

    route: Route
    target: Target
    links: tuple[Link, ...]
    recipients: tuple[Recipient, ...]
    who: str

    @property
    def reached(self) -> tuple[Recipient, ...]:
        """Those who surely get the mail."""
        return tuple(one for one in self.recipients if one.reached)

    @property
    def awaited(self) -> int | None:
        """How many mails SNS surely has to hand over; None when nobody can tell whether any."""
        doubtful = any(one.id == "subscribers" and one.verdict == "unknown" for one in self.links)
        return None if doubtful else len(self.reached)

    @property
    def broken(self) -> tuple[Link, ...]:
        """Links of the chain that are broken already."""
        return tuple(link for link in self.links if link.verdict == "broken")


@frozen
class Rehearsed:
    """The finding of a test, how it is put away, and which other routes mail it as well."""

    finding: dict[str, Any]
    order: Order
    others: tuple[str, ...]


def chosen_route(config: Config, name: str | None) -> Route:
    """Returns the route that is asked for, or the only one. Raises `UsageError`."""
    known = {route.name: route for route in config.routes}
    if name is None and len(known) == 1:
        return config.routes[0]
    if name in known:
        return known[name]
    names_ = "|".join(known)
    if name is None:
        raise UsageError("which route? There are several", hint=f"--route {names_}")
    raise UsageError(f"there is no route {name!r}", hint=f"--route {names_}")


def rehearsal(config: Config, graph: Graph, route: Route, found: Diagnosis, who: str) -> Rehearsal:
    """Puts together what is known of a route before it is tested."""
    group = graph[names.formatter_logs_id(route)] if route.message.format == "lambda" else None
    queue = graph[names.DLQ] if config.dead_letter_queue else None
    target = Target(
        route,
        tuple(rule.rule_name for rule in rules_of(graph, route)),
        group.log_group_name if isinstance(group, LogGroup) else None,
        queue.queue_arn if isinstance(queue, Queue) else None,
    )
    mine = [one for one in found.passages if one.route == route.name]
    recipients = mine[0].recipients if mine else ()
    return Rehearsal(route, target, tuple(found.about(route.name)), recipients, who)


def rehearsed(
    config: Config,
    scope: Scope,
    route: Route,
    passages: Sequence[Passage],
    *,
    who: str,
    unique: str,
    moment: datetime,
    hostile: bool,
) -> Rehearsed:
    """Makes the finding for the rule as it stands in AWS, or as the file wants it where there is none.

    Raises `UsageError` when no test finding can pass it.
    """
    patterns = _patterns(route.name, passages)
    finding = specimen(
        scope,
        config.name,
        route.name,
        patterns,
        who=who,
        unique=unique,
        moment=moment,
        hostile=hostile,
    )
    event = as_sent(scope, finding)
    others = tuple(
        other.name
        for other in config.routes
        if other.name != route.name
        and any(matches(pattern, event) for pattern in _patterns(other.name, passages))
    )
    return Rehearsed(finding, quietest(scope, finding, patterns, _settings(config, route)), others)


def _patterns(route: str, passages: Sequence[Passage]) -> list[Mapping[str, Any]]:
    """Lists the patterns of a route's rules."""
    return [
        one.rule.state.event_pattern.document if one.rule else one.pattern or {}
        for one in passages
        if one.route == route
    ]


def _settings(config: Config, route: Route) -> Settings | None:
    if route.message.format != "lambda":
        return None
    return settings_of(route.message, marker=config.marker(route))
