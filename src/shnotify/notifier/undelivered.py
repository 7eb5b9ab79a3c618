"""Whether the queue takes the mail that SNS gives up: what the file says, and what SQS has room for.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from shnotify.arns import Scope
from shnotify.config.models import Config
from shnotify.config.rules import rules_by_route
from shnotify.engine.values import Policy
from shnotify.resources import policies


def queue_policy(config: Config, scope: Scope, plain: Mapping[str, str] = {}) -> Policy:
    """Writes the queue's policy; without the topics where they have no room in it.

    plain  routes for which EventBridge takes no second rule, with the reason
    """
    kept = config.routes if keeps_mail(config, scope) else ()
    topics = [scope.topic(route.topic.name) for route in kept]
    return _policy(config, scope, plain, topics)


def _policy(config: Config, scope: Scope, plain: Mapping[str, str], topics: list[str]) -> Policy:
    assert config.dead_letter_queue  # noqa: S101 the callers looked
    found = rules_by_route(config, scope.partition, plain)
    rules = [scope.rule(rule.name) for route in config.routes for rule in found[route.name]]
    return policies.queue_policy(scope.queue(config.dead_letter_queue.name), rules, topics)


def fits(policy: Policy) -> bool:
    return len(policy.to_text()) <= policies.QUEUE_POLICY_BYTES


def keeps_mail(config: Config, scope: Scope) -> bool:
    """Tells whether mail that SNS gives up goes to the queue: there is room for every rule and topic."""
    if not config.keeps_mail:
        return False
    topics = [scope.topic(route.topic.name) for route in config.routes]
    return fits(_policy(config, scope, {}, topics))


def no_room(config: Config, scope: Scope) -> str:
    """Says that the file wants more than SQS has room for; "" otherwise."""
    if keeps_mail(config, scope) or not config.keeps_mail:
        return ""
    return (
        f"mail that SNS gives up is lost: the policy of the queue has {policies.QUEUE_POLICY_BYTES} bytes, and the "
        f"topics of {len(config.routes)} routes have no room in it; divide the routes between two files"
    )
