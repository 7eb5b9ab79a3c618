"""Raw patterns that can match nothing: told with the right value, and never told of a pattern that matches an event."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import PatternError, validate_pattern
from shnotify.findings.possible import dead_parts, never_matches
from tests.support.samples import NAMES, filters, sample

SAMPLES = [sample(name) for name in NAMES]
CSPM, HUB = "Security Hub Findings - Imported", "Findings Imported V2"


def cspm(finding: dict[str, Any], kind: str = CSPM) -> dict[str, Any]:
    return {"source": ["aws.securityhub"], "detail-type": [kind], "detail": {"findings": finding}}


def hub(finding: dict[str, Any]) -> dict[str, Any]:
    return cspm(finding, HUB)


NEVER: dict[str, tuple[dict[str, Any], str, str]] = {
    "detail-type cut": (
        cspm({}, "Security Hub Findings") | {"detail": {}},
        "detail-type[0]",
        f"did you mean '{CSPM}'?",
    ),
    "detail-type in other capitals": ({"detail-type": ["findings imported v2"]}, "detail-type[0]", f"'{HUB}'"),
    "detail-type of nothing": ({"detail-type": [{"prefix": "Scheduled"}]}, "detail-type[0]", f"'{CSPM}'"),
    "source misspelt": ({"source": ["aws.security-hub"]}, "source[0]", "Security Hub's is aws.securityhub"),
    "source in capitals": ({"source": ["AWS.SecurityHub"]}, "source[0]", "Security Hub's is aws.securityhub"),
    "source of another service": ({"source": ["aws.guardduty"]}, "source", "none of its findings"),
    "source of one's own": ({"source": ["com.example.app"]}, "source", "none of its findings"),
    "a field of no event": ({"detailtype": ["x"]}, "detailtype", "did you mean detail-type?"),
    "Source": ({"Source": ["aws.securityhub"]}, "Source", "did you mean source?"),
    "capitals in OCSF": (hub({"severity": ["CRITICAL", "HIGH"]}), "detail.findings.severity", "write [Critical, High]"),
    "ASFF's word in OCSF": (hub({"compliance": {"status": ["FAILED"]}}), "compliance.status[0]", "write [Fail]"),
    "NOTIFIED in OCSF": (hub({"status": ["NOTIFIED"]}), "status[0]", "write [In Progress]"),
    "OCSF's word in ASFF": (cspm({"Compliance": {"Status": ["Fail"]}}), "Compliance.Status[0]", "write [FAILED]"),
    "small letters in ASFF": (cspm({"Severity": {"Label": ["high"]}}), "Severity.Label[0]", "write [HIGH]"),
    "a level that is none": (
        cspm({"Severity": {"Label": ["URGENT"]}}),
        "Severity.Label[0]",
        "it is one of INFORMATIONAL",
    ),
    "a prefix of no level": (hub({"severity": [{"prefix": "CRIT"}]}), "severity[0]", "it is one of Unknown"),
    "everything left out": (
        cspm({"RecordState": [{"anything-but": ["ACTIVE", "ARCHIVED"]}]}),
        "RecordState[0]",
        "never",
    ),
    "ASFF path in OCSF": (
        hub({"Severity": {"Label": ["CRITICAL"]}}),
        "Severity.Label",
        "{severity: [...]}, with Critical",
    ),
    "ASFF account in OCSF": (hub({"AwsAccountId": ["1"]}), "AwsAccountId", "{cloud: {account: {uid: [...]}}}"),
    "OCSF path in ASFF": (cspm({"severity": ["HIGH"]}), "severity", "{Severity: {Label: [...]}}"),
    "OCSF control in ASFF": (cspm({"compliance": {"control": ["S3.1"]}}), "control", "{Compliance: {SecurityControlId"),
    "small letters in a path": (
        cspm({"Severity": {"label": ["HIGH"]}}),
        "Severity.label",
        "{Severity: {Label: [...]}}",
    ),
    "a mapping as a value": (cspm({"Severity": ["HIGH"]}), "Severity", "{Severity: {Label: [...]}}"),
    "below a value": (cspm({"Title": {"text": ["x"]}}), "Title.text", "nothing stands below findings.Title"),
    "without findings": (
        {"detail": {"Severity": {"Label": ["HIGH"]}}},
        "detail.Severity.Label",
        "{findings: {Severity: {Label",
    ),
    "findings as a value": ({"detail": {"findings": ["x"]}}, "detail.findings", "name a field in it"),
    "an unknown field": (cspm({"Sevrity": {"Label": ["HIGH"]}}), "Sevrity.Label", "{Severity: {Label: [...]}}"),
    "a field of no finding": (cspm({"Owner": ["me"]}), "Owner", "no field 'Owner' is known"),
    "a number as text": (
        cspm({"Severity": {"Normalized": ["70"]}}),
        "Severity.Normalized[0]",
        "a number from 0 to 100",
    ),
    "two severities": (
        cspm({"Severity": {"Label": ["LOW"], "Normalized": [{"numeric": [">=", 70]}]}}),
        "Severity.Normalized",
        "no finding has this Severity.Normalized and that Severity.Label together",
    ),
    "two severities in OCSF": (hub({"severity": ["High"], "severity_id": [5]}), "severity_id", "together"),
    "every branch": (
        {"source": ["aws.securityhub"], "$or": [{"detail-type": ["a"]}, {"detail": {"findings": {"id": [1]}}}]},
        "$or[0].detail-type[0]",
        f"did you mean '{CSPM}'?",
    ),
}


@pytest.mark.parametrize(("pattern", "place", "says"), NEVER.values(), ids=NEVER)
def test_a_pattern_that_matches_nothing_is_told(pattern: dict[str, Any], place: str, says: str) -> None:
    found = never_matches(pattern)
    assert any(where.endswith(place) and says in text for where, text in found), found
    assert all(where.startswith("pattern.") for where, _ in found)


POSSIBLE: dict[str, dict[str, Any]] = {
    "everything": {"source": ["aws.securityhub"]},
    "operators on the source": {"source": [{"prefix": "aws.sec"}], "detail-type": [{"wildcard": "*Imported*"}]},
    "not this": {"source": [{"anything-but": "aws.config"}]},
    "calls of the API": {"source": ["aws.securityhub"], "detail": {"eventName": ["BatchUpdateFindings"]}},
    "calls, named": {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventSource": ["x"]}},
    "custom action": cspm({"Severity": {"Label": ["HIGH"]}}, "Security Hub Findings - Custom Action"),
    "an action's name": {
        "detail-type": ["Security Hub Findings - Custom Action"],
        "detail": {"actionName": ["send"]},
    },
    "insight results": {"detail-type": ["Security Hub Insight Results"], "detail": {"resultType": ["x"]}},
    "absent": cspm({"severity": [{"exists": False}]}),
    "case ignored": cspm({"Severity": {"Label": [{"equals-ignore-case": "high"}]}}),
    "a product's own field": cspm(
        {"ProductFields": {"aws/inspector/x": ["y"]}, "Resources": {"Details": {"a": ["b"]}}}
    ),
    "an unknown field of OCSF": hub({"x_new": ["y"]}),
    "severities that agree": cspm({"Severity": {"Label": ["HIGH"], "Normalized": [{"numeric": [">=", 70]}]}}),
    "one branch": {"$or": [{"source": ["aws.x"]}, {"source": ["aws.securityhub"]}]},
    "both schemas": {
        "source": ["aws.securityhub"],
        "detail": {"$or": [{"findings": {"severity": ["High"]}}, {"findings": {"Severity": {"Label": ["HIGH"]}}}]},
    },
}


@pytest.mark.parametrize("pattern", POSSIBLE.values(), ids=POSSIBLE)
def test_a_pattern_that_can_match_is_not_told(pattern: dict[str, Any]) -> None:
    validate_pattern(pattern)
    assert never_matches(pattern) == []


def test_single_values_and_branches_that_match_nothing_are_told_beside_others() -> None:
    pattern = cspm({"Severity": {"Label": ["High", "CRITICAL"]}})
    assert never_matches(pattern) == []
    assert dead_parts(pattern) == [
        ("pattern.detail.findings.Severity.Label[0]", "findings.Severity.Label is never 'High': write HIGH")
    ]
    branches = {"$or": [{"source": ["aws.securityhub"]}, {"source": ["aws.securityhubb"]}]}
    assert [place for place, _ in dead_parts(branches)] == ["pattern.$or[1].source[0]"]


LEVELS = st.none() | st.lists(st.sampled_from(["CRITICAL", "HIGH", "LOW"]), min_size=1, unique=True).map(tuple)
STATES = st.none() | st.lists(st.sampled_from(["NEW", "NOTIFIED", "RESOLVED"]), min_size=1, unique=True).map(tuple)
PRODUCTS = st.none() | st.just(("guardduty",)) | st.just({"guardduty": ("HIGH",), "any": None})


@given(
    source=st.sampled_from(["cspm", "hub", "both"]),
    severity=LEVELS,
    workflow_status=STATES,
    products=PRODUCTS,
    record_state=st.none() | st.just(("ACTIVE",)) | st.just(("ARCHIVED",)),
    controls=st.none() | st.just(("S3.1",)),
    exclude=st.sampled_from([{}, {"severity": ("LOW",)}, {"regions": ("us-east-1",)}]),
    marker=st.none() | st.just("shnotify-a-b"),
)
def test_a_pattern_of_our_own_is_never_told(
    source: str, exclude: dict[str, Any], marker: str | None, **given: Any
) -> None:
    try:
        pattern = event_pattern(source, filters(exclude, **given), None, resolved_marker=marker)
    except PatternError:
        return
    assert never_matches(pattern) == []
    assert dead_parts(pattern) == []


def leaves(node: Any, path: tuple[str, ...] = ()) -> Any:
    """Every path of an event with its values, arrays looked through."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item, path)
    else:
        yield path, node


OPERATORS = [lambda value: value, lambda value: {"prefix": value[:2]}, lambda _: {"anything-but": "x"}]


@given(st.data())
def test_a_pattern_that_matches_a_sample_is_never_told(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(SAMPLES))
    chosen = data.draw(st.lists(st.sampled_from(list(leaves(event))), min_size=1, max_size=4))
    operator = st.sampled_from(
        [lambda value: value, lambda value: {"prefix": value[:2]}, lambda _: {"anything-but": "x"}]
    )
    pattern: dict[str, Any] = {}
    for path, value in chosen:
        node = pattern
        for part in path[:-1]:
            node = node.setdefault(part, {})
        entry = data.draw(operator)(value) if isinstance(value, str) else value
        node[path[-1]] = [copy.deepcopy(entry)]
    if matches(pattern, event):
        assert never_matches(pattern) == []


WRONG_SHAPES: dict[str, tuple[dict[str, Any], str, str]] = {
    "detail": (
        {"detail": [{"findings": {"Id": ["x"]}}]},
        "pattern.detail",
        "write a mapping, `detail: {findings: ...}`",
    ),
    "two fields": (
        {"detail": {"findings": [{"Severity": {"Label": ["HIGH"]}, "Workflow": {"Status": ["NEW"]}}]}},
        "pattern.detail.findings",
        "write a mapping, `findings: {Severity: ..., Workflow: ...}`",
    ),
    "an operator in capitals": ({"source": [{"Prefix": "aws"}]}, "pattern.source[0].Prefix", "did you mean prefix?"),
    "no operator": ({"source": [{"matches": "aws"}]}, "pattern.source[0].matches", "there are anything-but"),
}


@pytest.mark.parametrize(("pattern", "place", "says"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_a_list_where_a_mapping_is_due_says_so(pattern: dict[str, Any], place: str, says: str) -> None:
    with pytest.raises(PatternError) as caught:
        validate_pattern(pattern)
    assert (caught.value.path, len(caught.value.problems)) == (place, 1)
    assert says in caught.value.message
