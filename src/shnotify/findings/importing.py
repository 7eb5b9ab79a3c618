"""What Security Hub makes of a finding that a product sends it: the fields that an import fills in.

Pure.

Source: Security Hub User Guide, asff-required-attributes and asff-top-level-attributes;
API_Severity; API_Workflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LABELS = ((0, "INFORMATIONAL"), (39, "LOW"), (69, "MEDIUM"), (89, "HIGH"), (100, "CRITICAL"))
"""The highest `Severity.Normalized` of each label (API_Severity)."""
NORMALIZED = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}
"""What `Severity.Normalized` becomes when only a label is given (API_Severity)."""


def imported(finding: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns an ASFF finding as Security Hub sends it on, and what was filled in.

    What the finding says itself stays as it is.
    """
    filled: dict[str, Any] = {}
    account = finding.get("AwsAccountId")
    if isinstance(account, int) and not isinstance(account, bool):
        filled["AwsAccountId"] = f"{account:012d}"
    severity, of_severity = _severity(finding)
    if of_severity:
        filled["Severity"] = severity
    if not _text(finding, "Workflow", "Status"):
        filled["Workflow"] = {**_mapping(finding.get("Workflow")), "Status": "NEW"}
    if not _text(finding, "RecordState"):
        filled["RecordState"] = "ACTIVE"
    told = [f"{path} = {value}" for path, value in of_severity.items()]
    told += [f"AwsAccountId = {filled['AwsAccountId']}"] if "AwsAccountId" in filled else []
    told += ["Workflow.Status = NEW"] if "Workflow" in filled else []
    told += ["RecordState = ACTIVE"] if "RecordState" in filled else []
    return {**finding, **filled}, tuple(told)


def _severity(finding: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the severity after the import, and what of it was filled in."""
    given = _mapping(finding.get("Severity"))
    provider = _mapping(_mapping(finding.get("FindingProviderFields")).get("Severity"))
    label = given.get("Label") or provider.get("Label")
    normalized = given.get("Normalized", provider.get("Normalized"))
    if not label and isinstance(normalized, int | float) and _is_number(normalized):
        label = next((name for most, name in LABELS if normalized <= most), None)
    if not _is_number(normalized) and isinstance(label, str):
        normalized = NORMALIZED.get(label)
    made = {"Label": label, "Normalized": normalized}
    new = {
        name: value for name, value in made.items() if value is not None and given.get(name) is None
    }
    return {**given, **new}, {f"Severity.{name}": value for name, value in new.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(node: Any, *path: str) -> str:
    for step in path:
        node = node.get(step) if isinstance(node, Mapping) else None
    return node if isinstance(node, str) else ""
