"""What Security Hub's events look like: their detail-types, their fields, and the closed lists of
values. Pure data.

Sources: Security Hub User Guide (securityhub-cwe-event-types, securityhub-cwe-event-formats,
securityhub-v2-cwe-event-formats), API_AwsSecurityFinding, and the OCSF schema's finding classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.findings.vocabulary import CSPM, HUB, Schema
from shnotify.frozen import frozen

SOURCE = "aws.securityhub"
IMPORTED = CSPM.detail_type
HUB_IMPORTED = HUB.detail_type
CUSTOM_ACTION = "Security Hub Findings - Custom Action"
INSIGHT = "Security Hub Insight Results"
CLOUDTRAIL = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail")
"""Calls of Security Hub's own API, which have its source too (eb-service-event-cloudtrail)."""
ENVELOPE = (
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
    "replay-name",
)


@frozen
class Shape:
    """Describes the findings of one schema.

    fields  the names right below `findings`
    closed  whether there are no others
    values  dotted name below `findings` -> the only values that occur
    leaves  dotted names below which nothing stands
    always  dotted names that every finding has
    """

    schema: Schema
    fields: frozenset[str]
    closed: bool
    values: Mapping[str, tuple[Any, ...]]
    leaves: frozenset[str]
    always: frozenset[str] = frozenset()


_ALWAYS = """
AwsAccountId CreatedAt Description GeneratorId Id ProductArn RecordState SchemaVersion Severity.Label Title UpdatedAt
Workflow.Status
"""
"""What an import must have, or Security Hub fills in (asff-required-attributes, `findings.importing`)."""
_ASFF_FIELDS = """
Action AwsAccountId AwsAccountName CompanyName Compliance Confidence CreatedAt Criticality Description Detection
FindingProviderFields FirstObservedAt GeneratorDetails GeneratorId Id LastObservedAt Malware Network NetworkPath Note
PatchSummary Process ProcessedAt ProductArn ProductFields ProductName RecordState Region RelatedFindings Remediation
Resources Sample SchemaVersion Severity SourceUrl ThreatIntelIndicators Threats Title Types UpdatedAt
UserDefinedFields VerificationState Vulnerabilities Workflow WorkflowState
"""
_OCSF_FIELDS = """
activity_id activity_name assignee attacks category_name category_uid class_name class_uid cloud comment compliance
confidence confidence_id confidence_score count data_security databucket desc device end_time enrichments evidences
finding_info finding_info_list impact impact_id impact_score is_alert malware message metadata observables priority
remediation resource resources risk_details risk_level risk_score severity severity_id src_url start_time status
status_code status_detail status_id time time_dt timezone_offset type_name type_uid unmapped user vendor_attributes
verdict vulnerabilities
"""
_LABELS = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
ASFF = Shape(
    schema=CSPM,
    fields=frozenset(_ASFF_FIELDS.split()),
    closed=True,
    values={
        "Severity.Label": _LABELS,
        "Severity.Normalized": tuple(range(101)),
        "FindingProviderFields.Severity.Label": _LABELS,
        "Workflow.Status": ("NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"),
        "RecordState": ("ACTIVE", "ARCHIVED"),
        "Compliance.Status": ("PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"),
        "VerificationState": ("UNKNOWN", "TRUE_POSITIVE", "FALSE_POSITIVE", "BENIGN_POSITIVE"),
    },
    leaves=frozenset(".".join(path) for path in CSPM.paths.values())
    | {"Title", "Description", "Id", "ProductName"},
    always=frozenset(_ALWAYS.split()),
)
OCSF = Shape(
    schema=HUB,
    fields=frozenset(_OCSF_FIELDS.split()),
    closed=False,
    values={
        "severity": (
            "Unknown",
            "Informational",
            "Low",
            "Medium",
            "High",
            "Critical",
            "Fatal",
            "Other",
        ),
        "severity_id": (0, 1, 2, 3, 4, 5, 6, 99),
        "status": (
            "Unknown",
            "New",
            "In Progress",
            "Suppressed",
            "Resolved",
            "Archived",
            "Deleted",
            "Other",
        ),
        "activity_name": ("Unknown", "Create", "Update", "Close", "Other"),
        "compliance.status": ("Unknown", "Pass", "Warning", "Fail", "Other"),
    },
    leaves=frozenset(".".join(path) for path in HUB.paths.values())
    | {"finding_info.title", "finding_info.desc"},
)
SHAPES: Mapping[str, Shape] = {CSPM.detail_type: ASFF, CUSTOM_ACTION: ASFF, HUB.detail_type: OCSF}
"""Detail-type -> how its findings look."""
BESIDE: Mapping[str, frozenset[str]] = {
    CUSTOM_ACTION: frozenset({"actionName", "actionDescription"})
}
"""Detail-type -> what its `detail` holds beside `findings`."""
DETAIL_TYPES = (CSPM.detail_type, HUB.detail_type, CUSTOM_ACTION, INSIGHT, *CLOUDTRAIL)

_MORE_PAIRS = {
    "Title": "finding_info.title",
    "Description": "finding_info.desc",
    "Id": "finding_info.uid",
    "ProductName": "metadata.product.name",
    "CreatedAt": "finding_info.created_time_dt",
    "UpdatedAt": "finding_info.modified_time_dt",
    "Severity.Normalized": "severity_id",
}
TO_OCSF = {
    ".".join(CSPM.paths[name]): ".".join(HUB.paths[name]) for name in CSPM.paths
} | _MORE_PAIRS
"""A dotted name in ASFF -> the same in OCSF."""
TO_ASFF = {ocsf: asff for asff, ocsf in TO_OCSF.items()}

LABELS_BY_NUMBER: tuple[tuple[str, int, int], ...] = (
    ("INFORMATIONAL", 0, 0),
    ("LOW", 1, 39),
    ("MEDIUM", 40, 69),
    ("HIGH", 70, 89),
    ("CRITICAL", 90, 100),
)
"""ASFF's severity label with the normalized numbers it stands for (asff-required-attributes,
Severity).
"""
OCSF_SEVERITIES = dict(zip(OCSF.values["severity"], OCSF.values["severity_id"], strict=True))
