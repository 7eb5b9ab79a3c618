"""Amazon SQS: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from moto.sqs.models import Queue

from tests.sandbox.strict.cloud import Cloud, policy, refused, statement


def test_remember_deletion(cloud: Cloud) -> None:
    cloud.sqs.delete_queue(QueueUrl=cloud.queue())
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        cloud.sqs.get_queue_url(QueueName="q")
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        cloud.sqs.delete_queue(QueueUrl="https://sqs/123456789012/never")
    cloud.sqs.create_queue(QueueName="another")
    with pytest.raises(cloud.sqs.exceptions.QueueDeletedRecently):
        cloud.queue()


def test_deleted_recently(cloud: Cloud) -> None:
    cloud.sqs.delete_queue(QueueUrl=cloud.queue())
    for _ in range(2):
        with pytest.raises(cloud.sqs.exceptions.QueueDeletedRecently) as caught:
            cloud.queue()
        assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.QueueDeletedRecently"
        cloud.moment += 59.9
        cloud.moment -= 30
    cloud.moment += 30
    cloud.queue()


def test_impossible_attributes(cloud: Cloud) -> None:
    url = cloud.queue()
    for name, value in (
        ("VisibilityTimeout", "43201"),
        ("DelaySeconds", "-1"),
        ("MessageRetentionPeriod", "59"),
        ("MaximumMessageSize", "1048577"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("KmsDataKeyReusePeriodSeconds", "x"),
        ("Policy", "{"),
    ):
        with pytest.raises(cloud.sqs.exceptions.InvalidAttributeValue):
            cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})  # type: ignore[dict-item]
    both = {"KmsMasterKeyId": "alias/a", "SqsManagedSseEnabled": "true"}
    assert refused(cloud.sqs.create_queue, QueueName="b", Attributes=both)[0] == "InvalidAttributeName"
    with pytest.raises(cloud.sqs.exceptions.InvalidAttributeName, match="one type of server-side encryption"):
        cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes=both)  # type: ignore[arg-type]


def test_queue_exists_with_other_attributes(cloud: Cloud) -> None:
    url = cloud.queue(VisibilityTimeout="31")
    assert cloud.queue() == cloud.queue(VisibilityTimeout="31") == url
    with pytest.raises(cloud.sqs.exceptions.QueueNameExists):
        cloud.queue(VisibilityTimeout="32")


def test_encryption_is_of_one_kind(cloud: Cloud) -> None:
    url = cloud.queue()
    assert cloud.attributes(url)["SqsManagedSseEnabled"] == "true"
    key = cloud.key()
    changes: dict[str, str] = {"KmsMasterKeyId": key, "KmsDataKeyReusePeriodSeconds": "300"}
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes=changes)  # type: ignore[arg-type]
    assert changes.items() <= cloud.attributes(url).items()
    assert cloud.attributes(url)["SqsManagedSseEnabled"] == "false"
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    assert not changes.keys() & cloud.attributes(url).keys()
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "true"})
    assert "KmsMasterKeyId" not in cloud.attributes(url)


def test_policy_stays(cloud: Cloud) -> None:
    url = cloud.queue(Policy=policy(statement(Action="sqs:SendMessage")))
    before = cloud.attributes(url)["Policy"]
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "45"})
    assert cloud.attributes(url)["Policy"] == before
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in cloud.attributes(url)
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        cloud.sqs.set_queue_attributes(QueueUrl=f"{url}x", Attributes={"DelaySeconds": "1"})


def test_tags_stay(cloud: Cloud) -> None:
    url = cloud.sqs.create_queue(QueueName="q", tags={"a": "b"})["QueueUrl"]
    cloud.sqs.create_queue(QueueName="q", tags={"a": "c"})
    assert cloud.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}


def test_messages_need_the_key(cloud: Cloud) -> None:
    url = cloud.queue()
    missing = cloud.key()[:-12] + "0" * 12
    classes = cloud.sqs.exceptions
    for key, wanted in (
        (missing, classes.KmsNotFound),
        (cloud.disabled_key(), classes.KmsDisabled),
        (cloud.dying_key(), classes.KmsInvalidState),
    ):
        cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
        with pytest.raises(wanted):
            cloud.sqs.send_message(QueueUrl=url, MessageBody="x")
        with pytest.raises(wanted):
            cloud.sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}])
        with pytest.raises(wanted):
            cloud.sqs.receive_message(QueueUrl=url)
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": cloud.key()})
    cloud.sqs.send_message(QueueUrl=url, MessageBody="x")
    assert cloud.sqs.receive_message(QueueUrl=url)["Messages"]


def test_purge_once_a_minute(cloud: Cloud) -> None:
    url = cloud.queue()
    cloud.sqs.purge_queue(QueueUrl=url)
    cloud.moment += 59
    with pytest.raises(cloud.sqs.exceptions.PurgeQueueInProgress):
        cloud.sqs.purge_queue(QueueUrl=url)
    cloud.moment += 1
    cloud.sqs.purge_queue(QueueUrl=url)
    with pytest.raises(cloud.sqs.exceptions.QueueDoesNotExist):
        cloud.sqs.purge_queue(QueueUrl=f"{url}x")


def test_retention_is_cheap(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is kept for the queue's own time, and nothing of the queue is counted to know it."""
    url = cloud.queue(MessageRetentionPeriod="60")
    cloud.sqs.send_message(QueueUrl=url, MessageBody="a")
    hidden: Any = {"QueueUrl": url, "VisibilityTimeout": 0}
    with monkeypatch.context() as patch:
        patch.setattr(Queue, "attributes", property(lambda _: pytest.fail("counted the queue")))
        assert cloud.sqs.receive_message(**hidden)["Messages"][0]["Body"] == "a"
    later = time.time() + 60
    monkeypatch.setattr("shnotify.sandbox.sqs.time.time", lambda: later)
    assert "Messages" not in cloud.sqs.receive_message(**hidden)


def test_milliseconds_are_cheap(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A received message is hidden for its time, to the second."""
    url = cloud.queue()
    cloud.sqs.send_message(QueueUrl=url, MessageBody="a")
    cloud.sqs.receive_message(QueueUrl=url, VisibilityTimeout=10)
    began = time.time()
    for later, seen in ((9, False), (11, True)):
        monkeypatch.setattr("shnotify.sandbox.sqs.time.time", lambda moment=began + later: moment)
        assert ("Messages" in cloud.sqs.receive_message(QueueUrl=url)) is seen
