"""`shnotify test`, from end to end: a marked finding goes through the sandbox's chain, and is put away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shnotify.notifier.needs import ALSO
from shnotify.resources.kinds import READS
from shnotify.sandbox.mailbox import Mail, mails
from shnotify.sandbox.subscriptions import confirm_subscription, suspend_subscription
from tests.conftest import Ran, World
from tests.support.arriving import WHO, comes, formatting, mailing
from tests.support.faults import Fault, Killed, fail_with, kill_after, on, refuse
from tests.support.lifecycle import RULE, TOPIC, key_id, policy

__all__ = ["formatting", "mailing"]


def verdicts(ran: Ran) -> dict[str, str]:
    return {hop["id"]: hop["verdict"] for hop in ran.json["hops"]}


def arrived() -> list[Mail]:
    return [one for one in mails() if one.kind == "notification"]


def findings(world: World) -> list[tuple[str, str]]:
    """Record state and workflow of every test finding."""
    found = world.client("securityhub").get_findings()["Findings"]
    return [(f["RecordState"], f["Workflow"]["Status"]) for f in found if f["Id"].startswith("shnotify-test/")]


AWAY = [("ARCHIVED", "RESOLVED")]
GOOD = {"imported": "ok", "matched": "ok", "invoked": "ok", "published": "ok", "dead_lettered": "ok", "resolved": "ok"}


@pytest.mark.parametrize("hostile", [(), ("--hostile",)])
def test_a_test_arrives_once_and_is_put_away(mailing: World, hostile: tuple[str, ...]) -> None:
    ran = mailing.run("test", "--yes", *hostile)
    assert (ran.code, verdicts(ran), ran.json["delivered"]) == (0, GOOD, "yes")
    assert ran.json["error"] is None
    assert all(hop["seconds"] is not None for hop in ran.json["hops"] if hop["id"] != "dead_lettered")
    assert ran.json["finding"].startswith("shnotify-test/security-alerts/urgent/")
    assert len(arrived()) == 1
    assert findings(mailing) == AWAY
    assert set(mailing.faults.operations) <= READS | ALSO["test"]


@pytest.mark.parametrize("hostile", [(), ("--hostile",)])
def test_through_the_formatter_its_log_is_the_proof(formatting: World, hostile: tuple[str, ...]) -> None:
    formatting.faults.rule = lambda _n, o: refuse("AccessDeniedException", 403) if o.startswith("cloudwatch") else None
    ran = formatting.run("test", "--yes", *hostile)
    assert (ran.code, verdicts(ran)) == (0, GOOD)
    assert ran.json["delivered"] == "unknown"  # what SNS counted could not be read
    (mail,) = arrived()
    assert "TEST" in mail.subject
    assert "\n" not in mail.subject
    assert "\u202e" not in mail.body
    assert findings(formatting) == AWAY


def test_text_says_what_nobody_can_know(mailing: World) -> None:
    out = mailing.text("test", "--yes").out
    assert "A real mail goes to 1 confirmed: secops@example.com." in out
    assert "Whether it is in anybody's inbox only its owner can see" in out
    assert "ok       published" in out


def test_nothing_is_sent_unasked(mailing: World) -> None:
    ran = mailing.run("test")
    assert (ran.code, ran.json["error"]["hint"]) == (2, "give --yes to go on without asking")
    dry = mailing.run("test", "--dry-run")
    assert (dry.code, dry.json["dry_run"], dry.json["hops"]) == (0, True, [])
    assert dry.json["would_import"]["Id"] == dry.json["finding"]
    assert '"Sample": true' in mailing.text("test", "--dry-run").out
    direct = mailing.run("test", "--direct", "--hostile", "--dry-run").json
    assert (direct["finding"], direct["would_import"]) == (None, None)
    assert "\u202eright-to-left" in direct["would_publish"]["text"]
    shown = mailing.text("test", "--direct", "--hostile", "--dry-run").out
    assert "  Subject: [TEST] security-alerts, route urgent: nothing is wrong" in shown
    assert "\u202e" not in shown
    assert (arrived(), findings(mailing)) == ([], [])


BROKEN: dict[str, tuple[Callable[[World], Any], dict[str, str]]] = {
    "rule disabled": (
        lambda w: w.client("events").disable_rule(Name=RULE),
        {"matched": "failed", "invoked": "failed", "published": "failed", "dead_lettered": "ok"},
    ),
    "no target": (
        lambda w: w.client("events").remove_targets(Rule=RULE, Ids=["shnotify"]),
        {"matched": "ok", "invoked": "failed", "published": "failed", "dead_lettered": "ok"},
    ),
    "topic policy": (
        lambda w: w.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy()),
        {"matched": "ok", "invoked": "failed", "published": "failed", "dead_lettered": "failed"},
    ),
    "topic key": (
        lambda w: w.client("kms").disable_key(KeyId=key_id(w, "topic")),
        {"matched": "ok", "invoked": "failed", "published": "failed", "dead_lettered": "failed"},
    ),
    "topic and queue key": (
        lambda w: [w.client("kms").disable_key(KeyId=key_id(w, name)) for name in ("topic", "dlq")],
        {"matched": "ok", "invoked": "failed", "published": "failed", "dead_lettered": "failed"},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails_by_name_and_soon(mailing: World, name: str) -> None:
    breaks, expected = BROKEN[name]
    breaks(mailing)
    begun = mailing.faults.time.now()
    ran = mailing.run("test", "--yes")
    assert ran.code == 4
    assert verdicts(ran) == {"imported": "ok", **expected, "resolved": "ok"}
    assert all(hop["why"] for hop in ran.json["hops"] if hop["verdict"] == "failed")
    assert ran.json["delivered"] == "no"
    assert mailing.faults.time.now() - begun < 60
    assert (arrived(), findings(mailing)) == ([], AWAY)


def test_a_broken_formatter_is_told_in_its_own_words(formatting: World) -> None:
    formatting.client("kms").disable_key(KeyId=key_id(formatting, "topic"))
    ran = formatting.run("test", "--yes")
    assert ran.code == 4
    assert verdicts(ran) == {**GOOD, "published": "failed", "dead_lettered": "failed"}


@pytest.mark.parametrize("direct", [(), ("--direct",)])
def test_nobody_subscribed_is_no_delivery_and_is_not_waited_for(mailing: World, direct: tuple[str, ...]) -> None:
    suspend_subscription(WHO)
    begun = mailing.faults.time.now()
    ran = mailing.run("test", "--yes", *direct)
    assert (ran.json["delivered"], verdicts(ran)["published"]) == ("no", "ok")
    assert "subscriptions list" in ran.json["why"]
    assert mailing.faults.time.now() - begun < 10


def test_each_subscriber_is_waited_for(mailing: World) -> None:
    mailing.write(mailing.path.read_text().replace("[secops@example.com]", "[secops@example.com, b@example.com]"))
    assert mailing.apply().code == 0
    assert mailing.run("test", "--yes").json["why"].startswith("SNS handed over 1 mail,")
    confirm_subscription("b@example.com")
    assert mailing.run("test", "--yes").json["why"].startswith("SNS handed over 2 mails,")


def test_subscribers_that_cannot_be_read_are_not_called_nobody(mailing: World) -> None:
    mailing.faults.rule = lambda _n, o: (
        refuse("AuthorizationError", 403) if o == "sns:ListSubscriptionsByTopic" else None
    )
    assert "Whether anybody gets the mail cannot be told." in mailing.text("test", "--dry-run").out
    ran = mailing.run("test", "--yes")
    assert (ran.code, verdicts(ran), ran.json["delivered"]) == (0, GOOD, "yes")


def test_security_hub_that_is_off_takes_nothing(mailing: World) -> None:
    mailing.client("securityhub").disable_security_hub()
    ran = mailing.run("test", "--yes")
    assert ran.code == 4
    assert verdicts(ran) == {**dict.fromkeys(GOOD, "unknown"), "imported": "failed"}


def test_a_filter_that_no_test_can_pass_is_named(mailing: World) -> None:
    mailing.write(mailing.path.read_text() + "    findings: {products: [guardduty]}\n")
    assert mailing.apply().code == 0
    ran = mailing.run("test", "--yes")
    assert ran.code == 2
    assert "ProductArn would be" in ran.json["error"]["message"]
    assert mailing.run("test", "--yes", "--direct").code == 0


def test_direct_goes_to_the_topic_only(mailing: World) -> None:
    ran = mailing.run("test", "--yes", "--direct", "--hostile")
    assert (ran.code, verdicts(ran), ran.json["delivered"]) == (0, {"published": "ok"}, "yes")
    assert (ran.json["finding"], findings(mailing)) == (None, [])
    assert set(mailing.faults.operations) <= READS | ALSO["test --direct"]
    (mail,) = arrived()
    assert mail.subject.startswith("[TEST] security-alerts, route urgent")


def test_direct_to_a_broken_topic(mailing: World) -> None:
    mailing.client("kms").disable_key(KeyId=key_id(mailing, "topic"))
    ran = mailing.run("test", "--yes", "--direct")
    assert (ran.code, verdicts(ran), ran.json["delivered"]) == (4, {"published": "failed"}, "no")
    mailing.faults.rule = on("sns:Publish")(refuse("AuthorizationError", 403))
    ran = mailing.run("test", "--yes", "--direct")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "sns:Publish")


def test_several_routes_need_a_name(mailing: World) -> None:
    mailing.write(
        mailing.path.read_text() + "  - name: all\n    findings: {severity: any}\n    subscribers: [l@example.com]\n"
    )
    assert mailing.apply().code == 0
    assert mailing.run("test", "--yes").code == 2
    assert mailing.run("test", "--yes", "--route", "nonesuch").code == 2
    assert mailing.run("test", "--yes", "--route", "urgent").code == 0
    assert "It passes the filter of all as well" in mailing.text("test", "--route", "urgent", "--dry-run").out


def test_a_route_that_mails_every_change_is_put_away_with_the_fewest(mailing: World) -> None:
    mailing.write(mailing.path.read_text() + "    findings: {workflow_status: any, record_state: any}\n")
    assert mailing.apply().code == 0
    assert "Putting it away sends 2 more mails" in mailing.text("test", "--dry-run").out
    mailing.write(
        mailing.path.read_text().replace("{workflow_status: any, record_state: any}", "{workflow_status: any}")
    )
    assert mailing.apply().code == 0
    assert mailing.run("test", "--yes").json["more_mails"] == 0
    assert len(arrived()) == 1


def after(operation: str, fault: Fault) -> Callable[[int, str], Fault | None]:
    """The fault at the first call after this operation."""
    state = {"seen": False, "done": False}

    def rule(_n: int, found: str) -> Fault | None:
        if state["seen"] and not state["done"]:
            state["done"] = True
            return fault
        state["seen"] = state["seen"] or found == operation
        return None

    return rule


IMPORT = "securityhub:BatchImportFindings"


def test_an_interrupt_puts_it_away(mailing: World) -> None:
    mailing.faults.rule = after(IMPORT, fail_with(KeyboardInterrupt()))
    ran = mailing.run("test", "--yes")
    assert (ran.code, verdicts(ran)["resolved"]) == (130, "ok")
    assert ran.json["error"]["message"] == "interrupted"
    assert findings(mailing) == AWAY


def test_time_that_is_over_leaves_enough_to_put_it_away(mailing: World) -> None:
    mailing.faults.rule = lambda _n, o: refuse("ServiceUnavailable", 503) if o.startswith("cloudwatch") else None
    ran = mailing.run("test", "--yes", "--timeout", "30")
    assert verdicts(ran)["resolved"] == "ok"
    assert findings(mailing) == AWAY


@pytest.mark.parametrize("operation", [IMPORT, "securityhub:BatchUpdateFindings"])
def test_what_a_killed_run_leaves_the_next_one_puts_away(mailing: World, operation: str) -> None:
    mailing.faults.rule = on(operation)(kill_after)
    with pytest.raises(Killed):
        mailing.run("test", "--yes")
    assert len(arrived()) == 1
    assert findings(mailing)[0][0] == "ACTIVE"
    mailing.faults.rule = lambda _n, _o: None
    comes(mailing, "real")  # a finding that is none of ours stays as it is
    ran = mailing.run("test", "--yes")
    assert (ran.code, len(ran.json["archived"])) == (0, 1)
    assert findings(mailing) == AWAY * 2
    others = [f for f in mailing.client("securityhub").get_findings()["Findings"] if f["Id"] == "real"]
    assert [f["RecordState"] for f in others] == ["ACTIVE"]
    assert mailing.run("test", "--yes").json["archived"] == []


def test_a_finding_that_cannot_be_put_away_is_told(mailing: World) -> None:
    mailing.faults.rule = lambda _n, o: (
        refuse("AccessDeniedException", 403) if o.endswith("BatchUpdateFindings") else None
    )
    ran = mailing.run("test", "--yes")
    assert (ran.code, verdicts(ran)["resolved"]) == (4, "failed")
    assert ran.json["delivered"] == "yes"
    assert "the next `shnotify test` tries again" in ran.json["hops"][-1]["why"]


def test_nothing_counted_is_unknown_and_no_failure(mailing: World) -> None:
    """As on an emulator without metrics: waited for, and then not known."""
    mailing.faults.rule = lambda _n, o: (
        (lambda _call, _o: {"MetricDataResults": []}) if o.startswith("cloudwatch") else None
    )
    ran = mailing.run("test", "--yes", "--timeout", "120")
    assert ran.code == 0
    assert verdicts(ran) == {**GOOD, "matched": "unknown", "invoked": "unknown", "published": "unknown"}
    assert ran.json["delivered"] == "unknown"
