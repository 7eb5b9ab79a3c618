"""`shnotify subscriptions` and `apply --wait-confirmation`, from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shnotify.notifier.needs import ALSO
from shnotify.resources.kinds import READS
from shnotify.sandbox.subscriptions import confirm_subscription, pending_subscriptions, suspend_subscription
from tests.conftest import SMALLEST, World
from tests.support.arriving import comes, mailing
from tests.support.faults import Fault, fail_with, on, refuse
from tests.support.lifecycle import TOPIC

__all__ = ["mailing"]

WHO = "secops@example.com"
TWO_ROUTES = SMALLEST + "  - name: daily\n    subscribers: [secops@example.com, second@example.com]\n"


@pytest.fixture
def applied(world: World) -> World:
    assert world.apply().code == 0
    return world


def subscribed(world: World, endpoint: str, topic: str = TOPIC) -> str:
    sns = world.client("sns")
    arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=endpoint, ReturnSubscriptionArn=True)
    return str(arn["SubscriptionArn"])


def token_of(endpoint: str) -> str:
    return next(one.token for one in pending_subscriptions() if one.endpoint == endpoint)


def states(world: World) -> dict[tuple[str, str], str]:
    return {(s["route"], s["endpoint"]): s["state"] for s in world.run("subscriptions", "list").json["subscribers"]}


def test_list_says_what_sns_says_and_nothing_more(applied: World) -> None:
    ran = applied.run("subscriptions", "list")
    assert ran.code == 0
    assert set(applied.faults.operations) <= READS | ALSO["subscriptions list"]
    assert ran.json["subscribers"] == [
        {
            "route": "urgent",
            "protocol": "email",
            "endpoint": WHO,
            "state": "pending",
            "pending": True,
            "arn": None,
            "pending_since": None,
            "expires": None,
            "suspended": None,
            "protected": None,
            "filtered": None,
        }
    ]
    assert (ran.json["name"], ran.json["error"]) == ("security-alerts", None)
    confirm_subscription(WHO)
    (one,) = applied.run("subscriptions", "list").json["subscribers"]
    assert one["state"] == "confirmed"
    assert one["arn"].startswith(TOPIC)
    assert (one["protected"], one["filtered"], one["suspended"]) == (False, False, False)


def test_list_in_text(applied: World) -> None:
    subscribed(applied, "stranger@example.com")
    out = applied.text("subscriptions", "list").out
    assert "pending    email  secops@example.com" in out
    assert "48 hours" in out
    assert "unlisted   email  stranger@example.com  not in the file, pending: let it lapse" in out
    confirm_subscription(WHO)
    assert "a link in any of its mails can end it" in applied.text("subscriptions", "list").out


def test_list_of_nothing_applied_says_missing(world: World) -> None:
    assert states(world) == {("urgent", WHO): "missing"}


def test_a_denied_list_is_an_error_and_a_denied_look_is_unknown(applied: World) -> None:
    confirm_subscription(WHO)
    applied.faults.rule = on("sns:ListSubscriptionsByTopic")(refuse("AuthorizationError", 403))
    ran = applied.run("subscriptions", "list")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "sns:ListSubscriptionsByTopic")
    applied.faults.rule = on("sns:GetSubscriptionAttributes")(refuse("AuthorizationError", 403))
    (one,) = applied.run("subscriptions", "list").json["subscribers"]
    assert (one["state"], one["protected"], one["filtered"]) == ("confirmed", None, None)


def test_resend_asks_a_pending_one_of_the_file_again(applied: World) -> None:
    ran = applied.run("subscriptions", "resend", WHO.upper())
    assert ran.code == 0
    (call,) = [params for operation, params in applied.faults.calls if operation == "sns:Subscribe"]
    assert call == {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": WHO, "ReturnSubscriptionArn": True}
    assert [(one["route"], one["endpoint"]) for one in ran.json["asked_again"]] == [("urgent", WHO)]


@pytest.mark.parametrize(
    ("before", "endpoint", "code", "said"),
    [
        (lambda w: confirm_subscription(WHO), WHO, 1, "has confirmed already"),
        (lambda w: subscribed(w, "x@example.com"), "x@example.com", 2, "not in the file"),
        (lambda w: None, "nobody@example.com", 2, "no subscriber of any route"),
        (lambda w: w.faults.time.sleep(49 * 3600), WHO, 1, "is not subscribed"),
    ],
    ids=["confirmed", "unlisted", "unknown", "lapsed"],
)
def test_resend_refuses_the_others(
    applied: World, before: Callable[[World], Any], endpoint: str, code: int, said: str
) -> None:
    before(applied)
    ran = applied.run("subscriptions", "resend", endpoint)
    assert ran.code == code
    assert said in ran.json["error"]["message"]
    assert applied.faults.writes == []


@pytest.mark.parametrize("form", ["token", "link"])
def test_confirm_protects(applied: World, form: str) -> None:
    token = token_of(WHO)
    link = f"https://sns.eu-west-1.amazonaws.com/confirmation.html?TopicArn={TOPIC}&Token={token}&Endpoint={WHO}"
    ran = applied.run("subscriptions", "confirm", token if form == "token" else link)
    assert ran.code == 0, ran.err
    (one,) = ran.json["confirmed"]
    assert (one["route"], one["endpoint"], one["protected"]) == ("urgent", WHO, True)
    (seen,) = applied.run("subscriptions", "list").json["subscribers"]
    assert (seen["state"], seen["protected"]) == ("confirmed", True)
    assert "protected" in applied.text("subscriptions", "list").out


def test_confirm_with_a_wrong_token_says_so(applied: World) -> None:
    ran = applied.run("subscriptions", "confirm", "0" * 64)
    assert ran.code == 1
    assert ran.json["error"]["operation"] == "sns:ConfirmSubscription"
    assert "does not take this token" in ran.json["error"]["message"]
    assert "resend" in ran.json["error"]["hint"]


def test_confirm_refuses_what_is_not_ours_without_a_call(applied: World) -> None:
    foreign = TOPIC.replace("urgent", "foreign")
    ran = applied.run(
        "subscriptions", "confirm", f"https://sns.eu-west-1.amazonaws.com/?TopicArn={foreign}&Token=12345678"
    )
    assert ran.code == 2
    assert not [one for one in applied.faults.operations if one.startswith("sns:")]


def test_a_bare_token_needs_the_route_when_there_are_two(applied: World) -> None:
    applied.write(TWO_ROUTES)
    applied.apply()
    token = next(one.token for one in pending_subscriptions() if one.topic_arn.endswith("-daily"))
    assert applied.run("subscriptions", "confirm", token).code == 2
    assert applied.run("subscriptions", "confirm", token, "--route", "daily").code == 0
    assert [key for key, state in states(applied).items() if state == "confirmed"] == [
        (
            "daily",
            next(one["endpoint"] for one in applied.run("subscriptions", "list").json["subscribers"] if one["arn"]),
        )
    ]


def test_remove_ends_a_confirmed_stranger_and_nobody_else(applied: World) -> None:
    arn = subscribed(applied, "left@example.com")
    assert applied.run("subscriptions", "remove", "left@example.com", "--yes").code == 1  # pending
    confirm_subscription("left@example.com")
    asked = applied.run("subscriptions", "remove", "left@example.com")
    assert (asked.code, applied.faults.writes) == (2, [])
    ran = applied.run("subscriptions", "remove", "LEFT@example.com", "--yes")
    assert (ran.code, ran.json["removed"][0]["arn"]) == (0, arn)
    assert states(applied) == {("urgent", WHO): "pending"}
    listed = applied.run("subscriptions", "remove", WHO, "--yes")
    assert (listed.code, applied.faults.writes) == (2, [])
    assert "take it out of the file first" in listed.json["error"]["hint"]


def test_protect_shows_and_then_makes_anew(applied: World) -> None:
    confirm_subscription(WHO)
    shown = applied.run("subscriptions", "protect")
    assert [one["endpoint"] for one in shown.json["unprotected"]] == [WHO]
    assert "shnotify subscriptions protect ADDRESS" in applied.text("subscriptions", "protect").out
    alone = applied.run("subscriptions", "protect", WHO, "--yes")
    assert (alone.code, applied.faults.writes) == (1, [])
    assert "nobody else gets the mail of urgent" in alone.json["error"]["message"]
    assert applied.run("subscriptions", "protect", WHO, "--force").code == 2  # nobody can be asked
    assert applied.faults.writes == []
    ran = applied.run("subscriptions", "protect", WHO, "--force", "--yes")
    assert (ran.code, applied.faults.writes) == (0, ["sns:Unsubscribe", "sns:Subscribe"])
    assert applied.run("subscriptions", "confirm", token_of(WHO)).json["confirmed"][0]["protected"] is True
    done = applied.run("subscriptions", "protect", WHO, "--yes")
    assert (done.code, applied.faults.writes) == (1, [])
    assert "All are protected." in applied.text("subscriptions", "protect").out


def test_protect_keeps_the_attributes_and_needs_nobody_else_when_there_is_another(applied: World) -> None:
    applied.write(SMALLEST.replace("[secops", "[second@example.com, secops"))
    assert applied.apply().code == 0
    (arn,) = confirm_subscription(WHO)
    confirm_subscription("second@example.com")
    policy = '{"severity": ["HIGH"]}'
    applied.client("sns").set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=policy
    )
    assert applied.run("subscriptions", "protect", WHO, "--yes").code == 0
    (call,) = [params for operation, params in applied.faults.calls if operation == "sns:Subscribe"]
    assert call["Attributes"]["FilterPolicy"] == policy


@pytest.mark.parametrize("fault", [refuse("InternalError", 500), fail_with(KeyboardInterrupt())])
def test_protect_that_breaks_off_is_mended_by_apply(applied: World, fault: Fault) -> None:
    confirm_subscription(WHO)
    applied.faults.rule = on("sns:Subscribe", 99)(fault)
    assert applied.run("subscriptions", "protect", WHO, "--force", "--yes").code in (1, 130)
    applied.faults.rule = lambda _n, _o: None
    assert applied.apply().code == 0
    assert states(applied) == {("urgent", WHO): "pending"}


def test_the_wait_ends_when_all_have_clicked(world: World) -> None:
    world.write(SMALLEST.replace("[secops", "[second@example.com, secops"))
    clicks = iter([WHO, "second@example.com"])

    def click(_n: int, operation: str) -> None:
        if operation == "sns:ListSubscriptionsByTopic" and world.faults.time.now() > due[0]:
            due[0] = world.faults.time.now() + 60
            confirm_subscription(next(clicks))

    due = [world.faults.time.now() + 100]
    world.faults.rule = click
    ran = world.apply("--wait-confirmation", "10m")
    assert (ran.code, ran.json["waiting"]) == (0, [])
    assert "1 of 2 confirmed; waiting for second@example.com (urgent)" in ran.err
    assert "2 of 2 confirmed" in ran.err
    lists = ran.err.count("confirmed")
    assert lists == 3  # a line for each change, not for each look


def test_the_wait_ends_in_time_and_says_who_has_not(world: World) -> None:
    begun = world.faults.time.now()
    ran = world.apply("--wait-confirmation", "5m")
    assert ran.code == 4
    assert [one["endpoint"] for one in ran.json["waiting"]] == [WHO]
    assert ran.json["error"] is None
    assert 300 <= world.faults.time.now() - begun < 330
    assert world.faults.operations.count("sns:ListSubscriptionsByTopic") < 40
    again = world.apply("--wait-confirmation", "30s")
    assert (again.code, again.json["summary"]["create"]) == (4, 0)


def test_an_interrupted_wait_tells_what_was_applied(world: World) -> None:
    def rule(_n: int, operation: str) -> Fault | None:
        late = world.faults.time.now() > 1090
        return fail_with(KeyboardInterrupt()) if late and operation == "sns:ListSubscriptionsByTopic" else None

    world.faults.rule = rule
    ran = world.apply("--wait-confirmation", "10m")
    assert ran.code == 130
    assert {action["result"] for action in ran.json["actions"]} == {"done"}
    assert ran.json["waiting"] is None
    world.faults.rule = lambda _n, _o: None
    assert world.run("status").states() == {}


def test_a_wait_that_nobody_can_see_through_is_an_error(world: World) -> None:
    def rule(_n: int, operation: str) -> Fault | None:
        late = world.faults.time.now() > 1090
        return refuse("AuthorizationError", 403) if late and operation == "sns:ListSubscriptionsByTopic" else None

    world.faults.rule = rule
    ran = world.apply("--wait-confirmation", "10m")
    assert (ran.code, ran.json["waiting"]) == (1, None)
    assert ran.json["error"]["operation"] == "sns:ListSubscriptionsByTopic"


@pytest.mark.parametrize("text", ["soon", "-1", "0s", "3d", "1.5m", ""])
def test_a_wrong_time_is_a_wrong_command_line(world: World, text: str) -> None:
    ran = world.apply("--wait-confirmation", text)
    assert (ran.code, world.faults.calls) == (2, [])


def test_apply_ends_with_what_is_next(world: World) -> None:
    out = world.text("apply", "--yes").out
    assert f"Next:\n  * {WHO} must confirm the subscription within 48 hours" in out
    assert "`shnotify test`" in out
    assert "`shnotify doctor`" in out
    assert "Next:" not in world.text("apply", "--yes").out
    confirm_subscription(WHO)
    suspend_subscription(WHO)
    assert states(world) == {("urgent", WHO): "pending"}


def test_one_that_was_suspended_is_told_where_the_counts_prove_it(mailing: World) -> None:
    def listed() -> list[bool | None]:
        return [one["suspended"] for one in mailing.run("subscriptions", "list").json["subscribers"]]

    assert listed() == [False]
    suspend_subscription(WHO)
    assert listed() == [None]  # nothing was delivered yet
    confirm_subscription(WHO)
    comes(mailing, "f")
    suspend_subscription(WHO)
    assert listed() == [True]
    assert "suspended: was confirmed before" in mailing.text("subscriptions", "list").out
    mailing.faults.rule = lambda _n, o: refuse("AccessDenied", 403) if o.startswith("cloudwatch") else None
    assert listed() == [None]
    mailing.faults.rule = lambda _n, _o: None
    subscribed(mailing, "other@example.com")  # whose mail it was, nobody can tell now
    assert listed() == [None, None]


def test_where_cloudtrail_tells_since_when_one_waits_the_end_is_known(applied: World) -> None:
    parameters = {"topicArn": TOPIC, "protocol": "email", "endpoint": WHO.upper()}
    event = {
        "EventTime": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "CloudTrailEvent": json.dumps({"requestParameters": parameters}),
    }

    def answer(_n: int, operation: str) -> Fault | None:
        return (lambda _call, _o: {"Events": [event]}) if operation == "cloudtrail:LookupEvents" else None

    applied.faults.rule = answer
    (one,) = applied.run("subscriptions", "list").json["subscribers"]
    assert (one["pending_since"], one["expires"]) == ("2026-01-01T12:00:00Z", "2026-01-03T12:00:00Z")
    assert "SNS drops it at 2026-01-03 12:00 UTC" in applied.text("subscriptions", "list").out
