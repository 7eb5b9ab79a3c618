"""`rollout` against moto's StackSets, which carry every operation out at once and check nothing of the stacks."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.aws.failures import AwsError
from shnotify.commands import rollout as module
from shnotify.export.rollout import READS
from tests.conftest import SMALLEST, World
from tests.support import faults as faults_module
from tests.support.faults import Killed

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


def test_a_crash_at_any_call_leaves_what_the_next_run_goes_on_with(rolling: World) -> None:
    """The same operation is never started twice: its id is the same, and AWS knows it (API_CreateStackInstances)."""

    def killed(number: int) -> Any:
        def fault(proceed: Any, operation: str) -> Any:
            try:
                proceed()
            finally:
                raise Killed

        return lambda n, _o: fault if n == number else None

    for number in range(1, 6):  # who, look, create the set, create the stacks, follow
        rolling.faults.rule = killed(number)
        with pytest.raises(Killed):
            rolling.run("rollout", "apply", "--yes")
        rolling.faults.rule = lambda _n, _o: None
        assert rolling.run("rollout", "apply", "--yes").code == 0
        assert stacks(rolling) == [(ONE, "eu-west-1"), (TWO, "eu-west-1")]
        operations = rolling.client("cloudformation").list_stack_set_operations(StackSetName=NAME)["Summaries"]
        assert [one["Action"] for one in operations].count("CREATE") == 1
        rolling.run("rollout", "destroy", "--yes")


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
