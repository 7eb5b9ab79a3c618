"""Findings that are in Security Hub before anybody looks."""

from __future__ import annotations

import datetime as dt
from typing import Any

from shnotify.sandbox.arrivals import arrive, store_of
from tests.support.faults import REGION

ACCOUNT = "123456789012"


def ago(**back: float) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(**back)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def asff(number: int, label: str = "CRITICAL", *, days: float = 0, **more: Any) -> dict[str, Any]:
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": f"finding-{number}",
        "ProductArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default",
        "GeneratorId": "test",
        "AwsAccountId": ACCOUNT,
        "CreatedAt": ago(days=days + 1),
        "UpdatedAt": ago(days=days),
        "Title": f"title {number}",
        "Description": "d",
        "Severity": {"Label": label},
        "Types": ["Software and Configuration Checks"],
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::bucket-{number}"}],
    }
    return {**finding, **more}


def ocsf(number: int, severity: str = "Critical", **more: Any) -> dict[str, Any]:
    finding = {
        "class_uid": 2003,
        "severity": severity,
        "status": "New",
        "status_id": 1,
        "activity_name": "Create",
        "metadata": {"uid": f"uid-{number}", "product": {"name": "GuardDuty", "uid": "p"}},
        "finding_info": {"uid": f"info-{number}", "title": f"title {number}", "modified_time_dt": ago(days=1)},
        "cloud": {"account": {"uid": ACCOUNT}, "region": REGION},
    }
    return {**finding, **more}


def there(*findings: dict[str, Any]) -> None:
    for finding in findings:
        arrive(ACCOUNT, REGION, finding)


def stored() -> dict[str, dict[str, Any]]:
    """Id or uid -> the finding, of both services."""
    store = store_of(ACCOUNT, REGION)
    return {identity: finding for (_, identity), finding in store.cspm.items()} | store.hub
