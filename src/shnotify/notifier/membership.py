"""What is done with one subscriber: asked again, confirmed, made anew so that it can be protected,
removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.errors import ShnotifyError, UsageError
from shnotify.frozen import frozen
from shnotify.notifier.confirmation import Confirmation
from shnotify.notifier.roster import Member

_KEPT = (
    "FilterPolicyScope",
    "FilterPolicy",
    "RawMessageDelivery",
    "DeliveryPolicy",
    "RedrivePolicy",
)
"""What a new subscription takes over from the old one (API_Subscribe, Attributes)."""
_REFUSED = ("InvalidParameter", "InvalidParameterValue", "InvalidParameterException")


def to_resend(members: Iterable[Member]) -> tuple[Member, ...]:
    """Chooses who is asked again: the pending ones of the file.

    Raises `UsageError` for an address that is not in the file, `ShnotifyError` when none of it waits.
    """
    members = tuple(members)
    ours = [one for one in members if one.who.state != "unlisted"]
    endpoint = members[0].who.endpoint
    if not ours:
        raise UsageError(
            f"{endpoint} is not in the file, so it is not asked again",
            hint="write it into the file first; a pending one of nobody's lapses after 48 hours",
        )
    if pending := tuple(one for one in ours if one.pending):
        return pending
    if any(one.who.state == "missing" for one in ours):
        raise ShnotifyError(
            f"{endpoint} is not subscribed: nothing waits for a confirmation",
            hint="`shnotify apply` subscribes it, and SNS sends the mail",
        )
    raise ShnotifyError(f"{endpoint} has confirmed already, so nothing was sent")


def resend(aws: Aws, member: Member) -> str:
    """Subscribes a pending one once more and returns its ARN (API_Subscribe).

    Without attributes, so that SNS finds none that differ from those it has.
    """
    reply = aws(
        aws.sns.subscribe,
        TopicArn=member.topic_arn,
        Protocol=member.who.protocol,
        Endpoint=member.who.endpoint,
        ReturnSubscriptionArn=True,
    )
    return reply["SubscriptionArn"]


@frozen
class Confirmed:
    """A subscription after its confirmation.

    protected  whether only the account can end it; None when that could not be read
    """

    arn: str
    topic_arn: str
    protocol: str = ""
    endpoint: str = ""
    protected: bool | None = None


def confirm(aws: Aws, given: Confirmation, topic_arn: str) -> Confirmed:
    """Confirms so that nobody can unsubscribe with a link out of a mail
    (API_ConfirmSubscription, AuthenticateOnUnsubscribe).

    Raises `AwsError` when SNS does not take the token.
    """
    try:
        arn = aws(
            aws.sns.confirm_subscription,
            TopicArn=topic_arn,
            Token=given.token,
            AuthenticateOnUnsubscribe="true",
        )["SubscriptionArn"]
    except AwsError as error:
        if error.code in _REFUSED:
            raise _bad_token(error) from error
        raise
    try:
        reply = aws.maybe(aws.sns.get_subscription_attributes, SubscriptionArn=arn)
    except StopError:
        raise
    except AwsError:
        reply = None
    found = reply["Attributes"] if reply else {}
    told = found.get("ConfirmationWasAuthenticated")
    return Confirmed(
        arn,
        topic_arn,
        found.get("Protocol", ""),
        found.get("Endpoint", ""),
        None if told is None else str(told).lower() == "true",
    )


def _bad_token(error: AwsError) -> AwsError:
    return AwsError(
        f"SNS does not take this token, so nothing was confirmed: {error.message}",
        hint="it is good for two days and one topic: `shnotify subscriptions resend ADDRESS` asks for a new one",
        operation=error.operation,
        code=error.code,
    )


def to_renew(
    members: Iterable[Member], everybody: Iterable[Member], *, force: bool
) -> tuple[Member, ...]:
    """Chooses which confirmed ones are made anew: those that a link in a mail can end.

    everybody  all subscribers, to see who else gets a route's mail meanwhile
    force      even the only one who gets a route's mail

    Raises `UsageError` or `ShnotifyError` when none is, or when a route would be left without anybody.
    """
    members, everybody = tuple(members), tuple(everybody)
    endpoint = members[0].who.endpoint
    confirmed = [one for one in members if one.who.arn]
    if not confirmed:
        raise ShnotifyError(
            f"{endpoint} has not confirmed: what protects is to confirm with its link",
            hint="shnotify subscriptions confirm 'LINK OF THE MAIL'",
        )
    if any(one.who.state == "unlisted" for one in confirmed):
        raise UsageError(
            f"{endpoint} is not in the file: nothing was changed",
            hint="write it into the file first, so that `shnotify apply` keeps it",
        )
    open_ones = tuple(one for one in confirmed if one.who.protected is False)
    if not open_ones:
        if any(one.who.protected is None for one in confirmed):
            raise ShnotifyError(
                f"whether {endpoint} is protected could not be read",
                hint="allow sns:GetSubscriptionAttributes for the caller, then run it again",
                operation="sns:GetSubscriptionAttributes",
            )
        raise ShnotifyError(f"{endpoint} is protected already: only the account can end it")
    alone = [one.route for one in open_ones if not _others(one, everybody)]
    if alone and not force:
        raise ShnotifyError(
            f"nobody else gets the mail of {', '.join(alone)}: until {endpoint} has confirmed again it would be lost, "
            "so nothing was changed",
            hint="add a second address first (an alias such as name+aws@ will do), or give --force",
        )
    return open_ones


def _others(one: Member, everybody: Iterable[Member]) -> bool:
    return any(
        other.route == one.route and other.who.reached and other.who.arn != one.who.arn
        for other in everybody
    )


def renew(aws: Aws, member: Member) -> str:
    """Ends a subscription and begins it again, with the same attributes; returns the new ARN.

    A crash in between leaves one that is missing, which `apply` subscribes again.
    """
    arn = member.who.arn or ""
    reply = aws.maybe(aws.sns.get_subscription_attributes, SubscriptionArn=arn)
    have = reply["Attributes"] if reply else {}
    kept = {name: have[name] for name in _KEPT if have.get(name) not in (None, "", "false")}
    aws.maybe(aws.sns.unsubscribe, SubscriptionArn=arn)
    params: dict[str, Any] = {
        "TopicArn": member.topic_arn,
        "Protocol": member.who.protocol,
        "Endpoint": member.who.endpoint,
        "ReturnSubscriptionArn": True,
    }
    try:
        return aws(aws.sns.subscribe, **params, Attributes=kept)["SubscriptionArn"]
    except AwsError as error:
        if error.code not in _REFUSED or not kept:
            raise
        return aws(aws.sns.subscribe, **params)["SubscriptionArn"]


def to_remove(members: Iterable[Member]) -> tuple[Member, ...]:
    """Chooses who is unsubscribed: confirmed ones that the file does not name.

    Raises `UsageError` for one that the file names, `ShnotifyError` for one that is only pending.
    """
    members = tuple(members)
    endpoint = members[0].who.endpoint
    ours = [one.route for one in members if one.who.state != "unlisted"]
    if ours:
        raise UsageError(
            f"{endpoint} is in the file (route {', '.join(dict.fromkeys(ours))}), so `apply` would subscribe it again",
            hint="take it out of the file first, then run this again",
        )
    if confirmed := tuple(one for one in members if one.who.arn):
        return confirmed
    raise ShnotifyError(
        f"{endpoint} is only pending, and AWS cannot take that back",
        hint="it gets nothing, and AWS drops it 48 hours after it was subscribed",
    )


def remove(aws: Aws, member: Member) -> None:
    """Unsubscribes a confirmed one (API_Unsubscribe); one that is gone meanwhile is fine."""
    aws.maybe(aws.sns.unsubscribe, SubscriptionArn=member.who.arn or "")
