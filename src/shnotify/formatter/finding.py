"""One view of a finding, whichever of Security Hub's two schemas it comes in.

ASFF: Security Hub User Guide, asff-required-attributes and asff-top-level-attributes. OCSF: ocsf-findings. Nothing here
fails on a finding that lacks a field or has one of an unexpected type: it is empty text then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_STATUS = {"New": "NEW", "In Progress": "NOTIFIED", "Suppressed": "SUPPRESSED", "Resolved": "RESOLVED"}
_COMPLIANCE = {"Pass": "PASSED", "Fail": "FAILED", "Warning": "WARNING"}


@dataclass(frozen=True)
class Resource:
    type: str
    id: str
    name: str
    region: str


@dataclass(frozen=True)
class Finding:
    """The neutral view; times are as the schema writes them (ISO 8601 or milliseconds), `raw` is the finding itself."""

    schema: str
    id: str
    uid: str
    product_arn: str
    severity: str
    title: str
    description: str
    account: str
    account_name: str
    region: str
    product: str
    control: str
    compliance: str
    status: str
    state: str
    types: tuple[str, ...]
    resources: tuple[Resource, ...]
    remediation: str
    remediation_url: str
    created: str
    updated: str
    first_seen: str
    packages: tuple[str, ...]
    """One line for each vulnerable package: what is installed, what fixes it, and how to update."""
    source_url: str
    is_sample: bool
    raw: Mapping[str, Any]

    @property
    def is_resolved(self) -> bool:
        return self.status == "RESOLVED" or self.state == "ARCHIVED"


def findings_in(event: Mapping[str, Any]) -> list[Finding]:
    """The findings of an event, in order; empty for events that carry none (insight results, for one)."""
    raw = at(event, "detail", "findings")
    return [read(item, event) for item in raw if isinstance(item, Mapping)] if isinstance(raw, list) else []


def read(raw: Mapping[str, Any], event: Mapping[str, Any]) -> Finding:
    """One finding; what it lacks about where it comes from is taken from the event around it."""
    return _ocsf(raw, event) if is_ocsf(raw) else _asff(raw, event)


def is_ocsf(raw: Mapping[str, Any]) -> bool:
    """OCSF numbers its classes; ASFF names its schema by date."""
    return "class_uid" in raw or ("finding_info" in raw and "SchemaVersion" not in raw)


def at(node: Any, *path: str | int) -> Any:
    """The value at a path, or None."""
    for step in path:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and step < len(node) else None
        else:
            node = node.get(step) if isinstance(node, Mapping) else None
    return node


def text(node: Any, *path: str | int) -> str:
    """The text, or number, at a path; empty for anything else."""
    value = at(node, *path)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _asff(raw: Mapping[str, Any], event: Mapping[str, Any]) -> Finding:
    listed = at(raw, "Resources")
    resources = tuple(
        Resource(text(item, "Type"), text(item, "Id"), "", text(item, "Region"))
        for item in (listed if isinstance(listed, list) else ())
    )
    product_arn = text(raw, "ProductArn")
    return Finding(
        schema="cspm",
        id=text(raw, "Id"),
        uid="",
        product_arn=product_arn,
        severity=text(raw, "Severity", "Label").upper(),
        title=text(raw, "Title"),
        description=text(raw, "Description"),
        account=text(raw, "AwsAccountId") or text(event, "account"),
        account_name=text(raw, "AwsAccountName"),
        region=text(raw, "Region") or text(raw, "Resources", 0, "Region") or text(event, "region"),
        product=text(raw, "ProductName") or product_arn.rpartition("/")[2],
        control=text(raw, "Compliance", "SecurityControlId"),
        compliance=text(raw, "Compliance", "Status"),
        # A finding without a workflow is new: BatchImportFindings cannot set one.
        status=text(raw, "Workflow", "Status") or "NEW",
        state=text(raw, "RecordState") or "ACTIVE",
        types=_texts(at(raw, "Types")),
        resources=resources,
        remediation=text(raw, "Remediation", "Recommendation", "Text"),
        remediation_url=text(raw, "Remediation", "Recommendation", "Url"),
        created=text(raw, "CreatedAt"),
        updated=text(raw, "UpdatedAt"),
        first_seen=text(raw, "FirstObservedAt"),
        packages=_asff_packages(raw),
        source_url=text(raw, "SourceUrl"),
        is_sample=at(raw, "Sample") is True,
        raw=raw,
    )


def _ocsf(raw: Mapping[str, Any], event: Mapping[str, Any]) -> Finding:
    listed = at(raw, "resources")
    resources = tuple(
        Resource(text(item, "type"), _ocsf_resource_id(item), text(item, "name"), text(item, "region"))
        for item in (listed if isinstance(listed, list) else ())
    )
    product_arn = text(raw, "metadata", "product", "uid")
    status, compliance = text(raw, "status"), text(raw, "compliance", "status")
    references = _texts(at(raw, "remediation", "references"))
    return Finding(
        schema="hub",
        id=text(raw, "finding_info", "uid"),
        uid=text(raw, "metadata", "uid"),
        product_arn=product_arn,
        severity=text(raw, "severity").upper(),
        title=text(raw, "finding_info", "title"),
        description=text(raw, "finding_info", "desc"),
        account=text(raw, "cloud", "account", "uid") or text(event, "account"),
        account_name=text(raw, "cloud", "account", "name"),
        region=text(raw, "cloud", "region") or text(event, "region"),
        product=text(raw, "metadata", "product", "name") or product_arn.rpartition("/")[2],
        control=text(raw, "compliance", "control"),
        compliance=_COMPLIANCE.get(compliance, compliance.upper()),
        status=_STATUS.get(status, status.upper()) or "NEW",
        state="ARCHIVED" if text(raw, "activity_name") == "Close" else "ACTIVE",
        types=_texts(at(raw, "finding_info", "types")),
        resources=resources,
        remediation=text(raw, "remediation", "desc"),
        remediation_url=references[0] if references else "",
        created=_time(raw, "created_time"),
        updated=_time(raw, "modified_time"),
        first_seen=_time(raw, "first_seen_time"),
        packages=_ocsf_packages(raw),
        source_url=text(raw, "finding_info", "src_url"),
        is_sample=False,
        raw=raw,
    )


def _ocsf_resource_id(resource: Any) -> str:
    """The resource's ARN wherever it stands; else `uid`, or `uid_alt` where `uid` is an opaque id or an address."""
    names = ("uid", "uid_alt", "name", *sorted(resource if isinstance(resource, Mapping) else ()))
    arn = next((value for name in names if (value := text(resource, name)).startswith("arn:")), "")
    uid, other = text(resource, "uid"), text(resource, "uid_alt")
    if arn or not other:
        return arn or uid
    return other if not uid or _OPAQUE.fullmatch(uid) or "://" in uid else uid


_OPAQUE = re.compile("[A-Z0-9]{16,}|[0-9a-f]{32,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids that say nothing to a person: IAM's unique ids, digests, UUIDs."""


def _asff_packages(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """API_Vulnerability and API_SoftwarePackage; scanners also write packages into a resource's other details."""
    lines = [
        _package(text(one, "Id"), item, "Name", "Version", "FixedInVersion", text(item, "Remediation"))
        for one in _items(raw, "Vulnerabilities")
        for item in _items(one, "VulnerablePackages")
    ]
    others = [at(resource, "Details", "Other") for resource in _items(raw, "Resources")]
    lines += [
        _package(text(other, "CVE ID"), other, "PkgName", "Installed Package", "Patched Package", "")
        for other in others
        if text(other, "PkgName")
    ]
    return tuple(dict.fromkeys(filter(None, lines)))


def _ocsf_packages(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """OCSF's vulnerability and affected_package objects (schema 1.6.0)."""
    lines = [
        _package(
            text(one, "cve", "uid"), item, "name", "version", "fixed_in_version", text(item, "remediation", "desc")
        )
        for one in _items(raw, "vulnerabilities")
        for item in _items(one, "affected_packages")
    ]
    return tuple(dict.fromkeys(filter(None, lines)))


def _package(identity: str, item: Any, name: str, version: str, fixed: str, update: str) -> str:
    """`CVE-2020-0001: libfoo 1.0 -> 1.1: apt-get install libfoo`; empty without a package's name."""
    package = text(item, name)
    if not package:
        return ""
    versions = " ".join(filter(None, [package, text(item, version)]))
    change = " -> ".join(filter(None, [versions, text(item, fixed)]))
    return ": ".join(filter(None, [identity, change, update]))


def _items(node: Any, *path: str) -> list[Any]:
    """The items of the list at a path; none when there is no list."""
    found = at(node, *path)
    return found if isinstance(found, list) else []


def _time(raw: Mapping[str, Any], name: str) -> str:
    """OCSF has every time twice: as text in `..._dt`, and in milliseconds."""
    return text(raw, "finding_info", f"{name}_dt") or text(raw, "finding_info", name)
