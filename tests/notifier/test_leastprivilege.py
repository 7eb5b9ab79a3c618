"""The policy for who runs a command, against the Service Authorization Reference as policy-sentry holds it."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_sentry.querying.actions import get_action_data

from shnotify.arns import Scope
from shnotify.config.load import completed
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse
from shnotify.notifier.leastprivilege import MAX_CHARACTERS, characters, divided, policy_for
from shnotify.notifier.needs import COMMANDS

SCOPE = Scope("aws", "eu-west-1", "123456789012")
EXISTING = "arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"


def config(more: str = "", routes: str = "  - name: urgent\n    subscribers: [secops@example.com]\n") -> Config:
    return completed(parse(f"name: alerts\nregion: eu-west-1\n{more}routes:\n{routes}"))


OF_NO_ACCOUNT = ("arn:aws:iam::*:policy/*", "arn:aws:cloudformation:eu-west-1::type/resource/*")
LAMBDA = "  - name: urgent\n    source: both\n    message: {format: lambda}\n    subscribers: [secops@example.com]\n"
FILES = {
    "plain": config(),
    "lambda": config(routes=LAMBDA),
    "folding": config(routes=LAMBDA.replace("format: lambda", "format: lambda, fold: {}")),
    "existing keys": config(f"encryption: {{topic_key: {{arn: '{EXISTING}'}}, dlq_key: {{arn: '{EXISTING}'}}}}\n"),
    "no keys": config("encryption: false\n"),
    "rollout": config("rollout: {accounts: ['111122223333'], regions: [eu-west-1]}\n"),
    "watchdog": config("watchdog: {subscribers: [oncall@example.com]}\n", LAMBDA),
    "hub": config(routes="  - name: urgent\n    source: hub\n    subscribers: [secops@example.com]\n"),
}


def statements(policy: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def actions(policy: dict[str, Any]) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def documented(action: str) -> list[str]:
    """The ARN formats that an action takes; `*` alone when it takes none."""
    service, _, name = action.partition(":")
    data = get_action_data(service, name)
    assert data, f"{action} is no action of AWS"
    return [row["resource_arn_format"] for row in data[service]]


@pytest.mark.parametrize("command", [*COMMANDS, "all"])
@pytest.mark.parametrize("file", FILES)
def test_every_action_exists_and_has_arns_wherever_aws_allows(file: str, command: str) -> None:
    for statement in policy_for(FILES[file], SCOPE, command)["Statement"]:
        for action in statement["Action"]:
            formats = documented(action)
            if formats == ["*"]:
                assert statement["Resource"] == ["*"], action
                continue
            patterns = [re.sub(r"\$\{\w+\}", "*", form) for form in formats if form != "*"]
            for arn in statement["Resource"]:
                assert arn != "*", action
                assert ":123456789012:" in arn or arn in OF_NO_ACCOUNT, arn
            # A statement's ARNs are of all its actions; each action finds its own kinds among them.
            every = [each for arn in statement["Resource"] for each in (arn, arn.removesuffix(":*"))]
            assert any(fnmatch.fnmatchcase(arn, pattern) for arn in every for pattern in patterns), action


@pytest.mark.parametrize("command", COMMANDS)
def test_condition_keys_exist(command: str) -> None:
    for statement in policy_for(FILES["folding"], SCOPE, command)["Statement"]:
        keys = {key for test in statement.get("Condition", {}).values() for key in test}
        for action in statement["Action"] if keys else ():
            service, _, name = action.partition(":")
            rows = get_action_data(service, name)
            assert rows
            known = {key for row in rows[service] for key in row["condition_keys"]}
            known |= {"aws:ResourceTag/${TagKey}"} if service == "kms" else set()
            for key in keys:
                assert {re.sub(r"/.*", "", one) for one in known} >= {re.sub(r"/.*", "", key)}, (action, key)


def test_what_a_file_does_not_use_costs_no_permission() -> None:
    for command in COMMANDS:
        found = actions(policy_for(FILES["plain"], SCOPE, command))
        found -= {"lambda:ListEventSourceMappings"}  # doctor asks what takes from the queue of somebody's rule
        assert not {action for action in found if action.startswith(("iam:", "lambda:", "logs:", "scheduler:"))}
        about_alarms = {action for action in found if action.startswith("cloudwatch:")}
        assert about_alarms <= {"cloudwatch:GetMetricData", "cloudwatch:DescribeAlarmsForMetric"}  # of anybody's
    for command in COMMANDS:
        found = actions(policy_for(FILES["lambda"], SCOPE, command))
        assert not {action for action in found if action.startswith("scheduler:")}
        assert not found & {"cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"}
    kept = actions(policy_for(FILES["existing keys"], SCOPE, "all"))
    assert not {"kms:CreateKey", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:CreateAlias"} & kept
    assert "kms:Decrypt" not in actions(policy_for(FILES["no keys"], SCOPE, "all"))


def test_only_a_file_that_folds_needs_event_source_mappings() -> None:
    needed = {f"lambda:{verb}EventSourceMapping" for verb in ("Create", "Get", "Update", "Delete")}
    assert needed <= actions(policy_for(FILES["folding"], SCOPE, "all"))
    others = {one for one in actions(policy_for(FILES["lambda"], SCOPE, "all")) if "EventSourceMapping" in one}
    assert others == {"lambda:ListEventSourceMappings"}  # doctor's, of other people's queues


def test_keys_of_others_can_be_used_and_not_changed() -> None:
    found = statements(policy_for(FILES["existing keys"], SCOPE, "all"))
    assert found["OthersKeys"]["Resource"] == [EXISTING]
    assert set(found["OthersKeys"]["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_only_keys_that_carry_the_tag_are_changed() -> None:
    found = statements(policy_for(FILES["plain"], SCOPE, "all"))
    assert found["OurKeys"]["Condition"] == {"StringEquals": {"aws:ResourceTag/shnotify:name": "alerts"}}
    assert {"kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:Decrypt"} <= set(found["OurKeys"]["Action"])
    assert found["NewKeys"]["Condition"] == {"StringEquals": {"aws:RequestTag/shnotify:name": "alerts"}}
    assert found["Aliases"]["Resource"] == [
        "arn:aws:kms:eu-west-1:123456789012:alias/alerts-topic",
        "arn:aws:kms:eu-west-1:123456789012:alias/alerts-dlq",
    ]


def test_the_update_of_v2_writes_the_status_and_never_the_severity() -> None:
    found = statements(policy_for(FILES["hub"], SCOPE, "baseline"))
    assert found["StatusV2"]["Resource"] == ["arn:aws:securityhub:eu-west-1:123456789012:hubv2/*"]
    assert found["StatusV2"]["Condition"] == {
        "Null": {
            "securityhub:OCSFSyntaxPath/StatusId": "false",
            "securityhub:OCSFSyntaxPath/SeverityId": "true",
        }
    }
    assert "Status" not in found


def test_status_changes_nothing() -> None:
    for action in actions(policy_for(FILES["lambda"], SCOPE, "status")):
        name = action.partition(":")[2]
        assert name.startswith(("Get", "List", "Describe", "TestEventPattern")), action


ROUTES = "".join(f"  - name: route-{n}\n    subscribers: [secops@example.com]\n" for n in range(40))


def test_a_long_policy_is_divided() -> None:
    whole = policy_for(config(routes=ROUTES), SCOPE, "all")
    parts = divided(whole)
    assert characters(whole) > MAX_CHARACTERS
    assert len(parts) > 1
    assert all(characters(part) <= MAX_CHARACTERS for part in parts)
    assert granted(parts) == granted([whole])


def granted(policies: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """(action, resource, condition) of every statement."""
    return {
        (action, arn, repr(statement.get("Condition")))
        for policy in policies
        for statement in policy["Statement"]
        for action in statement["Action"]
        for arn in statement["Resource"]
    }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(["sns:Publish", "sqs:ReceiveMessage", "kms:Decrypt"]), min_size=1, unique=True),
            st.lists(st.integers(0, 99), min_size=1, max_size=30, unique=True),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_divided_grants_the_same(pieces: list[tuple[list[str], list[int]]]) -> None:
    listed = [
        {"Sid": f"S{n}", "Effect": "Allow", "Action": acts, "Resource": [f"arn:aws:sns:::{i}" for i in ids]}
        for n, (acts, ids) in enumerate(pieces)
    ]
    whole = {"Version": "2012-10-17", "Statement": listed}
    parts = divided(whole, 400)
    assert granted(parts) == granted([whole])
    assert all(characters(part) <= 400 for part in parts)
    assert all(len({s["Sid"] for s in part["Statement"]}) == len(part["Statement"]) for part in parts)
