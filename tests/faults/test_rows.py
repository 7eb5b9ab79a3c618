"""The fault list, row by row: what no other test holds. `docs/fault-rows.md` says which test holds each row."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ProxyConnectionError, ReadTimeoutError, SSLError
from hypothesis import given

from shnotify import cli
from shnotify.aws import calls
from shnotify.aws.gateway import elsewhere
from shnotify.aws.progress import Waiting
from shnotify.escaping import clean
from shnotify.resources.kinds import READS
from shnotify.schema.scalars import MAX_ROUTES
from shnotify.terminal.live import Console
from shnotify.terminal.screen import Screen
from shnotify.terminal.signals import catch_signals
from tests.commands.test_lifecycle import QUEUE, RULE, TOPIC, key_id
from tests.commands.test_process import Env, black_hole, env, run, sandbox, terminal  # noqa: F401 the fixtures too
from tests.conftest import SMALLEST, Ran, World
from tests.faults.test_crashes import emptied
from tests.faults.test_two_at_once import in_the_middle
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.faults import REGION, Fault
from tests.support.samples import HOSTILE

URL = "http://aws.invalid"
Calm = Callable[[int, str], Fault | None]


def calm(_n: int, _operation: str) -> Fault | None:
    return None


def always(operation: str, fault: Fault) -> Calm:
    return faults.on(operation, times=10_000)(fault)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """A command with the real gateway: nothing stands between it and the SDK. It does not wait between two tries."""
    path = tmp_path / "shnotify.yaml"
    path.write_text(SMALLEST, encoding="utf-8")
    monkeypatch.setattr(calls, "Clock", functools.partial(calls.Clock, sleep=lambda _seconds: None))

    def run(*arguments: str) -> Ran:
        code = cli.run([*arguments, "-c", str(path), "-o", "json"])
        return Ran(code, *capsys.readouterr())

    return run


CALLER = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>x</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@contextlib.contextmanager
def answering(status: int, body: bytes, *, caller: bool = True) -> Iterator[str]:
    """An endpoint that gives every call this answer; `caller`: all but the first, which says who we are."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            first = caller and b"GetCallerIdentity" in asked
            code, reply = (200, CALLER) if first else (status, body)
            self.send_response(code)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- A. crash and partial work -----------------------------------------------------------------------------------------


def surplus_key(world: World, role: str = "TopicKey", **tags: str) -> str:
    """A key tagged as ours, as a run that was killed leaves it."""
    wanted = {"shnotify:name": "security-alerts", "shnotify:resource": role, "managed-by": "shnotify", **tags}
    listed = [{"TagKey": k, "TagValue": v} for k, v in wanted.items()]
    return str(world.client("kms").create_key(Tags=listed)["KeyMetadata"]["KeyId"])


def state_of_key(world: World, key: str) -> str:
    return str(world.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"])


def test_row_8_of_two_keys_without_alias_the_oldest_is_used_and_no_third_is_made(world: World) -> None:
    first = surplus_key(world)
    time.sleep(0.01)  # moto's keys carry the real time of their creation
    second = surplus_key(world)
    assert world.apply().code == 0
    assert world.faults.writes.count("kms:CreateKey") == 1  # the queue's
    assert key_id(world, "topic") == first
    assert (state_of_key(world, first), state_of_key(world, second)) == ("Enabled", "PendingDeletion")


def test_row_9_a_rule_without_target_cannot_deliver(world: World) -> None:
    world.apply()
    world.client("events").remove_targets(Rule=RULE, Ids=["shnotify"])
    status = world.run("status")
    assert (status.code, status.json["delivery"][0]["ok"]) == (3, False)
    assert any("has no target" in problem for problem in status.json["delivery"][0]["problems"])
    assert world.apply().actions() == {"UrgentRule": "update"}


def test_row_10_a_target_refused_because_of_somebody_else_is_put_again(world: World) -> None:
    left = [2]

    def busy(call: Callable[[], Any], _operation: str) -> Any:
        left[0] -= 1
        if left[0] < 0:
            return call()
        failed = {"TargetId": "shnotify", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "busy"}
        return {"FailedEntryCount": 1, "FailedEntries": [failed]}

    world.faults.rule = always("events:PutTargets", busy)
    assert world.apply().code == 0
    assert world.faults.writes.count("events:PutTargets") == 3


def test_row_12_a_half_made_topic_is_completed_and_never_deleted(world: World) -> None:
    world.apply()
    sns = world.client("sns")
    subscribed = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    for name, value in {"KmsMasterKeyId": "", "DisplayName": "x", "Policy": '{"Statement": []}'}.items():
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)
    sns.untag_resource(ResourceArn=TOPIC, TagKeys=["managed-by", "shnotify:resource"])
    assert world.apply().actions() == {"UrgentTopic": "update"}
    assert not [w for w in world.faults.writes if "Delete" in w or "Unsubscribe" in w]
    assert sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"] == subscribed


# -- B. network, throttling, bad replies -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["status"], ["plan"], ["apply", "--yes"], ["destroy", "--yes"]])
def test_row_13_a_storm_of_throttling_ends_in_time_and_names_the_call(world: World, command: list[str]) -> None:
    world.apply()
    storm = faults.refuse("ThrottlingException", message="Rate exceeded")
    world.faults.rule = lambda _n, operation: None if operation.startswith("sts:") else storm
    began = world.faults.time.seconds
    ran = world.run(*command, "--timeout", "9")
    assert (ran.code, world.faults.writes) == (1, [])
    assert world.faults.time.seconds - began <= 9
    error = ran.json["error"]
    assert "9 s is reached, waiting for" in error["message"]
    assert error["operation"] in READS


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "RequestThrottled", "Throttled", "SlowDown"])
def test_row_13_create_key_is_asked_again_after_a_refusal_by_any_throttling_code(world: World, code: str) -> None:
    world.faults.rule = faults.on("kms:CreateKey", 3)(faults.refuse(code))
    assert world.apply().code == 0
    assert world.faults.writes.count("kms:CreateKey") == 5


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("answer", ["500", "reset"])
def test_row_14_15_a_create_key_without_a_good_answer_makes_one_key(world: World, how: str, answer: str) -> None:
    def broken(call: Callable[[], Any], operation: str) -> Any:
        if how == "after":
            call()
        if answer == "500":
            return faults.refuse("KMSInternalException", 500)(call, operation)
        raise ConnectionClosedError(endpoint_url=URL)

    world.faults.rule = faults.on("kms:CreateKey")(broken)
    assert world.apply().code == 0
    assert live_keys(world) == ["DlqKey", "TopicKey"]
    assert world.faults.writes.count("kms:CreateKey") == (3 if how == "before" else 2)


def test_row_16_reads_end_within_a_minute_though_each_hangs(world: World) -> None:
    def hang(_call: Callable[[], Any], _operation: str) -> Any:
        world.faults.time.sleep(20)
        raise ReadTimeoutError(endpoint_url=URL)

    world.faults.rule = always("sns:GetTopicAttributes", hang)
    began = world.faults.time.seconds
    ran = world.run("status")
    assert ran.code == 1
    assert world.faults.time.seconds - began <= 60 + 20  # the call under way when the minute is over
    assert "60 s is reached" in ran.json["error"]["message"]


JUNK = {
    "a proxy's page": (200, b"<html>log in first</html>"),
    "nothing": (200, b""),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "another kind of field": (200, b'{"KeyMetadata": []}'),
    "half a reply": (200, b'{"KeyMetadata": {"KeyId"'),
    "no UTF-8": (200, b"\xff\xfe{"),
    "refused by a proxy": (403, b"<html>blocked</html>"),
    "an error of another kind": (400, b"[1]"),
}


@pytest.mark.parametrize("what", JUNK)
def test_row_17_18_a_reply_that_is_not_awss_is_an_error_that_names_the_call(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with answering(*JUNK[what]) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ran = bare("status")
    assert ran.code == 1
    assert "missing" not in ran.states().values()
    assert "Traceback" not in ran.err
    error = ran.json["error"]
    assert error["operation"] or error["resource"]
    assert "this is a bug" not in error["hint"]


def test_row_17_18_an_unreadable_caller_is_an_error_too(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(200, b"<html>log in first</html>", caller=False) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ran = bare("status")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "sts:GetCallerIdentity")
    with answering(200, CALLER.replace(b"Account", b"Other"), caller=False) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ran = bare("status")
    assert (ran.code, ran.json["error"]["code"]) == (1, "KeyError")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (ProxyConnectionError(proxy_url="http://proxy.invalid"), "HTTPS_PROXY"),
        (SSLError(endpoint_url=URL, error=OSError("self-signed certificate")), "AWS_CA_BUNDLE"),
        (OSError("Could not find a suitable TLS CA certificate bundle"), "proxy"),
    ],
    ids=["proxy refuses", "proxy opens TLS", "no such CA file"],
)
def test_row_20_a_way_that_is_closed_is_told_with_what_to_set(world: World, error: Exception, hint: str) -> None:
    world.faults.rule = always("sts:GetCallerIdentity", faults.fail_with(error))
    began = world.faults.time.seconds
    ran = world.run("status")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "sts:GetCallerIdentity")
    assert hint in ran.json["error"]["hint"]
    assert world.faults.time.seconds - began <= 30


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
def test_row_20_a_password_in_an_address_is_not_shown(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://user:hunter2@127.0.0.1:9")
    ran = bare("status")
    assert ran.code == 1
    assert "127.0.0.1:9" in ran.json["error"]["message"]
    assert "hunter2" not in ran.out + ran.err


def test_row_21_services_sent_elsewhere_are_told() -> None:
    assert elsewhere({}) is None
    assert elsewhere({"AWS_ENDPOINT_URL": URL}) == f"talking to {URL} (AWS_ENDPOINT_URL is set), not to AWS itself"
    assert (
        elsewhere({"AWS_ENDPOINT_URL_SNS": URL}) == f"only these are sent elsewhere, all others go to AWS: sns at {URL}"
    )
    assert f"sqs at {URL}/q" in str(elsewhere({"AWS_ENDPOINT_URL": URL, "AWS_ENDPOINT_URL_SQS": f"{URL}/q"}))


PAGED = {
    "kms:ListAliases": ("Aliases", "Marker", "NextMarker"),
    "kms:ListGrants": ("Grants", "Marker", "NextMarker"),
    "kms:ListKeys": ("Keys", "Marker", "NextMarker"),
    "kms:ListResourceTags": ("Tags", "Marker", "NextMarker"),
    "sns:ListSubscriptionsByTopic": ("Subscriptions", "NextToken", "NextToken"),
    "events:ListTargetsByRule": ("Targets", "NextToken", "NextToken"),
    "events:ListRuleNamesByTarget": ("RuleNames", "NextToken", "NextToken"),
    "tag:GetResources": ("ResourceTagMappingList", "PaginationToken", "PaginationToken"),
}
"""List call -> its items, and what the request and the reply call the next page."""


@pytest.fixture
def one_a_page(world: World, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every list call gives one item a page; the operations of which a second page was asked for."""
    asked: set[str] = set()
    send = world.faults.send

    def paged(operation: str, method: Callable[..., Any], params: dict[str, Any]) -> Any:
        if operation not in PAGED:
            return send(operation, method, params)
        items, wanted, answered = PAGED[operation]
        at = int(params.get(wanted) or 0)
        if at:
            asked.add(operation)
        reply = send(operation, method, {k: v for k, v in params.items() if k not in (wanted, "ResourcesPerPage")})
        more = {answered: str(at + 1)} if at + 1 < len(reply[items]) else {answered: ""}
        return {**reply, items: reply[items][at : at + 1], **more}

    monkeypatch.setattr(world.faults, "send", paged)
    return asked


def test_row_22_every_list_is_read_to_its_end(world: World, one_a_page: set[str]) -> None:
    world.write(world.path.read_text() + "  - {name: calm, subscribers: [a@example.com, b@example.com]}\n")
    for _ in range(2):
        world.client("kms").create_key()
    world.faults.rule = faults.on("kms:CreateKey")(faults.lose_reply)  # so every key is asked for its tags
    assert world.apply().code == 0
    world.faults.rule = calm
    assert (world.run("status").states(), world.apply().actions()) == ({}, {})
    assert live_keys(world) == ["?", "?", "DlqKey", "TopicKey"]
    chat = {"Id": "chat", "Arn": f"arn:aws:lambda:{REGION}:123456789012:function:x"}
    world.client("events").put_targets(Rule=RULE, Targets=[chat])
    rest = {"Id": "rest", "Arn": f"arn:aws:lambda:{REGION}:123456789012:function:y"}
    world.client("events").put_targets(Rule=RULE, Targets=[rest])
    world.client("events").put_rule(Name="theirs", EventPattern='{"source":["x"]}')
    world.client("events").put_targets(Rule="theirs", Targets=[{"Id": "t", "Arn": TOPIC}])
    world.client("kms").create_alias(AliasName="alias/theirs", TargetKeyId=key_id(world, "dlq"))
    for who in ("a", "b"):
        world.client("kms").create_grant(
            KeyId=key_id(world, "topic"),
            GranteePrincipal=f"arn:aws:iam::123456789012:role/{who}",
            Operations=["Decrypt"],
        )
    assert (world.run("status").states(), world.apply().actions()) == ({}, {})
    gone = world.run("destroy", "--yes")
    assert gone.code == 1
    for text in ("function:x", "function:y"):
        assert text in gone.out
    for text in ("role/a", "role/b", "alias/theirs"):
        assert text in gone.out
    assert one_a_page == set(PAGED)


# -- C. eventual consistency -------------------------------------------------------------------------------------------


def test_row_24_what_is_never_shown_is_told_and_is_no_drift(world: World) -> None:
    world.apply()
    world.write(world.path.read_text() + "    topic: {display_name: Alerts}\n")

    def old(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        return {**reply, "Attributes": {**reply["Attributes"], "DisplayName": ""}}

    world.faults.rule = always("sns:GetTopicAttributes", old)
    began = world.faults.time.seconds
    ran = world.apply()
    assert ran.code == 1
    assert ran.json["error"]["message"] == "written, but AWS does not show it yet: UrgentTopic"
    assert {a["id"]: a["result"] for a in ran.json["actions"]}["UrgentTopic"] == "done"
    assert 90 <= world.faults.time.seconds - began <= 120


def test_row_25_what_the_tag_search_omits_or_still_shows_proves_nothing(world: World) -> None:
    def nothing(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "ResourceTagMappingList": []}

    gone = [
        {"ResourceARN": f"arn:aws:sns:{REGION}:123456789012:gone", "Tags": []},
        {"ResourceARN": f"arn:aws:sqs:{REGION}:123456789012:gone", "Tags": []},
        {"ResourceARN": f"arn:aws:events:{REGION}:123456789012:rule/gone", "Tags": []},
        {"ResourceARN": f"arn:aws:kms:{REGION}:123456789012:key/00000000-0000-0000-0000-000000000000", "Tags": []},
    ]

    def ghosts(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        return {**reply, "ResourceTagMappingList": [*reply["ResourceTagMappingList"], *gone]}

    world.apply()
    for lie in (nothing, ghosts):
        world.faults.rule = always("tag:GetResources", lie)
        assert world.run("status").states() == {}
        assert (world.apply().code, world.faults.writes) == (0, [])


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("sns:TagResource", "ConcurrentAccess"),
        ("sns:TagResource", "StaleTag"),
        ("events:PutRule", "ConcurrentModificationException"),
    ],
)
def test_row_27_somebody_who_writes_at_the_same_moment_is_waited_for(world: World, operation: str, code: str) -> None:
    world.apply()
    world.write(world.path.read_text() + "    rule: {description: new}\ntags: {Owner: me}\n")
    world.faults.rule = faults.on(operation, 3)(faults.refuse(code))
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert world.faults.writes.count(operation) == 4


def test_row_28_a_principal_that_is_not_visible_yet_is_waited_for_and_no_longer_than_two_minutes(world: World) -> None:
    world.apply()
    kms = world.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key_id(world, "topic"), PolicyName="default")["Policy"])
    kms.put_key_policy(
        KeyId=key_id(world, "topic"),
        PolicyName="default",
        Policy=json.dumps(policy | {"Statement": policy["Statement"][:1]}),
    )
    unseen = faults.refuse("MalformedPolicyDocumentException", message="The principal is not valid")
    world.faults.rule = always("kms:PutKeyPolicy", unseen)
    began = world.faults.time.seconds
    ran = world.apply()
    assert (ran.code, ran.json["error"]["operation"]) == (1, "kms:PutKeyPolicy")
    assert 110 <= world.faults.time.seconds - began <= 140
    world.faults.rule = faults.on("kms:PutKeyPolicy", 3)(unseen)
    assert world.apply().code == 0


# -- D. ownership ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["stack-name", "stack-id", "logical-id"])
def test_row_36_a_key_of_cloudformation_is_refused_even_with_adopt(world: World, tag: str) -> None:
    kms = world.client("kms")
    kms.create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])

    def theirs(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "Tags": [{"TagKey": f"aws:cloudformation:{tag}", "TagValue": "stack"}]}

    world.faults.rule = always("kms:ListResourceTags", theirs)
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert ran.actions()["TopicKey"] == "refuse"
    assert "CloudFormation stack 'stack'" in ran.json["error"]["message"]


def test_row_36_a_rule_that_an_aws_service_manages_is_refused_even_with_adopt(world: World) -> None:
    world.apply()

    def managed(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "ManagedBy": "config.amazonaws.com", "Description": "x"}

    world.faults.rule = always("events:DescribeRule", managed)
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert "config.amazonaws.com manages this rule" in ran.json["error"]["message"]


def test_row_37_a_foreign_rule_that_appears_meanwhile_is_not_overwritten(world: World) -> None:
    events = world.client("events")

    def somebody() -> None:
        events.put_rule(Name=RULE, EventPattern='{"source":["aws.s3"]}', Description="theirs")
        world.faults.time.sleep(10)  # a look of some seconds ago is not repeated

    in_the_middle(world, "sqs:CreateQueue", somebody)
    ran = world.apply()
    world.faults.rule = calm
    assert ran.code == 1
    assert "appeared since we looked" in ran.json["error"]["message"]
    assert (events.describe_rule(Name=RULE)["Description"], "events:PutRule" in world.faults.writes) == (
        "theirs",
        False,
    )


def test_row_37_a_key_in_use_is_not_given_up_when_somebody_takes_its_alias(world: World) -> None:
    world.apply()
    kms, ours = world.client("kms"), key_id(world, "topic")
    kms.delete_alias(AliasName="alias/security-alerts-topic")

    def somebody() -> None:
        kms.create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])

    in_the_middle(world, "kms:CreateAlias", somebody)
    ran = world.apply()
    world.faults.rule = calm
    assert ran.code == 1
    assert "was given to another key meanwhile" in ran.json["error"]["message"]
    assert state_of_key(world, ours) == "Enabled"  # the topic is still encrypted with it
    assert "kms:ScheduleKeyDeletion" not in world.faults.writes


def test_row_42_a_renamed_notifier_names_the_set_that_stays(world: World) -> None:
    world.apply()
    world.write(world.path.read_text().replace("name: security-alerts", "name: renamed"))
    for command in ("plan", "apply"):
        ran = world.run(command, *(["--yes"] if command == "apply" else []))
        assert ran.code == 0
        assert "nothing of renamed is here yet, but of security-alerts" in ran.err
    assert "former name" not in world.run("plan").err
    world.faults.rule = always("tag:GetResources", faults.refuse("AccessDeniedException"))
    assert world.run("plan").code == 0


# -- E. keys and policies ----------------------------------------------------------------------------------------------


def without_events(world: World, **condition: Any) -> None:
    """The topic's key, edited by hand: EventBridge's statement is gone, or has this condition."""
    kms = world.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key_id(world, "topic"), PolicyName="default")["Policy"])
    root, ours = policy["Statement"]
    policy["Statement"] = [root, ours | {"Condition": condition}] if condition else [root]
    kms.put_key_policy(KeyId=key_id(world, "topic"), PolicyName="default", Policy=json.dumps(policy))


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ({}, "does not allow events.amazonaws.com kms:Decrypt"),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, "AWS does not support for encrypted topics"),
    ],
    ids=["row 45 gone", "row 46 conditioned"],
)
def test_row_45_46_a_key_that_eventbridge_cannot_use_stops_delivery(
    world: World, condition: dict[str, Any], says: str
) -> None:
    world.apply()
    without_events(world, **condition)
    status = world.run("status")
    assert (status.code, status.json["delivery"][0]["ok"]) == (3, False)
    assert any(says in problem for problem in status.json["delivery"][0]["problems"])
    assert world.apply().actions() == {"TopicKey": "update"}
    assert not any("TopicKey" in problem for problem in world.run("status").json["delivery"][0]["problems"])


@pytest.mark.parametrize("denied", [False, True])
def test_row_45_a_topic_that_eventbridge_may_not_use_stops_delivery(world: World, denied: bool) -> None:
    world.apply()
    sns = world.client("sns")
    policy = json.loads(sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"])
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": TOPIC}
    policy["Statement"] = [*policy["Statement"], theirs] if denied else policy["Statement"][:1]
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(policy))
    status = world.run("status")
    assert (status.code, status.json["delivery"][0]["ok"]) == (4 if denied else 3, False)
    says = "denies events.amazonaws.com" if denied else "does not allow events.amazonaws.com"
    assert any(f"{says} sns:Publish" in problem for problem in status.json["delivery"][0]["problems"])


def test_row_47_no_condition_of_ours_holds_a_wildcard_or_a_variable(world: World) -> None:
    world.apply()
    documents = [p["Policy"] for _, p in world.faults.calls if "Policy" in p]
    documents += [p["Attributes"]["Policy"] for _, p in world.faults.calls if "Policy" in p.get("Attributes", {})]
    conditions = [s["Condition"] for text in documents for s in json.loads(text)["Statement"] if "Condition" in s]
    assert len(documents) == 4
    assert len(conditions) == 2
    assert not [c for c in conditions if "*" in json.dumps(c) or "${" in json.dumps(c)]


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_row_48_49_a_key_of_ours_that_is_switched_off_is_told_and_taken_back(world: World, state: str) -> None:
    world.apply()
    kms, ours = world.client("kms"), key_id(world, "topic")
    kms.disable_key(KeyId=ours) if state == "Disabled" else kms.schedule_key_deletion(KeyId=ours)
    status = world.run("status")
    assert status.code == 3
    assert f"TopicKey cannot be used: KMS says it is {state}" in status.json["delivery"][0]["problems"]
    world.faults.rule = faults.on("kms:CancelKeyDeletion")(faults.lose_reply)
    assert world.apply().code == 0
    assert (key_id(world, "topic"), state_of_key(world, ours)) == (ours, "Enabled")
    assert kms.get_key_rotation_status(KeyId=ours)["KeyRotationEnabled"] is True


def test_row_49_somebody_elses_key_on_its_way_out_is_not_taken_back_even_with_adopt(world: World) -> None:
    kms = world.client("kms")
    theirs = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/security-alerts-topic", TargetKeyId=theirs)
    kms.schedule_key_deletion(KeyId=theirs)
    ran = world.apply("--adopt")
    assert (ran.code, world.faults.writes) == (1, [])
    assert "only the owner takes it back" in ran.json["error"]["message"]


@pytest.mark.parametrize("state", ["PendingImport", "Unavailable", "PendingReplicaDeletion", "Creating", "Updating"])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("destroy", "--yes")])
def test_row_50_a_key_in_a_state_that_only_aws_can_change_is_refused(
    world: World, command: tuple[str, ...], state: str
) -> None:
    world.apply()

    def other(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        return {**reply, "KeyMetadata": {**reply["KeyMetadata"], "KeyState": state}}

    world.faults.rule = always("kms:DescribeKey", other)
    ran = world.run(*command)
    assert (ran.code, world.faults.writes) == (1, [])
    assert f"KMS says that the key is {state}" in ran.out


def test_row_50_one_key_behind_both_aliases_is_refused(world: World) -> None:
    world.apply()
    kms, ours = world.client("kms"), key_id(world, "topic")
    kms.update_alias(AliasName="alias/security-alerts-topic", TargetKeyId=key_id(world, "dlq"))
    ran = world.apply()
    assert (ran.code, world.faults.writes) == (1, [])
    assert "TopicKey and DlqKey both name arn:" in ran.json["error"]["message"]
    assert world.run("destroy", "--yes").code == 1
    assert (state_of_key(world, ours), state_of_key(world, key_id(world, "dlq"))) != ("Enabled", "PendingDeletion")


@pytest.mark.parametrize("form", ["alias", "alias ARN", "id"])
def test_row_55_a_key_named_in_another_way_is_the_same_key(world: World, form: str) -> None:
    world.apply()
    key, alias = key_id(world, "topic"), "alias/security-alerts-topic"
    text = {"alias": alias, "alias ARN": f"arn:aws:kms:{REGION}:123456789012:{alias}", "id": key}[form]
    world.client("sns").set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=text)
    assert world.run("status").states() == {}
    assert (world.apply().code, world.faults.writes) == (0, [])


def test_row_55_a_key_that_could_not_be_looked_up_is_unknown_and_no_drift(world: World) -> None:
    world.apply()
    alias = "alias/security-alerts-dlq"
    world.client("sqs").set_queue_attributes(QueueUrl=QUEUE, Attributes={"KmsMasterKeyId": f"{alias}"})
    asked: list[str] = []

    def second_time(call: Callable[[], Any], operation: str) -> Any:
        asked.append(operation)
        reply: Any = call() if len(asked) <= 2 else faults.refuse("InternalFailure", 500)(call, operation)
        return reply

    world.faults.rule = always("kms:DescribeKey", second_time)
    status = world.run("status")
    assert status.code == 1
    assert status.states() == {"Dlq": "unknown"}


def test_row_51_rotation_that_cannot_be_switched_on_is_an_error_and_a_rerun_goes_on(world: World) -> None:
    world.faults.rule = always("kms:EnableKeyRotation", faults.refuse("UnsupportedOperationException"))
    ran = world.apply()
    assert (ran.code, ran.json["error"]["operation"]) == (1, "kms:EnableKeyRotation")
    world.faults.rule = calm
    assert set(world.run("status").drift()["TopicKey"]) == {"EnableKeyRotation"}
    assert world.apply().code == 0
    assert live_keys(world) == ["DlqKey", "TopicKey"]


def test_row_52_a_queue_switched_to_another_key_comes_back_and_that_key_stays_as_it_is(world: World) -> None:
    world.apply()
    theirs = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    world.client("sqs").set_queue_attributes(QueueUrl=QUEUE, Attributes={"KmsMasterKeyId": theirs})
    world.client("sqs").send_message(QueueUrl=QUEUE, MessageBody="an alert, encrypted with that key")
    assert world.run("status").drift() == {"Dlq": ["KmsMasterKeyId"]}
    assert world.apply().code == 0
    assert not [w for w in world.faults.writes if w.startswith("kms:")]
    assert state_of_key(world, theirs) == "Enabled"


@pytest.mark.parametrize(("length", "code"), [(20, 0), (64, 2)])
def test_row_54_a_queue_policy_that_sqs_would_not_take_is_refused_before_any_write(
    world: World, length: int, code: int
) -> None:
    routes = [f"  - {{name: r{n}, rule: {{name: {'n' * (length - 3)}{n:03}}}}}\n" for n in range(MAX_ROUTES)]
    world.write(SMALLEST.partition("  - name")[0] + "".join(routes))
    ran = world.run("plan")
    assert (ran.code, world.faults.writes) == (code, [])
    if code:
        assert re.search(r"would have \d{5} bytes, and SQS takes 8192", ran.json["error"]["message"])
        assert world.faults.operations == ["sts:GetCallerIdentity"]


# -- F. destroy and the queue ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["in flight", "delayed"])
def test_row_57_messages_that_cannot_be_received_just_now_count_too(world: World, kind: str) -> None:
    world.apply()
    sqs = world.client("sqs")
    sqs.send_message(QueueUrl=QUEUE, MessageBody="an alert", DelaySeconds=900 if kind == "delayed" else 0)
    if kind == "in flight":
        assert sqs.receive_message(QueueUrl=QUEUE)["Messages"]
    ran = world.run("destroy", "--yes")
    assert (ran.code, world.faults.writes) == (1, [])
    assert f"1 {kind}" in ran.json["error"]["message"]


@pytest.mark.parametrize("kind", ["waiting", "in flight", "delayed"])
def test_row_58_a_message_that_arrives_while_destroy_runs_keeps_queue_and_key(world: World, kind: str) -> None:
    world.apply()
    sqs, key = world.client("sqs"), key_id(world, "dlq")

    def arrives() -> None:
        sqs.send_message(QueueUrl=QUEUE, MessageBody="an alert", DelaySeconds=900 if kind == "delayed" else 0)
        if kind == "in flight":
            sqs.receive_message(QueueUrl=QUEUE)
        world.faults.time.sleep(10)  # a look of some seconds ago is not repeated

    in_the_middle(world, "events:RemoveTargets", arrives)
    ran = world.run("destroy", "--yes")
    world.faults.rule = calm
    assert ran.code == 1
    assert "holds messages, so it stays, and its key with it" in ran.json["error"]["message"]
    assert state_of_key(world, key) == "Enabled"
    assert sqs.get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"]


def test_row_59_a_key_goes_in_thirty_days_and_its_alias_before_it(world: World) -> None:
    world.apply()
    assert world.run("destroy", "--yes").code == 0
    order = world.faults.writes
    for _, params in (call for call in world.faults.calls if call[0] == "kms:ScheduleKeyDeletion"):
        assert params["PendingWindowInDays"] == 30
    schedules = [i for i, w in enumerate(order) if w == "kms:ScheduleKeyDeletion"]
    assert len(schedules) == 2
    assert order.index("kms:DeleteAlias") < schedules[0]
    assert order.index("sqs:DeleteQueue") < schedules[0]


def test_row_60_a_key_that_a_grant_lets_others_use_is_not_scheduled(world: World) -> None:
    world.apply()
    kms, key = world.client("kms"), key_id(world, "topic")
    who = "arn:aws:iam::123456789012:role/backup"
    kms.create_grant(KeyId=key, GranteePrincipal=who, Operations=["Decrypt"])
    ran = world.run("destroy", "--yes")
    assert ran.code == 1
    assert f"a grant for {who}" in ran.json["error"]["message"]
    assert state_of_key(world, key) == "Enabled"


def test_row_60_a_left_over_key_that_others_use_is_shown_and_stays(world: World) -> None:
    world.apply()
    kms, key = world.client("kms"), key_id(world, "topic")
    kms.create_alias(AliasName="alias/theirs", TargetKeyId=key)
    world.write(world.path.read_text() + "encryption: false\n")
    assert world.apply().code == 0
    assert state_of_key(world, key) == "Enabled"
    status = world.run("status")
    assert status.states() == {"TopicKey": "leftover"}
    assert "alias/theirs" in status.json["resources"][-1]["reason"]


def test_row_61_destroy_says_which_finding_scheduled_keys_raise(world: World) -> None:
    world.apply()
    ran = world.text("destroy")  # nobody can be asked, so nothing is done
    assert (ran.code, world.faults.writes) == (2, [])
    assert "KMS.3" in ran.out
    assert "CRITICAL" in ran.out


def test_row_63_a_pending_subscription_is_left_to_aws(world: World) -> None:
    world.apply()
    ran = world.run("destroy", "--yes")
    assert ran.code == 0
    assert "sns:Unsubscribe" not in world.faults.writes
    assert "secops@example.com is still pending: AWS drops it by itself" in ran.err


# -- G. two operators --------------------------------------------------------------------------------------------------


def test_row_71_the_loser_of_a_race_whose_reply_is_lost_gives_its_key_up_once(world: World) -> None:
    in_the_middle(
        world,
        "kms:CreateAlias",
        lambda: world.client("kms").create_alias(
            AliasName="alias/security-alerts-topic", TargetKeyId=surplus_key(world)
        ),
    )
    race = world.faults.rule
    lose = faults.on("kms:ScheduleKeyDeletion")(faults.lose_reply)
    world.faults.rule = lambda n, operation: race(n, operation) or lose(n, operation)
    ran = world.apply()
    world.faults.rule = calm
    assert ran.code in (0, 1), ran.err
    assert "pending deletion" not in ran.out
    assert world.apply().code == 0
    assert live_keys(world) == ["DlqKey", "TopicKey"]


# -- H. credentials, permissions, account ------------------------------------------------------------------------------


def test_row_75_credentials_that_end_at_any_call_stop_it_at_once_and_a_rerun_goes_on(world: World) -> None:
    world.apply()
    calls = len(world.faults.calls)
    for number in range(2, calls + 1, 3):
        with emptied(world):
            world.faults.rule = lambda n, _o, number=number: (  # type: ignore[misc]
                faults.refuse("ExpiredTokenException") if n >= number else None
            )
            ran = world.apply()
            world.faults.rule = calm
            assert "aws sso login" in ran.json["error"]["hint"], number
            assert ran.code == 1, number
            assert len(world.faults.calls) <= number + 16  # those that were under way; no one is tried again
            if world.faults.writes:
                assert "result" in ran.json["actions"][0], number
            assert world.apply().code == 0
            assert live_keys(world) == ["DlqKey", "TopicKey"]


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"])
def test_row_76_a_wrong_clock_is_told_with_both_times(world: World, code: str) -> None:
    def skewed(_call: Callable[[], Any], operation: str) -> Any:
        meta = {"HTTPStatusCode": 403, "HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}
        reply: Any = {"Error": {"Code": code, "Message": "Signature expired"}, "ResponseMetadata": meta}
        raise ClientError(reply, operation.partition(":")[2])

    world.faults.rule = always("sts:GetCallerIdentity", skewed)
    ran = world.run("plan")
    assert (ran.code, len(world.faults.calls)) == (1, 1)
    assert "AWS's says Thu, 01 Jan 2026 00:00:00 GMT, ours " in ran.json["error"]["hint"]


def test_row_77_aliases_or_grants_that_may_not_be_read_keep_the_keys(world: World) -> None:
    world.apply()
    for operation in ("kms:ListAliases", "kms:ListGrants"):
        world.faults.rule = always(operation, faults.refuse("AccessDeniedException"))
        ran = world.run("destroy", "--yes")
        assert (ran.code, world.faults.writes) == (1, [])
        assert operation in ran.json["error"]["message"]


@pytest.mark.parametrize("kind", ["service control policy", "permissions boundary", "resource-based policy"])
def test_row_78_an_explicit_deny_is_not_mended_by_a_permission(world: World, kind: str) -> None:
    text = f"User: x is not authorized to perform: kms:CreateKey with an explicit deny in a {kind}"
    world.faults.rule = always("kms:CreateKey", faults.refuse("AccessDeniedException", message=text))
    hint = world.apply().json["error"]["hint"]
    if "policy" in kind:
        assert f"a {kind} forbids it" in hint
    else:
        assert "allow kms:CreateKey" in hint


@pytest.mark.parametrize("status", [400, 403])
def test_row_78_every_write_that_is_not_allowed_names_the_action_and_the_thing(world: World, status: int) -> None:
    def told(operation: str, *command: str) -> None:
        world.faults.rule = always(operation, faults.refuse("AccessDeniedException", status))
        ran = world.run(*command)
        world.faults.rule = calm
        assert (ran.code, ran.json["error"]["operation"]) == (1, operation)
        assert f"allow {operation} for the caller" in ran.json["error"]["hint"]
        assert world.faults.operations.count(operation) <= 2  # two keys side by side, never a second try

    world.apply()
    creating = set(world.faults.writes)
    world.run("destroy", "--yes")
    removing = set(world.faults.writes)
    world.faults.time.sleep(100)
    assert len(creating | removing) > 12
    for operation in sorted(creating):
        with emptied(world):
            told(operation, "apply", "--yes")
            assert world.apply().code == 0
    for operation in sorted(removing):
        with emptied(world):
            world.apply()
            told(operation, "destroy", "--yes")
            assert world.run("destroy", "--yes").code == 0


SETTINGS: dict[str, tuple[dict[str, str], str, int, str]] = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "", 1, "no usable AWS credentials"),
    "half of them": ({"AWS_SECRET_ACCESS_KEY": ""}, "", 1, "no usable AWS credentials"),
    "a program that fails": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        "[default]\ncredential_process = false\n",
        1,
        "no usable AWS credentials",
    ),
    "a profile that is not there": ({"AWS_PROFILE": "gone"}, "", 1, "gone"),
    "its source is not there": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "a"},
        "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = gone\n",
        1,
        "AWS settings cannot be used",
    ),
    "a torn file": ({}, "[default\nfoo", 1, "AWS settings cannot be used"),
    "no endpoint": ({"AWS_ENDPOINT_URL": "not a url"}, "", 1, "AWS settings cannot be used"),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_row_79_credentials_and_settings_that_cannot_be_used(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    environment, text, code, says = SETTINGS[what]
    (tmp_path / "config").write_text(text)
    for name, value in ({"AWS_CONFIG_FILE": str(tmp_path / "config")} | environment).items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    began = time.monotonic()
    ran = bare("status")
    assert time.monotonic() - began < 10  # generous: two seconds where nothing else runs
    assert (ran.code, says in ran.json["error"]["message"]) == (code, True), ran.err
    assert "this is a bug" not in ran.err


def test_row_79_a_program_for_credentials_that_hangs_is_not_waited_for(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\ncredential_process = sleep 8\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    began = time.monotonic()
    ran = bare("status", "--timeout", "1")
    assert time.monotonic() - began < 6
    assert (ran.code, ran.json["error"]["code"]) == (1, "Timeout")


def test_row_79_a_role_that_may_not_be_taken_is_about_credentials(world: World) -> None:
    def refused(_call: Callable[[], Any], _operation: str) -> Any:
        reply: Any = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}}
        raise ClientError(reply, "AssumeRole")

    world.faults.rule = always("sts:GetCallerIdentity", refused)
    ran = world.run("status")
    assert (ran.code, len(world.faults.calls)) == (1, 1)
    assert "no usable AWS credentials" in ran.json["error"]["message"]
    assert "sts:AssumeRole" in ran.json["error"]["message"]


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired"])
def test_row_79_a_region_that_is_not_enabled_is_told(world: World, code: str) -> None:
    world.faults.rule = always("kms:DescribeKey", faults.refuse(code, 403))
    ran = world.run("plan")
    assert (ran.code, world.faults.writes) == (1, [])
    assert "a Region that is not enabled" in ran.json["error"]["hint"]


def test_row_80_the_region_comes_from_the_file_the_option_or_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = world.run("plan", "--region", "us-east-1")
    assert (ran.code, world.faults.calls) == (2, [])
    world.write(world.path.read_text().replace("region: eu-west-1\n", ""))
    assert world.run("plan").json["region"] == "eu-west-1"  # AWS_DEFAULT_REGION of the tests
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert world.run("plan").json["region"] == "eu-north-1"
    assert world.run("plan", "--region", "eu-west-3").json["region"] == "eu-west-3"
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    assert world.run("plan").code == 2


def test_row_80_a_region_that_is_none(bare: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "shnotify.yaml"
    path.write_text(path.read_text().replace("region: eu-west-1\n", ""))
    ran = bare("plan", "--region", "eu west")
    assert (ran.code, ran.json["error"]["message"]) == (
        2,
        "--region eu west: must be an AWS Region such as ap-northeast-1",
    )


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("InvalidAccessException", "Security Hub is not enabled in eu-west-1"),
        ("AccessDeniedException", "securityhub:DescribeHub is not allowed"),
        ("InternalException", ""),
    ],
)
def test_row_81_security_hub_that_is_off_is_only_a_warning(world: World, code: str, says: str) -> None:
    world.faults.rule = always("securityhub:DescribeHub", faults.refuse(code))
    ran = world.apply()
    assert ran.code == 0
    assert says in ran.err
    assert ("Security Hub" in ran.err) is bool(says)


QUOTAS = {
    "kms:CreateKey": ("LimitExceededException", 400),
    "kms:CreateAlias": ("LimitExceededException", 400),
    "sns:CreateTopic": ("TopicLimitExceeded", 403),
    "sns:Subscribe": ("SubscriptionLimitExceeded", 403),
    "sqs:CreateQueue": ("OverLimit", 403),
    "events:PutRule": ("LimitExceededException", 400),
    "events:PutTargets": ("LimitExceededException", 400),
}


@pytest.mark.parametrize("operation", QUOTAS)
def test_row_82_a_quota_is_told_as_one_and_not_tried_again(world: World, operation: str) -> None:
    world.faults.rule = always(operation, faults.refuse(*QUOTAS[operation]))
    ran = world.apply()
    assert ran.code == 1
    error = ran.json["error"]
    assert (error["operation"], error["code"]) == (operation, QUOTAS[operation][0])
    assert "a quota of the account is used up" in error["hint"]
    assert world.faults.operations.count(operation) <= 2  # two keys side by side
    world.faults.rule = calm
    assert world.apply().code == 0


# -- J. terminal and process -------------------------------------------------------------------------------------------

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NASTY = "\x1b]8;;http://evil\x07[/b][red] \r\x9b31m \u202egpj.exe \u200b \U000e0041"


@given(HOSTILE)
def test_row_94_no_text_holds_what_a_terminal_would_obey(text: str) -> None:
    made = clean(text)
    assert not FORBIDDEN.search(made)
    assert all(unicodedata.category(c) not in ("Cc", "Cs") or c in "\n\t" for c in made)


@pytest.mark.parametrize("command", [["status"], ["plan"], ["apply", "--yes"], ["destroy", "--yes"]])
def test_row_95_what_aws_says_cannot_steer_the_terminal(world: World, command: list[str]) -> None:
    world.apply()
    sns = world.client("sns")
    bidi = "\u202egpj.exe [/b]"  # the worst that the XML of SNS can carry
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue=bidi)
    sns.tag_resource(ResourceArn=TOPIC, Tags=[{"Key": "managed-by", "Value": bidi}])

    def listed(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        one = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": NASTY}
        return {**reply, "Subscriptions": [*reply["Subscriptions"], one]}

    lie = always("sns:ListSubscriptionsByTopic", listed)
    refused = always("sqs:GetQueueAttributes", faults.refuse(NASTY, message=NASTY))
    for rule in (lie, refused):
        world.faults.rule = rule
        shown = world.text(*command, "-v")
        assert not FORBIDDEN.search(shown.out + shown.err)
        assert "gpj.exe" in shown.out + shown.err or command[0] == "destroy"
        assert not FORBIDDEN.search(world.run(*command).out)


def test_row_95_what_aws_says_is_no_markup_of_the_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    written = io.StringIO()
    screen.err.file = written
    screen.err.console = Console(file=written, force_terminal=True, soft_wrap=True, width=200)
    monkeypatch.setenv("TERM", "xterm")
    with screen.progress() as report:
        report(Waiting("kms:CreateKey", "AWS said [/b]", 3.0))
        screen.say("aside")
    assert "aside" in written.getvalue()


@pytest.mark.parametrize("how", ["NO_COLOR", "TERM", "--no-color"])
def test_row_101_no_colour_means_no_control_sequence_at_all(env: Env, how: str) -> None:  # noqa: F811 the fixture
    plain = env | {"COLUMNS": "20"} | {"NO_COLOR": {"NO_COLOR": "1"}, "TERM": {"TERM": "dumb"}}.get(how, {})
    arguments = ["status", *([how] if how.startswith("--") else [])]
    found = b""
    with terminal(plain, *arguments) as (handle, process):
        with contextlib.suppress(OSError):
            while more := os.read(handle, 4096):
                found += more
        assert process.wait(timeout=30) == 3
    assert b"not in sync" in found
    assert b"\x1b" not in found


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"], ["destroy", "--yes"]])
def test_row_16_every_command_ends_in_time_where_nobody_answers(
    env: Env,  # noqa: F811 the fixture
    arguments: list[str],
) -> None:
    with black_hole() as url:
        began = time.monotonic()
        ran = run(env | {"AWS_ENDPOINT_URL": url}, *arguments, "--timeout", "1", "-o", "json")
        assert time.monotonic() - began < 8  # generous: the point is that it ends at all
    assert ran.returncode == 1
    error = json.loads(ran.stdout)["error"]
    assert (error["code"], error["operation"]) in (
        ("Timeout", "sts:GetCallerIdentity"),
        ("ReadTimeoutError", "sts:GetCallerIdentity"),
    )


def test_row_96_97_a_signal_that_python_drops_in_a_callback_of_its_own_comes_again() -> None:
    code = (
        "import os, signal, time, weakref\n"
        "from shnotify.terminal.signals import catch_signals\n"
        "class Thing: pass\n"
        "catch_signals()\n"
        "thing = Thing()\n"
        "watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))\n"
        "try:\n"
        "    del thing\n"
        "    time.sleep(20)\n"
        "except KeyboardInterrupt as error:\n"
        "    print(error.exit_code)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.stderr) == ("143\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_row_96_97_a_signal_at_any_call_is_told_in_one_document_and_the_next_run_goes_on(
    world: World, number: signal.Signals
) -> None:
    def interrupt(call: Callable[[], Any], _operation: str) -> Any:
        os.kill(os.getpid(), number)
        return call()

    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    hook = sys.unraisablehook
    try:
        catch_signals()
        for call in range(1, 37, 5):
            with emptied(world):
                world.faults.rule = faults.at(call)(interrupt)
                ran = world.apply()
                assert ran.code == 128 + number, call
                assert "interrupted" in ran.err
                assert "Traceback" not in ran.err
                if world.faults.writes:
                    assert "result" in ran.json["actions"][0], call
                else:
                    assert ran.json["error"]["message"] == "interrupted"
                world.faults.rule = calm
                assert world.apply().code == 0
                assert live_keys(world) == ["DlqKey", "TopicKey"]
    finally:
        sys.unraisablehook = hook
        for name, handler in before.items():
            signal.signal(name, handler)


def test_row_98_a_reader_that_is_gone_when_an_error_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "shnotify", "plan", "-c", str(tmp_path / "none.yaml"), "-o", "json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert ran.returncode == 2
    assert "none.yaml" in ran.stderr
    assert "Traceback" not in ran.stderr


RAW = SMALLEST + "    pattern: {source: [aws.securityhub], detail: {findings: {Title: [{wildcard: 'a*b*c*d*e'}]}}}\n"


def test_row_93_a_raw_pattern_that_eventbridge_refuses_is_told_before_any_write(world: World) -> None:
    """How complex a pattern may be, only EventBridge knows (EventBridge User Guide, wildcard matching)."""
    why = "Event pattern is not valid. Reason: Rule is too complex - try using fewer wildcard characters"
    world.write(RAW)
    world.faults.rule = faults.on("events:TestEventPattern", 9)(
        faults.refuse("InvalidEventPatternException", message=why)
    )
    for command in (["plan"], ["apply", "--yes"]):
        ran = world.run(*command)
        assert (ran.code, world.faults.writes) == (2, [])
        assert "route urgent" in ran.json["error"]["message"]
        assert "too complex" in ran.json["error"]["message"]


def test_row_93_a_raw_pattern_that_nobody_may_ask_about_is_left_to_put_rule(world: World) -> None:
    world.write(RAW)
    world.faults.rule = faults.on("events:TestEventPattern", 9)(faults.refuse("AccessDeniedException"))
    assert world.apply().code == 0
    assert "events:TestEventPattern" in world.faults.operations
    for command in (["plan"], ["apply", "--yes"], ["status"]):
        assert world.run(*command).code in (0, 4)
        assert "events:TestEventPattern" not in world.faults.operations  # nothing of it is to be written


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_table_has_every_row_and_names_tests_that_exist() -> None:
    here = Path(__file__).parents[1]
    table = (here.parent / "docs" / "fault-rows.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in table.splitlines() if re.match(r"\| [0-9]", line)]
    numbers = [
        n
        for row in rows
        for first, _, last in [row[0].removeprefix("| ").partition("-")]
        for n in range(int(first), int(last or first) + 1)
    ]
    assert numbers == list(range(1, 107))
    for file, name in re.findall(r"`([\w/]+)::(test_\w+)`", table):
        assert f"def {name}(" in (here / f"{file}.py").read_text(encoding="utf-8"), f"{file}::{name}"
    assert not re.findall(r"`(?:\w+/)?test_\w+`", table)
