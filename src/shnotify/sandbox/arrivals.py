"""Findings that arrive or change, each with the event that Security Hub sends for it."""

from __future__ import annotations

from typing import Any

from moto.securityhub.models import securityhub_backends

from shnotify.findings.eventshape import IMPORTED, SOURCE
from shnotify.findings.vocabulary import HUB
from shnotify.sandbox.delivery import send_event
from shnotify.sandbox.findingstore import FindingStore


def store_of(account: str, region: str) -> FindingStore:
    """The findings of an account and Region."""
    memory = securityhub_backends[account][region].__dict__
    found: FindingStore = memory.setdefault("finding_store", FindingStore(account, region))
    return found


def announce(account: str, region: str, finding: dict[str, Any]) -> None:
    """Sends the event of one finding to the default bus (securityhub-cwe-event-formats,
    securityhub-v2-cwe-event-formats).
    """
    ocsf = "metadata" in finding
    resource = finding["metadata"]["uid"] if ocsf else f"{finding['ProductArn']}/{finding['Id']}"
    send_event(
        account,
        region,
        source=SOURCE,
        detail_type=HUB.detail_type if ocsf else IMPORTED,
        detail={"findings": [finding]},
        resources=[resource],
    )


def arrive(account: str, region: str, finding: dict[str, Any]) -> bool:
    """A finding arrives from one of AWS's own services, in ASFF or OCSF.

    Returns whether it was news. Raises `FindingError`.
    """
    store = store_of(account, region)
    taken = store.put_hub(finding) if "metadata" in finding else store.put(finding)
    if taken is not None:
        announce(account, region, taken)
    return taken is not None


def update_finding(
    account: str, region: str, identifier: dict[str, str], change: dict[str, Any]
) -> dict[str, Any] | None:
    """Updates one finding and sends its event; returns an entry of UnprocessedFindings, or None."""
    store = store_of(account, region)
    found = store.update(identifier.get("ProductArn", ""), identifier.get("Id", ""), change)
    if found is None:
        code, text = "FindingNotFound", "Finding Not Found"
        return {"FindingIdentifier": identifier, "ErrorCode": code, "ErrorMessage": text}
    announce(account, region, found)
    return None


def update_new_finding(
    account: str, region: str, named: dict[str, Any], change: dict[str, Any]
) -> dict[str, str] | None:
    """Updates one OCSF finding and sends its event; returns why not, or None."""
    store = store_of(account, region)
    uid = named.get("MetadataUid")
    found = store.hub.get(uid) if uid else store.hub_finding(named["FindingIdentifier"])
    if found is None:
        return {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": "Finding not found"}
    store.update_hub(found, change)
    announce(account, region, found)
    return None
