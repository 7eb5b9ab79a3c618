"""The whole chain from Security Hub to every inbox, link by link. Pure, but for `look_further`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shnotify.arns import Scope
from shnotify.aws.gateway import Aws
from shnotify.config.models import Config, Route
from shnotify.engine.graph import Graph
from shnotify.engine.health import LINKS, Link, Verdict
from shnotify.engine.plan import Observation, known_values
from shnotify.engine.resource import Live
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.countdown import Asked, asked_of
from shnotify.notifier.delivery import Delivery, deliveries, rules_of
from shnotify.notifier.hubcheck import hub_links, scopes_of
from shnotify.notifier.inquiry import Answers, Names
from shnotify.notifier.passage import Passage
from shnotify.notifier.surroundings import Surroundings, look_at_key
from shnotify.notifier.watchdog import own_watchdog_links, watchdog_links
from shnotify.notifier.words import link_json
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.queue import Queue
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic

_WORST: tuple[Verdict, ...] = ("broken", "unknown", "warning", "ok")


@frozen
class Told:
    """A judgement and the routes that it is about; none: it is about the account."""

    link: Link
    routes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        route = self.routes[0] if len(self.routes) == 1 else None
        return link_json(self.link, route, routes=list(self.routes))


@frozen
class Diagnosis:
    """All links in the order of the chain, and the ways that they belong to.

    hub  what the findings come from, by its name
    """

    hub: str
    told: tuple[Told, ...]
    passages: tuple[Passage, ...]

    @property
    def verdict(self) -> Verdict:
        return worst(one.link for one in self.told)

    @property
    def broken(self) -> bool:
        return self.verdict == "broken"

    def about(self, route: str) -> list[Link]:
        """Lists the links of one route."""
        return [one.link for one in self.told if route in one.routes]

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": not self.broken,
            "verdict": self.verdict,
            "links": [one.to_json() for one in self.told],
        }


def worst(links: Iterable[Link]) -> Verdict:
    """The verdict that counts of several: broken before unknown before warning."""
    found = {link.verdict for link in links}
    return next((verdict for verdict in _WORST if verdict in found), "unknown")


# -- a notifier of a file --------------------------------------------------------------------------


def names_of(config: Config, graph: Graph) -> Names:
    """Names what the further questions about a notifier are about."""
    rules = [thing for thing in graph if isinstance(thing, Rule)]
    sources = {
        service
        for route in config.routes
        for service in (("cspm", "hub") if route.source in ("both", "auto") else (route.source,))
    }
    return Names(
        rules=tuple(rule.rule_name for rule in rules),
        topics=tuple(thing.topic_name for thing in graph if isinstance(thing, Topic)),
        functions=tuple(thing.function_name for thing in graph if isinstance(thing, Function)),
        queues=tuple(queue.queue_name for queue in _queues(graph)),
        patterns=tuple(rule.event_pattern.document for rule in rules),
        sources=frozenset(sources),
    )


def _queues(graph: Graph) -> list[Queue]:
    """Lists the queues of the alert path: not the heartbeat's own."""
    return [
        thing for thing in graph if isinstance(thing, Queue) and thing.id != names.HEARTBEAT_DLQ
    ]


def look_further(aws: Aws, seen: Observation, around: Surroundings) -> Surroundings:
    """Looks at keys that are used and are not the file's, such as one that somebody put there, and
    until when people can confirm.
    """
    lives = [live for live in seen.wanted.values() if isinstance(live, Live)]
    ours = {live.outputs.get("Arn") for live in lives if isinstance(live.state, Key)}
    used = {live.state.kms_master_key_id for live in lives if isinstance(live.state, Topic | Queue)}
    strange = sorted(arn for arn in used - ours - set(around.keys) if ":key/" in arn)
    asked = {arn: aws.start(look_at_key, aws, arn) for arn in strange}
    topics = [live.outputs["Arn"] for live in lives if isinstance(live.state, Topic)]
    waiting = aws.start(asked_of, aws, topics) if around.waits else None
    found = {arn: aws.in_time(future) for arn, future in asked.items()}
    since = aws.in_time(waiting) if waiting else Asked()
    return replace(around, keys={**around.keys, **found}, asked=since)


def diagnose(
    config: Config,
    graph: Graph,
    seen: Observation,
    around: Surroundings,
    scope: Scope,
    answers: Answers,
) -> Diagnosis:
    """Judges every link of every route of a file."""
    found = deliveries(config, graph, seen, around)
    passages = tuple(
        passage
        for route, delivery in zip(config.routes, found, strict=True)
        for passage in _passages(config, graph, route, delivery, seen, around)
    )
    queues = [queue.queue_name for queue in _queues(graph)]
    missing = [
        Link("queue", "broken", f"{thing.id} is missing", "shnotify apply", resource=thing.id)
        for thing in _queues(graph)
        if seen.wanted[thing.id] is None
    ]
    watched = (
        own_watchdog_links(config, config.watchdog, graph, seen, around, answers.counted)
        if config.watchdog
        else watchdog_links(queues, _topics(passages), answers)
    )
    shared = [*hub_links(scope, answers), *watched]
    return assembled(passages, shared, missing, scope, answers)


def assembled(
    passages: tuple[Passage, ...],
    shared: Iterable[Link],
    of_all: Iterable[Link],
    scope: Scope,
    answers: Answers,
) -> Diagnosis:
    """Puts the links in order, each told once.

    shared  links of the account
    of_all  links of every route
    """
    evidence = {"account": scope.account, "region": scope.region}
    told = {"": [Link("credentials", "ok", evidence=evidence), *shared]}
    for passage in passages:
        links = told.setdefault(passage.route, [*of_all])
        links += passage.judged(answers)
    routes: dict[Any, tuple[Link, tuple[str, ...]]] = {}
    for route, links in told.items():
        for link in _each_once(links):
            key = (link.id, link.resource, link.verdict, link.why)
            name = route if link.id not in _OF_THE_ACCOUNT else ""
            before = routes.get(key, (link, ()))[1]
            routes[key] = (link, before if name in before or not name else (*before, name))
    ordered = sorted(routes.values(), key=lambda one: one[0].place)
    return Diagnosis("Security Hub", tuple(Told(link, of) for link, of in ordered), passages)


_OF_THE_ACCOUNT = LINKS[: LINKS.index("rule")]
"""Links before the first rule: they are about the account and its Region."""


def _each_once(links: list[Link]) -> list[Link]:
    """Leaves out what is fine where the same link is not, and all but the first that is."""
    bad = {(link.id, link.resource) for link in links if link.verdict != "ok"}
    kept: dict[Any, Link] = {}
    for link in links:
        if link.verdict != "ok":
            kept.setdefault((link.id, link.resource, link.why), link)
        elif (link.id, link.resource) not in bad:
            kept.setdefault((link.id, link.resource), link)
    found = list(kept.values())
    named = {link.id for link in found if link.verdict != "ok" or link.resource}
    return [link for link in found if link.verdict != "ok" or link.resource or link.id not in named]


def _topics(passages: Iterable[Passage]) -> list[str]:
    return [passage.topic.outputs["Arn"] for passage in passages if passage.topic]


def _passages(
    config: Config,
    graph: Graph,
    route: Route,
    delivery: Delivery,
    seen: Observation,
    around: Surroundings,
) -> list[Passage]:
    """Makes a passage for each rule that feeds the route."""
    found = [
        _passage(config, graph, route, rule, delivery, seen, around)
        for rule in rules_of(graph, route)
    ]
    # What is judged of the route as a whole is told with its first rule.
    return [found[0], *(replace(one, links=(), beside=True) for one in found[1:])] if found else []


def _passage(
    config: Config,
    graph: Graph,
    route: Route,
    rule: Rule,
    delivery: Delivery,
    seen: Observation,
    around: Surroundings,
) -> Passage:
    def live(resource_id: str) -> Any:
        found = seen.wanted.get(resource_id)
        return found if isinstance(found, Live) else None

    known = known_values(graph, seen)
    of_rule = live(rule.id)
    return Passage(
        route=route.name,
        rule=of_rule,
        topic=live(names.topic_id(route)),
        queue=live(names.DLQ) if config.dead_letter_queue else None,
        function=live(names.formatter_id(route)),
        target=of_rule.state.targets if of_rule else {},
        recipients=delivery.subscribers,
        details=around.details,
        asked=around.asked,
        links=delivery.links,
        keys=around.keys,
        pattern=rule.resolved(known).event_pattern.document,
        keeps=str(graph[names.DLQ].arn) if config.dead_letter_queue else "",
    )


def sources_of(patterns: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Names the Security Hubs that patterns let events of through; CSPM when none is named."""
    return scopes_of(patterns) or frozenset({"cspm"})
