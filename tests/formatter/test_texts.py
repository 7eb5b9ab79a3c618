"""The Lambda's pure parts: settings, templates, times, and texts that SNS takes whatever a finding holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from shnotify.formatter import text, times
from shnotify.formatter.fields import FIELD_NAMES
from shnotify.formatter.mail import mails
from shnotify.formatter.settings import Settings, SettingsError, fill, template_problems
from tests.support.samples import HOSTILE, NAMES, replace_texts, sample

TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:security-alerts-urgent"


def settings(**chosen: Any) -> Settings:
    return Settings(**({"topic_arn": TOPIC} | chosen))


def test_settings_survive_the_archive() -> None:
    chosen = settings(language="ja", body="本文 {title}", dedup="notified", resolved=True, sso_start_url="https://x")
    assert Settings.load(chosen.to_text().encode()) == chosen


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "holds no JSON"),
        ("{", "holds no JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "topic_arn: is missing"),
        ({"colour": "red"}, "colour: no such field"),
        ({"language": "fr"}, "language: must be one of en, ja"),
        ({"language": None}, "language: must be str"),
        ({"resolved": "yes"}, "resolved: must be bool"),
        ({"dedup": "window"}, "dedup: must be one of none, new-only, notified"),
        ({"resolved": True}, "resolved: needs dedup: notified"),
        ({"subject": "{titel}"}, "no field {titel}"),
        ({"body": "a { b"}, "a single { must be written {{"),
    ],
)
def test_bad_settings_are_refused(document: Any, says: str) -> None:
    if isinstance(document, dict):
        document = json.dumps({"topic_arn": TOPIC} | document)
    with pytest.raises(SettingsError, match=says.replace("{", r"\{")):
        Settings.load(document)


@given(st.text(alphabet="{}atile_ \n", max_size=20))
def test_a_template_is_valid_or_refused(template: str) -> None:
    if not template_problems(template):
        filled = fill(template, dict.fromkeys(FIELD_NAMES, "{severity}"))
        assert "title" not in filled or "{title}" not in template


def test_values_are_not_read_as_templates() -> None:
    assert fill("{title} {{title}}", {"title": "{severity}"}) == "{severity} {title}"


# Texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-15T03:21:50.101Z", "2026-01-15 12:21:50 +09:00 (Asia/Tokyo)"),
        ("2026-01-15T03:21:50-05:00", "2026-01-15 17:21:50 +09:00 (Asia/Tokyo)"),
        ("2026-01-15T03:21:50", "2026-01-15 12:21:50 +09:00 (Asia/Tokyo)"),
        ("1768447310101", "2026-01-15 12:21:50 +09:00 (Asia/Tokyo)"),
        ("", ""),
        ("soon", "soon"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("9" * 30, "9" * 30),
    ],
)
def test_times(value: str, expected: str) -> None:
    assert times.shown(value, "Asia/Tokyo") == expected


def test_time_zones_that_are_not_known_here(monkeypatch: pytest.MonkeyPatch) -> None:
    times._zone.cache_clear()
    assert times.shown("2026-01-15T00:00:00Z", "Mars/Base").endswith("00:00:00 +00:00 (UTC)")
    # Without the system's database, the one that boto3 brings along.
    monkeypatch.setattr("zoneinfo.ZoneInfo", lambda name: (_ for _ in ()).throw(ValueError(name)))
    assert times.shown("2026-07-01T00:00:00Z", "Europe/Berlin") == "2026-07-01 02:00:00 +02:00 (Europe/Berlin)"
    monkeypatch.setattr("importlib.import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    assert times.shown("2026-01-15T00:00:00Z", "Europe/Paris").endswith("(UTC)")
    times._zone.cache_clear()


@pytest.mark.parametrize(
    "cluster",
    ["a", "é", "e\u0301\u0302", "👩‍👩‍👧‍👦", "👍🏽", "🇯🇵", "각", "\u1100\u1161\u11a8", "✈️", "1️⃣", "क्ष"[:2], "\r\n"],
)
def test_characters_stay_whole(cluster: str) -> None:
    assert list(text.graphemes(cluster * 2)) == [cluster, cluster]
    assert set(text.graphemes(text.shorten(cluster * 60, 50))) <= {cluster, "…"}


def test_a_character_with_very_many_marks_is_not_cut_either() -> None:
    zalgo = "a" + "\u0301" * 300
    made = text.body(zalgo * 1000, "[cut]")
    assert set(text.graphemes(made.rpartition("\n")[0])) == {zalgo}


def test_flags_pair_up() -> None:
    assert list(text.graphemes("🇯🇵🇩🇪🇫")) == ["🇯🇵", "🇩🇪", "🇫"]


@budget(deadline=None)
@given(HOSTILE)
def test_subjects_are_what_sns_takes(value: str) -> None:
    made = text.subject(value)
    assert 0 < len(made.encode("utf-16-le")) // 2 < 100
    assert not any(character < " " or "\x7f" <= character < "\xa0" for character in made)
    made.encode()


@budget(deadline=None, max_examples=30)
@given(HOSTILE, st.integers(0, 40))
def test_bodies_are_what_sns_takes(value: str, copies: int) -> None:
    made = text.body(value * (copies * 1000), "[cut]")
    assert 0 < len(made.encode()) <= text.MAX_BODY


def test_a_long_body_is_cut_between_characters() -> None:
    made = text.body("👩‍👩‍👧‍👦" * 20_000, "[cut]")
    kept, _, notice = made.rpartition("\n")
    assert notice == "[cut]"
    assert set(text.graphemes(kept)) == {"👩‍👩‍👧‍👦"}


@budget(deadline=None)
@given(
    name=st.sampled_from(NAMES),
    value=HOSTILE,
    language=st.sampled_from(["en", "ja"]),
    templates=st.sampled_from(
        [{}, {"subject": "{title}{resource_id}", "body": "{description}{resources}{finding_id}"}]
    ),
)
def test_whatever_an_event_holds_the_mail_is_one_sns_takes(
    name: str, value: str, language: str, templates: Any
) -> None:
    chosen = settings(language=language, **templates)
    for event in (
        replace_texts(sample(name), value, frozenset()),
        replace_texts(sample(name), value, frozenset({("detail-type",), ("detail", "findings", "class_uid")})),
    ):
        for mail in mails(event, chosen):
            assert "could not be formatted" not in mail.body
            assert 0 < text.units(mail.subject) < 100
            assert "\n" not in mail.subject
            assert 0 < len(mail.body.encode()) <= 256 * 1024


@budget(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["Severity", "Label", "Resources", "Id", "finding_info", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_whatever_the_shape_something_is_sent(shape: Any) -> None:
    for event in (
        {"detail": shape},
        {"detail": {"findings": shape}},
        {"detail": {"findings": [{"x": 1} | shape if isinstance(shape, dict) else shape]}},
    ):
        assert mails(event, settings())
