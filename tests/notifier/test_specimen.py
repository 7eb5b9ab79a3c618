"""The finding of `shnotify test`: it passes the route's filter and says that it is a test, or it is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.arns import Scope
from shnotify.config.models import Route
from shnotify.errors import UsageError
from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from shnotify.formatter.settings import Settings
from shnotify.notifier.specimen import Order, archived, as_sent, direct_mail, product_arn, quietest, specimen
from tests.support.files import ROUTE, loaded

SCOPE = Scope("aws", "eu-west-1", "123456789012")
NOW = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


def route(findings: str = "{}", source: str = "cspm") -> Route:
    return loaded(f"{ROUTE}    source: {source}\n    findings: {findings}\n").routes[0]


def pattern(findings: str = "{}", source: str = "cspm") -> dict[str, Any]:
    one = route(findings, source)
    return event_pattern(one.source, one.findings, "aws", None)


def made(wanted: dict[str, Any], *, hostile: bool = False) -> dict[str, Any]:
    return specimen(SCOPE, "alerts", "urgent", wanted, who="Admin/alice", unique="1", moment=NOW, hostile=hostile)


def test_it_says_what_it_is() -> None:
    finding = made(pattern())
    assert finding["Id"] == "shnotify-test/alerts/urgent/1"
    assert finding["Title"].startswith("TEST: nothing is wrong. Admin/alice")
    assert finding["Sample"] is True
    assert finding["ProductArn"] == product_arn(SCOPE)
    assert finding["CreatedAt"] == finding["UpdatedAt"] == "2026-05-06T07:08:09.123Z"
    assert finding["Severity"] == {"Label": "HIGH"}


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize(
    "findings",
    [
        "{}",
        "{severity: [LOW]}",
        "{severity: any, workflow_status: any, record_state: any}",
        "{types: [TTPs/Discovery], controls: [S3.1], compliance_status: [WARNING]}",
        "{resource_types: [AwsS3Bucket], resource_ids: ['arn:aws:s3:::b']}",
        "{accounts: ['123456789012'], regions: [eu-west-1]}",
        "{exclude: {severity: [HIGH], compliance_status: [FAILED]}}",
        "{products: {guardduty: [CRITICAL], any: [MEDIUM]}}",
    ],
)
@pytest.mark.parametrize("source", ["cspm", "both"])
def test_it_passes_the_filter(findings: str, source: str, hostile: bool) -> None:
    wanted = pattern(findings, source)
    assert matches(wanted, as_sent(SCOPE, made(wanted, hostile=hostile)))


RAW = {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"Severity": {"Normalized": [{"numeric": [">=", 40, "<", 60]}]}},
        {"Severity": {"Label": [{"anything-but": ["HIGH", "CRITICAL"]}]}},
        {"GeneratorId": [{"prefix": "aws-foundational"}]},
        {"Resources": {"Id": [{"suffix": "-prod"}], "Type": [{"equals-ignore-case": "awsec2instance"}]}},
        {"Types": [{"wildcard": "Software*Vuln*"}]},
        {"Compliance": {"Status": [{"exists": False}]}},
        {"ProductFields": {"team": ["red"]}},
        {"Remediation": {"Recommendation": {"Url": [{"exists": True}]}}},
        {"FindingProviderFields": {"Severity": {"Label": ["LOW"]}}},
        {"$or": [{"Severity": {"Label": ["LOW"]}}, {"Severity": {"Label": ["MEDIUM"]}}]},
    ],
)
def test_it_passes_raw_patterns(fields: dict[str, Any]) -> None:
    wanted = {**RAW, "detail": {"findings": fields}}
    assert matches(wanted, as_sent(SCOPE, made(wanted)))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (pattern("{products: [guardduty]}"), "ProductArn would be"),
        (pattern("{accounts: ['210987654321']}"), "AwsAccountId would be '123456789012'"),
        (pattern("{workflow_status: [NOTIFIED]}"), "Workflow.Status would be 'NEW'"),
        (pattern("{record_state: [ARCHIVED]}"), "RecordState would be 'ACTIVE'"),
        (pattern("{regions: [us-east-1]}"), "Region would be 'eu-west-1'"),
        (pattern(source="hub"), "detail-type would be 'Security Hub Findings - Imported'"),
        ({**RAW, "detail": {"findings": {"Title": ["x"]}}}, "Title would be"),
        ({**RAW, "detail": {"findings": {"Severity": {"Label": ["high"]}}}}, "it must be 'high'"),
    ],
)
def test_what_no_test_finding_can_pass_is_named(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(wanted)
    assert said in caught.value.message
    assert "--direct" in str(caught.value.hint)


ENTRIES = st.lists(
    st.one_of(
        st.sampled_from(["HIGH", "LOW", "x", ""]),
        st.integers(0, 120),
        st.builds(lambda text: {"prefix": text}, st.text("ab", max_size=2)),
        st.builds(lambda text: {"suffix": text}, st.text("ab", max_size=2)),
        st.builds(lambda text: {"wildcard": f"{text}*"}, st.text("ab", max_size=2)),
        st.builds(lambda texts: {"anything-but": texts}, st.lists(st.sampled_from(["HIGH", "LOW"]), min_size=1)),
        st.builds(lambda number: {"numeric": [">", number]}, st.integers(0, 120)),
        st.builds(lambda there: {"exists": there}, st.booleans()),
    ),
    min_size=1,
    max_size=3,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        ["Severity.Label", "Severity.Normalized", "Types", "Resources.Id", "Compliance.Status", "ProductArn", "A.B"]
    ),
    ENTRIES,
    max_size=4,
)


@settings(max_examples=150)
@given(FIELDS)
def test_it_passes_or_is_refused_and_nothing_else(fields: dict[str, list[Any]]) -> None:
    findings: dict[str, Any] = {}
    for path, entries in fields.items():
        node = findings
        *parents, leaf = path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = entries
    wanted = {**RAW, "detail": {"findings": findings}} if findings else RAW
    try:
        finding = made(wanted)
    except UsageError:
        return
    assert matches(wanted, as_sent(SCOPE, finding))
    assert finding["Title"].startswith("TEST")
    assert finding["Id"].startswith("shnotify-test/")


@pytest.mark.parametrize(
    ("findings", "order"),
    [
        ("{}", Order("resolve", 0)),
        ("{workflow_status: any}", Order("archive", 0)),
        ("{record_state: any}", Order("resolve", 0)),
        ("{workflow_status: any, record_state: any}", Order("resolve", 2)),
    ],
)
def test_it_is_put_away_with_the_fewest_mails(findings: str, order: Order) -> None:
    wanted = pattern(findings)
    assert quietest(SCOPE, made(wanted), wanted, None) == order


def test_a_formatter_that_tells_of_resolutions_sends_one_more() -> None:
    one = route()
    told = Settings(topic_arn="t", dedup="notified", resolved=True, marker="m")
    wanted = event_pattern("cspm", one.findings, "aws", None, resolved_marker="m")
    assert quietest(SCOPE, made(wanted), wanted, told).mails == 1
    quiet = Settings(topic_arn="t", dedup="notified")
    assert quietest(SCOPE, made(pattern()), pattern(), quiet).mails == 0


def test_it_is_archived_with_a_later_time() -> None:
    finding = made(pattern())
    for moment in (NOW, datetime(2020, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)):
        gone = archived({**finding, "Workflow": {"Status": "RESOLVED"}, "Region": "eu-west-1"}, moment)
        assert gone["RecordState"] == "ARCHIVED"
        assert gone["UpdatedAt"] > finding["UpdatedAt"]
        assert not {"Workflow", "Region"} & gone.keys()
        assert {name: gone[name] for name in ("Id", "Title", "CreatedAt")} == {
            name: finding[name] for name in ("Id", "Title", "CreatedAt")
        }


@pytest.mark.parametrize("hostile", [False, True])
def test_a_mail_to_the_topic_says_what_it_is(hostile: bool) -> None:
    subject, text = direct_mail("a" * 40, "urgent", "Admin/alice", hostile=hostile)
    assert subject.startswith("[TEST] ")
    assert len(subject) <= 100
    assert "\n" not in subject
    assert "Admin/alice" in text
    assert ("\u202e" in text) is hostile
