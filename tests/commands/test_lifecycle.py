"""The main job through the command line, against an AWS that says no where AWS says no."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import World
from tests.support.faults import REGION
from tests.support.lifecycle import (
    ACCOUNT,
    HAND_EDITS,
    QUEUE,
    ROOT,
    RULE,
    TOPIC,
    key_id,
    policy,
    queue,
)

IDS = ["TopicKey", "DlqKey", "Dlq", "UrgentTopic", "UrgentSubscription567df1a1", "UrgentRulePlain", "UrgentRule"]


def test_a_fresh_apply_makes_all_of_it_and_a_second_one_nothing(world: World) -> None:
    first = world.apply()
    assert first.code == 0, first.err
    assert [a["id"] for a in first.json["actions"]] == IDS
    assert {a["result"] for a in first.json["actions"]} == {"done"}
    second = world.apply()
    assert (second.code, second.actions(), world.faults.writes) == (0, {}, [])
    assert second.json["summary"] == {"create": 0, "update": 0, "delete": 0, "unchanged": 7, "refused": 0}


def test_what_is_created_is_the_articles_set_up(world: World) -> None:
    world.apply()
    for which in ("topic", "dlq"):  # R26-R28, R31-R32
        kms = world.client("kms")
        meta = kms.describe_key(KeyId=f"alias/security-alerts-{which}")["KeyMetadata"]
        assert (meta["KeyUsage"], meta["Origin"], meta["KeyState"]) == ("ENCRYPT_DECRYPT", "AWS_KMS", "Enabled")
        policy = json.loads(kms.get_key_policy(KeyId=meta["KeyId"], PolicyName="default")["Policy"])
        assert policy["Statement"][1] == {
            "Sid": "Allow EventBridge to use the key",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
        }
        assert kms.get_key_rotation_status(KeyId=meta["KeyId"])["KeyRotationEnabled"] is True
    attributes = world.client("sqs").get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"]
    expected = {  # R34-R40
        "VisibilityTimeout": "30",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "MaximumMessageSize": "262144",
        "ReceiveMessageWaitTimeSeconds": "0",
        "KmsDataKeyReusePeriodSeconds": "300",
        "KmsMasterKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id(world, 'dlq')}",
    }
    assert {name: attributes[name] for name in expected} == expected
    statement = json.loads(attributes["Policy"])["Statement"][0]
    assert statement["Condition"] == {
        "ArnEquals": {
            "aws:SourceArn": [
                f"arn:aws:events:{REGION}:{ACCOUNT}:rule/security-alerts-urgent",
                f"arn:aws:events:{REGION}:{ACCOUNT}:rule/security-alerts-urgent-plain",
            ]
        }
    }
    topic = world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert topic["KmsMasterKeyId"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id(world, 'topic')}"
    sids = [s["Sid"] for s in json.loads(topic["Policy"])["Statement"]]
    assert sids == ["__default_statement_ID", "AWS Events"]  # R25, and AWS's own default kept
    target = world.client("events").list_targets_by_rule(Rule=RULE)["Targets"][0]
    assert target["Arn"] == TOPIC
    assert target["DeadLetterConfig"]["Arn"].endswith(":security-alerts-dlq")  # R44
    assert "RoleArn" not in target
    pattern = json.loads(world.client("events").describe_rule(Name=RULE)["EventPattern"])
    assert pattern["detail"]["findings"]["Severity"] == {"Label": ["CRITICAL", "HIGH"]}


def test_everything_is_created_encrypted_and_with_its_policy_in_one_call(world: World) -> None:
    world.apply()
    created = dict(world.faults.calls)
    assert {"Policy", "Tags", "Description"} <= created["kms:CreateKey"].keys()
    assert "BypassPolicyLockoutSafetyCheck" not in created["kms:CreateKey"]
    assert {"KmsMasterKeyId", "Policy"} <= created["sns:CreateTopic"]["Attributes"].keys()
    assert {"KmsMasterKeyId", "Policy"} <= created["sqs:CreateQueue"]["Attributes"].keys()
    order = world.faults.writes
    before_the_targets = ("sns:CreateTopic", "sqs:CreateQueue", "events:PutRule")
    assert order.index("events:PutTargets") > max(map(order.index, before_the_targets))


def test_every_resource_carries_our_tags_and_the_users(world: World) -> None:
    world.write(world.path.read_text() + "tags: {Owner: security-team}\n")
    world.apply()
    expected = {"shnotify:name": "security-alerts", "managed-by": "shnotify", "Owner": "security-team"}
    tags = {t["Key"]: t["Value"] for t in world.client("sns").list_tags_for_resource(ResourceArn=TOPIC)["Tags"]}
    assert tags == {**expected, "shnotify:resource": "UrgentTopic"}
    kms = world.client("kms").list_resource_tags(KeyId=key_id(world, "dlq"))["Tags"]
    assert {t["TagKey"]: t["TagValue"] for t in kms} == {**expected, "shnotify:resource": "DlqKey"}
    assert world.client("sqs").list_queue_tags(QueueUrl=QUEUE)["Tags"] == {**expected, "shnotify:resource": "Dlq"}
    rule = world.client("events").describe_rule(Name=RULE)["Arn"]
    tags = {t["Key"]: t["Value"] for t in world.client("events").list_tags_for_resource(ResourceARN=rule)["Tags"]}
    assert tags == {**expected, "shnotify:resource": "UrgentRule"}


@pytest.mark.parametrize("what", HAND_EDITS)
def test_a_hand_edit_is_seen_and_mended_and_nothing_else_is_touched(world: World, what: str) -> None:
    edit, resource, paths = HAND_EDITS[what]
    world.apply()
    edit(world)
    status = world.run("status")
    assert (status.code, status.drift(), world.faults.writes) == (3, {resource: paths}, [])
    mended = world.apply()
    assert (mended.code, mended.actions()) == (0, {resource: "update"}), mended.err
    assert world.run("status").states() == {}
    again = world.apply()
    assert (again.code, world.faults.writes) == (0, [])


DELETIONS: dict[str, tuple[Callable[[World], object], set[str]]] = {
    "topic": (
        lambda w: w.client("sns").delete_topic(TopicArn=TOPIC),
        {"UrgentTopic", "UrgentSubscription567df1a1"},
    ),
    "rule": (
        lambda w: (
            w.client("events").remove_targets(Rule=RULE, Ids=["shnotify"]),
            w.client("events").delete_rule(Name=RULE),
        ),
        {"UrgentRule"},
    ),
    "queue": (lambda w: w.client("sqs").delete_queue(QueueUrl=QUEUE), {"Dlq"}),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_what_was_deleted_by_hand_is_seen_and_restored(world: World, what: str) -> None:
    delete, missing = DELETIONS[what]
    world.apply()
    delete(world)
    status = world.run("status")
    assert (status.code, status.states()) == (3, dict.fromkeys(missing, "missing"))
    assert world.apply().actions() == dict.fromkeys(missing, "create")
    assert world.run("status").states() == {}


def test_destroy_leaves_nothing_and_can_be_repeated(world: World) -> None:
    world.apply()
    gone = world.run("destroy", "--yes")
    assert gone.code == 0, gone.err
    assert world.client("sns").list_topics()["Topics"] == []
    assert "QueueUrls" not in world.client("sqs").list_queues()
    assert world.client("events").list_rules()["Rules"] == []
    kms = world.client("kms")
    keys = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]]
    assert [k["KeyState"] for k in keys if k["KeyManager"] == "CUSTOMER"] == ["PendingDeletion"] * 2
    assert [a for a in kms.list_aliases()["Aliases"] if not a["AliasName"].startswith("alias/aws/")] == []
    again = world.run("destroy", "--yes")
    assert (again.code, world.faults.writes) == (0, [])
    assert set(world.run("status").states().values()) == {"missing"}


def test_apply_right_after_destroy_takes_the_keys_back_and_waits_for_the_queues_name(world: World) -> None:
    world.apply()
    before = {which: key_id(world, which) for which in ("topic", "dlq")}
    world.run("destroy", "--yes")
    began = world.faults.time.seconds
    again = world.apply()
    assert again.code == 0, again.err
    assert {which: key_id(world, which) for which in ("topic", "dlq")} == before
    assert 60 <= world.faults.time.seconds - began < 120
    assert world.run("status").states() == {}


def test_destroy_refuses_while_the_queue_holds_messages(world: World) -> None:
    world.apply()
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert")
    refused = world.run("destroy", "--yes")
    assert (refused.code, world.faults.writes) == (1, [])
    assert "1 waiting" in refused.json["error"]["message"]
    forced = world.run("destroy", "--yes", "--force")
    assert forced.code == 0, forced.err


def test_destroy_can_keep_the_keys(world: World) -> None:
    world.apply()
    assert world.run("destroy", "--yes", "--keep-keys").code == 0
    assert not [w for w in world.faults.writes if w.startswith("kms:")]
    assert world.client("kms").describe_key(KeyId="alias/security-alerts-topic")["KeyMetadata"]["Enabled"] is True


def test_without_encryption_there_are_no_keys(world: World) -> None:
    world.write(world.path.read_text() + "encryption: false\n")
    assert world.apply().code == 0
    assert not [w for w in world.faults.writes if w.startswith("kms:")]
    assert "KmsMasterKeyId" not in world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert world.run("status").states() == {}


def test_without_a_queue_the_target_has_none(world: World) -> None:
    world.write(world.path.read_text() + "dead_letter_queue: false\n")
    assert world.apply().code == 0
    assert "DeadLetterConfig" not in world.client("events").list_targets_by_rule(Rule=RULE)["Targets"][0]
    assert [r["id"] for r in world.run("status").json["resources"]] == [i for i in IDS if i not in ("DlqKey", "Dlq")]


@pytest.mark.parametrize(
    "off", ["encryption: false\n", "dead_letter_queue: false\n", "encryption: false\ndead_letter_queue: false\n"]
)
def test_whatever_is_left_out_destroy_leaves_nothing(world: World, off: str) -> None:
    world.write(world.path.read_text() + off)
    world.apply()
    gone = world.run("destroy", "--yes")
    assert gone.code == 0, gone.err
    assert set(world.run("status").states().values()) == {"missing"}
    assert world.run("destroy", "--yes").code == 0


def test_encryption_switched_off_takes_the_keys_out_of_use(world: World) -> None:
    world.apply()
    world.write(world.path.read_text() + "encryption: false\n")
    plan = world.run("plan").actions()
    assert plan == {"UrgentTopic": "update", "Dlq": "update", "TopicKey": "delete", "DlqKey": "delete"}
    assert world.apply().code == 0
    order = world.faults.writes
    assert order.index("kms:ScheduleKeyDeletion") > max(
        order.index("sns:SetTopicAttributes"), order.index("sqs:SetQueueAttributes")
    )
    assert world.apply().actions() == {}


def test_a_queue_that_loses_its_key_gets_sqss_own_encryption_back(world: World) -> None:
    """SQS leaves it off when a key is taken away (API_SetQueueAttributes, SqsManagedSseEnabled; recorded from AWS)."""
    off = world.path.read_text() + "encryption: false\n"
    world.apply()
    world.write(off)
    assert world.apply().code == 0

    def encrypted() -> str:
        sqs = world.client("sqs")
        attributes = sqs.get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"]
        assert "KmsMasterKeyId" not in attributes
        return str(attributes["SqsManagedSseEnabled"])

    def policies_sent() -> list[bool]:
        """Some emulators take a policy that is not sent along for one that is taken away."""
        return ["Policy" in p["Attributes"] for o, p in world.faults.calls if o == "sqs:SetQueueAttributes"]

    assert encrypted() == "true"
    assert policies_sent() == [True, True]
    queue("SqsManagedSseEnabled", "false")(world)
    assert world.run("status").drift() == {"Dlq": ["SqsManagedSseEnabled"]}
    assert world.apply().code == 0
    assert policies_sent() == [True]
    assert (encrypted(), world.run("status").states()) == ("true", {})


def test_a_key_stays_while_messages_may_be_encrypted_with_it(world: World) -> None:
    world.apply()
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert")
    world.write(world.path.read_text() + "encryption: false\n")
    assert world.apply().code == 0
    kept = {a["id"]: a.get("reason") for a in world.run("plan").json["actions"]}
    assert "security-alerts-dlq holds messages" in kept["DlqKey"]
    assert world.client("kms").describe_key(KeyId="alias/security-alerts-dlq")["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_depth_of_zero_alone_does_not_let_a_key_or_a_queue_go(world: World) -> None:
    world.apply()
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert")

    def shallow(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        attributes = {k: "0" if k.startswith("Approximate") else v for k, v in reply["Attributes"].items()}
        return {**reply, "Attributes": attributes}

    world.faults.rule = lambda _n, operation: shallow if operation == "sqs:GetQueueAttributes" else None
    gone = world.run("destroy", "--yes")
    assert gone.code == 1
    assert "holds messages" in gone.json["error"]["message"]
    world.write(world.path.read_text() + "encryption: false\n")
    world.apply()
    assert world.client("kms").describe_key(KeyId="alias/security-alerts-dlq")["KeyMetadata"]["KeyState"] == "Enabled"


def test_existing_keys_are_used_and_never_changed(world: World) -> None:
    document = policy(
        ROOT,
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
        },
    )
    arn = world.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]
    world.write(world.path.read_text() + f'encryption: {{topic_key: {{arn: "{arn}"}}, dlq_key: {{arn: "{arn}"}}}}\n')
    assert world.apply().code == 0
    assert not [w for w in world.faults.writes if w.startswith("kms:")]
    assert world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["KmsMasterKeyId"] == arn
    assert world.run("status").json["in_sync"] is True
    assert world.run("destroy", "--yes").code == 0
    assert not [w for w in world.faults.writes if w.startswith("kms:")]


def test_an_existing_key_that_eventbridge_cannot_use_stops_delivery(world: World) -> None:
    arn = world.client("kms").create_key(Policy=policy(ROOT))["KeyMetadata"]["Arn"]
    world.write(world.path.read_text() + f'encryption: {{topic_key: {{arn: "{arn}"}}, dlq_key: {{arn: "{arn}"}}}}\n')
    world.apply()
    problems = world.run("status").json["delivery"][0]["problems"]
    assert any("does not let events.amazonaws.com call kms:Decrypt" in problem for problem in problems)


ROUTES = f"""\
name: security-alerts
region: {REGION}
routes:
  - name: urgent
    subscribers: [secops@example.com, {{protocol: sqs, endpoint: "arn:aws:sqs:{REGION}:{ACCOUNT}:archive"}}]
  - name: calm
    topic: {{name: quiet-topic}}
    rule: {{name: quiet-rule, enabled: false}}
    findings: {{severity: [LOW]}}
    subscribers: [team@example.com]
"""


def test_several_routes_share_keys_and_queue(world: World) -> None:
    world.write(ROUTES)
    assert world.apply().code == 0
    statement = json.loads(
        world.client("sqs").get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["Policy"])["Attributes"]["Policy"]
    )["Statement"][0]
    assert sorted(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == [
        f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"
        for name in ("quiet-rule", "quiet-rule-plain", "security-alerts-urgent", "security-alerts-urgent-plain")
    ]
    assert world.client("events").describe_rule(Name="quiet-rule")["State"] == "DISABLED"
    assert world.run("status").states() == {}


def test_a_route_removed_from_the_file_is_left_over_and_then_removed(world: World) -> None:
    world.write(ROUTES)
    world.apply()
    world.write(ROUTES[: ROUTES.index("  - name: calm")])
    status = world.run("status")
    gone = ("CalmTopic", "CalmRule", "CalmRulePlain")
    assert (status.code, status.states()) == (3, {**dict.fromkeys(gone, "leftover"), "Dlq": "drifted"})
    assert world.apply().actions() == {**dict.fromkeys(gone, "delete"), "Dlq": "update"}
    assert sorted(r["Name"] for r in world.client("events").list_rules()["Rules"]) == [RULE, f"{RULE}-plain"]
    assert world.run("status").states() == {}
    assert world.apply().actions() == {}


@pytest.mark.parametrize("command", ["apply", "destroy"])
@pytest.mark.parametrize("omitted", [":events:", ":sns:"])
def test_a_left_over_rule_and_its_topic_find_each_other(world: World, omitted: str, command: str) -> None:
    """A topic that goes while its rule stays would let alerts fall into nothing."""

    def lagging(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        shown = [r for r in reply["ResourceTagMappingList"] if omitted not in r["ResourceARN"]]
        return {**reply, "ResourceTagMappingList": shown}

    world.write(ROUTES)
    world.apply()
    world.write(ROUTES[: ROUTES.index("  - name: calm")])
    world.faults.rule = lambda _n, operation: lagging if operation == "tag:GetResources" else None
    assert {"CalmRule": "delete", "CalmTopic": "delete"}.items() <= world.run(command, "--yes").actions().items()
    rules = sorted(r["Name"] for r in world.client("events").list_rules()["Rules"])
    topics = [t["TopicArn"].rpartition(":")[2] for t in world.client("sns").list_topics()["Topics"]]
    assert topics == (["security-alerts-urgent"] if command == "apply" else [])
    assert rules == [f"{topic}{end}" for topic in topics for end in ("", "-plain")]


def test_a_renamed_topic_is_made_anew_before_the_old_one_goes(world: World) -> None:
    world.apply()
    world.write(world.path.read_text() + "    topic: {name: other-topic}\n")
    moved = world.apply()
    assert moved.code == 0, moved.err
    order = world.faults.writes
    assert order.index("events:PutTargets") < order.index("sns:DeleteTopic")
    assert [t["TopicArn"].rpartition(":")[2] for t in world.client("sns").list_topics()["Topics"]] == ["other-topic"]
    assert world.run("status").states() == {}


def test_a_renamed_queue_that_holds_messages_stays(world: World) -> None:
    world.apply()
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert")
    world.write(world.path.read_text() + "dead_letter_queue: {name: other-dlq}\n")
    assert world.apply().code == 0
    assert world.client("sqs").get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"]
    left = [r for r in world.run("status").json["resources"] if r["state"] == "leftover"]
    assert [r["name"] for r in left] == ["security-alerts-dlq"]
    assert "1 waiting" in left[0]["reason"]


def test_a_shorter_retention_says_what_it_drops(world: World) -> None:
    world.apply()
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert")
    world.write(world.path.read_text() + "dead_letter_queue: {retention: 1h}\n")
    notes = next(a["notes"] for a in world.run("plan").json["actions"] if a["id"] == "Dlq")
    assert any("drops the older ones" in note for note in notes)


def test_a_renamed_alias_moves_to_the_same_key(world: World) -> None:
    world.apply()
    before = key_id(world, "topic")
    world.write(world.path.read_text() + "encryption: {topic_key: {alias: alias/other}}\n")
    assert world.run("plan").actions() == {"TopicKey": "update"}
    assert world.apply().code == 0
    names = [a["AliasName"] for a in world.client("kms").list_aliases(KeyId=before)["Aliases"]]
    assert names == ["alias/other"]


def test_changes_in_the_file_are_carried_out_in_place(world: World) -> None:
    world.apply()
    world.write(
        world.path.read_text()
        + "    retry: {max_attempts: 3, max_age: 1h}\n    rule: {description: new, enabled: false}\n"
        + "    topic: {display_name: Alerts}\n    findings: {severity: [LOW]}\n"
        + "dead_letter_queue: {visibility_timeout: 2m, retention: 14d}\ntags: {Owner: me}\n"
    )
    changed = world.apply()
    assert changed.code == 0, changed.err
    assert set(changed.actions().values()) == {"update"}
    assert not [w for w in world.faults.writes if "Delete" in w or "Create" in w]
    assert world.run("status").states() == {}


def test_unlisted_subscribers_are_kept_unless_the_file_says_remove(world: World) -> None:
    world.apply()
    archive = f"arn:aws:sqs:{REGION}:{ACCOUNT}:archive"
    world.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=archive)
    status = world.run("status")
    assert status.json["in_sync"] is True
    assert {s["endpoint"]: s["state"] for s in status.json["delivery"][0]["subscribers"]}[archive] == "unlisted"
    assert world.apply().actions() == {}
    world.write(world.path.read_text() + "    unlisted_subscribers: remove\n")
    assert world.run("status").code == 3
    assert list(world.apply().actions().values()) == ["delete"]
    assert archive not in str(world.client("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"])


def test_a_pending_subscriber_is_no_drift_but_nobody_is_told(world: World) -> None:
    world.apply()
    status = world.run("status")
    assert (status.code, status.json["in_sync"]) == (4, True)
    [subscriber] = status.json["delivery"][0]["subscribers"]
    assert subscriber == {
        "protocol": "email",
        "endpoint": "secops@example.com",
        "state": "pending",
        "pending": True,
        "filtered": False,
    }
    assert status.json["delivery"][0]["ok"] is False


def test_the_accounts_guard_stops_before_any_other_call(world: World) -> None:
    world.write(world.path.read_text() + 'account: "999999999999"\n')
    for command in (["plan"], ["apply", "--yes"], ["status"], ["destroy", "--yes"]):
        ran = world.run(*command)
        assert (ran.code, world.faults.operations) == (1, ["sts:GetCallerIdentity"])
        assert "999999999999" in ran.json["error"]["message"]


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_nobody_to_ask_needs_yes(world: World, command: str) -> None:
    if command == "destroy":
        world.apply()
    ran = world.run(command)
    assert (ran.code, world.faults.writes) == (2, [])
    assert "--yes" in ran.json["error"]["hint"]


def test_plan_exits_3_only_when_asked(world: World) -> None:
    assert world.run("plan").code == 0
    assert world.run("plan", "--exit-code").code == 3
    world.apply()
    assert world.run("plan", "--exit-code").code == 0
