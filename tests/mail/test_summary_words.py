"""A summary in Japanese: every label has its word, the same fields stand in the same order, and the limits hold."""

from __future__ import annotations

import re

import pytest

from shnotify.formatter.settings import Settings
from shnotify.mail.fields import FIELDS
from shnotify.mail.preview import render
from shnotify.mail.summary import LINES, SAFE_LINES, WHY_ODD, WHY_PLAIN, parts
from shnotify.mail.summarywords import in_language
from tests.conftest import World
from tests.support.samples import sample

NAMED = [name for name in FIELDS if name != "resource_name"]  # Security Hub CSPM has none


def templates(language: str, fields: list[str] | None, source: str) -> list[str]:
    made = parts("summary", source, fields=fields, language=language)
    return [str(one.transformer["InputTemplate"]) for one in made if one.transformer]


@pytest.mark.parametrize("line", [*LINES, *SAFE_LINES, WHY_ODD, WHY_PLAIN])
def test_a_line_of_ours_has_its_words_and_keeps_its_fields(line: str) -> None:
    told = in_language(line, "ja")
    assert re.findall(r"\{\w+\}", told) == re.findall(r"\{\w+\}", line)
    assert told != line or line == "{severity}: {title}"
    assert in_language(line, "en") == line


@pytest.mark.parametrize("source", ["cspm", "hub", "both"])
@pytest.mark.parametrize("fields", [None, NAMED], ids=["default", "all"])
def test_a_template_in_japanese_differs_in_its_words_only(source: str, fields: list[str] | None) -> None:
    english, japanese = templates("en", fields, source), templates("ja", fields, source)
    assert len(english) == len(japanese)
    for one, other in zip(english, japanese, strict=True):
        assert [re.findall(r"<\w+>", line) for line in one.splitlines()] == [
            re.findall(r"<\w+>", line) for line in other.splitlines()
        ]
        words = re.sub(r"https://\S*|<\w+>|Security Hub|EventBridge|shnotify status", "", other)
        assert re.findall(r"[A-Za-z]{3,}", words) == []


def test_the_mail_that_a_person_gets() -> None:
    (mail,) = render(sample("cspm-control-s3"), "summary", "cspm", settings=Settings(language="ja"))
    assert mail.body.splitlines()[1].startswith('"アカウント: 111122223333 ap-northeast-1')


@pytest.mark.parametrize(("form", "refused"), [("summary", False), ("json", True), ("lambda", False)])
def test_json_has_no_language(form: str, refused: bool, world: World) -> None:
    text = world.path.read_text("utf-8")
    world.write(text + f"    message: {{format: {form}, language: ja}}\n")
    assert ("message.language: goes with" in world.run("validate").err) is refused
