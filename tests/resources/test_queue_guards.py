"""Queues: who decides what is deleted, given back or left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.aws.failures import AwsError
from shnotify.resources.queue import depths
from shnotify.tags import OUR_TAGS
from tests.support.guards import PROBE, URL, by_name, statements
from tests.support.kinds import (
    DELAYED,
    IN_FLIGHT,
    NONE,
    NOT_OURS,
    QUEUE,
    WAITING,
    queue_live,
    sqs,
    tags,
)
from tests.support.scripted import Answer, scripted


def test_a_queue_is_known_by_its_name_and_tags() -> None:
    aws = sqs({})
    assert QUEUE.identify(aws) == queue_live()
    assert by_name(aws) == [
        ("sqs:GetQueueAttributes", {"QueueUrl": URL, "AttributeNames": ["All"]}),
        ("sqs:ListQueueTags", {"QueueUrl": URL}),
    ]
    assert QUEUE.identify(sqs("QueueDoesNotExist")) is None
    untold: list[Answer] = ["QueueDoesNotExist", {"ResponseMetadata": {}}]
    for answer in untold:
        aws = sqs({})
        aws.answers["sqs:ListQueueTags"] = answer
        assert QUEUE.identify(aws) == queue_live(NOT_OURS, {})
    assert QUEUE.identify(sqs({}, {})) == queue_live(NOT_OURS, {})
    other = tags("Dlq", "other")
    assert QUEUE.identify(sqs({}, other)) == queue_live("it belongs to another notifier, 'other'", other)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({WAITING: "1"}, "1 waiting"),
        ({IN_FLIGHT: "2"}, "2 in flight"),
        ({DELAYED: "3"}, "3 delayed"),
        ({WAITING: "1", IN_FLIGHT: "20", DELAYED: "300"}, "1 waiting, 20 in flight, 300 delayed"),
    ],
)
def test_a_queue_that_says_it_holds_messages_is_not_touched_unless_told_to(counts: dict[str, Any], words: str) -> None:
    live = queue_live(**counts)
    assert depths(counts) == words
    blocked = f"it holds messages ({words}): read them first, or discard them with --force"
    assert QUEUE.identify(sqs(counts)) == replace(live, blocked=blocked)
    forced = replace(QUEUE, discard_messages=True)
    expected = replace(
        live, state=replace(live.state, discard_messages=True), notes=(f"its messages are lost: {words}",)
    )
    assert forced.identify(sqs(counts)) == expected
    quiet = replace(expected, outputs=queue_live().outputs, notes=())
    assert forced.identify(sqs(NONE)) == quiet
    assert depths(NONE) == depths({}) == ""


STAYS = "the queue q holds messages, so it stays, and its key with it"


def deleting(old: bool, probe: Any, counts: Any) -> Any:
    aws = scripted({"sqs:ReceiveMessage": probe, "sqs:DeleteQueue": "QueueDoesNotExist"})
    if old:
        aws.answers["sqs:GetQueueAttributes"] = counts if isinstance(counts, str) else {"Attributes": counts}
        aws.time.sleep(5.5)
    return aws


@pytest.mark.parametrize(
    ("old", "probe", "counts"),
    [(False, {}, {}), (True, {}, NONE), (True, {}, "QueueDoesNotExist"), (True, "QueueDoesNotExist", {})],
)
def test_an_empty_queue_goes(old: bool, probe: Any, counts: Any) -> None:
    aws = deleting(old, probe, counts)
    QUEUE.delete(aws, queue_live())
    assert aws.sent[-1] == ("sqs:DeleteQueue", {"QueueUrl": URL})
    looked = {"sqs:ReceiveMessage"} | ({"sqs:GetQueueAttributes"} if old else set())
    assert set(aws.operations) == looked | {"sqs:DeleteQueue"}
    assert [params for operation, params in aws.sent if operation == "sqs:ReceiveMessage"] == [PROBE]


@pytest.mark.parametrize(
    ("old", "probe", "counts"),
    [(False, {"Messages": [{}]}, {}), (True, {"Messages": [{}]}, NONE), (True, {}, {IN_FLIGHT: "1"})],
)
def test_a_queue_that_holds_a_message_stays_unless_told_to_go(old: bool, probe: Any, counts: Any) -> None:
    aws = deleting(old, probe, counts)
    with pytest.raises(AwsError) as caught:
        QUEUE.delete(aws, queue_live())
    assert "sqs:DeleteQueue" not in aws.operations
    assert (caught.value.message, caught.value.operation) == (STAYS, "sqs:DeleteQueue")
    assert caught.value.hint == "read them first, or discard them with --force"
    aws = deleting(old, probe, counts)
    replace(QUEUE, discard_messages=True).delete(aws, queue_live())
    assert "sqs:DeleteQueue" in aws.operations
    assert "sqs:ReceiveMessage" not in aws.operations


def test_the_last_look_at_a_queue_is_new_enough_for_five_seconds() -> None:
    aws = deleting(False, {}, {})
    aws.time.sleep(5)
    QUEUE.delete(aws, queue_live())
    assert aws.operations == ["sqs:ReceiveMessage", "sqs:DeleteQueue"]


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ({"Policy": statements("AllowEventBridgeDlq", "Theirs").to_text()}, statements("Theirs").to_text()),
        ({"Policy": statements("AllowEventBridgeDlq", "AllowSnsUndelivered").to_text()}, ""),
        ({"Policy": statements("Theirs").to_text()}, None),
        ({"Policy": ""}, None),
        ({}, None),
        ("QueueDoesNotExist", None),
    ],
)
def test_a_queue_is_given_back_with_what_others_wrote(attributes: Any, written: str | None) -> None:
    aws = sqs(attributes)
    aws.answers |= {"sqs:SetQueueAttributes": {}, "sqs:UntagQueue": {}}
    QUEUE.release(aws, queue_live())
    writes = (
        [] if written is None else [("sqs:SetQueueAttributes", {"QueueUrl": URL, "Attributes": {"Policy": written}})]
    )
    assert aws.sent[1:] == [*writes, ("sqs:UntagQueue", {"QueueUrl": URL, "TagKeys": list(OUR_TAGS)})]
