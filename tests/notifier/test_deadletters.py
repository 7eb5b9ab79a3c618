"""What a message in the dead-letter queue is: every shape, the causes, where it goes, and text that breaks things."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.arns import Scope
from shnotify.aws.operations import action_of
from shnotify.config.models import Route
from shnotify.notifier import causes
from shnotify.notifier.deadletters import Letter, grouped, read_letter
from shnotify.notifier.needs import DLQ_OPERATIONS
from shnotify.notifier.permissions import actions_of
from shnotify.notifier.redrive import Order, answered, destination, expected_mails, post_of
from shnotify.notifier.senders import senders_of
from tests.support.deadletters import (
    ACCOUNT,
    BUS_RECORD,
    FUNCTION_ARN,
    RAW_MAIL,
    RULE_ARN,
    STRANGER,
    TOPIC_ARN,
    Message,
    event,
    from_formatter,
    from_rule,
    from_topic,
    received,
)
from tests.support.faults import REGION
from tests.support.files import loaded
from tests.support.samples import HOSTILE

TEXT = "name: security-alerts\nroutes:\n  - name: urgent\n  - {name: other, message: {format: json}}\n"
CONFIG = loaded(TEXT)
SCOPE = Scope("aws", REGION, ACCOUNT)
SENDERS = senders_of(CONFIG, SCOPE)
ROUTES = {route.name: route for route in CONFIG.routes}


def letter(message: Message) -> Letter:
    return read_letter(received(message), SENDERS)


def told(message: Message) -> dict[str, Any]:
    return letter(message).summary().to_json()


def test_an_event_that_a_rule_could_not_hand_over() -> None:
    assert told(from_rule(7)) == {
        "id": "00000001-0000-0000-0000-000000000000",
        "kind": "event",
        "route": "urgent",
        "rule": RULE_ARN,
        "sender": RULE_ARN,
        "error_code": "NO_PERMISSIONS",
        "error_message": "not authorized to perform: SNS:Publish",
        "cause": causes.EVENTBRIDGE["NO_PERMISSIONS"].cause,
        "cure": causes.EVENTBRIDGE["NO_PERMISSIONS"].cure,
        "retries": None,
        "sent": "2026-11-30T00:53:20Z",
        "finding": "finding-7",
        "title": "S3.7 Buckets should be private",
        "severity": "HIGH",
    }


def test_retries_that_ran_out_are_in_the_cause() -> None:
    more = {"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "RETRY_ATTEMPTS": "185"}
    found = told(from_rule(1, "THROTTLING", **more))
    assert found["retries"] == 185
    assert found["cause"].endswith("EventBridge gave up after 185 retries (MaximumRetryAttempts)")


def test_a_record_of_the_formatter() -> None:
    found = letter(from_formatter(3))
    assert (found.kind, found.route, found.sender) == ("formatter", "urgent", FUNCTION_ARN.removesuffix(":$LATEST"))
    assert (found.error_code, found.error_message, found.retries) == ("DeliveryError", "1 of 1 failed", 2)
    assert found.event == event(3)


def test_a_mail_that_sns_gave_up_in_its_envelope_and_raw() -> None:
    found = letter(from_topic("text"))
    assert (found.kind, found.route, found.sender, found.mail) == ("mail", "urgent", TOPIC_ARN, ("[HIGH] S3.1", "text"))
    raw = letter(RAW_MAIL)
    assert (raw.kind, raw.route, raw.ours, raw.mail) == ("mail", None, True, (None, RAW_MAIL[0]))
    assert (raw.error_code, raw.error_message, raw.cause) == ("550", "no such user", causes.UNDELIVERED)


def test_a_mail_that_was_the_event_itself_is_known_by_its_finding() -> None:
    """`format: json`: it can go through the formatter that the route has now."""
    found = letter(from_topic(json.dumps(event(5))))
    assert (found.event, found.summary().finding) == (event(5), "finding-5")


def test_the_record_of_a_custom_bus_holds_no_event() -> None:
    found = letter(BUS_RECORD)
    assert (found.kind, found.error_code, found.retries, found.sendable) == ("record", "ACCESS_DENIED", 4, False)
    assert "replay it from the bus" in str(destination(found, ROUTES, Order(frozenset([found.id]), "other")))


def test_a_stranger() -> None:
    found = letter(STRANGER)
    assert (found.kind, found.sender, found.error_code, found.cause) == ("stranger", "", None, causes.STRANGER)


FOREIGN = RULE_ARN.replace("security-alerts-urgent", "their-rule")
FORMER = RULE_ARN.replace("urgent", "gone")
EVENT_OF_NOBODY: Message = (json.dumps(event()), {})


@pytest.mark.parametrize(
    ("message", "plain", "to_route", "by_name"),
    [
        (from_rule(), "urgent", "other", "other"),
        (from_formatter(), "urgent", "other", "other"),
        (from_topic(), "urgent", "other", "other"),
        (RAW_MAIL, "of no route", "other", "other"),
        (from_rule(rule=FORMER), "of no route", "other", "other"),
        (from_rule(rule=FOREIGN), "not ours", "not ours", "other"),
        (EVENT_OF_NOBODY, "nobody says", "nobody says", "other"),
        (STRANGER, "not ours", "not ours", "not ours"),
        (("{", from_rule()[1]), "no event", "no event", "no event"),
    ],
)
def test_where_a_message_goes(message: Message, plain: str, to_route: str, by_name: str) -> None:
    """As it is, with --to-route, and with --to-route and its --id."""
    one = letter(message)
    orders = (Order(), Order(frozenset(), "other"), Order(frozenset([one.id]), "other"))
    for order, expected in zip(orders, (plain, to_route, by_name), strict=True):
        where = destination(one, ROUTES, order)
        assert where.name == expected if isinstance(where, Route) else expected in where


def test_every_rule_topic_and_function_of_the_file_leads_to_its_route() -> None:
    assert set(SENDERS.routes.values()) == {"urgent", "other"}
    assert [SENDERS.route(arn) for arn in (RULE_ARN, TOPIC_ARN, FOREIGN)] == ["urgent", "urgent", None]


def test_what_is_sent_is_what_the_rule_would_send_now() -> None:
    summary, whole = (post_of(letter(from_rule()), ROUTES[name], SCOPE) for name in ("urgent", "other"))
    assert summary.subject is None
    assert summary.body.startswith('"HIGH: S3.1 Buckets should be private"\n"Account: 111122223333')
    assert json.loads(whole.body) == event()
    assert expected_mails(letter(from_rule()), ROUTES["urgent"]) == 1


def test_a_finding_that_the_transformer_cannot_carry_goes_out_as_safe_text() -> None:
    text = "name: a\nroutes:\n  - {name: urgent, message: {fields: [title_is_not_one]}}\n"
    route = loaded(text.replace("title_is_not_one", "resource_id")).routes[0]
    hostile = event(1, Resources=[{"Type": "AwsS3Object", "Id": 'arn:aws:s3:::b/a"\n\\b'}])
    body = from_rule()[1]
    post = post_of(letter((json.dumps(hostile), body)), route, SCOPE)
    assert post.subject == "[HIGH] S3.1 Buckets should be private (111122223333 eu-west-1)"
    assert 'a"' in post.body


def test_what_the_second_rule_mails_as_well_is_marked_as_known() -> None:
    """The one documented case of two rules: a clean resource and an odd one, of which the first mail names the odd."""
    attributes = from_rule(1, "INVALID_JSON")[1]
    odd, clean = ({"Type": "AwsS3Object", "Id": f"arn:aws:s3:::b/{name}"} for name in ('a"b', "c"))

    def cause(*resources: dict[str, str], **more: str) -> causes.Cause:
        return letter((json.dumps(event(1, Resources=[*resources], **more)), attributes)).cause

    known = cause(odd, clean)
    assert known.cause.startswith("known: of several resources one broke the mail; rule security-alerts-urgent-plain ")
    assert known.cure == "none, if that mail came; else shnotify dlq redrive, which sends safe text"
    for other in (cause(odd), cause(clean), cause(clean, Title="a\fb"), letter(from_rule(1)).cause):
        assert not other.cause.startswith("known")
    assert cause(clean, Title="a\fb") == causes.EVENTBRIDGE["INVALID_JSON"]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"sent": 2}', (2, "")),
        (b'{"sent": 0}', (0, "")),
        (b'{"sent": true}', (None, '{"sent": true}')),
        (b'{"errorMessage": "x", "errorType": "E"}', (None, "x")),
        (b"null", (None, "null")),
        (b"\xff", (None, "\ufffd")),
    ],
)
def test_the_formatters_answer(payload: bytes, expected: tuple[int | None, str]) -> None:
    assert answered(payload) == expected


def test_causes_are_counted_the_most_frequent_first() -> None:
    entries = [letter(one).summary() for one in (from_rule(1), STRANGER, from_rule(2))]
    assert [(group["error_code"], group["count"]) for group in grouped(entries)] == [("NO_PERMISSIONS", 2), (None, 1)]


def test_every_code_of_eventbridge_has_a_cause_and_a_cure() -> None:
    """The list is that of eb-rule-dlq; a code that is new is told as such."""
    codes = (
        "ACTION_DECRYPTION_FAILURE CONNECTION_FAILURE CROSS_ACCOUNT_INGESTION_FAILED CROSS_REGION_INGESTION_FAILED "
        "ERROR_FROM_TARGET EVENT_DECRYPTION_FAILURE EVENT_ENCRYPTION_FAILURE EVENTS_IN_BATCH_REQUEST_REJECTED "
        "FAILED_TO_ASSUME_ROLE INTERNAL_ERROR INVALID_JSON INVALID_PARAMETER NO_PERMISSIONS NO_RESOURCE "
        "RESOURCE_ALREADY_EXISTS RESOURCE_LIMIT_EXCEEDED RESOURCE_MODIFICATION_COLLISION RULE_DECRYPTION_FAILURE "
        "SDK_CLIENT_ERROR THIRD_ACCOUNT_HOP_DETECTED THIRD_REGION_HOP_DETECTED THROTTLING TIMEOUT "
        "TRANSIENT_ASSUME_ROLE UNKNOWN"
    )
    assert set(codes.split()) <= set(causes.EVENTBRIDGE)
    assert "does not know" in told(from_rule(1, "BRAND_NEW"))["cause"]


WORDS = """
    requestContext requestPayload responsePayload functionArn approximateInvokeCount failedMessages subscriberArn
    Type TopicArn Message Subject detail detail-type source findings
"""
NAMES = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | NAMES, inner, max_size=4),
    max_leaves=12,
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["RULE_ARN", "ERROR_CODE", "RETRY_ATTEMPTS", "RequestID", "ErrorCode", "x"]), HOSTILE, max_size=4
)


@given(body=HOSTILE | JSON.map(lambda found: json.dumps(found)), attributes=ATTRIBUTES, sent=HOSTILE)
def test_whatever_a_message_holds_it_is_read_and_told(body: str, attributes: dict[str, str], sent: str) -> None:
    message = received((body, attributes)) | {"Attributes": {"SentTimestamp": sent}}
    found = read_letter(message, SENDERS)
    assert json.loads(json.dumps(found.summary().to_json()))["id"] == found.id
    assert found.body == body
    where = destination(found, ROUTES, Order(frozenset([found.id]), "other"))
    if isinstance(where, Route):
        assert isinstance(post_of(found, where, SCOPE).body, str)


def test_permissions_have_iams_names() -> None:
    assert {action_of(operation) for operation in DLQ_OPERATIONS["list"]} == {
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
    }
    wanted = {"lambda:InvokeFunction", "sns:Publish", "sqs:DeleteMessage", "kms:GenerateDataKey", "kms:Decrypt"}
    assert wanted <= actions_of("dlq")
