"""The new Security Hub: OCSF findings, which AWS's services bring and customers update."""

from __future__ import annotations

import datetime as dt
from typing import Any

from shnotify.arns import partition_of
from shnotify.sandbox.arrivals import store_of, update_new_finding
from shnotify.sandbox.findingfilters import in_order, passes_composite, values_at
from shnotify.sandbox.findingstore import valid_hub_change
from shnotify.sandbox.hubpages import MAX_BATCH, NOT_SUBSCRIBED, memory_of, page_of
from shnotify.sandbox.mappings import one_window
from shnotify.sandbox.rows import Call, answer, now


@answer("securityhub", "DescribeSecurityHubV2", "API_DescribeSecurityHubV2; on, as the other is")
def the_new_security_hub_is_on_until_it_is_disabled(call: Call) -> dict[str, Any]:
    if memory_of(call).get("hub_off"):
        call.fail("ResourceNotFoundException", NOT_SUBSCRIBED.format(call.account))
    arn = f"arn:{partition_of(call.region)}:securityhub:{call.region}:{call.account}:hubv2/default"
    return {"HubV2Arn": arn, "SubscribedAt": "2026-01-01T00:00:00.000Z"}


@answer("securityhub", "EnableSecurityHubV2", "API_EnableSecurityHubV2")
def the_new_security_hub_is_enabled(call: Call) -> dict[str, Any]:
    memory_of(call)["hub_off"] = False
    return {"HubV2Arn": the_new_security_hub_is_on_until_it_is_disabled(call)["HubV2Arn"]}


@answer("securityhub", "DisableSecurityHubV2", "API_DisableSecurityHubV2")
def the_new_security_hub_is_disabled(call: Call) -> dict[str, Any]:
    memory_of(call)["hub_off"] = True
    return {}


def _needs_new_hub(call: Call) -> None:
    if memory_of(call).get("hub_off"):
        call.fail("AccessDeniedException", NOT_SUBSCRIBED.format(call.account))


def _found_v2(call: Call, filters: dict[str, Any]) -> list[dict[str, Any]]:
    moment = dt.datetime.fromtimestamp(now(), dt.UTC)
    everything = store_of(call.account, call.region).hub.values()
    return [each for each in everything if passes_composite(each, filters, moment)]


@answer("securityhub", "GetFindingsV2", "API_GetFindingsV2, API_OcsfFindingFilters")
def new_findings_are_found(call: Call) -> dict[str, Any]:
    _needs_new_hub(call)
    asked = call.body()
    found = _found_v2(call, asked.get("Filters") or {})
    ordered = in_order(found, asked.get("SortCriteria") or [])
    return page_of(call, asked, ordered, "ValidationException")


@answer("securityhub", "BatchUpdateFindingsV2", "K.14, API_BatchUpdateFindingsV2")
def new_findings_are_updated(call: Call) -> dict[str, Any]:
    _needs_new_hub(call)
    change = call.body()
    uids = change.pop("MetadataUids", None) or []
    identifiers = change.pop("FindingIdentifiers", None) or []
    if bool(uids) == bool(identifiers) or len(uids) + len(identifiers) > MAX_BATCH:
        call.fail("ValidationException", "Give MetadataUids or FindingIdentifiers, at most 100.")
    if not change or not valid_hub_change(change):
        call.fail("ValidationException", "Give Comment, SeverityId or StatusId, as OCSF has them.")
    done: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    every = [
        *({"MetadataUid": uid} for uid in uids),
        *({"FindingIdentifier": i} for i in identifiers),
    ]
    with one_window():
        for named in every:
            error = update_new_finding(call.account, call.region, named, change)
            (refused if error else done).append({**named, **(error or {})})
    return {"ProcessedFindings": done, "UnprocessedFindings": refused}


@answer("securityhub", "GetFindingStatisticsV2", "K.13, API_GetFindingStatisticsV2")
def new_findings_are_counted(call: Call) -> dict[str, Any]:
    _needs_new_hub(call)
    asked, results = call.body(), []
    for rule in asked.get("GroupByRules") or []:
        field, counts = rule["GroupByField"], dict[str, int]()
        for finding in _found_v2(call, rule.get("Filters") or {}):
            for value in {str(each) for each in values_at(finding, field)}:
                counts[value] = counts.get(value, 0) + 1
        order = 1 if asked.get("SortOrder") == "asc" else -1
        most = sorted(counts.items(), key=lambda each: (order * each[1], each[0]))
        values = [{"FieldValue": value, "Count": count} for value, count in most]
        most_results = asked.get("MaxStatisticResults") or 100
        results.append({"GroupByField": field, "GroupByValues": values[:most_results]})
    return {"GroupByResults": results}
