"""What is not ours is never touched (rows 30-42 of docs/fault-rows.md): not one mutating call on a foreign object."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, World
from tests.support.canonical import account
from tests.support.crashes import FOLDED, WATCHDOG, WATCHED
from tests.support.faults import REGION
from tests.support.lifecycle import QUEUE, RULE, TOPIC, key_id

RULE_ARN = f"arn:aws:events:{REGION}:123456789012:rule/{RULE}"

OWNERS: dict[str, dict[str, str]] = {
    "untagged": {},
    "another notifier's": {"shnotify:name": "other", "shnotify:resource": "X", "managed-by": "shnotify"},
    "a CloudFormation stack's": {"aws:cloudformation:stack-name": "stack", "shnotify:name": "security-alerts"},
}


def _key(world: World, tags: dict[str, str], alias: str = "alias/security-alerts-topic") -> None:
    kms = world.client("kms")
    listed = [{"TagKey": k, "TagValue": v} for k, v in tags.items() if not k.startswith("aws:")]
    found = kms.create_key(Tags=listed)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=found)


def _topic(world: World, tags: dict[str, str]) -> None:
    listed = [{"Key": k, "Value": v} for k, v in tags.items()]
    world.client("sns").create_topic(Name="security-alerts-urgent", Tags=listed)


def _queue(world: World, tags: dict[str, str]) -> None:
    world.client("sqs").create_queue(QueueName="security-alerts-dlq", tags=tags)


def _rule(world: World, tags: dict[str, str]) -> None:
    listed = [{"Key": k, "Value": v} for k, v in tags.items()]
    world.client("events").put_rule(Name=RULE, EventPattern='{"source":["aws.s3"]}', Tags=listed)


KINDS: dict[str, tuple[Callable[[World, dict[str, str]], None], str]] = {
    "key": (_key, "TopicKey"),
    "queue key": (lambda w, t: _key(w, t, "alias/security-alerts-dlq"), "DlqKey"),
    "topic": (_topic, "UrgentTopic"),
    "queue": (_queue, "Dlq"),
    "rule": (_rule, "UrgentRule"),
}


@pytest.mark.parametrize("owner", ["untagged", "another notifier's"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_thing_of_our_name_is_left_alone(world: World, kind: str, owner: str) -> None:
    make, resource = KINDS[kind]
    make(world, OWNERS[owner])
    before = account(world)
    for command in (["plan"], ["apply", "--yes"]):
        ran = world.run(*command)
        assert (ran.code, world.faults.writes) == (1, [])
        assert ran.actions()[resource] == "refuse"
        assert "other" in ran.json["error"]["message"] if owner != "untagged" else "--adopt" in ran.out
    assert world.run("status").states()[resource] == "unmanaged"
    gone = world.run("destroy", "--yes")
    assert (gone.code, world.faults.writes) == (1, [])
    assert account(world) == before


@pytest.mark.parametrize("kind", [k for k in KINDS if "key" not in k])
def test_what_cloudformation_manages_is_refused_even_with_adopt(world: World, kind: str) -> None:
    make, resource = KINDS[kind]
    make(world, OWNERS["a CloudFormation stack's"])
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert ran.actions()[resource] == "refuse"
    assert "CloudFormation stack 'stack'" in ran.out


# -- the watchdog's things and a fold's, all in one world ------------------------------------------------------------

ALL_KINDS = FOLDED + WATCHDOG
HEART = "security-alerts-heartbeat"
BEAT_ROLE = f"{HEART}-{REGION}"
BEAT_QUEUE = f"https://sqs.{REGION}.amazonaws.com/123456789012/{HEART}-dlq"
ALARM = "security-alerts-Dlq-Depth"
SECOND_TOPIC = f"arn:aws:sns:{REGION}:123456789012:security-alerts-watchdog"
MORE = ("DlqDepth", "WatchdogHeartbeat", "WatchdogHeartbeatRole", "WatchdogHeartbeatDlq", "WatchdogTopic")


def _others(world: World, tags: dict[str, str]) -> None:
    """Somebody else's things that have all these names."""
    listed = [{"Key": k, "Value": v} for k, v in tags.items()]
    alarm = {"Namespace": "AWS/SQS", "MetricName": "X", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    world.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM, Threshold=5, ComparisonOperator="GreaterThanThreshold", Tags=listed, **alarm
    )
    world.client("scheduler").create_schedule_group(Name=HEART, Tags=listed)
    trust = '{"Version":"2012-10-17","Statement":[]}'
    world.client("iam").create_role(RoleName=BEAT_ROLE, AssumeRolePolicyDocument=trust, Tags=listed)
    world.client("sqs").create_queue(QueueName=f"{HEART}-dlq", tags=tags)
    world.client("sns").create_topic(Name="security-alerts-watchdog", Tags=listed)


@pytest.mark.parametrize("owner", OWNERS)
def test_a_watchdogs_names_that_others_have_are_left_alone(world: World, owner: str) -> None:
    world.write(WATCHED)
    _others(world, OWNERS[owner])
    before = account(world)
    ran = world.apply(*(["--adopt"] if "CloudFormation" in owner else []))
    assert (ran.code, world.faults.writes) == (1, [])
    assert {i for i, action in ran.actions().items() if action == "refuse"} == set(MORE)
    states = world.run("status").states()
    assert {states[one] for one in MORE} == {"unmanaged"}
    gone = world.run("destroy", "--yes")
    assert (gone.code, world.faults.writes) == (1, [])
    assert account(world) == before


def test_what_lost_our_tag_is_not_ours_until_adopted(world: World) -> None:
    """A mapping too: it can only be somebody else's when its tag is gone, for it has no name."""
    world.write(ALL_KINDS)
    assert world.apply().code == 0
    name = ["shnotify:name"]
    (alarm,) = world.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    world.client("cloudwatch").untag_resource(ResourceARN=alarm["AlarmArn"], TagKeys=name)
    group = world.client("scheduler").get_schedule_group(Name=HEART)["Arn"]
    world.client("scheduler").untag_resource(ResourceArn=group, TagKeys=name)
    world.client("iam").untag_role(RoleName=BEAT_ROLE, TagKeys=name)
    world.client("sqs").untag_queue(QueueUrl=BEAT_QUEUE, TagKeys=name)
    world.client("sns").untag_resource(ResourceArn=SECOND_TOPIC, TagKeys=name)
    (mapping,) = world.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    world.client("lambda").untag_resource(Resource=mapping["EventSourceMappingArn"], TagKeys=name)
    lost = {*MORE, "UrgentMapping"}
    assert world.run("status").states() == dict.fromkeys(lost, "unmanaged")
    assert (world.apply().code, world.faults.writes) == (1, [])
    adopted = world.apply("--adopt")
    assert (adopted.code, adopted.actions()) == (0, dict.fromkeys(lost, "adopt")), adopted.err
    assert world.run("status").states() == {}


def _untag(world: World, kind: str) -> None:
    name = ["shnotify:name"]
    match kind:
        case "key":
            world.client("kms").untag_resource(KeyId=key_id(world, "topic"), TagKeys=name)
        case "queue key":
            world.client("kms").untag_resource(KeyId=key_id(world, "dlq"), TagKeys=name)
        case "topic":
            world.client("sns").untag_resource(ResourceArn=TOPIC, TagKeys=name)
        case "queue":
            world.client("sqs").untag_queue(QueueUrl=QUEUE, TagKeys=name)
        case _:
            arn = world.client("events").describe_rule(Name=RULE)["Arn"]
            world.client("events").untag_resource(ResourceARN=arn, TagKeys=name)


@pytest.mark.parametrize("kind", KINDS)
def test_when_our_tag_is_gone_it_is_not_ours_until_adopted(world: World, kind: str) -> None:
    world.apply()
    _untag(world, kind)
    resource = KINDS[kind][1]
    assert world.run("status").states() == {resource: "unmanaged"}
    assert (world.apply().code, world.faults.writes) == (1, [])
    adopted = world.apply("--adopt")
    assert (adopted.code, adopted.actions()) == (0, {resource: "adopt"}), adopted.err
    assert world.run("status").states() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_destroy_keeps_what_lost_our_tag_and_all_it_needs(world: World, kind: str) -> None:
    world.apply()
    _untag(world, kind)
    ran = world.run("destroy", "--yes")
    assert ran.code == 1
    kept = {
        "key": {"TopicKey"},
        "queue key": {"DlqKey"},
        "topic": {"UrgentTopic", "TopicKey"},
        "queue": {"Dlq", "DlqKey"},
        "rule": {"UrgentRule", "UrgentTopic", "Dlq", "TopicKey", "DlqKey"},
    }[kind]
    assert {i for i, action in ran.actions().items() if action == "refuse"} == kept
    assert all(name in ran.json["error"]["message"] for name in kept)
    assert {r["id"] for r in world.run("status").json["resources"] if r["state"] != "missing"} - {
        r["id"] for r in world.run("status").json["resources"] if r["type"].endswith("Subscription")
    } == kept


def by_hand(world: World) -> None:
    """The article's set-up, made in the console: other target id, no tags, no rotation."""
    kms, sns, sqs, events = (world.client(s) for s in ("kms", "sns", "sqs", "events"))
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    other = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Enable IAM User Permissions", **root}, {"Sid": "CW", **other}],
    }
    arns = {}
    for which in ("topic", "dlq"):
        meta = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/security-alerts-{which}", TargetKeyId=meta["KeyId"])
        arns[which] = meta["Arn"]
    sns.create_topic(Name="security-alerts-urgent", Attributes={"KmsMasterKeyId": "alias/security-alerts-topic"})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:foreign")
    mine = {
        "Sid": "Mine",
        "Effect": "Allow",
        "Principal": {"AWS": "123456789012"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
    }
    live = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    live["Statement"].append(mine)
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(live))
    sqs.create_queue(QueueName="security-alerts-dlq", Attributes={"KmsMasterKeyId": arns["dlq"]})
    events.put_rule(Name=RULE, EventPattern='{"source":["aws.securityhub"]}', Description="by hand")
    events.put_targets(
        Rule=RULE,
        Targets=[
            {"Id": "Id1234", "Arn": TOPIC},
            {"Id": "chat", "Arn": "arn:aws:lambda:eu-west-1:123456789012:function:x"},
        ],
    )


def test_adopt_takes_over_the_articles_set_up_and_keeps_what_others_put_there(world: World) -> None:
    by_hand(world)
    assert world.apply().code == 1
    plan = world.run("plan", "--adopt")
    assert (plan.code, world.faults.writes) == (0, [])
    taken = world.apply("--adopt")
    assert taken.code == 0, taken.err
    assert [a for a in taken.actions().values() if a == "adopt"] == ["adopt"] * 5
    targets = {t["Id"]: t["Arn"] for t in world.client("events").list_targets_by_rule(Rule=RULE)["Targets"]}
    assert targets == {"Id1234": TOPIC, "chat": "arn:aws:lambda:eu-west-1:123456789012:function:x"}
    statements = json.loads(world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])[
        "Statement"
    ]
    assert [s["Sid"] for s in statements] == ["__default_statement_ID", "Mine", "AWS Events"]
    assert world.run("status").states() == {}
    assert (world.apply().code, world.faults.writes) == (0, [])


def test_adopted_things_are_given_back_not_deleted(world: World) -> None:
    by_hand(world)
    foreign = account(world)
    assert world.apply("--adopt").code == 0
    given = world.run("destroy", "--yes")
    assert given.code == 0, given.err
    deleted = [params["Name"] for operation, params in world.faults.calls if operation == "events:DeleteRule"]
    assert deleted == ["security-alerts-urgent-plain"]  # which nobody made by hand
    assert [w for w in world.faults.writes if "Delete" in w] == ["events:DeleteRule"]
    found = account(world)
    assert [k["policy"] for k in found["keys"]] == [k["policy"] for k in foreign["keys"]]
    assert found["topics"][0]["policy"] == foreign["topics"][0]["policy"]
    assert found["queues"][0]["policy"] == foreign["queues"][0]["policy"]
    for kind in ("keys", "topics", "queues", "rules"):
        assert not [tag for thing in found[kind] for tag in thing["tags"] if tag.startswith("shnotify")]


@pytest.mark.parametrize("unlisted", ["keep", "remove"])
@pytest.mark.parametrize("whose", ["nobody's", "adopted", "lost its tag", "fed by a rule that lost its tag"])
def test_destroy_unsubscribes_nobody_from_a_topic_that_stays(world: World, whose: str, unlisted: str) -> None:
    world.write(SMALLEST + f"    unlisted_subscribers: {unlisted}\n")
    sns, topic = world.client("sns"), f"arn:aws:sns:{REGION}:123456789012:security-alerts-urgent"
    if whose == "nobody's":
        sns.create_topic(Name="security-alerts-urgent")
    elif whose == "adopted":
        sns.create_topic(Name="security-alerts-urgent")
        assert world.apply("--adopt").code == 0
    elif whose == "fed by a rule that lost its tag":
        world.apply()
        world.client("events").untag_resource(ResourceARN=RULE_ARN, TagKeys=["shnotify:name"])
    else:
        world.apply()
        sns.untag_resource(ResourceArn=topic, TagKeys=["shnotify:name"])
    for address in ("secops@example.com", "audit@example.com"):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
        confirm_subscription(address)
    gone = world.run("destroy", "--yes")
    assert gone.code == (0 if whose == "adopted" else 1)
    assert "sns:Unsubscribe" not in world.faults.writes
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 2


def test_tags_are_written_last_when_adopting(world: World) -> None:
    by_hand(world)
    world.apply("--adopt")
    order = world.faults.writes
    assert order.index("sns:TagResource") > order.index("sns:SetTopicAttributes")
    assert order.index("events:TagResource") > order.index("events:PutRule")
    assert order.index("sqs:TagQueue") > order.index("sqs:SetQueueAttributes")


def test_a_foreign_target_on_our_rule_is_kept_and_keeps_the_rule(world: World) -> None:
    world.apply()
    chat = {"Id": "chat", "Arn": f"arn:aws:lambda:{REGION}:123456789012:function:x"}
    world.client("events").put_targets(Rule=RULE, Targets=[chat])
    assert world.run("status").json["in_sync"] is True
    assert (world.apply().code, world.faults.writes) == (0, [])
    gone = world.run("destroy", "--yes")
    assert (gone.code, world.faults.writes) == (1, [])
    assert "function:x" in gone.json["error"]["message"]


def test_a_key_with_somebody_elses_alias_is_not_scheduled(world: World) -> None:
    world.apply()
    world.client("kms").create_alias(AliasName="alias/theirs", TargetKeyId=key_id(world, "topic"))
    gone = world.run("destroy", "--yes")
    assert gone.code == 1
    assert "alias/theirs" in gone.json["error"]["message"]
    assert world.client("kms").describe_key(KeyId="alias/theirs")["KeyMetadata"]["KeyState"] == "Enabled"


def test_foreign_statements_survive_apply_and_ours_stand_once(world: World) -> None:
    world.apply()
    sns = world.client("sns")
    policy: dict[str, Any] = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    ours = next(s for s in policy["Statement"] if s["Sid"] == "AWS Events")
    foreign = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}
    policy["Statement"] = [{**ours, "Action": "sns:Subscribe"}, foreign, {**ours, "Action": "sns:GetTopicAttributes"}]
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(policy))
    assert world.apply().code == 0
    after = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])["Statement"]
    assert after == [ours, foreign]
