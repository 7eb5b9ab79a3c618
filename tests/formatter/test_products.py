"""Findings as products write them, as mails: what is vulnerable, what passed, and addresses that cannot be forged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shnotify.findings.reading import inputs_from
from shnotify.formatter.finding import findings_in
from shnotify.formatter.links import console_url, encoded
from shnotify.formatter.mail import Mail, mails
from shnotify.formatter.settings import Settings

DATA = Path(__file__).parents[1] / "data" / "products"


def event(name: str) -> dict[str, Any]:
    (found,) = inputs_from((DATA / f"{name}.json").read_text("utf-8"))
    return found.event


def mail(of: Any, **settings: Any) -> Mail:
    (found,) = mails(of, Settings(dedup="none", **settings))
    return found


def asff(**fields: Any) -> dict[str, Any]:
    found = event("prowler-no-workflow")
    found["detail"]["findings"][0] |= fields
    return found


def test_an_image_scanners_finding_says_what_to_update() -> None:
    body = mail(event("trivy-image")).body
    assert "  CVE-2020-0001: libfoo 1.0 -> 1.1\n" in body


def test_a_vulnerability_names_its_packages() -> None:
    """API_Vulnerability, API_SoftwarePackage."""
    package = {"Name": "openssl", "Version": "1.1", "FixedInVersion": "1.1.1", "Remediation": "apt-get upgrade openssl"}
    found = asff(Vulnerabilities=[{"Id": "CVE-1", "VulnerablePackages": [package, {"Version": "no name"}]}])
    assert "  CVE-1: openssl 1.1 -> 1.1.1: apt-get upgrade openssl\n" in mail(found).body


def test_an_ocsf_vulnerability_names_its_packages() -> None:
    found = event("hub-iam-policy")
    package = {"name": "zlib", "version": "1", "fixed_in_version": "2", "remediation": {"desc": "yum update zlib"}}
    found["detail"]["findings"][0]["vulnerabilities"] = [{"cve": {"uid": "CVE-2"}, "affected_packages": [package]}]
    assert "  CVE-2: zlib 1 -> 2: yum update zlib\n" in mail(found).body


def test_many_packages_are_counted() -> None:
    packages = [{"Name": f"p{number}"} for number in range(25)]
    body = mail(asff(Vulnerabilities=[{"Id": "CVE-1", "VulnerablePackages": packages}])).body
    assert "  CVE-1: p19\n  ... and 5 more\n" in body


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ({"uid": "ANPAEXAMPLEOPAQUE0001", "uid_alt": "arn:aws:iam::1:policy/p"}, "arn:aws:iam::1:policy/p"),
        ({"uid": "i-1", "name": "arn:aws:ec2:eu-west-1:1:instance/i-1"}, "arn:aws:ec2:eu-west-1:1:instance/i-1"),
        ({"uid": "https://example.com/x", "uid_alt": "x"}, "x"),
        ({"uid": "8f14e45f-ceea-467f-a8d1-1234567890ab", "uid_alt": "db-1"}, "db-1"),
        ({"uid": "i-1", "uid_alt": "web"}, "i-1"),
        ({"uid": "arn:aws:s3:::b", "uid_alt": "arn:aws:s3:::c"}, "arn:aws:s3:::b"),
        ({"uid_alt": "only"}, "only"),
        ({"type": "x"}, ""),
    ],
)
def test_an_ocsf_resource_is_shown_by_its_arn_wherever_that_stands(resource: dict[str, str], shown: str) -> None:
    found = event("hub-iam-policy")
    found["detail"]["findings"][0]["resources"] = [resource]
    assert findings_in(found)[0].resources[0].id == shown


@pytest.mark.parametrize(
    ("fields", "mark"),
    [
        ({"Compliance": {"Status": "PASSED"}}, "[PASSED] "),
        ({"Compliance": {"Status": "FAILED"}}, "[HIGH] "),
        ({"Workflow": {"Status": "RESOLVED"}}, "[RESOLVED] "),
        ({"RecordState": "ARCHIVED"}, "[RESOLVED] "),
        ({"Sample": True}, "[SAMPLE HIGH] "),
    ],
)
def test_what_is_no_alarm_does_not_look_like_one(fields: dict[str, Any], mark: str) -> None:
    found = mail(asff(**fields))
    assert found.subject.startswith(mark)
    assert found.body.startswith(mark.strip("[] ") + " ")


def test_in_japanese_too() -> None:
    assert mail(asff(Compliance={"Status": "PASSED"}), language="ja").subject.startswith("[成功] ")


def test_a_source_is_linked_and_nothing_in_it_ends_the_link() -> None:
    found = asff(SourceUrl="https://example.com/a b\nhttps://evil.example/<x>")
    assert "  Source: https://example.com/a%20b%20https://evil.example/%3Cx%3E\n" in mail(found).body
    assert encoded("https://example.com/%41?x=1#y") == "https://example.com/%41?x=1#y"


def test_every_id_is_encoded_in_a_link() -> None:
    address = console_url("cspm", "aws", "eu-west-1", "web:1 (debian 10.7)/CVE-1\nx")
    assert not set(address) & set(" ()\n")
    assert address.endswith("web:1%2520%2528debian%252010.7%2529/CVE-1%250Ax")


def test_a_line_break_in_an_id_forges_no_line() -> None:
    found = mail(event("prowler-linebreak"))
    assert "\n" not in found.subject
    assert "Finding: prowler-1.1-123456789012-us-east-1-us-east-1_Root_in_the_last_1_ days\n" in found.body


@pytest.mark.parametrize("shape", [[1], "text", 5, None], ids=json.dumps)
def test_what_is_no_object_is_mailed_whole(shape: Any) -> None:
    assert json.dumps(shape) in mail(shape).body.replace("\n", "").replace(" ", "")
