"""Configuration -> the wanted resources: reads from top to bottom like a template of the notifier.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.arns import Scope
from shnotify.config.models import Config, DeadLetterQueue, Route
from shnotify.config.rules import RoutedRule, rules_by_route
from shnotify.engine.graph import Graph
from shnotify.engine.resource import Resource
from shnotify.engine.values import Pattern, Tags
from shnotify.errors import UsageError
from shnotify.notifier import names, undelivered
from shnotify.notifier.alarms import watch
from shnotify.notifier.formatters import folding, formatter
from shnotify.notifier.heartbeat import heart, let_in
from shnotify.notifier.keys import arn_of, keys
from shnotify.resources import policies
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.loggroup import PREFIX
from shnotify.resources.queue import Queue
from shnotify.resources.rule import Rule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic
from shnotify.tags import PLAIN_TAG


def build(config: Config, scope: Scope, plain: Mapping[str, str] = {}) -> Graph:
    """Builds all resources of the notifier, each after what the resource needs.

    plain: routes for which EventBridge takes no second rule, with the reason.
    """
    resources: list[Resource] = []
    rules = rules_by_route(config, scope.partition, plain)
    topic_key, dlq_key = keys(config, scope)
    resources += [key for key in (topic_key, dlq_key) if isinstance(key, Key)]
    queue = None
    if config.dead_letter_queue:
        queue = _queue(config, config.dead_letter_queue, scope, dlq_key, plain)
        resources.append(queue)
    keeping = queue if undelivered.keeps_mail(config, scope) else None
    for route in config.routes:
        topic = _topic(config, route, scope, topic_key)
        resources += [topic, *_subscriptions(config, route, topic, keeping)]
        target: Topic | Function | Queue = topic
        behind: Resource | None = None
        if route.message.format == "lambda":
            uses = policies.Uses(
                log_group=scope.log_group(f"{PREFIX}{names.function_name(config, route)}"),
                topic=topic.ref("Arn"),
                topic_key=arn_of(topic_key),
                queue=queue.ref("Arn") if queue else "",
                queue_key=arn_of(dlq_key),
                buffer=scope.queue(names.buffer_name(config, route)) if route.message.fold else "",
                hub=scope.hubs() if route.message.dedup == "notified" else (),
                counts=bool(config.watchdog and config.watchdog.heartbeat),
            )
            made = formatter(config, route, scope, uses)
            resources += made
            target = made[-1]
            if route.message.fold and queue:
                routed = [scope.rule(rule.name) for rule in rules[route.name]]
                target, behind = folding(config, route, scope, (target, queue, dlq_key), routed)
                resources += [target, behind]
        way = (target, behind, queue)
        resources += _rules(config, route, scope, way, rules[route.name], plain)
    if config.watchdog:
        resources += watch(config, config.watchdog, scope, resources)
        if config.watchdog.heartbeat:
            resources += heart(config, scope, config.watchdog.heartbeat)
    return Graph(tuple(resources))


def _queue(
    config: Config, queue: DeadLetterQueue, scope: Scope, key: Key | str, plain: Mapping[str, str]
) -> Queue:
    arn = scope.queue(queue.name)
    policy = undelivered.queue_policy(config, scope, plain)
    size, limit = len(policy.to_text()), policies.QUEUE_POLICY_BYTES
    if size > limit:
        raise UsageError(
            f"the policy of the queue {queue.name} would have {size} bytes, and SQS takes {limit}: "
            f"it names the rules of all {len(config.routes)} routes",
            hint="give the rules shorter names, or divide the routes between two files",
        )
    return Queue(
        id=names.DLQ,
        queue_name=queue.name,
        queue_arn=arn,
        visibility_timeout=queue.visibility_timeout,
        message_retention_period=queue.retention,
        delay_seconds=queue.delivery_delay,
        maximum_message_size=queue.max_message_size,
        receive_message_wait_time_seconds=queue.receive_wait_time,
        kms_master_key_id=arn_of(key),
        kms_data_key_reuse_period_seconds=queue.data_key_reuse if key else None,
        sqs_managed_sse_enabled=None if key else True,
        policy_document=policy,
        tags=names.tags_of(config, names.DLQ),
    )


def _topic(config: Config, route: Route, scope: Scope, key: Key | str) -> Topic:
    arn = scope.topic(route.topic.name)
    return Topic(
        id=names.topic_id(route),
        topic_name=route.topic.name,
        topic_arn=arn,
        remove_unlisted=route.unlisted_subscribers == "remove",
        display_name=route.topic.display_name or "",
        kms_master_key_id=arn_of(key),
        policy_document=policies.topic_policy(scope, arn),
        tags=names.tags_of(config, names.topic_id(route)),
    )


def _subscriptions(
    config: Config, route: Route, topic: Topic, queue: Queue | None
) -> list[Subscription]:
    keeping = {"deadLetterTargetArn": queue.ref("Arn")} if queue else {}
    return [
        Subscription(
            id=Subscription.id_for(topic.id, subscriber.protocol, subscriber.endpoint),
            topic_arn=topic.ref("Arn"),
            protocol=subscriber.protocol,
            endpoint=subscriber.endpoint,
            notifier=config.name,
            redrive_policy=keeping,
        )
        for subscriber in route.subscribers
    ]


def _rules(
    config: Config,
    route: Route,
    scope: Scope,
    way: tuple[Topic | Function | Queue, Resource | None, Queue | None],
    rules: tuple[RoutedRule, ...],
    plain: Mapping[str, str],
) -> list[Rule]:
    """Builds the route's rules, which differ in what they let through and in how it is mailed.

    way  where a rule sends, what must be there before, and the dead-letter queue
    """
    to, behind, queue = way
    target: dict[str, Any] = {
        "Arn": to.ref("Arn"),
        "RetryPolicy": {
            "MaximumRetryAttempts": route.retry.max_attempts,
            "MaximumEventAgeInSeconds": route.retry.max_age,
        },
    }
    if queue:
        target["DeadLetterConfig"] = {"Arn": queue.ref("Arn")}
    ids = {rule.name: names.rule_id(route, rule.part.name) for rule in rules}
    found = []
    for rule in reversed(rules):  # a rule lets go only of what others have taken over
        tags = names.tags_of(config, ids[rule.name])
        if rule is rules[0] and route.name in plain:
            tags = Tags.of({**tags.to_dict(), PLAIN_TAG: plain[route.name]})
        lead = next(one for one in rules if one.part.source == rule.part.source)
        transformer = {"InputTransformer": rule.part.transformer} if rule.part.transformer else {}
        pattern = rule.pattern
        if rule is rules[0] and config.watchdog and config.watchdog.heartbeat:
            pattern = let_in(config, pattern, rule.part.transformer)
        found.append(
            Rule(
                id=ids[rule.name],
                rule_name=rule.name,
                rule_arn=scope.rule(rule.name),
                behind=behind.ref("Arn") if behind else "",
                heirs=_heirs(rule, rules, ids),
                first=ids[lead.name] if lead is not rule else "",
                unguarded=Pattern(rule.whole),
                event_pattern=Pattern(pattern),
                description=route.rule.description,
                state="ENABLED" if route.rule.enabled else "DISABLED",
                targets={**target, **transformer},
                tags=tags,
            )
        )
    return found


def _heirs(
    rule: RoutedRule, rules: tuple[RoutedRule, ...], ids: Mapping[str, str]
) -> tuple[str, ...]:
    """Lists the rules that let through what a rule leaves out: of the route's first rule all others."""
    if rule.part.kind == "odd":
        return ()
    others = (one for one in rules if one is not rule)
    own = (one for one in others if rule is rules[0] or one.part.source == rule.part.source)
    return tuple(ids[one.name] for one in own)
