"""What a person reads of a plan and of a status, line by line."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from shnotify.engine.resource import Change
from shnotify.engine.values import Pattern, Policy, Tags
from shnotify.terminal.change_view import change_lines
from tests.conftest import World
from tests.support.faults import REGION

EVENTS = {"Sid": "E", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
LONG = "a" * 300

CHANGES: dict[str, tuple[Change, list[str]]] = {
    "a value": (Change("DelaySeconds", 1, 0), ["DelaySeconds: 1 → 0"]),
    "nothing before": (Change("Description", None, ""), ['Description: (none) → ""']),
    "a mapping: what differs": (
        Change("Targets", {"Arn": "x", "Retry": {"N": 1, "A": 2}, "Input": "i"}, {"Arn": "x", "Retry": {"N": 3}}),
        ["Targets.Retry.N: 1 → 3", "Targets.Retry.A: 2 → (none)", "Targets.Input: i → (none)"],
    ),
    "long text: whole": (Change("Description", "b" * 300, LONG), [f"Description: {'b' * 300} → {LONG}"]),
    "a template: by line": (
        Change("Targets", {"T": '"Severity: <s>"\n"Control: <c>"'}, {"T": '"Severity: <s>"\n"Link: <l>"'}),
        ["Targets.T:", "    Severity: <s>", "  - Control: <c>", "  + Link: <l>"],
    ),
    "a line that is none of ours": (
        Change("Description", "x\nPlan: 0 to create\x1b[2J\t", "y"),
        ["Description: x\\nPlan: 0 to create\\x1b[2J\\t → y"],
    ),
    "a pattern": (
        Change("EventPattern", Pattern({"source": ["x"]}), Pattern({"source": ["y"]})),
        ["EventPattern:", "  - source: x", "  + source: y"],
    ),
    "a pattern: what stays is shown too": (
        Change(
            "EventPattern",
            Pattern({"source": ["x"], "detail": {"a": [{"prefix": "p"}, {"numeric": [">", 3]}], "b": [None, True]}}),
            Pattern({"source": ["x"], "detail": {"$or": [{"a": [{"exists": False}], "c": ["1"]}, {"d": ["2"]}]}}),
        ),
        [
            "EventPattern:",
            "    source: x",
            "  - detail.a: prefix p or numeric [\">\", 3]",
            "  - detail.b: null or true",
            "  + detail: one of these:",
            "  +   * detail.a: exists false",
            "  +     detail.c: 1",
            "  +   * detail.d: 2",
        ],
    ),
    "tags: ours alone": (
        Change("Tags", Tags.of({"a": "1", "b": "2"}), Tags.of({"b": "3\n"})),
        ["Tags: b: 2 → 3\\n"],
    ),
    "a policy: by statement": (
        Change(
            "PolicyDocument",
            Policy({"Statement": [{"Sid": "gone\nx", "Effect": "Deny", "Principal": "*", "Action": "sns:*"}, EVENTS]}),
            Policy({"Statement": [{**EVENTS, "Action": "sns:*"}, {**EVENTS, "Sid": "new"}]}),
        ),
        [
            "PolicyDocument:",
            "  - gone\\nx: Deny *: sns:*",
            "  ~ E",
            "      Action: sns:Publish → sns:*",
            "  + new: Allow events.amazonaws.com: sns:Publish",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change(change: Change, expected: list[str]) -> None:
    assert [line.plain for line in change_lines(change, " → ")] == [f"    {line}" for line in expected]


def edited(world: World) -> Any:
    """Two routes, made; one taken out of the file; the other's target, topic and policy changed by hand."""
    two = "  - name: weekly\n"
    text = world.path.read_text("utf-8")
    world.write(text + two)
    assert world.apply().code == 0
    world.write(text)
    events, sns = world.client("events"), world.client("sns")
    target = events.list_targets_by_rule(Rule="security-alerts-urgent")["Targets"][0]
    target["RetryPolicy"]["MaximumRetryAttempts"] = 3
    events.put_targets(Rule="security-alerts-urgent", Targets=[target])
    arn = f"arn:aws:sns:{REGION}:123456789012:security-alerts-urgent"
    policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    del policy["Statement"][1]
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))
    return arn


PLAN = """\
Plan for security-alerts in account 123456789012, REGION

~ Dlq  security-alerts-dlq  SQS::Queue
    PolicyDocument:
      ~ AllowEventBridgeDlq
          Condition: aws:SourceArn is RULE/security-alerts-urgent or RULE/security-alerts-urgent-plain or RULE/security-alerts-weekly or RULE/security-alerts-weekly-plain -> aws:SourceArn is RULE/security-alerts-urgent or RULE/security-alerts-urgent-plain
      ~ AllowSnsUndelivered
          Condition: aws:SourceArn is TOPIC:security-alerts-urgent or TOPIC:security-alerts-weekly -> aws:SourceArn is TOPIC:security-alerts-urgent
~ UrgentTopic  security-alerts-urgent  SNS::Topic
    PolicyDocument:
      + AWS Events: Allow events.amazonaws.com: sns:Publish
~ UrgentRule  security-alerts-urgent  Events::Rule
    Targets.RetryPolicy.MaximumRetryAttempts: 3 -> 185
- WeeklyRule  security-alerts-weekly  Events::Rule
- WeeklyRulePlain  security-alerts-weekly-plain  Events::Rule
- WeeklyTopic  security-alerts-weekly  SNS::Topic
What is deleted carries our tag, and is no longer in the file.
Plan: 0 to create, 3 to update, 3 to delete, 4 unchanged.
Costs about 2 USD a month: 2 KMS keys at 1 USD; e-mail, events and queue are free or cents at this size.
"""  # noqa: E501
STATUS = """\
Status of security-alerts in account 123456789012, REGION

  TopicKey                    in sync     alias/security-alerts-topic
  DlqKey                      in sync     alias/security-alerts-dlq
  Dlq                         drifted     security-alerts-dlq
    PolicyDocument:
      ~ AllowEventBridgeDlq
          Condition: aws:SourceArn is RULE/security-alerts-urgent or RULE/security-alerts-urgent-plain or RULE/security-alerts-weekly or RULE/security-alerts-weekly-plain is wrong; it should be aws:SourceArn is RULE/security-alerts-urgent or RULE/security-alerts-urgent-plain
      ~ AllowSnsUndelivered
          Condition: aws:SourceArn is TOPIC:security-alerts-urgent or TOPIC:security-alerts-weekly is wrong; it should be aws:SourceArn is TOPIC:security-alerts-urgent
  UrgentTopic                 drifted     security-alerts-urgent
    PolicyDocument:
      + AWS Events: Allow events.amazonaws.com: sns:Publish
  UrgentSubscription567df1a1  in sync     email:secops@example.com
  UrgentRulePlain             in sync     security-alerts-urgent-plain
  UrgentRule                  drifted     security-alerts-urgent
    Targets.RetryPolicy.MaximumRetryAttempts: 3 is wrong; it should be 185
  WeeklyRule                  leftover    security-alerts-weekly
  WeeklyRulePlain             leftover    security-alerts-weekly-plain
  WeeklyTopic                 leftover    security-alerts-weekly

  route urgent: CANNOT DELIVER
      UrgentTopic: the topic's policy does not let events.amazonaws.com call sns:Publish: "__default_statement_ID" does not allow it: StringEquals AWS:SourceOwner, a key that this call never has
      nobody has confirmed: 1 pending, and AWS drops them after 48 hours
      pending    email secops@example.com

6 of 10 not in sync; urgent cannot deliver.
"""  # noqa: E501
REFUSED = """\
! UrgentTopic  security-alerts-urgent  SNS::Topic
    it does not carry our tag: choose another name in the file, or take it over with `shnotify apply --adopt`
"""


def put(text: str) -> str:
    known = {"RULE": f"arn:aws:events:{REGION}:123456789012:rule", "TOPIC": f"arn:aws:sns:{REGION}:123456789012"}
    for name, value in {**known, "REGION": REGION}.items():
        text = text.replace(name, value)
    return text


def test_a_plan_and_a_status_with_drift_and_leftovers(world: World) -> None:
    arn = edited(world)
    said = world.text("plan").out.replace(" → ", " -> ")
    assert re.sub(r"^Fingerprint: [0-9a-f]{64}\n", "", said, flags=re.MULTILINE) == put(PLAN)
    assert world.text("status").out == put(STATUS)
    world.client("sns").untag_resource(ResourceArn=arn, TagKeys=["shnotify:name"])
    ran = world.text("plan")
    assert (ran.code, REFUSED in ran.out, "1 refused." in ran.out) == (1, True, True)


def test_a_status_that_is_in_sync_still_says_at_its_end_what_cannot_deliver(world: World) -> None:
    assert world.apply().code == 0
    ran = world.text("status")
    assert (ran.code, ran.out.splitlines()[-1]) == (4, "In sync; urgent cannot deliver.")


def test_a_route_that_tells_nobody_is_warned_of(world: World) -> None:
    world.write(world.path.read_text("utf-8") + "  - name: silent\n")
    warning = "routes[1].subscribers: no subscriber in the file, so nobody is told"
    assert warning in world.text("plan").err
    (said,) = world.run("validate").json["warnings"]
    assert said == f"{world.path}:6:5: {warning}"
