"""`doctor` on whole stacks, and on stacks with exactly one broken link: every one is told by name."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from shnotify.engine.health import LINKS
from shnotify.sandbox.subscriptions import suspend_subscription
from tests.conftest import Cases, World
from tests.support.breakages import (
    BOTH,
    FORMAT,
    KEYS,
    ROOT,
    Breakage,
    Stack,
    allow,
    not_ok,
    policy,
    said,
    stack,
)
from tests.support.broken_stacks import BROKEN
from tests.support.faults import REGION
from tests.support.lifecycle import ACCOUNT, RULE, TOPIC

NOT_THERE = {"summary": {"formatter"}, "lambda": {"topic-policy"}}
"""Links that a chain of this format does not have."""


def wrong(found: Stack, one: Breakage, verdict: str) -> str | None:
    """What is wrong with the diagnosis of one breakage, or None."""
    ran = found.doctor(one.edits)
    told = not_ok(ran)
    where = f"{one.link}: {one.what}"
    if verdict not in told.get(one.link, set()):
        return f"{where}: not told as {verdict}: {told}"
    # What SNS gives up goes to the same queue, by the same policy and the same key.
    behind = {"undelivered-mail"} if one.link.startswith("queue") else set()
    if beside := set(told) - {one.link, *one.also, *behind}:
        return f"{where}: also told: {[link for link in ran.json['links'] if link['id'] in beside]}"
    expected = (1,) if one.link == "credentials" else (4,) if verdict == "broken" else (0, 1)
    if ran.code not in expected:
        return f"{where}: exit code {ran.code}"
    links = [link for link in ran.json["links"] if link["verdict"] != "ok"]
    if not all(link["why"] for link in links):
        return f"{where}: says nothing"
    if one.what == "not allowed to look" and not all(link["needs"] for link in links):
        return f"{where}: does not say which permission is missing"
    return None


def check(found: Stack, some: list[Breakage], cases: Cases, *, foreign: bool = False) -> None:
    verdicts = [one.said_by_rule if foreign else one.verdict for one in some]
    pairs = [(one, verdict) for one, verdict in zip(some, verdicts, strict=True) if verdict]
    faults = [fault for one, verdict in pairs if (fault := wrong(found, one, verdict))]
    assert not faults, "\n".join(faults)
    cases(len(pairs))


def test_every_link_is_broken_in_some_stack() -> None:
    assert {one.link for one in BROKEN} == set(LINKS)
    assert len(BROKEN) >= 64
    assert len({(one.link, one.what) for one in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("mode", FORMAT)
def test_a_whole_stack_has_every_link_and_all_are_fine(world: World, mode: str) -> None:
    whole = stack(world, mode).doctor()
    assert (whole.code, not_ok(whole)) == (0, {})
    assert said(whole) == set(LINKS) - NOT_THERE[mode]


def parts(**of: int) -> list[tuple[str, int, int]]:
    """Cuts the table into parts that are tested apart, so that each takes seconds: mode, which part, of how many."""
    return [(mode, part, count) for mode, count in of.items() for part in range(count)]


@pytest.mark.parametrize(("mode", "part", "of"), parts(summary=4, **{"lambda": 2}))
def test_a_stack_with_one_broken_link(world: World, mode: str, part: int, of: int, cases: Cases) -> None:
    some = [one for one in BROKEN if mode in one.modes]
    if mode == "lambda":
        some = [one for one in some if one.modes == (mode,) or one.link in OTHERWISE]
    check(stack(world, mode), some[part::of], cases)


OTHERWISE = {"target", "topic-key", "queue", "queue-policy", "queue-key"}
"""Links that are judged otherwise where a function stands between."""


@pytest.mark.full
@pytest.mark.parametrize("part", range(4))
def test_every_broken_link_of_a_chain_with_a_function(world: World, part: int, cases: Cases) -> None:
    some = [one for one in BROKEN if "lambda" in one.modes]
    check(stack(world, "lambda"), some[part::4], cases)


@pytest.mark.parametrize(("mode", "part", "of"), parts(summary=4, **{"lambda": 1}))
def test_the_same_stack_without_its_file(world: World, mode: str, part: int, of: int, cases: Cases) -> None:
    found = stack(world, mode, "--rule", RULE)
    # What somebody's own code sends, nobody can tell.
    unknown = {} if mode == "summary" else {"formatter": {"unknown"}}
    whole = found.doctor()
    assert (whole.code, not_ok(whole)) == (0, unknown)
    assert said(whole) == set(LINKS) - NOT_THERE[mode]
    some = [one for one in BROKEN if mode in one.modes]
    if mode == "lambda":  # all others are the same as without a function
        own = frozenset({"formatter"})
        some = [replace(one, also=one.also | own) for one in some if one.modes == ("lambda",)]
    check(found, some[part::of], cases, foreign=True)


NOT_IN_STATUS = {
    *("credentials", "home-region", "aggregation", "duplicates", "unsubscribe"),
    *("invocations", "mail-failures", "queue-depth", "watchdog"),
}
"""Links that `status` does not look at, and says nothing of."""


LOOKED_AT = [one for one in BROKEN if one.link not in NOT_IN_STATUS and "summary" in one.modes and one.verdict]
FIRST_OF_EACH = list({(one.link, one.verdict): one for one in reversed(LOOKED_AT)}.values())


@pytest.mark.parametrize("some", [FIRST_OF_EACH, pytest.param(LOOKED_AT, marks=pytest.mark.full)], ids=["some", "all"])
def test_status_never_says_otherwise(world: World, some: list[Breakage], cases: Cases) -> None:
    """What is broken for `doctor` is never fine for `status`, and what is broken for `status` is so for both."""
    found = stack(world, "summary")
    assert found.status().code == 0
    for one in some:
        ran = found.status(one.edits)
        (route,) = ran.json["delivery"]
        said = (one.link, one.what, one.verdict, ran.code, route)
        assert ran.code in (1, 3, 4) or one.verdict != "broken", said
        assert route["verdict"] != "broken" or one.verdict == "broken", said
    cases(len(some))


def test_a_stack_with_existing_keys(world: World, cases: Cases) -> None:
    kms = world.client("kms")
    made = {}
    for which in ("topic", "dlq"):
        sns = {**allow(BOTH), "Sid": "sns", "Principal": {"Service": "sns.amazonaws.com"}}
        key = kms.create_key(Policy=policy(ROOT, allow(BOTH), sns))["KeyMetadata"]
        KEYS[which], made[which] = key["KeyId"], key["Arn"]
    keys = ", ".join(f"{name}_key: {{arn: '{arn}'}}" for name, arn in made.items())
    found = Stack(world, "", f"encryption: {{{keys}}}\n").made()
    assert not_ok(found.doctor()) == {}
    some = [one for one in BROKEN if one.link in ("topic-key", "queue-key")]
    check(found, [one for one in some if "summary" in one.modes], cases)


def test_two_broken_links_are_both_told(world: World, cases: Cases) -> None:
    found = stack(world, "summary")
    some = [one for one in BROKEN if one.verdict == "broken" and "summary" in one.modes and not one.masks]
    pairs = [
        (one, other)
        for one, other in itertools.combinations(some, 2)
        if one.link != other.link and not one.edits.keys() & other.edits.keys()
    ][::90]
    for one, other in pairs:
        told = not_ok(found.doctor(one.edits, other.edits))
        names = (one.link, one.what, other.link, other.what)
        assert {one.link, other.link} <= {name for name, all_ in told.items() if "broken" in all_}, names
    cases(len(pairs))


@pytest.mark.parametrize(
    ("head", "extra"),
    [
        ("", "    message: {format: json}\n"),
        ("encryption: false\n", ""),
        ("encryption: false\n", "    message: {format: lambda, resolved: true}\n"),
        ("dead_letter_queue: false\n", ""),
        ("dead_letter_queue: false\nencryption: false\n", "    message: {format: lambda}\n"),
        ("", "    source: both\n"),
        ("", "    pattern: {source: [aws.securityhub]}\n"),
        ("", "    findings: {severity: any, record_state: any, accounts: ['123456789012']}\n"),
    ],
)
def test_whole_stacks_have_nothing_broken(world: World, head: str, extra: str) -> None:
    found = Stack(world, extra, head).made()
    for arguments in ((), ("--rule", RULE), ("--topic", TOPIC)):
        found.arguments = arguments
        ran = found.doctor()
        broken = [link for link in ran.json["links"] if link["verdict"] == "broken"]
        assert (ran.code, broken) == (0, []), (head, extra, arguments)


def test_what_a_shared_thing_is_told_once(world: World) -> None:
    found = Stack(world, "  - name: rest\n    subscribers: [secops@example.com]\n").made()
    key = world.client("kms").describe_key(KeyId="alias/security-alerts-topic")["KeyMetadata"]
    world.client("kms").disable_key(KeyId=key["KeyId"])
    ran = found.doctor()
    (link,) = [link for link in ran.json["links"] if link["id"] == "topic-key"]
    assert (link["verdict"], link["route"], link["routes"]) == ("broken", None, ["urgent", "rest"])
    assert [link["id"] for link in ran.json["links"]] == sorted(
        (link["id"] for link in ran.json["links"]), key=LINKS.index
    )


def test_one_that_was_suspended_is_told_where_the_counts_prove_it(world: World) -> None:
    found = stack(world, "summary")
    suspend_subscription("secops@example.com")
    for arguments, mend in (((), "shnotify subscriptions resend secops@example.com"), (("--rule", RULE), "aws sns")):
        found.arguments = arguments
        (said,) = [one for one in found.doctor().json["links"] if one["id"] == "subscribers"]
        assert "secops@example.com got mail in the last 24 hours, so SNS suspended it" in said["why"]
        assert (said["verdict"], said["mend"].startswith(mend)) == ("broken", True)


def test_a_stack_without_any_data_is_not_called_fine(world: World) -> None:
    """As it is right after `apply`: nothing was counted, and nothing is called ok for that."""
    assert world.apply().code == 0
    ran = world.run("doctor")
    verdicts = {link["id"]: link["verdict"] for link in ran.json["links"]}
    assert verdicts["invocations"] == verdicts["mail-failures"] == "unknown"
    assert verdicts["subscribers"] == "broken"
    assert ran.code == 4
    assert json.loads(ran.out)["account"] == ACCOUNT
    assert ran.json["region"] == REGION
