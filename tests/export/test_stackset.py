"""Which StackSets operations a roll-out needs: planned without AWS."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shnotify.config.load import completed
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse
from shnotify.errors import ConfigError, UsageError
from shnotify.export.operations import new_mails, plan, refusal, removal
from shnotify.export.simulation import OneStack, simulate
from shnotify.export.stackset import Action, Instance, Seen, Wanted, unsure_after, wanted_of
from tests.conftest import SMALLEST

ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
ROLLOUT = f"rollout: {{accounts: ['{ONE}', '{TWO}'], regions: [eu-west-1, us-east-1]}}\n"
UNITS = "rollout: {organizational_units: [ou-ab12-cdefgh34], regions: [eu-west-1]}\n"
PARAMETER = "UrgentSubscription567df1a1Endpoint"


def config(text: str) -> Config:
    return completed(parse(SMALLEST + text)).settled()


def wanted(text: str = ROLLOUT) -> Wanted:
    return wanted_of(config(text))


def standing(of: Wanted, *instances: Instance) -> Seen:
    return Seen(of.body, of.parameters, of.tags, instances)


def instance(account: str, region: str = "eu-west-1", **more: Any) -> Instance:
    return Instance(account, region, "SUCCEEDED", **more)


def test_from_nothing_one_set_and_one_operation_for_all_accounts() -> None:
    assert plan(wanted(), Seen()) == (
        Action("create_set"),
        Action("create", (ONE, TWO), ("eu-west-1", "us-east-1")),
    )


def test_what_stands_is_not_made_again_and_what_is_not_wanted_goes() -> None:
    of = wanted()
    seen = standing(of, instance(ONE), instance(ONE, "us-east-1"), instance(TWO), instance(THREE))
    assert plan(of, seen) == (
        Action("create", (TWO,), ("us-east-1",)),
        Action("delete", (THREE,), ("eu-west-1",)),
    )


def test_another_template_or_tag_updates_the_set() -> None:
    of = wanted()
    seen = standing(of, *(instance(a, r) for a, r in of.pairs))
    assert plan(of, seen) == ()
    assert plan(of, replace(seen, body="{}")) == (Action("update_set"),)
    assert plan(of, replace(seen, tags={**of.tags, "managed-by": "x"})) == (Action("update_set"),)


def test_what_is_not_ascii_differs_only_where_it_differs() -> None:
    """AWS shows question marks instead (aws-cloudformation/cloudformation-coverage-roadmap #814)."""
    of = wanted("    topic: {display_name: 警報}\ntags: {Owner: 情報}\n" + ROLLOUT)
    assert of.body.isascii()
    assert json.loads(of.body)["Resources"]["UrgentTopic"]["Properties"]["DisplayName"] == "警報"
    seen = standing(of, *(instance(a, r) for a, r in of.pairs))
    assert plan(of, replace(seen, tags={**of.tags, "Owner": "??"})) == ()
    assert plan(of, replace(seen, tags={**of.tags, "Owner": "警報"})) == (Action("update_set"),)


def test_an_accounts_own_address_is_a_parameter_of_its_stacks() -> None:
    table = f"addresses: {{'{TWO}': {{SECOPS@example.com: owner@example.com}}}}"
    of = wanted(ROLLOUT.replace("rollout: {", f"rollout: {{{table}, "))
    own = {PARAMETER: "owner@example.com"}
    regions = ("eu-west-1", "us-east-1")
    assert plan(of, Seen())[1:] == (
        Action("create", (TWO,), regions, own),
        Action("create", (ONE,), regions),
    )
    stands = standing(
        of,
        instance(ONE, overrides={}),
        instance(ONE, "us-east-1", overrides={}),
        instance(TWO, overrides={}),
        instance(TWO, "us-east-1", overrides=own),
    )
    assert plan(of, stands) == (Action("update", (TWO,), ("eu-west-1",), own, own=True),)


def test_units_are_targets_and_accounts_are_aws_own_to_know() -> None:
    of = wanted(UNITS)
    assert plan(of, Seen())[1] == Action("create", ("ou-ab12-cdefgh34",), ("eu-west-1",))
    stands = standing(of, instance(ONE, unit="ou-ab12-cdefgh34"), instance(TWO, unit="ou-ab12-cdefgh34"))
    assert plan(of, stands) == ()
    assert removal(of, stands)[-1] == Action("delete_set")


def test_what_would_be_kept_is_decided_before_the_stacks_go() -> None:
    """DeletionPolicy is read from the template that a stack has when it is deleted."""
    of = wanted()
    stands = standing(of, instance(ONE))
    assert [action.kind for action in removal(of, stands)] == ["delete", "delete_set"]
    everything = wanted_of(config(ROLLOUT), keeps=False)
    assert "RetainExceptOnCreate" not in everything.body
    assert [action.kind for action in removal(everything, stands)] == ["update_set", "delete", "delete_set"]


def test_a_set_without_our_tag_is_not_ours() -> None:
    of = wanted()
    assert "does not carry our tag" in str(refusal(of, Seen("{}")))
    assert refusal(of, standing(of)) is None
    assert refusal(of, Seen()) is None


def test_a_set_of_accounts_does_not_become_one_of_units() -> None:
    """API_UpdateStackSet: PermissionModel stays while there are stacks."""
    found = refusal(wanted(UNITS), replace(standing(wanted()), by_units=False))
    assert found
    assert "is self-managed (accounts), the file's would be service-managed" in found[0]
    assert refusal(wanted(UNITS), replace(standing(wanted(UNITS)), by_units=True)) is None


def test_an_operations_id_says_whether_its_stacks_may_have_addresses_of_their_own() -> None:
    of, stands = wanted(), standing(wanted(), instance(ONE, overrides={}), instance(TWO, overrides={}))
    other = replace(stands, body="{}")
    ids = [action.operation_id(of, "") for action in plan(of, other)]
    assert [unsure_after(one) for one in ids] == [False, False]  # update_set, create
    told = replace(other, instances=(instance(ONE, overrides={PARAMETER: "o@example.com"}), instance(TWO)))
    assert [unsure_after(action.operation_id(of, "")) for action in plan(of, told) if action.kind != "create"] == [
        True,  # update_set: one has an address of its own while it runs
        True,  # update: one that fails may keep it
    ]
    assert unsure_after("11111111-2222-4333-8444-555555555555")  # somebody else's operation
    assert unsure_after("")


def test_the_same_request_has_the_same_id_and_a_later_one_another() -> None:
    of, action = wanted(), Action("create", (ONE,), ("eu-west-1",))
    assert action.operation_id(of, "before") == action.operation_id(wanted(), "before")
    ids = {
        action.operation_id(of, "before"),
        action.operation_id(of, "later"),
        action.operation_id(replace(of, body="{}"), "before"),
        replace(action, targets=(TWO,)).operation_id(of, "before"),
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("old", "new", "mails"),
    [
        ("", "", 0),
        ("secops@", "sec@", 1),  # another address by default
        ("name: urgent", "name: later", 1),  # another topic
        ("secops@example.com", "secops@example.com, b@example.com", 1),
        ("    subscribers", "    topic: {display_name: Alerts}\n    subscribers", 0),
    ],
)
def test_whoever_must_confirm_again_is_counted(old: str, new: str, mails: int) -> None:
    """AWS::SNS::Subscription: another endpoint or topic is a replacement."""
    before, text = wanted(), (SMALLEST + ROLLOUT).replace(old, new) if old else SMALLEST + ROLLOUT
    after = wanted_of(completed(parse(text)).settled())
    assert new_mails(after, standing(before)) == mails
    assert new_mails(after, Seen('{"Resources": {"A": {"Type": "AWS::SNS::Subscription"}}}')) == 1 + (", b@" in new)


def test_a_template_that_is_too_long_for_a_request_is_told_before_anything_is_asked() -> None:
    more = "".join(
        f"  - {{name: team-{n}, findings: {{accounts: ['{n:012}']}}, subscribers: [t{n}@example.com]}}\n"
        for n in range(8)
    )
    with pytest.raises(UsageError, match=r"bytes, and `rollout` hands CloudFormation 51,200 at most") as error:
        wanted(more + ROLLOUT)
    assert "about six routes fit" in str(error.value.hint)


def test_a_function_needs_a_bucket() -> None:
    text = "    message: {format: lambda}\n"
    with pytest.raises(UsageError, match="bucket"):
        wanted(text + ROLLOUT)
    for rollout in (ROLLOUT, UNITS):
        named = wanted(text + rollout.replace("rollout: {", "rollout: {code_bucket: 'code-{region}', "))
        function = json.loads(named.body)["Resources"]["UrgentFormatter"]["Properties"]
        assert function["Code"]["S3Bucket"] == {"Fn::Sub": "code-${AWS::Region}"}
        assert (named.overrides, "CodeBucket" in named.parameters) == ({}, False)


def test_a_stack_set_is_given_every_parameter() -> None:
    """What AWS shows are all of them, with their defaults: a set with fewer would differ for ever."""
    assert wanted().parameters == {PARAMETER: "secops@example.com"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rollout: {regions: [eu-west-1]}", "needs either"),
        (f"rollout: {{accounts: ['{ONE}']}}", "regions"),
        (f"rollout: {{accounts: ['{ONE}'], regions: [moon]}}", "rollout.regions[0]: must be an AWS Region"),
        (f"rollout: {{accounts: ['{ONE}'], regions: [eu-west-1], auto_deployment: true}}", "goes with"),
        ("rollout: {organizational_units: [x], regions: [eu-west-1]}", "organizational_units"),
        (f"rollout: {{accounts: ['{ONE}'], regions: [eu-west-1], addresses: {{'{ONE}': {{a: b}}}}}}", "'a'"),
    ],
)
def test_a_wrong_rollout_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(text + "\n")
    assert message in "\n".join(map(str, error.value.problems))


ACCOUNTS = st.lists(st.sampled_from([ONE, TWO, THREE]), unique=True, min_size=1)
REGIONS = st.lists(st.sampled_from(["eu-west-1", "us-east-1"]), unique=True, min_size=1)
PAIRS = st.sets(st.tuples(st.sampled_from([ONE, TWO, THREE]), st.sampled_from(["eu-west-1", "us-east-1"])))


ANY = wanted()


@given(accounts=ACCOUNTS, regions=REGIONS, have=PAIRS)
@settings(max_examples=100, deadline=None)
def test_after_the_plan_exactly_the_wanted_stacks_stand(
    accounts: list[str], regions: list[str], have: set[tuple[str, str]]
) -> None:
    of = replace(ANY, pairs=frozenset(itertools.product(accounts, regions)))
    stands = set(have)
    for action in plan(of, standing(of, *(instance(a, r) for a, r in have))):
        pairs = {(target, region) for target in action.targets for region in action.regions}
        if action.kind == "create":
            assert not pairs & stands
            stands |= pairs
        else:
            assert action.kind == "delete"
            assert pairs <= stands
            stands -= pairs
    assert stands == of.pairs


EACH = OneStack(keys=2, alarms=0, mails=1)


def test_alarms_cost_and_who_hears_them_must_confirm_too() -> None:
    each = OneStack.of(config("watchdog: {subscribers: [oncall@example.com]}\n" + ROLLOUT))
    assert (each.keys, each.mails) == (2, 2)
    assert each.usd == 2 + each.alarms * 0.1 > 2


def test_a_simulation_counts_by_the_published_limits() -> None:
    rollout = wanted().rollout
    found = simulate(rollout, 500, EACH)
    assert (found.stacks, found.at_once, found.minutes) == (1000, 10, 151)
    assert (found.mails_to_confirm, found.cost_per_month_usd, found.problems) == (1000, 2000, ())
    assert simulate(rollout, 60_000, EACH).problems == ("a stack set has at most 100,000 stacks",)
