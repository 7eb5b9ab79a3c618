"""`iam-policy`: one document, of what the file needs and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import World
from tests.support.faults import REGION

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
