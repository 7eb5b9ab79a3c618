"""Until when somebody can confirm, as CloudTrail tells when SNS was asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shnotify.notifier.countdown import asked_in, left
from tests.conftest import World
from tests.support.breakages import DENIED, Stack, answer
from tests.support.broken_names import PENDING
from tests.support.faults import on, refuse
from tests.support.lifecycle import TOPIC

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def event(hours: float, endpoint: str = "SecOps@example.com", topic: str = TOPIC, now: datetime = NOW) -> Any:
    """One of CloudTrail's records of a Subscribe call (sns-logging-using-cloudtrail)."""
    given = {"topicArn": topic, "protocol": "email", "endpoint": endpoint}
    return {
        "EventTime": now - timedelta(hours=hours),
        "CloudTrailEvent": json.dumps({"requestParameters": given}),
    }


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([event(1)], "47 hours left"),
        ([event(40), event(2)], "46 hours left"),
        ([event(47.5)], "less than an hour left"),
        ([event(1, topic=TOPIC + "x")], ""),
        ([event(1, endpoint="HIDDEN_DUE_TO_SECURITY_REASONS")], ""),
        ([{"EventTime": NOW, "CloudTrailEvent": "no JSON"}, {}, {"CloudTrailEvent": "null"}], ""),
        ([], ""),
    ],
)
def test_the_last_request_counts(events: list[Any], words: str) -> None:
    asked = asked_in(events, {TOPIC})
    assert left(asked, TOPIC, "email", "secops@Example.com", NOW) == words


def test_a_pending_subscriber_is_counted_down(world: World) -> None:
    found = Stack(world).made()
    pending = {"sns:ListSubscriptionsByTopic": answer({"Subscriptions": [PENDING]})}
    found.doctor(pending, {"cloudtrail:LookupEvents": answer({"Events": [event(7, now=datetime.now(UTC))]})})
    assert "email secops@example.com (not confirmed, 41 hours left)" in world.text("doctor").out
    ran = found.doctor(pending, {"cloudtrail:LookupEvents": DENIED})
    (link,) = [link for link in ran.json["links"] if link["id"] == "subscribers"]
    assert link["why"].startswith("nobody has confirmed: 1 pending, and AWS drops them after 48 hours; secops@")
    assert link["needs"] == ["cloudtrail:LookupEvents"]
    assert "cannot tell more: needs cloudtrail:LookupEvents" in world.text("doctor").out


@pytest.mark.parametrize("command", [("why", "--last", "3"), ("test", "--dry-run"), ("subscriptions", "list")])
def test_one_who_has_not_clicked_yet_keeps_no_command_from_looking(world: World, command: tuple[str, ...]) -> None:
    world.apply()
    ran = world.run(*command)
    assert ran.code in (0, 4), ran.err
    assert ran.json["error"] is None
    world.faults.rule = on("cloudtrail:LookupEvents", 9)(refuse("AccessDenied", 403, "not authorized"))
    denied = world.run(*command)
    assert denied.code == ran.code
    if command[0] == "subscriptions":
        told = "until when it can be confirmed cannot be told: needs cloudtrail:LookupEvents"
        assert denied.json["warnings"] == [told]
