"""`doctor --rule` and `--topic` on notifiers that somebody else made: the faults of public reports, each
built by hand and told by name.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest

from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, Ran, World
from tests.support.breakages import BOTH, ROOT, allow, policy
from tests.support.faults import REGION, on, refuse
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


def test_no_statement_is_added_where_one_denies_or_the_key_is_off(world: World) -> None:
    denied = {"Sid": "no", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    Theirs(topic_key=(allow(BOTH), denied)).make(world)

    def mend() -> str:
        (link,) = [one for one in world.run("doctor", "--rule", "theirs").json["links"] if one["verdict"] == "broken"]
        assert (link["id"], "statement_to_add" in link["evidence"]) == ("topic-key", False)
        return str(link["mend"])

    assert mend() == 'take "no" out of its key policy or except events.amazonaws.com from it'
    key = world.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["KmsMasterKeyId"]
    world.client("kms").disable_key(KeyId=key)
    assert mend().startswith("aws kms enable-key --key-id arn:aws:kms:")
    world.client("kms").schedule_key_deletion(KeyId=key)
    assert mend().startswith("aws kms cancel-key-deletion --key-id arn:aws:kms:")


def test_a_key_that_is_not_symmetric_encrypts_nothing(world: World) -> None:
    made = world.client("kms").create_key(
        KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", Policy=policy(ROOT, allow(BOTH))
    )
    Theirs(topic_key_name=made["KeyMetadata"]["Arn"]).make(world)
    ran = world.run("doctor", "--rule", "theirs")
    assert "is of the kind RSA_2048" in judged(ran, "broken")["topic-key"]


def test_a_key_that_the_file_only_names_is_not_mended_by_apply(world: World) -> None:
    key = world.client("kms").create_key(Policy=policy(ROOT))["KeyMetadata"]["Arn"]
    world.write(SMALLEST.replace("routes:", f"encryption: {{topic_key: {{arn: '{key}'}}}}\nroutes:"))
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    (link,) = [one for one in world.run("doctor").json["links"] if one["id"] == "topic-key"]
    assert link["mend"] == (
        f"aws kms put-key-policy --key-id {key} --policy-name default --policy ..., with this statement added"
    )


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
        (("--rule", ""), "is empty"),
        (("--topic", ""), "is empty"),
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


# -- rule -> queue -> event source mapping -> function -> topic ------------------------------------

BUFFER = f"arn:aws:sqs:{REGION}:{ACCOUNT}:theirs-buffer"
MAILER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:mailer"
TAKES = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def assume() -> str:
    return policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})


def function(world: World, name: str = "mailer", topic: str = TOPIC) -> None:
    iam = world.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=assume())["Role"]["Arn"]
    may = [{"Effect": "Allow", "Action": TAKES, "Resource": BUFFER}]
    may += [{"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}]
    may += [{"Effect": "Allow", "Action": BOTH, "Resource": "*"}]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*may))
    world.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="m.h",
        Timeout=3,
        Code={"ZipFile": zipped()},
        Environment={"Variables": {"TOPIC": topic}},
        Publish=True,
    )


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("m.py", "def h(event, context): pass\n")
    return archive.getvalue()


def buffered(world: World) -> str:
    """A notifier whose rule feeds a queue; returns the mapping's UUID."""
    Theirs(topic_key=None, queue_key=None).make(world)
    function(world)
    attributes = {
        "Policy": policy(allow("sqs:SendMessage", BUFFER)),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": QUEUE, "maxReceiveCount": 5}),
    }
    world.client("sqs").create_queue(QueueName="theirs-buffer", Attributes=attributes)
    world.client("events").put_targets(
        Rule="theirs", Targets=[{"Id": "t", "Arn": BUFFER, "DeadLetterConfig": {"Arn": QUEUE}}]
    )
    made = world.client("lambda").create_event_source_mapping(EventSourceArn=BUFFER, FunctionName="mailer")
    return str(made["UUID"])


def _attributes(world: World, **attributes: str) -> None:
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName="theirs-buffer")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _filtered(world: World, _uuid: str) -> None:
    filters = {"Filters": [{"Pattern": '{"body": {"x": ["y"]}}'}]}

    def more(call: Any, _operation: str) -> Any:
        reply = call()
        return {
            **reply,
            "EventSourceMappings": [{**one, "FilterCriteria": filters} for one in reply["EventSourceMappings"]],
        }

    world.faults.rule = on("lambda:ListEventSourceMappings", 1)(more)


def _another(world: World, _uuid: str) -> None:
    function(world, "other", TOPIC.replace("theirs", "elsewhere"))
    topic = world.client("sns").create_topic(Name="elsewhere")["TopicArn"]
    world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE)
    world.client("lambda").create_event_source_mapping(EventSourceArn=BUFFER, FunctionName="other")


def _off(world: World, uuid: str) -> None:
    world.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)


def _takes_no_more(world: World, _uuid: str) -> None:
    only = policy({"Effect": "Allow", "Action": ["sns:Publish", *BOTH], "Resource": "*"})
    world.client("iam").put_role_policy(RoleName="mailer", PolicyName="p", PolicyDocument=only)


def _no_mapping(world: World, uuid: str) -> None:
    world.client("lambda").delete_event_source_mapping(UUID=uuid)


def _denied(world: World, _uuid: str) -> None:
    world.faults.rule = on("lambda:ListEventSourceMappings", 99)(refuse("AccessDeniedException", 403, "no"))


def _ended(world: World, _uuid: str) -> None:
    sns = world.client("sns")
    (one,) = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


ON_THE_WAY: dict[str, tuple[Any, str, str, str]] = {
    "nobody may put into it": (
        lambda world, _: _attributes(world, Policy=""),
        "formatter",
        "broken",
        "does not let events.amazonaws.com call sqs:SendMessage",
    ),
    "nothing is kept": (lambda world, _: _attributes(world, RedrivePolicy=""), "queue", "warning", "no dead-letter"),
    "it is off": (_off, "formatter", "broken", "findings wait in the queue and are not mailed"),
    "it throws some away": (_filtered, "formatter", "unknown", "throws away"),
    "somebody else takes too": (_another, "formatter", "broken", "other takes findings from it too"),
    "the role may not take": (_takes_no_more, "formatter", "broken", "sqs:ReceiveMessage"),
    "nothing takes": (_no_mapping, "target", "unknown", "cannot be told"),
    "nobody may look": (_denied, "formatter", "unknown", "what takes from queue theirs-buffer could not be read"),
    "nobody is left": (_ended, "subscribers", "broken", "no subscriber"),
}


@pytest.mark.parametrize("argument", [("--rule", "theirs"), ("--topic", TOPIC)], ids=["rule", "topic"])
def test_a_way_through_a_queue_is_followed_to_the_inbox(world: World, argument: tuple[str, str]) -> None:
    buffered(world)
    whole = world.run("doctor", *argument)
    # Whether somebody's own code sends a mail nobody can tell; all else is seen.
    assert (whole.code, judged(whole, "broken")) == (0, {})
    assert set(judged(whole, "unknown")) == {"formatter", "invocations", "mail-failures"}
    assert {"formatter", "subscribers", "queue", "queue-policy"} <= set(judged(whole, "ok"))


@pytest.mark.parametrize("what", ON_THE_WAY)
def test_what_is_broken_behind_a_queue_is_told(world: World, what: str) -> None:
    breaks, link, verdict, says = ON_THE_WAY[what]
    uuid = buffered(world)
    breaks(world, uuid)
    ran = world.run("doctor", "--rule", "theirs")
    found = [one for one in ran.json["links"] if (one["id"], one["verdict"]) == (link, verdict)]
    assert any(says in one["why"] for one in found), ran.json["links"]
    assert set(judged(ran, "broken")) <= {link}
    assert ran.code == (4 if verdict == "broken" else 0)


def test_what_its_owner_adds_to_the_buffers_policy_mends_it(world: World) -> None:
    buffered(world)
    _attributes(world, Policy="")
    (link,) = [one for one in world.run("doctor", "--rule", "theirs").json["links"] if one["verdict"] == "broken"]
    assert link["mend"].startswith("aws sqs set-queue-attributes")
    _attributes(world, Policy=policy(link["evidence"]["statement_to_add"]))
    assert judged(world.run("doctor", "--rule", "theirs"), "broken") == {}


def test_one_alias_of_a_function_is_found(world: World) -> None:
    Theirs(topic_key=None, queue_key=None).make(world)
    function(world)
    aliased, client = f"{MAILER}:live", world.client("lambda")
    client.create_alias(FunctionName="mailer", Name="live", FunctionVersion="1")
    client.add_permission(
        FunctionName="mailer",
        Qualifier="live",
        StatementId="e",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    world.client("events").put_targets(Rule="theirs", Targets=[{"Id": "t", "Arn": aliased}])
    ran = world.run("doctor", "--rule", "theirs")
    assert "does not exist" not in ran.out
    asked = [call for call in world.faults.calls if call[0] == "cloudwatch:GetMetricData"]
    assert '"Value": "mailer"' in json.dumps(asked, default=str)


def test_a_topic_that_only_somebodys_function_may_feed_is_not_called_silent(world: World) -> None:
    Theirs(topic_key=None, queue_key=None).make(world)
    function(world, topic="arn:aws:s3:::no-topic")
    world.client("events").put_targets(Rule="theirs", Targets=[{"Id": "t", "Arn": MAILER}])
    ran = world.run("doctor", "--topic", TOPIC)
    assert "cannot be told" in judged(ran, "unknown")["target"]


def test_a_second_notifier_that_folds_is_told_as_a_duplicate(world: World) -> None:
    buffered(world)
    world.apply()
    assert "feeds mailer" in judged(world.run("doctor"), "warning")["duplicates"]
