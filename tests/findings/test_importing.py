"""What Security Hub fills in when it imports a finding, by the documented ranges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.findings.importing import imported
from shnotify.findings.reading import inputs_from

DATA = Path(__file__).parents[1] / "data" / "products"


@pytest.mark.parametrize(
    ("normalized", "label"),
    [
        *((0, "INFORMATIONAL"), (1, "LOW"), (39, "LOW"), (40, "MEDIUM"), (69, "MEDIUM"), (70, "HIGH"), (89, "HIGH")),
        *((90, "CRITICAL"), (100, "CRITICAL")),
    ],
)
def test_the_label_of_a_number(normalized: int, label: str) -> None:
    """API_Severity: 0, 1-39, 40-69, 70-89, 90-100."""
    finding, told = imported({"Severity": {"Normalized": normalized}})
    assert finding["Severity"] == {"Normalized": normalized, "Label": label}
    assert f"Severity.Label = {label}" in told


@pytest.mark.parametrize(
    ("label", "normalized"), [("INFORMATIONAL", 0), ("LOW", 1), ("MEDIUM", 40), ("HIGH", 70), ("CRITICAL", 90)]
)
def test_the_number_of_a_label(label: str, normalized: int) -> None:
    assert imported({"Severity": {"Label": label}})[0]["Severity"]["Normalized"] == normalized


def test_what_a_product_does_not_say() -> None:
    finding, told = imported({"AwsAccountId": 12345678901, "Severity": {"Label": "HIGH", "Normalized": 70}})
    assert finding["AwsAccountId"] == "012345678901"
    assert (finding["Workflow"], finding["RecordState"]) == ({"Status": "NEW"}, "ACTIVE")
    assert told == ("AwsAccountId = 012345678901", "Workflow.Status = NEW", "RecordState = ACTIVE")


def test_what_the_provider_says_of_the_severity() -> None:
    finding, _ = imported({"FindingProviderFields": {"Severity": {"Label": "CRITICAL"}}})
    assert finding["Severity"] == {"Label": "CRITICAL", "Normalized": 90}


def test_a_products_own_number_says_nothing() -> None:
    assert imported({"Severity": {"Product": 8}})[0]["Severity"] == {"Product": 8}


FULL = {
    "AwsAccountId": "123456789012",
    "Severity": {"Label": "LOW", "Normalized": 90},
    "Workflow": {"Status": "RESOLVED"},
    "RecordState": "ARCHIVED",
}


def test_what_a_finding_says_itself_stays() -> None:
    assert imported(FULL) == (FULL, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Severity", "Label", "Normalized", "Workflow", "Status"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["Severity", "Workflow", "RecordState", "AwsAccountId", "x"]), JSON))
def test_whatever_it_holds_an_import_is_the_same_the_second_time(finding: dict[str, Any]) -> None:
    once, _ = imported(finding)
    assert imported(once) == (once, ())


# -- where each stands -------------------------------------------------------------------------------------------------


def test_a_finding_in_a_list_is_named_by_its_line() -> None:
    text = (DATA / "trivy-image.json").read_text("utf-8")
    (found,) = inputs_from(text)
    assert found.line == 2
    assert found.filled == ("Severity.Normalized = 90", "Workflow.Status = NEW")


def test_findings_of_a_reply_are_named_by_their_lines() -> None:
    one = json.dumps(FULL | {"ProductArn": "p"})
    text = f'{{"NextToken": "x", "Findings": [\n{one},\n\n{one}]}}\n{one}'
    assert [found.line for found in inputs_from(text)] == [2, 4, 5]


def test_of_two_members_of_one_name_the_last_counts() -> None:
    one = json.dumps(FULL | {"ProductArn": "p"})
    text = f'{{"Findings": [],\n"Findings": [\n{one}]}}'
    assert [found.line for found in inputs_from(text)] == [3]
