"""Whether each route can deliver, as far as that can be seen without side effects. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shnotify.config.models import Config, Route
from shnotify.engine.plan import Observation
from shnotify.engine.resource import Live
from shnotify.resources import policies
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.lookup import Subscribed, subscription_identity
from shnotify.resources.rule import Rule
from shnotify.resources.topic import Topic


@dataclass(frozen=True)
class Subscriber:
    """`state`: confirmed, pending, missing or unlisted."""

    protocol: str
    endpoint: str
    state: str


@dataclass(frozen=True)
class Delivery:
    """One route: `problems` are reasons why an alert would not arrive."""

    route: str
    problems: tuple[str, ...]
    subscribers: tuple[Subscriber, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "ok": self.ok,
            "problems": list(self.problems),
            "subscribers": [vars(subscriber) for subscriber in self.subscribers],
        }


def deliveries(
    config: Config,
    seen: Observation,
    lists: Mapping[str, tuple[Subscribed, ...] | None],
    key_problems: Mapping[str, list[str]],
) -> tuple[Delivery, ...]:
    """The health of each route.

    lists         topic resource id -> its subscriptions; None: no topic; absent: could not be read
    key_problems  ARN of an existing key -> what is wrong with it
    """
    return tuple(_delivery(config, route, seen, lists, key_problems) for route in config.routes)


def _delivery(
    config: Config,
    route: Route,
    seen: Observation,
    lists: Mapping[str, tuple[Subscribed, ...] | None],
    key_problems: Mapping[str, list[str]],
) -> Delivery:
    subscribers = _subscribers(route, lists.get(f"{route.id}Topic"))
    problems = [problem for resource_id in _parts(config, route) for problem in _broken(seen, resource_id)]
    problems += _aimed_elsewhere(seen, route)
    rule = seen.wanted.get(f"{route.id}Rule")
    if (
        route.rule.enabled
        and isinstance(rule, Live)
        and isinstance(rule.state, Rule)
        and rule.state.state == "DISABLED"
    ):
        problems.append(f"{route.id}Rule was disabled outside the file")
    problems += [f"key {arn}: {problem}" for arn, found in key_problems.items() for problem in found]
    if f"{route.id}Topic" in lists and not any(s.state in ("confirmed", "unlisted") for s in subscribers):
        pending = sum(s.state == "pending" for s in subscribers)
        problems.append(
            f"nobody has confirmed: {pending} pending, and AWS drops them after 48 hours"
            if pending
            else "no subscriber"
        )
    return Delivery(route.name, tuple(problems), subscribers)


def _parts(config: Config, route: Route) -> list[str]:
    shared = ["TopicKey"] if config.encryption else []
    formatter = [f"{route.id}FormatterRole", f"{route.id}Formatter"] if route.message.format == "lambda" else []
    return [*shared, f"{route.id}Topic", *formatter, f"{route.id}Rule"]


def _broken(seen: Observation, resource_id: str) -> list[str]:
    if resource_id not in seen.wanted:
        return []
    live = seen.wanted[resource_id]
    if live is None:
        return [f"{resource_id} is missing"]
    if not isinstance(live, Live):
        return []
    match live.state:
        case Key(enabled=False):
            return [f"{resource_id} cannot be used: KMS says it is {live.outputs['KeyState']}"]
        case Function() if live.outputs["State"] not in ("Active", "Inactive"):  # Inactive wakes up by itself
            return [f"{resource_id} cannot run: Lambda says it is {live.outputs['State']} {live.outputs['Reason']}"]
        case Function() if live.outputs["Concurrency"] == "0":
            return [f"{resource_id} is throttled to nothing: its reserved concurrency is 0"]
        case Key(key_policy=policy):
            return [f"{resource_id}: {problem}" for problem in policies.key_problems(policy, for_topic=True)]
        case Topic(policy_document=policy):
            return [f"{resource_id}: {problem}" for problem in policies.topic_problems(policy)]
        case Rule(targets=targets) if not targets:
            return [f"{resource_id} has no target: what it matches goes nowhere"]
    return []


def _aimed_elsewhere(seen: Observation, route: Route) -> list[str]:
    """That the rule's target is another one than the route's topic or function."""
    fed = "Formatter" if route.message.format == "lambda" else "Topic"
    rule, wanted = seen.wanted.get(f"{route.id}Rule"), seen.wanted.get(f"{route.id}{fed}")
    if not isinstance(rule, Live) or not isinstance(wanted, Live) or not isinstance(rule.state, Rule):
        return []
    target = rule.state.targets.get("Arn")
    return [f"{route.id}Rule feeds {target} instead"] if target and target != wanted.outputs["Arn"] else []


def _subscribers(route: Route, listed: tuple[Subscribed, ...] | None) -> tuple[Subscriber, ...]:
    states: dict[tuple[str, str], str] = {}
    for entry in listed or ():
        if entry.state != "deleted" and states.get(entry.identity) != "confirmed":
            states[entry.identity] = entry.state
    wanted = [(s.protocol, s.endpoint) for s in route.subscribers]
    result = [Subscriber(p, e, states.pop(subscription_identity(p, e), "missing")) for p, e in wanted]
    extra = {entry.identity: entry for entry in listed or () if entry.identity in states}
    return (
        *result,
        *(Subscriber(e.protocol, e.endpoint, "unlisted") for e in extra.values() if e.state == "confirmed"),
    )
