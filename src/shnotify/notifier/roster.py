"""The subscribers of all routes, as far as SNS tells anything about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shnotify.arns import name_in
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.config.models import Config, Route
from shnotify.engine.graph import Graph
from shnotify.errors import UsageError
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.countdown import HOURS, Asked, asked_of
from shnotify.notifier.evidence import counts
from shnotify.notifier.metrics import of_topic
from shnotify.notifier.subscribers import (
    WATCHDOG,
    Details,
    Recipient,
    as_route,
    subscribers_of,
)
from shnotify.resources.lookup import (
    ListedSubscription,
    subscription_attributes,
    subscriptions,
    topic_attributes,
)
from shnotify.resources.topic import Topic
from shnotify.subscribers import subscriber_identity

PAST = timedelta(days=14)


@frozen
class Member:
    """One subscriber of one route.

    topic_arn  the topic of the route
    suspended  whether it was confirmed before and is pending again; None when nobody can tell
    since      when the confirmation was asked for, of a pending one; None when nobody can tell
    """

    route: str
    topic_arn: str
    who: Recipient
    suspended: bool | None = None
    since: datetime | None = None

    @property
    def pending(self) -> bool:
        return self.who.pending

    @property
    def expires(self) -> datetime | None:
        """When SNS drops it, if nobody confirms (sns-email-notifications)."""
        return self.since + timedelta(hours=HOURS) if self.since else None

    def to_json(self) -> dict[str, Any]:
        """Makes the contract's object.

        SNS does not tell since when a subscription waits (API_ListSubscriptionsByTopic,
        API_GetSubscriptionAttributes): where CloudTrail does not either, that is null.
        """
        return {
            "route": self.route,
            "protocol": self.who.protocol,
            "endpoint": self.who.endpoint,
            "state": self.who.state,
            "pending": self.pending,
            "arn": self.who.arn,
            "pending_since": _iso(self.since),
            "expires": _iso(self.expires),
            "suspended": self.suspended if self.pending else False,
            "protected": self.who.protected,
            "filtered": None if self.pending else self.who.filtered,
        }


def _iso(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None


def topics_of(config: Config, graph: Graph) -> dict[str, str]:
    """Maps each route, and the watchdog, to the ARN of the topic."""
    found = {}
    for route in _audiences(config):
        own = names.WATCHDOG_TOPIC if route.name == WATCHDOG else names.topic_id(route)
        topic = graph[own]
        assert isinstance(topic, Topic)  # noqa: S101 what `desired` builds under this id
        found[route.name] = topic.topic_arn
    return found


def _audiences(config: Config) -> tuple[Route, ...]:
    """Lists the routes, and the watchdog as one more: its subscribers have to confirm like others."""
    if config.watchdog is None:
        return config.routes
    return (*config.routes, as_route(config, config.watchdog))


def roster(aws: Aws, config: Config, graph: Graph) -> tuple[Member, ...]:
    """Lists all subscribers, route by route; those of the file come first.

    Raises `AwsError` when a topic's list cannot be read.
    """
    listed = _lists(aws, config, graph)
    confirmed = [e for entries in listed.values() for e in entries if e.state == "confirmed"]
    looks = {e.arn: aws.start(subscription_attributes, aws, e.arn) for e in confirmed}
    details: dict[str, Any] = {}
    for arn, look in looks.items():
        try:
            details[arn] = aws.in_time(look)
        except StopError:
            raise
        except AwsError as error:
            details[arn] = error
    return _members(config, graph, listed, details)


def with_past(aws: Aws, members: Iterable[Member], now: datetime) -> tuple[tuple[Member, ...], str]:
    """Notes since when pending ones wait, and which were confirmed before, where that can be told;
    returns them, and why it cannot be told until when, or "".

    SNS makes a subscription pending again when more than ten mails a second go to it
    (sns-email-notifications), and says so nowhere. But a topic that has a single subscription, lost
    none, and delivered mail, delivered it to that one.
    """
    found = tuple(members)
    alone = [
        arn
        for arn in dict.fromkeys(one.topic_arn for one in found)
        if [one.pending for one in found if one.topic_arn == arn and one.who.state != "missing"]
        == [True]
    ]
    asked = {arn: aws.start(_delivered_to_it, aws, arn, now) for arn in alone}
    waiting = {one.topic_arn for one in found if one.pending}
    trail = aws.start(asked_of, aws, waiting) if waiting else None
    before = {arn for arn, future in asked.items() if aws.in_time(future)}
    since = aws.in_time(trail) if trail else Asked()
    noted = tuple(_with_past(one, before, since) if one.pending else one for one in found)
    return noted, since.unread


def _with_past(one: Member, before: set[str], since: Asked) -> Member:
    identity = subscriber_identity(one.who.protocol, one.who.endpoint)[1]
    suspended = True if one.topic_arn in before else None
    return replace(one, suspended=suspended, since=since.at.get((one.topic_arn, identity)))


def _delivered_to_it(aws: Aws, topic_arn: str, now: datetime) -> bool:
    """Tells whether a topic that has lost no subscription delivered mail in the last two weeks."""
    try:
        attributes = topic_attributes(aws, topic_arn) or {}
    except StopError:
        raise
    except AwsError:
        return False
    if str(attributes.get("SubscriptionsDeleted")) != "0":
        return False
    metric = of_topic(name_in(topic_arn), "NumberOfNotificationsDelivered")
    return counts(aws, [metric], now - PAST, now, now).total(metric) > 0


def named_in_file(aws: Aws, config: Config, graph: Graph) -> tuple[Member, ...]:
    """Lists the subscribers of the file as they are now, without their attributes."""
    found = _members(config, graph, _lists(aws, config, graph), {})
    return tuple(one for one in found if one.who.state != "unlisted")


def _lists(aws: Aws, config: Config, graph: Graph) -> dict[str, tuple[ListedSubscription, ...]]:
    """Reads each route's list; () when there is no topic."""
    topics = topics_of(config, graph)
    asked = {route: aws.start(subscriptions, aws, arn) for route, arn in topics.items()}
    found: dict[str, tuple[ListedSubscription, ...]] = {}
    for route, future in asked.items():
        listed = aws.in_time(future)
        found[route] = listed or ()
    return found


def _members(
    config: Config,
    graph: Graph,
    listed: Mapping[str, tuple[ListedSubscription, ...]],
    details: Details,
) -> tuple[Member, ...]:
    topics = topics_of(config, graph)
    return tuple(
        Member(route.name, topics[route.name], who)
        for route in _audiences(config)
        for who in subscribers_of(route, listed[route.name], details)
    )


def named(members: Iterable[Member], endpoint: str, route: str | None) -> tuple[Member, ...]:
    """Returns the members with this endpoint, whatever their protocol; a mail address is taken in
    any capitalisation.

    Raises `UsageError` when there is none.
    """
    members = tuple(members)
    found = tuple(
        one
        for one in members
        if subscriber_identity(one.who.protocol, one.who.endpoint)
        == subscriber_identity(one.who.protocol, endpoint)
        and route in (None, one.route)
    )
    if not found:
        where = f"route {route}" if route else "any route"
        raise UsageError(
            f"{endpoint} is no subscriber of {where}: neither in the file nor on a topic",
            hint="`shnotify subscriptions list` shows them all",
        )
    return found


def check_route(routes: Iterable[Route], only: str | None) -> None:
    """Raises `UsageError` when the route that is asked for is not in the file."""
    known = [route.name for route in routes]
    if only and only not in known:
        raise UsageError(f"there is no route {only!r}", hint=f"there are {', '.join(known)}")
