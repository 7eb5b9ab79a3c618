"""Where Security Hub answers more than moto does: it is on, it keeps findings as AWS does, and each
one that is imported or updated becomes an event.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any
from urllib.parse import unquote

from moto.securityhub import urls
from moto.securityhub.models import securityhub_backends
from moto.securityhub.responses import SecurityHubResponse

from shnotify.arns import partition_of
from shnotify.sandbox.arrivals import arrive, store_of, update_finding, update_new_finding
from shnotify.sandbox.findingfilters import in_order, passes, passes_composite, values_at
from shnotify.sandbox.findingstore import FindingError, valid_hub_change
from shnotify.sandbox.rows import Call, Proceed, answer, model, now

_MAX_BATCH = 100
_MAX_BATCH_BYTES = 6 * 1024 * 1024
_NOT_SUBSCRIBED = "Account {} is not subscribed to AWS Security Hub"

for _path in (
    "findings/batchupdate",
    "findingAggregator/list",
    "findingAggregator/create",
    "findingAggregator/get/(?P<arn>.+)",
    "findingAggregator/delete/(?P<arn>.+)",
    "hubv2",
    "findingsv2",
    "findingsv2/batchupdatev2",
    "findingsv2/statistics",
):
    urls.url_paths.setdefault(f"{{0}}/{_path}$", SecurityHubResponse.dispatch)


# -- is it on --------------------------------------------------------------------------------------


def _memory(call: Call) -> dict[str, Any]:
    memory: dict[str, Any] = call.response.securityhub_backend.__dict__
    return memory


def _needs_hub(call: Call) -> None:
    if _memory(call).get("switched_off"):
        call.fail("InvalidAccessException", _NOT_SUBSCRIBED.format(call.account))


@model(
    "moto.securityhub.models",
    "SecurityHubBackend.describe_hub",
    "premise of a notifier: Security Hub is on",
)
def security_hub_is_on_until_it_is_disabled(backend: Any, proceed: Proceed) -> Any:
    if not backend.enabled and not backend.__dict__.get("switched_off"):
        backend.enable_security_hub()
    return proceed()


@model(
    "moto.securityhub.models", "SecurityHubBackend.disable_security_hub", "API_DisableSecurityHub"
)
def a_disabled_security_hub_stays_off(backend: Any, proceed: Proceed) -> Any:
    if not backend.enabled:
        backend.enable_security_hub()
    backend.switched_off = True
    backend.__dict__.pop("finding_store", None)
    return proceed()


@model("moto.securityhub.models", "SecurityHubBackend.enable_security_hub", "API_EnableSecurityHub")
def an_enabled_security_hub_is_on_again(backend: Any, proceed: Proceed) -> Any:
    backend.switched_off = False
    return proceed()


@answer("securityhub", "DescribeSecurityHubV2", "API_DescribeSecurityHubV2; on, as the other is")
def the_new_security_hub_is_on_until_it_is_disabled(call: Call) -> dict[str, Any]:
    if _memory(call).get("hub_off"):
        call.fail("ResourceNotFoundException", _NOT_SUBSCRIBED.format(call.account))
    arn = f"arn:{partition_of(call.region)}:securityhub:{call.region}:{call.account}:hubv2/default"
    return {"HubV2Arn": arn, "SubscribedAt": "2026-01-01T00:00:00.000Z"}


@answer("securityhub", "EnableSecurityHubV2", "API_EnableSecurityHubV2")
def the_new_security_hub_is_enabled(call: Call) -> dict[str, Any]:
    _memory(call)["hub_off"] = False
    return {"HubV2Arn": the_new_security_hub_is_on_until_it_is_disabled(call)["HubV2Arn"]}


@answer("securityhub", "DisableSecurityHubV2", "API_DisableSecurityHubV2")
def the_new_security_hub_is_disabled(call: Call) -> dict[str, Any]:
    _memory(call)["hub_off"] = True
    return {}


# -- Security Hub CSPM's findings ------------------------------------------------------------------


@answer(
    "securityhub", "BatchImportFindings", "D.3, D.4, K.12, API_BatchImportFindings: its product"
)
def findings_are_imported(call: Call) -> dict[str, Any]:
    findings = call.body().get("Findings") or []
    if not 1 <= len(findings) <= _MAX_BATCH:
        call.fail("InvalidInputException", f"Findings should have 1 to {_MAX_BATCH} members.")
    if len(call.response.body) > _MAX_BATCH_BYTES:
        call.fail("InvalidInputException", "The batch is larger than 6 MB.")
    failed = []
    for finding in findings:
        try:
            _may_import(call, finding)
            arrive(call.account, call.region, finding)
        except FindingError as error:
            entry = {
                "Id": finding.get("Id", ""),
                "ErrorCode": error.code,
                "ErrorMessage": str(error),
            }
            failed.append(entry)
    done = len(findings) - len(failed)
    return {"FailedCount": len(failed), "SuccessCount": done, "FailedFindings": failed}


def _may_import(call: Call, finding: dict[str, Any]) -> None:
    """Only for one's own account and a product of one's own, or of a partner
    (securityhub-custom-providers).
    """
    if _memory(call).get("switched_off"):
        raise FindingError("InvalidAccess", _NOT_SUBSCRIBED.format(call.account))
    if finding.get("AwsAccountId") != call.account:
        raise FindingError("InvalidAccess", "AwsAccountId is not the account that calls.")
    partition = partition_of(call.region)
    product = str(finding.get("ProductArn"))
    own = f"arn:{partition}:securityhub:{call.region}:{call.account}:product/{call.account}/default"
    partners = f"arn:{partition}:securityhub:{call.region}::product/"
    if product == own or (
        product.startswith(partners) and not product.startswith(f"{partners}aws/")
    ):
        return
    raise FindingError("InvalidAccess", f"The account may not import findings for {product}.")


@answer("securityhub", "GetFindings", "API_GetFindings, API_AwsSecurityFindingFilters")
def findings_are_found(call: Call) -> dict[str, Any]:
    _needs_hub(call)
    asked, moment = call.body(), dt.datetime.fromtimestamp(now(), dt.UTC)
    everything = store_of(call.account, call.region).cspm.values()
    found = [each for each in everything if passes(each, asked.get("Filters") or {}, moment)]
    order = asked.get("SortCriteria") or [{"Field": "UpdatedAt", "SortOrder": "desc"}]
    return _page(call, asked, in_order(found, order), "InvalidInputException")


@answer("securityhub", "BatchUpdateFindings", "D.5, API_BatchUpdateFindings")
def findings_are_updated(call: Call) -> dict[str, Any]:
    _needs_hub(call)
    change = call.body()
    wanted = change.pop("FindingIdentifiers", None) or []
    if not 1 <= len(wanted) <= _MAX_BATCH:
        call.fail("InvalidInputException", f"FindingIdentifiers should have 1 to {_MAX_BATCH}.")
    note = change.get("Note")
    if not change or (note is not None and not (note.get("Text") and note.get("UpdatedBy"))):
        call.fail("InvalidInputException", "The request must have something to update.")
    done, refused = [], []
    for identifier in wanted:
        error = update_finding(call.account, call.region, identifier, change)
        refused += [error] if error else []
        done += [] if error else [identifier]
    return {"ProcessedFindings": done, "UnprocessedFindings": refused}


def _page(
    call: Call, asked: dict[str, Any], found: list[dict[str, Any]], error: str
) -> dict[str, Any]:
    size = asked.get("MaxResults") or _MAX_BATCH
    if not 1 <= int(size) <= _MAX_BATCH:
        call.fail(error, f"MaxResults should be 1 to {_MAX_BATCH}.")
    try:
        start = int(base64.b64decode(asked.get("NextToken") or "MA=="))
    except ValueError:
        call.fail(error, "NextToken is invalid.")
    page: dict[str, Any] = {"Findings": found[start : start + int(size)]}
    if start + int(size) < len(found):
        page["NextToken"] = base64.b64encode(str(start + int(size)).encode()).decode()
    return page


# -- the new Security Hub's findings ---------------------------------------------------------------


def _needs_new_hub(call: Call) -> None:
    if _memory(call).get("hub_off"):
        call.fail("AccessDeniedException", _NOT_SUBSCRIBED.format(call.account))


def _found_v2(call: Call, filters: dict[str, Any]) -> list[dict[str, Any]]:
    moment = dt.datetime.fromtimestamp(now(), dt.UTC)
    everything = store_of(call.account, call.region).hub.values()
    return [each for each in everything if passes_composite(each, filters, moment)]


@answer("securityhub", "GetFindingsV2", "API_GetFindingsV2, API_OcsfFindingFilters")
def new_findings_are_found(call: Call) -> dict[str, Any]:
    _needs_new_hub(call)
    asked = call.body()
    found = _found_v2(call, asked.get("Filters") or {})
    return _page(
        call, asked, in_order(found, asked.get("SortCriteria") or []), "ValidationException"
    )


@answer("securityhub", "BatchUpdateFindingsV2", "K.14, API_BatchUpdateFindingsV2")
def new_findings_are_updated(call: Call) -> dict[str, Any]:
    _needs_new_hub(call)
    change = call.body()
    uids = change.pop("MetadataUids", None) or []
    identifiers = change.pop("FindingIdentifiers", None) or []
    if bool(uids) == bool(identifiers) or len(uids) + len(identifiers) > _MAX_BATCH:
        call.fail("ValidationException", "Give MetadataUids or FindingIdentifiers, at most 100.")
    if not change or not valid_hub_change(change):
        call.fail("ValidationException", "Give Comment, SeverityId or StatusId, as OCSF has them.")
    done: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for named in [
        *({"MetadataUid": uid} for uid in uids),
        *({"FindingIdentifier": i} for i in identifiers),
    ]:
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


# -- who aggregates --------------------------------------------------------------------------------


def _aggregator(call: Call) -> dict[str, Any] | None:
    """The account's one aggregator; every Region of the account tells it (K.25)."""
    regions = securityhub_backends[call.account]
    found = (regions[region].__dict__.get("aggregator") for region in list(regions))
    return next((each for each in found if each), None)


def _is_named(call: Call, aggregator: dict[str, Any]) -> bool:
    return bool(unquote(call.response.path).endswith(aggregator["FindingAggregatorArn"]))


@answer("securityhub", "ListFindingAggregators", "K.25, API_ListFindingAggregators")
def aggregators_are_listed(call: Call) -> dict[str, Any]:
    _needs_hub(call)
    found = _aggregator(call)
    arns = [{"FindingAggregatorArn": found["FindingAggregatorArn"]}] if found else []
    return {"FindingAggregators": arns}


@answer("securityhub", "GetFindingAggregator", "K.25, API_GetFindingAggregator")
def an_aggregator_is_described(call: Call) -> dict[str, Any]:
    _needs_hub(call)
    found = _aggregator(call)
    if found is None or not _is_named(call, found):
        call.fail("ResourceNotFoundException", "There is no such finding aggregator.")
    return found


@answer("securityhub", "CreateFindingAggregator", "K.25, API_CreateFindingAggregator")
def an_aggregator_is_made_once(call: Call) -> dict[str, Any]:
    _needs_hub(call)
    if _aggregator(call):
        call.fail("LimitExceededException", "The account has a finding aggregator already.")
    asked = call.body()
    base = f"arn:{partition_of(call.region)}:securityhub:{call.region}:{call.account}"
    made = {
        "FindingAggregatorArn": f"{base}:finding-aggregator/123e4567-e89b-12d3-a456-426652340000",
        "FindingAggregationRegion": call.region,
        "RegionLinkingMode": asked["RegionLinkingMode"],
        "Regions": asked.get("Regions") or [],
    }
    _memory(call)["aggregator"] = made
    return made


@answer("securityhub", "DeleteFindingAggregator", "API_DeleteFindingAggregator")
def an_aggregator_is_deleted(call: Call) -> dict[str, Any]:
    found = _aggregator(call)
    if found is None or not _is_named(call, found):
        call.fail("ResourceNotFoundException", "There is no such finding aggregator.")
    securityhub_backends[call.account][found["FindingAggregationRegion"]].aggregator = None
    return {}
