"""Broken in Security Hub, or in the rule: what comes, what is let through, what text is made."""

from __future__ import annotations

from tests.support.breakages import (
    DENIED,
    FOREIGN_TOPIC,
    OTHER,
    Breakage,
    aggregator,
    answer,
    enveloped,
    findings,
    narrowed,
    other_rule,
    pattern,
    put,
    refuse,
    target,
)
from tests.support.broken_names import FUNCTION, GONE, MISSING, SUMMARY
from tests.support.faults import REGION
from tests.support.lifecycle import ACCOUNT

IN_HUB = [
    Breakage(
        "credentials",
        "expired",
        {"sts:GetCallerIdentity": refuse("ExpiredToken", 403, "The security token included in the request is expired")},
        masks=True,
    ),
    Breakage(
        "hub",
        "Security Hub is off",
        {"securityhub:DescribeHub": refuse("InvalidAccessException", 401)},
    ),
    Breakage("hub", "not allowed to look", {"securityhub:DescribeHub": DENIED}, "unknown"),
    Breakage("home-region", "another Region is the home", aggregator("us-east-1"), "warning", cites="24"),
    Breakage(
        "home-region",
        "a member of an administrator",
        {"securityhub:GetAdministratorAccount": answer({"Administrator": {"AccountId": OTHER}})},
        "warning",
        cites="24",
    ),
    Breakage("home-region", "not allowed to look", {"securityhub:GetAdministratorAccount": DENIED}, "unknown"),
    Breakage(
        "aggregation",
        "there is none",
        {"securityhub:ListFindingAggregators": answer({"FindingAggregators": []})},
        "warning",
    ),
    Breakage("aggregation", "no Region is linked", aggregator(mode="NO_REGIONS"), "warning"),
    Breakage(
        "aggregation",
        "not allowed to look",
        {"securityhub:GetFindingAggregator": DENIED},
        "unknown",
        also=frozenset({"home-region"}),
    ),
    Breakage("duplicates", "another rule", other_rule(findings(), FOREIGN_TOPIC), "warning", cites="25"),
    Breakage(
        "duplicates",
        "a rule on all of Security Hub",
        other_rule({"source": ["aws.securityhub"]}, FUNCTION + "2"),
        "warning",
        cites="25",
    ),
    Breakage(
        "duplicates",
        "a managed rule that mails",
        other_rule(findings(), FOREIGN_TOPIC, ManagedBy="events.amazonaws.com"),
        "warning",
    ),
    Breakage(
        "duplicates",
        "one finding for each standard",
        {"securityhub:DescribeHub": answer({"ControlFindingGenerator": "STANDARD_CONTROL"})},
        "warning",
        cites="10",
    ),
    Breakage("duplicates", "not allowed to look", {"events:ListRules": DENIED}, "unknown"),
]

IN_RULE = [
    Breakage(
        "rule",
        "missing",
        {"events:DescribeRule": MISSING, "events:ListTargetsByRule": MISSING},
        masks=True,
    ),
    Breakage("rule", "disabled", {"events:DescribeRule": put(State="DISABLED")}),
    Breakage("rule", "not allowed to look", {"events:DescribeRule": DENIED}, "unknown", also=frozenset({"target"})),
    Breakage("pattern", "another service", pattern({"source": ["aws.s3"]})),
    Breakage("pattern", "the source misspelt", pattern({**findings(), "source": ["aws.security-hub"]})),
    Breakage(
        "pattern",
        "the detail-type cut",
        pattern({**findings(), "detail-type": ["Security Hub Findings"]}),
        cites="case 21",
    ),
    Breakage("pattern", "a label in small letters", pattern(findings(Severity={"Label": ["High"]})), cites="case 25"),
    Breakage(
        "pattern",
        "the new Security Hub's values in capitals",
        pattern(
            {
                "source": ["aws.securityhub"],
                "detail-type": ["Findings Imported V2"],
                "detail": {"findings": {"severity": ["HIGH"], "status": ["NEW"]}},
            }
        ),
        cites="case 23",
    ),
    Breakage("pattern", "only CRITICAL", narrowed(Severity={"Label": ["CRITICAL"]}), rule=""),
    Breakage("pattern", "one account", narrowed(AwsAccountId=[OTHER]), rule=""),
    Breakage("pattern", "of another account's events", enveloped(account=[OTHER]), rule="unknown"),
    Breakage("pattern", "of another Region's events", enveloped(region=["us-east-1"]), rule="unknown"),
    Breakage("pattern", "about a bucket", enveloped(resources=["arn:aws:s3:::b"]), rule="unknown"),
    Breakage("pattern", "what every finding has is absent", narrowed(RecordState=[{"exists": False}])),
    Breakage(
        "pattern",
        "only what a person sends",
        pattern({**findings(), "detail-type": ["Security Hub Findings - Custom Action"]}),
    ),
    Breakage(
        "pattern",
        "everything but the findings",
        pattern(
            {"source": ["aws.securityhub"], "detail-type": [{"anything-but": ["Security Hub Findings - Imported"]}]}
        ),
        rule="",  # those of the new Security Hub come through
    ),
    Breakage("pattern", "wider than the file", narrowed(RecordState=None), "warning", ""),
    Breakage("target", "none", {"events:ListTargetsByRule": answer({"Targets": []})}),
    Breakage("target", "another topic", target(Arn=FOREIGN_TOPIC), rule="", modes=SUMMARY),
    Breakage(
        "target",
        "a topic that is gone",
        GONE,
        "",
        rule="broken",
        modes=SUMMARY,
    ),
    Breakage(
        "target",
        "a log group",
        target(Arn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:x"),
        "",
        rule="unknown",
        modes=SUMMARY,
    ),
    Breakage(
        "target",
        "through a role",
        target(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x"),
        "unknown",
        cites="17",
    ),
]

IN_TEXT = [
    Breakage(
        "transformer",
        "no JSON",
        target(
            InputTransformer={
                "InputPathsMap": {"s": "$.detail.findings[0].Severity.Label"},
                "InputTemplate": "Severity <s>",
            }
        ),
    ),
    Breakage(
        "transformer",
        "a variable without a path",
        target(InputTransformer={"InputPathsMap": {}, "InputTemplate": '"<title>"'}),
    ),
    Breakage(
        "transformer",
        "a note in quotes",
        target(
            InputTransformer={
                "InputPathsMap": {"t": "$.detail.findings[0].Note.Text"},
                "InputTemplate": '"Finding: <t>"',
            }
        ),
        "warning",
        cites="3",
    ),
    Breakage(
        "transformer",
        "an object in quotes",
        target(
            InputTransformer={
                "InputPathsMap": {"s": "$.detail.findings[0].Severity"},
                "InputTemplate": '{"severity": "<s>"}',
            }
        ),
    ),
    Breakage(
        "transformer",
        "a path to what may not be there",
        target(InputTransformer=None, InputPath="$.detail.findings[0].Remediation"),
        "unknown",
    ),
    Breakage("transformer", "a fixed text", target(Input='"hello"', InputTransformer=None), "warning", modes=SUMMARY),
]
