"""Every kind of refusal at every call: no traceback, the contract's exit code, a message that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.resources.kinds import READS
from tests.conftest import SMALLEST, World
from tests.support import faults
from tests.support.canonical import account, live_keys
from tests.support.faults import Fault
from tests.support.refusals import ERRORS

ONCE = {name: fault for name, fault in ERRORS.items() if name in ("throttled for ever", "internal error", "hang")}


def problems(ran: Any) -> str:
    """What is wrong with how a failed command ended; "" when nothing is."""
    if ran.code not in (0, 1, 3, 4):
        return f"exit code {ran.code}"
    if "Traceback" in ran.err:
        return "traceback"
    error = ran.json["error"]
    if ran.code == 1 and not (error and error["message"]):
        return "no message"
    return ""


def from_call(number: int, fault: Fault) -> Any:
    """The fault at this call and, because it lasts, at every later one of the same operation."""
    operation: list[str] = []

    def rule(n: int, found: str) -> Fault | None:
        if n == number:
            operation.append(found)
        return fault if operation and found == operation[0] else None

    return rule


@pytest.mark.parametrize("name", ERRORS)
def test_a_lasting_error_at_a_read(world: World, name: str) -> None:
    world.apply()
    for command in (["status"], ["plan"], ["destroy", "--yes"]):
        count = len(world.faults.calls) if world.run("status").code in (0, 4) else 0
        for number in range(1, count + 1, 6):
            world.faults.rule = from_call(number, ERRORS[name])
            ran = world.run(*command)
            world.faults.rule = lambda _n, _o: None
            assert not problems(ran), f"{command} call {number}: {problems(ran)}"
            if command[0] != "destroy":
                assert world.faults.writes == []
        if command[0] == "destroy":
            world.faults.time.sleep(100)
            assert world.apply().code == 0


@pytest.mark.parametrize("name", ERRORS)
def test_a_lasting_error_at_a_write_and_a_rerun_without_it(world: World, name: str) -> None:
    for operation in ("kms:CreateKey", "kms:CreateAlias", "sns:CreateTopic", "events:PutTargets", "sns:Subscribe"):
        world.faults.rule = faults.on(operation, times=10_000)(ERRORS[name])
        ran = world.apply()
        world.faults.rule = lambda _n, _o: None
        assert (ran.code, problems(ran)) == (1, ""), operation
        assert operation in ran.json["error"]["message"] or "no usable AWS credentials" in ran.json["error"]["message"]
        again = world.apply()
        assert again.code == 0, again.err
        assert live_keys(world) == ["DlqKey", "TopicKey"]
        world.run("destroy", "--yes")
        world.faults.time.sleep(100)


@pytest.mark.parametrize("name", ONCE)
def test_a_passing_error_at_any_call_is_lived_through(world: World, name: str) -> None:
    world.apply()
    expected = account(world)
    world.run("destroy", "--yes")
    world.faults.time.sleep(100)
    for number in range(1, 36, 5):
        world.faults.rule = faults.at(number)(ERRORS[name])
        ran = world.apply()
        world.faults.rule = lambda _n, _o: None
        assert ran.code == 0, ran.err
        assert account(world) == expected
        world.run("destroy", "--yes")
        world.faults.time.sleep(100)


NOT_ASKED = {
    *("kms:ListKeys", "kms:ListAliases", "kms:ListGrants", "events:TestEventPattern"),
    "lambda:GetEventSourceMapping",  # of a mapping that is being made
    *("iam:GetPolicy", "iam:GetPolicyVersion", "sns:GetSubscriptionAttributes"),  # nothing attached, nobody confirmed
}


@pytest.mark.parametrize("operation", sorted(READS - NOT_ASKED))
def test_a_read_that_is_not_allowed_is_unknown_and_never_missing(world: World, operation: str) -> None:
    if operation.startswith("securityhub:") or operation == "sts:GetCallerIdentity":
        pytest.skip("not a read of a resource: the first is only a note, the second stops everything")
    if operation.partition(":")[0] in ("lambda", "iam", "logs"):
        world.write(SMALLEST + "    message: {format: lambda, fold: {}}\n")
    if operation.partition(":")[0] in ("cloudwatch", "scheduler"):
        world.write(SMALLEST + "watchdog: {subscribers: [oncall@example.com]}\n")
    world.apply()
    world.faults.rule = faults.on(operation, times=10_000)(faults.refuse("AccessDeniedException", 400))
    status = world.run("status")
    assert status.code == 1
    states = status.states()
    assert set(states.values()) <= {"unknown"}
    assert operation in status.json["error"]["operation"]
    ran = world.apply()
    assert world.faults.writes == []
    assert ran.code == (1 if states else 0)


def test_what_could_be_read_is_still_reported(world: World) -> None:
    world.apply()
    world.client("events").disable_rule(Name="security-alerts-urgent")
    world.faults.rule = faults.on("sqs:GetQueueAttributes", 10)(faults.refuse("AccessDenied", 403))
    assert world.run("status").states() == {"Dlq": "unknown", "UrgentRule": "drifted"}


def test_what_hangs_on_a_key_that_could_not_be_read_is_unknown_but_for_its_other_drift(world: World) -> None:
    world.apply()
    url = world.client("sqs").list_queues()["QueueUrls"][0]
    world.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "31"})
    world.faults.rule = faults.on("kms:DescribeKey", 100)(faults.refuse("AccessDeniedException"))
    status = world.run("status")
    assert status.states() == {"TopicKey": "unknown", "DlqKey": "unknown", "UrgentTopic": "unknown", "Dlq": "drifted"}
    assert status.drift() == {"Dlq": ["VisibilityTimeout"]}
    [topic] = [r for r in status.json["resources"] if r["id"] == "UrgentTopic"]
    assert topic["reason"] == "KmsMasterKeyId cannot be compared: TopicKey could not be read"


def test_expired_credentials_stop_at_once_and_say_what_was_done(world: World) -> None:
    world.faults.rule = faults.on("sns:CreateTopic", 10)(ERRORS["expired credentials"])
    ran = world.apply()
    assert ran.code == 1
    assert "aws sso login" in ran.json["error"]["hint"]
    results = {a["id"]: a["result"] for a in ran.json["actions"]}
    assert results["UrgentTopic"] == "failed"
    assert results["UrgentRule"] != "done"  # begun or not: it has no target


def test_a_step_that_fails_skips_what_needs_it_and_the_rest_is_finished(world: World) -> None:
    world.faults.rule = faults.on("sqs:CreateQueue", 10)(ERRORS["denied"])
    ran = world.apply()
    results = {a["id"]: a["result"] for a in ran.json["actions"]}
    assert results == {
        "TopicKey": "done",
        "DlqKey": "done",
        "Dlq": "failed",
        "UrgentTopic": "done",
        "UrgentSubscription567df1a1": "skipped",  # SNS keeps in that queue what it cannot mail
        "UrgentRule": "skipped",
        "UrgentRulePlain": "skipped",
    }
    error = ran.json["error"]
    assert (error["operation"], error["resource"], error["code"]) == ("sqs:CreateQueue", "Dlq", "AccessDeniedException")
    assert "allow sqs:CreateQueue" in error["hint"]


def test_a_failure_inside_an_ok_reply_is_a_failure(world: World) -> None:
    def half(call: Any, operation: str) -> Any:
        reply = call()
        failed = {"TargetId": "shnotify", "ErrorCode": "InternalError", "ErrorMessage": "no"}
        return {**reply, "FailedEntryCount": 1, "FailedEntries": [failed]}

    world.faults.rule = faults.on("events:PutTargets", 10)(half)
    ran = world.apply()
    assert ran.code == 1
    assert "InternalError" in ran.json["error"]["message"]
    world.faults.rule = faults.on("events:RemoveTargets", 10)(half)
    assert world.apply().code == 0
    assert world.run("destroy", "--yes").code == 1
    world.faults.rule = lambda _n, _o: None
    assert world.run("destroy", "--yes").code == 0


def test_the_commands_time_is_a_limit(world: World) -> None:
    world.faults.rule = lambda _n, _o: ERRORS["throttled for ever"]
    began = world.faults.time.seconds
    ran = world.run("status", "--timeout", "7")
    assert ran.code == 1
    assert world.faults.time.seconds - began <= 7.01
    assert "7 s" in ran.json["error"]["message"]


@pytest.mark.parametrize("seconds", [20, 60])
def test_answers_that_lag_behind_the_writes(world: World, seconds: int) -> None:
    world.faults.stale = seconds
    ran = world.apply()
    assert ran.code == 0, ran.err
    assert live_keys(world) == ["DlqKey", "TopicKey"]
    assert world.faults.writes.count("kms:CreateKey") == 2
    world.write(world.path.read_text() + "tags: {Owner: me}\ndead_letter_queue: {delivery_delay: 5}\n")
    changed = world.apply()
    assert changed.code == 0, changed.err
    assert "kms:CreateKey" not in world.faults.writes


def test_a_policy_that_locks_the_caller_out_is_told_with_the_fix(world: World) -> None:
    world.faults.rule = faults.on("kms:CreateKey", 10)(
        faults.refuse(
            "MalformedPolicyDocumentException",
            message="The new key policy will not allow you to update the key policy in the future.",
        )
    )
    ran = world.apply()
    assert ran.code == 1
    assert "kms:PutKeyPolicy" in ran.json["error"]["hint"]
    assert live_keys(world) == []


def test_no_call_ever_bypasses_the_lock_out_check(world: World) -> None:
    world.apply()
    assert not [p for _, p in world.faults.calls if "BypassPolicyLockoutSafetyCheck" in p]


def test_the_secret_is_shown_nowhere(world: World) -> None:
    for rule in (lambda _n, _o: None, faults.on("kms:CreateKey", 9)(ERRORS["bad signature"])):
        world.faults.rule = rule
        ran = world.text("apply", "--yes", "-v")
        assert "canary-secret" not in ran.out + ran.err
