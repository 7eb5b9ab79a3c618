"""Whatever text comes from elsewhere, nothing of it steers a terminal or hides what stands there."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.escaping import clean
from tests.conftest import World
from tests.support.lifecycle import QUEUE, RULE, TOPIC

HOSTILE = "a\x1b]0;title\x07\x1b[31m\x9b2J\r\u202eb\u2066c\u200bd\u2028e\ufefff\x00[/bold]"
FORBIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def steers(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in FORBIDDEN and c not in "\n\t\xad"}


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60))
def test_nothing_that_steers_is_left(text: str) -> None:
    cleaned = clean(text)
    assert steers(cleaned) == set()
    assert "".join(c for c in text if not steers(c)) == text or cleaned != text


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=60))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", ["内容\n対象\tx", "😀 👍🏽", "naïve", "עברית", "soft\xadhyphen"])
def test_peoples_text_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("columns", ["20", "80"])
def test_hostile_text_from_aws_is_shown_harmless(world: World, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    for name, value in {"COLUMNS": columns, "LANG": "C", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    world.apply()
    world.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue=HOSTILE)
    world.client("sqs").tag_queue(QueueUrl=QUEUE, Tags={"managed-by": HOSTILE})
    have = world.client("events").describe_rule(Name=RULE)
    world.client("events").put_rule(Name=RULE, EventPattern=have["EventPattern"], Description=HOSTILE)
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody=HOSTILE)
    for command in (["plan"], ["status"], ["destroy", "--yes"]):
        ran = world.text(*command)
        assert steers(ran.out + ran.err) == set(), command
        assert "Traceback" not in ran.err
