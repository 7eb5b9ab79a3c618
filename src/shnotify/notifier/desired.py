"""Configuration -> the wanted resources: reads from top to bottom like a template of the notifier.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shnotify.arns import Scope
from shnotify.config.models import (
    DAY,
    Config,
    DeadLetterQueue,
    Encryption,
    ExistingKey,
    ManagedKey,
    Route,
)
from shnotify.config.rules import RoutedRule, rules_by_route
from shnotify.engine.graph import Graph
from shnotify.engine.resource import Resource
from shnotify.engine.values import Pattern, Policy, Tags
from shnotify.errors import UsageError
from shnotify.formatter import HANDLER
from shnotify.mail import archive as bundle
from shnotify.mail.summary import settings_of
from shnotify.notifier import names, undelivered
from shnotify.notifier.alarms import watch
from shnotify.notifier.heartbeat import counting, heart, let_in
from shnotify.resources import policies
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.loggroup import PREFIX, LogGroup
from shnotify.resources.mapping import EventSourceMapping
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role, role_name
from shnotify.resources.rule import Rule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic
from shnotify.tags import PLAIN_TAG

FOLDING_SECONDS = 120
"""The function's timeout where it works off batches. The buffer hides a message six times as long
and a window more (services-sqs-configure)."""
FOLDED_AT_ONCE = 500
"""Findings in a batch: what two or three mails can name. More than 10 need a window, and 2 is the
least concurrency that Lambda takes (API_CreateEventSourceMapping)."""
LOG_DAYS = 30
"""How long the formatter's log is kept: long enough to look into a mail that did not arrive."""


def build(config: Config, scope: Scope, plain: Mapping[str, str] = {}) -> Graph:
    """Builds all resources of the notifier, each after what the resource needs.

    plain: routes for which EventBridge takes no second rule, with the reason.
    """
    resources: list[Resource] = []
    rules = rules_by_route(config, scope.partition, plain)
    topic_key, dlq_key = _keys(config, scope)
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
                topic_key=_arn_of(topic_key),
                queue=queue.ref("Arn") if queue else "",
                queue_key=_arn_of(dlq_key),
                buffer=scope.queue(names.buffer_name(config, route)) if route.message.fold else "",
                hub=scope.hubs() if route.message.dedup == "notified" else (),
                counts=bool(config.watchdog and config.watchdog.heartbeat),
            )
            formatter = _formatter(config, route, scope, uses)
            resources += formatter
            target = formatter[-1]
            if route.message.fold and queue:
                routed = [scope.rule(rule.name) for rule in rules[route.name]]
                target, behind = _folding(config, route, scope, (target, queue, dlq_key), routed)
                resources += [target, behind]
        way = (target, behind, queue)
        resources += _rules(config, route, scope, way, rules[route.name], plain)
    if config.watchdog:
        resources += watch(config, config.watchdog, scope, resources)
        if config.watchdog.heartbeat:
            resources += heart(config, scope, config.watchdog.heartbeat)
    return Graph(tuple(resources))


def existing_keys(config: Config) -> tuple[str, ...]:
    """Lists the ARNs of keys that the notifier uses and does not own."""
    encryption = config.encryption
    if not encryption:
        return ()
    used = [encryption.topic_key, encryption.dlq_key if config.dead_letter_queue else None]
    return tuple(dict.fromkeys(key.arn for key in used if isinstance(key, ExistingKey)))


def own_aliases(config: Config) -> tuple[str, ...]:
    """Lists the aliases of the keys that the notifier owns."""
    encryption = config.encryption
    keys = [encryption.topic_key, encryption.dlq_key] if encryption else []
    return tuple(key.alias for key in keys if isinstance(key, ManagedKey))


def _keys(config: Config, scope: Scope) -> tuple[Key | str, Key | str]:
    """Returns the topics' key and the queue's key: ours, an existing key's ARN, or "" for none."""
    encryption: Encryption | None = config.encryption
    if not encryption:
        return "", ""
    topic = _key(config, names.TOPIC_KEY, encryption.topic_key, scope)
    return topic, _key(
        config, names.DLQ_KEY, encryption.dlq_key, scope
    ) if config.dead_letter_queue else ""


def _key(
    config: Config, resource_id: str, key: ManagedKey | ExistingKey, scope: Scope
) -> Key | str:
    if isinstance(key, ExistingKey):
        return key.arn
    return Key(
        id=resource_id,
        serves="queue" if resource_id == names.DLQ_KEY else "topic",
        alias_name=key.alias,
        description=key.description,
        enable_key_rotation=key.rotation,
        pending_window_in_days=key.deletion_window,
        key_policy=_key_policy(config, resource_id, scope),
        tags=names.tags_of(config, resource_id),
    )


def _key_policy(config: Config, resource_id: str, scope: Scope) -> Policy:
    if resource_id != names.DLQ_KEY:
        return policies.key_policy(scope)
    return policies.queue_key_policy(scope, undelivered_mail=undelivered.keeps_mail(config, scope))


def _arn_of(key: Key | str) -> str:
    return key.ref("Arn") if isinstance(key, Key) else key


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
        kms_master_key_id=_arn_of(key),
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
        kms_master_key_id=_arn_of(key),
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


def _formatter(
    config: Config, route: Route, scope: Scope, uses: policies.Uses
) -> tuple[LogGroup, Role, Function]:
    """Builds the function that writes the mails, after everything that the function needs."""
    name = names.function_name(config, route)
    words = f"Formats the mails of {route.rule.name} (shnotify)."
    logs = LogGroup(
        id=names.formatter_logs_id(route),
        log_group_name=f"{PREFIX}{name}",
        log_group_arn=uses.log_group,
        retention_in_days=LOG_DAYS,
        tags=names.tags_of(config, names.formatter_logs_id(route)),
    )
    role = Role(
        id=names.formatter_role_id(route),
        role_name=role_name(name, scope.region),
        role_arn=scope.role(role_name(name, scope.region)),
        description=words,
        assume_role_policy_document=policies.role_trust(),
        policies=policies.role_policy(uses),
        tags=names.tags_of(config, names.formatter_role_id(route)),
    )
    settings = settings_of(route.message, marker=config.marker(route), topic_arn=route.topic.name)
    settings = counting(config, scope, route, settings)
    archive = bundle.archive(settings.to_text())
    function = Function(
        id=names.formatter_id(route),
        function_name=name,
        function_arn=scope.function(name),
        log_group=logs.ref("Arn"),
        zip_file=archive,
        description=words,
        role=role.ref("Arn"),
        runtime="python3.13",
        handler=HANDLER,
        timeout=FOLDING_SECONDS if route.message.fold else 60,
        memory_size=256,
        environment={},
        code_sha256=bundle.code_sha256(archive),
        event_invoke_config={
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": 21600,
            "OnFailure": uses.queue,
        },
        policy_document=policies.function_policy(scope.function(name), scope.rule(route.rule.name)),
        tags=names.tags_of(config, names.formatter_id(route)),
    )
    return logs, role, function


def _folding(
    config: Config,
    route: Route,
    scope: Scope,
    to: tuple[Function, Queue, Key | str],
    rules: list[str],
) -> tuple[Queue, EventSourceMapping]:
    """Builds the buffer queue, and what takes batches from it to the function.

    The buffer has the key of the dead-letter queue, which EventBridge and the function may use
    already, and into which SQS moves what cannot be mailed.
    """
    fold = route.message.fold
    assert fold  # noqa: S101 the caller looked
    function, dead_letters, key = to
    name, buffer_id = names.buffer_name(config, route), names.buffer_id(route)
    buffer = replace(
        dead_letters,
        id=buffer_id,
        queue_name=name,
        queue_arn=scope.queue(name),
        visibility_timeout=6 * FOLDING_SECONDS + fold.window,
        message_retention_period=14 * DAY,
        delay_seconds=0,
        maximum_message_size=1048576,
        receive_message_wait_time_seconds=0,
        kms_master_key_id=_arn_of(key),
        policy_document=policies.queue_policy(scope.queue(name), rules, []),
        redrive_policy={"deadLetterTargetArn": dead_letters.ref("Arn"), "maxReceiveCount": 5},
        tags=names.tags_of(config, buffer_id),
    )
    mapping = EventSourceMapping(
        id=names.mapping_id(route),
        event_source_arn=buffer.ref("Arn"),
        queue=name,
        function_name=function.ref("Arn"),
        enabled=True,
        batch_size=FOLDED_AT_ONCE,
        maximum_batching_window_in_seconds=fold.window,
        scaling_config={"MaximumConcurrency": 2},
        function_response_types=("ReportBatchItemFailures",),
        tags=names.tags_of(config, names.mapping_id(route)),
    )
    return buffer, mapping


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
