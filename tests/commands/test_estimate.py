"""`estimate`: what the file would have sent; and what `apply` says before it switches a rule on."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from shnotify.engine.events import Advanced
from shnotify.notifier import flood
from shnotify.terminal.screen import Screen
from tests.conftest import SMALLEST, World
from tests.support import faults
from tests.support.backlog import ago, asff, ocsf, stored, there

HUB = SMALLEST.replace("    subscribers", "    source: hub\n    subscribers")
BOTH = SMALLEST.replace("    subscribers", "    source: both\n    subscribers")


def test_it_counts_by_day_product_control_and_account(world: World) -> None:
    control: dict[str, Any] = {"Compliance": {"Status": "FAILED", "SecurityControlId": "S3.1"}}
    there(*(asff(n, days=n % 3, **control) for n in range(7)), asff(8, days=40), asff(9, "LOW"))
    ran = world.run("estimate")
    assert ran.code == 0
    [route] = ran.json["routes"]
    assert (route["route"], route["now"]) == ("urgent", 8)
    assert sorted(day["count"] for day in route["per_day"])[-3:] == [2, 2, 3]
    assert len(route["per_day"]) == 31
    assert route["by_product"] == {"Default": 7}
    assert route["by_control"] == {"S3.1": 7}
    assert route["by_account"] == {"123456789012": 7}
    assert route["peak_per_minute"] == 3
    assert ran.json["error"] is None
    assert world.faults.writes == []


def test_the_text_draws_it(world: World) -> None:
    there(*(asff(n) for n in range(4)), asff(5, "HIGH", days=2))
    out = world.text("estimate", "--since", "3d").out
    assert "route urgent: 5 match now; 5 in the last 3d, at most 4 in one minute and 4 in one second" in out
    assert "per day" in out
    assert "█" in out or "#" in out


@pytest.mark.parametrize("form", ["", "    message: {format: lambda, fold: {}}\n"], ids=["each", "folded"])
def test_a_second_in_which_sns_would_suspend_is_told(world: World, form: str) -> None:
    world.write(SMALLEST + form)
    there(*(asff(n, UpdatedAt=ago(days=1)[:-5] + f".{n:03}Z") for n in range(11)))
    ran = world.text("estimate")
    assert ("11 in one second: above 10 mails a second SNS suspends" in ran.err) is not bool(form)
    assert ("it folds: never more than five mails a second" in ran.out) is bool(form)


@pytest.mark.parametrize("since", ["1", "400d", "soon"])
def test_a_wrong_time_is_told(world: World, since: str) -> None:
    ran = world.run("estimate", "--since", since)
    assert (ran.code, f"--since {since}" in ran.json["error"]["message"]) == (2, True)
    assert world.faults.calls == []


def test_all_pages_are_read_three_a_second(world: World) -> None:
    there(*(asff(n) for n in range(1250)))
    began = world.faults.time.now()
    assert world.run("estimate").json["routes"][0]["now"] == 1250
    assert world.faults.operations.count("securityhub:GetFindings") == 13
    assert 2.3 <= world.faults.time.now() - began <= 2.4  # six at once, seven more at three a second


def test_security_hub_is_asked_for_no_more_than_the_routes_want(world: World) -> None:
    world.run("estimate")
    [asked] = [params for operation, params in world.faults.calls if operation == "securityhub:GetFindings"]
    wanted = {name: [one["Value"] for one in values] for name, values in asked["Filters"].items()}
    assert wanted == {"SeverityLabel": ["CRITICAL", "HIGH"], "WorkflowStatus": ["NEW"], "RecordState": ["ACTIVE"]}
    world.write(SMALLEST.replace("    subscribers", "    pattern: {source: [aws.securityhub]}\n    subscribers"))
    world.run("estimate")
    [asked] = [params for operation, params in world.faults.calls if operation == "securityhub:GetFindings"]
    assert "Filters" not in asked


def test_the_new_security_hub_is_read_too(world: World) -> None:
    world.write(HUB)
    there(ocsf(1), ocsf(2, "High"), ocsf(3, "Low"), asff(4))
    ran = world.run("estimate")
    assert ran.json["routes"][0]["now"] == 2
    assert ran.json["routes"][0]["by_product"] == {"GuardDuty": 2}
    assert "securityhub:GetFindings" not in world.faults.operations


def test_a_service_that_is_off_is_told_and_the_other_counted(world: World) -> None:
    world.write(BOTH)
    there(asff(1))
    world.faults.rule = faults.on("securityhub:GetFindingsV2")(faults.refuse("ResourceNotFoundException", 404))
    ran = world.run("estimate")
    assert (ran.code, ran.json["routes"][0]["now"]) == (0, 1)
    assert "Security Hub is not enabled here" in ran.err


def test_without_any_service_nothing_is_said_to_be_none(world: World) -> None:
    world.faults.rule = faults.on("securityhub:GetFindings")(faults.refuse("InvalidAccessException", 401))
    ran = world.run("estimate")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "securityhub:GetFindings")


def test_against_another_file(world: World, tmp_path: Any) -> None:
    there(asff(1), asff(2, "HIGH"), asff(3, "LOW"))
    other = tmp_path / "other.yaml"
    other.write_text(SMALLEST.replace("    subscribers", "    findings: {severity: [HIGH, LOW]}\n    subscribers"))
    found = world.run("estimate", "--against", str(other)).json["against"]
    assert (found["differ"], found["left_out"]) == (2, 0)
    assert {one["id"]: (one["here"], one["there"]) for one in found["findings"]} == {
        "finding-1": (["urgent"], []),
        "finding-3": ([], ["urgent"]),
    }
    text = world.text("estimate", "--against", str(other)).out
    assert "2 findings are treated differently" in text
    assert "CRITICAL title 1: urgent; there: nowhere" in text


def test_a_denied_read_names_the_iam_action(world: World) -> None:
    world.write(HUB)
    world.faults.rule = faults.on("securityhub:GetFindingsV2")(faults.refuse("AccessDeniedException", 403))
    hint = world.run("estimate").json["error"]["hint"]
    assert hint.startswith("allow securityhub:GetFindings for the caller")


# -- what apply says first -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "pages", "says"),
    [(9, 10, None), (60, 10, "60 findings"), (130, 10, "130 findings"), (130, 1, "100 or more findings")],
)
def test_apply_tells_a_backlog_before_the_rule_is_on(
    world: World, monkeypatch: pytest.MonkeyPatch, count: int, pages: int, says: str | None
) -> None:
    monkeypatch.setattr(flood, "PAGES", pages)
    there(*(asff(n) for n in range(count)))
    assert (f"route urgent: {says} match already" in world.run("plan").err) is bool(says)
    ran = world.apply()
    before, begins, _ = ran.err.partition("UrgentRule: creating")
    assert begins
    assert (f"route urgent: {says} match already" in before) is bool(says)
    assert any("match already" in one for one in ran.json["warnings"]) is bool(says)
    assert world.faults.operations.count("securityhub:GetFindings") == min(pages, count // 100 + 1)


def test_in_sync_nothing_is_asked(world: World) -> None:
    there(*(asff(n) for n in range(60)))
    world.apply()
    for command in (("plan",), ("apply", "--yes"), ("status",)):
        world.run(*command)
        assert "securityhub:GetFindings" not in world.faults.operations


def test_a_rule_that_is_switched_on_again_is_asked_about(world: World) -> None:
    there(*(asff(n) for n in range(60)))
    off = SMALLEST.replace("    subscribers", "    rule: {enabled: false}\n    subscribers")
    world.write(off)
    assert "match already" not in world.apply().err
    world.write(SMALLEST)
    assert "60 findings match already" in world.apply().err


def test_a_permission_that_is_missing_keeps_nothing_from_being_applied(world: World) -> None:
    world.faults.rule = faults.on("securityhub:GetFindings")(faults.refuse("AccessDeniedException", 403))
    ran = world.apply()
    assert ran.code == 0
    assert "cannot be told: needs securityhub:GetFindings" in ran.err


def test_it_tells_how_far_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Advanced] = []

    def note(_screen: Screen, event: object) -> None:
        if isinstance(event, Advanced):
            told.append(event)

    monkeypatch.setattr(Screen, "_plain", note)
    there(*(asff(n, days=n / 50) for n in range(1000)))
    world.run("estimate", "--since", "20d")
    assert [(event.done, event.total) for event in told] == [(n * 100, None) for n in range(1, 11)]
    assert told[7].share == pytest.approx(0.8, abs=0.01)  # sixteen of twenty days lie behind
    told.clear()
    world.write(HUB)
    there(*(ocsf(n) for n in range(250)))
    world.run("estimate")
    assert [(event.done, event.total) for event in told] == [(100, 250), (200, 250), (250, 250)]
    told.clear()
    world.write(BOTH)
    world.run("estimate", "--since", "20d")
    assert told[7].share == pytest.approx(0.4, abs=0.01)  # the new Security Hub is still to be read


SEVERAL = f"""\
name: security-alerts
region: {faults.REGION}
routes:
  - name: urgent
    source: both
    subscribers: [secops@example.com]
  - name: buckets
    findings: {{severity: any, resource_types: [AwsS3Bucket], exclude: {{controls: [S3.1]}}}}
    subscribers: [secops@example.com]
  - name: failed
    findings: {{severity: [LOW, MEDIUM, HIGH], compliance_status: [FAILED], workflow_status: any}}
    subscribers: [secops@example.com]
  - name: of-the-hub
    source: hub
    findings: {{severity: [CRITICAL, LOW], workflow_status: [NEW, NOTIFIED]}}
    subscribers: [secops@example.com]
"""


def any_findings(seed: int, count: int) -> list[dict[str, Any]]:
    """Findings of both services, open and closed, of every severity."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        if draw.random() < 0.3:
            status = draw.choice([("New", 1), ("In Progress", 2), ("Resolved", 4)])
            more: dict[str, Any] = {"status": status[0], "status_id": status[1]}
            found.append(ocsf(number, draw.choice(["Low", "High", "Critical"]), **more))
            continue
        control = {"Status": draw.choice(["FAILED", "PASSED"]), "SecurityControlId": draw.choice(["S3.1", "EC2.19"])}
        kind = draw.choice(["AwsS3Bucket", "AwsEc2Instance"])
        more = {
            "Compliance": control,
            "Workflow": {"Status": draw.choice(["NEW", "NOTIFIED", "SUPPRESSED"])},
            "Resources": [{"Type": kind, "Id": f"arn:aws:x:::{number}"}],
        }
        found.append(asff(number, draw.choice(["LOW", "MEDIUM", "HIGH", "CRITICAL"]), **more))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_numbers_are_those_of_match(world: World, tmp_path: Any, seed: int) -> None:
    """`match` on what Security Hub holds sends as many findings to each route as `estimate` counts."""
    there(*any_findings(seed, 60))
    world.write(SEVERAL)
    ran = world.run("estimate", "--since", "365d")
    held = tmp_path / "held.json"
    held.write_text("\n".join(json.dumps(one) for one in stored().values()))
    matched = world.run("match", str(held)).json["findings"]
    goes = Counter(route for one in matched for route in one["route"])
    counted = {one["route"]: sum(day["count"] for day in one["per_day"]) for one in ran.json["routes"]}
    assert counted == {name: goes[name] for name in counted}
    assert len(matched) == 60
    assert all(counted.values())
