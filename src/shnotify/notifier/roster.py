"""The subscribers of all routes, as far as SNS tells anything about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.config.models import Config, Route
from shnotify.engine.graph import Graph
from shnotify.errors import UsageError
from shnotify.notifier import names
from shnotify.notifier.subscribers import Details, Recipient, subscribers_of
from shnotify.resources.lookup import ListedSubscription, subscription_attributes, subscriptions
from shnotify.resources.topic import Topic
from shnotify.subscribers import subscriber_identity


@dataclass(frozen=True)
class Member:
    """One subscriber of one route.

    topic_arn  the topic of the route
    """

    route: str
    topic_arn: str
    who: Recipient

    @property
    def pending(self) -> bool:
        return self.who.pending

    def to_json(self) -> dict[str, Any]:
        """Makes the contract's object.

        SNS tells neither since when a subscription waits nor whether it was confirmed before
        (API_ListSubscriptionsByTopic, API_GetSubscriptionAttributes), so of a pending one these are
        null.
        """
        return {
            "route": self.route,
            "protocol": self.who.protocol,
            "endpoint": self.who.endpoint,
            "state": self.who.state,
            "pending": self.pending,
            "arn": self.who.arn,
            "pending_since": None,
            "expires": None,
            "suspended": None if self.pending else False,
            "protected": self.who.protected,
            "filtered": None if self.pending else self.who.filtered,
        }


def topics_of(config: Config, graph: Graph) -> dict[str, str]:
    """Maps each route to its topic's ARN."""
    found = {}
    for route in config.routes:
        topic = graph[names.topic_id(route)]
        assert isinstance(topic, Topic)  # noqa: S101 what `desired` builds under this id
        found[route.name] = topic.topic_arn
    return found


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
        for route in config.routes
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
