"""Values of filters: what no finding ever holds, what none is known to hold, and nothing said of what findings hold."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.findings.filtervalues import DOUBTFUL, DOUBTFUL_IN_ASFF, IMPOSSIBLE, IMPOSSIBLE_IN_ASFF
from tests.support.samples import NAMES, sample

IMPOSSIBLE_VALUES = [
    ("controls", "S3-1", "is no control id: did you mean S3.1?"),
    ("controls", "s3.1", "is no control id: did you mean S3.1?"),
    ("controls", "ec2 19", "is no control id: did you mean EC2.19?"),
    ("controls", "iam.06", "is no control id: did you mean IAM.6?"),
    ("controls", "kms4", "is no control id: did you mean KMS.4?"),
    ("controls", "guardduty_1", "is no control id: did you mean GuardDuty.1?"),
    ("controls", "x", "is no control id such as S3.1 or EC2.19"),
    ("controls", "S3.*", "is no control id such as S3.1 or EC2.19"),
    ("resource_types", "s3bucket", "is no resource type: did you mean AwsS3Bucket?"),
    ("resource_types", "AWSS3Bucket", "is no resource type: did you mean AwsS3Bucket?"),
    ("resource_types", "aws ec2 instance", "is no resource type: did you mean AwsEc2Instance?"),
    ("resource_types", "AWS::s3::bucket", "is no resource type: did you mean AWS::S3::Bucket?"),
    ("regions", "tokyo", "must be an AWS Region: did you mean ap-northeast-1?"),
    ("regions", "Sao Paulo", "must be an AWS Region: did you mean sa-east-1?"),
    ("regions", "ap-northeast1", "must be an AWS Region: did you mean ap-northeast-1?"),
    ("regions", "US-EAST-1", "must be an AWS Region: did you mean us-east-1?"),
    ("regions", "moon", "must be an AWS Region such as ap-northeast-1"),
    ("types", "TTP", "is no finding type (namespace/category/classifier): did you mean 'TTPs'?"),
]


@pytest.mark.parametrize(("field", "value", "expected"), IMPOSSIBLE_VALUES)
def test_what_no_finding_holds(field: str, value: str, expected: str | None) -> None:
    assert (IMPOSSIBLE | IMPOSSIBLE_IN_ASFF)[field](value) == expected  # type: ignore[operator]


DOUBTS = [
    ("controls", "S4.1", "no controls of 'S4' are known: did you mean S3.1?"),
    ("controls", "QxZ.1", "no controls of 'QxZ' are known"),
    ("resource_types", "AwsS3Buckets", "no resource type 'AwsS3Buckets' is known: did you mean AwsS3Bucket?"),
    (
        "resource_types",
        "AWS::S3::Buckets",
        "no resource type 'AWS::S3::Buckets' is known: did you mean AWS::S3::Bucket?",
    ),
    ("resource_types", "AWS::New::Thing", None),
    ("regions", "ap-northeast-9", "no Region ap-northeast-9 is known: did you mean ap-northeast-3?"),
    ("regions", "zz-moon-1", "no Region zz-moon-1 is known"),
    ("types", "TTP/Initial Access", "no finding type begins with 'TTP': did you mean 'TTPs/Initial Access'?"),
]


@pytest.mark.parametrize(("field", "value", "expected"), DOUBTS)
def test_what_no_finding_is_known_to_hold(field: str, value: str, expected: str | None) -> None:
    assert (IMPOSSIBLE | IMPOSSIBLE_IN_ASFF)[field](value) is None  # type: ignore[operator]
    assert (DOUBTFUL | DOUBTFUL_IN_ASFF)[field](value) == expected  # type: ignore[operator]


def held(finding: dict[str, Any]) -> Any:
    """Field and value of all that the judged filters would compare."""
    for resource in (*finding.get("Resources", ()), *finding.get("resources", ())):
        yield "resource_types", resource.get("Type") or resource.get("type")
    yield "controls", finding.get("Compliance", {}).get("SecurityControlId")
    yield "controls", finding.get("compliance", {}).get("control")
    yield "regions", finding.get("Region") or finding.get("cloud", {}).get("region")
    for name in finding.get("Types", ()):
        yield "types", name


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_said_of_what_findings_hold(name: str) -> None:
    for finding in sample(name)["detail"].get("findings", ()):
        for field, value in held(finding):
            if value:
                assert (IMPOSSIBLE | IMPOSSIBLE_IN_ASFF)[field](value) is None  # type: ignore[operator]
                assert (DOUBTFUL | DOUBTFUL_IN_ASFF)[field](value) is None  # type: ignore[operator]
