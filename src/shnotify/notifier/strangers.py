"""How each thing on the ways from somebody's rule to the inboxes is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from shnotify.arns import name_in, service_of
from shnotify.aws.failures import AwsError
from shnotify.config.models import Route, RuleSection, Subscriber, TopicSection
from shnotify.engine.health import Link
from shnotify.engine.resource import Unreadable
from shnotify.mail.options import Message
from shnotify.notifier.chain import Chain
from shnotify.notifier.passage import Passage
from shnotify.notifier.rulecheck import Target
from shnotify.notifier.subscribers import Recipient, subscriber_links, subscribers_of
from shnotify.notifier.takers import Takers, taker_links
from shnotify.notifier.ways import Found, RuleSeen, Way, ways_of
from shnotify.notifier.words import unread
from shnotify.resources.function import Function
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role
from shnotify.resources.topic import Topic

Format = Literal["summary", "json", "lambda"]
"""What a rule's mails are, as in a file's `message:`."""


def passages_of(found: Found, topic: str | None) -> list[Passage]:
    """Lists the ways through the rules; only those into the topic when there is one."""
    every = [way for rule in found.rules for way in ways_of(found, rule)]
    ways = [way for way in every if topic is None or way.topic == topic]
    passages = [_passage(found, way, _named(way, ways)) for way in ways]
    reached = {way.rule.name for way in ways}
    if topic is None:
        dead = [rule for rule in found.rules if rule.name not in reached]
        passages += [_dead_end(found, rule) for rule in dead]
    elif not passages:
        unclear = [way.function for way in every if not way.topic]
        passages.append(_unfed(found, topic, unclear))
    return passages


def _named(way: Way, ways: list[Way]) -> str:
    several = sum(other.rule is way.rule for other in ways) > 1
    return f"{way.rule.name}/{name_in(way.topic)}" if several and way.topic else way.rule.name


def _dead_end(found: Found, rule: RuleSeen) -> Passage:
    """A rule from which no mail can come, or of which nobody knows."""
    links = tuple(_rule_links(found, rule))
    return Passage(rule.name, rule.live, None, None, None, {}, (), {}, links, {})


def _unfed(found: Found, topic: str, unclear: list[str]) -> Passage:
    """A topic that no rule feeds.

    unclear  the functions that rules run, and of which nobody knows what they publish to
    """
    live = found.live(topic, Topic)
    why = f"no rule that is known here feeds {name_in(topic)}: no finding gets there"
    resource = f"topic {name_in(topic)}"
    links = [Link("target", "broken", why, resource=resource)]
    queues = [arn for rule in found.rules for arn in _queues(rule) if not found.taking(arn)]
    if doubtful := [*dict.fromkeys([*queues, *unclear])]:
        why = f"rules feed {', '.join(doubtful)}: whether mail of {resource} comes of that cannot be told"
        links = [Link("target", "unknown", why, evidence={"targets": doubtful}, resource=resource)]
    recipients, reached = _people(found, topic, "json", formatted=False)
    if live is None:
        links = [*_thing(found, topic, "target", "topic")]
    return Passage(
        name_in(topic),
        None,
        live,
        None,
        None,
        {},
        recipients,
        found.around.details,
        (*links, *reached),
        found.around.keys,
    )


def _queues(rule: RuleSeen) -> list[str]:
    """Lists the queues that a rule feeds."""
    arns = (str(target.get("Arn", "")) for target in rule.targets)
    return [arn for arn in arns if service_of(arn) == "sqs"]


def _passage(found: Found, way: Way, route: str) -> Passage:
    rule, target, topic = way.rule, way.target, way.topic
    formatted = bool(way.function)
    function = found.live(way.function, Function) if formatted else None
    queue_arn = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    chain = Chain(
        formatted=formatted,
        rules=(rule.live,) if rule.live else (),
        topic=found.live(topic, Topic),
        queue=found.live(queue_arn, Queue),
        function=function,
        role=found.live(function.state.role, Role) if function else None,
        keys=found.around.keys,
        folds=bool(way.buffer),
        buffer=found.live(way.buffer, Queue),
    )
    text: Format = "lambda" if formatted else "summary" if _shaped(target) else "json"
    recipients, reached = _people(found, topic, text, formatted=formatted)
    links = [
        *_rule_links(found, rule),
        *(_thing(found, topic, "target", "topic") if topic else ()),
        *(_buffer(found, way) if way.buffer else ()),
        *(_function(found, way.function, topic) if formatted else ()),
        *(_thing(found, queue_arn, "queue", "queue") if queue_arn else ()),
        *chain.links(),
        *reached,
    ]
    return Passage(
        route=route,
        rule=rule.live,
        topic=chain.topic,
        queue=chain.queue,
        function=function,
        target=target,
        recipients=recipients,
        details=found.around.details,
        asked=found.around.asked,
        links=tuple(links),
        keys=found.around.keys,
    )


def _shaped(target: Target) -> bool:
    """Whether the target makes another text of an event."""
    return any(target.get(name) for name in ("InputTransformer", "Input", "InputPath"))


# -- one thing at a time ---------------------------------------------------------------------------


def _rule_links(found: Found, rule: RuleSeen) -> Iterator[Link]:
    name = f"rule {rule.name}"
    if rule.error:
        yield unread("rule", name, rule.error, name)
        return
    if not rule.live:
        why = f"there is no rule {rule.name} on the default bus of this Region"
        yield Link("rule", "broken", why, resource=name)
        return
    if rule.live.state.state == "DISABLED":
        mend = f"aws events enable-rule --name {rule.name}"
        yield Link("rule", "broken", f"{name} is disabled", mend, resource=name)
    else:
        yield Link("rule", "ok", evidence={"state": rule.live.state.state}, resource=name)
    arns = [str(target.get("Arn", "")) for target in rule.targets]
    if not arns:
        why = f"{name} has no target: what it matches goes nowhere"
        yield Link("target", "broken", why, resource=name)
    elif not any(service_of(arn) in ("sns", "lambda") or found.taking(arn) for arn in arns):
        yield from _unread_takers(found, rule)
        where = ", ".join(arns)
        why = f"{name} feeds {where}: whether mail comes of that cannot be told"
        yield Link("target", "unknown", why, evidence={"targets": arns}, resource=name)
    else:
        yield Link("target", "ok", evidence={"targets": arns}, resource=name)


def _unread_takers(found: Found, rule: RuleSeen) -> Iterator[Link]:
    """Says of which queues nobody let us see what takes from them."""
    for arn in _queues(rule):
        if error := found.takers.get(arn, Takers()).error:
            what, name = f"what takes from queue {name_in(arn)}", f"queue {name_in(arn)}"
            yield unread("formatter", what, error, name)


def _buffer(found: Found, way: Way) -> Iterator[Link]:
    """Judges the queue between rule and function, and what takes from it."""
    yield from _thing(found, way.buffer, "target", "queue")
    same = {one for one in found.taking(way.buffer) if way.topic in found.topics(one)}
    yield from taker_links(
        way.buffer, found.takers[way.buffer], way.function, frozenset({*same, way.function})
    )
    live = found.live(way.buffer, Queue)
    if live and not live.state.redrive_policy:
        why = f"{live.state.id} has no dead-letter queue: what the function never manages is lost"
        yield Link("queue", "warning", why, resource=live.state.id)


def _thing(found: Found, arn: str, link: str, word: str) -> Iterator[Link]:
    """Judges whether the thing is there; what it lets through the chain judges."""
    seen, name = found.things.get(arn), f"{word} {name_in(arn)}"
    if isinstance(seen, Unreadable):
        error = seen.error
        ids = ("topic-policy", "topic-key") if word == "topic" else ("queue-policy", "queue-key")
        yield from (unread(one, name, error, name) for one in ids if isinstance(error, AwsError))
    elif seen is None:
        yield Link(link, "broken", f"{name} does not exist", evidence={"arn": arn}, resource=name)


def _function(found: Found, arn: str, topic: str) -> Iterator[Link]:
    """Judges somebody's function: that it can run, never that it sends what it should."""
    yield from _thing(found, arn, "target", "function")
    live = found.live(arn, Function)
    if not live:
        return
    state = live.state
    own = replace(
        live, facts={**live.facts, "Layers": []}
    )  # nothing strange in somebody's function
    judged = state.health(own)
    yield from judged
    role = found.things.get(state.role)
    if isinstance(role, Unreadable) and isinstance(role.error, AwsError):
        yield unread("formatter", f"role {name_in(state.role)}", role.error, state.id)
    elif role is None:
        why = f"{state.id} cannot run: its role {name_in(state.role)} does not exist"
        yield Link("formatter", "broken", why, resource=state.id)
    if all(link.verdict == "ok" for link in judged):
        what = f"sends mail to {name_in(topic)}" if topic else "sends mail at all"
        why = f"{state.id} is somebody's own code: whether it {what} cannot be told"
        yield Link("formatter", "unknown", why, resource=state.id)


def _person(protocol: Any, endpoint: str) -> Subscriber:
    """Names somebody on a topic, whose protocol may be one that the file does not know."""
    return Subscriber(protocol=protocol, endpoint=endpoint)


def _people(
    found: Found, topic: str, text: Format, *, formatted: bool
) -> tuple[tuple[Recipient, ...], tuple[Link, ...]]:
    """Lists who is on a topic, and judges whether anybody gets the mail."""
    name = f"topic {name_in(topic)}" if topic else ""
    if not topic or found.live(topic, Topic) is None:
        return (), ()
    listed = found.around.lists.get(topic)
    if listed is None:
        why = f"the subscriptions of {name} could not be read"
        needs = ("sns:ListSubscriptionsByTopic",)
        return (), (Link("subscribers", "unknown", why, needs=needs, resource=name),)
    entries = [entry for entry in listed if entry.state != "deleted"]
    people = [_person(entry.protocol, entry.endpoint) for entry in entries]
    route = Route(
        name=name,
        source="both",
        topic=TopicSection(name=name),
        rule=RuleSection(name=name, description=""),
        message=Message(format=text),
        subscribers=tuple({one.identity: one for one in people}.values()),
    )
    details = found.around.details
    recipients = subscribers_of(route, listed, details)
    if formatted:  # a function may set the attributes that a filter asks for
        recipients = tuple(
            replace(one, filtered=None) if one.filtered else one for one in recipients
        )
    return recipients, subscriber_links(name, listed, details, recipients, by_file=False)
