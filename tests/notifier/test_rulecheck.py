"""A rule's pattern against the file's, and its text against EventBridge's quoting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.arns import Scope
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.findings.matching import matches
from shnotify.findings.overlap import event_of, examples
from shnotify.mail.fields import FIELDS
from shnotify.notifier.desired import build
from shnotify.notifier.rulecheck import pattern_link, queue_link, transformer_link
from shnotify.resources.rule import Rule
from tests.support.breakages import findings
from tests.support.lifecycle import ACCOUNT

RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/r"


@pytest.mark.parametrize(
    ("live", "verdict", "says"),
    [
        (findings(), "ok", ""),
        (findings(Severity={"Label": ["CRITICAL"]}), "broken", "keeps away a finding with Severity.Label HIGH"),
        (findings(ProductName=["Inspector"]), "broken", "keeps away a finding"),
        (findings(Severity={"Label": ["LOW"]}), "broken", "Severity.Label HIGH"),
        (findings(Severity={"Label": [{"prefix": "C"}, {"prefix": "H"}]}), "ok", ""),
        (findings(Workflow=None), "warning", "lets through more"),
        ({"source": ["aws.securityhub"]}, "warning", "lets through more"),
        ({"source": ["aws.s3"]}, "broken", "no finding ever matches"),
        (None, "broken", "runs on a schedule"),
        ({}, "broken", "runs on a schedule"),
    ],
)
def test_a_pattern_and_the_files(live: Any, verdict: str, says: str) -> None:
    link = pattern_link("UrgentRule", live, findings())
    assert link.verdict == verdict
    assert says in link.why


def test_without_a_file_a_pattern_has_only_to_match_something() -> None:
    assert pattern_link("rule r", findings(Severity={"Label": ["LOW"]})).verdict == "ok"
    assert pattern_link("rule r", {"source": ["aws.s3"]}).verdict == "broken"


LABELS = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]
some_labels = st.lists(st.sampled_from(LABELS), min_size=1, unique=True)


@settings(deadline=None)
@given(some_labels, some_labels)
def test_a_pattern_is_broken_exactly_when_it_loses_a_severity(wanted: list[str], live: list[str]) -> None:
    found = pattern_link("R", findings(Severity={"Label": live}), findings(Severity={"Label": wanted}))
    lost, more = set(wanted) - set(live), set(live) - set(wanted)
    assert found.verdict == ("broken" if lost else "warning" if more else "ok")


@given(some_labels, st.lists(st.from_regex(r"\d{12}", fullmatch=True), min_size=1, max_size=3))
def test_every_example_of_a_pattern_passes_it(labels: list[str], accounts: list[str]) -> None:
    pattern = findings(Severity={"Label": labels}, AwsAccountId=accounts, Title=[{"anything-but": ["x"]}])
    made = list(examples(pattern))
    assert made
    assert all(matches(pattern, event_of(one)) for one in made)
    assert {one["detail.findings.Severity.Label"] for one in made} == set(labels)


def transformer(template: str, **paths: str) -> dict[str, Any]:
    return {"Arn": "x", "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


TITLE = "$.detail.findings[0].Title"
LABEL = "$.detail.findings[0].Severity.Label"


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ({"Arn": "x"}, "ok"),
        (transformer('"<l> in <a>"', l=LABEL, a="$.account"), "ok"),
        (transformer('"<l>"\n"line two"', l=LABEL), "ok"),
        (transformer('{"level": <l>}', l=LABEL), "ok"),
        (transformer('{"all": <aws.events.event.json>}'), "ok"),
        (transformer('"<t>"', t=TITLE), "warning"),
        (transformer('{"title": <t>}', t=TITLE), "warning"),
        (transformer("Severity: <l>", l=LABEL), "broken"),
        (transformer('"never closed <l>', l=LABEL), "broken"),
        (transformer('"<nowhere>"'), "broken"),
        (transformer('"<l>"', l="$.detail.findings[*].Severity"), "broken"),
        ({"Arn": "x", "Input": '"hello"'}, "warning"),
        ({"Arn": "x", "InputTransformer": {"InputTemplate": '"hello"'}}, "ok"),
    ],
)
def test_the_text_that_a_rule_makes(target: dict[str, Any], verdict: str) -> None:
    assert transformer_link("UrgentRule", target).verdict == verdict


NO_QUOTES = {"anything-but": {"wildcard": ['*"*', "*\\\\*", "*\n*"]}}


@pytest.mark.parametrize(
    ("guard", "verdict"),
    [
        ({"Title": [NO_QUOTES]}, "ok"),
        ({"Title": [{"exists": False}, NO_QUOTES]}, "ok"),
        ({"Title": [{"anything-but": {"wildcard": '*"*'}}]}, "warning"),
        ({"Description": [NO_QUOTES]}, "warning"),
        ({"$or": [{"Title": [NO_QUOTES]}, {"Severity": {"Label": ["LOW"]}}]}, "warning"),
        ({}, "warning"),
    ],
)
def test_a_pattern_may_keep_dangerous_text_away(guard: dict[str, Any], verdict: str) -> None:
    pattern = {"source": ["aws.securityhub"], "detail": {"findings": guard}} if guard else {}
    assert transformer_link("R", transformer('"<t>"', t=TITLE), pattern).verdict == verdict


def texts(extra: str) -> list[str]:
    """The verdicts on the texts of all rules that a file makes."""
    config = completed(parse(f"name: mine\nroutes:\n  - name: urgent\n    subscribers: [a@b.co]\n{extra}"))
    rules = [thing for thing in build(config, Scope.of(RULE)) if isinstance(thing, Rule)]
    return [transformer_link(one.id, one.targets, one.event_pattern.document).verdict for one in rules]


@pytest.mark.parametrize("source", ["cspm", "hub", "both"])
def test_our_own_text_is_never_in_danger(source: str) -> None:
    assert set(texts(f"    source: {source}\n")) == {"ok"}


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.cspm])
def test_nor_is_it_with_any_field(name: str) -> None:
    assert set(texts(f"    message: {{fields: [{name}]}}\n")) == {"ok"}


paths = st.sampled_from(["$", "$.detail", "$.detail.findings", "$.detail.findings[0]", TITLE, LABEL, "$.resources[0]"])


@given(st.lists(paths, max_size=4), st.text(max_size=30))
def test_any_template_is_judged(given_: list[str], text: str) -> None:
    named = {f"p{number}": path for number, path in enumerate(given_)}
    template = text + "".join(f"<{name}>" for name in named)
    assert transformer_link("R", transformer(template, **named)).verdict in ("ok", "warning", "broken")


@pytest.mark.parametrize(
    ("queue", "wanted", "verdict"),
    [
        ("arn:aws:sqs:eu-west-1:123456789012:q", "arn:aws:sqs:eu-west-1:123456789012:q", "ok"),
        ("arn:aws:sqs:eu-west-1:123456789012:q", "arn:aws:sqs:eu-west-1:123456789012:other", "unknown"),
        ("arn:aws:sqs:eu-west-1:123456789012:q", "", "ok"),
        ("arn:aws:sqs:eu-west-1:999999999999:q", None, "ok"),
        ("", "arn:aws:sqs:eu-west-1:123456789012:q", "broken"),
        ("", "", "warning"),
        ("", None, "warning"),
        ("arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:sqs:eu-west-1:123456789012:q", "broken"),
        ("arn:aws:sqs:eu-west-1:123456789012:q.fifo", None, "broken"),
    ],
)
def test_where_failures_are_kept(queue: str, wanted: str | None, verdict: str) -> None:
    target = {"Arn": "x", "DeadLetterConfig": {"Arn": queue}} if queue else {"Arn": "x"}
    assert queue_link("UrgentRule", RULE, target, wanted=wanted).verdict == verdict
