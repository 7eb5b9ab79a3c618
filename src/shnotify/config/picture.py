"""A file's chain as a picture: what is made of it, what each thing is for, and who is told. Pure.

Offline: it says what the file says, and nothing of what AWS holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from shnotify.config.models import Config, ExistingKey, ManagedKey, Route
from shnotify.config.rules import RoutedRule, rules_by_route
from shnotify.escaping import escaped_line
from shnotify.schema.model import fields_of
from shnotify.schema.scalars import shown, spoken

MOST = 10
"""Subscribers, and values of a filter, that are told one by one."""
_SOURCES = {
    "cspm": "Security Hub CSPM findings",
    "hub": "Security Hub findings (OCSF)",
    "both": "findings of Security Hub CSPM and of Security Hub (OCSF)",
    "auto": "findings of the Security Hub that is on",
}
_MAILS = {
    "summary": "short mails",
    "json": "whole events as JSON",
    "lambda": "mails with title and remedy",
}
_ABOUT = {
    "clean": "the other service's findings, to the same topic",
    "odd": "findings whose text would break a mail: to the same topic, without that text",
    "plain": "the other service's findings, to the same topic",
    "whole": "to the same topic",
}
"""What a further rule of a route is for."""
_LABELS = {"severity": "", "workflow_status": "", "record_state": ""}
"""Fields whose values need no label: no two of them share a value."""


class Node(NamedTuple):
    """One thing of the picture, what it is for, and what it feeds."""

    text: str
    about: str = ""
    below: tuple[Node, ...] = ()


def chains(config: Config, plain: Collection[str] = ()) -> tuple[Node, ...]:
    """Returns one tree a route, from Security Hub to those who are told.

    plain  routes that get no second rule
    """
    rules = rules_by_route(config.settled(), plain=plain)
    return tuple(_chain(config, route, rules[route.name]) for route in config.routes)


def _chain(config: Config, route: Route, rules: tuple[RoutedRule, ...]) -> Node:
    topic = Node(
        f"topic {route.topic.name}",
        f"{_MAILS[route.message.format]}{_encrypted(config, 'topic_key')}",
        tuple(_subscribers(route)),
    )
    target = topic
    if route.message.format == "lambda":
        marks = ", and marks what it mailed NOTIFIED" if route.message.dedup == "notified" else ""
        target = Node("function", f"writes the mails{marks}", (topic,))
    below = [target]
    if queue := config.dead_letter_queue:
        kept = f"keeps what could not be delivered for {spoken(queue.retention)}"
        below.append(Node(f"queue {queue.name}", f"{kept}{_encrypted(config, 'dlq_key')}"))
    disabled = "" if route.rule.enabled else "DISABLED: lets nothing through; "
    rule = Node(f"rule {route.rule.name}", f"{disabled}{filters_in_words(route)}", tuple(below))
    source = "events that your own pattern takes" if route.pattern else _SOURCES[route.source]
    others = (Node(f"rule {one.name}", _ABOUT[one.part.kind]) for one in rules[1:])
    return Node(source, "", (rule, *others))


def _encrypted(config: Config, which: str) -> str:
    if not config.encryption:
        return ", no key of yours" if which == "topic_key" else ", encrypted with SQS's own key"
    key: ManagedKey | ExistingKey = getattr(config.encryption, which)
    return f", encrypted with {key.arn if isinstance(key, ExistingKey) else key.alias}"


def _subscribers(route: Route) -> Iterator[Node]:
    for one in route.subscribers[:MOST]:
        confirms = one.protocol in ("email", "email-json", "http", "https")
        yield Node(
            f"{one.protocol} {escaped_line(one.endpoint)}",
            "must confirm within 48 hours" if confirms else "",
        )
    if (hidden := len(route.subscribers) - MOST) > 0:
        yield Node(f"and {hidden} more")
    if not route.subscribers:
        yield Node("nobody", "no subscriber in the file")


def filters_in_words(route: Route) -> str:
    """Says in words what a route lets through, such as `CRITICAL or HIGH, NEW, ACTIVE`."""
    if route.pattern:
        return "an event pattern of your own"
    said = list(_of(route.findings))
    left_out = list(_of(route.findings.exclude))
    if left_out:
        said.append(f"but not {' or '.join(left_out)}")
    return ", ".join(said) or "every finding"


def _of(filters: Any) -> Iterator[str]:
    for name in fields_of(type(filters)):
        value = getattr(filters, name)
        if name == "exclude" or value is None:
            continue
        if isinstance(value, dict):
            yield " or ".join(
                f"{product}: {_listed(levels) if levels else 'any severity'}"
                for product, levels in value.items()
            )
        else:
            label = _LABELS.get(name, f"{name.replace('_', ' ')} ")
            yield f"{label}{_listed(value)}"


def _listed(values: Iterable[str]) -> str:
    found = [value if len(value) < 80 else shown(value) for value in map(escaped_line, values)]
    more = f" or {len(found) - MOST} more" if len(found) > MOST else ""
    return " or ".join(found[:MOST]) + more


def made(config: Config) -> dict[str, int]:
    """Counts what the file makes, by kind, in people's words."""
    keys = [config.encryption.topic_key] if config.encryption else []
    if config.encryption and config.dead_letter_queue:
        keys.append(config.encryption.dlq_key)
    functions = sum(route.message.format == "lambda" for route in config.routes)
    dead_letters = int(config.dead_letter_queue is not None)
    buffers = sum(route.message.fold is not None for route in config.routes)
    counts = {
        "KMS key": sum(isinstance(key, ManagedKey) for key in keys),
        "SQS queue": dead_letters + buffers,
        "SNS topic": len(config.routes),
        "subscription": sum(len(route.subscribers) for route in config.routes),
        "EventBridge rule": sum(map(len, rules_by_route(config.settled()).values())),
        "Lambda function": functions,
    }
    if config.watchdog:
        beats = int(config.watchdog.heartbeat is not None)
        counts["CloudWatch alarm"] = (
            counts["EventBridge rule"] * (1 + dead_letters)
            + counts["SNS topic"] * (1 + beats)
            + functions * 2
            + dead_letters * 2
            + buffers
        )
        counts["SQS queue"] += beats
        counts["SNS topic"] += 1
        counts["subscription"] += len(config.watchdog.subscribers)
        counts["schedule"] = beats
    return {kind: count for kind, count in counts.items() if count}


def drawn(nodes: Iterable[Node], *, plain: bool) -> list[str]:
    """Draws the trees as lines; `plain` means without characters beyond ASCII."""
    tee, last, bar = ("|-> ", "`-> ", "|   ") if plain else ("├─> ", "└─> ", "│   ")
    lines: list[str] = []

    def draw(node: Node, lead: str, under: str) -> None:
        lines.append(f"  {lead}{node.text}{f': {node.about}' if node.about else ''}")
        for number, child in enumerate(node.below):
            ends = number == len(node.below) - 1
            draw(child, under + (last if ends else tee), under + ("    " if ends else bar))

    for node in nodes:
        draw(node, "", "")
    return lines
