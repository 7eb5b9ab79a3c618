"""Where Security Hub answers more than moto does: it is on, it keeps findings as AWS does, and each
one that is imported or updated becomes an event.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import unquote

from moto.securityhub import urls
from moto.securityhub.models import securityhub_backends
from moto.securityhub.responses import SecurityHubResponse

from shnotify.arns import partition_of
from shnotify.sandbox.arrivals import arrive, store_of, update_finding
from shnotify.sandbox.findingfilters import in_order, passes
from shnotify.sandbox.findingstore import FindingError
from shnotify.sandbox.hubpages import MAX_BATCH, NOT_SUBSCRIBED, memory_of, page_of
from shnotify.sandbox.mappings import one_window
from shnotify.sandbox.rows import Call, Proceed, answer, model, now

_MAX_BATCH_BYTES = 6 * 1024 * 1024

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


def _needs_hub(call: Call) -> None:
    if memory_of(call).get("switched_off"):
        call.fail("InvalidAccessException", NOT_SUBSCRIBED.format(call.account))


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


# -- Security Hub CSPM's findings ------------------------------------------------------------------


@answer(
    "securityhub", "BatchImportFindings", "D.3, D.4, K.12, API_BatchImportFindings: its product"
)
def findings_are_imported(call: Call) -> dict[str, Any]:
    findings = call.body().get("Findings") or []
    if not 1 <= len(findings) <= MAX_BATCH:
        call.fail("InvalidInputException", f"Findings should have 1 to {MAX_BATCH} members.")
    if len(call.response.body) > _MAX_BATCH_BYTES:
        call.fail("InvalidInputException", "The batch is larger than 6 MB.")
    failed = []
    with one_window():
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
    if memory_of(call).get("switched_off"):
        raise FindingError("InvalidAccess", NOT_SUBSCRIBED.format(call.account))
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
    return page_of(call, asked, in_order(found, order), "InvalidInputException")


@answer("securityhub", "BatchUpdateFindings", "D.5, API_BatchUpdateFindings")
def findings_are_updated(call: Call) -> dict[str, Any]:
    _needs_hub(call)
    change = call.body()
    wanted = change.pop("FindingIdentifiers", None) or []
    if not 1 <= len(wanted) <= MAX_BATCH:
        call.fail("InvalidInputException", f"FindingIdentifiers should have 1 to {MAX_BATCH}.")
    note = change.get("Note")
    if not change or (note is not None and not (note.get("Text") and note.get("UpdatedBy"))):
        call.fail("InvalidInputException", "The request must have something to update.")
    done, refused = [], []
    with one_window():
        for identifier in wanted:
            error = update_finding(call.account, call.region, identifier, change)
            refused += [error] if error else []
            done += [] if error else [identifier]
    return {"ProcessedFindings": done, "UnprocessedFindings": refused}


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
    memory_of(call)["aggregator"] = made
    return made


@answer("securityhub", "DeleteFindingAggregator", "API_DeleteFindingAggregator")
def an_aggregator_is_deleted(call: Call) -> dict[str, Any]:
    found = _aggregator(call)
    if found is None or not _is_named(call, found):
        call.fail("ResourceNotFoundException", "There is no such finding aggregator.")
    securityhub_backends[call.account][found["FindingAggregationRegion"]].aggregator = None
    return {}
