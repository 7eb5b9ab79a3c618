"""Whether the queue takes the mail that SNS gives up: what the file says, and what SQS has room for.

Pure.
"""

from __future__ import annotations

from shnotify.arns import Scope
from shnotify.config.models import Config
from shnotify.engine.values import Policy
from shnotify.resources import policies


def queue_policy(config: Config, scope: Scope) -> Policy:
    """Writes the queue's policy; without the topics where they have no room in it."""
    assert config.dead_letter_queue  # noqa: S101 the callers looked
    queue = scope.queue(config.dead_letter_queue.name)
    rules = [scope.rule(route.rule.name) for route in config.routes]
    topics = [scope.topic(route.topic.name) for route in config.routes if config.keeps_mail]
    whole = policies.queue_policy(queue, rules, topics)
    return whole if fits(whole) else policies.queue_policy(queue, rules, [])


def fits(policy: Policy) -> bool:
    return len(policy.to_text()) <= policies.QUEUE_POLICY_BYTES


def keeps_mail(config: Config, scope: Scope) -> bool:
    """Tells whether mail that SNS gives up goes to the queue."""
    if not config.keeps_mail:
        return False
    sids = [statement["Sid"] for statement in queue_policy(config, scope).statements]
    return policies.SNS_QUEUE_SID in sids


def no_room(config: Config, scope: Scope) -> str:
    """Says that the file wants more than SQS has room for; "" otherwise."""
    if keeps_mail(config, scope) or not config.keeps_mail:
        return ""
    return (
        f"mail that SNS gives up is lost: the policy of the queue has {policies.QUEUE_POLICY_BYTES} bytes, and the "
        f"topics of {len(config.routes)} routes have no room in it; divide the routes between two files"
    )
