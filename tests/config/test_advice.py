"""What is allowed and seldom meant: each warning with its position, and nothing else."""

from __future__ import annotations

import pytest

from shnotify.config.advice import advice
from shnotify.config.load import Loaded, completed
from shnotify.config.yamlfile import parse

ROUTE = "name: a\nroutes:\n  - name: urgent\n    subscribers: [a@b.co]\n"


def advised(text: str) -> list[str]:
    document = parse(text, "f")
    return [line.removeprefix("f:") for line in advice(Loaded(completed(document), document))]


PASSED = (
    "passed checks are let through too, for nothing filters by `compliance_status`: write "
    "`exclude: {compliance_status: [PASSED]}` to leave them out, or `compliance_status: any` if they are meant"
)
ADVISED: dict[str, tuple[str, list[str]]] = {
    "nobody": (
        "name: a\nroutes:\n  - name: urgent\n",
        ["3:5: routes[0].subscribers: no subscriber in the file, so nobody is told"],
    ),
    "an unknown Region": (
        f"region: ap-northeast-9\n{ROUTE}",
        ["1:9: region: no Region ap-northeast-9 is known: did you mean ap-northeast-3?"],
    ),
    "unknown values of filters": (
        f"{ROUTE}    findings: {{controls: [S3.1, S4.1], exclude: {{regions: [mars-east-1]}}}}\n".replace("mars", "mm"),
        [
            f"5:15: routes[0].findings: {PASSED}",
            "5:33: routes[0].findings.controls[1]: no controls of 'S4' are known: did you mean S3.1?",
            "5:60: routes[0].findings.exclude.regions[0]: no Region mm-east-1 is known: did you mean us-east-1?",
        ],
    ),
    "passed checks, all levels": (
        f"{ROUTE}    findings: {{severity: any}}\n",
        [f"5:15: routes[0].findings: {PASSED}"],
    ),
    "passed checks of a product": (
        f"{ROUTE}    findings: {{products: [prowler/prowler]}}\n",
        [f"5:15: routes[0].findings: {PASSED}"],
    ),
    "a pattern for nothing": (
        f"{ROUTE}    pattern:\n      source: [aws.securityhub]\n      detail-type: [Security Hub Findings]\n",
        [
            "7:21: routes[0].pattern.detail-type[0]: 'Security Hub Findings' is no detail-type of Security Hub: "
            "did you mean 'Security Hub Findings - Imported'? (so the route sends nothing)"
        ],
    ),
    "a pattern with a dead value": (
        f"{ROUTE}    pattern: {{detail: {{findings: {{Severity: {{Label: [High, CRITICAL]}}}}}}}}\n"
        "    # as it is\n".replace("    # as it is\n", ""),
        [],
    ),
    "a dead value, its detail-type named": (
        f"{ROUTE}    pattern:\n      detail-type: [Findings Imported V2]\n"
        "      detail: {findings: {severity: [CRITICAL, High]}}\n",
        [
            "7:38: routes[0].pattern.detail.findings.severity[0]: findings.severity is never 'CRITICAL': "
            "write Critical (this part of the pattern matches nothing)"
        ],
    ),
    "a variable": (
        f"{ROUTE}    rule: {{description: '${{TEAM}}'}}\n",
        ["5:25: routes[0].rule.description: environment variables are not expanded: ${TEAM} stays as it is written"],
    ),
    "mailed twice": (
        f"{ROUTE}  - name: all\n    findings: {{severity: [HIGH]}}\n    subscribers: [x@b.co, A@b.co]\n",
        [
            "7:27: routes[1].subscribers[1]: 'A@b.co': would get some findings twice, for the routes urgent and all "
            "both let them through (such as Severity.Label HIGH, Workflow.Status NEW, RecordState ACTIVE)"
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), ADVISED.values(), ids=ADVISED)
def test_what_is_seldom_meant_is_told(text: str, expected: list[str]) -> None:
    assert advised(text) == expected


TWO = "  - name: all\n    subscribers: [a@b.co]\n"
QUIET = {
    "passed checks that are meant": f"{ROUTE}    findings: {{severity: any, compliance_status: any}}\n",
    "the smallest file": ROUTE,
    "passed checks, left out": f"{ROUTE}    findings: {{severity: any, exclude: {{compliance_status: [PASSED]}}}}\n",
    "products that check nothing": f"{ROUTE}    findings: {{products: [guardduty, aws/inspector]}}\n",
    "routes that stand apart": f"{ROUTE}{TWO}    findings: {{severity: [LOW]}}\n",
    "routes of two people": f"{ROUTE}{TWO}".replace("[a@b.co]", "[b@b.co]", 1),
    "a route that is switched off": f"{ROUTE}{TWO}    rule: {{enabled: false}}\n",
    "another protocol": f"{ROUTE}{TWO}".replace("[a@b.co]", "[{protocol: email-json, endpoint: a@b.co}]", 1),
    "a dollar": ROUTE.replace("name: a\n", "name: a\ntags: {Cost: 'a=b'}\n"),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_nothing_is_said_of_what_is_meant(text: str) -> None:
    assert advised(text) == []
