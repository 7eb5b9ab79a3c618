"""Whether each route can deliver, as far as that can be seen without side effects. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shnotify.config.models import Config, ManagedKey, Route
from shnotify.engine.graph import Graph
from shnotify.engine.health import Link, Verdict
from shnotify.engine.plan import Observation, known_before
from shnotify.notifier import names
from shnotify.resources.lookup import Subscribed
from shnotify.subscribers import subscriber_identity


@dataclass(frozen=True)
class Subscriber:
    """`state`: confirmed, pending, missing or unlisted."""

    protocol: str
    endpoint: str
    state: str


@dataclass(frozen=True)
class Delivery:
    """One route: the judgement on each link of its chain, and its subscribers."""

    route: str
    links: tuple[Link, ...]
    subscribers: tuple[Subscriber, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Reasons why an alert would not arrive, or why nobody can say that it would."""
        return tuple(link.why for link in self.links if link.stops)

    @property
    def verdict(self) -> Verdict:
        """broken when a link is, else unknown when nobody can tell of a link, else ok."""
        verdicts = {link.verdict for link in self.links}
        return next((verdict for verdict in ("broken", "unknown") if verdict in verdicts), "ok")

    @property
    def ok(self) -> bool:
        return self.verdict == "ok"

    def to_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "ok": self.ok,
            "verdict": self.verdict,
            "problems": list(self.problems),
            "subscribers": [vars(subscriber) for subscriber in self.subscribers],
        }


def deliveries(
    config: Config,
    graph: Graph,
    seen: Observation,
    lists: Mapping[str, tuple[Subscribed, ...] | None],
    key_problems: Mapping[str, list[str]],
) -> tuple[Delivery, ...]:
    """The health of each route.

    lists         topic resource id -> its subscriptions; None: no topic; absent: could not be read
    key_problems  ARN of an existing key -> what is wrong with it
    """
    known = known_before(graph, seen)
    judged = {thing.id: thing.resolved(known).judged(seen.wanted[thing.id]) for thing in graph}
    foreign = tuple(
        Link("topic-key", "broken", f"key {arn}: {problem}") for arn, found in key_problems.items() for problem in found
    )
    result = []
    for route in config.routes:
        subscribers = _subscribers(route, lists.get(names.topic_id(route)))
        links = [link for resource_id in _parts(config, graph, route) for link in judged[resource_id]]
        reached = _reached(names.topic_id(route), lists, subscribers)
        result.append(Delivery(route.name, (*links, *foreign, reached), subscribers))
    return tuple(result)


def _parts(config: Config, graph: Graph, route: Route) -> list[str]:
    """Ids of what an alert of this route passes; each of them is in the graph."""
    ours = [names.TOPIC_KEY] if config.encryption and isinstance(config.encryption.topic_key, ManagedKey) else []
    formatter = [names.formatter_role_id(route), names.formatter_id(route)] if route.message.format == "lambda" else []
    ids = [*ours, names.topic_id(route), *formatter, names.rule_id(route)]
    return [graph[resource_id].id for resource_id in ids]


def _reached(
    topic_id: str, lists: Mapping[str, tuple[Subscribed, ...] | None], subscribers: tuple[Subscriber, ...]
) -> Link:
    """Whether anybody gets the mail."""
    if topic_id not in lists:
        return Link("subscribers", "unknown", f"the subscriptions of {topic_id} could not be read", resource=topic_id)
    if any(s.state in ("confirmed", "unlisted") for s in subscribers):
        return Link("subscribers", "ok", resource=topic_id)
    pending = sum(s.state == "pending" for s in subscribers)
    why = f"nobody has confirmed: {pending} pending, and AWS drops them after 48 hours" if pending else "no subscriber"
    return Link("subscribers", "broken", why, resource=topic_id)


def _subscribers(route: Route, listed: tuple[Subscribed, ...] | None) -> tuple[Subscriber, ...]:
    states: dict[tuple[str, str], str] = {}
    for entry in listed or ():
        if entry.state != "deleted" and states.get(entry.identity) != "confirmed":
            states[entry.identity] = entry.state
    wanted = [(s.protocol, s.endpoint) for s in route.subscribers]
    result = [Subscriber(p, e, states.pop(subscriber_identity(p, e), "missing")) for p, e in wanted]
    extra = {entry.identity: entry for entry in listed or () if entry.identity in states}
    return (
        *result,
        *(Subscriber(e.protocol, e.endpoint, "unlisted") for e in extra.values() if e.state == "confirmed"),
    )
