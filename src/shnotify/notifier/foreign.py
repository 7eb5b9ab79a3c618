"""Finding a notifier that anybody made (in the console, by Terraform, CDK or LZA) from one rule or
topic: the rule's targets, functions, topics, queues, keys and subscribers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from shnotify.arns import Scope, name_in, service_of
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.events import Event
from shnotify.engine.graph import Graph
from shnotify.engine.observe import observe
from shnotify.engine.plan import Observation
from shnotify.engine.resource import Live, Observed, Resource, Unreadable
from shnotify.engine.values import Pattern, Tags
from shnotify.errors import ShnotifyError, UsageError
from shnotify.findings.eventshape import SOURCE
from shnotify.findings.overlap import shared_example
from shnotify.notifier.chain import KeySeen
from shnotify.notifier.countdown import asked_of
from shnotify.notifier.doctor import Diagnosis, assembled, sources_of
from shnotify.notifier.hubcheck import hub_links
from shnotify.notifier.inquiry import Inquiry, Names
from shnotify.notifier.strangers import passages_of
from shnotify.notifier.surroundings import Asking, Surroundings, look_at_key
from shnotify.notifier.takers import takers_of
from shnotify.notifier.watchdog import watchdog_links
from shnotify.notifier.ways import Found, RuleSeen
from shnotify.resources.function import Function
from shnotify.resources.lookup import mappings_of, rules_feeding
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic

_TOPIC_ARN = re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
_RULE_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
_WORDS: Mapping[type[Resource], str] = {
    Topic: "topic",
    Queue: "queue",
    Function: "function",
    Role: "role",
}

Report = Callable[[Event], None]


def diagnose_foreign(
    aws: Aws, report: Report, hours: float, *, rule: str | None, topic: str | None
) -> tuple[Diagnosis, ShnotifyError | None]:
    """Judges the links of what one rule, or one topic, is part of.

    Returns the diagnosis, and the error of the first thing that could not be read, or None.
    """
    scope = aws.scope
    names = [_rule_name(rule, scope)] if rule else _rules_into(aws, _topic_arn(topic, scope))
    rules = [aws.in_time(aws.start(_look_at_rule, aws, scope, name)) for name in names]
    found = _found(aws, report, rules, topic)
    passages = passages_of(found, topic)
    patterns = [one.pattern for one in rules if one.pattern]
    inquiry = Inquiry(
        aws,
        Names(
            rules=tuple(one.name for one in rules if one.live),
            topics=tuple(_names(found.things, Topic)),
            functions=tuple(_names(found.things, Function)),
            queues=tuple(_names(found.things, Queue)),
            patterns=tuple(patterns),
            sources=sources_of(patterns),
        ),
        hours,
    )
    inquiry.start()
    answers = inquiry.answers()
    topics = [arn for arn in found.things if service_of(arn) == "sns"]
    hub = found.around.hub(_source(patterns))
    queues = list(_names(found.things, Queue))
    shared = [hub, *hub_links(scope, answers), *watchdog_links(queues, topics, answers)]
    unread = [one for one in found.things.values() if isinstance(one, Unreadable)]
    diagnosis = assembled(tuple(passages), shared, (), scope, answers)
    return diagnosis, None if diagnosis.broken or not unread else unread[0].error


def _source(patterns: list[Mapping[str, Any]]) -> str:
    sources = sources_of(patterns)
    return "both" if len(sources) == 2 else next(iter(sources))


def _names(things: Mapping[str, Observed], kind: type[Resource]) -> Iterator[str]:
    for live in things.values():
        if isinstance(live, Live) and isinstance(live.state, kind):
            yield live.state.name


def _rule_name(given: str, scope: Scope) -> str:
    """Reads a rule's name, or the ARN of a rule on the default bus."""
    name = name_in(given) if service_of(given) == "events" else given
    if service_of(given) == "events" and given != scope.rule(name):
        hint = "Security Hub sends its events to the default bus; sign in to the rule's account and Region"
        raise UsageError(
            f"{given} is no rule on the default bus here ({scope.rule(name)})", hint=hint
        )
    if not _RULE_NAME.fullmatch(name):
        raise UsageError(f"{given!r} is no rule's name")
    return name


def _topic_arn(given: str | None, scope: Scope) -> str:
    if not given or not _TOPIC_ARN.fullmatch(given):
        raise UsageError(
            f"{given!r} is no topic's ARN", hint=f"it looks like {scope.topic('NAME')}"
        )
    if Scope.of(given).region != scope.region:
        raise UsageError(f"{given} is in another Region than {scope.region}: give --region")
    return given


# -- rules -----------------------------------------------------------------------------------------


def _rules_into(aws: Aws, topic: str) -> list[str]:
    """Names the rules that feed a topic, and those that run a function on findings: it may feed it."""
    feeding = aws.in_time(aws.start(rules_feeding, aws, topic))
    by_function = aws.in_time(aws.start(_rules_of_functions, aws))
    return list(dict.fromkeys([*feeding, *by_function]))


def _rules_of_functions(aws: Aws) -> list[str]:
    found = []
    for page in aws.pages(aws.events.list_rules, "NextToken"):
        for rule in page["Rules"]:
            pattern = _mapping(rule.get("EventPattern"))
            if not pattern or not shared_example(pattern, {"source": [SOURCE]}):
                continue
            targets = _targets(aws, rule["Name"])
            arns = [str(target.get("Arn", "")) for target in targets or ()]
            if any(service_of(arn) == "lambda" or _is_taken_from(aws, arn) for arn in arns):
                found.append(str(rule["Name"]))
    return found


def _is_taken_from(aws: Aws, arn: str) -> bool:
    """Tells whether a function takes from a queue, or may, for nobody lets us see."""
    if service_of(arn) != "sqs":
        return False
    try:
        return bool(mappings_of(aws, arn))
    except StopError:
        raise
    except AwsError:
        return True


def _look_at_rule(aws: Aws, scope: Scope, name: str) -> RuleSeen:
    """Reads a rule and all its targets."""
    try:
        reply = aws.maybe(aws.events.describe_rule, Name=name)
        if reply is None:
            return RuleSeen(name, None, ())
        targets = _targets(aws, name) or ()
    except StopError:
        raise
    except AwsError as error:
        return RuleSeen(name, None, (), error)
    bare = Rule.at(scope.rule(name), Tags())
    assert bare  # noqa: S101 the ARN is a rule's
    state = replace(
        bare,
        id=f"rule {name}",
        event_pattern=Pattern(_mapping(reply.get("EventPattern")) or {}),
        description=reply.get("Description", ""),
        state=reply.get("State", ""),
    )
    return RuleSeen(name, Live(state, {"Arn": scope.rule(name)}), tuple(targets))


def _targets(aws: Aws, name: str) -> list[Mapping[str, Any]]:
    pages = aws.pages(aws.events.list_targets_by_rule, "NextToken", Rule=name)
    return [target for page in pages for target in page["Targets"]]


def _mapping(text: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


# -- everything behind them ------------------------------------------------------------------------


def _found(aws: Aws, report: Report, rules: list[RuleSeen], topic: str | None) -> Found:
    """Looks at everything that the rules' targets lead to, in three steps."""
    targets = [target for rule in rules for target in rule.targets]
    arns = [str(target.get("Arn", "")) for target in targets]
    takers = takers_of(aws, [arn for arn in arns if service_of(arn) == "sqs"])
    arns += [one.function for queue in takers.values() for one in queue.all]
    arns += [str((target.get("DeadLetterConfig") or {}).get("Arn") or "") for target in targets]
    arns += [topic] if topic else []
    patterns = [rule.pattern for rule in rules if rule.pattern]
    things, around = _look(aws, report, arns, sources_of(patterns))
    roles = [_role(live) for live in things.values()]
    behind, _ = _look(aws, report, [role for role in roles if role], frozenset())
    things |= behind
    fed = {arn: _topics_of(live, things) for arn, live in things.items()}
    further = [one for topics in fed.values() for one in topics if one not in things]
    more, beside = _look(aws, report, further, frozenset())
    things |= more
    around = replace(
        around,
        lists={**around.lists, **beside.lists},
        details={**around.details, **beside.details},
        keys=_keys(aws, things),
    )
    if around.waits:
        topics = [arn for arn in things if service_of(arn) == "sns"]
        around = replace(around, asked=aws.in_time(aws.start(asked_of, aws, topics)))
    known = {arn: tuple(topics) for arn, topics in fed.items() if topics}
    return Found(tuple(rules), things, known, around, takers)


def _look(
    aws: Aws, report: Report, arns: Iterable[str], sources: frozenset[str]
) -> tuple[dict[str, Observed], Surroundings]:
    """Reads the things that these ARNs name, and who is subscribed to the topics among them."""
    wanted = [thing for arn in dict.fromkeys(arns) if (thing := _thing(arn))]
    named = {thing.id: thing for thing in reversed(wanted)}
    graph = Graph(
        tuple(one if named[one.id] is one else replace(one, id=str(one.arn)) for one in wanted)
    )
    if not graph.resources and not sources:
        return {}, Surroundings()
    asking = Asking(aws, graph, (), set(sources))
    seen = observe(graph, aws, report, beside=asking.start) if graph.resources else None
    if seen is None:
        asking.start()
    around = asking.answers(seen or Observation({}))
    found = {str(thing.arn): seen.wanted[thing.id] for thing in graph} if seen else {}
    by_arn = {thing.id: str(thing.arn) for thing in graph}
    return found, replace(around, lists={by_arn[key]: one for key, one in around.lists.items()})


def _thing(arn: str) -> Resource | None:
    """Makes the thing that an ARN names, with nothing wanted of it."""
    for kind, word in _WORDS.items():
        if thing := kind.at(arn, Tags()):
            if isinstance(thing, Function):  # a target may be one alias of it: NAME:ALIAS
                thing = replace(thing, function_name=arn.partition(":function:")[2])
            return replace(thing, id=f"{word} {thing.name}")
    return None


def _role(live: Observed) -> str | None:
    is_function = isinstance(live, Live) and isinstance(live.state, Function)
    return str(live.state.role) if is_function else None  # type: ignore[union-attr]


def _topics_of(live: Observed, things: Mapping[str, Observed]) -> list[str]:
    """Lists the topics that a function may publish to: those that its variables or its role name."""
    if not (isinstance(live, Live) and isinstance(live.state, Function)):
        return []
    texts = [json.dumps(live.state.environment or {})]
    role = things.get(live.state.role)
    if isinstance(role, Live) and isinstance(role.state, Role):
        texts += [json.dumps(role.state.policies.document), json.dumps(role.facts["others"])]
    return list(dict.fromkeys(found[0] for text in texts for found in _TOPIC_ARN.finditer(text)))


def _keys(aws: Aws, things: Mapping[str, Observed]) -> dict[str, KeySeen]:
    """Looks at the keys that topics and queues are encrypted with."""
    states = [live.state for live in things.values() if isinstance(live, Live)]
    used = {one.kms_master_key_id for one in states if isinstance(one, Topic | Queue)}
    asked = {arn: aws.start(look_at_key, aws, arn) for arn in sorted(used) if ":key/" in arn}
    return {arn: aws.in_time(future) for arn, future in asked.items()}
