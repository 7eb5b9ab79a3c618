"""What `init` finds in AWS, suggests from it and takes over; and that it never needs any of it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from shnotify.aws.gateway import Aws
from shnotify.config.load import load
from shnotify.notifier.needs import INIT
from shnotify.notifier.prospects import HubRegion, Hubs
from shnotify.resources.kinds import READS
from shnotify.terminal.screen import Screen
from tests.conftest import World
from tests.support.faults import REGION, refuse

SECOPS = ("--force", "--email", "secops@example.com")
HERE = (REGION, "us-east-1", "ap-northeast-1")
FINDINGS = {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"]}
ACCOUNT = "123456789012"
denied = refuse("AccessDeniedException", 403)


@pytest.fixture(autouse=True)
def _three_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aws, "regions_of", lambda _aws, _service: HERE)


def made_by_hand(world: World) -> str:
    """The guide's chain with names of its own; returns its key's ARN."""
    key = world.client("kms").create_key()["KeyMetadata"]
    world.client("kms").create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    topic = world.client("sns").create_topic(Name="AAAAAA", Attributes={"KmsMasterKeyId": "alias/mine"})
    world.client("sqs").create_queue(QueueName="YYYYYY", Attributes={"KmsMasterKeyId": key["Arn"]})
    events = world.client("events")
    events.put_rule(Name="BBBBB", EventPattern=json.dumps(FINDINGS))
    events.put_rule(Name="other", EventPattern='{"source":["aws.s3"]}')
    dead = {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:YYYYYY"}
    target = {"Id": "x", "Arn": topic["TopicArn"], "DeadLetterConfig": dead}
    events.put_targets(Rule="BBBBB", Targets=[target])
    return str(key["Arn"])


def test_it_finds_what_is_there_names_it_and_ends_with_the_plan(world: World) -> None:
    key = made_by_hand(world)
    hub = world.faults.client("securityhub", "ap-northeast-1")
    hub.create_finding_aggregator(RegionLinkingMode="ALL_REGIONS")
    world.faults.client("securityhub", "us-east-1").disable_security_hub()
    ran = world.run("init", *SECOPS, "--region", REGION)
    found = ran.json["found"]
    assert {one["region"]: one["cspm"] for one in found["regions"]} == dict(zip(HERE, (True, False, True), strict=True))
    assert (found["home"], found["account"], found["needs"]) == ("ap-northeast-1", ACCOUNT, [])
    chain = {"rule": "BBBBB", "topic": "AAAAAA", "queue": "YYYYYY", "topic_key": key, "dlq_key": key}
    assert found["rules"] == [chain]
    assert (found["topics"], found["keys"]) == (["AAAAAA"], [{"alias": "alias/mine", "arn": key}])
    assert (ran.json["plan"]["summary"]["create"], ran.json["plan"]["error"]) == (7, None)
    assert {operation for operation, _ in world.faults.calls} <= READS | INIT
    assert "Security Hub is on in ap-northeast-1 (home Region), eu-west-1" in ran.err
    assert "`--rule BBBBB` takes it over" in ran.err
    assert load(world.path).region == REGION
    text = world.text("init", *SECOPS)
    assert text.out.startswith(f"Wrote {world.path}.\n")
    assert "Plan for security-alerts in account 123456789012, ap-northeast-1" in text.out
    assert text.out.endswith("Next: `shnotify apply`.\n")
    assert (load(world.path).region, load(world.path).account) == ("ap-northeast-1", ACCOUNT)


def test_what_somebody_made_is_taken_over_with_its_keys(world: World) -> None:
    key = made_by_hand(world)
    plan = world.run("init", *SECOPS, "--rule", "BBBBB").json["plan"]
    assert {one["name"]: one["action"] for one in plan["actions"] if one["action"] == "adopt"} == {
        "YYYYYY": "adopt",
        "AAAAAA": "adopt",
        "BBBBB": "adopt",
    }
    config = load(world.path)
    assert config.encryption
    assert [getattr(one, "arn", "") for one in (config.encryption.topic_key, config.encryption.dlq_key)] == [key, key]
    assert (config.routes[0].topic.name, config.routes[0].rule.name) == ("AAAAAA", "BBBBB")
    assert world.text("init", *SECOPS, "--topic", "AAAAAA").out.endswith("Next: `shnotify apply --adopt`.\n")
    assert world.run("init", *SECOPS, "--topic-key", "alias/mine").code == 0
    assert f'topic_key: {{arn: "{key}"}}' in world.path.read_text("utf-8")
    for wrong, said in (
        (("--topic-key", "alias/none"), "there is no alias/none"),
        (("--full", "--rule", "x"), "--rule"),
    ):
        ran = world.run("init", *SECOPS, *wrong)
        assert (ran.code, said in ran.json["error"]["message"]) == (2, True)
        assert f'topic_key: {{arn: "{key}"}}' in world.path.read_text("utf-8")


def test_a_person_is_offered_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made_by_hand(world)
    monkeypatch.setattr(Screen, "can_ask", property(lambda screen: not screen.json))
    typed = "\nsecops@example.com\n\n\nother\nBBBBB\nlambda\nja\n\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    ran = world.text("init", "--force")
    assert "AWS Region (none: AWS_REGION, or the profile's) [eu-west-1]:" in ran.err
    assert f"[{ACCOUNT}]:" in ran.err
    assert "  must be none, or one of BBBBB\n" in ran.err
    assert ran.code == 0
    config = load(world.path)
    assert (config.routes[0].message.format, config.routes[0].message.language) == ("lambda", "ja")
    assert (config.routes[0].rule.name, config.watchdog) == ("BBBBB", None)
    assert key in world.path.read_text("utf-8")  # nobody was asked for keys that the chain has
    assert "Plan: " in ran.out
    monkeypatch.setattr("sys.stdin", io.StringIO("\na@b.co\n\n\nnone\nalias/mine\n\n\n\n\n"))
    assert world.text("init", "--force").code == 0
    config = load(world.path)
    assert config.encryption
    assert [hasattr(one, "arn") for one in (config.encryption.topic_key, config.encryption.dlq_key)] == [True, False]


def test_who_may_ask_nothing_gets_the_file_all_the_same(world: World) -> None:
    asked = INIT | READS - {"sts:GetCallerIdentity"}
    world.faults.rule = lambda _n, operation: denied if operation in asked else None
    ran = world.run("init", *SECOPS)
    assert ran.code == 0
    assert "securityhub:DescribeHub" in ran.json["found"]["needs"]
    assert "kms:ListAliases" in ran.json["found"]["needs"]
    assert {one["cspm"] for one in ran.json["found"]["regions"]} == {None}
    assert ran.json["region"] is None
    assert load(world.path).account == ACCOUNT
    world.faults.rule = lambda _n, operation: denied
    ran = world.run("init", *SECOPS)
    assert (ran.code, ran.json["found"], ran.json["plan"]) == (0, None, None)
    assert "GetCallerIdentity" in ran.json["not_asked"]


def test_a_plan_that_cannot_be_made_leaves_the_file(world: World) -> None:
    ran = world.text("init", *SECOPS, "--account", "210987654321")
    assert (ran.code, "there is no plan yet: these credentials are for account" in ran.err) == (0, True)
    assert load(world.path).account == "210987654321"
    assert ran.out.endswith("Next: `shnotify plan`.\n")


@pytest.mark.parametrize(
    ("regions", "home", "here", "suggested"),
    [
        ([("a", True, None), ("b", True, None)], "b", "a", "b"),
        ([("a", True, None), ("b", True, None)], "", "b", "b"),
        ([("a", True, None), ("b", True, None)], "", "c", ""),
        ([("a", False, True), ("b", False, None)], "", "b", "a"),
        ([("a", None, None)], "", "a", ""),
    ],
)
def test_the_region_that_is_suggested(regions: Any, home: str, here: str, suggested: str) -> None:
    assert Hubs(tuple(HubRegion(*one) for one in regions), home).suggested(here) == suggested


def test_the_new_security_hub_alone_is_its_source() -> None:
    hubs = Hubs((HubRegion("a", False, True), HubRegion("b", None, True), HubRegion("c", True, True)))
    assert [hubs.source(region) for region in ("a", "b", "c", "d")] == ["hub", "", "", ""]
