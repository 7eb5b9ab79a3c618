"""Routes that have to do without a second rule, because EventBridge takes none: seen by a tag of
their first rule, or learnt from a refusal. Pure.

A bus takes 30 rules with wildcards, of everybody's (eb-quota). There is no state file, so the rule
itself remembers: until its tag is taken away nobody asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shnotify.config.models import Config, Route
from shnotify.config.rules import plain_routes
from shnotify.engine.graph import Graph
from shnotify.engine.resource import Live, Observed
from shnotify.errors import ShnotifyError
from shnotify.notifier import names
from shnotify.resources.rule import Rule
from shnotify.tags import PLAIN_TAG

_REFUSALS = frozenset({"LimitExceededException", "InvalidEventPatternException"})
"""What PutRule answers where it takes no more rules, or finds a pattern too complex (API_PutRule)."""


def remembered(config: Config, graph: Graph, seen: Mapping[str, Observed]) -> dict[str, str]:
    """Maps each route whose first rule carries the tag, and has no other beside it, to the reason."""
    found: dict[str, str] = {}
    for route in config.routes:
        first = graph[names.rule_id(route)]
        live = seen.get(first.id)
        if not (isinstance(first, Rule) and isinstance(live, Live)):
            continue
        reason = (live.state.tags_or_none() or first.tags).get(PLAIN_TAG)
        seconds = (names.rule_id(route, part) for part in ("Plain", "HubPlain"))
        if reason and first.heirs and all(seen.get(second) is None for second in seconds):
            found[route.name] = reason
    return found


def refused(config: Config, graph: Graph, errors: Iterable[ShnotifyError]) -> dict[str, str]:
    """Maps each route one of whose rules EventBridge refused for its wildcards to the reason."""
    routes = {
        rule: route.name
        for route in config.routes
        if _heirs(graph, route)
        for rule in (names.rule_id(route), *_heirs(graph, route))
    }
    return {
        routes[error.resource]: str(error.code)
        for error in errors
        if error.resource in routes
        and error.operation == "events:PutRule"
        and error.code in _REFUSALS
    }


def _heirs(graph: Graph, route: Route) -> tuple[str, ...]:
    first = graph[names.rule_id(route)]
    return first.heirs if isinstance(first, Rule) else ()


def why_plain(config: Config, graph: Graph, route: Route) -> str | None:
    """Says why a route has one rule for each service though its mail asks for two, or returns None."""
    first = graph[names.rule_id(route)]
    tag = first.tags.get(PLAIN_TAG) if isinstance(first, Rule) else None
    if tag and isinstance(first, Rule):
        return (
            f"{first.id} sends mails without title and resource: EventBridge took no second rule ({tag}); a bus takes "
            f"30 rules with wildcards. To try again: aws events untag-resource --resource-arn {first.rule_arn} "
            f"--tag-keys {PLAIN_TAG}"
        )
    reason = plain_routes(config).get(route.name)
    return f"{first.id} sends mails without title and resource: {reason}" if reason else None
