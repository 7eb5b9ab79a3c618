"""The mailbox: what SNS mails, to whom, and what it counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shnotify.errors import ShnotifyError
from shnotify.sandbox import confirm_subscription, pending_subscriptions
from shnotify.sandbox.flood import wait
from shnotify.sandbox.mailbox import CONFIRMATION, NO_SUBJECT, mails
from shnotify.sandbox.subscriptions import unsubscribe
from tests.sandbox.strict.cloud import Cloud, refused, subscribe
from tests.sandbox.strict.numbers import number


def _arrived() -> list[tuple[str, str, str]]:
    return [(mail.to, mail.subject, mail.body) for mail in mails() if mail.kind == "notification"]


def test_confirmed_addresses_get_mail(cloud: Cloud) -> None:
    topic = cloud.topic()
    for address in ("a@example.com", "b@example.com"):
        subscribe(cloud, topic, address)
    confirm_subscription("a@example.com")
    cloud.sns.publish(TopicArn=topic, Message="body\nwith a line")
    cloud.sns.publish(TopicArn=topic, Message="2", Subject="s")
    assert _arrived() == [("a@example.com", NO_SUBJECT, "body\nwith a line"), ("a@example.com", "s", "2")]
    assert number("AWS/SNS", "t", "NumberOfNotificationsDelivered") == 2


def test_more_than_ten_mails_a_second_suspend_an_address(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscribe(cloud, topic, "a@example.com")
    confirm_subscription("a@example.com")
    for n in range(10):
        cloud.sns.publish(TopicArn=topic, Message=f"{n}")
    wait(1)
    for n in range(10, 23):
        cloud.sns.publish(TopicArn=topic, Message=f"{n}")
    assert [body for _, _, body in _arrived()] == [f"{n}" for n in range(20)]
    assert [one.endpoint for one in pending_subscriptions()] == ["a@example.com"]
    confirm_subscription("a@example.com")
    wait(1)
    cloud.sns.publish(TopicArn=topic, Message="again")
    assert _arrived()[-1][2] == "again"


def test_messages_are_counted(cloud: Cloud) -> None:
    topic = cloud.topic()
    cloud.sns.publish(TopicArn=topic, Message="to nobody")
    assert number("AWS/SNS", "t", "NumberOfMessagesPublished") == 1
    assert number("AWS/SNS", "t", "NumberOfNotificationsDelivered") is None


def test_a_filter_policy_drops_what_has_no_attributes(cloud: Cloud) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic)
    confirm_subscription(arn)
    cloud.sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"severity": ["HIGH"]}'
    )
    cloud.sns.publish(TopicArn=topic, Message="m")
    assert _arrived() == []
    assert number("AWS/SNS", "t", "NumberOfNotificationsFilteredOut") == 1


def test_each_subscribe_mails_a_link_that_confirms(cloud: Cloud) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic, "a@example.com")
    subscribe(cloud, topic, "a@example.com")
    first, second = mails()
    assert (first.to, first.subject, first.kind) == ("a@example.com", CONFIRMATION, "confirmation")
    assert topic in first.body
    assert "Token=" in first.links["confirm"]
    assert first.links == second.links
    token = first.links["confirm"].partition("Token=")[2].partition("&")[0]
    assert confirm_subscription(token) == [arn]


def _attributes(cloud: Cloud, arn: str) -> dict[str, str]:
    return cloud.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]


@pytest.mark.parametrize("protected", [True, False])
def test_a_click_ends_what_is_not_protected(cloud: Cloud, protected: bool) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic)
    token = mails()[0].links["confirm"].partition("Token=")[2].partition("&")[0]
    more: Any = {"AuthenticateOnUnsubscribe": "true"} if protected else {}
    cloud.sns.confirm_subscription(TopicArn=topic, Token=token, **more)
    assert _attributes(cloud, arn)["ConfirmationWasAuthenticated"] == str(protected).lower()
    if protected:
        with pytest.raises(ShnotifyError, match="owner only"):
            unsubscribe(arn)
    else:
        unsubscribe(arn)
        assert refused(cloud.sns.get_subscription_attributes, SubscriptionArn=arn)[0] == "NotFound"


def _lets_sns_in(queue: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("let_in", [True, False])
def test_a_mail_that_comes_back_is_kept_if_the_queue_lets_sns_in(cloud: Cloud, let_in: bool) -> None:
    topic = cloud.topic()
    url = cloud.queue()
    queue = cloud.attributes(url)["QueueArn"]
    if let_in:
        cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _lets_sns_in(queue)})
    arn = subscribe(cloud, topic, "nobody@gone.invalid")
    confirm_subscription(arn)
    cloud.sns.set_subscription_attributes(
        SubscriptionArn=arn,
        AttributeName="RedrivePolicy",
        AttributeValue=json.dumps({"deadLetterTargetArn": queue}),
    )
    cloud.sns.publish(TopicArn=topic, Message="m", Subject="s")
    assert _arrived() == []
    assert number("AWS/SNS", "t", "NumberOfNotificationsFailed") == 1
    kept = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    if not let_in:
        assert kept == []
        assert number("AWS/SNS", "t", "NumberOfNotificationsFailedToRedriveToDlq") == 1
        return
    record = json.loads(kept[0]["Body"])
    assert (record["Message"], record["Subject"], record["TopicArn"]) == ("m", "s", topic)
    assert kept[0]["MessageAttributes"]["ErrorCode"]["StringValue"] == "550"
    assert number("AWS/SNS", "t", "NumberOfNotificationsRedrivenToDlq") == 1
