"""Addresses in the console and in the documentation."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.formatter.links import CONSOLE_HOSTS, console_url, remediation_url
from shnotify.formatter.mail import mails
from shnotify.formatter.settings import Settings
from shnotify.mail.summary import parts
from shnotify.mail.transformer import transform
from tests.support.samples import sample

SEARCHED = {"cspm": ("/securityhub/home", "Id"), "hub": ("/securityhub/v2/home", "finding_info.uid")}
NAMES = {"cspm": "cspm-control-s3", "hub": "hub-compliance-create"}


def expected(schema: str, partition: str, region: str, written: str) -> str:
    """As automated-security-response-on-aws writes it (`get_security_hub_console_url`), but for the id's encoding."""
    path, name = SEARCHED[schema]
    search = f"{name}%3D%255Coperator%255C%253AEQUALS%255C%253A{written}"
    return f"https://{CONSOLE_HOSTS[partition]}{path}?region={region}#/findings?search={search}"


@pytest.mark.parametrize("partition", CONSOLE_HOSTS)
@pytest.mark.parametrize("schema", SEARCHED)
def test_summary_and_lambda_write_the_same_address(schema: str, partition: str) -> None:
    event = sample(NAMES[schema])
    transformer = parts("summary", schema, partition=partition)[0].transformer
    assert transformer
    summary = transform(transformer, event).splitlines()[-1].strip('"').removeprefix("Details: ")
    topic = f"arn:{partition}:sns:eu-west-1:123456789012:x"
    (mail,) = mails(event, Settings(topic_arn=topic))
    shown = next(line for line in mail.body.splitlines() if line.startswith("  Console: "))
    finding: Any = event["detail"]["findings"][0]
    identity = finding["Id"] if schema == "cspm" else finding["finding_info"]["uid"]
    assert shown.removeprefix("  Console: ") == summary == expected(schema, partition, event["region"], identity)


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable() or "\n" in text))
def test_an_id_decoded_twice_as_the_console_does_is_the_id(identity: str) -> None:
    identity = identity.encode(errors="replace").decode()
    address = console_url("hub", "aws", "eu-west-1", identity)
    assert address.isascii()
    assert not set(address) & set(' "<>\\^`{|}\n')
    assert unquote(unquote(address.partition("search=")[2])).partition("EQUALS\\:")[2] == identity


@pytest.mark.parametrize(
    ("address", "language", "found"),
    [
        ("https://docs.aws.amazon.com/console/securityhub/S3.8/remediation", "ja", "s3-controls.html#s3-8"),
        ("https://docs.aws.amazon.com/console/securityhub/EC2.19/remediation", "ja", "ec2-controls.html#ec2-19"),
        (
            "https://docs.aws.amazon.com/console/securityhub/NetworkFirewall.10/remediation",
            "ja",
            "networkfirewall-controls.html#networkfirewall-10",
        ),
        ("https://docs.aws.amazon.com/console/securityhub/S3.8/remediation", "en", None),
        ("https://docs.aws.amazon.com/console/securityhub/standards-cis-1.10/remediation", "ja", None),
        ("https://docs.aws.amazon.com/console/securityhub/Unheard.1/remediation", "ja", None),
        ("https://evil.example/console/securityhub/S3.8/remediation", "ja", None),
        ("https://docs.aws.amazon.com/console/securityhub/S3.8/remediation?x", "ja", None),
        ("", "ja", None),
    ],
)
def test_a_japanese_mail_links_to_the_japanese_page_where_there_is_one(
    address: str, language: str, found: str | None
) -> None:
    guide = "https://docs.aws.amazon.com/ja_jp/securityhub/latest/userguide/"
    assert remediation_url(address, language) == (guide + found if found else address)


def test_it_stands_in_the_mail() -> None:
    (mail,) = mails(sample("cspm-control-s3"), Settings(topic_arn="arn:aws:sns:eu-west-1:1:x", language="ja"))
    assert "https://docs.aws.amazon.com/ja_jp/securityhub/latest/userguide/s3-controls.html#s3-8\n" in mail.body


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("prod", "[HIGH] S3.8 S3 general purpose buckets should block public acce… (prod 111122223333 ap-northeast-1)"),
        ("", "[HIGH] S3.8 S3 general purpose buckets should block public access (111122223333 ap-northeast-1)"),
        (
            "x" * 50,
            f"[HIGH] S3.8 S3 general purpose buckets shou… ({'x' * 23}… 111122223333 ap-northeast-1)",
        ),
    ],
)
def test_the_subject_tells_the_accounts_name(name: str, subject: str) -> None:
    event = sample("cspm-control-s3")
    event["detail"]["findings"][0]["AwsAccountName"] = name
    (mail,) = mails(event, Settings(topic_arn="arn:aws:sns:eu-west-1:1:x"))
    assert mail.subject == subject


def test_the_name_gives_way_before_the_title_is_a_stump() -> None:
    event = sample("cspm-control-s3")
    event["detail"]["findings"][0] |= {"AwsAccountName": "x" * 50, "Region": "x-" * 12}
    (mail,) = mails(event, Settings(topic_arn="arn:aws:sns:eu-west-1:1:x"))
    assert "xxx… 111122223333" not in mail.subject
    assert "S3 general purpose buckets" in mail.subject
