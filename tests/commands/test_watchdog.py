"""The watchdog of a file: its alarms and its topic, from the plan to the removal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shnotify.arns import Scope
from shnotify.config.load import load
from shnotify.config.picture import made
from shnotify.notifier.desired import build
from shnotify.notifier.heartbeat import detail
from shnotify.resources.alarm import Alarm
from shnotify.resources.queue import Queue
from shnotify.resources.role import POLICY_NAME
from shnotify.resources.topic import Topic
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.mailbox import mails
from shnotify.sandbox.schedules import fire
from shnotify.sandbox.subscriptions import confirm_subscription, pending_subscriptions
from tests.conftest import SMALLEST, World
from tests.support.crashes import FOLDED
from tests.support.faults import REGION
from tests.support.lambda_mode import LAMBDA
from tests.support.samples import sample

WATCHDOG = "watchdog: {subscribers: [oncall@example.com]}\n"
ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-watchdog"
ALARMS = {
    "UrgentRule-FailedInvocations": ("AWS/Events", "FailedInvocations", "notBreaching"),
    "UrgentRule-LostInvocations": ("AWS/Events", "InvocationsFailedToBeSentToDlq", "notBreaching"),
    "UrgentTopic-FailedNotifications": ("AWS/SNS", "NumberOfNotificationsFailed", "notBreaching"),
    "UrgentTopic-Silence": ("AWS/SNS", "NumberOfNotificationsDelivered", "breaching"),
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
    for one in pending_subscriptions():
        world.client("sns").confirm_subscription(
            TopicArn=one.topic_arn, Token=one.token, AuthenticateOnUnsubscribe="true"
        )
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
    (told,) = status.json["watchdog"]["subscribers"]
    assert (status.json["watchdog"]["ok"], told["endpoint"], told["state"]) == (True, "oncall@example.com", "confirmed")
    assert watchdog(watched) == [("ok", None)]


def test_who_does_not_use_it_pays_nothing(world: World) -> None:
    ran = world.run("plan")
    assert not [call for call in world.faults.operations if call.startswith("cloudwatch:")]
    assert not [one for one in ran.json["actions"] if "Watchdog" in one["id"] or "Alarm" in one["type"]]
    assert "alarm" not in world.text("plan").out
    assert "watchdog" not in world.run("status").out + world.text("status").out
    world.write(SMALLEST + "watchdog: false\n")
    assert world.run("plan").json["fingerprint"] == ran.json["fingerprint"]


def test_the_plan_names_its_price(world: World) -> None:
    world.write(LAMBDA + WATCHDOG)
    assert "Costs about 2.80 USD a month: 2 KMS keys at 1 USD, 8 alarms at 0.10 USD" in world.text("plan").out


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
    ran = watched.run("status")
    assert ran.code == 3  # the subscriber is missing, which is drift
    assert (ran.json["watchdog"]["ok"], len(ran.json["watchdog"]["problems"])) == (False, 1)
    assert "watchdog: TELLS NOBODY" in watched.text("status").out


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
    assert gone == {"delete", "update"}  # the rule lets the heartbeat in no more
    assert alarms(watched) == {}
    assert TOPIC not in [topic["TopicArn"] for topic in watched.client("sns").list_topics()["Topics"]]
    assert watched.run("status").states() == {}


def test_destroy_leaves_nothing(watched: World) -> None:
    assert watched.run("destroy", "--yes", "--force").code == 0
    assert alarms(watched) == {}
    assert watched.client("sns").list_topics()["Topics"] == []
    assert watched.client("sqs").list_queues().get("QueueUrls", []) == []
    assert watched.client("iam").list_roles()["Roles"] == []
    groups = watched.client("scheduler").list_schedule_groups()["ScheduleGroups"]
    assert [group["Name"] for group in groups] == ["default"]


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


def beat(world: World, **changed: Any) -> None:
    """What the schedule does, when its time has come; or somebody who sends something like it."""
    name = "security-alerts-heartbeat"
    if not changed:
        assert fire(f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{name}/{name}") == f"{name} was sent"
        return
    target = world.client("scheduler").get_schedule(Name=name, GroupName=name)["Target"]
    entry = {**target["EventBridgeParameters"], "Detail": target["Input"], **changed}
    assert world.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("form", "source"),
    [("summary", "cspm"), ("summary", "hub"), ("summary", "both"), ("json", "hub"), ("lambda", "both")],
)
def test_a_heartbeat_is_one_mail_a_route(world: World, form: str, source: str) -> None:
    fields = f"    source: {source}\n    message: {{format: {form}}}\n"
    world.write(SMALLEST + fields + WATCHDOG)
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    assert world.run("status").states() == {}
    before = len(mails())
    beat(world)
    (mail,) = mails()[before:]
    assert mail.to == "secops@example.com"
    assert "alive: the alerts of security-alerts get through" in mail.subject + mail.body
    counted = mail.subject.endswith(", none lost, 1 subscriber (security-alerts)")
    assert counted is (form == "lambda")


def test_a_heartbeat_tells_what_happened_and_never_fails_for_it(world: World) -> None:
    world.write(SMALLEST + "    message: {format: lambda, fold: {}}\n" + WATCHDOG)
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    for number in range(2):
        arrive(ACCOUNT, REGION, sample("cspm-control-s3")["detail"]["findings"][0] | {"Id": f"f{number}"})
    beat(world)
    assert mails()[-1].subject.startswith("alive: 2 findings since ")
    (role,) = (one for one in world.client("iam").list_roles()["Roles"] if "formatter" in one["RoleName"])
    inline = {"RoleName": role["RoleName"], "PolicyName": POLICY_NAME}
    document = world.client("iam").get_role_policy(**inline)["PolicyDocument"]
    kept = [one for one in document["Statement"] if not one["Sid"].startswith("Count")]
    assert len(document["Statement"]) - len(kept) == 4
    world.client("iam").put_role_policy(**inline, PolicyDocument=json.dumps({**document, "Statement": kept}))
    beat(world)
    assert mails()[-1].subject == "alive: the alerts of security-alerts get through"
    assert mails()[-1].body.count("Cannot tell: ") == 4


def test_only_exactly_the_heartbeat_is_let_in(world: World) -> None:
    world.write(SMALLEST + WATCHDOG)
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    before = len(mails())
    good = detail(load(world.path))
    (finding,) = good["findings"]
    for changed in (
        {**good, "notifier": "another"},
        {**good, "findings": [{**finding, "Title": "your account is locked: call us"}]},
        {**good, "findings": [{**finding, "Id": "/../../evil"}]},
        {"notifier": good["notifier"]},
    ):
        beat(world, Detail=json.dumps(changed))
    beat(world, Source="shnotify")
    beat(world, DetailType="Security Hub Findings - Imported")
    assert mails()[before:] == []
    beat(world)
    assert len(mails()[before:]) == 1


@pytest.mark.parametrize(("every", "longest"), [("daily", 24), ("weekly", 96)])
def test_silence_is_longer_than_the_time_between_two_heartbeats(world: World, every: str, longest: int) -> None:
    world.write(SMALLEST + WATCHDOG.replace("}", f", heartbeat: {every}}}"))
    assert world.apply().code == 0
    silence = alarms(world)["UrgentTopic-Silence"]
    seconds = silence["Period"] * silence["EvaluationPeriods"]
    assert longest * 3600 < seconds <= 7 * 86400
    assert (silence["ComparisonOperator"], silence["Threshold"]) == ("LessThanThreshold", 1)


def test_without_a_heartbeat_the_rule_is_as_before(world: World) -> None:
    assert world.apply().code == 0
    world.write(SMALLEST + WATCHDOG.replace("}", ", heartbeat: null}"))
    made = world.apply().actions()
    assert set(made.values()) == {"create"}
    assert not [one for one in made if "Heartbeat" in one or "Silence" in one]


def test_a_rule_that_lets_no_heartbeat_in_is_said_as_the_watchdogs(watched: World) -> None:
    events = watched.client("events")
    wide = json.loads(events.describe_rule(Name="security-alerts-urgent")["EventPattern"])
    events.put_rule(Name="security-alerts-urgent", EventPattern=json.dumps(wide["$or"][0]))
    assert watchdog(watched) == [("broken", "UrgentRule")]
    links = watched.run("doctor").json["links"]
    assert [link["verdict"] for link in links if link["id"] == "pattern"] == ["ok"]


def test_a_heart_that_stands_still_is_broken(watched: World) -> None:
    name = "security-alerts-heartbeat"
    watched.client("scheduler").delete_schedule(Name=name, GroupName=name)
    assert watchdog(watched) == [("broken", "WatchdogHeartbeat")]
    assert watched.apply().actions() == {"WatchdogHeartbeat": "update"}
    assert watchdog(watched) == [("ok", None)]


def test_validate_counts_what_is_made(world: World) -> None:
    world.write(FOLDED + WATCHDOG)
    graph = build(load(world.path), Scope("aws", REGION, ACCOUNT))
    counts = made(load(world.path))
    of_buffer = [thing for thing in graph if isinstance(thing, Alarm) and "Buffer" in thing.id]
    # A flood fills a buffer: its depth is no alarm.
    assert [(one.metric_name, one.threshold) for one in of_buffer] == [("ApproximateAgeOfOldestMessage", 7200.0)]
    for kind, word in ((Alarm, "CloudWatch alarm"), (Topic, "SNS topic"), (Queue, "SQS queue")):
        assert counts[word] == sum(isinstance(thing, kind) for thing in graph)


def test_init_offers_it(world: World) -> None:
    world.path.unlink()
    ran = world.run("init", "--email", "a@example.com", "--watchdog", "b@example.com")
    assert ran.code == 0, ran.err
    watching = load(world.path).watchdog
    assert watching
    assert [one.endpoint for one in watching.subscribers] == ["b@example.com"]
    assert world.run("init", "--email", "a@example.com", "--watchdog", "b", "--force").code == 2
    assert world.run("init", "--full", "--watchdog", "b@example.com", "--force").code == 0
    assert load(world.path).watchdog == watching
    assert world.run("init", "--email", "a@example.com", "--force").code == 0
    assert load(world.path).watchdog is None


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


@pytest.mark.parametrize("form", ["summary", "lambda"])
def test_the_rest_of_the_diagnosis_is_as_without_it(world: World, form: str) -> None:
    """The wider pattern breaks no other judgement."""
    route = SMALLEST + f"    message: {{format: {form}}}\n"

    def links() -> set[tuple[str, str, str]]:
        assert world.apply().code == 0
        found = world.run("doctor").json["links"]
        return {(link["id"], link["verdict"], link["why"]) for link in found if link["id"] != "watchdog"}

    world.write(route)
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    without = links()
    world.write(route + WATCHDOG)
    assert links() == without


def test_its_subscribers_are_asked_like_everybody(watched: World) -> None:
    """Who is told of a failure must confirm too: `subscriptions` and the next steps name them."""
    found = watched.run("subscriptions", "list").json["subscribers"]
    assert ("watchdog", "oncall@example.com") in {(one["route"], one["endpoint"]) for one in found}


def told(world: World) -> list[tuple[str, str, str | None]]:
    links = world.run("doctor").json["links"]
    return [(link["verdict"], link["why"], link["mend"]) for link in links if link["id"] == "watchdog"]


def its_subscription(world: World) -> str:
    (entry,) = world.client("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    return str(entry["SubscriptionArn"])


@pytest.mark.parametrize(
    ("scope", "verdict", "says"),
    [
        ("MessageAttributes", "broken", "every confirmed subscriber has a filter policy that lets nothing through"),
        ("MessageBody", "unknown", "nobody can tell whether a subscriber gets the mail: see its filter policy"),
    ],
)
def test_a_filter_that_keeps_alarms_away_is_told(watched: World, scope: str, verdict: str, says: str) -> None:
    arn = its_subscription(watched)
    sns = watched.client("sns")
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"NewStateValue": ["OK"]}'
    )
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue=scope)
    assert (verdict, says, None) in told(watched)
    found = watched.run("status").json["watchdog"]
    assert (found["ok"], found["problems"][0]) == (False, says)


def test_who_has_not_confirmed_is_told_with_what_asks_again(world: World) -> None:
    world.write(LAMBDA + "watchdog: {subscribers: [oncall@example.com, second@example.com]}\n")
    assert world.apply().code == 0
    ((verdict, why, mend),) = told(world)
    assert (verdict, mend) == ("broken", "shnotify subscriptions resend oncall@example.com")
    assert "oncall@example.com, second@example.com must follow the link" in why
    confirm_subscription("oncall@example.com")
    assert (
        "warning",
        "second@example.com is not confirmed on WatchdogTopic, and is told of no alarm",
        "shnotify subscriptions resend second@example.com",
    ) in told(world)


def test_one_click_that_ends_every_alarm_is_told(watched: World) -> None:
    sns = watched.client("sns")
    sns.unsubscribe(SubscriptionArn=its_subscription(watched))
    watched.apply()
    confirm_subscription("oncall@example.com")
    ((verdict, why, _),) = told(watched)
    assert verdict == "warning"
    assert "anybody who has a mail for oncall@example.com can end it for all by one click" in why


def test_an_alarms_mail_that_sns_gave_up_is_told(watched: World) -> None:
    watched.client("cloudwatch").put_metric_data(
        Namespace="AWS/SNS",
        MetricData=[
            {
                "MetricName": "NumberOfNotificationsFailed",
                "Dimensions": [{"Name": "TopicName", "Value": "security-alerts-watchdog"}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=10),
                "Value": 1,
            }
        ],
    )
    ((verdict, why, mend),) = told(watched)
    assert (verdict, mend) == ("broken", None)
    assert "WatchdogTopic: in the last 24 hours SNS could not deliver 1 mail" in why


def test_a_heart_that_stops_at_a_date_is_told_and_mended(watched: World) -> None:
    name = "security-alerts-heartbeat"
    scheduler = watched.client("scheduler")
    found = scheduler.get_schedule(Name=name, GroupName=name)
    kept = {key: found[key] for key in ("Name", "GroupName", "Description", "ScheduleExpression", "State", "Target")}
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1440}
    scheduler.update_schedule(**kept, FlexibleTimeWindow=window, EndDate="2099-01-01T00:00:00Z")
    window_paths = [f"FlexibleTimeWindow.{name}" for name in ("MaximumWindowInMinutes", "Mode")]
    assert watched.run("status").drift() == {"WatchdogHeartbeat": [*window_paths, "EndDate"]}
    assert watchdog(watched) == [("broken", "WatchdogHeartbeat")]
    assert watched.apply().actions() == {"WatchdogHeartbeat": "update"}
    assert watched.run("status").states() == {}


def test_an_alarm_on_another_unit_never_goes_off_and_is_told(watched: World) -> None:
    name = "security-alerts-UrgentRule-FailedInvocations"
    (found,) = watched.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    parameters = watched.client("cloudwatch").meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    kept = {key: value for key, value in found.items() if key in parameters}
    watched.client("cloudwatch").put_metric_alarm(**kept | {"Unit": "Bytes"})
    assert watched.run("status").drift() == {"UrgentRuleFailedInvocations": ["Unit"]}
    assert watchdog(watched) == [("broken", "UrgentRuleFailedInvocations")]
    assert watched.apply().actions() == {"UrgentRuleFailedInvocations": "update"}
    assert watched.run("status").states() == {}
