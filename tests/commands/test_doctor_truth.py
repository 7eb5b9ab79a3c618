"""`doctor` on stacks that are whole, and on stacks with exactly one broken link: every one is told by name."""

from __future__ import annotations

import pytest

from shnotify.engine.health import LINKS
from tests.conftest import World
from tests.support.breakages import KEYS, Breakage, Stack, not_ok, said
from tests.support.broken_stacks import BROKEN
from tests.support.lifecycle import RULE

FORMAT = {"summary": "", "lambda": "    message: {format: lambda}\n"}
CODES = {"broken": 4}


def stack(world: World, mode: str, *arguments: str, head: str = "") -> Stack:
    found = Stack(world, FORMAT[mode], head, arguments).made()
    for which in ("topic", "dlq"):
        if not head:
            key = world.client("kms").describe_key(KeyId=f"alias/security-alerts-{which}")
            KEYS[which] = key["KeyMetadata"]["KeyId"]
    return found


def wrong(found: Stack, one: Breakage, verdict: str) -> str | None:
    """What is wrong with the diagnosis of one breakage, or None."""
    ran = found.doctor(one.edits)
    told = not_ok(ran)
    where = f"{one.link}: {one.what}"
    if verdict not in told.get(one.link, set()):
        return f"{where}: not told as {verdict}: {told}"
    if beside := set(told) - {one.link, *one.also}:
        return f"{where}: also told: {beside}: {[link['why'] for link in ran.json['links'] if link['id'] in beside]}"
    if one.link != "credentials" and ran.code not in ((4,) if verdict == "broken" else (0, 1)):
        return f"{where}: exit code {ran.code}"
    silent = [link for link in ran.json["links"] if link["verdict"] != "ok" and not link["why"]]
    return f"{where}: says nothing" if silent else None


def misjudged(found: Stack, cases: list[Breakage], *, foreign: bool = False) -> list[str]:
    verdicts = [one.said_by_rule if foreign else one.verdict for one in cases]
    pairs = zip(cases, verdicts, strict=True)
    return [fault for one, verdict in pairs if verdict and (fault := wrong(found, one, verdict))]


def test_every_link_is_broken_in_some_stack() -> None:
    assert {one.link for one in BROKEN} == set(LINKS)
    assert len(BROKEN) >= 64
    assert len({(one.link, one.what) for one in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("mode", FORMAT)
def test_a_stack_with_one_broken_link(world: World, mode: str) -> None:
    found = stack(world, mode)
    assert not_ok(found.doctor()) == {}
    assert misjudged(found, [one for one in BROKEN if mode in one.modes]) == []


def test_x(world: World) -> None:
    found = stack(world, "summary", "--rule", RULE)
    assert not_ok(found.doctor()) == {}
    assert misjudged(found, [one for one in BROKEN if "summary" in one.modes], foreign=True) == []
