"""Network, throttling and bad replies: rows 13-22."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ProxyConnectionError, ReadTimeoutError, SSLError

from shnotify.aws.gateway import elsewhere
from shnotify.resources.kinds import READS
from tests.conftest import Ran, World
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.faults import REGION
from tests.support.lifecycle import RULE, TOPIC, key_id
from tests.support.rows import CALLER, URL, always, answering, calm


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
