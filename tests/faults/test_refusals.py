"""Credentials, permissions and accounts: rows 75-82."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Ran, World
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.crashes import emptied
from tests.support.rows import always, calm


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
    assert (ran.code, world.faults.operations.count("sts:GetCallerIdentity"), world.faults.writes) == (1, 1, [])
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
    ran = bare("status")
    assert (ran.code, says in ran.json["error"]["message"]) == (code, True), ran.err
    assert "this is a bug" not in ran.err


def test_row_79_a_program_for_credentials_that_hangs_is_not_waited_for(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\ncredential_process = sleep 8\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    ran = bare("status", "--timeout", "1")
    assert (ran.code, ran.json["error"]["code"]) == (1, "Timeout")


def test_row_79_a_role_that_may_not_be_taken_is_about_credentials(world: World) -> None:
    def refused(_call: Callable[[], Any], _operation: str) -> Any:
        reply: Any = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}}
        raise ClientError(reply, "AssumeRole")

    world.faults.rule = always("sts:GetCallerIdentity", refused)
    ran = world.run("status")
    assert (ran.code, world.faults.operations.count("sts:GetCallerIdentity"), world.faults.writes) == (1, 1, [])
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
        ("InvalidAccessException", "Security Hub CSPM is not enabled here: no finding will arrive until it is"),
        ("AccessDeniedException", "could not be asked: securityhub:DescribeHub failed"),
        ("InternalException", "could not be asked: securityhub:DescribeHub failed"),
    ],
)
def test_row_81_security_hub_that_is_off_is_only_a_warning(world: World, code: str, says: str) -> None:
    world.faults.rule = always("securityhub:DescribeHub", faults.refuse(code))
    ran = world.apply()
    assert ran.code == 0
    assert says in ran.err
    assert says in world.text("plan").err
    [route] = world.run("status").json["delivery"]
    assert route["verdict"] == "broken"  # nobody has confirmed, whatever Security Hub says
    assert any(says in problem for problem in route["problems"])


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
    # Two keys side by side; two rules, and the one that stands in for both.
    assert world.faults.operations.count(operation) <= (3 if operation == "events:PutRule" else 2)
    world.faults.rule = calm
    assert world.apply().code == 0
