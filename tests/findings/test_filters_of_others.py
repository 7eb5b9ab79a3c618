"""The filters of the article and of other notifiers: each can be written in the file, in our words and as it stands.

Ours and theirs let the same samples through, and the independent implementation says the same of both.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from tests.support.files import ROUTE, loaded
from tests.support.reference import agrees
from tests.support.samples import NAMES, sample

HUB = {"source": ["aws.securityhub"]}
CSPM = HUB | {"detail-type": ["Security Hub Findings - Imported"]}
V2 = HUB | {"detail-type": ["Findings Imported V2"]}
NEW = {"Workflow": {"Status": ["NEW"]}, "RecordState": ["ACTIVE"]}
URGENT = {"Severity": {"Label": ["CRITICAL", "HIGH"]}}
GUARDDUTY, INSPECTOR = "::product/aws/guardduty", "::product/aws/inspector"

# who: (ours, theirs, how many samples it lets through)
FILTERS: dict[str, tuple[str, dict[str, Any], int]] = {
    "the article (R5, R6, R16 to R19)": (
        "findings: {record_state: any}",
        CSPM | {"detail": {"findings": URGENT | {"Workflow": {"Status": ["NEW"]}}}},
        16,
    ),
    "the same for the new Security Hub": (
        "source: hub",
        V2
        | {
            "detail": {
                "findings": {
                    "severity": ["Critical", "High", "Fatal"],
                    "status": ["New"],
                    "activity_name": [{"anything-but": ["Close"]}],
                }
            }
        },
        7,
    ),
    "aws-secure-environment-accelerator #1184: neither notified nor suppressed ones": (
        "findings: {}",
        CSPM | {"detail": {"findings": URGENT | NEW}},
        15,
    ),
    "HHS #7502: all but Inspector": (
        "findings: {exclude: {products: [inspector]}}",
        CSPM | {"detail": {"findings": URGENT | NEW | {"ProductArn": [{"anything-but": {"suffix": INSPECTOR}}]}}},
        14,
    ),
    "two products with severities of their own, in one rule (automated-security-response)": (
        "findings: {products: {guardduty: [HIGH, CRITICAL], inspector: [CRITICAL]}}",
        CSPM
        | {
            "detail": {
                "findings": NEW
                | {
                    "$or": [
                        {"ProductArn": [{"suffix": GUARDDUTY}], **URGENT},
                        {"ProductArn": [{"suffix": INSPECTOR}], "Severity": {"Label": ["CRITICAL"]}},
                    ]
                }
            }
        },
        4,
    ),
    "schubergphilis findings manager #63: what did not pass, and what knows no passing": (
        "findings: {severity: any, record_state: any, exclude: {compliance_status: [PASSED]}}",
        CSPM
        | {
            "detail": {
                "findings": {
                    "Workflow": {"Status": ["NEW"]},
                    "Compliance": {"Status": [{"anything-but": "PASSED"}, {"exists": False}]},
                }
            }
        },
        20,
    ),
    "decentralized notifications: an account's owner": (
        'findings: {severity: any, accounts: ["444455556666"]}',
        CSPM | {"detail": {"findings": NEW | {"AwsAccountId": ["444455556666"]}}},
        1,
    ),
    "aws-securityhubv2-bot: the first event of each finding": (
        f"pattern: {json.dumps(V2 | {'detail': {'findings': {'activity_name': ['Create']}}})}",
        V2 | {"detail": {"findings": {"activity_name": ["Create"]}}},
        7,
    ),
    "notify-slack #269: a custom action": (
        f"pattern: {json.dumps(HUB | {'detail-type': ['Security Hub Findings - Custom Action']})}",
        HUB | {"detail-type": ["Security Hub Findings - Custom Action"]},
        2,
    ),
    "both services, told apart by nothing": (
        "source: both\n    findings: {severity: any, workflow_status: any, record_state: any}",
        HUB | {"detail-type": ["Security Hub Findings - Imported", "Findings Imported V2"]},
        37,
    ),
}


@pytest.mark.parametrize("who", FILTERS)
def test_a_filter_of_others_can_be_written_and_matches_the_same(who: str) -> None:
    ours, theirs, count = FILTERS[who]
    through = []
    patterns = []
    for line in (ours, f"pattern: {json.dumps(theirs)}"):
        [route] = loaded(f"{ROUTE}    {line}\n").routes
        patterns.append(event_pattern(route.source, route.findings, None, route.pattern))
        through.append([name for name in NAMES if matches(patterns[-1], sample(name))])
    assert through[0] == through[1]
    assert len(through[0]) == count
    for pattern in patterns:
        assert through[0] == [name for name in NAMES if agrees(pattern, sample(name))]
