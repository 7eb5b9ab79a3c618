"""What a notifier depends on and does not own, as it was seen: existing keys, Security Hub, who is
subscribed.

Every question is asked beside the reads of the notifier's own things, so that the answers cost no
round of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import field
from typing import Any

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.graph import Graph
from shnotify.engine.health import Link
from shnotify.engine.plan import Observation
from shnotify.frozen import frozen
from shnotify.notifier.chain import KEY_OF_OTHERS, KeySeen
from shnotify.notifier.countdown import Asked
from shnotify.notifier.preconditions import SERVICES, NoSuchServiceError, is_enabled
from shnotify.notifier.subscribers import Details
from shnotify.notifier.words import needs_of
from shnotify.resources.lookup import (
    ListedSubscription,
    look_into_subscriptions,
    subscription_attributes,
    subscriptions,
)
from shnotify.resources.topic import Topic

Enabled = Mapping[str, bool | AwsError]
"""cspm, hub -> whether the service is enabled here, or why that is not known."""


@frozen
class Surroundings:
    """Holds what was seen around one notifier.

    keys     ARN -> key, of the keys that are used but not ours
    enabled  which Security Hub is on, of those that were asked about
    lists    topic resource id -> its subscriptions, () when there is no topic; absent: could not be
             read
    details  subscription ARN -> its attributes
    asked    when people were asked to confirm, as far as that was looked for
    """

    keys: Mapping[str, KeySeen] = field(default_factory=dict)
    enabled: Enabled = field(default_factory=dict)
    lists: Mapping[str, tuple[ListedSubscription, ...]] = field(default_factory=dict)
    details: Details = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)

    @property
    def waits(self) -> bool:
        """Whether a subscription waits for somebody's click."""
        return any(one.state == "pending" for listed in self.lists.values() for one in listed)

    def hub(self, source: str) -> Link:
        """Judges whether findings can come: Security Hub is on here, as far as the source needs."""
        answers = {SERVICES[name]: self.enabled.get(name) for name in _services(source)}
        refused = [answer for answer in answers.values() if isinstance(answer, AwsError)]
        off = [name for name, answer in answers.items() if answer is False]
        if any(answer is True for answer in answers.values()):
            note = (
                f"{' and '.join(off)} is not enabled here, so nothing comes from there"
                if off
                else ""
            )
            return Link("hub", "warning" if off else "ok", note)
        if refused and all(isinstance(error, NoSuchServiceError) for error in refused):
            return Link("hub", "warning", "whoever answers here is not AWS and has no Security Hub")
        if refused:
            needs = tuple(one for error in refused for one in needs_of(error))
            why = f"whether Security Hub is enabled here could not be asked: {refused[0].message}"
            return Link("hub", "unknown", why, needs=needs)
        if len(off) == len(answers):
            why = f"{' and '.join(off)} is not enabled here: no finding will arrive until it is"
            return Link("hub", "broken", why, mend="aws securityhub enable-security-hub")
        return Link("hub", "unknown", "whether Security Hub is enabled here was not asked")


def _services(source: str) -> tuple[str, ...]:
    """Names the services that a route's source needs: cspm, hub, or both."""
    return tuple(SERVICES) if source in ("both", "auto") else (source,)


class Asking:
    """Asks about a notifier's surroundings beside the reads of the notifier's own things.

    existing  ARNs of the keys that are used but not ours
    sources   the sources of the routes
    """

    def __init__(self, aws: Aws, graph: Graph, existing: Iterable[str], sources: set[str]) -> None:
        self._aws = aws
        self._existing = tuple(existing)
        self._topics = [thing for thing in graph if isinstance(thing, Topic)]
        self._services = {name for source in sources for name in _services(source)}
        self._looks: list[Future[None]] = []
        self._keys: dict[str, Future[KeySeen]] = {}
        self._enabled: dict[str, Future[bool]] = {}

    def start(self) -> None:
        """Puts the questions and waits for no answer."""
        aws = self._aws
        self._looks = [
            aws.start(look_into_subscriptions, aws, topic.topic_arn) for topic in self._topics
        ]
        self._keys = {arn: aws.start(look_at_key, aws, arn) for arn in self._existing}
        self._enabled = {name: aws.start(is_enabled, aws, name) for name in sorted(self._services)}

    def answers(self, seen: Observation) -> Surroundings:
        """Returns what was seen. Raises `StopError` when no call can succeed any more."""
        for look in self._looks:
            or_error(self._aws, look)
        lists: dict[str, tuple[ListedSubscription, ...]] = {}
        for topic in self._topics:
            listed = self._list(topic) if seen.wanted[topic.id] is not None else ()
            if listed is not None:
                lists[topic.id] = listed
        confirmed = [
            entry for listed in lists.values() for entry in listed if entry.state == "confirmed"
        ]
        asked = {
            entry.arn: self._aws.start(subscription_attributes, self._aws, entry.arn)
            for entry in confirmed
        }
        return Surroundings(
            keys={arn: self._aws.in_time(future) for arn, future in self._keys.items()},
            enabled={name: or_error(self._aws, future) for name, future in self._enabled.items()},
            lists=lists,
            details={arn: or_error(self._aws, future) for arn, future in asked.items()},
        )

    def _list(self, topic: Topic) -> tuple[ListedSubscription, ...] | None:
        """Returns the topic's subscriptions from the same reading; None when they could not be
        read.
        """
        found = or_error(self._aws, self._aws.start(subscriptions, self._aws, topic.topic_arn))
        return None if isinstance(found, AwsError) else found or ()


def or_error(aws: Aws, future: Future[Any]) -> Any:
    """Returns the answer, or the error that came in its place."""
    try:
        return aws.in_time(future)
    except StopError:
        raise
    except AwsError as error:
        return error


def look_at_key(aws: Aws, arn: str) -> KeySeen:
    """Reads the state and the policy of a key that is not ours."""
    name = f"{KEY_OF_OTHERS}{arn}"
    try:
        policy = aws.start(aws, aws.kms.get_key_policy, KeyId=arn, PolicyName="default")
        meta = aws(aws.kms.describe_key, KeyId=arn)["KeyMetadata"]
        document = parsed(policy.result()["Policy"])
        return KeySeen(
            name,
            arn,
            document,
            meta["KeyState"],
            meta.get("KeyManager", "CUSTOMER"),
            meta.get("KeySpec", "SYMMETRIC_DEFAULT"),
        )
    except StopError:
        raise
    except AwsError as error:
        needs = (error.operation,) if error.operation else ()
        return KeySeen(name, arn, error=error.message, needs=needs)


def parsed(text: str) -> object:
    """Parses a policy's document; returns the text itself when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
