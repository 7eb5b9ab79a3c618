"""Whatever a finding's text holds: one rule of the two takes it, by both matchers, and its mail is exact."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.config.load import completed
from shnotify.config.rules import RoutedRule, rules_by_route
from shnotify.config.yamlfile import parse
from shnotify.findings.guards import BREAKING
from shnotify.findings.matching import matches
from shnotify.mail.fields import FIELDS
from shnotify.mail.preview import mails_of
from shnotify.mail.transformer import UndeliverableError
from tests.conftest import Cases
from tests.support import hostile
from tests.support.reference import agrees
from tests.support.samples import HOSTILE

FILE = """\
name: mine
routes:
  - name: urgent
    source: {source}
    findings: {{severity: any, workflow_status: any, record_state: any{more}}}
    message: {{fields: {fields}}}
"""
ALL = [name for name in FIELDS if name != "resource_name"]


def rules(source: str, fields: list[str] | None = None, more: str = "") -> tuple[RoutedRule, ...]:
    text = FILE.format(source=source, fields=json.dumps(fields) if fields else "null", more=more)
    return rules_by_route(completed(parse(text)).settled())["urgent"]


RULES = {(source, bool(all_)): rules(source, ALL if all_ else None) for source in ("cspm", "hub") for all_ in (0, 1)}
WITH_FILTER = {
    source: rules(source, more=", controls: any, exclude: {controls: [EC2.1, Config.9]}") for source in ("cspm", "hub")
}


def takers(made: tuple[RoutedRule, ...], event: dict[str, Any]) -> list[RoutedRule]:
    """By our matcher and by its independent twin, which must say the same."""
    for rule in made:
        assert matches(rule.pattern, event) == agrees(rule.pattern, event), rule.name
    return [rule for rule in made if matches(rule.pattern, event)]


def check(made: tuple[RoutedRule, ...], event: dict[str, Any]) -> None:
    (taker,) = takers(made, event)
    assert (taker.part.kind == "odd") == hostile.is_odd(taker.part.guards, event)
    finding = event["detail"]["findings"][0]
    title = finding.get("Title") or finding.get("finding_info", {}).get("title", "")
    try:
        (mail,) = mails_of(taker.part, event, "summary", settings=None)  # type: ignore[arg-type]
    except UndeliverableError:
        # It waits in the dead-letter queue: no pattern of this size can name these characters.
        assert taker.part.kind == "clean"
        assert any(character in json.dumps(event, ensure_ascii=False) for character in ("\\u0", "\\b", "\\f"))
        return
    lines = [json.loads(line) for line in mail.body.split("\n")]
    assert all(isinstance(line, str) for line in lines)
    if taker.part.kind == "clean":
        assert lines[0].endswith(f": {title}") or f"Title: {title}" in lines
    else:
        assert "Not named here" in lines[1]


@settings(deadline=None, max_examples=60)
@given(data=st.data(), source=st.sampled_from(["cspm", "hub"]), all_fields=st.booleans())
def test_one_rule_takes_it_and_its_mail_is_exact(data: st.DataObject, source: str, all_fields: bool) -> None:
    names = data.draw(st.lists(st.sampled_from(hostile.names(source)), min_size=1, max_size=3, unique=True))
    values = {name: data.draw(st.one_of(HOSTILE, st.none())) for name in names}
    check(RULES[source, all_fields], hostile.event(source, values))


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("source", ["cspm", "hub"])
def test_ten_thousand_texts_in_every_field(source: str, cases: Cases) -> None:
    rng = random.Random(11)
    for number in range(10_000):
        name = hostile.names(source)[number % len(hostile.names(source))]
        check(RULES[source, bool(number % 2)], hostile.event(source, {name: hostile.text(rng)}))
    cases(10_000)


@pytest.mark.parametrize("source", ["cspm", "hub"])
def test_each_breaking_character_in_each_field(source: str) -> None:
    for name, character in itertools.product(hostile.names(source), BREAKING):
        event = hostile.event(source, {name: f"a{character}b"})
        for all_fields in (False, True):
            check(RULES[source, all_fields], event)
        (taker,) = takers(RULES[source, True], event)
        assert taker.part.kind == ("clean" if name == "resource_name" else "odd")


@pytest.mark.parametrize("source", ["cspm", "hub"])
@pytest.mark.parametrize("text", ["EC2.1", "Config.9", "S3.8", "S3.8\t", '"EC2.1"', None])
def test_a_filter_on_a_guarded_field_lets_the_same_through(source: str, text: str | None) -> None:
    event = hostile.event(source, {"control": text})
    taken = takers(WITH_FILTER[source], event)
    assert len(taken) == (0 if text in ("EC2.1", "Config.9") else 1)
    for title in ("plain", "a\nb"):
        event = hostile.event(source, {"control": text, "title": title})
        assert len(takers(WITH_FILTER[source], event)) == len(taken)


@pytest.mark.parametrize(("source", "name"), [("cspm", "Id"), ("hub", "uid")])
def test_several_resources_are_mailed_at_least_once_and_at_worst_twice(source: str, name: str) -> None:
    """EventBridge knows no index, so a clean and an odd one pass both rules: the one documented case."""
    kinds: dict[str, list[dict[str, str]]] = {"clean": [{name: "arn:aws:s3:::b"}], "odd": [{name: 'a"b'}], "none": [{}]}
    counts = {1: 0, 2: 0}
    for combination in itertools.product(kinds, repeat=3):
        event = hostile.event(source, {})
        event["detail"]["findings"][0][{"cspm": "Resources", "hub": "resources"}[source]] = [
            {**resource, "Type": "x"} for kind in combination for resource in kinds[kind]
        ]
        taken = {rule.part.kind for rule in takers(RULES[source, False], event)}
        assert taken == ({"clean", "odd"} if {"clean", "odd"} <= {*combination} else taken)
        counts[len(taken)] += 1
    assert counts == {1: 15, 2: 12}


def test_both_has_a_pair_for_each_service_with_its_own_link() -> None:
    made = rules("both")
    assert [rule.name for rule in made] == [
        "mine-urgent", "mine-urgent-plain", "mine-urgent-hub", "mine-urgent-hub-plain",
    ]  # fmt: skip
    for schema, other in (("cspm", "/securityhub/v2/"), ("hub", "/securityhub/home")):
        (taker,) = takers(made, hostile.event(schema, {}))
        assert (taker.part.source, taker.part.kind) == (schema, "clean")
        (mail,) = mails_of(taker.part, hostile.event(schema, {}), "summary", settings=None)  # type: ignore[arg-type]
        assert mail.body.count("https://") == 1
        assert other not in mail.body
