"""The ways from a rule that anybody made to the inboxes, and how each thing on them is judged. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from shnotify.arns import name_in, service_of
from shnotify.aws.failures import AwsError
from shnotify.config.models import Route, RuleSection, Subscriber, TopicSection
from shnotify.engine.health import Link
from shnotify.engine.resource import Live, Observed, Unreadable
from shnotify.mail.options import Message
from shnotify.notifier.chain import Chain
from shnotify.notifier.passage import Passage
from shnotify.notifier.rulecheck import Target
from shnotify.notifier.subscribers import Recipient, subscriber_links, subscribers_of
from shnotify.notifier.surroundings import Surroundings
from shnotify.notifier.words import unread
from shnotify.resources.function import Function
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic

Format = Literal["summary", "json", "lambda"]
"""What a rule's mails are, as in a file's `message:`."""


@dataclass(frozen=True)
class RuleSeen:
    """A rule and its targets; `live` is None when it is not there, or could not be read (`error`)."""

    name: str
    live: Live[Rule] | None
    targets: tuple[Target, ...]
    error: AwsError | None = None

    @property
    def pattern(self) -> Mapping[str, Any]:
        return self.live.state.event_pattern.document if self.live else {}


@dataclass(frozen=True)
class Found:
    """What the rules lead to.

    things  ARN -> what AWS showed of it
    fed     a function's ARN -> the topics that it may publish to
    around  keys, and subscribers by the topic's ARN
    """

    rules: tuple[RuleSeen, ...]
    things: Mapping[str, Observed]
    fed: Mapping[str, tuple[str, ...]]
    around: Surroundings

    def live(self, arn: str, kind: type[Any]) -> Any:
        found = self.things.get(arn)
        return found if isinstance(found, Live) and isinstance(found.state, kind) else None


def passages_of(found: Found, topic: str | None) -> list[Passage]:
    """Lists the ways through the rules; only those into the topic when there is one."""
    ways = [
        (rule, target, into)
        for rule in found.rules
        for target in rule.targets
        for into in _topics(found, target)
        if topic is None or into == topic
    ]
    passages = [
        _passage(found, rule, target, into, route=_named(rule, into, ways))
        for rule, target, into in ways
    ]
    reached = {rule.name for rule, _, _ in ways}
    if topic is None:
        passages += [_dead_end(rule) for rule in found.rules if rule.name not in reached]
    elif not passages:
        passages.append(_unfed(found, topic))
    return passages


def _topics(found: Found, target: Target) -> tuple[str, ...]:
    """Lists the topics behind a target; "" when it is a function of which nobody knows that."""
    arn = str(target.get("Arn", ""))
    if service_of(arn) == "sns":
        return (arn,)
    return found.fed.get(arn, ("",)) if service_of(arn) == "lambda" else ()


def _named(rule: RuleSeen, into: str, ways: list[tuple[RuleSeen, Target, str]]) -> str:
    several = sum(other is rule for other, _, _ in ways) > 1
    return f"{rule.name}/{name_in(into)}" if several and into else rule.name


def _dead_end(rule: RuleSeen) -> Passage:
    """A rule from which no mail can come, or of which nobody knows."""
    return Passage(rule.name, rule.live, None, None, None, {}, (), {}, tuple(_rule_links(rule)), {})


def _unfed(found: Found, topic: str) -> Passage:
    """A topic that no rule feeds."""
    live = found.live(topic, Topic)
    why = f"no rule that is known here feeds {name_in(topic)}: no finding gets there"
    resource = f"topic {name_in(topic)}"
    links = [Link("target", "broken", why, resource=resource)]
    if queues := [arn for rule in found.rules for arn in _queues(rule)]:
        why = f"rules feed {', '.join(queues)}: whether mail of {resource} comes of that cannot be told"
        links = [Link("target", "unknown", why, evidence={"queues": queues}, resource=resource)]
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


def _passage(found: Found, rule: RuleSeen, target: Target, topic: str, *, route: str) -> Passage:
    arn = str(target["Arn"])
    formatted = service_of(arn) == "lambda"
    function = found.live(arn, Function) if formatted else None
    queue_arn = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    chain = Chain(
        formatted=formatted,
        rules=(rule.live,) if rule.live else (),
        topic=found.live(topic, Topic),
        queue=found.live(queue_arn, Queue),
        function=function,
        role=found.live(function.state.role, Role) if function else None,
        keys=found.around.keys,
    )
    text: Format = "lambda" if formatted else "summary" if _shaped(target) else "json"
    recipients, reached = _people(found, topic, text, formatted=formatted)
    links = [
        *_rule_links(rule),
        *(_thing(found, topic, "target", "topic") if topic else ()),
        *(_function(found, arn, topic) if formatted else ()),
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


def _rule_links(rule: RuleSeen) -> Iterator[Link]:
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
    elif not any(service_of(arn) in ("sns", "lambda") for arn in arns):
        where = ", ".join(arns)
        why = f"{name} feeds {where}: whether mail comes of that cannot be told"
        yield Link("target", "unknown", why, evidence={"targets": arns}, resource=name)
    else:
        yield Link("target", "ok", evidence={"targets": arns}, resource=name)


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
    return recipients, subscriber_links(name, listed, details, recipients)
