"""Matching: the documented examples, AWS's own library's answers, an independent implementation; and input."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.findings.importing import imported
from shnotify.findings.matching import Mismatch, explain, matches, only_across_entries
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import PatternError, validate_pattern
from shnotify.findings.reading import InputError, inputs_from
from tests.conftest import Cases
from tests.support.reference import Pairs, agrees, tally
from tests.support.samples import DATA, NAMES, defaults, filters, finding, sample

# EventBridge User Guide, eb-create-pattern-operators, eb-event-patterns and eb-event-patterns-arrays.
DOCUMENTED = [
    ({"state": ["running", "stopped"]}, {"state": "running"}, True),
    ({"state": ["running"]}, {"state": "Running"}, False),
    ({"state": ["running"]}, {}, False),
    ({"eventVersion": [""]}, {"eventVersion": ""}, True),
    ({"eventVersion": [""]}, {"eventVersion": "1"}, False),
    ({"responseElements": [None]}, {"responseElements": None}, True),
    ({"responseElements": [None]}, {"responseElements": ""}, False),
    ({"responseElements": [None]}, {}, False),
    ({"flag": [True]}, {"flag": True}, True),
    ({"flag": [True]}, {"flag": 1}, False),
    ({"flag": [1]}, {"flag": True}, False),
    ({"count": [300]}, {"count": 300}, True),
    ({"count": [300]}, {"count": 300.0}, False),
    ({"count": ["300"]}, {"count": 300}, False),
    ({"time": [{"prefix": "2017-10-02"}]}, {"time": "2017-10-02T16:24:49Z"}, True),
    ({"time": [{"prefix": "2017-10-02"}]}, {"time": 20171002}, False),
    ({"service": {"name": [{"prefix": {"equals-ignore-case": "EventB"}}]}}, {"service": {"name": "EVENTBridge"}}, True),
    ({"file": [{"suffix": ".png"}]}, {"file": "a.png"}, True),
    ({"file": [{"suffix": ".png"}]}, {"file": "a.PNG"}, False),
    ({"file": [{"suffix": {"equals-ignore-case": ".png"}}]}, {"file": "a.PNG"}, True),
    ({"state": [{"anything-but": "initializing"}]}, {"state": "running"}, True),
    ({"state": [{"anything-but": "initializing"}]}, {"state": "initializing"}, False),
    ({"state": [{"anything-but": "initializing"}]}, {}, False),
    ({"limit": [{"anything-but": 123}]}, {"limit": 124}, True),
    ({"limit": [{"anything-but": [100, 200, 300]}]}, {"limit": 200}, False),
    ({"state": [{"anything-but": ["stopped", "overloaded"]}]}, {"state": "overloaded"}, False),
    ({"state": [{"anything-but": {"equals-ignore-case": ["initializing", "stopped"]}}]}, {"state": "STOPPED"}, False),
    ({"state": [{"anything-but": {"equals-ignore-case": "initializing"}}]}, {"state": "running"}, True),
    ({"state": [{"anything-but": {"prefix": "init"}}]}, {"state": "initializing"}, False),
    ({"state": [{"anything-but": {"prefix": ["init", "error"]}}]}, {"state": "errors"}, False),
    ({"file": [{"anything-but": {"suffix": ".txt"}}]}, {"file": "a.txt"}, False),
    ({"file": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, {"file": "a.png"}, True),
    ({"path": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"path": "/usr/lib/x"}, False),
    ({"path": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"path": "/etc/x"}, True),
    ({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": 5}, True),
    ({"n": [{"numeric": [">", 0, "<=", 5]}]}, {"n": 0}, False),
    ({"n": [{"numeric": ["=", 3.018e2]}]}, {"n": 301.8}, True),
    ({"n": [{"numeric": ["=", 300]}]}, {"n": 300.0}, True),
    ({"n": [{"numeric": ["<", 10]}]}, {"n": "5"}, False),
    ({"n": [{"numeric": [">=", 0]}]}, {"n": True}, False),
    ({"n": [{"numeric": [">=", 5e9]}]}, {"n": 5000000000}, True),
    ({"n": [{"numeric": [">=", 0]}]}, {"n": 1762155117235}, False),
    ({"n": [{"numeric": ["<", 0]}]}, {"n": -5000000001}, False),
    ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.0.255"}, True),
    ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.1.1"}, False),
    ({"ip": [{"cidr": "2001:db8::/32"}]}, {"ip": "2001:db8:1::"}, True),
    ({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": "10.0.0.x"}, False),
    ({"detail": {"state": [{"exists": True}]}}, {"detail": {"state": None}}, True),
    ({"detail": {"c-count": [{"exists": False}]}}, {"detail": {"state": "x"}}, True),
    ({"detail": {"c-count": [{"exists": False}]}}, {"detail": {"c-count": {"c1": 100}}}, True),
    ({"detail": {"state": [{"exists": True}]}}, {"detail": {"state": {"x": 1}}}, False),
    ({"detail-type": [{"equals-ignore-case": "ec2 instance"}]}, {"detail-type": "EC2 Instance"}, True),
    ({"path": [{"wildcard": "/users/*/*.png"}]}, {"path": "/users/a/b/c.png"}, True),
    ({"path": [{"wildcard": r"\*x\\*"}]}, {"path": "*x\\yz"}, True),
    ({"path": [{"wildcard": r"\*x\\*"}]}, {"path": "ax\\yz"}, False),
    ({"resources": ["b"]}, {"resources": ["a", "b"]}, True),
    ({"resources": ["c"]}, {"resources": ["a", "b"]}, False),
    ({"a": {"b": [1]}}, {"a": [{"b": 2}, {"b": 1}]}, True),
    ({"a": {"b": [1], "c": [2]}}, {"a": [{"b": 1, "c": 3}, {"b": 4, "c": 2}]}, True),
    ({"a": [{"anything-but": ["x"]}]}, {"a": ["x", "y"]}, True),
    ({"a": [{"exists": False}]}, {"a": []}, True),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
    ({"s": ["x"], "$or": [{"a": [1]}, {"b": [2]}]}, {"s": "x", "b": 1}, False),
    ({"d": {"$or": [{"n": [1]}, {"m": [1], "$or": [{"x": [1]}, {"y": [1]}]}]}}, {"d": {"m": 1, "y": 1}}, True),
]  # fmt: skip


def events_from(text: str) -> Iterator[dict[str, Any]]:
    """The events alone, without where they stand."""
    return (found.event for found in inputs_from(text))


@pytest.mark.parametrize(("pattern", "event", "expected"), DOCUMENTED)
def test_the_documented_rules(pattern: dict[str, Any], event: dict[str, Any], expected: bool) -> None:
    validate_pattern(pattern)
    assert matches(pattern, event) is expected
    assert agrees(pattern, event) is expected


def test_the_answers_of_awss_own_library() -> None:
    rows = [json.loads(line) for line in (DATA / "ruler.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 500
    wrong = [row for row in rows if matches(row["pattern"], row["event"]) is not row["match"]]
    assert not wrong
    assert {row["match"] for row in rows} == {True, False}


KINDS = [
    "str", "an empty text", "int", "float", "bool", "NoneType", "prefix", "suffix", "equals-ignore-case", "wildcard",
    "prefix equals-ignore-case", "suffix equals-ignore-case", "numeric", "cidr",
    "anything-but text", "anything-but text list", "anything-but number", "anything-but number list",
    *(f"anything-but {of}" for of in ("prefix", "suffix", "equals-ignore-case", "wildcard")),
    *(f"anything-but {of} list" for of in ("prefix", "suffix", "equals-ignore-case", "wildcard")),
]  # fmt: skip


def test_an_independent_implementation_agrees_on_ten_thousand_pairs(cases: Cases) -> None:
    pairs, met = Pairs(seed=2), Counter[tuple[str, bool]]()
    answers: Counter[tuple[bool, bool]] = Counter()
    for _ in range(10_000):
        pattern, event = pairs.pair()
        validate_pattern(pattern)
        answer = agrees(pattern, event)
        assert matches(pattern, event) is answer, (pattern, event)
        answers["$or" in json.dumps(pattern), answer] += 1
        tally(pattern, event, met)
    cases(sum(answers.values()))
    # Every operator was really put to the test, and gave both answers.
    assert {name for name, _ in met} == {*KINDS, "exists True", "exists False"}
    assert min(met[name, taken] for name in KINDS for taken in (True, False)) >= 50, met
    assert min(met["exists True", True], met["exists False", True], met["exists False", False]) >= 100, met
    assert min(answers.values()) >= 400, answers


@pytest.mark.parametrize("name", NAMES)
def test_an_independent_implementation_agrees_on_the_samples(name: str) -> None:
    for source in ("cspm", "hub", "both"):
        for findings in (defaults(), defaults({"compliance_status": ("PASSED",), "products": ("inspector",)})):
            pattern = event_pattern(source, findings, "aws")
            assert matches(pattern, sample(name)) is agrees(pattern, sample(name))


def test_explain_names_the_field() -> None:
    pattern = event_pattern("cspm", defaults(), "aws")
    assert explain(pattern, sample("cspm-control-s3")) == []
    assert explain(pattern, sample("cspm-control-archived")) == [
        Mismatch("detail.findings.RecordState", ["ACTIVE"], "ARCHIVED")
    ]
    assert [item.to_json() for item in explain(pattern, sample("cspm-minimal"))] == [
        {"path": "detail.findings.Workflow.Status", "expected": ["NEW"], "actual": None},
        {"path": "detail.findings.RecordState", "expected": ["ACTIVE"], "actual": None},
    ]


@pytest.mark.parametrize(
    ("kind", "identity", "expected"),
    [("AwsS3Object", "arn:aws:s3:::uploads", True), ("AwsS3Bucket", "arn:aws:s3:::uploads", False), ("X", "Y", False)],
)
def test_a_match_by_different_resources_is_told(kind: str, identity: str, expected: bool) -> None:
    pattern = event_pattern("cspm", defaults(resource_types=(kind,), resource_ids=(identity,)), "aws")
    assert only_across_entries(pattern, sample("cspm-guardduty-s3-malware")) is expected


@pytest.mark.parametrize("name", NAMES)
def test_an_event_with_one_finding_matches_in_it(name: str) -> None:
    pattern = event_pattern("both", defaults({"compliance_status": ("PASSED",)}, severity=None), "aws")
    assert not only_across_entries(pattern, sample(name))


def test_different_findings_of_one_event_are_different_entries() -> None:
    one, two = sample("cspm-custom-action-two-findings")["detail"]["findings"]
    pattern = {"detail": {"findings": {"Id": [one["Id"]], "$or": [{"Title": [two["Title"]]}, {"Title": ["x"]}]}}}
    assert only_across_entries(pattern, sample("cspm-custom-action-two-findings"))
    assert not only_across_entries({"resources": [{"exists": False}], "a": {"b": [1]}}, {"a": [[{"b": 2}, {"b": 1}]]})


def test_explain_shows_all_values_of_an_array() -> None:
    pattern = {"detail": {"findings": {"Resources": {"Type": ["AwsEc2Instance"]}}}}
    (stopped,) = explain(pattern, sample("cspm-guardduty-s3-malware"))
    assert stopped.actual == ["AwsS3Object", "AwsS3Bucket"]


def test_explain_tells_the_nearest_branch() -> None:
    pattern = event_pattern("both", defaults(), "aws")
    assert explain(pattern, sample("hub-compliance-close-still-new")) == [
        Mismatch("detail.findings.activity_name", [{"anything-but": ["Close"]}], "Close")
    ]


def stopped_by(pattern: dict[str, Any], name: str) -> dict[str, list[Any]]:
    return {
        mismatch.path.removeprefix("detail.findings."): mismatch.expected for mismatch in explain(pattern, sample(name))
    }


def test_what_stopped_a_finding_is_told_by_its_own_services_branch() -> None:
    """The other service's branch finds next to nothing amiss: all that is excluded is absent there."""
    exclude = {"severity": ("HIGH",), "workflow_status": ("NEW", "SUPPRESSED"), "products": ("securityhub",)}
    pattern = event_pattern("both", filters(exclude), "aws")
    assert list(stopped_by(pattern, "cspm-control-s3")) == ["Severity.Label", "Workflow.Status", "ProductArn"]
    assert list(stopped_by(pattern, "hub-compliance-suppressed")) == ["severity", "status", "metadata.product.uid"]


def test_what_stopped_a_finding_is_told_by_its_own_products_threshold() -> None:
    wanted = {"guardduty": ("CRITICAL", "HIGH", "MEDIUM"), "macie": ("HIGH",), "inspector": ("CRITICAL",)}
    pattern = event_pattern("cspm", defaults(products=wanted), "aws")
    assert stopped_by(pattern, "cspm-inspector-container-image") == {"Severity.Label": ["CRITICAL"]}
    products = [{"suffix": f"::product/aws/{name}"} for name in ("guardduty", "macie")]
    assert stopped_by(pattern, "cspm-control-s3") == {"ProductArn": products}


def test_what_stopped_a_finding_is_not_that_it_was_never_mailed() -> None:
    pattern = event_pattern("both", defaults(), "aws", resolved_marker="shnotify-urgent")
    assert list(stopped_by(pattern, "cspm-control-passed")) == ["Severity.Label", "Workflow.Status"]
    assert list(stopped_by(pattern, "cspm-control-suppressed")) == ["Workflow.Status"]


@settings(deadline=None)
@given(
    name=st.sampled_from([name for name in NAMES if "custom-action" not in name and "insight" not in name]),
    data=st.data(),
)
def test_an_event_of_either_service_is_never_stopped_by_its_kind(name: str, data: st.DataObject) -> None:
    severities = st.lists(st.sampled_from(["CRITICAL", "HIGH", "MEDIUM", "LOW"]), min_size=1, max_size=3).map(tuple)
    products = st.dictionaries(st.sampled_from(["guardduty", "inspector", "macie", "any"]), severities, min_size=1)
    exclude = data.draw(
        st.fixed_dictionaries({}, optional={"severity": severities, "workflow_status": st.just(("NEW",))})
    )
    fields = data.draw(
        st.fixed_dictionaries({}, optional={"products": products, "compliance_status": st.just(("FAILED",))})
    )
    try:
        pattern = event_pattern("both", filters(exclude, **fields), "aws", resolved_marker="m")
    except PatternError:
        return
    assert "detail-type" not in [mismatch.path for mismatch in explain(pattern, sample(name))]


# Input


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if name.startswith(("cspm-", "hub-")) and "custom-action" not in name and "insight" not in name
    ],
)
def test_a_bare_finding_is_wrapped_as_security_hub_does(name: str) -> None:
    (event,) = events_from(json.dumps(finding(name)))
    original = sample(name)
    (wanted,), (wrapped,) = original["detail"]["findings"], event["detail"]["findings"]
    assert wrapped == imported(wanted)[0] if event["detail-type"].endswith("Imported") else wanted
    assert event["detail-type"] == original["detail-type"]
    assert event["resources"] == original["resources"]
    # What TestEventPattern wants to see.
    assert all(isinstance(event[key], str) for key in ("id", "account", "source", "time", "region"))
    assert next(events_from(json.dumps(finding(name))))["id"] == event["id"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"Findings": [finding("cspm-control-s3"), finding("hub-compliance-create")], "NextToken": "x"}),
        json.dumps([finding("cspm-control-s3"), sample("hub-compliance-create")]),
        json.dumps(sample("cspm-control-s3")) + "\n\n" + json.dumps(finding("hub-compliance-create")) + "\n",
        json.dumps(sample("cspm-control-s3"), indent=4) + json.dumps([finding("hub-compliance-create")], indent=4),
        "\ufeff" + json.dumps([{"findings": [finding("cspm-control-s3")]}, finding("hub-compliance-create")]),
    ],
)
def test_every_form_of_input(text: str) -> None:
    assert [event["detail-type"] for event in events_from(text)] == [
        "Security Hub Findings - Imported",
        "Findings Imported V2",
    ]


def test_a_whole_accounts_findings_are_read() -> None:
    """12 MB; reading on from each document's end must not copy the rest, or this would never end."""
    line = json.dumps(finding("cspm-control-s3"))
    assert sum(1 for _ in events_from("\r\n".join([line] * 6000))) == 6000


def test_no_findings_are_no_events() -> None:
    assert list(events_from('{"Findings": []}')) == []


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        (" \n ", 1, 1),
        ('{"a":\n  x}', 2, 3),
        ('{"detail-type": "x"}\n{"a": }', 2, 7),
        ('[1]', 1, 2),
        ('{"detail-type": "x"}\n  {"a": 1}', 2, 3),
        ('{"detail-type": NaN}', 1, 1),
        ('{"detail": 1e999}', 1, 1),
        ('{"detail": -1e400}', 1, 1),
        ("[" * 100_000, 1, 1),
        ("[" * 300 + "]" * 300, 1, 1),
        ('{"detail":' * 300 + "{}" + "}" * 300, 1, 1),
        ('{"detail": 1' + "0" * 5000 + "}", 1, 1),
        ('"text"', 1, 1),
    ],
)  # fmt: skip
def test_bad_input_is_told_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(InputError) as caught:
        list(events_from(text))
    assert (caught.value.line, caught.value.column, caught.value.exit_code) == (line, column, 2)


KEYS = ["Id", "ProductArn", "class_uid", "UpdatedAt", "resources", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(deadline=None)
@given(JSON | st.text())
def test_any_input_gives_events_or_an_input_error(document: Any) -> None:
    try:
        for event in events_from(document if isinstance(document, str) else json.dumps(document)):
            json.dumps(event)
    except InputError:
        pass
