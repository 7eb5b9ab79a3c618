"""Who gets a route's mail, and what keeps it from somebody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shnotify.aws.failures import AwsError
from shnotify.config.load import completed
from shnotify.config.models import Route
from shnotify.config.yamlfile import parse
from shnotify.notifier.subscribers import Details, is_filtered, subscriber_links, subscribers_of
from shnotify.resources.lookup import ListedSubscription

TOPIC = "UrgentTopic"
PENDING = "PendingConfirmation"


def route(message: str = "{format: summary}", source: str = "cspm") -> Route:
    text = f"name: mine\nroutes:\n  - name: urgent\n    source: {source}\n    message: {message}\n"
    return completed(parse(text + "    subscribers: [me@example.com, you@example.com]\n")).routes[0]


def listed(*entries: tuple[str, str]) -> list[ListedSubscription]:
    return [ListedSubscription(arn, "email", endpoint) for arn, endpoint in entries]


def judged(entries: list[ListedSubscription], details: Details, **of: Any) -> tuple[dict[str, str], dict[str, str]]:
    """(endpoint -> state, link's verdict -> its sentence) of the links that are not ok."""
    found = subscribers_of(route(**of), entries, details)
    links = subscriber_links(TOPIC, entries, details, found)
    return {one.endpoint: one.state for one in found}, {link.verdict: link.why for link in links if link.why}


def test_confirmed_pending_missing_and_unlisted() -> None:
    entries = listed(("arn:1", "Me@example.com"), (PENDING, "x@example.com"), ("Deleted", "you@example.com"))
    states, said = judged(entries, {"arn:1": {}})
    assert states == {"me@example.com": "confirmed", "you@example.com": "missing", "x@example.com": "unlisted"}
    assert said["warning"].startswith("x@example.com is not in the file")


def test_a_stranger_is_shown_and_told_to_lapse() -> None:
    entries = listed((PENDING, "stranger@example.com"), (PENDING, "me@example.com"))
    states, said = judged(entries, {})
    assert states["stranger@example.com"] == "unlisted"
    assert "let it lapse" in said["warning"]
    assert said["broken"] == "nobody has confirmed: 1 pending, and AWS drops them after 48 hours"


@pytest.mark.parametrize(
    ("mail", "named", "verdict"),
    [(PENDING, True, "unknown"), ("arn:1", True, "ok"), (None, False, "ok")],
    ids=["a person has still to click", "a person has clicked", "the file names nobody else"],
)
def test_a_queue_that_the_file_names_is_enough_only_where_it_names_no_person(
    mail: str | None, named: bool, verdict: str
) -> None:
    """SNS confirms a queue by itself, so a queue beside a pending address says nothing about people."""
    archive = "arn:aws:sqs:eu-west-1:123456789012:archive"
    who = [*(["me@example.com"] if named else []), f'{{protocol: sqs, endpoint: "{archive}"}}']
    text = f"name: mine\nroutes:\n  - name: urgent\n    subscribers: [{', '.join(who)}]\n"
    entries = [ListedSubscription("arn:2", "sqs", archive), *listed(*([(mail, "me@example.com")] if mail else []))]
    details: Details = {"arn:1": {}, "arn:2": {}}
    found = subscribers_of(completed(parse(text)).routes[0], entries, details)
    first = subscriber_links(TOPIC, entries, details, found)[0]
    assert (first.id, first.verdict) == ("subscribers", verdict)


RED = json.dumps({"team": ["red"]})
HUB = json.dumps({"source": ["aws.securityhub"]})
BODY = {"FilterPolicyScope": "MessageBody"}


@pytest.mark.parametrize(
    ("attributes", "of", "filtered"),
    [
        ({}, {}, False),
        ({"FilterPolicy": "{}"}, {}, False),
        ({"FilterPolicy": RED}, {}, True),
        ({"FilterPolicy": RED, "FilterPolicyScope": "MessageAttributes"}, {"message": "{format: json}"}, True),
        ({"FilterPolicy": HUB, **BODY}, {}, True),  # a summary is no JSON object
        ({"FilterPolicy": HUB, **BODY}, {"message": "{format: lambda}"}, True),
        ({"FilterPolicy": HUB, **BODY}, {"message": "{format: json}"}, False),
        ({"FilterPolicy": json.dumps({"source": ["aws.ec2"]}), **BODY}, {"message": "{format: json}"}, True),
        ({"FilterPolicy": RED, **BODY}, {"message": "{format: json}"}, None),  # it depends on the finding
        ({"FilterPolicy": "no JSON", **BODY}, {"message": "{format: json}"}, None),
        (
            {"FilterPolicy": json.dumps({"detail-type": ["Findings Imported V2"]}), **BODY},
            {"message": "{format: json}", "source": "both"},
            None,
        ),
    ],
)
def test_what_a_filter_lets_through(attributes: dict[str, str], of: dict[str, str], filtered: bool | None) -> None:
    assert is_filtered(route(**of), attributes) is filtered


def test_a_filter_keeps_mail_away() -> None:
    entries = listed(("arn:1", "me@example.com"), (PENDING, "you@example.com"))
    found = subscribers_of(route(), entries, {"arn:1": {"FilterPolicy": RED}})
    links = subscriber_links(TOPIC, entries, {"arn:1": {"FilterPolicy": RED}}, found)
    assert {(link.id, link.verdict) for link in links} == {("subscribers", "broken"), ("filter-policy", "broken")}


def test_attributes_that_cannot_be_read_say_nothing() -> None:
    error = AwsError("denied", operation="sns:GetSubscriptionAttributes")
    entries = listed(("arn:1", "me@example.com"))
    found = subscribers_of(route(), entries, {"arn:1": error})
    links = subscriber_links(TOPIC, entries, {"arn:1": error}, found)
    assert {link.verdict for link in links} == {"unknown"}
    assert ("sns:GetSubscriptionAttributes",) in {link.needs for link in links}


def test_a_strangers_filter_is_a_stranger_s_own_business() -> None:
    entries = listed(("arn:1", "me@example.com"), ("arn:2", "other@example.com"))
    details: Details = {"arn:1": {}, "arn:2": {"FilterPolicy": RED}}
    found = subscribers_of(route(), entries, details)
    assert {link.verdict for link in subscriber_links(TOPIC, entries, details, found)} == {"ok", "warning"}


def test_one_address_twice_is_told() -> None:
    entries = listed(("arn:1", "me@example.com"), ("arn:2", "Me@Example.com"))
    _, said = judged(entries, {"arn:1": {}, "arn:2": {}})
    assert said["warning"] == (
        "Me@Example.com and me@example.com are one address with 2 subscriptions: each confirmed one gets the mail"
    )


def test_of_two_entries_of_one_address_the_one_that_is_reached_counts() -> None:
    entries = listed(("arn:1", "me@example.com"), ("arn:2", "Me@Example.com"), (PENDING, "ME@example.com"))
    (mine, _) = subscribers_of(route(), entries, {"arn:1": {"FilterPolicy": RED}, "arn:2": {}})
    assert (mine.state, mine.filtered, mine.arn) == ("confirmed", False, "arn:2")


def test_who_can_end_the_mail_by_a_click() -> None:
    details: Details = {"arn:1": {"ConfirmationWasAuthenticated": "true"}, "arn:2": {}}
    entries = listed(("arn:1", "me@example.com"), ("arn:2", "you@example.com"))
    assert [one.protected for one in subscribers_of(route(), entries, details)] == [True, False]
