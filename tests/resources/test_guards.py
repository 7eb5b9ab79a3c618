"""Who decides what is deleted, given back or left: each kind against an AWS that answers from a table.

Whole values and whole lists of calls are compared, so that no guard can be weakened without a test that says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.aws.failures import AwsError
from shnotify.aws.progress import Noted
from shnotify.engine.resource import Live
from shnotify.engine.values import Tags
from shnotify.tags import OUR_TAGS
from tests.support.guards import BY_HAND, CHAT, MAIL, OURS, PERSON, RETRY, by_name, statements
from tests.support.kinds import (
    NOT_OURS,
    RULE,
    RULE_ARN,
    TOPIC,
    TOPIC_ARN,
    events,
    sns,
    subscribed,
    tags,
)
from tests.support.scripted import scripted

# -- topics and subscribers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "owner"),
    [
        (tags("UrgentTopic"), None),
        ({}, NOT_OURS),
        (tags("UrgentTopic", "other"), "it belongs to another notifier, 'other'"),
    ],
)
@pytest.mark.parametrize(
    ("count", "notes"),
    [(0, ()), (1, ("its 1 subscription goes with it",)), (2, ("its 2 subscriptions go with it",))],
)
def test_a_topic_is_known_by_its_tags_and_says_who_goes_with_it(
    found: dict[str, str], owner: str | None, count: int, notes: tuple[str, ...]
) -> None:
    aws = sns(found, *[subscribed()] * count)
    state = replace(TOPIC, tags=Tags.of(found))
    assert TOPIC.identify(aws) == Live(state, {"Arn": TOPIC_ARN}, owner, notes=notes)
    assert by_name(aws) == [
        ("sns:ListSubscriptionsByTopic", {"TopicArn": TOPIC_ARN}),
        ("sns:ListTagsForResource", {"ResourceArn": TOPIC_ARN}),
    ]


def test_a_topic_that_is_gone_is_gone_and_one_that_lost_its_list_has_no_subscribers() -> None:
    assert TOPIC.identify(sns("NotFound")) is None
    aws = sns(tags("UrgentTopic"))
    aws.answers["sns:ListSubscriptionsByTopic"] = "NotFound"
    live = TOPIC.identify(aws)
    assert live is not None
    assert live.notes == ()


def test_a_topic_is_deleted_by_its_arn() -> None:
    aws = scripted({"sns:DeleteTopic": {}})
    TOPIC.delete(aws, Live(TOPIC, {"Arn": "arn:live"}))
    assert aws.sent == [("sns:DeleteTopic", {"TopicArn": "arn:live"})]


@pytest.mark.parametrize(
    ("attributes", "written"),
    [
        ({"Policy": statements("AWS Events", "Theirs").to_text()}, statements("Theirs").to_text()),
        ({"Policy": statements("AWS Events").to_text()}, None),  # a topic cannot be without a policy
        ({"Policy": statements("Theirs").to_text()}, None),
        ({}, None),
        ("NotFound", None),
    ],
)
def test_a_topic_is_given_back_with_what_others_wrote(attributes: Any, written: str | None) -> None:
    aws = scripted({"sns:SetTopicAttributes": {}, "sns:UntagResource": {}})
    aws.answers["sns:GetTopicAttributes"] = attributes if isinstance(attributes, str) else {"Attributes": attributes}
    TOPIC.release(aws, Live(TOPIC, {"Arn": TOPIC_ARN}))
    put = {"TopicArn": TOPIC_ARN, "AttributeName": "Policy", "AttributeValue": written}
    assert aws.sent == [
        ("sns:GetTopicAttributes", {"TopicArn": TOPIC_ARN}),
        *([] if written is None else [("sns:SetTopicAttributes", put)]),
        ("sns:UntagResource", {"ResourceArn": TOPIC_ARN, "TagKeys": list(OUR_TAGS)}),
    ]


@pytest.mark.parametrize(
    ("entries", "outputs"),
    [
        ([], None),
        ([subscribed("arn:1", "email", "b@example.com"), subscribed("arn:2", "sqs", "a@example.com")], None),
        ([subscribed("Deleted", "email", "a@example.com")], None),
        ([subscribed("PendingConfirmation", "email", "a@EXAMPLE.com")], ("PendingConfirmation", "pending")),
        (
            [
                subscribed("PendingConfirmation", "email", "a@example.com"),
                subscribed("arn:1", "email", "a@example.com"),
            ],
            ("arn:1", "confirmed"),
        ),
    ],
)
def test_a_subscriber_is_known_by_protocol_and_endpoint(entries: list[Any], outputs: tuple[str, str] | None) -> None:
    aws = sns({}, *entries)
    live = PERSON.identify(aws)
    assert aws.sent == [("sns:ListSubscriptionsByTopic", {"TopicArn": TOPIC_ARN})]
    assert live == (outputs and Live(PERSON, dict(zip(("Arn", "State"), outputs, strict=True))))
    assert PERSON.identify(sns("NotFound")) is None


PENDING_NOTE = Noted("A@example.com is still pending: AWS drops it by itself")


@pytest.mark.parametrize(
    ("state", "answer", "asked", "notes"),
    [
        ("confirmed", {}, True, []),
        ("confirmed", "NotFound", True, []),
        ("confirmed", "InvalidParameter", True, [PENDING_NOTE]),
        ("confirmed", "InvalidParameterValue", True, [PENDING_NOTE]),
        ("pending", {}, False, [PENDING_NOTE]),
    ],
)
def test_only_a_confirmed_subscriber_can_be_unsubscribed(
    state: str, answer: Any, asked: bool, notes: list[Any]
) -> None:
    aws = scripted({"sns:Unsubscribe": answer})
    PERSON.delete(aws, Live(PERSON, {"Arn": "arn:1", "State": state}))
    assert aws.sent == ([("sns:Unsubscribe", {"SubscriptionArn": "arn:1"})] if asked else [])
    assert aws.notes == notes


def test_a_subscriber_that_may_not_be_removed_is_an_error() -> None:
    aws = scripted({"sns:Unsubscribe": "AuthorizationError"})
    with pytest.raises(AwsError) as caught:
        PERSON.delete(aws, Live(PERSON, {"Arn": "arn:1", "State": "confirmed"}))
    assert (caught.value.code, aws.notes) == ("AuthorizationError", [])


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "ours", "blocked"),
    [
        ([], {}, None),
        ([OURS], OURS, None),
        (
            [{**OURS, "RetryPolicy": {"MaximumRetryAttempts": 1}}],
            {**OURS, "RetryPolicy": {"MaximumRetryAttempts": 1}},
            None,
        ),
        ([BY_HAND], BY_HAND, None),
        ([BY_HAND, OURS], OURS, f"it also feeds {TOPIC_ARN}, which is not ours to cut off"),
        ([CHAT], {}, "it also feeds arn:chat, which is not ours to cut off"),
        ([CHAT, OURS, MAIL], OURS, "it also feeds arn:chat, arn:mail, which is not ours to cut off"),
        (
            [BY_HAND, {**BY_HAND, "Id": "again"}],
            BY_HAND,
            f"it also feeds {TOPIC_ARN}, which is not ours to cut off",
        ),
    ],
)
def test_a_rule_that_feeds_others_too_is_not_touched(targets: list[Any], ours: Any, blocked: str | None) -> None:
    aws = events(tags("UrgentRule"), *targets)
    target = {k: v for k, v in ours.items() if k != "Id"}
    whole = {**target, "RetryPolicy": {**RETRY, **target.get("RetryPolicy", {})}} if ours else {}
    state = replace(RULE, tags=Tags.of(tags("UrgentRule")), targets=whole)
    live = Live(state, {"Arn": RULE_ARN, "TargetId": ours.get("Id", "")}, None, blocked)
    assert RULE.identify(aws) == live
    assert by_name(aws) == [
        ("events:ListTagsForResource", {"ResourceARN": RULE_ARN}),
        ("events:ListTargetsByRule", {"Rule": "r"}),
    ]


def test_a_rule_is_known_by_its_name_and_tags() -> None:
    assert RULE.identify(events("ResourceNotFoundException")) is None
    for found, owner in (({}, NOT_OURS), (tags("UrgentRule", "other"), "it belongs to another notifier, 'other'")):
        live = RULE.identify(events(found))
        assert live is not None
        assert live.owner == owner
    lost = events(tags("UrgentRule"))
    lost.answers["events:ListTargetsByRule"] = "ResourceNotFoundException"
    live = RULE.identify(lost)
    assert live is not None
    assert (live.owner, live.blocked, live.state.targets) == (None, None, {})


def rule_live(target: str = "hand") -> Any:
    return Live(RULE, {"Arn": RULE_ARN, "TargetId": target})


REMOVED = ("events:RemoveTargets", {"Rule": "r", "Ids": ["hand"]})
FAILED = {"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "hand", "ErrorCode": "Bad", "ErrorMessage": "no"}]}


def test_a_rule_goes_after_its_target_and_is_given_back_without_it() -> None:
    for answer in ({"FailedEntryCount": 0}, "ResourceNotFoundException"):
        aws = scripted({"events:RemoveTargets": answer, "events:DeleteRule": answer, "events:UntagResource": {}})
        RULE.delete(aws, rule_live())
        assert aws.sent == [REMOVED, ("events:DeleteRule", {"Name": "r"})]
        aws.sent.clear()
        RULE.release(aws, rule_live())
        assert aws.sent == [REMOVED, ("events:UntagResource", {"ResourceARN": RULE_ARN, "TagKeys": list(OUR_TAGS)})]
        aws.sent.clear()
        RULE.delete(aws, rule_live(""))
        assert aws.sent == [("events:DeleteRule", {"Name": "r"})]


@pytest.mark.parametrize(
    ("reply", "message", "code"),
    [
        (FAILED, "events:RemoveTargets failed for target hand: Bad: no", "Bad"),
        ({"FailedEntryCount": 1}, "events:RemoveTargets failed for target ?: unknown: ", "unknown"),
        (
            {"FailedEntryCount": 1, "FailedEntries": [{}]},
            "events:RemoveTargets failed for target ?: unknown: ",
            "unknown",
        ),
    ],
)
def test_a_rule_whose_target_stays_is_not_deleted(reply: Any, message: str, code: str) -> None:
    for do in (RULE.delete, RULE.release):
        aws = scripted({"events:RemoveTargets": reply})
        with pytest.raises(AwsError) as caught:
            do(aws, rule_live())
        assert aws.sent == [REMOVED]
        assert (caught.value.message, caught.value.code) == (message, code)
        assert (caught.value.operation, caught.value.hint) == ("events:RemoveTargets", "run the same command again")
