"""Whether each route can deliver, as far as that can be seen without side effects. Pure.

What was not looked at, or has no answer, is `unknown`; it never becomes "can deliver".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.arns import Scope
from shnotify.config.models import Config, ManagedKey, Route
from shnotify.config.rules import plain_routes
from shnotify.engine.graph import Graph
from shnotify.engine.health import Link, Verdict
from shnotify.engine.plan import Observation, known_values
from shnotify.engine.resource import Live, Resource
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.chain import chain_of
from shnotify.notifier.plain import why_plain
from shnotify.notifier.rulecheck import pattern_link, target_links
from shnotify.notifier.subscribers import (
    UNDELIVERED,
    Details,
    Recipient,
    subscriber_links,
    subscribers_of,
    undelivered_links,
)
from shnotify.notifier.surroundings import Surroundings
from shnotify.notifier.undelivered import no_room
from shnotify.resources.rule import Rule

SAFETY_NET = frozenset({"queue", "queue-policy", "queue-key", "undelivered-mail"})
"""Links that no mail passes: they keep what failed."""


_TOLD = ("subscribers", "filter-policy", "transformer")
"""Links whose warnings a plan tells as well."""


@frozen
class Delivery:
    """Judges one route: each link of the route's chain, and the route's subscribers."""

    route: str
    links: tuple[Link, ...]
    subscribers: tuple[Recipient, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Reasons why an alert would not arrive, or why nobody can say that it would; each once."""
        return tuple(dict.fromkeys(link.why for link in self.links if link.stops))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know though mail passes."""
        return tuple(dict.fromkeys(link.why for link in self.links if link.verdict == "warning"))

    @property
    def verdict(self) -> Verdict:
        """broken when a link is broken, else unknown when a link is, else ok."""
        verdicts = {link.verdict for link in self.links}
        return next((verdict for verdict in ("broken", "unknown") if verdict in verdicts), "ok")

    @property
    def ok(self) -> bool:
        return self.verdict == "ok"

    @property
    def only_the_net(self) -> bool:
        """Whether mail passes, and only what keeps failures is broken or unknown."""
        stopping = {link.id for link in self.links if link.stops}
        return bool(stopping) and stopping <= SAFETY_NET

    def to_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "ok": self.ok,
            "verdict": self.verdict,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "subscribers": [subscriber.to_json() for subscriber in self.subscribers],
        }


def deliveries(
    config: Config, graph: Graph, seen: Observation, around: Surroundings
) -> tuple[Delivery, ...]:
    """Judges every route."""
    known = known_values(graph, seen)
    judged = {thing.id: thing.resolved(known).judged(seen.wanted[thing.id]) for thing in graph}
    return tuple(_delivery(config, graph, route, seen, judged, around) for route in config.routes)


def _delivery(
    config: Config,
    graph: Graph,
    route: Route,
    seen: Observation,
    judged: Mapping[str, tuple[Link, ...]],
    around: Surroundings,
) -> Delivery:
    topic_id = names.topic_id(route)
    own = [link for resource_id in _parts(config, graph, route) for link in judged[resource_id]]
    told = {link.id for link in own if link.stops}
    # A key that is disabled says so itself; what its policy lets through does not matter then.
    policies = [
        link
        for link in chain_of(config, route, seen.wanted, around.keys).links()
        if link.id not in told
    ]
    if reason := why_plain(config, graph, route):
        own.append(Link("transformer", "warning", reason, resource=names.rule_id(route)))
    hub = around.hub(route.source)
    own += _of_rules(config, graph, route, seen)
    listed, details = around.lists.get(topic_id, ()), around.details
    if topic_id not in around.lists:
        why = f"the subscriptions of {topic_id} could not be read"
        unread = Link("subscribers", "unknown", why, resource=topic_id)
        return Delivery(
            route.name, (hub, *own, *policies, unread), subscribers_of(route, (), details)
        )
    subscribers = subscribers_of(route, listed, details)
    reached = subscriber_links(topic_id, listed, details, subscribers)
    kept = _kept(config, graph, topic_id, seen, subscribers, details)
    return Delivery(route.name, (hub, *own, *policies, *reached, *kept), subscribers)


def _kept(
    config: Config,
    graph: Graph,
    topic_id: str,
    seen: Observation,
    subscribers: tuple[Recipient, ...],
    details: Details,
) -> tuple[Link, ...]:
    """Judges whether mail that SNS gives up is kept, subscriber by subscriber."""
    if not config.keeps_mail:
        return ()
    if why := no_room(config, Scope.of(graph[topic_id].arn or "")):
        return (Link(UNDELIVERED, "warning", why, resource=names.DLQ),)
    queue, topic = graph[names.DLQ].arn or "", seen.wanted[topic_id]
    tags = topic.state.tags_or_none() if isinstance(topic, Live) else None
    return undelivered_links(topic_id, subscribers, details, queue, tags.to_dict() if tags else {})


def rules_of(graph: Graph, route: Route) -> list[Rule]:
    """Lists the rules of a route, the first rule first."""
    found = [graph[one] for one in names.rule_ids(route, {thing.id for thing in graph})]
    return [rule for rule in found if isinstance(rule, Rule)]


def _of_rules(config: Config, graph: Graph, route: Route, seen: Observation) -> list[Link]:
    """Says what keeps mail away in the patterns and targets of the route's rules.

    What else differs from the file is only drift.
    """
    queue = str(graph[names.DLQ].arn) if config.dead_letter_queue else ""
    found = []
    for rule in rules_of(graph, route):
        live = seen.wanted[rule.id]
        if isinstance(live, Live) and isinstance(live.state, Rule):
            have, want = live.state.event_pattern.document, rule.event_pattern.document
            found.append(pattern_link(rule.id, have, want))
            if target := live.state.targets:
                arn = live.outputs["Arn"]
                found += target_links(rule.id, arn, target, have, queue)
    return [link for link in found if link.stops]


def _parts(config: Config, graph: Graph, route: Route) -> list[str]:
    """Lists the ids of what an alert of this route passes; the graph has each of them."""
    ours = (
        [names.TOPIC_KEY]
        if config.encryption and isinstance(config.encryption.topic_key, ManagedKey)
        else []
    )
    formatter = (
        [names.formatter_role_id(route), names.formatter_id(route)]
        if route.message.format == "lambda"
        else []
    )
    if route.message.fold:
        formatter += [names.buffer_id(route), names.mapping_id(route)]
    rules = names.rule_ids(route, {thing.id for thing in graph})
    ids = [*ours, names.topic_id(route), *formatter, *rules]
    return [graph[resource_id].id for resource_id in ids]


def precautions(config: Config, graph: Graph, seen: Observation, around: Surroundings) -> list[str]:
    """Lists what a person should know before a plan is carried out."""
    found: list[str] = []
    as_wanted = {thing.id: _as_wanted(thing, graph, seen) for thing in graph}
    for route in config.routes:
        hub = around.hub(route.source)
        found += [] if hub.verdict == "ok" else [hub.why]
        links = chain_of(config, route, as_wanted, around.keys).links()
        existing = {key.name for key in around.keys.values()}
        found += [link.why for link in links if link.verdict != "ok" and link.resource in existing]
    said = plain_routes(config)  # the file's advice says these, with their place in it
    for delivery in deliveries(config, graph, seen, around):
        known = said.get(delivery.route)
        of_people = [
            link
            for link in delivery.links
            if link.id in _TOLD and not (known and (link.why or "").endswith(known))
        ]
        of_people += [
            link for link in delivery.links if (link.id, link.resource) == (UNDELIVERED, names.DLQ)
        ]
        found += [link.why for link in of_people if link.verdict == "warning"]
    return list(dict.fromkeys(found))


def _as_wanted(thing: Resource, graph: Graph, seen: Observation) -> Live[Resource]:
    """Returns the thing as it will be when the plan has been carried out."""
    live = seen.wanted[thing.id]
    facts = (
        live.facts
        if isinstance(live, Live)
        else {"Vpc": "", "Layers": [], "others": [], "boundary": None}
    )
    outputs = live.outputs if isinstance(live, Live) else thing.outputs()
    return Live(thing.resolved(known_values(graph, seen)), outputs, facts=facts)
