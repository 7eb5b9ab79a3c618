"""The confirmation link or token that a person hands over."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.errors import UsageError
from shnotify.notifier.confirmation import Confirmation, confirmation_from, topic_of

ENDPOINT = "http://127.0.0.1:5000"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:security-alerts-urgent"
OTHER = "arn:aws:sns:eu-west-1:123456789012:security-alerts-daily"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
MAIL = f"https://sns.eu-west-1.amazonaws.com/confirmation.html?TopicArn={TOPIC}&Token={TOKEN}&Endpoint=a@example.com"


@pytest.mark.parametrize(
    "text",
    [
        MAIL,
        f"  <{MAIL}> ",
        f"'{MAIL}'",
        f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}",
        f"https://sns.eu-west-1.amazonaws.com:443/?TopicArn={quote(TOPIC, safe='')}&Token={TOKEN}",
        f"https://sns-fips.us-gov-west-1.amazonaws.com/?TopicArn={TOPIC}&Token={TOKEN}",
        f"https://sns.cn-north-1.amazonaws.com.cn/?TopicArn={TOPIC}&Token={TOKEN}",
        f"http://127.0.0.1:5000/?topicarn={TOPIC}&token={TOKEN}",
    ],
)
def test_a_link_to_sns_gives_topic_and_token(text: str) -> None:
    assert confirmation_from(text, ENDPOINT) == Confirmation(TOKEN, TOPIC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"https://sns.eu-west-1.amazonaws.com.evil.example/?TopicArn={TOPIC}&Token={TOKEN}", "does not lead to SNS"),
        (f"https://evil.example/sns.eu-west-1.amazonaws.com?TopicArn={TOPIC}&Token={TOKEN}", "but to evil.example"),
        (f"https://sns.eu-west-1.amazonaws.com@evil.example/?TopicArn={TOPIC}&Token={TOKEN}", "but to evil.example"),
        (f"https://eur01.safelinks.protection.outlook.com/?url={quote(MAIL, safe='')}", "does not lead to SNS"),
        (f"http://sns.eu-west-1.amazonaws.com/?TopicArn={TOPIC}&Token={TOKEN}", "does not lead to SNS"),
        (f"http://127.0.0.1:5001/?TopicArn={TOPIC}&Token={TOKEN}", "does not lead to SNS"),
        (f"https://sns.eu-west-1.amazonaws.com:8443/?TopicArn={TOPIC}&Token={TOKEN}", "does not lead to SNS"),
        (
            f"https://sns.eu-west-1.amazonaws.com/unsubscribe.html?SubscriptionArn={TOPIC}:1",
            "not the one that confirms",
        ),
        (f"https://sns.eu-west-1.amazonaws.com/?Token={TOKEN}", "no Token and TopicArn"),
        ("https://[::1/?Token=x", "no link"),
        ("https://sns.eu-west-1.amazonaws.com:port/", "no link"),
        ("", "neither a confirmation link nor a token"),
        ("short", "neither"),
        ("two words of a mail", "neither"),
        (TOKEN + "\x1b[2J", "neither"),
        ("x" * 5000, "neither"),
    ],
)
def test_anything_else_is_refused_before_anything_is_asked(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        confirmation_from(text, ENDPOINT)
    assert said in caught.value.message


def test_a_bare_token_names_no_topic() -> None:
    assert confirmation_from(f" {TOKEN}\n", ENDPOINT) == Confirmation(TOKEN)


@given(st.text(max_size=80))
def test_whatever_is_given_is_a_token_or_refused(text: str) -> None:
    try:
        found = confirmation_from(text, ENDPOINT)
    except UsageError:
        return
    assert found.token in text
    assert found.token.isascii()
    assert found.topic_arn == "" or "sns" in text or "127.0.0.1:5000" in text


@given(
    host=st.from_regex(r"[a-z0-9.@:/-]{1,30}", fullmatch=True),
    query=st.fixed_dictionaries({"TopicArn": st.just(TOPIC), "Token": st.just(TOKEN)}),
)
def test_no_other_host_passes_for_sns(host: str, query: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        confirmation_from(f"https://{host}/?{urlencode(query)}", ENDPOINT)


TOPICS = {"urgent": TOPIC, "daily": OTHER}


@pytest.mark.parametrize(
    ("topics", "given_topic", "route", "expected"),
    [
        ({"urgent": TOPIC}, "", None, TOPIC),
        (TOPICS, "", "daily", OTHER),
        (TOPICS, OTHER, None, OTHER),
        (TOPICS, OTHER, "daily", OTHER),
        (TOPICS, "", None, "--route urgent|daily"),
        (TOPICS, OTHER, "urgent", "not route urgent's"),
        (TOPICS, "", "weekly", "there is no route 'weekly'"),
        (TOPICS, OTHER + "x", None, "not one of this file's"),
    ],
)
def test_which_topic_a_confirmation_is_for(
    topics: dict[str, str], given_topic: str, route: str | None, expected: str
) -> None:
    try:
        found = topic_of(Confirmation(TOKEN, given_topic), topics, route)
    except UsageError as error:
        found = f"{error.message} {error.hint}"
    assert expected in found
