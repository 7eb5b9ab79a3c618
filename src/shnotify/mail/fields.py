"""The lines that a summary may have: what each is called, and where an event of either schema has it."""

from __future__ import annotations

import re
from typing import NamedTuple

from shnotify.findings.guards import Guard

FINDING = "$.detail.findings[0]."


class Field(NamedTuple):
    """One line of a summary.

    cspm, hub  the JSON path in either schema's event; "" where the schema has none
    text       whether somebody outside may write text into it: then it is guarded
    required   whether a mail without it is none that says what is wrong and where
    optional   whether many findings have none
    """

    label: str
    cspm: str
    hub: str
    text: bool = False
    required: bool = False
    optional: bool = False

    def path(self, schema: str) -> str:
        return self.cspm if schema == "cspm" else self.hub

    def guard(self, schema: str) -> Guard:
        """Returns the guard of a text: the path as an event pattern has it, without indices."""
        path = self.path(schema)
        names = tuple(re.sub(r"\[\d+\]", "", path.removeprefix(FINDING)).split("."))
        return Guard(names, required=self.required, listed="[" in path.removeprefix(FINDING))


def _both(label: str, cspm: str, hub: str, **kind: bool) -> Field:
    return Field(label, cspm and FINDING + cspm, hub and FINDING + hub, **kind)


FIELDS: dict[str, Field] = {
    "severity": _both("Severity", "Severity.Label", "severity"),
    "title": _both("Title", "Title", "finding_info.title", text=True, required=True),
    "account": _both("Account", "AwsAccountId", "cloud.account.uid"),
    "account_name": _both(
        "Account name", "AwsAccountName", "cloud.account.name", text=True, optional=True
    ),
    "region": _both("Region", "Region", "cloud.region"),
    # The ARN is checked by Security Hub; a custom integration chooses its name freely.
    "product": _both("Product", "ProductArn", "metadata.product.uid"),
    "product_name": _both(
        "Product name", "ProductName", "metadata.product.name", text=True, optional=True
    ),
    "control": _both(
        "Control", "Compliance.SecurityControlId", "compliance.control", text=True, optional=True
    ),
    "compliance": _both("Compliance", "Compliance.Status", "compliance.status", optional=True),
    "resource_type": _both("Resource type", "Resources[0].Type", "resources[0].type", text=True),
    "resource_id": _both(
        "Resource", "Resources[0].Id", "resources[0].uid", text=True, required=True
    ),
    "resource_name": _both("Resource name", "", "resources[0].name", text=True, optional=True),
    "description": _both("Description", "Description", "finding_info.desc", text=True),
    "status": _both("Status", "Workflow.Status", "status"),
    "state": _both("State", "RecordState", "activity_name"),
    "created": _both("Created", "CreatedAt", "finding_info.created_time_dt"),
    "updated": _both("Updated", "UpdatedAt", "finding_info.modified_time_dt"),
    "finding_id": _both("Finding", "Id", "finding_info.uid", text=True),
    "event_id": Field("Event", "$.id", "$.id"),
}
"""Everything a summary may hold.

Security Hub checks, or writes itself, what is not marked as text (BatchImportFindings,
asff-required-attributes).
"""

REFUSED = frozenset({"remediation", "remediation_url", "note", "tags"})
"""What a function's mail has and a summary cannot: values as long as a page, or of no fixed shape."""
