"""Addresses in AWS's console."""

from __future__ import annotations

import re
from urllib.parse import quote

CONSOLE_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""Partition -> the console's host."""


_SERVICES = frozenset(
    (  # noqa: SIM905 ninety words read better than ninety strings
        "account acm amplify apigateway appconfig appflow apprunner appsync athena autoscaling backup "
        "batch cloudformation cloudfront cloudtrail cloudwatch codeartifact codebuild "
        "codeguruprofiler codegurureviewer cognito config connect datafirehose datasync detective "
        "dms documentdb dynamodb ec2 ecr ecs efs eks elasticache elasticbeanstalk elb emr es "
        "eventbridge frauddetector fsx globalaccelerator glue guardduty iam inspector iot iotevents "
        "iotsitewise iottwinmaker iotwireless ivs keyspaces kinesis kms lambda macie mq msk neptune "
        "networkfirewall opensearch pca rds redshift redshiftserverless route53 s3 sagemaker "
        "secretsmanager servicecatalog ses sns sqs ssm stepfunctions transfer waf workspaces"
    ).split()
)
"""The services whose controls have a page of their own (Security Hub User Guide, control reference)."""
_REMEDIATION = re.compile(
    r"https://docs\.aws\.amazon\.com/console/securityhub/([A-Za-z0-9]+)\.([0-9]+)/remediation"
)


def console_url(schema: str, partition: str, region: str, finding_id: str) -> str:
    """The finding in the console; schema: "cspm" or "hub", region: the one whose Security Hub sent
    the event.

    The console reads its search out of the fragment and decodes it twice. `:` and `/` may stand in
    a fragment as they are (RFC 3986): so the address of an ARN is the one that an input transformer
    writes, which cannot encode.
    """
    once = quote(finding_id, safe=":/", errors="replace")
    return f"{search_url(schema, partition, quote(region, safe=''))}{quote(once, safe=':/')}"


def search_url(schema: str, partition: str, region: str) -> str:
    """The console's search for a finding, up to the finding's id; `region` stands there as it is.

    automated-security-response-on-aws and aws-security-hub-jira-software-integration write the
    same address.
    """
    name = "Id" if schema == "cspm" else "finding_info.uid"
    search = f"?search={name}%3D%255Coperator%255C%253AEQUALS%255C%253A"
    return findings_url(schema, partition, region) + search


def findings_url(schema: str, partition: str, region: str) -> str:
    """The console's list of findings; `region` stands there as it is."""
    path = "/securityhub/home" if schema == "cspm" else "/securityhub/v2/home"
    host = CONSOLE_HOSTS.get(partition, CONSOLE_HOSTS["aws"])
    return f"https://{host}{path}?region={region}#/findings"


def remediation_url(address: str, language: str) -> str:
    """Where a control's remedy is described, in the reader's language where there is such a page."""
    found = _REMEDIATION.fullmatch(address) if language == "ja" else None
    if not found or (service := found[1].lower()) not in _SERVICES:
        return address
    guide = "https://docs.aws.amazon.com/ja_jp/securityhub/latest/userguide"
    return f"{guide}/{service}-controls.html#{service}-{found[2]}"


def encoded(address: str) -> str:
    """A product's own address, with everything percent-encoded that would end or forge a link (RFC
    3986).
    """
    return quote(address, safe=":/?#[]@!$&'()*+,;=%~-._", errors="replace")
