"""`message.format: lambda`: the function, its role and its log, from the first apply to the last destroy."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from shnotify.formatter.settings import Settings
from shnotify.mail import archive as bundle
from tests.conftest import SMALLEST, Cases, World
from tests.support import faults
from tests.support.canonical import account
from tests.support.crashes import HOWS, STORIES, sweep
from tests.support.faults import REGION
from tests.support.lambda_mode import (
    ACCOUNT,
    DELETIONS,
    FUNCTION,
    FUNCTION_ARN,
    LAMBDA,
    LOGS,
    LOGS_ARN,
    QUEUE_ARN,
    ROLE,
    RULE_ARN,
    configure,
    function,
    role_policy,
)

TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:security-alerts-urgent"
OURS = {"UrgentFormatter", "UrgentFormatterRole", "UrgentFormatterLogs"}
SETTINGS = Settings(topic_arn="security-alerts-urgent", dedup="notified", marker="shnotify-security-alerts-urgent")
ARCHIVE = bundle.archive(SETTINGS.to_text())


def target(world: World) -> Any:
    return world.client("events").list_targets_by_rule(Rule="security-alerts-urgent")["Targets"][0]


def test_what_is_created(applied: World) -> None:
    have = function(applied)["Configuration"]
    assert (have["Runtime"], have["Handler"], have["Timeout"]) == ("python3.13", "formatter.main.handler", 60)
    assert have["CodeSha256"] == bundle.code_sha256(ARCHIVE)
    lambda_ = applied.client("lambda")
    statement = json.loads(lambda_.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"]
    assert [(s["Principal"], s["Condition"]) for s in statement] == [
        ({"Service": "events.amazonaws.com"}, {"ArnLike": {"AWS:SourceArn": RULE_ARN}})
    ]  # no SourceAccount (eb-troubleshooting)
    failure = lambda_.get_function_event_invoke_config(FunctionName=FUNCTION)["DestinationConfig"]["OnFailure"]
    assert failure == {"Destination": QUEUE_ARN}
    assert target(applied)["Arn"] == FUNCTION_ARN
    assert "InputTransformer" not in target(applied)
    assert target(applied)["DeadLetterConfig"] == {"Arn": QUEUE_ARN}


def test_the_role_may_do_what_the_function_does_and_nothing_else(applied: World) -> None:
    keys = {
        which: applied.client("kms").describe_key(KeyId=f"alias/security-alerts-{which}")["KeyMetadata"]["Arn"]
        for which in ("topic", "dlq")
    }
    document = applied.client("iam").get_role_policy(RoleName=ROLE, PolicyName="shnotify")["PolicyDocument"]
    assert {s["Sid"]: (s["Action"], s["Resource"]) for s in document["Statement"]} == {
        "Logs": (["logs:CreateLogStream", "logs:PutLogEvents"], f"{LOGS_ARN}:*"),
        "Publish": ("sns:Publish", TOPIC_ARN),
        "TopicKey": (["kms:Decrypt", "kms:GenerateDataKey"], keys["topic"]),
        "DeadLetters": ("sqs:SendMessage", QUEUE_ARN),
        "DlqKey": (["kms:Decrypt", "kms:GenerateDataKey"], keys["dlq"]),
        "Findings": (
            "securityhub:BatchUpdateFindings",
            [f"arn:aws:securityhub:{REGION}:{ACCOUNT}:{hub}" for hub in ("hub/default", "hubv2/*")],
        ),
    }
    trust = applied.client("iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert [(s["Principal"], s["Action"]) for s in trust] == [({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")]


def test_without_keys_queue_and_marks_the_role_may_do_less(world: World) -> None:
    options = "    message: {format: lambda, dedup: none}\nencryption: false\ndead_letter_queue: false\n"
    world.write(SMALLEST + options)
    assert world.apply().code == 0
    document = world.client("iam").get_role_policy(RoleName=ROLE, PolicyName="shnotify")["PolicyDocument"]
    assert [s["Sid"] for s in document["Statement"]] == ["Logs", "Publish"]
    failure = world.client("lambda").get_function_event_invoke_config(FunctionName=FUNCTION)["DestinationConfig"]
    assert not failure.get("OnFailure")
    assert world.run("status").states() == {}


def test_the_target_comes_after_all_that_it_needs(applied: World, formatting: World) -> None:
    applied.run("destroy", "--yes")
    applied.faults.time.sleep(100)
    applied.apply()
    order = applied.faults.writes
    for earlier in ("lambda:AddPermission", "lambda:PutFunctionEventInvokeConfig", "iam:PutRolePolicy"):
        assert order.index(earlier) < order.index("events:PutTargets")
    assert order.index("logs:CreateLogGroup") < order.index("lambda:CreateFunction")


def test_everything_is_tagged(applied: World) -> None:
    expected = {"shnotify:name": "security-alerts", "managed-by": "shnotify"}
    assert function(applied)["Tags"] == {**expected, "shnotify:resource": "UrgentFormatter"}
    role = applied.client("iam").get_role(RoleName=ROLE)["Role"]["Tags"]
    assert {t["Key"]: t["Value"] for t in role} == {**expected, "shnotify:resource": "UrgentFormatterRole"}
    logs = applied.client("logs").list_tags_for_resource(resourceArn=LOGS_ARN)["tags"]
    assert logs == {**expected, "shnotify:resource": "UrgentFormatterLogs"}


def test_a_second_apply_writes_nothing(applied: World) -> None:
    again = applied.apply()
    assert (again.code, again.actions(), applied.faults.writes) == (0, {}, [])
    status = applied.run("status")
    assert (status.states(), applied.faults.writes) == ({}, [])


def test_the_archive_is_the_same_everywhere_and_holds_the_settings() -> None:
    assert bundle.archive.__wrapped__(SETTINGS.to_text()) == ARCHIVE
    assert b"formatter/main.py" in ARCHIVE
    assert len(ARCHIVE) < 50 * 1024 * 1024  # API_CreateFunction: a ZIP in the request
    with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as opened:
        assert Settings.load(opened.read("formatter/settings.json")) == SETTINGS


def test_nothing_of_the_function_is_bound_to_one_life_of_its_role(applied: World) -> None:
    """Lambda encrypts variables for the role that is there; one that was deleted and came back cannot read them."""
    assert not function(applied)["Configuration"].get("Environment", {}).get("Variables")
    DELETIONS["role"][0](applied)
    assert applied.apply().actions() == {"UrgentFormatterRole": "create"}
    assert not function(applied)["Configuration"].get("Environment", {}).get("Variables")


def test_other_settings_are_other_code(applied: World) -> None:
    applied.write(SMALLEST + "    message: {format: lambda, language: ja}\n")
    assert applied.run("status").drift() == {"UrgentFormatter": ["CodeSha256"]}
    assert applied.apply().actions() == {"UrgentFormatter": "update"}
    changed = bundle.archive(dataclasses.replace(SETTINGS, language="ja").to_text())
    assert function(applied)["Configuration"]["CodeSha256"] == bundle.code_sha256(changed)


# -- modes -------------------------------------------------------------------------------------------------------------


def test_from_summary_to_lambda_and_back_leaves_nothing_behind(world: World) -> None:
    world.apply()
    plain = account(world)
    world.write(LAMBDA)
    there = world.apply()
    changed = {"UrgentRule": "update", "Dlq": "update"}
    assert there.actions() == {**dict.fromkeys(OURS, "create"), **changed, "UrgentRulePlain": "delete"}
    world.write(SMALLEST)
    drifted = {"UrgentRule": "drifted", "Dlq": "drifted", "UrgentRulePlain": "missing"}
    assert world.run("status").states() == {**dict.fromkeys(OURS, "leftover"), **drifted}
    back = world.apply()
    expected = {**dict.fromkeys(OURS, "delete"), **changed, "UrgentRulePlain": "create"}
    assert (back.code, back.actions()) == (0, expected), back.err
    order = world.faults.writes
    assert order.index("events:PutTargets") < order.index("lambda:DeleteFunction") < order.index("iam:DeleteRole")
    assert order.index("iam:DeleteRole") < order.index("logs:DeleteLogGroup")
    assert account(world) == plain


def test_leftovers_are_found_though_the_tag_search_lags_behind(applied: World) -> None:
    plain_file = SMALLEST

    def lagging(call: Callable[[], Any], _operation: str) -> Any:
        return {**call(), "ResourceTagMappingList": []}

    applied.write(plain_file)
    applied.faults.rule = lambda _n, operation: lagging if operation == "tag:GetResources" else None
    assert {i for i, state in applied.run("status").states().items() if state == "leftover"} == OURS


def test_destroy_leaves_nothing_and_can_be_repeated(applied: World) -> None:
    assert applied.run("destroy", "--yes").code == 0
    left = account(applied)
    assert (left["functions"], left["roles"], left["logs"], left["rules"]) == ([], [], [], [])
    again = applied.run("destroy", "--yes")
    assert (again.code, applied.faults.writes) == (0, [])


def test_a_resolved_note_needs_the_rule_to_let_it_through(world: World) -> None:
    world.write(SMALLEST + "    message: {format: lambda, resolved: true}\n")
    assert world.apply().code == 0
    pattern = json.loads(world.client("events").describe_rule(Name="security-alerts-urgent")["EventPattern"])
    marks = [b["detail"]["findings"].get("UserDefinedFields") for b in pattern["$or"]]
    assert marks == [None, {"shnotify-security-alerts-urgent": ["mailed"]}]


def test_long_names_fit_lambda_and_iam(world: World) -> None:
    name, route = "n" + "o" * 39, "r" + "s" * 19
    for number in "12":
        text = LAMBDA.replace("security-alerts", name).replace("urgent", route[:-1] + number)
        world.write(text)
        ran = world.apply()
        assert ran.code == 0, ran.err
    names = [f["FunctionName"] for f in world.client("lambda").list_functions()["Functions"]]
    assert len(names) == 1  # the first one's was left over
    assert len(names[0]) == 64


# -- ownership, waiting, errors, crashes -------------------------------------------------------------------------------


def _foreign_function(world: World, tags: dict[str, str]) -> None:
    iam = world.client("iam")
    role = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps({"Statement": []}))["Role"]["Arn"]
    world.client("lambda").create_function(
        FunctionName=FUNCTION, Role=role, Runtime="python3.13", Handler="a.b", Tags=tags,
        Code={"ZipFile": ARCHIVE},
    )  # fmt: skip


def _foreign_role(world: World, tags: dict[str, str]) -> None:
    listed = [{"Key": k, "Value": v} for k, v in tags.items()]
    world.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Statement": []}), Tags=listed)


def _foreign_logs(world: World, tags: dict[str, str]) -> None:
    world.client("logs").create_log_group(logGroupName=LOGS, tags=tags)


FOREIGN: dict[str, Callable[[World, dict[str, str]], None]] = {
    "UrgentFormatter": _foreign_function,
    "UrgentFormatterRole": _foreign_role,
    "UrgentFormatterLogs": _foreign_logs,
}


@pytest.mark.parametrize("tags", [{}, {"shnotify:name": "other"}], ids=["untagged", "another's"])
@pytest.mark.parametrize("resource", FOREIGN)
def test_a_foreign_thing_of_our_name_is_left_alone(formatting: World, resource: str, tags: dict[str, str]) -> None:
    FOREIGN[resource](formatting, tags)
    before = account(formatting)
    for command in ("plan", "apply", "destroy"):
        ran = formatting.run(command, *([] if command == "plan" else ["--yes"]))
        assert (ran.code, formatting.faults.writes) == (1, []), command
        assert ran.actions()[resource] == "refuse"
    assert formatting.run("status").states()[resource] == "unmanaged"
    assert account(formatting) == before


@pytest.mark.parametrize("resource", FOREIGN)
def test_what_was_adopted_is_given_back(formatting: World, resource: str) -> None:
    FOREIGN[resource](formatting, {"theirs": "yes"})
    assert formatting.apply("--adopt").code == 0
    assert formatting.run("status").states() == {}
    assert formatting.run("destroy", "--yes").code == 0
    left = account(formatting)
    kind = {"UrgentFormatter": "functions", "UrgentFormatterRole": "roles", "UrgentFormatterLogs": "logs"}[resource]
    assert [thing["tags"] for thing in left[kind] if thing.get("name") != "theirs"] == [{"theirs": "yes"}]


def test_a_role_that_lambda_does_not_know_yet_is_waited_for(formatting: World) -> None:
    text = "The role defined for the function cannot be assumed by Lambda."
    refusal = faults.refuse("InvalidParameterValueException", message=text)
    formatting.faults.rule = faults.on("lambda:CreateFunction", times=5)(refusal)
    ran = formatting.apply()
    assert ran.code == 0, ran.err
    assert formatting.faults.operations.count("lambda:CreateFunction") == 6


def test_a_parameter_that_stays_wrong_is_not_waited_for(formatting: World) -> None:
    refusal = faults.refuse("InvalidParameterValueException", message="Unzipped size must be smaller")
    formatting.faults.rule = faults.on("lambda:CreateFunction", times=50)(refusal)
    ran = formatting.apply()
    assert (ran.code, formatting.faults.operations.count("lambda:CreateFunction")) == (1, 1)
    assert (ran.json["error"]["operation"], ran.json["error"]["resource"]) == (
        "lambda:CreateFunction",
        "UrgentFormatter",
    )


def test_a_function_that_is_busy_is_waited_for(applied: World) -> None:
    configure(Timeout=3)(applied)
    text = f"The operation cannot be performed at this time. An update is in progress for resource: {FUNCTION_ARN}"
    refusal = faults.refuse("ResourceConflictException", 409, text)
    applied.faults.rule = faults.on("lambda:UpdateFunctionConfiguration", times=4)(refusal)
    assert applied.apply().code == 0
    assert applied.run("status").states() == {}


@pytest.mark.parametrize("seconds", [20, 60])
def test_answers_that_lag_behind_the_writes(formatting: World, seconds: int) -> None:
    formatting.faults.stale = seconds
    assert formatting.apply("--timeout", "900").code == 0
    formatting.faults.stale = 0
    assert formatting.run("status").states() == {}


def _broken(world: World) -> None:
    world.client("lambda").delete_function(FunctionName=FUNCTION)
    role_policy(world)
    world.client("logs").delete_retention_policy(logGroupName=LOGS)


def _lambda_story(
    prepare: Callable[[World], None], before: str = LAMBDA, after: str = LAMBDA
) -> Callable[[World], None]:
    def story(world: World) -> None:
        world.write(before)
        if prepare is not _nothing:
            assert world.apply().code == 0
            prepare(world)
        world.write(after)

    return story


def _nothing(_: World) -> None: ...


def _just_apply(_: World) -> None: ...


CHANGED = SMALLEST + "    message: {format: lambda, language: ja, dedup: none}\ntags: {Owner: me}\n"
LAMBDA_STORIES: dict[str, tuple[Callable[[World], None], tuple[str, ...]]] = {
    "lambda: fresh apply": (_lambda_story(_nothing), ("apply", "--yes")),
    "lambda: update": (_lambda_story(_just_apply, after=CHANGED), ("apply", "--yes")),
    "lambda: repair": (_lambda_story(_broken), ("apply", "--yes")),
    "lambda: back to a summary": (_lambda_story(_just_apply, after=SMALLEST), ("apply", "--yes")),
    "lambda: destroy": (_lambda_story(_just_apply), ("destroy", "--yes")),
}


@pytest.fixture(autouse=True)
def _stories(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, story in LAMBDA_STORIES.items():
        monkeypatch.setitem(STORIES, name, story)


@pytest.mark.parametrize(("story", "how"), [*zip(LAMBDA_STORIES, cycle(HOWS), strict=False)])
def test_a_sample_of_crashes(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=19))


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("story", LAMBDA_STORIES)
def test_a_crash_at_every_call(world: World, story: str, how: str, cases: Cases) -> None:
    cases(sweep(world, story, how, step=1))
