"""Whether somebody is told when mail is lost: by the file's own watchdog, or else by alarms of
anybody's on the metrics that show it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from shnotify.aws.failures import AwsError
from shnotify.config.models import Config, Watchdog
from shnotify.engine.graph import Graph
from shnotify.engine.health import Link
from shnotify.engine.plan import Observation, known_values
from shnotify.engine.resource import Live
from shnotify.engine.values import Pattern
from shnotify.findings.signoflife import parted
from shnotify.notifier import names
from shnotify.notifier.delivery import Delivery
from shnotify.notifier.inquiry import Answers
from shnotify.notifier.metrics import Counted, of_topic, topic_link
from shnotify.notifier.subscribers import (
    WATCHDOG,
    Recipient,
    as_route,
    click_links,
    subscriber_links,
    subscribers_of,
)
from shnotify.notifier.surroundings import Surroundings
from shnotify.notifier.words import unread
from shnotify.resources import calls
from shnotify.resources.alarm import Alarm
from shnotify.resources.evaluation import evaluate
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic

_LINK = "watchdog"


def own_watchdog_links(
    config: Config,
    watchdog: Watchdog,
    graph: Graph,
    seen: Observation,
    around: Surroundings,
    counted: Counted,
) -> tuple[Link, ...]:
    """Judges the file's watchdog: its alarms, its topic and who is told; one link when all is ok."""
    known = known_values(graph, seen)
    watching = [thing for thing in graph if _LINK in thing.links()]
    judged = [
        link for thing in watching for link in thing.resolved(known).judged(seen.wanted[thing.id])
    ]
    judged += _let_in(graph, seen)
    delivery = _delivery(config, watchdog, graph, seen, around)
    found = [
        *judged,
        *delivery.links,
        *(
            replace(link, id=_LINK)
            for link in click_links(names.WATCHDOG_TOPIC, delivery.subscribers)
        ),
        *_given_up(graph, counted),
    ]
    bad = tuple(link for link in found if link.verdict != "ok")
    return bad or (Link(_LINK, "ok", evidence={"alarms": [thing.name for thing in watching]}),)


def watchdog_delivery(
    config: Config, graph: Graph, seen: Observation, around: Surroundings
) -> Delivery | None:
    """Judges whether an alarm of the file's watchdog would reach somebody; None without one."""
    if config.watchdog is None:
        return None
    return _delivery(config, config.watchdog, graph, seen, around)


def _delivery(
    config: Config, watchdog: Watchdog, graph: Graph, seen: Observation, around: Surroundings
) -> Delivery:
    topic = graph[names.WATCHDOG_TOPIC]
    alarm = next(thing.arn or "" for thing in graph if isinstance(thing, Alarm))
    listed = around.lists.get(topic.id)
    who = subscribers_of(as_route(config, watchdog), listed or (), around.details)
    told = _told(graph, seen, around, who)
    return Delivery(WATCHDOG, (*_topic_links(graph, seen, alarm), *told), who)


def _let_in(graph: Graph, seen: Observation) -> Iterator[Link]:
    """Judges whether the rules that take the heartbeat let it in."""
    for thing in graph:
        live = seen.wanted[thing.id]
        if not (
            isinstance(thing, Rule) and isinstance(live, Live) and isinstance(live.state, Rule)
        ):
            continue
        wanted = parted(thing.event_pattern.document)[1]
        have = parted(live.state.event_pattern.document)[1]
        if wanted and (not have or Pattern(dict(have)) != Pattern(dict(wanted))):
            why = f"{thing.id} does not let the heartbeat in as the file says"
            yield thing.link(_LINK, "broken", why)


def _topic_links(graph: Graph, seen: Observation, alarm: str) -> Iterator[Link]:
    """Judges whether CloudWatch can publish to the watchdog's topic."""
    topic = graph[names.WATCHDOG_TOPIC]
    live = seen.wanted[topic.id]
    if not isinstance(live, Live):
        yield from (replace(link, id=_LINK) for link in topic.judged(live))
        return
    state = live.state
    assert isinstance(state, Topic)  # noqa: S101 what `desired` builds under this id
    if state.kms_master_key_id:
        why = f"{topic.id} is encrypted with {state.kms_master_key_id}: CloudWatch has no right to that key"
        yield topic.link(_LINK, "broken", why)
    request = calls.cloudwatch_publish(topic.arn or "", alarm)
    decision = evaluate(state.policy_document.document, request)
    if decision.verdict == "denied":
        why = f"{topic.id} does not let CloudWatch publish: {decision.reason}"
        yield topic.link(_LINK, "broken", why)
    elif decision.verdict != "allowed":
        why = f"nobody can tell whether {topic.id} lets CloudWatch publish: {decision.reason}"
        yield topic.link(_LINK, "unknown", why)


def _told(
    graph: Graph, seen: Observation, around: Surroundings, who: tuple[Recipient, ...]
) -> Iterator[Link]:
    """Judges whether somebody is told: one who is confirmed, and gets all, is enough."""
    if not isinstance(seen.wanted[names.WATCHDOG_TOPIC], Live):
        return
    topic = graph[names.WATCHDOG_TOPIC]
    listed = around.lists.get(topic.id)
    if listed is None:
        yield topic.link(_LINK, "unknown", f"the subscriptions of {topic.id} could not be read")
        return
    waiting = [one.endpoint for one in who if one.state in ("pending", "missing")]
    if not any(one.arn for one in who):
        whom = ", ".join(waiting) or "somebody"
        why = (
            f"nobody is told when the notifier fails: no subscriber of {topic.id} is confirmed; "
            f"{whom} must follow the link in SNS's mail (`shnotify apply` asks again after 48 hours)"
        )
        yield Link(_LINK, "broken", why, _ask_again(who), resource=topic.id)
        return
    for link in subscriber_links(topic.id, listed, around.details, who):
        yield replace(link, id=_LINK)
    if waiting:
        why = f"{', '.join(waiting)} is not confirmed on {topic.id}, and is told of no alarm"
        yield Link(_LINK, "warning", why, _ask_again(who), resource=topic.id)


def _ask_again(who: Iterable[Recipient]) -> str:
    """Names the command that has SNS mail its link once more."""
    pending = next((one.endpoint for one in who if one.state == "pending"), "")
    return f"shnotify subscriptions resend {pending}" if pending else "shnotify apply"


def _given_up(graph: Graph, counted: Counted) -> Iterator[Link]:
    """Judges whether SNS gave up an alarm's mail, which no queue keeps (docs/watchdog.md).

    No data is nothing: most of the time there is no alarm to mail.
    """
    topic = graph[names.WATCHDOG_TOPIC]
    if counted.error or counted.total(of_topic(topic.name, "NumberOfNotificationsFailed")):
        link = topic_link(topic.id, topic.name, counted)
        yield replace(link, id=_LINK, mend=None)


def watchdog_links(
    queues: Iterable[str], topics: Iterable[str], answers: Answers
) -> Iterator[Link]:
    """Judges whether an alarm would tell somebody that mail is lost.

    An alarm that mails through the very topic that it watches hides its own fault.
    """
    if not answers.alarms:
        return
    errors = [found for found in answers.alarms.values() if isinstance(found, AwsError)]
    if errors:
        yield unread("watchdog", "the alarms", errors[0])
        return
    alarms = [
        alarm
        for found in answers.alarms.values()
        if not isinstance(found, AwsError)
        for alarm in found
    ]
    own = set(topics)
    acting = [
        alarm
        for alarm in alarms
        if alarm.get("ActionsEnabled", True) and set(alarm.get("AlarmActions") or ()) - own
    ]
    names = sorted(str(alarm.get("AlarmName", "")) for alarm in alarms)
    if acting:
        yield Link("watchdog", "ok", evidence={"alarms": names})
    elif alarms:
        why = f"{', '.join(names)} would tell nobody, or only through the topic that it watches"
        yield Link("watchdog", "warning", why, evidence={"alarms": names})
    else:
        what = ", ".join(queues) or "its failures"
        why = f"no alarm watches {what}: when mail is lost, nobody is told"
        yield Link("watchdog", "warning", why)
