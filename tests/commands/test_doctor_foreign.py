"""`doctor --rule` and `--topic` on notifiers that somebody else made: the faults of public reports, each
built by hand and told by name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import Ran, World
from tests.support.breakages import BOTH, ROOT, allow, policy
from tests.support.faults import REGION
from tests.support.lifecycle import ACCOUNT

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:theirs"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:theirs-dlq"
PATTERN = {
    "source": ["aws.securityhub"],
    "detail-type": ["Security Hub Findings - Imported"],
    "detail": {"findings": {"Severity": {"Label": ["CRITICAL", "HIGH"]}}},
}
PUBLISH = allow("sns:Publish", TOPIC)


@dataclass
class Theirs:
    """A notifier that was made without shnotify."""

    pattern: Any = None
    topic_policy: str | None = None
    topic_key: tuple[Any, ...] | None = (allow(BOTH),)
    topic_key_name: str = ""
    queue_policy: str | None = None
    queue_key: tuple[Any, ...] | None = (allow(BOTH),)
    queue: bool = True
    transformer: Any = None
    confirmed: bool = True
    subscriber: bool = True

    def make(self, world: World) -> None:
        sns, sqs, events = (world.client(name) for name in ("sns", "sqs", "events"))
        attributes = {"Policy": self.topic_policy or policy(PUBLISH)}
        if key := self.topic_key_name or self._key(world, self.topic_key):
            attributes["KmsMasterKeyId"] = key
        sns.create_topic(Name="theirs", Attributes=attributes)
        target: dict[str, Any] = {"Id": "t", "Arn": TOPIC}
        if self.queue:
            send = policy(allow("sqs:SendMessage", QUEUE))
            of_queue = {"Policy": self.queue_policy or send}
            if key := self._key(world, self.queue_key):
                of_queue["KmsMasterKeyId"] = key
            sqs.create_queue(QueueName="theirs-dlq", Attributes=of_queue)
            target["DeadLetterConfig"] = {"Arn": QUEUE}
        if self.transformer:
            target["InputTransformer"] = self.transformer
        events.put_rule(Name="theirs", EventPattern=json.dumps(self.pattern or PATTERN))
        events.put_targets(Rule="theirs", Targets=[target])
        if self.subscriber:
            sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="ops@example.com")
        if self.confirmed and self.subscriber:
            confirm_subscription("ops@example.com")

    def _key(self, world: World, statements: tuple[Any, ...] | None) -> str:
        if statements is None:
            return ""
        made = world.client("kms").create_key(Policy=policy(ROOT, *statements))
        return str(made["KeyMetadata"]["KeyId"])


LIMITED = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
SPLIT = {"InputPathsMap": {"t": "$.detail.findings[0].Title"}, "InputTemplate": '"Alert: <t>"'}
REPORTS: dict[str, tuple[Theirs, str, str, str]] = {
    "LZA #407, a source account on the topic's key (row 14)": (
        Theirs(topic_key=(allow(BOTH, Condition=LIMITED),)),
        "topic-key",
        "broken",
        "aws:SourceAccount",
    ),
    "terraform-aws-guardduty #10, AWS's own key (row 13)": (
        Theirs(topic_key_name="alias/aws/sns"),
        "topic-key",
        "broken",
        "key of AWS's own",
    ),
    "ASEA PR #1132, a key that nobody opened (row 13)": (
        Theirs(topic_key=()),
        "topic-key",
        "broken",
        "does not let events.amazonaws.com call kms:Decrypt",
    ),
    "aws-cdk #20804, the queue's key was forgotten (row 15)": (
        Theirs(queue_key=()),
        "queue-key",
        "broken",
        "does not let events.amazonaws.com",
    ),
    "the API adds no queue policy (row 15)": (
        Theirs(queue_policy=policy(allow("sqs:SendMessage", QUEUE, Principal={"AWS": ACCOUNT}))),
        "queue-policy",
        "broken",
        "sqs:SendMessage",
    ),
    "terraform-provider-aws #16080, no topic policy (row 16)": (
        Theirs(topic_policy=policy(allow("sns:Publish", TOPIC, Principal={"AWS": ACCOUNT}))),
        "topic-policy",
        "broken",
        "sns:Publish",
    ),
    "HHS #968, nobody has clicked (row 18)": (
        Theirs(confirmed=False),
        "subscribers",
        "broken",
        "nobody has confirmed",
    ),
    "an address that ended it for all (row 20)": (
        Theirs(subscriber=False),
        "subscribers",
        "broken",
        "no subscriber",
    ),
    "free text in a transformer (row 3)": (
        Theirs(transformer=SPLIT),
        "transformer",
        "warning",
        "$.detail.findings[0].Title",
    ),
    "the new Security Hub's events in the old form (row 25)": (
        Theirs(
            pattern={
                "source": ["aws.securityhub"],
                "detail-type": ["Findings Imported V2"],
                "detail": {"findings": {"Severity": {"Label": ["CRITICAL"]}}},
            }
        ),
        "pattern",
        "broken",
        "severity",
    ),
    "no dead-letter queue": (
        Theirs(queue=False),
        "queue",
        "warning",
        "what it cannot deliver is lost",
    ),
}


def judged(ran: Ran, verdict: str) -> dict[str, str]:
    return {link["id"]: link["why"] for link in ran.json["links"] if link["verdict"] == verdict}


@pytest.mark.parametrize("argument", [("--rule", "theirs"), ("--topic", TOPIC)], ids=["rule", "topic"])
@pytest.mark.parametrize(("made", "link", "verdict", "says"), REPORTS.values(), ids=REPORTS)
def test_a_public_report_is_told_by_name(
    world: World, made: Theirs, link: str, verdict: str, says: str, argument: tuple[str, str]
) -> None:
    made.make(world)
    world.path.unlink()  # no file is needed
    ran = world.run("doctor", *argument)
    assert says in judged(ran, verdict)[link]
    assert set(judged(ran, "broken")) <= {link}
    assert ran.code == (4 if verdict == "broken" else 0)


def test_a_whole_one_of_somebody_elses_has_nothing_broken(world: World) -> None:
    Theirs().make(world)
    ran = world.run("doctor", "--rule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/theirs")
    assert (ran.code, judged(ran, "broken")) == (0, {})
    assert world.faults.writes == [one for one in world.faults.writes if not _writes(one)]


def _writes(operation: str) -> bool:
    return operation.partition(":")[2].startswith(("Put", "Create", "Delete", "Set", "Update", "Subscribe"))


def test_what_its_owner_adds_to_the_policy_mends_it(world: World) -> None:
    Theirs(topic_key=()).make(world)
    ran = world.run("doctor", "--rule", "theirs")
    (link,) = [link for link in ran.json["links"] if link["verdict"] == "broken"]
    assert link["mend"].startswith("aws kms put-key-policy")
    key = world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["KmsMasterKeyId"]
    mended = policy(ROOT, link["evidence"]["statement_to_add"])
    world.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=mended)
    assert judged(world.run("doctor", "--rule", "theirs"), "broken") == {}


def test_a_topic_that_nothing_feeds(world: World) -> None:
    Theirs().make(world)
    world.client("events").remove_targets(Rule="theirs", Ids=["t"])
    ran = world.run("doctor", "--topic", TOPIC)
    assert judged(ran, "broken")["target"].startswith("no rule that is known here feeds theirs")


def test_a_rule_with_two_topics_is_two_ways(world: World) -> None:
    Theirs().make(world)
    second = world.client("sns").create_topic(Name="second")["TopicArn"]
    world.client("events").put_targets(Rule="theirs", Targets=[{"Id": "u", "Arn": second}])
    ran = world.run("doctor", "--rule", "theirs")
    routes = {link["route"] for link in ran.json["links"] if link["id"] == "subscribers"}
    assert routes == {"theirs/theirs", "theirs/second"}
    assert {link["route"] for link in ran.json["links"] if link["verdict"] == "broken"} == {"theirs/second"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rule", "a", "--topic", TOPIC), "exclude each other"),
        (("--rule", "a b"), "no rule's name"),
        (("--topic", "theirs"), "no topic's ARN"),
        (("--topic", TOPIC.replace(REGION, "us-east-1")), "another Region"),
        (("--rule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/bus/x"), "default bus"),
        (("--since", "soon"), "soon: must be a duration"),
        (("--since", "1s"), "must be between 5m and 63d"),
    ],
)
def test_a_wrong_command_line_asks_nothing(world: World, arguments: tuple[str, ...], says: str) -> None:
    ran = world.run("doctor", *arguments)
    assert ran.code == 2
    assert says in ran.json["error"]["message"]
    assert set(world.faults.operations) <= {"sts:GetCallerIdentity"}
