"""Security Hub's findings of one account and Region, in both services: imported, updated, found
again.

They live on moto's back end, so that moto's reset takes them away too.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

from shnotify.findings.eventshape import OCSF
from shnotify.findings.importing import imported
from shnotify.formatter.times import parse
from shnotify.sandbox.rows import now

MAX_BYTES = 240 * 1024
"""The size of one finding (BatchImportFindings' guidelines, K.12)."""

_REQUIRED = (
    "SchemaVersion Id ProductArn GeneratorId AwsAccountId CreatedAt UpdatedAt Title Description"
)
_CUSTOMERS = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
"""What an import cannot change of a finding that exists (API_BatchImportFindings)."""

_SEVERITIES = dict(zip(OCSF.values["severity_id"], OCSF.values["severity"], strict=True))
_STATUSES = {
    0: "Unknown",
    1: "New",
    2: "In Progress",
    3: "Suppressed",
    4: "Resolved",
    5: "Archived",
    99: "Other",
}
"""OCSF's `status_id` (OCSF schema, Findings)."""

Findings = dict[tuple[str, str], dict[str, Any]]


class FindingError(Exception):
    """Why one finding of a batch is not taken: Security Hub's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class FindingStore:
    """The findings of one account and Region.

    cspm  (ProductArn, Id) -> ASFF
    hub   metadata.uid -> OCSF
    """

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.cspm: Findings = {}
        self.hub: dict[str, dict[str, Any]] = {}

    def put(self, finding: dict[str, Any]) -> dict[str, Any] | None:
        """Imports an ASFF finding; returns it as it then is, or None when it is no newer.

        Raises `FindingError` when a required field is missing (asff-required-attributes).
        """
        self._check(finding)
        key = (finding["ProductArn"], finding["Id"])
        old = self.cspm.get(key)
        if old is not None and _moment(finding["UpdatedAt"]) <= _moment(old["UpdatedAt"]):
            return None
        new, _ = imported({**copy.deepcopy(finding), **self._of_the_product(finding)})
        if old is not None:
            kept = {name: old[name] for name in _CUSTOMERS if name in old}
            new = {**old, **new, **kept}
            if _begins_anew(old, new):
                new["Workflow"] = {**old["Workflow"], "Status": "NEW"}
        new["WorkflowState"] = new.get("WorkflowState", "NEW")
        new["ProcessedAt"] = moment_text()
        self.cspm[key] = new
        return new

    def _check(self, finding: dict[str, Any]) -> None:
        missing = [name for name in _REQUIRED.split() if not finding.get(name)]
        if not finding.get("Resources"):
            missing.append("Resources")
        if not (
            finding.get("Severity") or (finding.get("FindingProviderFields") or {}).get("Severity")
        ):
            missing.append("Severity")
        if missing:
            text = (
                f"Finding does not adhere to Amazon Finding Format. {', '.join(missing)}: missing."
            )
            raise FindingError("InvalidInput", text)
        if finding["SchemaVersion"] != "2018-10-08":
            raise FindingError("InvalidInput", "SchemaVersion should be 2018-10-08.")
        for name in ("CreatedAt", "UpdatedAt"):
            if parse(finding[name]) is None or not finding[name].endswith("Z"):
                raise FindingError(
                    "InvalidInput", f"{name} should be an ISO 8601 date-time with Z."
                )
        for name, most in (("Title", 256), ("Description", 1024)):
            if len(finding[name]) > most:
                raise FindingError("InvalidInput", f"{name} should not be longer than {most}.")
        if len(json.dumps(finding).encode()) > MAX_BYTES:
            raise FindingError("FindingSizeExceeded", "The finding is larger than 240 KB.")

    def _of_the_product(self, finding: dict[str, Any]) -> dict[str, Any]:
        """What Security Hub adds for the product (asff-required-attributes, ProductFields)."""
        own = finding["ProductArn"].endswith(f":product/{self.account}/default")
        name, company = ("Default", "Personal") if own else _product(finding["ProductArn"])
        severity = finding.get("Severity") or {}
        told = {key: severity[key] for key in ("Label", "Original") if key in severity}
        fields = {
            "aws/securityhub/FindingId": f"{finding['ProductArn']}/{finding['Id']}",
            "aws/securityhub/ProductName": name,
            "aws/securityhub/CompanyName": company,
        }
        provider = {"Severity": told, "Types": finding.get("Types", [])}
        return {
            "ProductName": finding.get("ProductName") or name,
            "CompanyName": finding.get("CompanyName") or company,
            "Region": finding.get("Region") or self.region,
            "ProductFields": {**(finding.get("ProductFields") or {}), **fields},
            "FindingProviderFields": finding.get("FindingProviderFields") or provider,
        }

    def update(self, product: str, identity: str, change: dict[str, Any]) -> dict[str, Any] | None:
        """Changes what the customer owns of a finding; UpdatedAt stays (D.5). None: there is none."""
        found = self.cspm.get((product, identity))
        if found is None:
            return None
        change = copy.deepcopy(change)
        if "Note" in change:
            change["Note"]["UpdatedAt"] = moment_text()
        for name in ("Workflow", "Severity"):
            if name in change:
                change[name] = {**found.get(name, {}), **change[name]}
        if label := change.get("Severity", {}).get("Label"):
            change["Severity"] = {**imported({"Severity": {"Label": label}})[0]["Severity"]}
        found.update(change)
        return found

    # -- the new Security Hub --------------------------------------------------------------------

    def put_hub(self, finding: dict[str, Any]) -> dict[str, Any]:
        """Takes an OCSF finding, as one of AWS's services brings it: there is no API for it (K.15)."""
        new = copy.deepcopy(finding)
        self.hub[new["metadata"]["uid"]] = new
        return new

    def hub_finding(self, identifier: dict[str, str]) -> dict[str, Any] | None:
        """A finding by CloudAccountUid, FindingInfoUid and MetadataProductUid."""
        wanted = tuple(
            identifier.get(name)
            for name in ("CloudAccountUid", "FindingInfoUid", "MetadataProductUid")
        )
        return next((each for each in self.hub.values() if _identity(each) == wanted), None)

    @staticmethod
    def update_hub(finding: dict[str, Any], change: dict[str, Any]) -> None:
        """Changes comment, severity and status; the words follow the numbers
        (API_BatchUpdateFindingsV2).
        """
        if "Comment" in change:
            finding["comment"] = change["Comment"]
        if "StatusId" in change:
            finding["status_id"] = change["StatusId"]
            finding["status"] = _STATUSES[change["StatusId"]]
        if "SeverityId" in change:
            finding["severity_id"] = change["SeverityId"]
            finding["severity"] = _SEVERITIES[change["SeverityId"]]
        finding.update(activity_id=2, activity_name="Update")


def valid_hub_change(change: dict[str, Any]) -> bool:
    """Whether the numbers are OCSF's."""
    return change.get("StatusId", 1) in _STATUSES and change.get("SeverityId", 1) in _SEVERITIES


def _identity(finding: dict[str, Any]) -> tuple[Any, ...]:
    return (
        finding.get("cloud", {}).get("account", {}).get("uid"),
        finding.get("finding_info", {}).get("uid"),
        finding.get("metadata", {}).get("product", {}).get("uid"),
    )


def moment_text() -> str:
    """The sandbox's time as Security Hub writes it."""
    moment = dt.datetime.fromtimestamp(now(), dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> dt.datetime:
    return parse(text) or dt.datetime.min.replace(tzinfo=dt.UTC)


def _begins_anew(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether Security Hub resets the workflow from NOTIFIED or RESOLVED to NEW
    (API_WorkflowUpdate).
    """
    if old.get("Workflow", {}).get("Status") not in ("NOTIFIED", "RESOLVED"):
        return False
    came_back = (old["RecordState"], new["RecordState"]) == ("ARCHIVED", "ACTIVE")
    before, after = ((each.get("Compliance") or {}).get("Status") for each in (old, new))
    failed = before == "PASSED" and after in ("WARNING", "FAILED", "NOT_AVAILABLE")
    return came_back or failed


def _product(arn: str) -> tuple[str, str]:
    company, _, name = arn.partition(":product/")[2].partition("/")
    words = {"aws": "AWS", "guardduty": "GuardDuty", "securityhub": "Security Hub"}
    return words.get(name, name.title()), words.get(company, company.title())
