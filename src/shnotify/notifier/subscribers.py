"""Who gets a route's mail: the subscriptions of its topic, judged. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shnotify.aws.failures import AwsError
from shnotify.config.models import Config, Route, Watchdog
from shnotify.engine.health import Link, Verdict
from shnotify.findings.matching import matches
from shnotify.frozen import frozen
from shnotify.resources.lookup import ListedSubscription
from shnotify.resources.subscription import redrive_queue, refuses
from shnotify.schema.model import changed
from shnotify.subscribers import subscriber_identity

Details = Mapping[str, Mapping[str, str] | AwsError | None]
"""Subscription ARN -> its attributes, why they could not be read, or None when it is gone."""

_ENVELOPE = {"version", "source", "detail-type"}
"""The keys of an event whose values do not depend on the finding."""


WATCHDOG = "watchdog"
"""What stands for the watchdog among the routes; no route has this name (`config.crosschecks`)."""


def as_route(config: Config, watchdog: Watchdog) -> Route:
    """Makes of the watchdog one more route: its subscribers have to confirm like others.

    An alarm is no finding: what a filter on its text lets through cannot be told.
    """
    alarm = {"source": ["aws.cloudwatch"]}
    return changed(config.routes[0], name=WATCHDOG, subscribers=watchdog.subscribers, pattern=alarm)


@frozen
class Recipient:
    """One subscriber of a route.

    state      confirmed, pending, missing, or unlisted (on the topic, and not in the file)
    pending    whether somebody has still to confirm
    filtered   whether a filter policy keeps mail away; None when that cannot be told
    protected  whether only the account can unsubscribe it (ConfirmationWasAuthenticated); None when
               unknown
    arn        None while it is pending or missing
    """

    protocol: str
    endpoint: str
    state: str
    pending: bool = False
    filtered: bool | None = False
    protected: bool | None = None
    arn: str | None = None

    @property
    def reached(self) -> bool:
        """Whether mail surely goes out to it."""
        return self.arn is not None and self.filtered is False

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "endpoint": self.endpoint,
            "state": self.state,
            "pending": self.pending,
            "filtered": self.filtered,
        }


def subscribers_of(
    route: Route, listed: Iterable[ListedSubscription], details: Details
) -> tuple[Recipient, ...]:
    """Lists the subscribers that the file names, in the file's order, and then all others."""
    entries = [entry for entry in listed if entry.state != "deleted"]
    found = [
        _named(route, entries, details, one.protocol, one.endpoint) for one in route.subscribers
    ]
    named = {subscriber_identity(one.protocol, one.endpoint) for one in route.subscribers}
    found += [
        _judged(route, entry, details, "unlisted")
        for entry in entries
        if entry.identity not in named
    ]
    return tuple(found)


def _named(
    route: Route, entries: list[ListedSubscription], details: Details, protocol: str, endpoint: str
) -> Recipient:
    """Judges a subscriber of the file; of several entries for one address a confirmed one counts."""
    same = [entry for entry in entries if entry.identity == subscriber_identity(protocol, endpoint)]
    if not same:
        return Recipient(protocol, endpoint, "missing")
    judged = [_judged(route, entry, details, entry.state) for entry in same]
    best = next((one for one in judged if one.reached), None) or min(
        judged, key=lambda one: one.pending
    )
    return Recipient(
        protocol, endpoint, best.state, best.pending, best.filtered, best.protected, best.arn
    )


def _judged(route: Route, entry: ListedSubscription, details: Details, state: str) -> Recipient:
    if entry.state == "pending":
        return Recipient(entry.protocol, entry.endpoint, state, pending=True)
    attributes = details.get(entry.arn)
    if attributes is None or isinstance(attributes, AwsError):
        return Recipient(entry.protocol, entry.endpoint, state, filtered=None, arn=entry.arn)
    protected = attributes.get("ConfirmationWasAuthenticated", "").lower() == "true"
    filtered = is_filtered(route, attributes)
    return Recipient(entry.protocol, entry.endpoint, state, False, filtered, protected, entry.arn)


def is_filtered(route: Route, attributes: Mapping[str, str]) -> bool | None:
    """Tells whether a subscription's filter policy keeps the route's mail away.

    None when that cannot be told.

    EventBridge and the formatter send no message attributes, so a filter on attributes lets nothing
    through. A filter on the body lets nothing through whose body is no JSON object (sns-message-filtering,
    payload-based filtering).
    """
    text = attributes.get("FilterPolicy", "")
    policy = _mapping(text)
    if not text or policy == {}:
        return False
    if attributes.get("FilterPolicyScope", "MessageAttributes") != "MessageBody":
        return True
    if route.message.format != "json" and not route.pattern:
        return True
    if policy is None or not policy.keys() <= _ENVELOPE or route.pattern:
        return None
    details = {"cspm": ["Security Hub Findings - Imported"], "hub": ["Findings Imported V2"]}
    sent = [
        name
        for source, found in details.items()
        if route.source in (source, "both", "auto")
        for name in found
    ]
    passed = [
        matches(policy, {"version": "0", "source": "aws.securityhub", "detail-type": name})
        for name in sent
    ]
    return None if any(passed) and not all(passed) else not all(passed)


def _mapping(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def subscriber_links(
    topic_id: str,
    listed: Iterable[ListedSubscription],
    details: Details,
    subscribers: tuple[Recipient, ...],
    *,
    by_file: bool = True,
) -> tuple[Link, ...]:
    """Judges whether anybody gets the mail, and what keeps the mail from somebody.

    by_file  whether a file names the subscribers, so that a machine among them is wanted
    """
    links = [
        _reached(topic_id, subscribers, by_file=by_file),
        *_filters(topic_id, subscribers, details),
    ]
    links += [_twice(topic_id, entries) for entries in _same_address(listed)]
    strangers = [one for one in subscribers if one.state == "unlisted" and one.pending]
    links += [
        Link(
            "subscribers",
            "warning",
            f"{one.endpoint} is not in the file and has not confirmed: let it lapse, AWS drops it after 48 hours",
            resource=topic_id,
        )
        for one in strangers
    ]
    return tuple(links)


_MACHINES = frozenset({"sqs", "lambda", "firehose", "application"})
"""Protocols that need nobody's click, and whose endpoint's own policy decides (sns-access-policy)."""


def _reached(topic_id: str, subscribers: tuple[Recipient, ...], *, by_file: bool) -> Link:
    reached = [one for one in subscribers if one.reached]
    people = [one for one in subscribers if one.protocol not in _MACHINES]
    # A machine of the file is enough only where the file names nobody else.
    wanted = by_file and not any(one.state != "unlisted" for one in people)
    if any(one.reached for one in people) or (
        wanted and any(one.state != "unlisted" for one in reached)
    ):
        return Link("subscribers", "ok", resource=topic_id)
    if reached:
        names = ", ".join(f"{one.protocol} {one.endpoint}" for one in reached)
        why = f"nobody but {names} is subscribed: whether anybody sees the mail there was not looked at"
        return Link("subscribers", "unknown", why, resource=topic_id)
    if any(one.arn and one.filtered is None for one in subscribers):
        why = "nobody can tell whether a subscriber gets the mail: see its filter policy"
        return Link("subscribers", "unknown", why, resource=topic_id)
    if any(one.arn for one in subscribers):
        why = "every confirmed subscriber has a filter policy that lets nothing through"
        return Link("subscribers", "broken", why, resource=topic_id)
    pending = sum(one.pending and one.state == "pending" for one in subscribers)
    why = (
        f"nobody has confirmed: {pending} pending, and AWS drops them after 48 hours"
        if pending
        else "no subscriber"
    )
    return Link("subscribers", "broken", why, resource=topic_id)


def _filters(topic_id: str, subscribers: tuple[Recipient, ...], details: Details) -> list[Link]:
    found = []
    for one in subscribers:
        attributes = details.get(one.arn or "")
        listed = one.state != "unlisted"
        if one.filtered:
            why = f"{one.endpoint} gets nothing: its filter policy lets nothing through"
            mend = (
                f"aws sns set-subscription-attributes --subscription-arn {one.arn} "
                "--attribute-name FilterPolicy --attribute-value '{}'"
            )
            verdict: Verdict = "broken" if listed else "warning"
            found.append(Link("filter-policy", verdict, why, mend, resource=topic_id))
        elif one.filtered is None and isinstance(attributes, AwsError):
            needs = (attributes.operation,) if attributes.operation else ()
            why = f"the filter policy of {one.endpoint} could not be read: {attributes.message}"
            found.append(Link("filter-policy", "unknown", why, needs=needs, resource=topic_id))
        elif one.filtered is None:
            why = f"whether the filter policy of {one.endpoint} lets a mail through depends on the finding"
            found.append(
                Link("filter-policy", "unknown" if listed else "warning", why, resource=topic_id)
            )
    return found or [Link("filter-policy", "ok", resource=topic_id)]


def click_links(topic_id: str, subscribers: Iterable[Recipient]) -> Iterator[Link]:
    """Judges whether whoever holds a mail can end it for all (ConfirmSubscription)."""
    mails = [one for one in subscribers if one.arn and one.protocol.startswith("email")]
    unknown = [one.endpoint for one in mails if one.protected is None]
    open_ = [one.endpoint for one in mails if one.protected is False]
    if open_:
        why = (
            f"anybody who has a mail for {', '.join(open_)} can end it for all by one click: "
            "it was confirmed without AuthenticateOnUnsubscribe"
        )
        yield Link("unsubscribe", "warning", why, evidence={"endpoints": open_}, resource=topic_id)
    if unknown:
        why = f"whether one click ends the mail of {', '.join(unknown)} could not be read"
        yield Link("unsubscribe", "unknown", why, resource=topic_id)
    if mails and not open_ and not unknown:
        yield Link("unsubscribe", "ok", resource=topic_id)


def undelivered_links(
    topic_id: str,
    subscribers: tuple[Recipient, ...],
    details: Details,
    queue_arn: str,
    topic_tags: Mapping[str, str],
) -> tuple[Link, ...]:
    """Judges whether mail that SNS gives up goes to the queue (sns-dead-letter-queues).

    Of those in the file that have confirmed: SNS shows nothing of a pending subscription.

    topic_tags  the topic's tags, which say what AWS refused
    """
    found = []
    for one in subscribers:
        attributes = details.get(one.arn or "")
        if one.state != "confirmed" or not attributes:
            continue
        if isinstance(attributes, AwsError):
            needs = (attributes.operation,) if attributes.operation else ()
            why = f"whether undelivered mail to {one.endpoint} is kept could not be read: {attributes.message}"
            found.append(Link(UNDELIVERED, "unknown", why, needs=needs, resource=topic_id))
        elif why := _not_kept(one, redrive_queue(attributes), queue_arn, topic_tags):
            mend = None if refuses(topic_tags, one.protocol) else "shnotify apply"
            found.append(Link(UNDELIVERED, "warning", why, mend, resource=topic_id))
    return tuple(found)


UNDELIVERED = "undelivered-mail"


def _not_kept(one: Recipient, queue: str, wanted: str, topic_tags: Mapping[str, str]) -> str:
    """Says what becomes of mail to the subscriber that SNS gives up; "" when it is kept as wanted."""
    if queue == wanted:
        return ""
    if queue:
        return f"mail to {one.endpoint} that SNS gives up goes to {queue}, which is not ours"
    if refuses(topic_tags, one.protocol):
        return (
            f"mail to {one.endpoint} that SNS gives up is lost: AWS keeps none for {one.protocol}"
        )
    return (
        f"mail to {one.endpoint} that SNS gives up is lost: its subscription has no RedrivePolicy"
    )


def _same_address(listed: Iterable[ListedSubscription]) -> list[list[ListedSubscription]]:
    """Groups the entries of one address, where there are several."""
    by_identity: dict[tuple[str, str], list[ListedSubscription]] = {}
    for entry in listed:
        if entry.state != "deleted":
            by_identity.setdefault(entry.identity, []).append(entry)
    return [entries for entries in by_identity.values() if len(entries) > 1]


def _twice(topic_id: str, entries: list[ListedSubscription]) -> Link:
    spelled = " and ".join(sorted(entry.endpoint for entry in entries))
    why = f"{spelled} are one address with {len(entries)} subscriptions: each confirmed one gets the mail"
    return Link("subscribers", "warning", why, resource=topic_id)
