"""Subscriptions that wait for their owner's click, and the click."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.sns.models import sns_backends

from shnotify.errors import ShnotifyError
from shnotify.sandbox.rows import now

PENDING_PROTOCOLS = ("email", "email-json", "http", "https")
"""Who has to confirm (API_Subscribe).

Sqs, lambda, sms and firehose are confirmed at once in one's own account.
"""

PENDING_SECONDS = 48 * 3600
"""How long a pending subscription lives (B.SNS.9)."""


@dataclass(frozen=True, order=True)
class Pending:
    """A subscription whose owner has not confirmed it.

    `token` is what the owner's mail would hold.
    """

    topic_arn: str
    protocol: str
    endpoint: str
    arn: str
    token: str


def pending_subscriptions() -> list[Pending]:
    """All pending subscriptions, of all accounts and Regions."""
    found = [s for s in _all() if is_pending(s)]
    return sorted(Pending(s.topic_arn, s.protocol, s.endpoint, s.arn, s.token) for s in found)


def confirm_subscription(which: str) -> list[str]:
    """Clicks "confirm" on the pending subscriptions of this endpoint, ARN or token; returns their
    ARNs.
    """
    chosen = [s for s in _all() if is_pending(s) and which in (s.endpoint, s.arn, s.token)]
    if not chosen:
        raise ShnotifyError(
            f"no subscription of {which} waits for a confirmation", code="NotPending"
        )
    for subscription in chosen:
        confirm(subscription)
    return [str(s.arn) for s in chosen]


def suspend_subscription(which: str) -> list[str]:
    """Makes the subscriptions of this endpoint or ARN pending again, as AWS does when it is flooded
    (B.SNS.10).
    """
    chosen = [s for s in _all() if which in (s.endpoint, s.arn)]
    for subscription in chosen:
        suspend(subscription, now())
    return [str(s.arn) for s in chosen]


# -- on moto's own objects, so that moto's reset takes it away too ---------------------------------


def is_pending(subscription: Any) -> bool:
    return getattr(subscription, "pending_since", None) is not None


def suspend(subscription: Any, moment: float) -> None:
    subscription.pending_since = moment
    subscription.token = secrets.token_hex(64)
    subscription.attributes |= {"PendingConfirmation": True, "ConfirmationWasAuthenticated": False}


def confirm(subscription: Any, *, authenticated: bool = False) -> None:
    """`authenticated`: only the owners of topic and subscription can end it (K.9)."""
    subscription.pending_since = None
    subscription.attributes |= {
        "PendingConfirmation": False,
        "ConfirmationWasAuthenticated": authenticated,
    }


def unsubscribe(arn: str) -> None:
    """Clicks "unsubscribe" in a mail, which needs no credentials (B.SNS.11).

    Raises `ShnotifyError` when the subscription is not there or is protected.
    """
    for subscription in _all():
        if subscription.arn == arn and not is_pending(subscription):
            if subscription.attributes["ConfirmationWasAuthenticated"]:
                text = "this subscription can be ended by its owner or the topic's owner only"
                raise ShnotifyError(text, code="AuthorizationError")
            subscription.topic.sns_backend.unsubscribe(arn)
            return
    raise ShnotifyError("there is no such subscription", code="NotFound")


def drop_expired(backend: Any, moment: float) -> None:
    for arn, subscription in list(backend.subscriptions.items()):
        if is_pending(subscription) and moment - subscription.pending_since > PENDING_SECONDS:
            del backend.subscriptions[arn]


def _all() -> Iterator[Any]:
    for _, _, backend in list(sns_backends.iter_backends()):
        drop_expired(backend, now())
        yield from list(backend.subscriptions.values())
