"""Lines broken at words: what stands on each line, and what never changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.terminal.wrapping import columns, wrapped

ARN = "arn:aws:events:ap-northeast-1:123456789012:rule/security-alerts-urgent-and-a-long-name"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", ["short"]),
        ("", [""]),
        (
            "error: these credentials are for another account than the file",
            ["error: these credentials are for another", "       account than the file"],
        ),
        (
            "      + E: Allow events.amazonaws.com: sns:Publish",
            ["      + E: Allow events.amazonaws.com:", "        sns:Publish"],
        ),
        (
            "    Description: encrypts the topics of the notifier",
            ["    Description: encrypts the topics of", "      the notifier"],
        ),
        ("  │   └─> topic urgent: mails, encrypted with alias/x", [
            "  │   └─> topic urgent: mails, encrypted",
            "  │       with alias/x",
        ]),
        ("  ├─> rule urgent: CRITICAL or HIGH, NEW, ACTIVE", [
            "  ├─> rule urgent: CRITICAL or HIGH,",
            "  │   NEW, ACTIVE",
        ]),
        ("  |-> rule urgent: CRITICAL or HIGH, NEW, ACTIVE", [
            "  |-> rule urgent: CRITICAL or HIGH,",
            "  |   NEW, ACTIVE",
        ]),
        (f"    Rule: {ARN} and more", ["    Rule:", f"      {ARN}", "      and more"]),
        (f"warning: {ARN}", [f"warning: {ARN}"]),
        (
            "購読者が確認するまでメールは届きません。四十八時間以内に確認してください。",
            ["購読者が確認するまでメールは届きません。", "  四十八時間以内に確認してください。"],
        ),
    ],
)  # fmt: skip
def test_a_line_of_forty_columns(text: str, expected: list[str]) -> None:
    assert wrapped(text, 40) == expected


def test_nobody_reads_by_lines() -> None:
    assert wrapped("a " * 200, None) == ["a " * 200]


TEXTS = st.text(st.sampled_from("ab-+:/ .é日本語。「」、\u0301\t"), max_size=120)


@given(TEXTS, st.integers(40, 200))
def test_nothing_is_lost_and_only_a_long_word_is_wider(text: str, width: int) -> None:
    found = wrapped(text, width)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
    words = {part for line in found for part in line.split()}
    for line in found[1:]:
        assert columns(line) <= width or len(line.split()) == 1
    if text.isascii():
        assert words == set(text.split())  # no word is cut
