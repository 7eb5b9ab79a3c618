"""The watchdog's resources: a topic of its own, its subscribers, and the alarms that tell them.

Pure. The topic has no customer-managed key: CloudWatch then needs no grant, and a mistake about the
alerts' key cannot silence the alarm about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from shnotify.arns import Scope
from shnotify.config.models import Config, Watchdog
from shnotify.engine.resource import Resource
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.heartbeat import HOURS
from shnotify.resources import policies
from shnotify.resources.alarm import Alarm
from shnotify.resources.function import Function
from shnotify.resources.queue import Queue
from shnotify.resources.rule import Rule
from shnotify.resources.subscription import Subscription
from shnotify.resources.topic import Topic

MONTHLY_USD = 0.10
"""What one alarm on one metric costs a month (Amazon CloudWatch pricing)."""


@frozen
class Watch:
    """One metric to watch: the alarm goes off when the statistic reaches the threshold.

    ending   the end of the alarm's id and, in small letters, of its name
    missing  what no data means (AlarmThatSendsEmail, alarms-and-missing-data): `notBreaching` where
             a metric is sent only when something happened, `ignore` where silence says nothing: a
             queue that nobody touches sends no data though messages are in it
    says     what the alarm means
    hours    0; or in how many hours nothing has reached the threshold: no data is nothing
    """

    ending: str
    metric: str
    says: str
    statistic: str = "Sum"
    threshold: float = 1.0
    missing: str = "notBreaching"
    hours: int = 0


_OF_RULE = (
    Watch(
        "FailedInvocations",
        "FailedInvocations",
        "EventBridge gave up an alert of {what}: its target, a policy or a key refuses it",
    ),
    Watch(
        "LostInvocations",
        "InvocationsFailedToBeSentToDlq",
        "EventBridge lost an alert of {what}: the dead-letter queue refused it too",
    ),
)
_OF_TOPIC = (
    Watch(
        "FailedNotifications",
        "NumberOfNotificationsFailed",
        "SNS could not deliver an alert of {what} to a subscriber",
    ),
)
_OF_FUNCTION = (
    Watch("Errors", "Errors", "the function {what} failed to mail an alert"),
    Watch("Throttles", "Throttles", "the function {what} was not let run in time"),
)


_OF_BUFFER = (
    Watch(
        "Age",
        "ApproximateAgeOfOldestMessage",
        "findings in {what} are not mailed: see `shnotify doctor`",
        statistic="Maximum",
        threshold=7200.0,
        missing="ignore",
    ),
)
"""A buffer holds messages in each flood, so its depth says nothing. What cannot be mailed leaves it
after five tries, 65 minutes and five windows: what is older is not taken to the function."""


def _of_queue(retention: int) -> tuple[Watch, ...]:
    """Lists what is watched of the queue. Its age goes off while there is time to save a message."""
    depth = Watch(
        "Depth",
        "ApproximateNumberOfMessagesVisible",
        "alerts that did not arrive wait in {what}: see `shnotify dlq list`",
        statistic="Maximum",
        missing="ignore",
    )
    age = Watch(
        "Age",
        "ApproximateAgeOfOldestMessage",
        "an alert in {what} is lost when half as much time again has passed: `shnotify dlq redrive`",
        statistic="Maximum",
        threshold=float(retention // 2),
        missing="ignore",
    )
    return depth, age


def watch(
    config: Config, watchdog: Watchdog, scope: Scope, watched: Iterable[Resource]
) -> list[Resource]:
    """Builds what watches these resources."""
    topic = _topic(config, scope)
    alarms = [
        _alarm(config, scope, topic, thing, one)
        for thing in watched
        for one in _watches(thing, watchdog.heartbeat)
    ]
    together = tuple(alarm.alarm_name for alarm in alarms)
    return [
        topic,
        *_subscriptions(config, watchdog, topic),
        *(replace(alarm, siblings=together) for alarm in alarms),
    ]


def _topic(config: Config, scope: Scope) -> Topic:
    arn = scope.topic(names.watchdog_topic_name(config))
    return Topic(
        id=names.WATCHDOG_TOPIC,
        topic_name=names.watchdog_topic_name(config),
        topic_arn=arn,
        display_name="",
        kms_master_key_id="",
        policy_document=policies.alarm_topic_policy(scope, arn),
        tags=names.tags_of(config, names.WATCHDOG_TOPIC),
    )


def _subscriptions(config: Config, watchdog: Watchdog, topic: Topic) -> list[Subscription]:
    return [
        Subscription(
            id=Subscription.id_for(topic.id, subscriber.protocol, subscriber.endpoint),
            topic_arn=topic.ref("Arn"),
            protocol=subscriber.protocol,
            endpoint=subscriber.endpoint,
            notifier=config.name,
        )
        for subscriber in watchdog.subscribers
    ]


def _silence(heartbeat: str) -> Watch:
    """Watches for mail that was handed over, the heartbeat's at the least."""
    return Watch(
        "Silence",
        "NumberOfNotificationsDelivered",
        "no mail left {what} for so long that a heartbeat must be lost: see `shnotify doctor`",
        missing="breaching",
        hours=HOURS[heartbeat],
    )


def _watches(thing: Resource, heartbeat: str | None) -> Iterator[Watch]:
    """Yields what is watched of a thing of the alert path."""
    if isinstance(thing, Rule):
        yield from _OF_RULE if "DeadLetterConfig" in thing.targets else _OF_RULE[:1]
    elif isinstance(thing, Topic):
        yield from _OF_TOPIC
        if heartbeat:
            yield _silence(heartbeat)
    elif isinstance(thing, Function):
        yield from _OF_FUNCTION
    elif isinstance(thing, Queue):
        is_buffer = bool(thing.redrive_policy)
        yield from _OF_BUFFER if is_buffer else _of_queue(thing.message_retention_period)


_PLACES: dict[type[Resource], tuple[str, str]] = {
    Rule: ("AWS/Events", "RuleName"),
    Topic: ("AWS/SNS", "TopicName"),
    Function: ("AWS/Lambda", "FunctionName"),
    Queue: ("AWS/SQS", "QueueName"),
}
"""Kind -> the namespace of its metrics, and their dimension."""


def _alarm(config: Config, scope: Scope, topic: Topic, thing: Resource, one: Watch) -> Alarm:
    namespace, dimension = _PLACES[type(thing)]
    name = names.alarm_name(config, thing.id, one.ending)
    return Alarm(
        id=f"{thing.id}{one.ending}",
        alarm_name=name,
        alarm_arn=scope.alarm(name),
        alarm_description=f"{config.name}: {one.says.format(what=thing.name)} (made by shnotify)",
        namespace=namespace,
        metric_name=one.metric,
        dimensions=[{"Name": dimension, "Value": thing.name}],
        statistic=one.statistic,
        unit="",
        period=3600 if one.hours else 300,
        evaluation_periods=one.hours or 1,
        threshold=one.threshold,
        comparison_operator=f"{'LessThan' if one.hours else 'GreaterThanOrEqualTo'}Threshold",
        treat_missing_data=one.missing,
        actions_enabled=True,
        alarm_actions=[topic.ref("Arn")],
        tags=names.tags_of(config, f"{thing.id}{one.ending}"),
    )
