"""Security Hub: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shnotify.sandbox.arrivals import arrive
from tests.sandbox.strict.cloud import ACCOUNT, DEFAULT_PRODUCT, REGION, Cloud, client, finding, refused

OCSF = json.loads((Path(__file__).parents[2] / "data/hub-guardduty-detection.json").read_text("utf-8"))["detail"][
    "findings"
][0]
UID = OCSF["metadata"]["uid"]
NAMED = {"Id": "f", "ProductArn": DEFAULT_PRODUCT}


@pytest.fixture
def hub(cloud: Cloud) -> Any:
    return client("securityhub")


def imported(hub: Any, *findings: dict[str, Any]) -> dict[str, Any]:
    """The reply, and that nothing failed."""
    reply: dict[str, Any] = hub.batch_import_findings(Findings=list(findings))
    assert (reply["FailedCount"], reply["SuccessCount"]) == (0, len(findings)), reply
    return reply


def only(hub: Any, **asked: Any) -> dict[str, Any]:
    [found] = hub.get_findings(**asked)["Findings"]
    return dict(found)


def test_security_hub_is_on_until_it_is_disabled(hub: Any) -> None:
    assert hub.describe_hub()["HubArn"].endswith(":hub/default")


def test_a_disabled_security_hub_stays_off(hub: Any) -> None:
    imported(hub, finding())
    hub.disable_security_hub()
    with pytest.raises(ClientError, match="InvalidAccessException"):
        hub.describe_hub()
    assert refused(hub.get_findings)[0] == "InvalidAccessException"
    [failed] = hub.batch_import_findings(Findings=[finding()])["FailedFindings"]
    assert (failed["Id"], failed["ErrorCode"]) == ("f", "InvalidAccess")


def test_an_enabled_security_hub_is_on_again(hub: Any) -> None:
    imported(hub, finding())
    hub.disable_security_hub()
    hub.enable_security_hub()
    assert hub.describe_hub()["HubArn"].endswith(":hub/default")
    assert hub.get_findings()["Findings"] == []


def test_the_new_security_hub_is_on_until_it_is_disabled(hub: Any) -> None:
    assert hub.describe_security_hub_v2()["HubV2Arn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hubv2/default"


def test_the_new_security_hub_is_disabled(hub: Any) -> None:
    hub.disable_security_hub_v2()
    assert refused(hub.describe_security_hub_v2)[0] == "ResourceNotFoundException"
    assert refused(hub.get_findings_v2)[0] == "AccessDeniedException"
    assert hub.describe_hub()["HubArn"].endswith(":hub/default")


def test_the_new_security_hub_is_enabled(hub: Any) -> None:
    hub.disable_security_hub_v2()
    assert hub.enable_security_hub_v2()["HubV2Arn"] == hub.describe_security_hub_v2()["HubV2Arn"]


def test_findings_are_imported(hub: Any) -> None:
    imported(hub, finding())
    found = only(hub)
    assert found["Workflow"] == {"Status": "NEW"}
    assert found["RecordState"] == "ACTIVE"
    assert found["Severity"] == {"Label": "HIGH", "Normalized": 70}
    assert (found["ProductName"], found["CompanyName"], found["Region"]) == ("Default", "Personal", REGION)
    assert found["ProductFields"]["aws/securityhub/FindingId"] == f"{DEFAULT_PRODUCT}/f"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"AwsAccountId": "111122223333"}, "InvalidAccess"),
        ({"ProductArn": f"arn:aws:securityhub:{REGION}::product/aws/guardduty"}, "InvalidAccess"),
        ({"ProductArn": DEFAULT_PRODUCT.replace(f"product/{ACCOUNT}", "product/111122223333")}, "InvalidAccess"),
        ({"Title": "x" * 257}, "InvalidInput"),
        ({"CreatedAt": "yesterday"}, "InvalidInput"),
        ({"Resources": []}, "InvalidInput"),
        ({"SchemaVersion": "2020-01-01"}, "InvalidInput"),
        ({"UserDefinedFields": {"x": "y" * 250_000}}, "FindingSizeExceeded"),
    ],
)
def test_what_is_no_finding_of_ones_own_is_refused_alone(hub: Any, change: dict[str, Any], code: str) -> None:
    reply = hub.batch_import_findings(Findings=[finding("bad", **change), finding("good")])
    assert [(f["Id"], f["ErrorCode"]) for f in reply["FailedFindings"]] == [("bad", code)]
    assert only(hub)["Id"] == "good"


def test_a_partner_may_import(hub: Any) -> None:
    imported(hub, finding(ProductArn=f"arn:aws:securityhub:{REGION}::product/prowler/prowler"))


def test_a_batch_has_its_limit(hub: Any) -> None:
    many = [finding(str(number)) for number in range(101)]
    assert refused(hub.batch_import_findings, Findings=many)[0] == "InvalidInputException"


def test_an_import_again_keeps_what_is_the_customers(hub: Any) -> None:
    imported(hub, finding())
    hub.batch_update_findings(
        FindingIdentifiers=[NAMED],
        Workflow={"Status": "SUPPRESSED"},
        Note={"Text": "known", "UpdatedBy": "me"},
        UserDefinedFields={"a": "b"},
    )
    imported(hub, finding(Title="older", UpdatedAt="2026-01-01T00:00:00Z"))
    assert only(hub)["Title"] == "t"
    imported(hub, finding(Title="new", UpdatedAt="2026-01-02T00:00:00Z", Workflow={"Status": "NEW"}))
    found = only(hub)
    assert (found["Title"], found["Workflow"], found["Note"]["Text"]) == ("new", {"Status": "SUPPRESSED"}, "known")
    assert found["UserDefinedFields"] == {"a": "b"}


@pytest.mark.parametrize(
    ("status", "before", "after", "expected"),
    [
        ("NOTIFIED", {"RecordState": "ARCHIVED"}, {"RecordState": "ACTIVE"}, "NEW"),
        ("RESOLVED", {"Compliance": {"Status": "PASSED"}}, {"Compliance": {"Status": "FAILED"}}, "NEW"),
        ("SUPPRESSED", {"RecordState": "ARCHIVED"}, {"RecordState": "ACTIVE"}, "SUPPRESSED"),
        ("NOTIFIED", {"RecordState": "ACTIVE"}, {"RecordState": "ACTIVE"}, "NOTIFIED"),
        ("NOTIFIED", {"Compliance": {"Status": "WARNING"}}, {"Compliance": {"Status": "FAILED"}}, "NOTIFIED"),
    ],
)
def test_what_comes_back_is_new_again(
    hub: Any, status: str, before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    imported(hub, finding(**before))
    hub.batch_update_findings(FindingIdentifiers=[NAMED], Workflow={"Status": status})
    imported(hub, finding(UpdatedAt="2026-01-02T00:00:00Z", **after))
    assert only(hub)["Workflow"]["Status"] == expected


def test_findings_are_found(hub: Any) -> None:
    imported(
        hub,
        finding("a", UpdatedAt="2026-01-03T00:00:00Z"),
        finding("b", UpdatedAt="2026-01-01T00:00:00Z", Severity={"Label": "LOW"}),
        finding("c", UpdatedAt="2026-01-02T00:00:00Z", RecordState="ARCHIVED"),
    )

    def ids(**filters: Any) -> list[str]:
        return [each["Id"] for each in hub.get_findings(Filters=filters)["Findings"]]

    assert ids() == ["a", "c", "b"]  # the newest first
    assert ids(SeverityLabel=[{"Value": "LOW", "Comparison": "EQUALS"}]) == ["b"]
    assert ids(Id=[{"Value": v, "Comparison": "EQUALS"} for v in "ab"]) == ["a", "b"]
    assert ids(RecordState=[{"Value": "ACTIVE", "Comparison": "NOT_EQUALS"}]) == ["c"]
    assert ids(UpdatedAt=[{"Start": "2026-01-02T00:00:00Z", "End": "2026-01-02T12:00:00Z"}]) == ["c"]
    assert ids(ProductArn=[{"Value": DEFAULT_PRODUCT, "Comparison": "EQUALS"}], WorkflowStatus=[]) == ["a", "c", "b"]
    order = [{"Field": "UpdatedAt", "SortOrder": "asc"}]
    assert [f["Id"] for f in hub.get_findings(SortCriteria=order)["Findings"]] == ["b", "c", "a"]


def test_pages_come_one_after_the_other(hub: Any) -> None:
    imported(hub, *(finding(str(number)) for number in range(7)))
    pages = list(hub.get_paginator("get_findings").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Findings"]) for page in pages] == [3, 3, 1]
    assert len({f["Id"] for page in pages for f in page["Findings"]}) == 7
    assert refused(hub.get_findings, NextToken="nonsense")[0] == "InvalidInputException"


def test_findings_are_updated(hub: Any) -> None:
    imported(hub, finding())
    other = {"Id": "other", "ProductArn": DEFAULT_PRODUCT}
    reply = hub.batch_update_findings(FindingIdentifiers=[NAMED, other], Workflow={"Status": "RESOLVED"})
    assert reply["ProcessedFindings"] == [NAMED]
    assert [(u["FindingIdentifier"], u["ErrorCode"]) for u in reply["UnprocessedFindings"]] == [
        (other, "FindingNotFound")
    ]
    assert only(hub)["Workflow"] == {"Status": "RESOLVED"}
    assert only(hub)["UpdatedAt"] == "2026-01-01T00:00:00Z"  # an update by the customer leaves it (D.5)
    hub.batch_update_findings(FindingIdentifiers=[NAMED], Severity={"Label": "LOW"})
    assert only(hub)["Severity"] == {"Label": "LOW", "Normalized": 1}
    assert refused(hub.batch_update_findings, FindingIdentifiers=[NAMED])[0] == "InvalidInputException"


# -- the new Security Hub --------------------------------------------------------------------------


def _equals(field: str, value: str) -> dict[str, Any]:
    given = {"FieldName": field, "Filter": {"Value": value, "Comparison": "EQUALS"}}
    return {"CompositeFilters": [{"StringFilters": [given]}]}


def test_new_findings_are_found(hub: Any) -> None:
    arrive(ACCOUNT, REGION, OCSF)
    assert [f["metadata"]["uid"] for f in hub.get_findings_v2()["Findings"]] == [UID]
    assert len(hub.get_findings_v2(Filters=_equals("metadata.uid", UID))["Findings"]) == 1
    assert hub.get_findings_v2(Filters=_equals("severity", "Low"))["Findings"] == []
    either = {
        "CompositeFilters": [
            *_equals("severity", "Low")["CompositeFilters"],
            *_equals("severity", "High")["CompositeFilters"],
        ]
    }
    assert hub.get_findings_v2(Filters=either)["Findings"] == []
    assert len(hub.get_findings_v2(Filters={**either, "CompositeOperator": "OR"})["Findings"]) == 1


def test_new_findings_are_updated(hub: Any) -> None:
    arrive(ACCOUNT, REGION, OCSF)
    reply = hub.batch_update_findings_v2(MetadataUids=[UID, "other"], StatusId=4, Comment="done")
    assert [p["MetadataUid"] for p in reply["ProcessedFindings"]] == [UID]
    assert [(u["MetadataUid"], u["ErrorCode"]) for u in reply["UnprocessedFindings"]] == [
        ("other", "ResourceNotFoundException")
    ]
    [found] = hub.get_findings_v2()["Findings"]
    assert (found["status"], found["status_id"], found["comment"]) == ("Resolved", 4, "done")
    assert refused(hub.batch_update_findings_v2, MetadataUids=[UID], StatusId=42)[0] == "ValidationException"


def test_new_findings_are_counted(hub: Any) -> None:
    for number, severity in enumerate(("High", "Low", "High")):
        arrive(ACCOUNT, REGION, {**OCSF, "severity": severity, "metadata": {**OCSF["metadata"], "uid": str(number)}})
    [group] = hub.get_finding_statistics_v2(GroupByRules=[{"GroupByField": "severity"}])["GroupByResults"]
    assert group["GroupByValues"] == [{"FieldValue": "High", "Count": 2}, {"FieldValue": "Low", "Count": 1}]


# -- aggregation -----------------------------------------------------------------------------------


def test_aggregators_are_listed(hub: Any) -> None:
    assert hub.list_finding_aggregators()["FindingAggregators"] == []
    assert hub.get_administrator_account().get("Administrator") is None
    assert hub.list_members()["Members"] == []


def test_an_aggregator_is_made_once(hub: Any) -> None:
    arn = hub.create_finding_aggregator(RegionLinkingMode="ALL_REGIONS")["FindingAggregatorArn"]
    assert hub.list_finding_aggregators()["FindingAggregators"] == [{"FindingAggregatorArn": arn}]
    assert refused(hub.create_finding_aggregator, RegionLinkingMode="ALL_REGIONS")[0] == "LimitExceededException"


def test_an_aggregator_is_described(hub: Any) -> None:
    made = hub.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=["eu-west-1"])
    found = hub.get_finding_aggregator(FindingAggregatorArn=made["FindingAggregatorArn"])
    assert (found["FindingAggregationRegion"], found["Regions"]) == (REGION, ["eu-west-1"])
    gone = made["FindingAggregatorArn"][:-1] + "9"
    assert refused(hub.get_finding_aggregator, FindingAggregatorArn=gone)[0] == "ResourceNotFoundException"


def test_an_aggregator_is_deleted(hub: Any) -> None:
    arn = hub.create_finding_aggregator(RegionLinkingMode="ALL_REGIONS")["FindingAggregatorArn"]
    hub.delete_finding_aggregator(FindingAggregatorArn=arn)
    assert hub.list_finding_aggregators()["FindingAggregators"] == []
