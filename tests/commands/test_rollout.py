"""`rollout` against StackSets, a model in the sandbox: operations take time, the stacks are on paper."""

from __future__ import annotations

import contextlib
import itertools
import math
from typing import Any

import pytest

from shnotify.aws.failures import AwsError
from shnotify.commands import _rollout as module
from shnotify.export.rollout import READS
from shnotify.export.simulation import STACK_SECONDS
from shnotify.sandbox.stackoperations import PACE
from shnotify.sandbox.stacksets import Asked
from tests.conftest import SMALLEST, World
from tests.support import faults as faults_module
from tests.support.faults import Killed, at, kill_after

ONE, TWO = "111111111111", "222222222222"
TEXT = SMALLEST + f"rollout: {{accounts: ['{ONE}', '{TWO}'], regions: [eu-west-1]}}\n"
NAME = "shnotify-security-alerts"


@pytest.fixture
def rolling(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("shnotify.aws.gateway.Aws", faults_module.gateway(world.faults))
    world.write(TEXT)
    return world


def stacks(world: World) -> list[tuple[str, str]]:
    found = world.client("cloudformation").list_stack_instances(StackSetName=NAME)["Summaries"]
    return sorted((one["Account"], one["Region"]) for one in found)


def test_plan_changes_nothing_and_counts(rolling: World) -> None:
    ran = rolling.run("rollout", "plan", "--exit-code")
    assert ran.code == 3
    assert {o for o in rolling.faults.operations if o.startswith("cloudformation:")} <= READS
    assert [action["action"] for action in ran.json["actions"]] == ["create_set", "create"]
    figures = {name: ran.json[name] for name in ("stacks", "mails_to_confirm", "cost_per_month_usd")}
    assert figures == {"stacks": 2, "mails_to_confirm": 2, "cost_per_month_usd": 4}


def test_apply_then_status_then_destroy(rolling: World) -> None:
    ran = rolling.run("rollout", "apply", "--yes")
    assert (ran.code, ran.json["error"]) == (0, None)
    assert stacks(rolling) == [(ONE, "eu-west-1"), (TWO, "eu-west-1")]
    assert rolling.run("rollout", "plan", "--exit-code").code == 0
    status = rolling.run("rollout", "status")
    assert [one["account"] for one in status.json["instances"]] == [ONE, TWO]
    assert rolling.run("rollout", "destroy", "--yes").code == 0
    assert rolling.run("rollout", "status").json["instances"] == []


def test_apply_again_does_nothing(rolling: World) -> None:
    rolling.run("rollout", "apply", "--yes")
    assert rolling.run("rollout", "apply", "--yes").code == 0
    assert [one for one in rolling.faults.operations if "Create" in one or "Update" in one] == []


def test_without_a_terminal_it_needs_yes(rolling: World) -> None:
    ran = rolling.run("rollout", "apply")
    assert ran.code == 2
    assert rolling.client("cloudformation").list_stack_sets()["Summaries"] == []


def test_somebody_elses_stack_set_is_not_touched(rolling: World) -> None:
    rolling.client("cloudformation").create_stack_set(StackSetName=NAME, TemplateBody='{"Resources": {}}')
    ran = rolling.run("rollout", "apply", "--yes")
    assert ran.code == 1
    assert "does not carry our tag" in ran.json["error"]["message"]
    assert "nothing to do" not in rolling.text("rollout", "plan").out


def operations(world: World) -> list[str]:
    """What StackSets were asked to do; the set may be gone by now."""
    found = world.client("cloudformation").list_stack_set_operations(StackSetName=NAME)["Summaries"]
    return [one["Action"] for one in found]


@pytest.mark.parametrize("word", ["apply", "destroy"])
def test_a_crash_at_any_call_leaves_what_the_next_run_goes_on_with(
    rolling: World, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """The same operation is never started twice: its id is the same, and AWS knows it (API_CreateStackInstances)."""
    monkeypatch.setattr(PACE, "seconds", 1.0)
    begun: list[str] = []
    kept = Asked.begin

    def begin(asked: Asked, action: str, pairs: Any) -> Any:
        operation = kept(asked, action, pairs)
        begun.append(action)
        return operation

    monkeypatch.setattr(Asked, "begin", begin)
    for number in itertools.count(1):
        if word == "destroy":
            assert rolling.run("rollout", "apply", "--yes").code == 0
        begun.clear()
        rolling.faults.rule = at(number)(kill_after)
        with contextlib.suppress(Killed):
            rolling.run("rollout", word, "--yes")
        rolling.faults.rule = lambda _n, _o: None
        if len(rolling.faults.calls) < number:
            break
        assert rolling.run("rollout", word, "--yes").code == 0
        assert begun == ["CREATE" if word == "apply" else "DELETE"]
        if word == "apply":
            assert stacks(rolling) == [(ONE, "eu-west-1"), (TWO, "eu-west-1")]
            assert rolling.run("rollout", "destroy", "--yes").code == 0
    assert number > 6  # who, look in some calls, start, follow


def test_a_stack_that_failed_is_named_and_tried_again(rolling: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the tolerance StackSets say SUCCEEDED all the same (stacksets-troubleshooting, failure count)."""
    monkeypatch.setattr(PACE, "failing", {TWO: "no\nrole"})
    ran = rolling.run("rollout", "apply", "--yes")
    assert (ran.code, [one["account"] for one in ran.json["failures"]]) == (1, [TWO])
    assert ran.json["results"][-1]["status"] == "SUCCEEDED"
    status = rolling.run("rollout", "status")
    assert (status.code, status.json["in_sync"]) == (4, False)
    assert f"{TWO} eu-west-1       failed: no\\nrole" in rolling.text("rollout", "status").out
    monkeypatch.setattr(PACE, "failing", {})
    again = rolling.run("rollout", "apply", "--yes")
    assert [(a["action"], a["targets"]) for a in again.json["actions"]] == [("retry", [TWO])]
    assert again.code == 0
    status = rolling.run("rollout", "status")
    assert (status.code, status.json["actions"]) == (0, [])  # the others are not behind by it


def test_a_stack_that_cannot_be_deleted_is_named_and_the_set_stays(
    rolling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolling.run("rollout", "apply", "--yes")
    monkeypatch.setattr(PACE, "failing", {TWO: "termination protection"})
    ran = rolling.run("rollout", "destroy", "--yes")
    assert (ran.code, [(one["account"], one["reason"]) for one in ran.json["failures"]]) == (
        1,
        [(TWO, "termination protection")],
    )
    assert "cloudformation:DeleteStackSet" not in rolling.faults.operations
    status = rolling.run("rollout", "status").json["instances"]
    assert [(one["account"], one["reason"]) for one in status] == [(TWO, "termination protection")]
    monkeypatch.setattr(PACE, "failing", {})
    assert rolling.run("rollout", "destroy", "--yes").code == 0


def test_destroy_says_what_stays_and_what_it_costs(rolling: World) -> None:
    rolling.run("rollout", "apply", "--yes")
    told = rolling.text("rollout", "destroy").out
    assert "Together it costs about 4 USD a month (KMS keys and alarms)." in told
    assert "KMS keys stay in the accounts until somebody deletes them: 4 keys of the stacks that go." in told
    everything = rolling.text("rollout", "destroy", "--with-keys-and-queues").out
    assert "Dead-letter queues go with their messages; KMS keys are scheduled for deletion." in everything
    ran = rolling.run("rollout", "destroy", "--with-keys-and-queues", "--yes")
    assert (ran.json["keys_that_stay"], ran.json["cost_per_month_usd"]) == (0, 0)


def test_beyond_the_tolerance_it_stops_and_says_so(rolling: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rolling.write(TEXT.replace("rollout: {", "rollout: {failure_tolerance: 0, concurrency: 1, "))
    monkeypatch.setattr(PACE, "failing", {ONE: "no role"})
    ran = rolling.run("rollout", "apply", "--yes")
    assert ran.code == 1
    assert [(one["account"], one["status"]) for one in ran.json["failures"]] == [(ONE, "FAILED"), (TWO, "CANCELLED")]
    monkeypatch.setattr(PACE, "failing", {})
    assert rolling.run("rollout", "apply", "--yes").code == 0


def test_every_operation_waits_its_turn_and_keeps_its_concurrency(rolling: World) -> None:
    rolling.run("rollout", "apply", "--yes")
    sent = dict(rolling.faults.calls)
    assert sent["cloudformation:CreateStackSet"]["ManagedExecution"] == {"Active": True}
    created = sent["cloudformation:CreateStackInstances"]
    assert created["OperationId"]
    assert created["OperationPreferences"] == {
        "MaxConcurrentCount": 10,
        "FailureToleranceCount": 5,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
        "RegionConcurrencyType": "PARALLEL",
    }


def test_what_is_still_under_way_is_not_in_sync(rolling: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PACE, "seconds", 60.0)
    ran = rolling.run("rollout", "apply", "--yes", "--timeout", "20")
    assert (ran.code, ran.json["name"], ran.json["stack_set"]) == (1, "security-alerts", NAME)
    assert "--timeout" in ran.json["error"]["hint"]
    status = rolling.run("rollout", "status")
    assert (status.code, status.json["in_sync"], status.json["actions"]) == (3, False, [])
    assert status.json["running"]
    again = rolling.run("rollout", "apply", "--yes")  # from any machine: nothing is kept on this one
    assert (again.code, again.json["actions"]) == (0, [])
    assert operations(rolling) == ["CREATE"]


def test_addresses_of_an_account_come_and_go(rolling: World) -> None:
    own = f"addresses: {{'{TWO}': {{secops@example.com: owner@example.com}}}}"
    rolling.write(TEXT.replace("rollout: {", f"rollout: {{{own}, "))
    rolling.run("rollout", "apply", "--yes")
    assert rolling.run("rollout", "plan", "--exit-code").code == 0
    rolling.write(TEXT)  # the table no longer names the account
    plan = rolling.run("rollout", "plan", "--exit-code")
    assert (plan.code, plan.json["mails_to_confirm"]) == (3, 1)
    assert [(a["action"], a["targets"], a["overrides"]) for a in plan.json["actions"]] == [("update", [TWO], {})]
    assert rolling.run("rollout", "apply", "--yes").code == 0
    assert rolling.run("rollout", "plan", "--exit-code").code == 0


def test_of_many_stacks_only_those_that_may_have_addresses_of_their_own_are_asked(
    rolling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after an update of the whole set: what was not asked is known by the operation's id."""
    monkeypatch.setattr("shnotify.export.rollout.FEW", 0)
    own = f"addresses: {{'{TWO}': {{secops@example.com: owner@example.com}}}}"
    table = TEXT.replace("rollout: {", f"rollout: {{{own}, ")

    def asked() -> list[str]:
        code = rolling.run("rollout", "status").code
        assert code == 0
        named = [given for o, given in rolling.faults.calls if o == "cloudformation:DescribeStackInstance"]
        return [given["StackInstanceAccount"] for given in named]

    rolling.write(TEXT)
    rolling.run("rollout", "apply", "--yes")
    assert asked() == []
    rolling.write(table)
    rolling.run("rollout", "apply", "--yes")
    assert asked() == [TWO]
    rolling.write(table.replace("name: urgent", "name: later"))
    rolling.run("rollout", "apply", "--yes")
    assert asked() == [ONE, TWO]  # the whole set changed while one had an address of its own
    rolling.write(TEXT.replace("name: urgent", "name: later"))
    plan = rolling.run("rollout", "plan", "--exit-code")
    assert [(a["action"], a["targets"]) for a in plan.json["actions"]] == [("update", [TWO])]
    rolling.run("rollout", "apply", "--yes")
    rolling.write(TEXT)
    rolling.run("rollout", "apply", "--yes")  # nobody has one any more, and the ids say so
    assert asked() == []


def test_somebody_elses_operation_leaves_open_what_a_stack_has(rolling: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shnotify.export.rollout.FEW", 0)
    rolling.run("rollout", "apply", "--yes")
    rolling.client("cloudformation").update_stack_instances(
        StackSetName=NAME,
        Accounts=[TWO],
        Regions=["eu-west-1"],
        ParameterOverrides=[{"ParameterKey": "UrgentSubscription567df1a1Endpoint", "ParameterValue": "x@example.com"}],
    )
    status = rolling.run("rollout", "status")
    assert (status.code, [(a["action"], a["targets"]) for a in status.json["actions"]]) == (3, [("update", [TWO])])


def test_a_running_operation_of_somebody_elses_set_is_not_waited_for(
    rolling: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PACE, "seconds", 60.0)
    client = rolling.client("cloudformation")
    client.create_stack_set(StackSetName=NAME, TemplateBody='{"Resources": {}}')
    client.create_stack_instances(StackSetName=NAME, Accounts=[ONE], Regions=["eu-west-1"])
    ran = rolling.run("rollout", "destroy", "--yes")
    assert (ran.code, "does not carry our tag" in ran.json["error"]["message"]) == (1, True)
    assert "cloudformation:DescribeStackSetOperation" not in rolling.faults.operations


def test_accounts_of_a_unit_get_their_addresses_in_the_same_run(rolling: World) -> None:
    """Which accounts a unit has is known only when its stacks stand."""
    organization = rolling.client("organizations")
    organization.create_organization(FeatureSet="ALL")
    root = organization.list_roots()["Roots"][0]["Id"]
    unit = organization.create_organizational_unit(ParentId=root, Name="teams")["OrganizationalUnit"]["Id"]
    made = organization.create_account(AccountName="team", Email="t@example.com")["CreateAccountStatus"]
    account = made["AccountId"]
    organization.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    table = f"addresses: {{'{account}': {{secops@example.com: owner@example.com}}}}"
    rolling.write(SMALLEST + f"rollout: {{organizational_units: [{unit}], regions: [eu-west-1], {table}}}\n")
    assert rolling.run("rollout", "apply", "--yes").code == 0
    stack = rolling.client("cloudformation").describe_stack_instance(
        StackSetName=NAME, StackInstanceAccount=account, StackInstanceRegion="eu-west-1"
    )["StackInstance"]
    assert [one["ParameterValue"] for one in stack["ParameterOverrides"]] == ["owner@example.com"]
    assert rolling.run("rollout", "plan", "--exit-code").code == 0
    assert rolling.run("rollout", "destroy", "--yes").code == 0


def test_drift_is_looked_for_when_asked_and_only_then(rolling: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rolling.run("rollout", "apply", "--yes")
    monkeypatch.setattr(PACE, "drifted", {TWO})
    before = rolling.run("rollout", "status")
    assert (before.code, before.json["not_checked_for_drift"]) == (0, 2)
    shown = rolling.text("rollout", "status").out
    assert "In sync, as far as StackSets have looked." in shown
    assert "2 stacks were never compared with what is in AWS" in shown
    found = rolling.run("rollout", "status", "--detect-drift")
    assert (found.code, [one["drift"] for one in found.json["instances"]]) == (3, ["IN_SYNC", "DRIFTED"])
    sent = {o for o, _ in rolling.faults.calls if o.startswith("cloudformation:")}
    assert sent - READS == {"cloudformation:DetectStackSetDrift"}
    (when,) = {one["drift_checked"] for one in found.json["instances"]}
    assert f"Drift was looked for on {when[:10]} or later" in rolling.text("rollout", "status").out


@pytest.mark.parametrize("accounts", [50, 220])  # results at every look, and at some
def test_a_simulation_says_what_a_roll_out_then_takes(
    rolling: World, monkeypatch: pytest.MonkeyPatch, accounts: int
) -> None:
    """The figures of docs/scale.md are those of the command itself, counted against the StackSets of the sandbox."""
    monkeypatch.setattr(PACE, "seconds", float(STACK_SECONDS))
    numbers = ", ".join(f"'{number:012}'" for number in range(accounts))
    rolling.write(SMALLEST + f"rollout: {{accounts: [{numbers}], regions: [eu-west-1], concurrency: 110}}\n")
    began = rolling.faults.time.now()
    assert rolling.run("rollout", "apply", "--yes").code == 0
    minutes = math.ceil((rolling.faults.time.now() - began) / 60)
    calls = len(rolling.faults.calls)
    told = rolling.run("rollout", "plan", "--simulate", str(accounts)).json["simulation"]
    assert (told["calls"], told["minutes"]) == (calls, minutes)


def test_a_lost_reply_starts_nothing_twice(rolling: World) -> None:
    """OperationIdAlreadyExistsException says that the first request arrived (API_CreateStackInstances)."""
    started: list[str] = []

    def lost(proceed: Any, operation: str) -> Any:
        started.append(operation)
        proceed()
        raise AwsError("Operation already exists", operation=operation, code="OperationIdAlreadyExistsException")

    rolling.faults.rule = lambda _n, o: lost if o == "cloudformation:CreateStackInstances" else None
    assert rolling.run("rollout", "apply", "--yes").code == 0
    assert len(started) == 1
    assert len(stacks(rolling)) == 2


def test_a_simulation_asks_nobody(rolling: World) -> None:
    ran = rolling.run("rollout", "plan", "--simulate", "5000")
    assert ran.code == 0
    assert ran.json["simulation"]["cost_per_month_usd"] == 10_000
    assert rolling.faults.calls == []


def test_without_a_rollout_it_says_what_to_write(rolling: World) -> None:
    rolling.write(SMALLEST)
    ran = rolling.run("rollout", "plan")
    assert ran.code == 2
    assert "rollout:" in ran.json["error"]["message"]


def test_text_names_each_stack(rolling: World) -> None:
    rolling.run("rollout", "apply", "--yes")
    out = rolling.text("rollout", "status").out
    assert f"{ONE} eu-west-1" in out
    assert module.TIMEOUT == 6 * 3600
