"""The configuration file as models: one line a field, each with its default, its limits and a description."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from shnotify import fields
from shnotify.fields import HttpsUrl, TimeZone  # a model below has a field that is called `fields`
from shnotify.problems import explain
from shnotify.yamlfile import read

DAY = 86400


class Model(BaseModel):
    """Nothing unknown, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=False)


def _described(default: Any = ..., **options: Any) -> Any:
    """A field with its description, which `schema` and the documentation show."""
    return Field(default=default, **options)


class ManagedKey(Model):
    """A key that shnotify creates and owns."""

    alias: fields.Alias = _described(description="The key's alias.")
    description: Annotated[str, fields.line(8192, "a description")] = _described(description="The key's description.")
    rotation: bool = _described(True, description="Yearly rotation; Security Hub's control KMS.4 wants it.")
    deletion_window: fields.Days = _described(30, description="How long a deletion waits, 7d to 30d.")


class ExistingKey(Model):
    """A key of somebody else's: never created, changed or deleted; only its policy is checked."""

    arn: fields.KeyArn = _described(description="The key's ARN.")


def _kind_of_key(value: Any) -> str:
    return "existing" if isinstance(value, ExistingKey) or (isinstance(value, dict) and "arn" in value) else "managed"


Key = Annotated[
    Annotated[ManagedKey, Tag("managed")] | Annotated[ExistingKey, Tag("existing")], Discriminator(_kind_of_key)
]


class Encryption(Model):
    topic_key: Key = _described(description="One key for all topics.")
    dlq_key: Key = _described(description="The dead-letter queue's key.")


class DeadLetterQueue(Model):
    """Where EventBridge puts what it could not deliver."""

    name: fields.QueueName = _described(description="The queue's name.")
    visibility_timeout: Annotated[int, fields.duration(0, 12 * 3600)] = _described(30, description="0s to 12h.")
    retention: Annotated[int, fields.duration(60, 14 * DAY)] = _described(4 * DAY, description="1m to 14d.")
    delivery_delay: Annotated[int, fields.duration(0, 900)] = _described(0, description="0s to 15m.")
    max_message_size: Annotated[int, fields.size(1024, 1048576)] = _described(262144, description="1KiB to 1MiB.")
    receive_wait_time: Annotated[int, fields.duration(0, 20)] = _described(0, description="0s to 20s.")
    data_key_reuse: Annotated[int, fields.duration(60, DAY)] = _described(300, description="1m to 24h.")


def _at_most(most: int) -> BeforeValidator:
    """Counted before any item is looked at: a list of thousands is one mistake."""

    def count(values: Any) -> Any:
        if isinstance(values, list) and len(values) > most:
            raise ValueError(f"is too long: at most {most}")
        return values

    return BeforeValidator(count)


def _any_is_none(value: Any) -> Any:
    return None if value == "any" else value


def _values(values: Any) -> Any:
    if isinstance(values, list) and not values:
        raise ValueError("an empty list matches nothing: write `any` for no filter")
    if isinstance(values, str):
        raise ValueError(f"must be a list, such as [{values}], or `any`")
    if isinstance(values, list) and "any" in values:
        raise ValueError("`any` is no value of a list: it stands alone, for no filter")
    return _strict_tuple(values)


T = TypeVar("T")
Filter = Annotated[
    tuple[T, ...] | None, BeforeValidator(_values), BeforeValidator(_any_is_none), _at_most(fields.MAX_VALUES)
]
"""A list of values; `any` is no filter at all."""


def _strict_tuple(values: Any) -> Any:
    return tuple(values) if isinstance(values, list) else values


Severity = Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
Text = Annotated[str, Field(min_length=1, max_length=1024)]
Template = Annotated[str, Field(min_length=1, max_length=4096)]


def _products(value: Any) -> Any:
    if isinstance(value, dict):
        if not value:
            raise ValueError("an empty mapping matches nothing: write `any` for no filter")
        return value
    if isinstance(value, str):
        raise ValueError(f"must be a list, such as [{value}], a mapping of products to severities, or `any`")
    return _values(value)


def _levels(value: Any) -> Any:
    if value == []:
        raise ValueError("an empty list matches nothing: name severities, or leave the product out")
    if value is None:
        raise ValueError("must be a list of severities, or `any` for all of them")
    return value


def _no_thresholds(value: Any) -> Any:
    if isinstance(value, dict):  # its names alone would leave out far more than a reader of it thinks
        raise ValueError("severities cannot stand here: give each product the wanted ones in `findings.products`")
    return value


def _kind_of_products(value: Any) -> str:
    return "thresholds" if isinstance(value, dict) else "names" if isinstance(value, tuple | list) else "any"


Products = Annotated[
    Annotated[dict[str, Annotated[Filter[Severity], BeforeValidator(_levels)]], Tag("thresholds")]
    | Annotated[tuple[Text, ...], Tag("names")]
    | Annotated[None, Tag("any")],
    Discriminator(_kind_of_products),
]


class Filters(Model):
    """What findings are told apart by; products have a field of their own in both."""

    severity: Filter[Severity] = _described(None)
    workflow_status: Filter[Literal["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]] = _described(None)
    record_state: Filter[Literal["ACTIVE", "ARCHIVED"]] = _described(None)
    compliance_status: Filter[Literal["PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"]] = _described(None)
    accounts: Filter[fields.Account] = _described(None, description="Twelve-digit account ids, in quotes.")
    resource_ids: Filter[Text] = _described(None)
    resource_types: Filter[Text] = _described(None)
    types: Filter[Text] = _described(None)
    controls: Filter[Text] = _described(None, description="S3.1, EC2.19 ...")
    regions: Filter[Text] = _described(None)


class Exclude(Filters):
    """What is left out; the same fields as `findings`."""

    products: Annotated[Filter[Text], BeforeValidator(_no_thresholds)] = _described(
        None, description="Product ARNs or short names."
    )


class Findings(Filters):
    """Which findings are notified: AND between fields, OR between a field's values; `any`: no filter on it."""

    severity: Filter[Severity] = _described(("CRITICAL", "HIGH"))
    workflow_status: Filter[Literal["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]] = _described(("NEW",))
    record_state: Filter[Literal["ACTIVE", "ARCHIVED"]] = _described(("ACTIVE",))
    products: Annotated[
        Products, BeforeValidator(_products), BeforeValidator(_any_is_none), _at_most(fields.MAX_VALUES)
    ] = _described(None, description="As in `exclude`; or short names with their severities, and `any` for the others.")
    exclude: Exclude = _described(Exclude())


Names = Annotated[tuple[Text, ...], BeforeValidator(_strict_tuple), Field(min_length=1), _at_most(fields.MAX_VALUES)]
Subject = Annotated[str, fields.line(500, "a subject")]


class Topic(Model):
    name: fields.TopicName = _described(description="The topic's name.")
    display_name: Annotated[str, fields.line(100, "a display name")] | None = _described(
        None, description="The sender of mails."
    )


class Rule(Model):
    name: fields.RuleName = _described(description="The rule's name.")
    description: Annotated[str, fields.line(512, "a description")] = _described(description="The rule's description.")
    enabled: bool = _described(True, description="Whether the rule matches anything.")


class Message(Model):
    """How a notice reads. All but `format` and `fields` is the formatter function's."""

    format: Literal["summary", "json", "lambda"] = _described("summary", description="summary, json or lambda.")
    language: Literal["en", "ja"] = _described("en", description="en or ja.")
    time_zone: TimeZone = _described("UTC", description="Such as Asia/Tokyo.")
    sso_start_url: HttpsUrl | None = _described(None, description="Where people sign in.")
    subject: Subject | None = _described(None, description="A template with {named} fields.")
    body: Template | None = _described(None, description="A template with {named} fields.")
    dedup: Literal["none", "new-only", "notified"] = _described("notified", description="What is mailed again.")
    resolved: bool = _described(False, description="A note when a mailed finding is resolved.")
    fields: Names | None = _described(None, description="The lines of a summary, in order.")


class Retry(Model):
    """EventBridge's retries (API_RetryPolicy)."""

    max_attempts: Annotated[int, Field(ge=0, le=185)] = _described(185, description="0 to 185.")
    max_age: Annotated[int, fields.duration(60, DAY)] = _described(DAY, description="1m to 24h.")


class Subscriber(Model):
    protocol: Literal["email", "email-json", "sms", "http", "https", "sqs", "lambda"]
    endpoint: str

    @model_validator(mode="after")
    def _endpoint_fits(self) -> Self:
        if problem := fields.endpoint_problem(self.protocol, self.endpoint):
            raise ValueError(f"{fields.shown(self.endpoint)} {problem}")
        return self

    @property
    def identity(self) -> tuple[str, str]:
        """Mail addresses are one however they are capitalised."""
        return self.protocol, self.endpoint.lower() if self.protocol.startswith("email") else self.endpoint


def _subscriber(value: Any) -> Any:
    return {"protocol": "email", "endpoint": value} if isinstance(value, str) else value


class Route(Model):
    """A topic with its subscribers, and a rule that feeds it."""

    name: fields.RouteName = _described(description="Unique in the file.")
    source: Literal["cspm", "hub", "both", "auto"] = _described(
        "cspm", description="Which Security Hub; auto: the one that is enabled."
    )
    findings: Findings = _described(Findings())
    pattern: dict[str, Any] | None = _described(None, description="A raw event pattern instead.")
    topic: Topic
    rule: Rule
    message: Message = _described(Message())
    retry: Retry = _described(Retry())
    subscribers: Annotated[
        tuple[Annotated[Subscriber, BeforeValidator(_subscriber)], ...],
        BeforeValidator(_strict_tuple),
        _at_most(fields.MAX_SUBSCRIBERS),
    ] = _described(())
    unlisted_subscribers: Literal["keep", "remove"] = _described("keep", description="Who is only on the topic.")

    @property
    def id(self) -> str:
        """`urgent` -> `Urgent`: the beginning of its resources' ids."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @field_validator("pattern")
    @classmethod
    def _not_empty(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value == {}:
            raise ValueError("an empty pattern matches every event of the account")
        return value


class Config(Model):
    """One notifier."""

    name: fields.NotifierName = _described(description="Prefix of every default name; value of the ownership tag.")
    region: fields.RegionName | None = _described(None, description="Else AWS_REGION, or the profile's.")
    account: fields.Account | None = _described(None, description="Any other account is refused.")
    tags: dict[str, str] = _described({}, max_length=40, description="On every resource that can carry tags.")
    encryption: Encryption | None
    dead_letter_queue: DeadLetterQueue | None
    routes: Annotated[
        tuple[Route, ...], BeforeValidator(_strict_tuple), Field(min_length=1), _at_most(fields.MAX_ROUTES)
    ]

    @property
    def asks_which(self) -> bool:
        """Whether some route's source is `auto`."""
        return any(route.source == "auto" for route in self.routes)

    def settled(self, source: Literal["cspm", "hub", "both"] = "both") -> Config:
        """The same with every `source: auto` replaced; offline it stands for both, of which one is used later."""
        routes = (r.model_copy(update={"source": source}) if r.source == "auto" else r for r in self.routes)
        return self.model_copy(update={"routes": tuple(routes)})

    def warnings(self) -> list[str]:
        """What is allowed, and seldom meant."""
        silent = [route.name for route in self.routes if not route.subscribers]
        return [f"route {name}: no subscriber in the file, so nobody is told" for name in silent]

    def marker(self, route: Route) -> str:
        """What the formatter writes on a finding that it mailed; each route its own."""
        return f"shnotify-{self.name}-{route.name}"

    def let_through(self, route: Route) -> str | None:
        """The mark whose findings the route's rule lets through once they are resolved; None for none."""
        return self.marker(route) if route.message.resolved else None


def load(path: Path) -> Config:
    """The file's configuration, complete: every default filled in. Raises `ConfigError` with all that is wrong."""
    document = read(path)
    return explain(document, Config)
