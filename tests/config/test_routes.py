"""The routes: what is allowed, and what it means. What is refused stands in `data/config-errors.txt`."""

from __future__ import annotations

import pytest

from tests.support.files import ROUTE, loaded, refused

SUBSCRIBERS = [
    "secops@example.com",
    "o'brien+alerts@mail.example.co.jp",
    "x" * 64 + "@example.com",
    "a@xn--wgv71a119e.jp",
    "{protocol: email, endpoint: a@b.co}",
    "{protocol: email-json, endpoint: a@b.co}",
    "{protocol: sms, endpoint: '+819012345678'}",
    "{protocol: sms, endpoint: +819012345678}",
    "{protocol: http, endpoint: 'http://example.com'}",
    "{protocol: https, endpoint: 'https://example.com:8443/hook?a=b#c'}",
    "{protocol: sqs, endpoint: 'arn:aws-cn:sqs:cn-north-1:123456789012:queue'}",
    "{protocol: lambda, endpoint: 'arn:aws:lambda:us-east-1:123456789012:function:name:alias'}",
]


@pytest.mark.parametrize("subscriber", SUBSCRIBERS)
def test_subscribers_that_fit_their_protocol(subscriber: str) -> None:
    assert refused(f"{ROUTE}    subscribers: [{subscriber}]\n") == []


TAKEN = [
    "findings: {severity: any, workflow_status: any, record_state: any}",
    "findings: {severity: [INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL], compliance_status: [FAILED, NOT_AVAILABLE]}",
    "findings: {products: [guardduty, inspector], exclude: {controls: [S3.1]}}",
    "findings: {products: {guardduty: [HIGH, CRITICAL], any: [CRITICAL]}}",
    "findings: {products: {guardduty: any, inspector: [CRITICAL]}}",
    "findings: {severity: [HIGH, CRITICAL], products: {guardduty: [HIGH], any: [CRITICAL]}}",
    "findings: {severity: any, products: {guardduty: [LOW]}}",
    'findings: {accounts: ["012345670123"], regions: [ap-northeast-1], exclude: {severity: [LOW]}}',
    "pattern: {source: [aws.securityhub], detail: {findings: {Title: [{prefix: x}]}}}",
    "retry: {max_attempts: 0, max_age: 60}",
    "retry: {max_attempts: 185, max_age: 1d}",
    "rule: {enabled: false, description: '', name: a.b_c-D}",
    "topic: {display_name: セキュリティ, name: " + "t" * 256 + "}",
    "unlisted_subscribers: remove",
    *(f"source: {source}" for source in ("cspm", "hub", "both", "auto")),
    *(f"message: {{format: {form}}}" for form in ("summary", "json", "lambda")),
    *(f"{part}: {value}" for part in ("findings", "message", "retry", "topic", "rule") for value in ("", "{}")),
    *(f"subscribers: {value}" for value in ("", "[]")),
]


@pytest.mark.parametrize("line", TAKEN)
def test_the_edges_are_taken(line: str) -> None:
    assert refused(f"{ROUTE}    {line}\n") == []


@pytest.mark.parametrize("part", ["findings", "message", "retry", "topic", "rule", "subscribers", "pattern"])
def test_null_is_the_default(part: str) -> None:
    assert loaded(f"{ROUTE}    {part}: null\n") == loaded(ROUTE)


def test_any_is_no_filter() -> None:
    fields = loaded(f"{ROUTE}    findings: {{severity: any, products: any}}\n").routes[0].findings
    assert (fields.severity, fields.products, fields.workflow_status) == (None, None, ("NEW",))


def test_a_bare_address_is_an_e_mail_subscriber() -> None:
    short = loaded(f"{ROUTE}    subscribers: [a@b.co]\n")
    assert short == loaded(f"{ROUTE}    subscribers: [{{protocol: email, endpoint: a@b.co}}]\n")
