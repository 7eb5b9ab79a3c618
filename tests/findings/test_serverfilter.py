"""What Security Hub leaves out before findings are read: never one that a route wants."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.findings.filters import Findings
from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import PatternError
from shnotify.findings.reading import wrap
from shnotify.findings.serverfilter import for_cspm, for_hub
from shnotify.schema.reading import read

SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]
STATUSES = ["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"]
ACCOUNTS = ["111122223333", "444455556666"]


def some(values: list[str]) -> st.SearchStrategy[Any]:
    return st.just("any") | st.lists(st.sampled_from(values), min_size=1, unique=True)


FILTERS = st.fixed_dictionaries(
    {
        "severity": some(SEVERITIES),
        "workflow_status": some(STATUSES),
        "record_state": some(["ACTIVE", "ARCHIVED"]),
        "accounts": some(ACCOUNTS),
    }
).map(lambda data: read(Findings, data))


def test_the_default_filter() -> None:
    asked = for_cspm([Findings()])
    assert {name: [one["Value"] for one in values] for name, values in asked.items()} == {
        "SeverityLabel": ["CRITICAL", "HIGH"],
        "WorkflowStatus": ["NEW"],
        "RecordState": ["ACTIVE"],
    }
    words = [
        [one["Filter"]["Value"] for one in part["StringFilters"]] for part in for_hub([Findings()])["CompositeFilters"]
    ]
    assert words == [["Critical", "Fatal", "High"], ["New"]]


def test_a_raw_pattern_leaves_nothing_out() -> None:
    assert (for_cspm([Findings(), None]), for_hub([None]), for_cspm([])) == ({}, {}, {})


def test_severities_of_products_are_not_severities_of_all() -> None:
    own = read(Findings, {"products": {"guardduty": ["LOW"]}})
    assert "SeverityLabel" not in for_cspm([own])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(FILTERS, min_size=1, max_size=3),
    st.sampled_from(SEVERITIES),
    st.sampled_from(STATUSES),
    st.sampled_from(["ACTIVE", "ARCHIVED"]),
    st.sampled_from(ACCOUNTS),
)
def test_whatever_a_route_wants_passes(
    routes: list[Findings], severity: str, status: str, state: str, account: str
) -> None:
    finding = {
        "SchemaVersion": "2018-10-08",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
        "Severity": {"Label": severity},
        "Workflow": {"Status": status},
        "RecordState": state,
        "AwsAccountId": account,
    }
    have = {"SeverityLabel": severity, "WorkflowStatus": status, "RecordState": state, "AwsAccountId": account}
    passes = all(have[name] in [one["Value"] for one in values] for name, values in for_cspm(routes).items())
    for route in routes:
        try:
            wanted = matches(event_pattern("cspm", route, "aws"), wrap(finding))
        except PatternError:
            continue
        assert passes or not wanted
