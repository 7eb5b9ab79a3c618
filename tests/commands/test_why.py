"""`shnotify why`, from end to end: findings come, and what became of each is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shnotify.notifier import evidence
from shnotify.notifier.needs import ALSO
from shnotify.resources.kinds import READS
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.mailbox import mails
from shnotify.sandbox.subscriptions import suspend_subscription
from tests.conftest import Ran, World
from tests.support.arriving import ACCOUNT, PRODUCT, WHO, comes, formatting, mailing, moment
from tests.support.faults import REGION, Fault, refuse
from tests.support.lifecycle import RULE, TOPIC, key_id, policy

__all__ = ["formatting", "mailing"]


def stopped(ran: Ran) -> tuple[int, str, str]:
    """Exit code, mailed, and the first link that is broken; "" for none. All before it are not."""
    document = ran.json
    assert document["error"] is None
    broken = [link["id"] for link in document["links"] if link["verdict"] == "broken"]
    assert [link["id"] for link in document["links"]][-1:] == broken or not broken
    return ran.code, document["mailed"], broken[0] if broken else ""


def why(world: World, identity: str) -> tuple[int, str, str]:
    return stopped(world.run("why", identity))


def test_a_finding_that_was_mailed(mailing: World) -> None:
    identity, came = comes(mailing, "good"), moment(mailing)
    assert len([one for one in mails() if one.kind == "notification"]) == 1
    mailing.faults.time.sleep(30)
    ran = mailing.run("why", identity)
    assert stopped(ran) == (0, "yes", "")
    assert set(mailing.faults.operations) <= READS | ALSO["why"]
    document = ran.json
    assert (document["finding"], document["title"], document["severity"]) == ("good", "Title of good", "HIGH")
    assert document["since"] == came
    assert {link["route"] for link in document["links"]} == {"urgent"}
    assert "Mailed: yes. As far as can be seen: " in mailing.text("why", identity).out


def test_a_finding_that_the_filter_stops_is_told_field_by_field(mailing: World) -> None:
    comes(mailing, "low", "LOW", RecordState="ARCHIVED")
    ran = mailing.run("why", "low")
    assert stopped(ran) == (4, "no", "pattern")
    mismatches = ran.json["links"][-1]["evidence"]["mismatches"]
    assert [(one["path"], one["actual"]) for one in mismatches] == [
        ("detail.findings.Severity.Label", "LOW"),
        ("detail.findings.RecordState", "ARCHIVED"),
    ]
    assert 'Severity.Label is "LOW"; it must be "CRITICAL" or "HIGH"' in mailing.text("why", "low").out


def test_a_finding_that_is_not_there(mailing: World) -> None:
    ran = mailing.run("why", "nonesuch")
    assert stopped(ran) == (4, "unknown", "hub")
    assert "no finding with this id" in ran.json["links"][0]["why"]


@pytest.mark.parametrize(
    ("breaks", "link"),
    [
        (lambda w: w.client("events").disable_rule(Name=RULE), "rule"),
        (lambda w: w.client("events").remove_targets(Rule=RULE, Ids=["shnotify"]), "target"),
        (
            lambda w: w.client("sns").set_topic_attributes(
                TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy()
            ),
            "topic-policy",
        ),
        (lambda w: w.client("kms").disable_key(KeyId=key_id(w, "topic")), "topic-key"),
        (lambda w: suspend_subscription(WHO), "subscribers"),
    ],
    ids=["rule", "target", "topic-policy", "topic-key", "subscribers"],
)
def test_the_first_link_that_stopped_it(mailing: World, breaks: Callable[[World], Any], link: str) -> None:
    breaks(mailing)
    comes(mailing, "f")
    assert why(mailing, "f") == (4, "no", link)
    assert [one for one in mails() if one.kind == "notification"] == []


def test_one_that_lies_in_the_queue_is_found_there_and_stays_there(mailing: World) -> None:
    key = key_id(mailing, "topic")
    mailing.client("kms").disable_key(KeyId=key)
    comes(mailing, "stuck")
    mailing.client("kms").enable_key(KeyId=key)
    for _ in range(2):
        ran = mailing.run("why", "stuck")
        assert stopped(ran) == (4, "no", "queue-depth")
        link = ran.json["links"][-1]
        assert link["mend"] == f"shnotify dlq redrive --id {link['evidence']['message']}"
        assert ran.json["since"] == link["evidence"]["sent"]


def test_one_that_lies_in_the_queue_behind_a_broken_link_is_not_given_up(mailing: World) -> None:
    mailing.client("kms").disable_key(KeyId=key_id(mailing, "topic"))
    comes(mailing, "stuck")
    ran = mailing.run("why", "stuck")
    assert stopped(ran) == (4, "no", "topic-key")
    (letter,) = mailing.run("dlq", "list").json["messages"]
    assert ran.json["routes"][0]["message"] == letter["id"]
    assert f"shnotify dlq redrive --id {letter['id']}" in mailing.text("why", "stuck").out


def test_the_history_tells_that_it_was_let_through_before(mailing: World, monkeypatch: pytest.MonkeyPatch) -> None:
    comes(mailing, "seen-to")
    hub = mailing.client("securityhub")
    hub.batch_update_findings(
        FindingIdentifiers=[{"Id": "seen-to", "ProductArn": PRODUCT}], Workflow={"Status": "SUPPRESSED"}
    )
    ran = mailing.run("why", "seen-to")
    assert stopped(ran) == (0, "unknown", "")  # nobody can see how it was before
    pattern = next(one for one in ran.json["links"] if one["id"] == "pattern")
    assert (pattern["verdict"], "before the finding changed" in pattern["why"]) == ("unknown", True)
    begun = datetime.fromisoformat(moment(mailing))
    records = [
        {"UpdateTime": begun, "FindingCreated": True},
        {
            "UpdateTime": begun,
            "Updates": [{"UpdatedField": "Workflow.Status", "OldValue": "NEW", "NewValue": "SUPPRESSED"}],
        },
    ]
    monkeypatch.setattr(evidence, "recorded", lambda _aws, _finding: records[::-1])
    assert why(mailing, "seen-to") == (0, "yes", "")


def test_a_formatters_log_is_proof(formatting: World) -> None:
    comes(formatting, "formatted")
    assert why(formatting, "formatted") == (0, "yes", "")
    formatting.client("kms").disable_key(KeyId=key_id(formatting, "topic"))
    ran = formatting.run("why", "formatted")
    assert stopped(ran) == (0, "yes", "")  # it went out before the key was disabled
    assert [link["verdict"] for link in ran.json["links"] if link["id"] == "topic-key"] == ["warning"]


def test_what_the_formatter_leaves_out(formatting: World) -> None:
    formatting.write(
        formatting.path.read_text().replace(
            "{format: lambda}", "{format: lambda, dedup: new-only}\n    findings: {workflow_status: any}"
        )
    )
    assert formatting.apply().code == 0
    comes(formatting, "old", CreatedAt="2026-01-01T00:00:00Z")
    ran = formatting.run("why", "old")
    assert stopped(ran) == (4, "no", "formatter")
    assert "dedup: new-only" in ran.json["links"][-1]["why"]


DENIED = refuse("AccessDeniedException", 403)


def denied(*operations: str) -> Callable[[int, str], Fault | None]:
    return lambda _n, operation: DENIED if operation in operations else None


@pytest.mark.parametrize(
    ("operation", "link"),
    [("sqs:ReceiveMessage", "queue-depth"), ("cloudwatch:GetMetricData", "mail-failures")],
)
def test_what_may_not_be_read_is_unknown_and_named(mailing: World, operation: str, link: str) -> None:
    comes(mailing, "f")
    mailing.faults.rule = denied(operation)
    ran = mailing.run("why", "f")
    assert stopped(ran) == (0, "unknown", "")
    assert {one["id"]: one["needs"] for one in ran.json["links"] if one["verdict"] == "unknown"} == {link: [operation]}


def test_a_security_hub_that_may_not_be_asked_is_an_error(mailing: World) -> None:
    comes(mailing, "f")
    mailing.faults.rule = denied("securityhub:GetFindings")
    ran = mailing.run("why", "f")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "securityhub:GetFindings")
    mailing.faults.rule = denied("securityhub:GetFindingsV2")  # the route does not need that one
    assert why(mailing, "f") == (0, "yes", "")


def test_a_finding_that_is_older_than_the_notifier(world: World) -> None:
    world.faults.time.seconds = time.time() - 7200
    comes(world, "before")
    world.faults.time.seconds = time.time()
    assert world.apply().code == 0
    ran = world.run("why", "before")
    assert stopped(ran) == (4, "no", "rule")
    assert "only new and changed findings are mailed" in ran.json["links"][-1]["why"]


def test_the_last_ones_as_a_table(mailing: World) -> None:
    comes(mailing, "one")
    mailing.faults.time.sleep(60)
    comes(mailing, "two\x1b[31m", "LOW", Title="two\nlines\x1b[31m" + "x" * 100)
    ran = mailing.run("why", "--last", "20")
    assert ran.code == 0  # only the filter stopped one
    assert [(one["finding"], one["mailed"]) for one in ran.json["findings"]] == [("two\x1b[31m", "no"), ("one", "yes")]
    lines = mailing.text("why", "--last", "20").out.splitlines()
    assert lines[0].split() == ["mailed", "stopped", "by", "changed", "severity", "title"]
    assert lines[1].startswith("no      pattern     ")
    assert "two\\nlines\\x1b[31mxxx" in lines[1]
    assert lines[-1] == "1 of 2 mailed, as far as can be seen."
    assert [one["finding"] for one in mailing.run("why", "--last", "1").json["findings"]] == ["two\x1b[31m"]
    suspend_subscription(WHO)
    mailing.faults.time.sleep(60)
    comes(mailing, "three")
    assert mailing.run("why", "--last", "1").code == 4


def test_routes_are_told_apart(mailing: World) -> None:
    mailing.write(
        mailing.path.read_text() + "  - name: low\n    findings: {severity: [LOW]}\n    subscribers: [l@example.com]\n"
    )
    assert mailing.apply().code == 0
    comes(mailing, "f")
    ran = mailing.run("why", "f")
    assert (ran.code, ran.json["mailed"]) == (0, "yes")
    assert {one["route"]: one["mailed"] for one in ran.json["routes"]} == {"urgent": "yes", "low": "no"}
    only = mailing.run("why", "f", "--route", "low")
    assert (only.code, only.json["mailed"], [one["route"] for one in only.json["routes"]]) == (4, "no", ["low"])


@pytest.mark.parametrize("arguments", [(), ("f", "--last", "3"), ("--last", "0"), ("f", "--route", "nonesuch")])
def test_a_wrong_command_line(mailing: World, arguments: tuple[str, ...]) -> None:
    assert mailing.run("why", *arguments).code == 2


def test_a_finding_of_the_new_security_hub(mailing: World) -> None:
    event = json.loads((Path(__file__).parents[1] / "data" / "hub-compliance-create.json").read_text())
    raw = event["detail"]["findings"][0]
    arrive(ACCOUNT, REGION, raw)
    ran = mailing.run("why", raw["metadata"]["uid"])
    assert stopped(ran) == (4, "no", "pattern")
    assert "detail-type" in ran.json["links"][-1]["why"]
