"""The summary's input transformer, what EventBridge makes of it, and `render` in all modes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shnotify.formatter.settings import Settings
from shnotify.mail.fields import FIELDS, REFUSED
from shnotify.mail.preview import DEFAULT_SUBJECT, render
from shnotify.mail.summary import MessageError, parts
from shnotify.mail.transformer import UndeliverableError, check_limits, transform
from tests.support.hostile import OTHER_CONTROLS
from tests.support.samples import HOSTILE, NAMES, replace_texts, sample

SETTINGS = Settings(topic_arn="arn:aws:sns:ap-northeast-1:111122223333:t")


def summary(name: str, source: str, kind: str = "clean", **options: Any) -> str:
    """The mail of one rule of a service, whichever rule takes the event."""
    own = [part for part in parts("summary", source, **options) if part.source == name.partition("-")[0]]
    (part,) = [part for part in own if part.kind == kind]
    assert part.transformer is not None
    return transform(part.transformer, sample(name))


def test_json_and_lambda_have_no_transformer() -> None:
    for form, source in (("json", "cspm"), ("lambda", "both")):
        (part,) = parts(form, source)
        assert (part.name, part.kind, part.transformer) == ("", "whole", None)


@pytest.mark.parametrize("source", ["cspm", "hub", "both"])
def test_the_transformer_is_within_the_limits(source: str) -> None:
    for part in parts("summary", source, fields=[name for name in FIELDS if source != "cspm" or FIELDS[name].cspm]):
        assert part.transformer is not None
        assert check_limits(part.transformer) == []
        assert all(json.loads(line) for line in part.transformer["InputTemplate"].splitlines())


def test_a_summary_as_it_arrives() -> None:
    assert summary("cspm-control-s3", "cspm").splitlines() == [
        '"HIGH: S3 general purpose buckets should block public access"',
        '"Account: 111122223333 ap-northeast-1 prod"',
        '"Resource: arn:aws:s3:::customer-exports"',
        '"Product: Security Hub arn:aws:securityhub:ap-northeast-1::product/aws/securityhub"',
        '"Status: NEW S3.8 FAILED"',
        '"Created: 2026-01-15T03:21:50.101Z"',
        '"Details: https://console.aws.amazon.com/securityhub/home?region=ap-northeast-1#/findings?search='
        "Id%3D%255Coperator%255C%253AEQUALS%255C%253Aarn:aws:securityhub:ap-northeast-1:111122223333:"
        'security-control/S3.8/finding/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"',
    ]


def test_a_summary_of_what_cannot_be_named_says_so_and_names_nothing_of_it() -> None:
    lines = summary("cspm-guardduty-s3-malware", "cspm", "odd").splitlines()
    assert lines[0] == '"HIGH Security Hub finding in account 111122223333, ap-northeast-1"'
    assert lines[1].startswith('"Not named here: title, resource and id. One of them is missing, or holds a quote')
    assert lines[2:] == [
        '"Product: arn:aws:securityhub:ap-northeast-1::product/aws/guardduty"',
        '"Status: NEW ACTIVE "',
        '"Created: 2026-01-15T03:15:02.000Z"',
        '"Updated: 2026-01-15T03:15:02.000Z"',
        f'"Event: {sample("cspm-guardduty-s3-malware")["id"]}"',
        '"Details: https://console.aws.amazon.com/securityhub/home?region=ap-northeast-1#/findings"',
    ]


@pytest.mark.parametrize("name", ["cspm-control-s3", "hub-compliance-create"])
def test_both_shows_either_schema_with_its_own_link_only(name: str) -> None:
    assert summary(name, "both") == summary(name, name.partition("-")[0])
    assert [part.name for part in parts("summary", "both")] == ["", "Plain", "Hub", "HubPlain"]
    assert [part.name for part in parts("summary", "both", guarded=False)] == ["", "Hub"]


def test_other_partitions_have_other_consoles() -> None:
    assert "https://console.amazonaws-us-gov.com/" in summary("cspm-control-govcloud", "cspm", partition="aws-us-gov")
    assert "https://console.amazonaws.cn/" in summary("cspm-control-s3", "cspm", partition="aws-cn")


@pytest.mark.parametrize("name", [name for name in NAMES if "minimal" not in name and "insight" not in name])
def test_no_line_is_sent_empty(name: str) -> None:
    for fields in (None, ["control", "compliance", "account_name", "product_name"]):
        for mail in render(sample(name), "summary", "both", fields=fields):
            for line in map(json.loads, mail.body.split("\n")):
                label, _, value = line.partition(":")
                assert value.strip() or not value or label.endswith("(if any)"), line


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_page_of_text_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(MessageError, match=r"cannot be a line of a summary.*drops a mail") as caught:
        parts("summary", "cspm", fields=["severity", name])
    assert (caught.value.path, caught.value.exit_code) == ("message.fields[1]", 2)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(MessageError, match="there is no field 'colour'"):
        parts("summary", "cspm", fields=["colour"])
    with pytest.raises(MessageError, match="have no 'resource_name'; take resource_id"):
        parts("summary", "cspm", fields=["resource_name"])
    assert parts("summary", "both", fields=["resource_name"])


def test_a_summary_that_is_too_long_is_refused() -> None:
    with pytest.raises(MessageError, match="characters; 1 to 8,192"):
        parts("summary", "both", fields=["compliance"] * 300)


def test_fields_without_text_have_one_rule_and_no_id_in_the_link() -> None:
    (part,) = parts("summary", "cspm", fields=["severity", "product", "created"])
    assert (part.name, part.kind, part.guards) == ("", "plain", ())
    assert summary("cspm-control-s3", "cspm", "plain", fields=["severity", "product", "created"]).splitlines() == [
        '"HIGH Security Hub finding in account 111122223333, ap-northeast-1"',
        '"Product: arn:aws:securityhub:ap-northeast-1::product/aws/securityhub"',
        '"Created: 2026-01-15T03:21:50.101Z"',
        '"Details: https://console.aws.amazon.com/securityhub/home?region=ap-northeast-1#/findings"',
    ]


def test_every_text_that_is_named_is_guarded() -> None:
    for source in ("cspm", "hub"):
        for name in (name for name, field in FIELDS.items() if field.text and field.path(source)):
            clean, odd = parts("summary", source, fields=[name])
            assert {clean.kind, odd.kind} == {"clean", "odd"}
            assert clean.guards == odd.guards
            assert {guard.path for guard in clean.guards} == {
                FIELDS[name].guard(source).path,
                FIELDS["finding_id"].guard(source).path,
            }
            assert odd.transformer is not None
            assert not any(FIELDS[named].text for named in odd.transformer["InputPathsMap"] if named != "hub_region")


def test_a_field_that_cannot_be_guarded_is_left_out() -> None:
    clean, _ = parts("summary", "cspm", left_out=frozenset({"resource_id", "control"}))
    assert clean.transformer is not None
    assert "Resource" not in clean.transformer["InputTemplate"]
    assert '"Status: <status> <compliance>"' in clean.transformer["InputTemplate"]


# What Security Hub checks or writes itself: every summary may rely on it.
MACHINE_MADE = frozenset(
    {
        *((name,) for name in ("version", "id", "detail-type", "source", "account", "time", "region")),
        *(
            ("detail", "findings", *field.guard(schema).path)
            for field in FIELDS.values()
            for schema in ("cspm", "hub")
            if not field.text and field.path(schema).startswith("$.detail")
        ),
        ("detail", "findings", "class_uid"),
    }
)


@settings(deadline=None)
@given(name=st.sampled_from(NAMES), source=st.sampled_from(["cspm", "hub", "both"]), text=HOSTILE)
def test_whatever_a_findings_text_holds_a_summary_is_delivered(name: str, source: str, text: str) -> None:
    assume(not set(text) & OTHER_CONTROLS)
    event = replace_texts(sample(name), text, MACHINE_MADE)
    (mail,) = render(event, "summary", source)
    assert mail.subject == DEFAULT_SUBJECT
    lines = mail.body.split("\n")
    assert all(isinstance(json.loads(line), str) for line in lines)


@settings(deadline=None)
@given(name=st.sampled_from(NAMES), text=HOSTILE)
def test_whatever_an_event_holds_json_is_the_event(name: str, text: str) -> None:
    event = replace_texts(sample(name), text, frozenset())
    (mail,) = render(event, "json", "cspm")
    assert json.loads(mail.body) == event
    assert "\n" not in mail.body


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("message_format", ["summary", "json", "lambda"])
def test_every_sample_renders_in_every_mode(name: str, message_format: str) -> None:
    mails = render(sample(name), message_format, "both", settings=SETTINGS)
    two = {"lambda": "two-findings", "summary": "macie-sensitive-data"}.get(message_format, "nothing")
    assert len(mails) == (2 if two in name else 1)  # of one finding each; of a clean and an odd resource
    for mail in mails:
        assert mail.subject
        assert mail.body


def test_lambda_renders_without_settings() -> None:
    (mail,) = render(sample("cspm-control-s3"), "lambda", "cspm")
    assert mail.subject.startswith("[HIGH] S3.8 ")


def test_dedup_shows_in_render() -> None:
    settings = Settings(topic_arn=SETTINGS.topic_arn, dedup="notified")
    assert render(sample("cspm-control-notified"), "lambda", "cspm", settings=settings) == []


# The transformer itself: EventBridge User Guide, eb-transform-target-input

EVENT: dict[str, Any] = {
    "time": "2026-01-01T00:00:00Z",
    "detail": {"s": "text", "n": 1.5, "b": True, "o": {"a": "x", "l": [1, "y"]}, "l": ["x", "y"], "q": 'a"b'},
}
PATHS = {name: f"$.detail.{name}" for name in "snbolq"} | {"first": "$.detail.l[0]", "none": "$.detail.l[7].x"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"<s> <n> <b>"', '"text 1.5 true"'),
        ('"<first><none>."', '"x."'),
        ('"<o> <l>"', '"{a:x,l:[1,y]} [x,y]"'),
        ('{"v": <s>, "w": <o>, "x": [<n>]}', '{"v": "text", "w": {"a":"x","l":[1,"y"]}, "x": [1.5]}'),
        ('"one <s>"\n"two \\"<s>\\""', '"one text"\n"two \\"text\\""'),
        ('{"at": "<aws.events.event.ingestion-time>"}', '{"at": "2026-01-01T00:00:00Z"}'),
        ('{"e": <aws.events.event>}', '{"e": {"time":"2026-01-01T00:00:00Z"}}'),
        ("<s>", '"text"'),
    ],
)
def test_transform(template: str, expected: str) -> None:
    assert transform({"InputPathsMap": PATHS, "InputTemplate": template}, EVENT) == expected


def test_the_whole_event_is_always_valid_json() -> None:
    text = transform({"InputPathsMap": {}, "InputTemplate": '{"event": <aws.events.event.json>}'}, EVENT)
    assert json.loads(text) == {"event": EVENT}


@pytest.mark.parametrize("template", ['"<q>"', "free <s>", '{"a": <none>}', '"a""b"', "<none>", '{"a": <q>}'])
def test_what_eventbridge_does_not_deliver(template: str) -> None:
    with pytest.raises(UndeliverableError):
        transform({"InputPathsMap": PATHS, "InputTemplate": template}, EVENT)


@pytest.mark.parametrize(
    ("paths", "template", "says"),
    [
        ({"AWSx": "$.a"}, "<AWSx>", "no valid variable name"),
        ({"a b": "$.a"}, "x", "no valid variable name"),
        ({"a": "$.a[*]"}, "<a>", "no valid path"),
        ({"a": "$." + "x" * 300}, "<a>", "no valid path"),
        ({}, "<a>", "<a>, which has no path"),
        ({f"v{n}": "$.a" for n in range(101)}, "x", "101 paths"),
        ({}, "", "0 characters"),
        ({}, "x" * 8193, "8,193 characters"),
    ],
)
def test_limits(paths: dict[str, str], template: str, says: str) -> None:
    assert says in "; ".join(check_limits({"InputPathsMap": paths, "InputTemplate": template}))
