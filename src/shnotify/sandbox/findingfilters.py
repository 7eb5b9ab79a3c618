"""The filters and orders of Security Hub's GetFindings and GetFindingsV2. Pure.

Source: API_AwsSecurityFindingFilters, API_StringFilter, API_DateFilter, API_CompositeFilter.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from shnotify.formatter.times import parse

_PATHS = {
    "Type": "Types",
    "SeverityLabel": "Severity.Label",
    "SeverityNormalized": "Severity.Normalized",
    "SeverityProduct": "Severity.Product",
    "RecommendationText": "Remediation.Recommendation.Text",
    "ResourceType": "Resources.Type",
    "ResourceId": "Resources.Id",
    "ResourcePartition": "Resources.Partition",
    "ResourceRegion": "Resources.Region",
    "ResourceTags": "Resources.Tags",
    "ComplianceStatus": "Compliance.Status",
    "ComplianceSecurityControlId": "Compliance.SecurityControlId",
    "ComplianceAssociatedStandardsId": "Compliance.AssociatedStandards.StandardsId",
    "WorkflowStatus": "Workflow.Status",
    "NoteText": "Note.Text",
    "NoteUpdatedAt": "Note.UpdatedAt",
    "NoteUpdatedBy": "Note.UpdatedBy",
    "RelatedFindingsProductArn": "RelatedFindings.ProductArn",
    "RelatedFindingsId": "RelatedFindings.Id",
    "FindingProviderFieldsConfidence": "FindingProviderFields.Confidence",
    "FindingProviderFieldsCriticality": "FindingProviderFields.Criticality",
    "FindingProviderFieldsSeverityLabel": "FindingProviderFields.Severity.Label",
    "FindingProviderFieldsSeverityOriginal": "FindingProviderFields.Severity.Original",
    "FindingProviderFieldsTypes": "FindingProviderFields.Types",
    "VulnerabilitiesExploitAvailable": "Vulnerabilities.ExploitAvailable",
    "VulnerabilitiesFixAvailable": "Vulnerabilities.FixAvailable",
}
"""A filter's name -> where it is in ASFF; others are a field of that name at the top."""

_SORTED_BY = {"SeverityNormalized": "Severity.Normalized", **_PATHS}
_NOT = ("NOT_EQUALS", "PREFIX_NOT_EQUALS", "NOT_CONTAINS")


def passes(finding: Mapping[str, Any], filters: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether an ASFF finding passes: every field's filters hold."""
    return all(
        _field(values_at(finding, _PATHS.get(name, name)), conditions, now)
        for name, conditions in filters.items()
        if conditions
    )


def passes_composite(
    finding: Mapping[str, Any], filters: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Whether an OCSF finding passes (API_OcsfFindingFilters); the operators default to AND."""
    groups = [_composite(finding, each, now) for each in filters.get("CompositeFilters") or ()]
    return _joined(groups, filters.get("CompositeOperator"))


def in_order(
    findings: Iterable[dict[str, Any]], criteria: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Sorts by each criterion, the first one first; what lacks a field comes last."""
    found = list(findings)
    for criterion in reversed(criteria):
        path = _SORTED_BY.get(criterion["Field"], criterion["Field"])
        downwards = criterion.get("SortOrder", "asc") == "desc"

        def key(finding: dict[str, Any], path: str = path, downwards: bool = downwards) -> Any:
            value = next(iter(values_at(finding, path)), None)
            number = value if isinstance(value, int | float) else 0
            return (value is not None) == downwards, number, str(value)

        found.sort(key=key, reverse=downwards)
    return found


def values_at(node: Any, path: str) -> list[Any]:
    """All values at a dotted path; lists are looked through."""
    nodes = [node]
    for step in path.split("."):
        nodes = [each[step] for each in _flat(nodes) if isinstance(each, Mapping) and step in each]
    return list(_flat(nodes))


def _flat(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, list):
            yield from _flat(node)
        else:
            yield node


def _composite(finding: Mapping[str, Any], group: Mapping[str, Any], now: dt.datetime) -> bool:
    held = [
        _field(values_at(finding, each["FieldName"]), [each["Filter"]], now)
        for name in ("String", "Date", "Boolean", "Number", "Map", "Ip")
        for each in group.get(f"{name}Filters") or ()
    ]
    nested = [_composite(finding, each, now) for each in group.get("NestedCompositeFilters") or ()]
    return _joined([*held, *nested], group.get("Operator"))


def _joined(held: list[bool], how: object) -> bool:
    return not held or (any(held) if how == "OR" else all(held))


def _field(values: list[Any], conditions: Sequence[Mapping[str, Any]], now: dt.datetime) -> bool:
    """The filters of one field: those that want something are joined by OR, those that exclude by
    AND (API_StringFilter).
    """
    wanting = [each for each in conditions if each.get("Comparison") not in _NOT]
    excluding = [each for each in conditions if each.get("Comparison") in _NOT]
    wanted = not wanting or any(
        any(_holds(value, each, now) for value in values) for each in wanting
    )
    return wanted and all(all(_holds(value, each, now) for value in values) for each in excluding)


def _holds(value: Any, condition: Mapping[str, Any], now: dt.datetime) -> bool:
    if "Key" in condition:
        value = value.get(condition["Key"]) if isinstance(value, Mapping) else None
    if "Cidr" in condition:
        return _within(value, condition["Cidr"])
    if condition.keys() & {"Start", "End", "DateRange"}:
        return _date(parse(str(value)), condition, now)
    if condition.keys() & {"Gte", "Lte", "Eq", "Gt", "Lt"}:
        return _number(value, condition)
    if isinstance(condition.get("Value"), bool):
        return value is condition["Value"]
    return _text(value, str(condition.get("Value", "")), condition.get("Comparison", "EQUALS"))


def _text(value: Any, wanted: str, comparison: str) -> bool:
    text = "" if value is None else str(value)
    holds = {
        "EQUALS": text == wanted,
        "PREFIX": text.startswith(wanted),
        "CONTAINS": wanted in text,
        "CONTAINS_WORD": wanted.casefold() in re.findall(r"\w+", text.casefold()),
    }
    opposite = {"NOT_EQUALS": "EQUALS", "PREFIX_NOT_EQUALS": "PREFIX", "NOT_CONTAINS": "CONTAINS"}
    if comparison in opposite:
        return not holds[opposite[comparison]]
    return value is not None and holds[comparison]


def _number(value: Any, condition: Mapping[str, Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_COMPARE[name](value, bound) for name, bound in condition.items())


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "Gte": operator.ge,
    "Lte": operator.le,
    "Eq": operator.eq,
    "Gt": operator.gt,
    "Lt": operator.lt,
}


def _date(value: dt.datetime | None, condition: Mapping[str, Any], now: dt.datetime) -> bool:
    if value is None:
        return False
    if "DateRange" in condition:
        back = now - dt.timedelta(days=condition["DateRange"]["Value"])
        older = condition["DateRange"].get("Comparison") == "OLDER_THAN"
        return value < back if older else back <= value <= now
    start, end = (
        parse(condition[name]) if name in condition else None for name in ("Start", "End")
    )
    return (start is None or value >= start) and (end is None or value <= end)


def _within(value: Any, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(str(value)) in ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
