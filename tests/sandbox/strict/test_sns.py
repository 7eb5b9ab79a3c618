"""Amazon SNS: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.sns import sns_backends

from shnotify.errors import ShnotifyError
from shnotify.sandbox import confirm_subscription, pending_subscriptions, suspend_subscription
from tests.sandbox.strict.cloud import REGION, Cloud, policy, refused, subscribe


def test_topic_exists_with_other_settings(cloud: Cloud) -> None:
    document = policy({"Effect": "Allow", "Principal": "*", "Action": "sns:Publish"})
    given: dict[str, Any] = {
        "Attributes": {"DisplayName": "D", "Policy": document},
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    arn = cloud.sns.create_topic(Name="t", **given)["TopicArn"]
    same = json.dumps(json.loads(document), indent=4)
    assert cloud.sns.create_topic(Name="t")["TopicArn"] == arn
    assert cloud.sns.create_topic(Name="t", **given)["TopicArn"] == arn
    assert cloud.sns.create_topic(Name="t", Attributes={"Policy": same})["TopicArn"] == arn
    for other in ({"DisplayName": "E"}, {"KmsMasterKeyId": "alias/x"}, {"Policy": policy()}):
        assert refused(cloud.sns.create_topic, Name="t", Attributes=other) == (
            "InvalidParameter",
            "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
        )
    assert refused(cloud.sns.create_topic, Name="t", Tags=[{"Key": "a", "Value": "c"}]) == (
        "InvalidParameter",
        "Invalid parameter: Tags Reason: Topic already exists with different tags",
    )


def test_policy_is_json(cloud: Cloud) -> None:
    arn = cloud.topic()
    for text in ("", "{", "[]"):
        assert refused(cloud.sns.create_topic, Name="u", Attributes={"Policy": text})[0] == "InvalidParameter"
        set_to = {"AttributeName": "Policy", "AttributeValue": text}
        assert refused(cloud.sns.set_topic_attributes, TopicArn=arn, **set_to)[0] == "InvalidParameter"


@pytest.mark.parametrize(
    ("protocol", "endpoint", "pending"),
    [
        ("email", "a@example.com", True),
        ("email-json", "a@example.com", True),
        ("http", "http://example.com/x", True),
        ("https", "https://example.com/x", True),
        ("sms", "+819012345678", False),
        ("sqs", f"arn:aws:sqs:{REGION}:123456789012:q", False),
        ("lambda", f"arn:aws:lambda:{REGION}:123456789012:function:f", False),
    ],
)
def test_subscribe_is_pending(cloud: Cloud, protocol: str, endpoint: str, pending: bool) -> None:
    topic = cloud.topic()
    said = cloud.sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)["SubscriptionArn"]
    arn = subscribe(cloud, topic, endpoint, protocol)
    assert arn.startswith(f"{topic}:")
    assert said == ("pending confirmation" if pending else arn)
    shown = cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [s["SubscriptionArn"] for s in shown] == ["PendingConfirmation" if pending else arn]
    attributes = cloud.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == str(pending).lower()
    again = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint}
    code, text = refused(cloud.sns.subscribe, **again, Attributes={"RawMessageDelivery": "true"})
    assert (code, text.split("Reason: ")[1]) == (
        "InvalidParameter",
        "Subscription already exists with different attributes",
    )


def test_lists_hide_the_arn_of_pending_ones(cloud: Cloud) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic)
    subscribe(cloud, topic, "b@example.com")
    assert confirm_subscription("a@example.com") == [arn]
    entry = {"Owner": "123456789012", "Protocol": "email", "TopicArn": topic}
    wanted = [
        {"SubscriptionArn": arn, "Endpoint": "a@example.com", **entry},
        {"SubscriptionArn": "PendingConfirmation", "Endpoint": "b@example.com", **entry},
    ]
    assert cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == wanted
    assert cloud.sns.list_subscriptions()["Subscriptions"] == wanted


def test_subscriptions_are_counted(cloud: Cloud) -> None:
    topic = cloud.topic()
    for endpoint in ("a@example.com", "b@example.com", "c@example.com"):
        subscribe(cloud, topic, endpoint)
    confirm_subscription("b@example.com")
    attributes = cloud.sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]) == ("2", "1")
    assert "DeliveryPolicy" not in attributes


def test_pending_ones_vanish_after_48_hours(cloud: Cloud) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic)
    subscribe(cloud, topic, "b@example.com")
    confirm_subscription(arn)
    cloud.moment += 48 * 3600
    assert len(cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 2
    cloud.moment += 1
    assert len(cloud.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1
    assert pending_subscriptions() == []


def test_unsubscribe_needs_a_confirmed_arn(cloud: Cloud) -> None:
    arn = subscribe(cloud, cloud.topic())
    assert refused(cloud.sns.unsubscribe, SubscriptionArn=arn) == (
        "InvalidParameter",
        "Cannot unsubscribe a subscription that is pending confirmation",
    )
    for text in ("PendingConfirmation", "Deleted"):
        code, message = refused(cloud.sns.unsubscribe, SubscriptionArn=text)
        assert code == "InvalidParameter"
        assert "An ARN must have at least 6 elements, not 1" in message
    confirm_subscription(arn)
    cloud.sns.unsubscribe(SubscriptionArn=arn)
    cloud.sns.unsubscribe(SubscriptionArn=arn)
    assert cloud.sns.list_subscriptions()["Subscriptions"] == []


def test_confirm_by_token(cloud: Cloud) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic)
    [waiting] = pending_subscriptions()
    assert (waiting.arn, waiting.topic_arn, waiting.endpoint) == (arn, topic, "a@example.com")
    assert refused(cloud.sns.confirm_subscription, TopicArn=topic, Token="x")[0] == "InvalidParameter"
    assert refused(cloud.sns.confirm_subscription, TopicArn=topic + "x", Token=waiting.token)[0] == "NotFound"
    assert cloud.sns.confirm_subscription(TopicArn=topic, Token=waiting.token)["SubscriptionArn"] == arn
    assert pending_subscriptions() == []


def test_a_flooded_address_is_suspended(cloud: Cloud) -> None:
    topic = cloud.topic()
    arn = subscribe(cloud, topic)
    confirm_subscription(arn)
    assert suspend_subscription("a@example.com") == [arn]
    assert [p.arn for p in pending_subscriptions()] == [arn]
    with pytest.raises(ShnotifyError, match="nobody@"):
        confirm_subscription("nobody@example.com")


def test_publish_needs_the_key(cloud: Cloud) -> None:
    arn = cloud.topic()
    missing = cloud.key()[:-12] + "0" * 12
    for key, code in (
        (missing, "KMSNotFound"),
        ("alias/none", "KMSNotFound"),
        (cloud.disabled_key(), "KMSDisabled"),
        (cloud.dying_key(), "KMSInvalidState"),
    ):
        cloud.sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key)
        assert refused(cloud.sns.publish, TopicArn=arn, Message="x")[0] == code
        entries = [{"Id": "1", "Message": "x"}]
        assert refused(cloud.sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=entries)[0] == code
    cloud.kms.create_alias(AliasName="alias/a", TargetKeyId=cloud.key())
    for good in ("alias/a", f"arn:aws:kms:{REGION}:123456789012:alias/a", "alias/aws/sns", ""):
        cloud.sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=good)
        assert cloud.sns.publish(TopicArn=arn, Message="x")["MessageId"]


def test_deliver_here_and_to_confirmed_ones_only(cloud: Cloud) -> None:
    topic = cloud.topic()
    url = cloud.queue()
    subscribe(cloud, topic, cloud.attributes(url)["QueueArn"], "sqs")
    subscribe(cloud, topic, "https://example.com/x", "https")
    cloud.sns.publish(TopicArn=topic, Message="one")
    confirm_subscription("https://example.com/x")
    cloud.sns.publish(TopicArn=topic, Message="two")
    assert cloud.attributes(url)["ApproximateNumberOfMessages"] == "2"
    assert len(sns_backends["123456789012"][REGION].topics[topic].sent_notifications) == 2
