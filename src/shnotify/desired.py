"""Configuration -> the wanted resources: reads from top to bottom like a template of the notifier. Pure."""

from __future__ import annotations

from typing import Any

from shnotify import policies
from shnotify.arns import Scope
from shnotify.config import Config, DeadLetterQueue, Encryption, ExistingKey, ManagedKey, Route
from shnotify.core.resource import MANAGED_TAG, NAME_TAG, RESOURCE_TAG, Graph, Resource
from shnotify.core.values import Pattern, Tags
from shnotify.errors import UsageError
from shnotify.message import input_transformer
from shnotify.pattern import event_pattern
from shnotify.resources.key import Key
from shnotify.resources.queue import Queue
from shnotify.resources.rule import Rule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic

QUEUE_POLICY_BYTES = 8192
"""SQS Developer Guide, quotas related to policies."""


def build(config: Config, scope: Scope) -> Graph:
    """All resources of the notifier, each after what it needs."""
    resources: list[Resource] = []
    topic_key, dlq_key = _keys(config, scope)
    resources += [key for key in (topic_key, dlq_key) if isinstance(key, Key)]
    queue = None
    if config.dead_letter_queue:
        queue = _queue(config, config.dead_letter_queue, scope, dlq_key)
        resources.append(queue)
    for route in config.routes:
        topic = _topic(config, route, scope, topic_key)
        resources += [topic, *_subscriptions(route, topic), _rule(config, route, scope, topic, queue)]
    return Graph(tuple(resources))


def existing_keys(config: Config) -> dict[str, bool]:
    """ARNs of the keys that are used but not ours -> whether a topic is encrypted with it."""
    encryption = config.encryption
    if not encryption:
        return {}
    found: dict[str, bool] = {}
    if config.dead_letter_queue and isinstance(encryption.dlq_key, ExistingKey):
        found[encryption.dlq_key.arn] = False
    if isinstance(encryption.topic_key, ExistingKey):
        found[encryption.topic_key.arn] = True
    return found


def _tags(config: Config, resource_id: str) -> Tags:
    ours = {NAME_TAG: config.name, RESOURCE_TAG: resource_id, MANAGED_TAG: "shnotify"}
    return Tags.of({**config.tags, **ours})


def _keys(config: Config, scope: Scope) -> tuple[Key | str, Key | str]:
    """(the topics' key, the queue's key): ours, or an existing one's ARN, or "" for none."""
    encryption: Encryption | None = config.encryption
    if not encryption:
        return "", ""
    topic = _key(config, "TopicKey", encryption.topic_key, scope)
    return topic, _key(config, "DlqKey", encryption.dlq_key, scope) if config.dead_letter_queue else ""


def _key(config: Config, resource_id: str, key: ManagedKey | ExistingKey, scope: Scope) -> Key | str:
    if isinstance(key, ExistingKey):
        return key.arn
    return Key(
        id=resource_id,
        alias_name=key.alias,
        description=key.description,
        enable_key_rotation=key.rotation,
        pending_window_in_days=key.deletion_window,
        key_policy=policies.key_policy(scope),
        tags=_tags(config, resource_id),
    )


def _arn_of(key: Key | str) -> str:
    return key.ref("Arn") if isinstance(key, Key) else key


def _queue(config: Config, queue: DeadLetterQueue, scope: Scope, key: Key | str) -> Queue:
    arn = scope.queue(queue.name)
    policy = policies.queue_policy(arn, [scope.rule(route.rule.name) for route in config.routes])
    if (size := len(policy.to_text())) > QUEUE_POLICY_BYTES:
        raise UsageError(
            f"the policy of the queue {queue.name} would have {size} bytes, and SQS takes {QUEUE_POLICY_BYTES}: "
            f"it names the rules of all {len(config.routes)} routes",
            hint="give the rules shorter names, or divide the routes between two files",
        )
    return Queue(
        id="Dlq",
        queue_name=queue.name,
        queue_arn=arn,
        visibility_timeout=queue.visibility_timeout,
        message_retention_period=queue.retention,
        delay_seconds=queue.delivery_delay,
        maximum_message_size=queue.max_message_size,
        receive_message_wait_time_seconds=queue.receive_wait_time,
        kms_master_key_id=_arn_of(key),
        kms_data_key_reuse_period_seconds=queue.data_key_reuse if key else None,
        policy_document=policy,
        tags=_tags(config, "Dlq"),
    )


def _topic(config: Config, route: Route, scope: Scope, key: Key | str) -> Topic:
    arn = scope.topic(route.topic.name)
    return Topic(
        id=f"{route.id}Topic",
        topic_name=route.topic.name,
        topic_arn=arn,
        remove_unlisted=route.unlisted_subscribers == "remove",
        display_name=route.topic.display_name or "",
        kms_master_key_id=_arn_of(key),
        policy_document=policies.topic_policy(scope, arn),
        tags=_tags(config, f"{route.id}Topic"),
    )


def _subscriptions(route: Route, topic: Topic) -> list[Subscription]:
    return [
        Subscription(
            id=Subscription.id_for(topic.id, subscriber.protocol, subscriber.endpoint),
            topic_arn=topic.ref("Arn"),
            protocol=subscriber.protocol,
            endpoint=subscriber.endpoint,
        )
        for subscriber in route.subscribers
    ]


def _rule(config: Config, route: Route, scope: Scope, topic: Topic, queue: Queue | None) -> Rule:
    target: dict[str, Any] = {
        "Arn": topic.ref("Arn"),
        "RetryPolicy": {
            "MaximumRetryAttempts": route.retry.max_attempts,
            "MaximumEventAgeInSeconds": route.retry.max_age,
        },
    }
    if queue:
        target["DeadLetterConfig"] = {"Arn": queue.ref("Arn")}
    transformer = (
        None if route.pattern else input_transformer(route.message.format, route.source, partition=scope.partition)
    )
    if transformer:
        target["InputTransformer"] = transformer
    return Rule(
        id=f"{route.id}Rule",
        rule_name=route.rule.name,
        rule_arn=scope.rule(route.rule.name),
        event_pattern=Pattern(event_pattern(route.source, route.findings, scope.partition, route.pattern)),
        description=route.rule.description,
        state="ENABLED" if route.rule.enabled else "DISABLED",
        targets=target,
        tags=_tags(config, f"{route.id}Rule"),
    )
