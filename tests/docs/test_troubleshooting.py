"""docs/troubleshooting.md: every output in it is printed by the command above it, on the stack that it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from shnotify import cli
from shnotify.engine.health import LINKS
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.findingstore import moment_text
from shnotify.sandbox.rows import LOCK
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import World
from tests.support.breakages import BOTH, ROOT, Stack, allow, answer, findings, policy
from tests.support.faults import REGION, on, refuse
from tests.support.lifecycle import ACCOUNT, TOPIC, key_id
from tests.support.shown import shown_in

TEXT = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- recorded: ([a-z-]+) -->\n```console\n\$ shnotify ([^\n]+)\n(.*?)```", re.DOTALL)
RECORDED = {name: (line, block) for name, line, block in BLOCK.findall(TEXT)}


def key_policy(world: World) -> None:
    world.apply()
    confirm_subscription("secops@example.com")
    world.client("kms").put_key_policy(KeyId=key_id(world, "topic"), PolicyName="default", Policy=policy(ROOT))


def nobody_clicked(world: World) -> None:
    world.apply()


def twice(world: World) -> None:
    Stack(world).made().doctor()
    events = world.client("events")
    events.put_rule(Name="old-alerts", EventPattern='{"source": ["aws.securityhub"]}')
    events.put_targets(Rule="old-alerts", Targets=[{"Id": "1", "Arn": TOPIC.replace("security-alerts-urgent", "old")}])


def no_data(world: World) -> None:
    Stack(world).made().doctor({"cloudwatch:GetMetricData": answer({"MetricDataResults": []})})


def denied(world: World) -> None:
    world.apply()
    confirm_subscription("secops@example.com")
    world.faults.rule = on("cloudwatch:GetMetricData", 99)(refuse("AccessDenied", 403, "not authorized"))


def somebody_elses(world: World) -> None:
    limited = allow(BOTH, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})
    key = world.client("kms").create_key(Policy=policy(ROOT, limited))["KeyMetadata"]["KeyId"]
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:lza-alerts"
    attributes = {"KmsMasterKeyId": key, "Policy": policy(allow("sns:Publish", arn))}
    world.client("sns").create_topic(Name="lza-alerts", Attributes=attributes)
    world.client("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    confirm_subscription("ops@example.com")
    world.client("events").put_rule(Name="lza-high", EventPattern=json.dumps(findings()))
    world.client("events").put_targets(Rule="lza-high", Targets=[{"Id": "1", "Arn": arn}])


def arrived(severity: str, name: str) -> None:
    moment = moment_text()
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": name,
        "ProductArn": f"arn:aws:securityhub:{REGION}::product/aws/securityhub",
        "GeneratorId": "security-control/S3.2",
        "AwsAccountId": ACCOUNT,
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "Title": "S3 open",
        "Description": "A bucket.",
        "Severity": {"Label": severity},
        "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b"}],
    }
    with LOCK:
        arrive(ACCOUNT, REGION, finding)


def not_mailed(world: World) -> None:
    world.apply()
    confirm_subscription("secops@example.com")
    arrived("LOW", "low-1")


def tried(world: World) -> None:
    world.apply()
    confirm_subscription("secops@example.com")


def piled_up(world: World) -> None:
    key_policy(world)
    arrived("CRITICAL", "real-1")


STACKS: dict[str, Callable[[World], None]] = {
    "key-policy": key_policy,
    "nobody-clicked": nobody_clicked,
    "somebody-elses": somebody_elses,
    "twice": twice,
    "no-data": no_data,
    "denied": denied,
    "not-mailed": not_mailed,
    "tried": tried,
    "piled-up": piled_up,
    "who": nobody_clicked,
}


@pytest.mark.parametrize("name", STACKS)
def test_what_it_shows_is_what_is_printed(world: World, name: str) -> None:
    line, block = RECORDED[name]
    STACKS[name](world)
    ran = world.text(*line.split())
    shown_in(block, re.sub(r"key/[0-9a-f-]{36}", "key/1234abcd", ran.out))


def test_every_recorded_output_has_its_stack() -> None:
    assert set(RECORDED) == set(STACKS)
    assert TEXT.count("```console") == len(RECORDED) + len(LINKS)  # of which test_links.py has one each


def test_its_commands_and_options_exist() -> None:
    written = "\n".join(line for line in TEXT.splitlines() if "mend:" not in line)
    for name, options in re.findall(r"shnotify ([a-z]+)((?: --?[a-z-]+(?: [A-Z]+)?)*)", written):
        assert name in cli.COMMANDS, name
        helped = CliRunner().invoke(cli.cli, [name, "--help"]).output
        assert all(option in helped for option in re.findall(r"--[a-z-]+", options))
