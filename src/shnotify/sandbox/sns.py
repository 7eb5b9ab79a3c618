"""Where Amazon SNS says no, or something else, and moto does not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores

from shnotify.sandbox.kms import key_trouble
from shnotify.sandbox.mailbox import ask_to_confirm
from shnotify.sandbox.rows import Call, Proceed, around, model, now, refuse
from shnotify.sandbox.subscriptions import (
    PENDING_PROTOCOLS,
    confirm,
    drop_expired,
    is_pending,
    suspend,
)

_EXISTS = "Invalid parameter: {} Reason: Topic already exists with different {}"
_READS = "ListSubscriptions ListSubscriptionsByTopic GetSubscriptionAttributes GetTopicAttributes"


@refuse(
    "sns", f"{_READS} Subscribe Unsubscribe ConfirmSubscription Publish PublishBatch", "B.SNS.9"
)
def pending_ones_vanish_after_48_hours(call: Call) -> None:
    drop_expired(call.response.backend, now())


@refuse("sns", "CreateTopic SetTopicAttributes", "API_SetTopicAttributes")
def policy_is_json(call: Call) -> None:
    attributes = {call.param("AttributeName"): call.param("AttributeValue")} | (
        call.param("Attributes") or {}
    )
    if "Policy" in attributes and not _is_policy(attributes["Policy"]):
        call.fail("InvalidParameter", "Invalid parameter: Policy Error: null")


def _is_policy(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@refuse("sns", "CreateTopic", "B.SNS.1")
def topic_exists_with_other_settings(call: Call) -> None:
    arns = [
        topic.arn
        for topic in call.response.backend.topics.values()
        if topic.name == call.param("Name")
    ]
    if not arns:
        return
    topic = call.response.backend.topics[arns[0]]
    for name, value in call.response._get_attributes().items():
        have = getattr(topic, camelcase_to_underscores(name), None)
        same = json.loads(have or "{}") == json.loads(value) if name == "Policy" else have == value
        if not same:
            call.fail("InvalidParameter", _EXISTS.format("Attributes", "attributes"))
    tags = call.response._get_tags()
    if tags and tags != topic._tags:
        call.fail("InvalidParameter", _EXISTS.format("Tags", "tags"))


@around("sns", "Subscribe", "B.SNS.7")
def subscribe_is_pending(call: Call, proceed: Proceed) -> Any:
    backend = call.response.backend
    wanted = (call.param("TopicArn"), call.param("Endpoint"), call.param("Protocol"))
    old = backend._find_subscription(*wanted)
    given = dict(call.response._get_attributes())
    if old is not None and any(old.attributes.get(name) != value for name, value in given.items()):
        call.fail(
            "InvalidParameter",
            "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
        )
    reply = proceed()
    subscription = backend._find_subscription(*wanted)
    if old is None and subscription.protocol in PENDING_PROTOCOLS:
        suspend(subscription, now())
    if is_pending(subscription):
        ask_to_confirm(subscription)
    if is_pending(subscription) and not call.param("ReturnSubscriptionArn"):
        return ActionResult({"SubscriptionArn": "pending confirmation"})
    return reply


@around("sns", "ListSubscriptions ListSubscriptionsByTopic", "B.SNS.8")
def lists_hide_the_arn_of_pending_ones(_: Call, proceed: Proceed) -> Any:
    result: Any = proceed().result
    shown = [
        {
            "SubscriptionArn": "PendingConfirmation" if is_pending(s) else s.arn,
            "Owner": s.owner,
            "Protocol": s.protocol,
            "Endpoint": s.endpoint,
            "TopicArn": s.topic_arn,
        }
        for s in result["Subscriptions"]
    ]
    return ActionResult(result | {"Subscriptions": shown})


@around("sns", "GetTopicAttributes", "API_GetTopicAttributes")
def subscriptions_are_counted(call: Call, proceed: Proceed) -> Any:
    result: Any = proceed().result
    mine = [
        s
        for s in call.response.backend.subscriptions.values()
        if s.topic_arn == call.param("TopicArn")
    ]
    pending = sum(map(is_pending, mine))
    counts = {"SubscriptionsPending": pending, "SubscriptionsConfirmed": len(mine) - pending}
    attributes = {k: v for k, v in result["Attributes"].items() if k != "DeliveryPolicy" or v}
    return ActionResult({"Attributes": attributes | counts})


@refuse("sns", "Unsubscribe", "B.SNS.9")
def unsubscribe_needs_a_confirmed_arn(call: Call) -> None:
    arn = call.param("SubscriptionArn")
    elements = len(arn.split(":"))
    if elements < 6:
        why = f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {elements}"
        call.fail("InvalidParameter", f"Invalid parameter: {why}")
    subscription = call.response.backend.subscriptions.get(arn)
    if subscription is not None and is_pending(subscription):
        call.fail(
            "InvalidParameter", "Cannot unsubscribe a subscription that is pending confirmation"
        )


@around("sns", "ConfirmSubscription", "K.9, API_ConfirmSubscription")
def confirm_by_token(call: Call, proceed: Proceed) -> Any:
    proceed()  # the topic exists
    mine = [
        s
        for s in call.response.backend.subscriptions.values()
        if s.topic_arn == call.param("TopicArn")
    ]
    found = [s for s in mine if is_pending(s) and s.token == call.param("Token")]
    if not found:
        call.fail("InvalidParameter", "Invalid parameter: Token")
    authenticated = str(call.param("AuthenticateOnUnsubscribe")).lower() == "true"
    confirm(found[0], authenticated=authenticated)
    return ActionResult({"SubscriptionArn": found[0].arn})


@refuse("sns", "Publish PublishBatch", "B.SQS.9, API_Publish (KMS... errors)")
def publish_needs_the_key(call: Call) -> None:
    topic = call.response.backend.topics.get(call.param("TopicArn") or call.param("TargetArn"))
    trouble = (
        key_trouble(topic.kms_master_key_id, call.account, call.region) if topic is not None else ""
    )
    if trouble:
        call.fail(f"KMS{trouble}", f"The topic's KMS key cannot be used: {topic.kms_master_key_id}")


@model("moto.sns.models", "Subscription.publish", "B.SNS.7; the sandbox never leaves this machine")
def deliver_here_and_to_confirmed_ones_only(subscription: Any, proceed: Proceed) -> None:
    remote = subscription.protocol in ("http", "https") and urlsplit(
        subscription.endpoint
    ).hostname not in (
        "127.0.0.1",
        "::1",
        "localhost",
    )
    if not remote and not is_pending(subscription):
        proceed()
