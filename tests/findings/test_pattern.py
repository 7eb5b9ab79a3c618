"""Filters -> event patterns: exact documents, refusals with their paths, and the form of raw patterns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.findings.matching import matches
from shnotify.findings.pattern import FIELDS, event_pattern
from shnotify.findings.patternsyntax import MAX_SIZE, PatternError, check_size, compact, validate_pattern
from shnotify.findings.vocabulary import SCHEMAS
from tests.support.samples import NAMES, defaults, filters, sample

ARTICLE = {
    "source": ["aws.securityhub"],
    "detail-type": ["Security Hub Findings - Imported"],
    "detail": {"findings": {"Severity": {"Label": ["CRITICAL", "HIGH"]}, "Workflow": {"Status": ["NEW"]}}},
}
ARN = "arn:aws:securityhub:eu-west-1::product/aws/guardduty"


def inner(source: str, findings: Any) -> Any:
    """What the pattern says about the finding."""
    return event_pattern(source, findings, "aws")["detail"]["findings"]


def test_the_defaults_are_the_articles_values_for_active_findings() -> None:
    findings = {**ARTICLE["detail"]["findings"], "RecordState": ["ACTIVE"]}  # type: ignore[index]
    assert event_pattern("cspm", defaults(), "aws") == {**ARTICLE, "detail": {"findings": findings}}


def test_any_record_state_is_the_articles_literal_pattern() -> None:
    assert event_pattern("cspm", defaults(record_state=None), "aws") == ARTICLE


def test_no_filter_at_all_is_the_detail_type_alone() -> None:
    assert event_pattern("hub", filters(), "aws") == {
        "source": ["aws.securityhub"],
        "detail-type": ["Findings Imported V2"],
    }


def test_both_is_one_pattern() -> None:
    pattern = event_pattern("both", defaults(), "aws")
    assert pattern["source"] == ["aws.securityhub"]
    assert [branch["detail-type"] for branch in pattern["$or"]] == [
        ["Security Hub Findings - Imported"],
        ["Findings Imported V2"],
    ]
    assert pattern["$or"][1]["detail"]["findings"] == {
        "severity": ["Critical", "Fatal", "High"],
        "status": ["New"],
        "activity_name": [{"anything-but": ["Close"]}],
    }


@pytest.mark.parametrize(
    ("source", "fields", "expected"),
    [
        ("cspm", {"severity": ("LOW",)}, {"Severity": {"Label": ["LOW"]}}),
        (
            "cspm",
            {"compliance_status": ("FAILED", "NOT_AVAILABLE")},
            {"Compliance": {"Status": ["FAILED", "NOT_AVAILABLE"]}},
        ),
        ("cspm", {"accounts": ("111122223333",)}, {"AwsAccountId": ["111122223333"]}),
        ("cspm", {"products": ("guardduty",)}, {"ProductArn": [{"suffix": "::product/aws/guardduty"}]}),
        ("cspm", {"products": ("Security-Hub",)}, {"ProductArn": [{"suffix": "::product/aws/securityhub"}]}),
        ("cspm", {"products": ("aws/brand-new",)}, {"ProductArn": [{"suffix": "::product/aws/brand-new"}]}),
        ("cspm", {"products": ("crowdstrike/falcon",)}, {"ProductArn": [{"suffix": ":product/crowdstrike/falcon"}]}),
        ("cspm", {"products": (ARN,)}, {"ProductArn": [ARN]}),
        ("cspm", {"resource_ids": ("arn:aws:s3:::b",)}, {"Resources": {"Id": ["arn:aws:s3:::b"]}}),
        ("cspm", {"resource_ids": ("111122223333",)}, {"Resources": {"Id": ["AWS::::Account:111122223333"]}}),
        (
            "cspm",
            {"resource_types": ("AwsS3Bucket", "AWS::EC2::EIP", "Other")},
            {"Resources": {"Type": ["AwsS3Bucket", "AwsEc2Eip", "Other"]}},
        ),
        ("cspm", {"types": ("TTPs/Initial Access",)}, {"Types": ["TTPs/Initial Access"]}),
        (
            "cspm",
            {"controls": ("S3.1",), "compliance_status": ("FAILED",)},
            {"Compliance": {"Status": ["FAILED"], "SecurityControlId": ["S3.1"]}},
        ),
        ("cspm", {"regions": ("eu-west-1",)}, {"Region": ["eu-west-1"]}),
        ("cspm", {"record_state": ("ACTIVE", "ARCHIVED")}, {"RecordState": ["ACTIVE", "ARCHIVED"]}),
        ("hub", {"severity": ("CRITICAL", "LOW")}, {"severity": ["Critical", "Fatal", "Low"]}),
        ("hub", {"workflow_status": ("NOTIFIED", "RESOLVED")}, {"status": ["In Progress", "Resolved"]}),
        ("hub", {"record_state": ("ARCHIVED",)}, {"activity_name": ["Close"]}),
        ("hub", {"compliance_status": ("PASSED", "WARNING")}, {"compliance": {"status": ["Pass", "Warning"]}}),
        ("hub", {"accounts": ("111122223333",)}, {"cloud": {"account": {"uid": ["111122223333"]}}}),
        ("hub", {"products": (ARN,)}, {"metadata": {"product": {"uid": [ARN.replace("product/", "productv2/")]}}}),
        ("hub", {"products": ("macie",)}, {"metadata": {"product": {"uid": [{"suffix": "::productv2/aws/macie"}]}}}),
        (
            "hub",
            {"resource_types": ("AwsS3Bucket", "AwsAccount")},
            {"resources": {"type": ["AWS::S3::Bucket", "AWS::::Account"]}},
        ),
        ("hub", {"resource_ids": ("AWS::::Account:111122223333",)}, {"resources": {"uid": ["111122223333"]}}),
        (
            "hub",
            {"types": ("a",), "controls": ("S3.1",)},
            {"finding_info": {"types": ["a"]}, "compliance": {"control": ["S3.1"]}},
        ),
        ("hub", {"regions": ("eu-west-1",)}, {"cloud": {"region": ["eu-west-1"]}}),
    ],
)
def test_every_field_in_each_schemas_words(source: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert inner(source, filters(**fields)) == expected


@pytest.mark.parametrize(
    ("source", "fields", "exclude", "expected"),
    [
        (
            "cspm",
            {},
            {"compliance_status": ("PASSED",)},
            {"Compliance": {"Status": [{"anything-but": ["PASSED"]}, {"exists": False}]}},
        ),
        ("cspm", {"severity": ("CRITICAL", "HIGH")}, {"severity": ("HIGH",)}, {"Severity": {"Label": ["CRITICAL"]}}),
        (
            "cspm",
            {"controls": ("S3.1", "S3.2")},
            {"controls": ("S3.2",)},
            {"Compliance": {"SecurityControlId": ["S3.1"]}},
        ),
        (
            "cspm",
            {},
            {"products": ("inspector",)},
            {"ProductArn": [{"anything-but": {"suffix": "::product/aws/inspector"}}, {"exists": False}]},
        ),
        (
            "cspm",
            {},
            {"products": ("inspector", ARN)},
            {"ProductArn": [{"anything-but": {"suffix": ["::product/aws/inspector", ARN]}}, {"exists": False}]},
        ),
        (
            "cspm",
            {"products": (ARN, "macie")},
            {"products": ("guardduty",)},
            {"ProductArn": [{"suffix": "::product/aws/macie"}]},
        ),
        (
            "cspm",
            {},
            {"record_state": ("ARCHIVED",)},
            {"RecordState": [{"anything-but": ["ARCHIVED"]}, {"exists": False}]},
        ),
        (
            "hub",
            {},
            {"record_state": ("ARCHIVED",)},
            {"activity_name": [{"anything-but": ["Close"]}, {"exists": False}]},
        ),
        ("cspm", {}, {"record_state": ("ACTIVE",)}, {"RecordState": ["ARCHIVED"]}),
        ("hub", {}, {"record_state": ("ACTIVE",)}, {"activity_name": ["Close"]}),
        (
            "hub",
            {},
            {"severity": ("CRITICAL",)},
            {"severity": [{"anything-but": ["Critical", "Fatal"]}, {"exists": False}]},
        ),
        (
            "hub",
            {},
            {"accounts": ("444455556666",)},
            {"cloud": {"account": {"uid": [{"anything-but": ["444455556666"]}, {"exists": False}]}}},
        ),
    ],
)
def test_exclude(source: str, fields: dict[str, Any], exclude: dict[str, Any], expected: dict[str, Any]) -> None:
    assert inner(source, filters(exclude, **fields)) == expected


def test_excluding_a_status_keeps_findings_that_have_none() -> None:
    pattern = event_pattern("cspm", defaults({"compliance_status": ("PASSED",)}), "aws")
    assert matches(pattern, sample("cspm-guardduty-ec2"))
    assert matches(pattern, sample("cspm-control-s3"))
    assert not matches(pattern, sample("cspm-control-passed"))


def test_thresholds_per_product_are_one_or() -> None:
    wanted = {"guardduty": ("HIGH", "CRITICAL"), "macie": ("HIGH", "CRITICAL"), "inspector": ("CRITICAL",)}
    found = inner("cspm", defaults(products=wanted))
    assert found == {
        "Workflow": {"Status": ["NEW"]},
        "RecordState": ["ACTIVE"],
        "$or": [
            {
                "ProductArn": [{"suffix": "::product/aws/guardduty"}, {"suffix": "::product/aws/macie"}],
                "Severity": {"Label": ["HIGH", "CRITICAL"]},
            },
            {"ProductArn": [{"suffix": "::product/aws/inspector"}], "Severity": {"Label": ["CRITICAL"]}},
        ],
    }


def test_one_threshold_needs_no_or() -> None:
    assert inner("cspm", filters(products={"inspector": ("CRITICAL",)})) == {
        "ProductArn": [{"suffix": "::product/aws/inspector"}],
        "Severity": {"Label": ["CRITICAL"]},
    }


@pytest.mark.parametrize("source", ["cspm", "both"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cspm-inspector-package", True),  # CRITICAL
        ("cspm-inspector-container-image", False),  # MEDIUM
        ("cspm-guardduty-ec2", True),
        ("cspm-control-25-resources", True),  # all others: from MEDIUM
        ("cspm-access-analyzer", False),  # LOW
        ("cspm-macie-policy", False),  # excluded
    ],
)
def test_thresholds_with_all_others(source: str, name: str, expected: bool) -> None:
    wanted = {"inspector": ("CRITICAL",), "guardduty": None, "any": ("CRITICAL", "HIGH", "MEDIUM")}
    pattern = event_pattern(source, defaults({"products": ("macie",)}, products=wanted), "aws")
    assert matches(pattern, sample(name)) is expected


def test_all_others_alone_are_all_products() -> None:
    assert inner("cspm", filters(products={"any": ("HIGH",)})) == {"Severity": {"Label": ["HIGH"]}}


def test_an_excluded_severity_leaves_the_thresholds_too() -> None:
    found = inner("cspm", filters({"severity": ("HIGH",)}, products={"guardduty": ("CRITICAL", "HIGH")}))
    assert found["Severity"] == {"Label": ["CRITICAL"]}


def test_the_resolution_of_marked_findings_passes_whatever_the_filter_says() -> None:
    pattern = event_pattern("both", defaults(), "aws", resolved_marker="shnotify-urgent")
    assert matches(pattern, sample("cspm-control-resolved-after-mail"))
    assert matches(pattern, sample("hub-compliance-resolved-after-mail"))
    assert not matches(pattern, sample("cspm-control-passed"))
    other = event_pattern("both", defaults(), "aws", resolved_marker="shnotify-other")
    assert not matches(other, sample("cspm-control-resolved-after-mail"))
    assert not matches(other, sample("hub-compliance-resolved-after-mail"))


MATCHED = {
    "cspm-control-25-resources": False,
    "cspm-access-analyzer": False,
    "cspm-control-archived": False,
    "cspm-control-notified": False,
    "cspm-control-passed": False,
    "cspm-control-resolved-after-mail": False,
    "cspm-control-suppressed": False,
    "cspm-custom-action": False,
    "cspm-custom-action-two-findings": False,
    "cspm-insight-results": False,
    "cspm-inspector-container-image": False,
    "cspm-minimal": False,  # no workflow, no record state
    "cspm-patch-manager": False,
    "hub-compliance-close-still-new": False,
    "hub-compliance-in-progress": False,
    "hub-compliance-resolved-after-mail": False,
    "hub-compliance-suppressed": False,
    "hub-coverage": False,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_default_route_takes_what_it_should_of_all_samples(name: str) -> None:
    pattern = event_pattern("both", defaults(), "aws")
    assert matches(pattern, sample(name)) is MATCHED.get(name, True)


@pytest.mark.parametrize(
    ("source", "findings", "path", "says"),
    [
        ("cspm", filters({"types": ("x",)}), "findings.exclude.types", "several values"),
        ("hub", filters({"resource_ids": ("x",)}), "findings.exclude.resource_ids", "several values"),
        ("both", filters({"resource_types": ("AwsS3Bucket",)}), "findings.exclude.resource_types", "several values"),
        ("hub", filters(compliance_status=("NOT_AVAILABLE",)), "findings.compliance_status[0]", "no counterpart"),
        ("cspm", filters(severity=("SEVERE",)), "findings.severity[0]", "no counterpart"),
        ("cspm", filters(record_state=("GONE",)), "findings.record_state", "neither ACTIVE nor ARCHIVED"),
        ("cspm", filters(products=("guarduty",)), "findings.products[0]", "aws/guarduty"),
        ("cspm", filters(products=("no product",)), "findings.products[0]", "neither a product ARN"),
        (
            "cspm",
            filters(products=(ARN.replace("arn:aws:", "arn:aws-cn:"),)),
            "findings.products[0]",
            "partition aws-cn",
        ),
        ("hub", filters(products=("arn:aws:securityhub:x::product/acme/p",)), "findings.products[0]", "productv2/..."),
        (
            "cspm",
            filters({"products": (ARN,)}, products=("guardduty",)),
            "findings.exclude.products",
            "list the wanted ARNs",
        ),
        ("hub", filters(resource_types=("AwsEcrContainerImage",)), "findings.resource_types[0]", "AWS::Service::Type"),
        ("cspm", filters(resource_types=("AWS::New::Thing",)), "findings.resource_types[0]", "AwsServiceType"),
        ("cspm", filters({"severity": ("LOW",)}, severity=("LOW",)), "findings.exclude.severity", "nothing would ever"),
        (
            "hub",
            filters({"record_state": ("ARCHIVED", "ACTIVE")}),
            "findings.exclude.record_state",
            "nothing would ever",
        ),
        ("cspm", filters(severity=()), "findings.severity", "match nothing"),
        ("cspm", filters(products={"guarduty": ("HIGH",)}), "findings.products.guarduty", "no AWS product"),
        ("cspm", filters(products={}), "findings.products", "names no product"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(source: str, findings: Any, path: str, says: str) -> None:
    with pytest.raises(PatternError) as caught:
        event_pattern(source, findings, "aws")
    assert caught.value.path == path
    assert says in caught.value.message
    assert caught.value.exit_code == 2


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PatternError) as caught:
        event_pattern("both", filters({"types": ("x",)}, products=("guarduty",), severity=("SEVERE",)), "aws")
    assert {path for path, _ in caught.value.problems} == {
        "findings.severity[0]",
        "findings.products[0]",
        "findings.exclude.types",
    }


def test_an_arn_is_not_checked_against_an_unknown_partition() -> None:
    arn = ARN.replace("arn:aws:", "arn:aws-cn:")
    assert event_pattern("cspm", filters(products=(arn,)), None)["detail"]["findings"] == {"ProductArn": [arn]}


def test_size() -> None:
    pattern = event_pattern("cspm", defaults(), "aws")
    assert check_size(pattern) == len(json.dumps(pattern, separators=(",", ":")))
    assert check_size({"a": ["日本"]}) == len('{"a":["日本"]}')
    with pytest.raises(PatternError, match=r"4,1\d\d characters; EventBridge takes at most 4,096") as caught:
        event_pattern("cspm", filters(resource_ids=("x" * 4000,)), "aws")
    assert caught.value.path == "findings"
    assert len(compact(event_pattern("cspm", filters(resource_ids=("x" * 3900,)), "aws"))) <= MAX_SIZE


def test_a_raw_pattern_is_taken_as_it_is() -> None:
    raw = {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}}
    found = event_pattern("cspm", defaults(), "aws", raw)
    assert found == raw
    assert found is not raw
    with pytest.raises(PatternError) as caught:
        event_pattern("cspm", defaults(), "aws", {"a": ["x" * 5000]})
    assert caught.value.path == "pattern"


TEXT = st.text(min_size=1, max_size=12)
CHOICES = {
    "severity": st.sampled_from(["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]),
    "workflow_status": st.sampled_from(["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]),
    "record_state": st.sampled_from(["ACTIVE", "ARCHIVED"]),
    "compliance_status": st.sampled_from(["PASSED", "FAILED", "WARNING", "NOT_AVAILABLE"]),
    "products": st.one_of(st.sampled_from(["guardduty", "macie", "acme/scan", ARN]), TEXT),
    "resource_types": st.one_of(st.sampled_from(["AwsS3Bucket", "AWS::EC2::VPC"]), TEXT),
}
FILTERS = st.fixed_dictionaries(
    {}, optional={name: st.lists(CHOICES.get(name, TEXT), min_size=1, max_size=3).map(tuple) for name in FIELDS}
)


@settings(deadline=None)
@given(source=st.sampled_from(sorted(SCHEMAS)), fields=FILTERS, exclude=FILTERS)
def test_whatever_the_filter_the_result_is_valid_or_a_refusal(source: str, fields: Any, exclude: Any) -> None:
    try:
        pattern = event_pattern(source, filters(exclude, **fields), "aws")
    except PatternError as error:
        paths = [path for path, _ in error.problems]
    else:
        paths = ["findings"]
        validate_pattern(pattern)
        assert check_size(pattern) <= MAX_SIZE
    assert paths
    assert all(path.startswith("findings") for path in paths)
