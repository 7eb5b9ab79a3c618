"""The local mailbox: what SNS mails, and to whom."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlencode

from moto.sns.models import sns_backends

from shnotify.frozen import frozen
from shnotify.resources import calls
from shnotify.sandbox.findingstore import moment_text
from shnotify.sandbox.flood import is_flooded
from shnotify.sandbox.metrics import count
from shnotify.sandbox.permissions import RefusedError, require_by_policy, require_key
from shnotify.sandbox.queues import put_message, queue_of
from shnotify.sandbox.rows import Proceed, model, now
from shnotify.sandbox.subscriptions import is_pending, suspend

NO_SUBJECT = "AWS Notification Message"
"""What stands there when nobody gave a subject (C.9)."""
CONFIRMATION = "AWS Notification - Subscription Confirmation"
_NOWHERE = ".invalid"
"""A domain that never exists (RFC 2606): mail to it comes back."""
_NUMBERS = itertools.count(1)


@frozen
class Mail:
    """One mail.

    sent     ISO 8601, by the sandbox's clock
    kind     notification, or confirmation
    links    what can be clicked in it: `confirm` or `unsubscribe`
    """

    id: int
    to: str
    subject: str
    body: str
    sent: str
    topic_arn: str
    kind: str
    links: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def mails() -> list[Mail]:
    """All mails of all accounts and Regions, in the order in which they were sent."""
    found: list[Mail] = []
    for _, _, backend in list(sns_backends.iter_backends()):
        found += backend.__dict__.get("mails", [])
    return sorted(found, key=lambda mail: mail.id)


def ask_to_confirm(subscription: Any) -> None:
    """Mails the link by which the owner of an address confirms (sns-email-notifications)."""
    if subscription.protocol not in ("email", "email-json"):
        return
    query = {
        "TopicArn": subscription.topic_arn,
        "Token": subscription.token,
        "Endpoint": subscription.endpoint,
    }
    link = f"{_here()}/sandbox/confirm?{urlencode(query)}"
    body = (
        f"You have chosen to subscribe to the topic:\n{subscription.topic_arn}\n\n"
        "To confirm this subscription, click or visit the link below "
        f"(If this was in error no action is necessary):\n{link}\n"
    )
    _put(subscription, CONFIRMATION, body, "confirmation", {"confirm": link})


def _here() -> str:
    return os.environ.get("AWS_ENDPOINT_URL", "")


def _put(subscription: Any, subject: str, body: str, kind: str, links: dict[str, str]) -> None:
    topic, sent = subscription.topic, moment_text()
    mail = Mail(next(_NUMBERS), subscription.endpoint, subject, body, sent, topic.arn, kind, links)
    topic.sns_backend.__dict__.setdefault("mails", []).append(mail)


@model("moto.sns.models", "Topic.publish", "D.6, sns-monitoring-using-cloudwatch")
def messages_are_counted(topic: Any, proceed: Proceed) -> Any:
    _count(topic, "NumberOfMessagesPublished")
    return proceed()


@model("moto.sns.models", "Subscription.publish", "B.SNS.7, B.SNS.10, C.9, sns-email-notifications")
def confirmed_addresses_get_mail(
    subscription: Any,
    proceed: Proceed,
    message: str,
    message_id: str,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    message_structure: str | None = None,
    **_: Any,
) -> Any:
    if is_pending(subscription):
        return None
    matcher = subscription._filter_policy_matcher
    if matcher is not None and not matcher.matches(message_attributes or {}, message):
        _count(subscription.topic, "NumberOfNotificationsFilteredOut")
        return None
    if subscription.protocol not in ("email", "email-json"):
        _count(subscription.topic, "NumberOfNotificationsDelivered")
        return proceed()
    if is_flooded(subscription):
        suspend(subscription, now())
        return None
    if message_structure == "json":
        message = subscription._parse_message_structure(message, subscription.protocol)
    if subscription.protocol == "email-json":
        message = json.dumps(subscription.get_post_data(message, message_id, subject), indent=2)
    if subscription.endpoint.lower().endswith(_NOWHERE):
        _count(subscription.topic, "NumberOfNotificationsFailed")
        _give_up(subscription, message, message_id, subject)
        return None
    link = f"{_here()}/sandbox/unsubscribe?arn={quote(subscription.arn, safe='')}"
    _put(subscription, subject or NO_SUBJECT, message, "notification", {"unsubscribe": link})
    _count(subscription.topic, "NumberOfNotificationsDelivered")
    return None


def _give_up(subscription: Any, message: str, message_id: str, subject: str | None) -> None:
    """Sends a mail that came back to the subscription's queue (K.8); it is lost when there is none."""
    policy = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    arn, topic = policy.get("deadLetterTargetArn"), subscription.topic
    queue = queue_of(arn) if arn else None
    if queue is None:
        return

    def use(key: str, action: str) -> Any:
        return calls.sns_use_queue_key(key, arn, topic.arn, action)

    record = subscription.get_post_data(message, message_id, subject)
    attributes = {
        "RequestID": message_id,
        "ErrorCode": "550",
        "ErrorMessage": f"{subscription.endpoint} does not exist",
    }
    try:
        require_by_policy(queue.policy, calls.sns_send(arn, topic.arn))
        require_key(queue.kms_master_key_id, arn, queue.account_id, queue.region, use)
        put_message(queue, json.dumps(record), attributes)
    except RefusedError:
        _count(topic, "NumberOfNotificationsFailedToRedriveToDlq")
    else:
        _count(topic, "NumberOfNotificationsRedrivenToDlq")


def _count(topic: Any, metric: str) -> None:
    count(topic.account_id, topic.sns_backend.region_name, "AWS/SNS", topic.name, metric)
