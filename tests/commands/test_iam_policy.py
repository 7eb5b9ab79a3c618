"""`iam-policy`: one document, and under an emulator that enforces IAM exactly enough."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import moto.core.authorization
import pytest

from shnotify.notifier.needs import PLAN
from shnotify.resources.kinds import READS
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import SMALLEST, World
from tests.support.crashes import FOLDED, WATCHDOG, emptied
from tests.support.faults import REGION
from tests.support.samples import sample

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


FINDING = sample("cspm-control-s3")["detail"]["findings"][0] | {"AwsAccountId": ACCOUNT}


def enforceable(document: dict[str, Any], without: str = "") -> str:
    """The policy as moto can judge it: it knows the operation, and no resource and no condition."""
    actions = {action for statement in document["Statement"] for action in statement["Action"]} - {without}
    known = {"tag": "tagging", "cloudwatch": "monitoring"}  # moto judges by the name that signs
    parts = (action.split(":") for action in actions)
    signed = {f"{known.get(service, service)}:{name}" for service, name in parts}
    statement = {"Effect": "Allow", "Action": sorted(signed), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def as_user(world: World, document: str) -> Iterator[None]:
    """Every call of shnotify is made by a user who has this policy alone."""
    iam = boto3.client("iam", region_name=REGION)
    name = f"caller-{len(iam.list_users()['Users'])}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="least", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
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
OTHERS = {
    "plan": ("plan",),
    "doctor": ("doctor",),
    "estimate": ("estimate",),
    "baseline": ("baseline", "--yes"),
    "dlq": ("dlq", "list"),
    "why": ("why", FINDING["Id"]),
    "test": ("test", "--yes"),
    "subscriptions": ("subscriptions", "list"),
}
WRITES = {"securityhub:BatchImportFindings", "securityhub:BatchUpdateFindings"}
"""What the other commands write. Without a read they say what they cannot tell."""
ALL_KINDS = FOLDED + WATCHDOG


@pytest.fixture
def lived(world: World) -> Callable[[str, str], tuple[int, str, set[str]]]:
    """Runs one command in the state it is for; returns exit code, all it said, and the operations it called."""

    def run(command: str, without: str = "", file: str = SMALLEST) -> tuple[int, str, set[str]]:
        world.write(file)
        document = enforceable(policy(world, command), without)
        with emptied(world):
            world.write(file)
            if command != "apply":
                assert world.apply().code == 0
            if command in OTHERS:
                confirm_subscription("secops@example.com")
                arrive(ACCOUNT, REGION, FINDING)
            with as_user(world, document):
                ran = world.run(*{**STEPS, **OTHERS}[command])
        return ran.code, ran.out + ran.err, set(world.faults.operations)

    return run


def test_the_policies_of_the_other_commands_are_enough(world: World) -> None:
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    arrive(ACCOUNT, REGION, FINDING)
    for command, arguments in OTHERS.items():
        with as_user(world, enforceable(policy(world, command))):
            ran = world.run(*arguments)
        assert ran.code in (0, 4), (command, ran.out, ran.err)
        assert "AccessDenied" not in ran.out + ran.err, command


@pytest.mark.parametrize("command", STEPS)
def test_the_policy_is_enough(lived: Any, command: str) -> None:
    code, said, _ = lived(command)
    assert code in (0, 4), said
    assert "AccessDenied" not in said


SAMPLE = {
    "apply": ("kms:CreateKey", "events:PutTargets", "sns:GetTopicAttributes"),
    "status": ("sns:GetTopicAttributes", "tag:GetResources", "kms:CreateKey"),
    "destroy": ("sqs:DeleteQueue", "tag:GetResources", "events:PutTargets"),
}
"""The last of each is another command's, or a read."""


def check(lived: Any, command: str, action: str, whole: tuple[int, str, set[str]], file: str = SMALLEST) -> None:
    """A write that is missing stops the command; a read is named too, unless nothing hung on its answer."""
    code, said, _ = lived(command, action, file)
    if action not in whole[2] or action == "sts:GetCallerIdentity":  # always allowed (API_GetCallerIdentity)
        assert code == whole[0], (command, action, said)
    elif action in READS | PLAN or (command in OTHERS and action not in WRITES):
        assert action in said or code == whole[0], (command, action)
    else:
        assert action in said, (command, action)
        assert code == (4 if command == "test" else 1), (command, action)  # a hop of `test` failed


@pytest.mark.parametrize("command", STEPS)
def test_without_an_action_exactly_who_needs_it_fails_and_names_it(lived: Any, command: str) -> None:
    whole = lived(command)
    for action in SAMPLE[command]:
        check(lived, command, action, whole)


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


OF_ALL_KINDS = {"cloudwatch", "iam", "lambda", "logs", "scheduler"}


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", STEPS)
def test_each_action_of_the_other_kinds_in_turn(
    world: World, lived: Any, command: str, cases: Callable[[int], None]
) -> None:
    whole = lived(command, "", ALL_KINDS)
    document = policy(world, command)
    actions = sorted({action for statement in document["Statement"] for action in statement["Action"]})
    chosen = [action for action in actions if action.partition(":")[0] in OF_ALL_KINDS]
    for action in chosen:
        check(lived, command, action, whole, ALL_KINDS)
    cases(len(chosen))


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", OTHERS)
def test_each_action_of_the_other_commands_in_turn(
    world: World, lived: Any, command: str, cases: Callable[[int], None]
) -> None:
    """Of these only `baseline` and `test` write; a missing read is said, or nothing hung on it."""
    whole = lived(command)
    own = sorted(whole[2])
    for action in own:
        check(lived, command, action, whole)
    cases(len(own))


def test_the_sweep_leaves_no_service_out(world: World) -> None:
    world.write(ALL_KINDS)
    document = policy(world, "all")
    services = {action.partition(":")[0] for one in document["Statement"] for action in one["Action"]}
    swept = {"events", "kms", "securityhub", "sns", "sqs", "sts", "tag"} | OF_ALL_KINDS
    assert services - swept == {"cloudtrail"}  # which only the other commands call
