"""The watchdog of a file: its alarms and its topic, from the plan to the removal."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, World
from tests.support.faults import REGION
from tests.support.lambda_mode import LAMBDA

WATCHDOG = "watchdog: {subscribers: [oncall@example.com]}\n"
ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-watchdog"
ALARMS = {
    "UrgentRule-FailedInvocations": ("AWS/Events", "FailedInvocations", "notBreaching"),
    "UrgentRule-LostInvocations": ("AWS/Events", "InvocationsFailedToBeSentToDlq", "notBreaching"),
    "UrgentTopic-FailedNotifications": ("AWS/SNS", "NumberOfNotificationsFailed", "notBreaching"),
    "UrgentFormatter-Errors": ("AWS/Lambda", "Errors", "notBreaching"),
    "UrgentFormatter-Throttles": ("AWS/Lambda", "Throttles", "notBreaching"),
    "Dlq-Depth": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "ignore"),
    "Dlq-Age": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "ignore"),
}


@pytest.fixture
def watched(world: World) -> World:
    world.write(LAMBDA + WATCHDOG)
    ran = world.apply()
    assert ran.code == 0, ran.err
    confirm_subscription("secops@example.com")
    confirm_subscription("oncall@example.com")
    return world


def alarms(world: World) -> dict[str, dict[str, Any]]:
    found = world.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix("security-alerts-"): alarm for alarm in found}


def watchdog(world: World) -> list[tuple[str, str | None]]:
    """The links of `doctor` that are about the watchdog."""
    links = world.run("doctor").json["links"]
    return [(link["verdict"], link["resource"]) for link in links if link["id"] == "watchdog"]


def test_every_alarm_tells_the_second_topic(watched: World) -> None:
    found = alarms(watched)
    assert {
        name: (alarm["Namespace"], alarm["MetricName"], alarm["TreatMissingData"]) for name, alarm in found.items()
    } == ALARMS
    for alarm in found.values():
        assert (alarm["AlarmActions"], alarm["ActionsEnabled"]) == ([TOPIC], True)
    assert found["Dlq-Age"]["Threshold"] == 2 * 86400  # half of four days


def test_the_second_topic_has_no_key_and_lets_cloudwatch_in(watched: World) -> None:
    attributes = watched.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert not attributes.get("KmsMasterKeyId")
    assert '"cloudwatch.amazonaws.com"' in attributes["Policy"]
    assert '"aws:SourceAccount"' in attributes["Policy"]
    assert "events.amazonaws.com" not in attributes["Policy"]


def test_it_is_in_sync_and_doctor_says_so(watched: World) -> None:
    status = watched.run("status")
    assert (status.code, status.states()) == (0, {})
    assert watchdog(watched) == [("ok", None)]


def test_who_does_not_use_it_pays_nothing(world: World) -> None:
    ran = world.run("plan")
    assert not [call for call in world.faults.operations if call.startswith("cloudwatch:")]
    assert not [one for one in ran.json["actions"] if "Watchdog" in one["id"] or "Alarm" in one["type"]]
    assert "alarm" not in world.text("plan").out
    world.write(SMALLEST + "watchdog: false\n")
    assert world.run("plan").json["fingerprint"] == ran.json["fingerprint"]


def test_the_plan_names_its_price(world: World) -> None:
    world.write(LAMBDA + WATCHDOG)
    assert "Costs about 2.70 USD a month: 2 KMS keys at 1 USD, 7 alarms at 0.10 USD" in world.text("plan").out


def test_what_somebody_changed_is_mended(watched: World) -> None:
    client = watched.client("cloudwatch")
    name = "security-alerts-UrgentRule-FailedInvocations"
    client.disable_alarm_actions(AlarmNames=[name])
    client.delete_alarms(AlarmNames=["security-alerts-Dlq-Depth"])
    assert watched.run("status").states() == {
        "UrgentRuleFailedInvocations": "drifted",
        "DlqDepth": "missing",
    }
    assert set(watchdog(watched)) == {("broken", "UrgentRuleFailedInvocations"), ("broken", "DlqDepth")}
    assert watched.apply().actions() == {"UrgentRuleFailedInvocations": "update", "DlqDepth": "create"}
    assert watched.run("status").states() == {}


def test_doctor_says_in_which_state_an_alarm_is(watched: World) -> None:
    client = watched.client("cloudwatch")
    for number, state in enumerate(("ALARM", "INSUFFICIENT_DATA")):
        name = ("Dlq-Depth", "Dlq-Age")[number]
        client.set_alarm_state(AlarmName=f"security-alerts-{name}", StateValue=state, StateReason="2 > 1")
    ran = watched.run("doctor")
    found = {link["resource"]: link for link in ran.json["links"] if link["id"] == "watchdog"}
    assert {key: link["verdict"] for key, link in found.items()} == {"DlqDepth": "warning", "DlqAge": "unknown"}
    assert found["DlqDepth"]["why"] == "security-alerts-Dlq-Depth is in ALARM: 2 > 1"
    assert ran.code == 0


def test_a_watchdog_that_nobody_hears_is_broken(watched: World) -> None:
    sns = watched.client("sns")
    (entry,) = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])
    ran = watched.run("doctor")
    assert ran.code == 4
    assert watchdog(watched) == [("broken", "WatchdogTopic")]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("Policy", '{"Version":"2012-10-17","Statement":[]}'), ("KmsMasterKeyId", "alias/security-alerts-topic")],
)
def test_a_topic_that_cloudwatch_cannot_use_is_broken(watched: World, attribute: str, value: str) -> None:
    watched.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName=attribute, AttributeValue=value)
    assert watchdog(watched) == [("broken", "WatchdogTopic")]
    assert watched.apply().actions() == {"WatchdogTopic": "update"}
    assert watchdog(watched) == [("ok", None)]


def test_what_the_file_no_longer_names_is_removed(watched: World) -> None:
    watched.write(LAMBDA)
    gone = set(watched.apply().actions().values())
    assert gone == {"delete"}
    assert alarms(watched) == {}
    assert TOPIC not in [topic["TopicArn"] for topic in watched.client("sns").list_topics()["Topics"]]
    assert watched.run("status").states() == {}


def test_destroy_leaves_nothing(watched: World) -> None:
    assert watched.run("destroy", "--yes", "--force").code == 0
    assert alarms(watched) == {}
    assert watched.client("sns").list_topics()["Topics"] == []


def test_an_alarm_of_somebody_else_is_refused_or_adopted_and_given_back(world: World) -> None:
    client = world.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="security-alerts-Dlq-Depth",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    world.write(LAMBDA + WATCHDOG)
    ran = world.apply()
    assert (ran.code, ran.actions()["DlqDepth"]) == (1, "refuse")
    assert world.apply("--adopt").code == 0
    assert world.run("status").states() == {}
    assert world.run("destroy", "--yes", "--force").code == 0
    assert list(alarms(world)) == ["Dlq-Depth"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (SMALLEST.replace("name: urgent", "name: watchdog") + WATCHDOG, "routes[0].name"),
        (
            SMALLEST + "    topic: {name: security-alerts-watchdog}\n" + WATCHDOG,
            "routes[0].topic.name",
        ),
        (SMALLEST + "watchdog: {subscribers: []}\n", "watchdog.subscribers"),
        (SMALLEST + "watchdog: {subscribers: [a@example.com, a@example.com]}\n", "watchdog.subscribers[1]"),
        (SMALLEST + "watchdog: {}\n", "watchdog"),
    ],
)
def test_what_cannot_be(world: World, text: str, path: str) -> None:
    world.write(text)
    ran = world.run("validate")
    assert ran.code == 2
    assert path in ran.out
