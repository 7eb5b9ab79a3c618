"""One finding as each kind of mail, for somebody who has to choose one. Pure."""

from __future__ import annotations

from typing import Any

from shnotify.findings.reading import wrap
from shnotify.formatter.settings import Settings
from shnotify.mail.preview import render

COSTS = {
    "summary": "no function; two rules, of which one sends less where a title holds a quote or a line break",
    "json": "no function; the whole event on one line, nothing left out",
    "lambda": "a subject, what to do, no repeats; makes a function, a role and a log group (cents a month)",
}
"""What each kind takes."""

FINDING: dict[str, Any] = {
    "SchemaVersion": "2018-10-08",
    "Id": "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0a1b2c3d",
    "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
    "ProductName": "Security Hub",
    "AwsAccountId": "111122223333",
    "AwsAccountName": "prod",
    "Region": "eu-west-1",
    "CreatedAt": "2026-01-15T03:21:50Z",
    "UpdatedAt": "2026-01-15T03:21:50Z",
    "Severity": {"Label": "HIGH"},
    "Title": "S3 general purpose buckets should block public access",
    "Description": "This control checks whether a bucket blocks public access.",
    "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::customer-exports"}],
    "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.8"},
    "Workflow": {"Status": "NEW"},
    "RecordState": "ACTIVE",
}


def examples(lines: int = 7) -> dict[str, tuple[str, list[str]]]:
    """Maps each kind of mail to its subject and to the first lines of its body."""
    found = {}
    for form in COSTS:
        (mail,) = render(wrap(FINDING), form, "cspm", settings=Settings(dedup="none"))
        found[form] = (mail.subject, [line for line in mail.body.splitlines() if line][:lines])
    return found
