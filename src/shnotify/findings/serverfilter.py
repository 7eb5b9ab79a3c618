"""What Security Hub itself can leave out before findings are read: never more than the routes do.

Pure. What a filter cannot say is judged afterwards, by the routes' own patterns (API_GetFindings,
API_GetFindingsV2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shnotify.findings.vocabulary import HUB

if TYPE_CHECKING:
    from shnotify.findings.filters import Findings

MAX_VALUES = 20
"""The values of one attribute (API_GetFindings, Filters)."""
_CSPM = {
    "severity": "SeverityLabel",
    "workflow_status": "WorkflowStatus",
    "record_state": "RecordState",
    "compliance_status": "ComplianceStatus",
    "accounts": "AwsAccountId",
}
_HUB = {"severity": "severity", "workflow_status": "status", "accounts": "cloud.account.uid"}


def common(routes: Sequence[Findings | None], fields: Mapping[str, str]) -> dict[str, list[str]]:
    """Maps Security Hub's names to the values that some route wants, where every route filters.

    routes  the filters of the routes; None for a raw pattern, of which nothing is known
    """
    if not routes or None in routes:
        return {}
    found: dict[str, list[str]] = {}
    for field, name in fields.items():
        wanted = [_wanted(route, field) for route in routes if route]
        values = sorted({value for values in wanted for value in values or ()})
        if None not in wanted and 0 < len(values) <= MAX_VALUES:
            found[name] = values
    return found


def _wanted(findings: Findings, field: str) -> tuple[str, ...] | None:
    if field == "severity" and isinstance(findings.products, Mapping):
        return None  # each product has severities of its own
    values: tuple[str, ...] | None = getattr(findings, field)
    return values


def for_cspm(routes: Sequence[Findings | None]) -> dict[str, Any]:
    """Builds `Filters` of GetFindings."""
    return {
        name: [{"Value": value, "Comparison": "EQUALS"} for value in values]
        for name, values in common(routes, _CSPM).items()
    }


def for_hub(routes: Sequence[Findings | None]) -> dict[str, Any]:
    """Builds `Filters` of GetFindingsV2."""
    fields = {name: field for field, name in _HUB.items()}
    composed = [
        {
            "StringFilters": [
                {"FieldName": name, "Filter": {"Value": word, "Comparison": "EQUALS"}}
                for value in values
                for word in HUB.words.get(fields[name], {}).get(value, (value,))
            ],
            "Operator": "OR",
        }
        for name, values in common(routes, _HUB).items()
    ]
    return {"CompositeFilters": composed, "CompositeOperator": "AND"} if composed else {}
