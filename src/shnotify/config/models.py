"""The configuration file as models: one line a field, each with its default, its limits and a
description.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from shnotify.config.rollout import Rollout
from shnotify.findings.filters import Findings
from shnotify.mail.options import Message
from shnotify.schema import scalars as fields
from shnotify.schema.model import After, Before, Chosen, Limits, Model, at_most, changed, described
from shnotify.subscribers import subscriber_identity

DAY = 86400
MAX_REGIONS = 64
"""More than AWS has."""


class ManagedKey(Model):
    """A key that shnotify creates and owns."""

    alias: fields.Alias = described(description="The key's alias.")
    description: Annotated[str, fields.line(8192, "a description")] = described(
        description="The key's description."
    )
    rotation: bool = described(
        default=True, description="Yearly rotation; Security Hub's control KMS.4 wants it."
    )
    deletion_window: fields.Days = described(
        default=30, description="How long a deletion waits, 7d to 30d."
    )


class ExistingKey(Model):
    """A key of somebody else: never created, changed or deleted; only the key's policy is checked."""

    arn: fields.KeyArn = described(description="The key's ARN.")


KeyChoice = Annotated[
    ManagedKey | ExistingKey, Chosen(lambda value: isinstance(value, dict) and "arn" in value)
]


class Encryption(Model):
    topic_key: KeyChoice = described(description="One key for all topics.")
    dlq_key: KeyChoice = described(description="The dead-letter queue's key.")


class DeadLetterQueue(Model):
    """The queue that takes what EventBridge and SNS could not deliver."""

    name: fields.QueueName = described(description="The queue's name.")
    visibility_timeout: Annotated[int, fields.duration(0, 12 * 3600)] = described(
        default=30, description="0s to 12h."
    )
    retention: Annotated[int, fields.duration(60, 14 * DAY)] = described(
        default=4 * DAY, description="1m to 14d."
    )
    delivery_delay: Annotated[int, fields.duration(0, 900)] = described(
        default=0, description="0s to 15m."
    )
    max_message_size: Annotated[int, fields.size(1024, 1048576)] = described(
        default=262144, description="1KiB to 1MiB."
    )
    receive_wait_time: Annotated[int, fields.duration(0, 20)] = described(
        default=0, description="0s to 20s."
    )
    data_key_reuse: Annotated[int, fields.duration(60, DAY)] = described(
        default=300, description="1m to 24h."
    )
    undelivered_mail: bool = described(
        default=True, description="Whether it also takes the mail that SNS gives up."
    )


class TopicSection(Model):
    name: fields.TopicName = described(description="The topic's name.")
    display_name: Annotated[str, fields.line(100, "a display name")] | None = described(
        default=None, description="The sender of mails."
    )


class RuleSection(Model):
    name: fields.RuleName = described(description="The rule's name.")
    description: Annotated[str, fields.line(512, "a description")] = described(
        description="The rule's description."
    )
    enabled: bool = described(default=True, description="Whether the rule matches anything.")


class Retry(Model):
    """EventBridge's retries (API_RetryPolicy)."""

    max_attempts: Annotated[int, Limits(ge=0, le=185)] = described(
        default=185, description="0 to 185."
    )
    max_age: Annotated[int, fields.duration(60, DAY)] = described(
        default=DAY, description="1m to 24h."
    )


class Subscriber(Model):
    protocol: Literal["email", "email-json", "sms", "http", "https", "sqs", "lambda"]
    endpoint: str

    def _check(self) -> None:
        if problem := fields.endpoint_problem(self.protocol, self.endpoint):
            raise ValueError(f"{fields.shown(self.endpoint)} {problem}")

    @property
    def identity(self) -> tuple[str, str]:
        return subscriber_identity(self.protocol, self.endpoint)


def _subscriber(value: Any) -> Any:
    return {"protocol": "email", "endpoint": value} if isinstance(value, str) else value


Subscribers = Annotated[
    tuple[Annotated[Subscriber, Before(_subscriber)], ...],
    at_most(fields.MAX_SUBSCRIBERS),
]


def _not_empty(pattern: dict[str, Any]) -> dict[str, Any]:
    if not pattern:
        raise ValueError("an empty pattern matches every event of the account")
    return pattern


class Route(Model):
    """A topic with its subscribers, and a rule that feeds it."""

    name: fields.RouteName = described(description="Unique in the file.")
    source: Literal["cspm", "hub", "both", "auto"] = described(
        default="cspm", description="Which Security Hub; auto: the one that is enabled."
    )
    findings: Findings = described(default_factory=Findings)
    pattern: Annotated[dict[str, Any], After(_not_empty)] | None = described(
        default=None, description="A raw event pattern instead."
    )
    topic: TopicSection
    rule: RuleSection
    message: Message = described(default_factory=Message)
    retry: Retry = described(default_factory=Retry)
    subscribers: Subscribers = described(default=())
    unlisted_subscribers: Literal["keep", "remove"] = described(
        default="keep", description="Who is only on the topic."
    )

    @property
    def id(self) -> str:
        """Turns `urgent` into `Urgent`, the beginning of the route's resource ids."""
        return "".join(part.capitalize() for part in self.name.split("-"))


class Watchdog(Model):
    """Alarms on the notifier itself, told on a topic of their own."""

    subscribers: Annotated[Subscribers, Limits(min_length=1)] = described(
        description="Who is told when the notifier fails; better not the same people only."
    )
    heartbeat: Literal["daily", "weekly"] | None = described(
        default="weekly",
        description="Signs of life through the rules; weekly: Mondays and Thursdays.",
    )


class Config(Model):
    """One notifier."""

    name: fields.NotifierName = described(
        description="Prefix of every default name; value of the ownership tag."
    )
    region: fields.RegionName | None = described(
        default=None, description="Else AWS_REGION, or the profile's."
    )
    regions: (
        Annotated[
            tuple[fields.RegionName, ...],
            Limits(min_length=1),
            at_most(MAX_REGIONS),
        ]
        | None
    ) = described(
        default=None, description="Instead of `region`: one such notifier in each of them."
    )
    account: fields.Account | None = described(
        default=None, description="Any other account is refused."
    )
    tags: Annotated[dict[str, str], Limits(max_length=40)] = described(
        default={}, description="On every resource that can carry tags."
    )
    encryption: Encryption | None
    dead_letter_queue: DeadLetterQueue | None
    routes: Annotated[
        tuple[Route, ...],
        Limits(min_length=1),
        at_most(fields.MAX_ROUTES),
    ]
    watchdog: Watchdog | None = described(
        default=None, description="Alarms on the notifier itself, told on a topic of their own."
    )
    rollout: Rollout | None = described(
        default=None, description="The same in many accounts and Regions."
    )

    @property
    def keeps_mail(self) -> bool:
        """Tells whether mail that SNS gives up goes to the dead-letter queue."""
        return bool(self.dead_letter_queue and self.dead_letter_queue.undelivered_mail)

    @property
    def own_aliases(self) -> tuple[str, ...]:
        """Lists the aliases of the keys that the notifier owns."""
        keys = [self.encryption.topic_key, self.encryption.dlq_key] if self.encryption else []
        return tuple(key.alias for key in keys if isinstance(key, ManagedKey))

    @property
    def existing_keys(self) -> tuple[str, ...]:
        """Lists the ARNs of keys that the notifier uses and does not own."""
        if not self.encryption:
            return ()
        queue_key = self.encryption.dlq_key if self.dead_letter_queue else None
        used = [self.encryption.topic_key, queue_key]
        return tuple(dict.fromkeys(key.arn for key in used if isinstance(key, ExistingKey)))

    @property
    def asks_which(self) -> bool:
        """Tells whether some route's source is `auto`."""
        return any(route.source == "auto" for route in self.routes)

    def settled(self, source: Literal["cspm", "hub", "both"] = "both") -> Config:
        """Returns the configuration with every `source: auto` replaced.

        Offline it stands for both, of which one is used later.
        """
        if not self.asks_which:
            return self
        routes = (changed(r, source=source) if r.source == "auto" else r for r in self.routes)
        return changed(self, routes=tuple(routes))

    def marker(self, route: Route) -> str:
        """Returns what the formatter writes on a finding that it mailed, different for each route."""
        return f"shnotify-{self.name}-{route.name}"

    def let_through(self, route: Route) -> str | None:
        """Returns the mark whose resolved findings the route's rule lets through, or None.

        None for none.
        """
        return self.marker(route) if route.message.resolved else None
