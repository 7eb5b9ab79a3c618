"""Under an emulator that enforces IAM, the policy of `iam-policy --for` is enough for every command that calls AWS, and
without one of its actions exactly the commands that need the action fail, and name it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import moto.core.authorization
import moto.iam.access_control
import pytest
from botocore.credentials import Credentials
from botocore.session import get_session

from shnotify.arns import Scope
from shnotify.aws.gateway import Aws
from shnotify.aws.operations import action_of
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.export.rollout import READS as ROLLOUT_READS
from shnotify.notifier.leastprivilege import policy_for
from shnotify.notifier.needs import ALSO, COMMANDS, DLQ_OPERATIONS, ESTIMATE, INIT
from shnotify.resources.kinds import READS
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.subscriptions import confirm_subscription, pending_subscriptions
from tests.conftest import SMALLEST, Cases, World
from tests.support.backlog import ocsf
from tests.support.crashes import FOLDED, WATCHDOG, emptied
from tests.support.deadletters import event, from_formatter, from_rule, put
from tests.support.faults import REGION, gateway
from tests.support.lambda_mode import LAMBDA
from tests.support.samples import sample

ACCOUNT = "123456789012"
FINDING = sample("cspm-control-s3")["detail"]["findings"][0] | {"AwsAccountId": ACCOUNT}
WHO = "secops@example.com"
HUB = SMALLEST + "    source: hub\n"
ALL_KINDS = FOLDED + WATCHDOG
ROLLOUT = SMALLEST + "rollout: {accounts: ['111111111111'], regions: [eu-west-1]}\n"
STRANGER = "stranger@example.com"

Arguments = tuple[str, ...]
"""What follows the command's name."""


def nothing(_: World) -> Arguments:
    return ()


def applied(world: World) -> Arguments:
    assert world.apply().code == 0
    return ()


def mailing(world: World) -> Arguments:
    """A subscriber has confirmed, and there is one finding."""
    applied(world)
    confirm_subscription(WHO)
    arrive(ACCOUNT, REGION, FINDING)
    return ()


def marked(world: World) -> Arguments:
    mailing(world)
    assert world.run("baseline", "--yes").json["done"] == 1
    return ()


def of_the_new_hub(world: World) -> Arguments:
    mailing(world)
    arrive(ACCOUNT, REGION, ocsf(1))
    return ()


def lost(world: World) -> Arguments:
    """Two messages wait in the dead-letter queue."""
    mailing(world)
    return tuple(put(world, from_rule(1), from_formatter(2)))[:1]


def lost_twice(world: World) -> Arguments:
    lost(world)
    return ()


def lost_by_the_formatter(world: World) -> Arguments:
    """The message is of a finding that is there, so that it can be marked."""
    mailing(world)
    told = from_rule()[1]
    put(world, (json.dumps(event(**FINDING)), told))
    return ()


def exported(world: World) -> Arguments:
    lost(world)
    return (str(world.path.with_name("lost.jsonl")), "--force")


def linked(world: World) -> Arguments:
    """The link of a mail that asks to confirm."""
    applied(world)
    return tuple(one.token for one in pending_subscriptions() if one.endpoint == WHO)


def joined(world: World) -> Arguments:
    """Somebody whom the file does not name is told too."""
    mailing(world)
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"
    world.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=STRANGER)
    confirm_subscription(STRANGER)
    return ()


def rolled_out(world: World) -> Arguments:
    assert world.run("rollout", "apply", "--yes").code == 0
    return ()


def changed_roll_out(world: World) -> Arguments:
    """One account more, one less, and another template."""
    rolled_out(world)
    world.write(ROLLOUT.replace("111111111111", "222222222222") + "tags: {Owner: me}\n")
    return ()


@dataclass(frozen=True)
class Case:
    """One command in the state it is for: its name, its words, the file, and what is there before."""

    command: str
    words: Arguments
    prepare: Callable[[World], Arguments] = mailing
    file: str = SMALLEST


def case(words: str, prepare: Callable[[World], Arguments] = mailing, file: str = SMALLEST) -> Case:
    return Case(words.split()[0], tuple(words.split()), prepare, file)


CASES = {
    "apply": case("apply --yes", nothing),
    "status": case("status", applied),
    "destroy": case("destroy --yes", applied),
    "apply: all kinds": case("apply --yes", nothing, ALL_KINDS),
    "status: all kinds": case("status", applied, ALL_KINDS),
    "destroy: all kinds": case("destroy --yes", applied, ALL_KINDS),
    "init": case("init --force --email secops@example.com", nothing),
    "plan": case("plan", nothing),
    "plan: hub": case("plan", nothing, HUB),
    "doctor": case("doctor"),
    "doctor: all kinds": case("doctor", mailing, ALL_KINDS),
    "doctor: hub": case("doctor", mailing, HUB),
    "doctor --rule": case("doctor --rule security-alerts-urgent"),
    "estimate": case("estimate"),
    "estimate: hub": case("estimate", of_the_new_hub, HUB),
    "baseline": case("baseline --yes"),
    "baseline: hub": case("baseline --yes", of_the_new_hub, HUB),
    "baseline --undo": case("baseline --undo --yes", marked),
    "why": case(f"why {FINDING['Id']}"),
    "why: lambda": case(f"why {FINDING['Id']}", mailing, LAMBDA),
    "test": case("test --yes"),
    "test: lambda": case("test --yes", mailing, LAMBDA),
    "test --direct": case("test --direct --yes"),
    "dlq list": case("dlq list", lost_twice),
    "dlq show": case("dlq show", lost),
    "dlq export": case("dlq export", exported),
    "dlq redrive": case("dlq redrive --yes", lost_twice),
    "dlq redrive: lambda": case("dlq redrive --yes", lost_by_the_formatter, LAMBDA),
    "dlq purge": case("dlq purge --force --yes", lost_twice),
    "subscriptions list": case("subscriptions list", applied),
    "subscriptions resend": case(f"subscriptions resend {WHO}", applied),
    "subscriptions confirm": case("subscriptions confirm --route urgent", linked),
    "subscriptions protect": case(f"subscriptions protect {WHO} --yes --force"),
    "subscriptions remove": case(f"subscriptions remove {STRANGER} --yes", joined),
    "rollout plan": case("rollout plan", rolled_out, ROLLOUT),
    "rollout apply": case("rollout apply --yes", nothing, ROLLOUT),
    "rollout apply: again": case("rollout apply --yes", changed_roll_out, ROLLOUT),
    "rollout status": case("rollout status", rolled_out, ROLLOUT),
    "rollout status --detect-drift": case("rollout status --detect-drift", rolled_out, ROLLOUT),
    "rollout destroy": case("rollout destroy --yes", rolled_out, ROLLOUT),
}
LOOKS = READS | INIT | ESTIMATE | ROLLOUT_READS | DLQ_OPERATIONS["list"] | ALSO["doctor"] | ALSO["why"]
"""What changes nothing. Without one of these a command says what it cannot tell, or nothing hung on it."""
KNOWN = LOOKS.union(*(needs.own for needs in COMMANDS.values()))
NOT_ENFORCED = {"sts:GetCallerIdentity"}
"""What IAM always allows (API_GetCallerIdentity)."""


def actions_of(one: Case) -> set[str]:
    """The actions of the policy that `iam-policy --for` prints for the case's file."""
    document = policy_for(completed(parse(one.file)), Scope("aws", REGION, ACCOUNT), one.command)
    return {action for statement in document["Statement"] for action in statement["Action"]}


def enforceable(actions: set[str]) -> str:
    """A policy as moto can judge it: it knows the operation's own name, and no resource and no condition."""
    known = {"tag": "tagging", "cloudwatch": "monitoring"}  # moto judges by the name that signs
    other_names = {operation for operation in KNOWN if action_of(operation) in actions}
    parts = (name.split(":") for name in actions | other_names)
    signed = {f"{known.get(service, service)}:{name}" for service, name in parts}
    statement = {"Effect": "Allow", "Action": sorted(signed), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


CALLER = Credentials("nobody", "nothing")


@functools.cache
def client_of_the_caller(service: str, region: str = REGION) -> Any:
    """One for all cases, for making one takes a while: it signs as whoever CALLER is."""
    core = get_session()
    core._credentials = CALLER  # type: ignore[attr-defined]
    return boto3.Session(botocore_session=core).client(service, region_name=region)  # type: ignore[call-overload]


@contextmanager
def as_user(world: World, document: str) -> Iterator[None]:
    """Every call of shnotify is made by a user who has this policy alone."""
    iam = boto3.client("iam", region_name=REGION)
    name = f"caller-{len(iam.list_users()['Users'])}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="least", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    CALLER.access_key, CALLER.secret_key = made["AccessKeyId"], made["SecretAccessKey"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.faults, "client", client_of_the_caller)
        # It reckons with form parameters only, so to it every call of Lambda and Scheduler has a wrong signature.
        patch.setattr(moto.iam.access_control.IAMRequest, "check_signature", lambda _request: None)
        patch.setattr(moto.core.authorization.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
        patch.setattr(moto.core.authorization.ActionAuthenticatorMixin, "request_count", 0)
        yield


@dataclass(frozen=True)
class Told:
    """What came of a command: its exit code, all it said, and the actions that its calls needed."""

    code: int
    said: str
    called: frozenset[str]


Lived = Callable[..., Told]
ONLY_LOOK = {"init", "status", "plan", "doctor", "estimate", "subscriptions list", "rollout plan", "rollout status"}
"""What leaves AWS as it was, so that its state is made once for all actions."""


@pytest.fixture
def lived(world: World, monkeypatch: pytest.MonkeyPatch) -> Lived:
    """Runs one command in the state it is for, with its own policy without one action."""
    monkeypatch.setattr("shnotify.aws.gateway.Aws", gateway(world.faults))  # roll-outs connect by themselves
    monkeypatch.setattr(Aws, "regions_of", lambda _aws, _service: (REGION,))
    ready: list[tuple[Case, Arguments]] = []

    def prepared(one: Case) -> Arguments:
        if not ready or ready[0][0] is not one:
            with emptied(world):
                world.write(one.file)
                ready[:] = [(one, one.prepare(world))]
        more = ready[0][1]
        if one.command not in ONLY_LOOK and " ".join(one.words[:2]) not in ONLY_LOOK:
            ready.clear()
        return more

    def run(one: Case, without: str = "") -> Told:
        more = prepared(one)
        if one.command == "init":
            world.write(one.file)
        document = enforceable(actions_of(one) - {without})
        with as_user(world, document):
            ran = world.run(*one.words, *more)
        called = frozenset(map(action_of, world.faults.operations))
        return Told(ran.code, ran.out + ran.err, called)

    return run


@pytest.mark.parametrize("name", CASES)
def test_the_policy_is_enough(lived: Lived, name: str) -> None:
    told = lived(CASES[name])
    assert told.code in (0, 3, 4), told.said
    assert "AccessDenied" not in told.said
    assert "AuthorizationError" not in told.said


def test_every_command_with_a_policy_is_here() -> None:
    assert {one.command for one in CASES.values()} == set(COMMANDS)
    assert {" ".join(one.words[:2]) for one in CASES.values() if one.command == "dlq"} == {
        f"dlq {name}" for name in DLQ_OPERATIONS
    }


def check(lived: Lived, one: Case, action: str, whole: Told) -> None:
    """A write that is missing stops the command; a read is named too, unless nothing hung on its answer."""
    told = lived(one, action)
    if action not in whole.called or action in NOT_ENFORCED:
        assert told.code == whole.code, (one, action, told.said)
    elif action in {action_of(operation) for operation in LOOKS}:
        assert action in told.said or told.code == whole.code, (one, action, told.said)
    else:
        assert action in told.said, (one, action, told.said)
        assert told.code in (1, 4), (one, action, told.said)


SAMPLE = {
    "apply": ("kms:CreateKey", "events:PutTargets", "sns:GetTopicAttributes"),
    "status": ("sns:GetTopicAttributes", "tag:GetResources"),
    "destroy": ("sqs:DeleteQueue", "tag:GetResources"),
    "test --direct": ("sns:Publish",),
    "dlq redrive: lambda": ("lambda:InvokeFunction", "sqs:DeleteMessage"),
    "rollout apply": ("cloudformation:CreateStackSet",),
    "baseline: hub": ("securityhub:BatchUpdateFindings", "securityhub:GetFindings"),
}


@pytest.mark.parametrize("name", SAMPLE)
def test_without_an_action_exactly_who_needs_it_fails_and_names_it(lived: Lived, name: str) -> None:
    whole = lived(CASES[name])
    for action in SAMPLE[name]:
        assert action in whole.called, action
        check(lived, CASES[name], action, whole)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CASES)
def test_each_action_in_turn(lived: Lived, name: str, cases: Cases) -> None:
    """Every action that the policy gives, called or not."""
    one = CASES[name]
    whole = lived(one)
    chosen = sorted(actions_of(one))
    assert whole.called <= set(chosen), whole.called - set(chosen)
    for action in chosen:
        check(lived, one, action, whole)
    cases(len(chosen))
