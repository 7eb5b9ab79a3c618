"""`iam-policy`: one document, and under an emulator that enforces IAM exactly enough."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import moto.core.authorization
import pytest

from shnotify.notifier.needs import BACKLOG
from shnotify.resources.kinds import READS
from tests.conftest import World
from tests.support.crashes import emptied
from tests.support.faults import REGION

ACCOUNT = "123456789012"


def policy(world: World, command: str) -> dict[str, Any]:
    ran = world.run("iam-policy", "--for", command, "--account", ACCOUNT)
    assert ran.code == 0
    found: dict[str, Any] = ran.json["policy"]
    return found


def test_it_prints_the_policy_itself(world: World) -> None:
    ran = world.text("iam-policy", "--for", "status", "--account", ACCOUNT)
    assert json.loads(ran.out) == policy(world, "status")
    assert ran.err == ""
    assert world.faults.calls == []


def test_json_has_the_head_of_every_document(world: World) -> None:
    found = world.run("iam-policy", "--for", "all", "--account", ACCOUNT).json
    assert list(found) == ["name", "account", "region", "policy", "policies", "error"]
    assert found["policies"] == [found["policy"]]


def test_an_account_that_nobody_names_is_a_star_and_is_said(world: World) -> None:
    ran = world.text("iam-policy", "--for", "status")
    assert "neither the file nor --account names the account" in ran.err
    assert f"arn:aws:sns:{REGION}:*:security-alerts-urgent" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--account", "1"), "twelve digits"),
        (("--region", "us-east-1"), "they must agree"),
        (("--part", "2"), "there is no part 2"),
    ],
)
def test_what_is_wrong_is_said(world: World, arguments: tuple[str, ...], says: str) -> None:
    ran = world.run("iam-policy", "--for", "status", *arguments)
    assert (ran.code, says in ran.json["error"]["message"]) == (2, True)


def test_a_long_policy_is_printed_in_parts(world: World) -> None:
    routes = "".join(f"  - name: route-{n}\n    subscribers: [secops@example.com]\n" for n in range(40))
    world.write(f"name: alerts\nregion: {REGION}\naccount: '{ACCOUNT}'\nroutes:\n{routes}")
    whole = world.text("iam-policy", "--for", "all")
    assert "--part 1 to --part" in whole.err
    parts = [json.loads(world.text("iam-policy", "--for", "all", "--part", n).out) for n in ("1", "2")]
    assert world.run("iam-policy", "--for", "all").json["policies"][:2] == parts


# -- under an emulator that enforces IAM ---------------------------------------------------------------------------


def enforceable(document: dict[str, Any], without: str = "") -> str:
    """The policy as moto can judge it: it knows the operation, and no resource and no condition."""
    actions = {action for statement in document["Statement"] for action in statement["Action"]} - {without}
    signed = {action.replace("tag:", "tagging:", 1) if action.startswith("tag:") else action for action in actions}
    statement = {"Effect": "Allow", "Action": sorted(signed), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def as_user(world: World, document: str) -> Iterator[None]:
    """Every call of shnotify is made by a user who has this policy alone."""
    iam = boto3.client("iam", region_name=REGION)
    iam.create_user(UserName="caller")
    iam.put_user_policy(UserName="caller", PolicyName="least", PolicyDocument=document)
    made = iam.create_access_key(UserName="caller")["AccessKey"]
    session = boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], region_name=REGION)
    clients: dict[str, Any] = {}

    def client(service: str, *_: object) -> Any:
        if service not in clients:
            clients[service] = session.client(service)  # type: ignore[call-overload]
        return clients[service]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.faults, "client", client)
        patch.setattr(moto.core.authorization.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
        patch.setattr(moto.core.authorization.ActionAuthenticatorMixin, "request_count", 0)
        yield


STEPS = {"apply": ("apply", "--yes"), "status": ("status",), "destroy": ("destroy", "--yes")}


@pytest.fixture
def lived(world: World) -> Callable[[str, str], tuple[int, str, set[str]]]:
    """Runs one command in the state it is for; returns exit code, all it said, and the operations it called."""

    def run(command: str, without: str = "") -> tuple[int, str, set[str]]:
        document = enforceable(policy(world, command), without)
        with emptied(world):
            if command != "apply":
                assert world.apply().code == 0
            with as_user(world, document):
                ran = world.run(*STEPS[command])
        return ran.code, ran.out + ran.err, set(world.faults.operations)

    return run


@pytest.mark.parametrize("command", STEPS)
def test_the_policy_is_enough(lived: Any, command: str) -> None:
    code, said, _ = lived(command)
    assert code in (0, 4), said
    assert "AccessDenied" not in said


SAMPLE = ["kms:CreateKey", "events:PutTargets", "sns:GetTopicAttributes", "tag:GetResources", "sqs:DeleteQueue"]


def check(lived: Any, command: str, action: str, whole: tuple[int, str, set[str]]) -> None:
    """A write that is missing stops the command; a read is named too, unless nothing hung on its answer."""
    code, said, _ = lived(command, action)
    if action not in whole[2] or action == "sts:GetCallerIdentity":  # always allowed (API_GetCallerIdentity)
        assert code == whole[0], (command, action, said)
    elif action in READS | BACKLOG:  # the backlog is counted beside the writes, and its refusal is a warning
        assert action in said or code == whole[0], (command, action)
    else:
        assert action in said, (command, action)
        assert code == 1, (command, action)


@pytest.mark.parametrize("action", SAMPLE)
@pytest.mark.parametrize("command", STEPS)
def test_without_an_action_exactly_who_needs_it_fails_and_names_it(lived: Any, command: str, action: str) -> None:
    check(lived, command, action, lived(command))


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("service", ["events", "kms", "securityhub", "sns", "sqs", "sts", "tag"])
@pytest.mark.parametrize("command", STEPS)
def test_each_action_in_turn(
    world: World, lived: Any, command: str, service: str, cases: Callable[[int], None]
) -> None:
    document = policy(world, "all")
    actions = sorted({action for statement in document["Statement"] for action in statement["Action"]})
    whole, chosen = lived(command), [action for action in actions if action.startswith(f"{service}:")]
    for action in chosen:
        check(lived, command, action, whole)
    cases(len(chosen))


def test_the_sweep_leaves_no_service_out(world: World) -> None:
    document = policy(world, "all")
    services = {action.partition(":")[0] for one in document["Statement"] for action in one["Action"]}
    swept = {"events", "kms", "securityhub", "sns", "sqs", "sts", "tag"}
    assert services - swept == {"cloudtrail", "cloudwatch"}  # which none of the three commands calls
