"""Delivery: from a finding to a mail, and every way in which it does not get there.

The ways are AWS's: B.EB, C.4, D.6, D.8 and D.9 of the facts; what cannot be told counts as refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shnotify.sandbox import confirm_subscription
from shnotify.sandbox.mailbox import mails
from tests.sandbox.strict.cloud import (
    ACCOUNT,
    DEFAULT_PRODUCT,
    REGION,
    Cloud,
    client,
    finding,
    policy,
    statement,
    subscribe,
)
from tests.sandbox.strict.numbers import number

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"
EVENTS = {"Service": "events.amazonaws.com"}
PATTERN = json.dumps({"source": ["aws.securityhub"], "detail": {"findings": {"Workflow": {"Status": ["NEW"]}}}})


def lets_in(action: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": EVENTS, "Action": action, "Resource": resource, **more}


def whole(cloud: Cloud, **target: Any) -> str:
    """A notifier made by hand, all of it allowed, with one confirmed address; returns the queue's URL."""
    keys = [
        cloud.kms.create_key(Policy=policy(statement(), lets_in(["kms:Decrypt", "kms:GenerateDataKey"], "*")))
        for _ in range(2)
    ]
    topic_key, queue_key = (key["KeyMetadata"]["Arn"] for key in keys)
    cloud.topic(KmsMasterKeyId=topic_key, Policy=policy(lets_in("sns:Publish", TOPIC)))
    url = cloud.queue(KmsMasterKeyId=queue_key, Policy=policy(lets_in("sqs:SendMessage", QUEUE)))
    cloud.events.put_rule(Name="r", EventPattern=PATTERN)
    all_of_it: Any = {"Id": "1", "Arn": TOPIC, "DeadLetterConfig": {"Arn": QUEUE}, **target}
    cloud.events.put_targets(Rule="r", Targets=[all_of_it])
    confirm_subscription(subscribe(cloud, TOPIC))
    return url


def arrives(**change: Any) -> None:
    reply = client("securityhub").batch_import_findings(Findings=[finding(**change)])
    assert reply["SuccessCount"] == 1, reply


def bodies() -> list[str]:
    return [mail.body for mail in mails() if mail.kind == "notification"]


def kept(cloud: Cloud, url: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """(attributes, event) of what is in the queue."""
    found = cloud.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
    return [
        ({k: v["StringValue"] for k, v in each["MessageAttributes"].items()}, json.loads(each["Body"]))
        for each in found.get("Messages", [])
    ]


def test_a_finding_becomes_an_event_and_a_mail(cloud: Cloud) -> None:
    cloud.moment = 1_767_225_600.0
    url = whole(cloud)
    arrives()
    [body] = bodies()
    event = json.loads(body)
    envelope = {name: event[name] for name in event if name not in ("id", "detail")}
    assert envelope == {
        "version": "0",
        "detail-type": "Security Hub Findings - Imported",
        "source": "aws.securityhub",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [f"{DEFAULT_PRODUCT}/f"],
    }
    [found] = event["detail"]["findings"]
    assert (found["Id"], found["Workflow"]) == ("f", {"Status": "NEW"})
    assert kept(cloud, url) == []
    counted = {m: number("AWS/Events", "r", m) for m in ("MatchedEvents", "TriggeredRules", "Invocations")}
    assert counted == {"MatchedEvents": 1, "TriggeredRules": 1, "Invocations": 1}
    assert number("AWS/Events", "r", "FailedInvocations") is None


def test_each_finding_and_each_update_is_an_event_of_its_own(cloud: Cloud) -> None:
    whole(cloud)
    hub = client("securityhub")
    hub.batch_import_findings(Findings=[finding("a"), finding("b")])
    hub.batch_update_findings(
        FindingIdentifiers=[{"Id": "a", "ProductArn": DEFAULT_PRODUCT}], Note={"Text": "n", "UpdatedBy": "me"}
    )
    assert [json.loads(body)["detail"]["findings"][0]["Id"] for body in bodies()] == ["a", "b", "a"]
    hub.batch_update_findings(
        FindingIdentifiers=[{"Id": "a", "ProductArn": DEFAULT_PRODUCT}], Workflow={"Status": "RESOLVED"}
    )
    assert len(bodies()) == 3  # the pattern wants NEW
    arrives(identity="a")  # no newer than what is there
    assert len(bodies()) == 3


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ({"InputPath": "$.detail.findings[0].Title"}, '"t"'),
        ({"Input": '"always"'}, '"always"'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"t": "$.detail.findings[0].Title"},
                    "InputTemplate": '"Title: <t>"',
                }
            },
            '"Title: t"',
        ),
    ],
)
def test_the_target_gets_what_it_asked_for(cloud: Cloud, target: dict[str, Any], body: str) -> None:
    whole(cloud, **target)
    arrives()
    assert bodies() == [body]


OFF: dict[str, Callable[[Cloud], object]] = {
    "disabled": lambda c: c.events.disable_rule(Name="r"),
    "other source": lambda c: c.events.put_rule(Name="r", EventPattern='{"source": ["aws.guardduty"]}'),
}


@pytest.mark.parametrize("name", OFF)
def test_a_rule_that_is_off_or_does_not_match_does_nothing(cloud: Cloud, name: str) -> None:
    url = whole(cloud)
    OFF[name](cloud)
    arrives()
    assert bodies() == []
    assert kept(cloud, url) == []
    assert number("AWS/Events", "r", "MatchedEvents") is None


def key_of_topic(cloud: Cloud) -> str:
    return cloud.sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["KmsMasterKeyId"]


def set_topic(name: str, value: str) -> Callable[[Cloud], object]:
    return lambda cloud: cloud.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)


def topic_key_policy(*more: dict[str, Any]) -> Callable[[Cloud], object]:
    return lambda cloud: cloud.kms.put_key_policy(KeyId=key_of_topic(cloud), Policy=policy(statement(), *more))


SOURCE_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
BREAKS: dict[str, tuple[Callable[[Cloud], object], str, str]] = {
    "topic gone": (lambda c: c.sns.delete_topic(TopicArn=TOPIC), "NO_RESOURCE", "the topic"),
    "topic policy": (set_topic("Policy", policy(lets_in("sns:Subscribe", TOPIC))), "NO_PERMISSIONS", "sns:Publish"),
    "topic policy with a condition that nobody knows": (
        set_topic("Policy", policy(lets_in("sns:Publish", TOPIC, Condition=SOURCE_ACCOUNT))),
        "NO_PERMISSIONS",
        "sns:Publish",
    ),
    "topic key policy": (topic_key_policy(), "NO_PERMISSIONS", "kms:Decrypt"),
    "topic key policy, half of it": (
        topic_key_policy(lets_in("kms:Decrypt", "*")),
        "NO_PERMISSIONS",
        "kms:GenerateDataKey",
    ),
    "topic key policy with a condition that EventBridge does not meet": (
        topic_key_policy(lets_in("kms:*", "*", Condition=SOURCE_ACCOUNT)),
        "NO_PERMISSIONS",
        "kms:Decrypt",
    ),
    "topic key disabled": (lambda c: c.kms.disable_key(KeyId=key_of_topic(c)), "SDK_CLIENT_ERROR", "Disabled"),
    "topic key dying": (
        lambda c: c.kms.schedule_key_deletion(KeyId=key_of_topic(c)),
        "SDK_CLIENT_ERROR",
        "InvalidState",
    ),
    "AWS's own key": (set_topic("KmsMasterKeyId", "alias/aws/sns"), "NO_PERMISSIONS", "AWS's own key"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_cannot_be_delivered_is_kept_with_its_reason(cloud: Cloud, name: str) -> None:
    url = whole(cloud)
    change, code, told = BREAKS[name]
    change(cloud)
    arrives()
    assert bodies() == []
    [(attributes, event)] = kept(cloud, url)
    text = attributes.pop("ERROR_MESSAGE")
    assert attributes == {"RULE_ARN": RULE, "TARGET_ARN": TOPIC, "ERROR_CODE": code}
    assert told in text
    assert event["detail"]["findings"][0]["Id"] == "f"
    assert number("AWS/Events", "r", "FailedInvocations") == 1
    assert number("AWS/Events", "r", "InvocationsSentToDlq") == 1
    assert number("AWS/SQS", "q", "NumberOfMessagesSent") == 1


def test_a_text_that_is_no_json_any_more_is_kept_whole(cloud: Cloud) -> None:
    transformer = {"InputPathsMap": {"t": "$.detail.findings[0].Title"}, "InputTemplate": '"Title: <t>"'}
    url = whole(cloud, InputTransformer=transformer)
    arrives(Title='a "quote"\nand a line')
    assert bodies() == []
    [(attributes, event)] = kept(cloud, url)
    assert attributes["ERROR_CODE"] == "INVALID_JSON"
    assert event["detail"]["findings"][0]["Title"] == 'a "quote"\nand a line'


def queue(**attributes: str) -> Callable[[Cloud, str], object]:
    return lambda cloud, url: cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]


def queue_key_policy(cloud: Cloud, url: str) -> None:
    cloud.kms.put_key_policy(KeyId=cloud.attributes(url)["KmsMasterKeyId"], Policy=policy(statement()))


LOSSES: dict[str, Callable[[Cloud, str], object]] = {
    "queue gone": lambda cloud, url: cloud.sqs.delete_queue(QueueUrl=url),
    "queue policy": queue(Policy=policy(lets_in("sqs:ReceiveMessage", QUEUE))),
    "queue policy for another rule": queue(
        Policy=policy(lets_in("sqs:SendMessage", QUEUE, Condition={"ArnEquals": {"aws:SourceArn": f"{RULE}x"}}))
    ),
    "queue key": queue_key_policy,
    "queue of small messages": queue(MaximumMessageSize="1024"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_the_queue_does_not_take_is_lost_and_counted(cloud: Cloud, name: str) -> None:
    url = whole(cloud)
    set_topic("Policy", policy(lets_in("sns:Subscribe", TOPIC)))(cloud)
    LOSSES[name](cloud, url)
    arrives()
    assert bodies() == []
    assert number("AWS/Events", "r", "InvocationsFailedToBeSentToDlq") == 1
    assert number("AWS/Events", "r", "InvocationsSentToDlq") is None
    if name != "queue gone":
        assert kept(cloud, url) == []


def test_an_event_of_ones_own_is_delivered_too(cloud: Cloud) -> None:
    whole(cloud)
    cloud.events.put_rule(Name="r", EventPattern='{"source": ["mine"]}')
    entry: Any = {"Source": "mine", "DetailType": "d", "Detail": '{"a": [1]}', "Resources": ["x"]}
    cloud.events.put_events(Entries=[entry])
    [body] = bodies()
    event = json.loads(body)
    assert (event["detail"], event["resources"], event["time"]) == ({"a": [1]}, ["x"], event["time"][:19] + "Z")


def test_a_rule_can_feed_a_queue(cloud: Cloud) -> None:
    url = cloud.queue(Policy=policy(lets_in("sqs:SendMessage", QUEUE)))
    cloud.events.put_rule(Name="r", EventPattern=PATTERN)
    cloud.events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
    arrives()
    [message] = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["detail"]["findings"][0]["Id"] == "f"
