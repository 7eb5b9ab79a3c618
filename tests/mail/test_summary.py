"""The summary's input transformer, what EventBridge makes of it, and `render` in all modes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.formatter.settings import Settings
from shnotify.mail.preview import DEFAULT_SUBJECT, render
from shnotify.mail.summary import DEFAULT_FIELDS, FIELDS, FREE_TEXT, MessageError, input_transformer
from shnotify.mail.transformer import UndeliverableError, check_limits, transform
from tests.support.samples import HOSTILE, NAMES, finding, replace_texts, sample

SETTINGS = Settings(topic_arn="arn:aws:sns:ap-northeast-1:111122223333:t")

# What Security Hub checks or writes itself, or what only the product itself writes: the summary may rely on it.
MACHINE_MADE = frozenset(
    {
        *((name,) for name in ("version", "id", "detail-type", "source", "account", "time", "region")),
        *(
            ("detail", "findings", *path)
            for path in (
                ("Severity", "Label"), ("AwsAccountId",), ("Region",), ("ProductArn",), ("Compliance", "Status"),
                ("Compliance", "SecurityControlId"), ("Resources", "Type"), ("Workflow", "Status"), ("RecordState",),
                ("CreatedAt",), ("UpdatedAt",), ("Id",), ("severity",), ("cloud", "account", "uid"),
                ("cloud", "region"),
                ("metadata", "product", "uid"), ("compliance", "status"), ("compliance", "control"),
                ("resources", "type"), ("status",), ("activity_name",), ("finding_info", "created_time_dt"),
                ("finding_info", "modified_time_dt"), ("finding_info", "uid"),
            )
        ),
    }
)  # fmt: skip


def summary(name: str, source: str, **options: Any) -> str:
    transformer = input_transformer("summary", source, **options)
    assert transformer is not None
    return transform(transformer, sample(name))


def test_json_and_lambda_have_no_transformer() -> None:
    assert input_transformer("json", "cspm") is None
    assert input_transformer("lambda", "both") is None


@pytest.mark.parametrize("source", ["cspm", "hub", "both"])
def test_the_transformer_is_within_the_limits(source: str) -> None:
    transformer = input_transformer("summary", source, fields=list(FIELDS))
    assert transformer is not None
    assert check_limits(transformer) == []
    assert all(json.loads(line) for line in transformer["InputTemplate"].splitlines())
    assert not any("[*]" in path or "[0].Title" in path for path in transformer["InputPathsMap"].values())


def test_a_summary_as_it_arrives() -> None:
    assert summary("cspm-control-s3", "cspm").splitlines() == [
        '"HIGH Security Hub finding in account 111122223333, ap-northeast-1"',
        '"Product: arn:aws:securityhub:ap-northeast-1::product/aws/securityhub"',
        '"Control: S3.8"',
        '"Compliance: FAILED"',
        '"Resource type: AwsS3Bucket"',
        '"Status: NEW"',
        '"State: ACTIVE"',
        '"Created: 2026-01-15T03:21:50.101Z"',
        '"Updated: 2026-01-15T03:21:50.101Z"',
        '"Finding: arn:aws:securityhub:ap-northeast-1:111122223333:security-control/S3.8/finding/'
        '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"',
        f'"Event: {sample("cspm-control-s3")["id"]}"',
        '"Details: https://console.aws.amazon.com/securityhub/home?region=ap-northeast-1#/findings?search='
        "Id%3D%255Coperator%255C%253AEQUALS%255C%253Aarn:aws:securityhub:ap-northeast-1:111122223333:"
        'security-control/S3.8/finding/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"',
    ]


@pytest.mark.parametrize("name", ["cspm-control-s3", "hub-compliance-create"])
def test_both_shows_either_schema(name: str) -> None:
    own = "cspm" if name.startswith("cspm") else "hub"
    one, both = summary(name, own).splitlines(), summary(name, "both").splitlines()
    assert both[:-2] == one[:-1]
    assert one[-1].partition("https")[2] in {line.partition("https")[2] for line in both[-2:]}


def test_other_partitions_have_other_consoles() -> None:
    assert "https://console.amazonaws-us-gov.com/" in summary("cspm-control-govcloud", "cspm", partition="aws-us-gov")
    assert "https://console.amazonaws.cn/" in summary("cspm-control-s3", "cspm", partition="aws-cn")


def test_absent_fields_are_empty_text() -> None:
    assert '"Control: "' in summary("cspm-guardduty-ec2", "cspm").splitlines()


@pytest.mark.parametrize("name", sorted(FREE_TEXT))
def test_free_text_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(MessageError, match=r"free text.*would make EventBridge drop the mail") as caught:
        input_transformer("summary", "cspm", fields=["severity", name])
    assert (caught.value.path, caught.value.exit_code) == ("message.fields[1]", 2)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(MessageError, match="there is no field 'colour'"):
        input_transformer("summary", "cspm", fields=["colour"])


def test_a_summary_that_is_too_long_is_refused() -> None:
    with pytest.raises(MessageError, match="characters; 1 to 8,192"):
        input_transformer("summary", "both", fields=["control"] * 300)


def test_a_resource_id_can_be_asked_for_and_can_break_the_mail() -> None:
    assert "resource_id" not in DEFAULT_FIELDS
    fields = ["control", "resource_id"]
    assert '"Resource: arn:aws:s3:::customer-exports"' in summary("cspm-control-s3", "cspm", fields=fields)
    with pytest.raises(UndeliverableError, match="would not deliver"):
        summary("cspm-guardduty-s3-malware", "cspm", fields=fields)
    assert "AwsS3Object" in summary("cspm-guardduty-s3-malware", "cspm")


@settings(deadline=None)
@given(name=st.sampled_from(NAMES), source=st.sampled_from(["cspm", "hub", "both"]), text=HOSTILE)
def test_whatever_a_findings_text_holds_the_summary_is_delivered(name: str, source: str, text: str) -> None:
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
    assert len(mails) == (2 if message_format == "lambda" and "two-findings" in name else 1)
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


def test_free_text_is_not_among_the_paths() -> None:
    used = {path for field in FIELDS.values() for path in (field.cspm, field.hub)}
    for name in (
        "Title",
        "Description",
        "Remediation",
        "Note",
        "Tags",
        "UserDefinedFields",
        "ProductFields",
        "Details",
    ):
        assert name in json.dumps(finding("cspm-control-s3")) or name in ("Note", "UserDefinedFields", "Details")
        assert not any(name.lower() in path.lower() for path in used)
