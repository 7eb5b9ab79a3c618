"""What both of Security Hub's services have in common: their pages, limits and memory."""

from __future__ import annotations

import base64
from typing import Any

from shnotify.sandbox.rows import Call

MAX_BATCH = 100
"""Findings of a page and of a batch (API_GetFindings, API_BatchUpdateFindings)."""
NOT_SUBSCRIBED = "Account {} is not subscribed to AWS Security Hub"


def memory_of(call: Call) -> dict[str, Any]:
    """What this account and Region remember; gone with moto's reset."""
    memory: dict[str, Any] = call.response.securityhub_backend.__dict__
    return memory


def page_of(
    call: Call, asked: dict[str, Any], found: list[dict[str, Any]], error: str
) -> dict[str, Any]:
    """One page of what was found, as MaxResults and NextToken ask for; `error` is the code for a
    wrong one.
    """
    size = asked.get("MaxResults") or MAX_BATCH
    if not 1 <= int(size) <= MAX_BATCH:
        call.fail(error, f"MaxResults should be 1 to {MAX_BATCH}.")
    try:
        start = int(base64.b64decode(asked.get("NextToken") or "MA=="))
    except ValueError:
        call.fail(error, "NextToken is invalid.")
    page: dict[str, Any] = {"Findings": found[start : start + int(size)]}
    if start + int(size) < len(found):
        page["NextToken"] = base64.b64encode(str(start + int(size)).encode()).decode()
    return page
