"""Many notifiers in one run: several files, a directory, several Regions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

from shnotify.commands import _fleet
from tests.conftest import Ran, World
from tests.support.throttling import throttled

FILE = "name: {name}\n{where}\nroutes:\n  - name: urgent\n    subscribers: [{name}@example.com]\n"


@pytest.fixture
def many(world: World, tmp_path: Path) -> Callable[..., Path]:
    """Writes files into a directory, and lets the world's own file be that directory."""

    def write(*names: str, where: str = "region: eu-west-1") -> Path:
        folder = tmp_path / "conf.d"
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / f"{name}.yaml").write_text(FILE.format(name=name, where=where), encoding="utf-8")
        world.path = folder
        return folder

    return write


def of(ran: Ran, *what: str) -> list[Any]:
    assert set(ran.json) == {"notifiers", "error"}
    assert ran.json["error"] is None
    return [tuple(one[name] for name in what) if len(what) > 1 else one[what[0]] for one in ran.json["notifiers"]]


def test_a_directory_is_planned_applied_shown_and_destroyed(world: World, many: Callable[..., Path]) -> None:
    many("beta", "alpha", "gamma")
    names = ["alpha", "beta", "gamma"]
    plan = world.run("plan", "--exit-code")
    assert (plan.code, of(plan, "name")) == (3, names)
    assert {one["create"] for one in of(plan, "summary")} == {7}
    assert world.faults.writes == []
    applied = world.run("apply", "--yes")
    assert (applied.code, of(applied, "name", "error")) == (0, [(name, None) for name in names])
    assert {a["result"] for one in of(applied, "actions") for a in one} == {"done"}
    status = world.run("status")
    assert (status.code, of(status, "in_sync")) == (4, [True] * 3)  # nobody has confirmed
    gone = world.run("destroy", "--yes")
    assert (gone.code, of(gone, "name")) == (0, names)
    assert world.client("sns").list_topics()["Topics"] == []


def test_one_file_in_a_directory_is_told_as_one_file(world: World, many: Callable[..., Path]) -> None:
    many("alpha")
    assert world.run("plan").json["name"] == "alpha"
    assert world.run("validate").json["name"] == "alpha"


def test_what_one_reading_tells_is_asked_once(world: World, many: Callable[..., Path]) -> None:
    many("a", "b", "c", "d")
    world.run("plan")
    assert world.faults.operations.count("tag:GetResources") == 1
    assert world.faults.operations.count("sts:GetCallerIdentity") == 1


def test_a_refusal_in_one_stops_only_that_one(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta", "gamma")
    world.client("sns").create_topic(Name="beta-urgent")
    ran = world.run("apply", "--yes")
    assert (ran.code, [one is None for one in of(ran, "error")]) == (1, [True, False, True])
    assert {a["result"] for a in of(ran, "actions")[1] if a["action"] == "create"} == {"skipped"}
    assert of(world.run("status"), "in_sync") == [True, False, True]
    world.capsys.readouterr()
    told = world.text("apply", "--yes")
    assert "beta (eu-west-1): FAILED: " in told.out
    assert "alpha (eu-west-1): nothing to do" in told.out
    assert "2 went well, 1 with exit code 1" in told.out


def test_without_a_yes_nothing_is_done(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta")
    ran = world.run("apply")
    assert (ran.code, "--yes" in ran.json["error"]["hint"]) == (2, True)
    assert world.faults.writes == []


def test_each_region_of_a_file_has_its_notifier(world: World, many: Callable[..., Path]) -> None:
    folder = many("alpha", where="regions: [eu-west-1, us-east-1]")
    ran = world.run("apply", "--yes")
    assert (ran.code, of(ran, "name", "region")) == (0, [("alpha", "eu-west-1"), ("alpha", "us-east-1")])
    found = [world.faults.client("sns", one).list_topics()["Topics"] for one in ("eu-west-1", "us-east-1")]
    assert [topic["TopicArn"].split(":")[3] for topics in found for topic in topics] == ["eu-west-1", "us-east-1"]
    narrowed = world.run("status", "--region", "us-east-1")
    assert narrowed.json["region"] == "us-east-1"
    other = world.run("status", "--region", "eu-north-1")
    assert (other.code, "not for eu-north-1" in other.json["error"]["message"]) == (2, True)
    world.path = folder / "alpha.yaml"
    alone = world.run("dlq", "show", "abcd")
    assert (alone.code, "--region" in str(alone.json["error"]["hint"])) == (2, True)
    assert world.faults.calls == []


def test_an_interrupt_leaves_what_the_next_run_picks_up(
    world: World, many: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    many(*"abcdef")

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if set(world.faults.writes) and "return_when" in options:
            raise KeyboardInterrupt
        return wait(*arguments, **{**options, "timeout": 0.01} if "return_when" in options else options)

    with monkeypatch.context() as patch:
        patch.setattr(_fleet, "wait", interrupted)
        ran = world.run("apply", "--yes")
    assert of(ran, "name") == list("abcdef")
    assert ran.code == 130
    again = world.run("apply", "--yes")
    assert (again.code, of(again, "error")) == (0, [None] * 6)
    assert all(of(world.run("status"), "in_sync"))
    keys = world.client("kms").list_aliases()["Aliases"]
    assert len([one for one in keys if not one["AliasName"].startswith("alias/aws/")]) == 12


@pytest.mark.parametrize("command", ["dlq show abcd", "dlq export FILE", "export cloudformation", "render -"])
def test_a_command_about_a_thing_of_one_notifier_says_so(
    world: World, many: Callable[..., Path], command: str, tmp_path: Path
) -> None:
    folder = many("alpha", "beta")
    words = command.replace("FILE", str(tmp_path / "out")).split()
    for named in ([str(folder)], [str(folder / "alpha.yaml"), "-c", str(folder / "beta.yaml")]):
        ran = world.text(*words, "-c", *named)
        assert (ran.code, "takes one notifier, and 2 are named" in ran.err) == (2, True), ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("subscriptions list", "alpha (eu-west-1): 1 missing"),
        ("estimate", "alpha (eu-west-1): 0 findings match now; 0 since "),
        ("dlq list", "alpha (eu-west-1): FAILED: "),
        ("why x", "alpha (eu-west-1): mailed: "),
        ("why --last 5", "alpha (eu-west-1): 0 of 0 mailed, as far as can be seen"),
    ],
)
def test_commands_that_read_take_several(world: World, many: Callable[..., Path], command: str, line: str) -> None:
    """One document with a list, and a line each."""
    many("alpha", "beta")
    world.client("securityhub").enable_security_hub()
    assert of(world.run(*command.split()), "name") == ["alpha", "beta"]
    assert line in world.text(*command.split()).out


def test_a_subscriber_of_several_is_asked_again_and_where_it_is_not_that_is_told(
    world: World, many: Callable[..., Path]
) -> None:
    many("alpha", "beta")
    world.run("apply", "--yes")
    ran = world.run("subscriptions", "resend", "alpha@example.com")
    told = {one["name"]: one["error"] and one["error"]["message"] for one in ran.json["notifiers"]}
    assert (ran.code, told["alpha"]) == (2, None)
    assert "alpha@example.com" in told["beta"]
    assert "alpha (eu-west-1): 1 asked again" in world.text("subscriptions", "resend", "alpha@example.com").out


def test_a_finding_goes_its_way_in_each_notifier(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta")
    finding = str(Path(__file__).parents[1] / "data" / "cspm-control-s3.json")
    assert [len(found) for found in of(world.run("match", finding), "findings")] == [1, 1]
    text = world.text("match", finding)
    assert (text.code, text.out.count("go somewhere")) == (0, 2)
    assert "alpha (" in text.out


def test_several_are_tested_side_by_side(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta")
    world.run("apply", "--yes")
    assert of(world.run("test", "--dry-run"), "name", "dry_run") == [("alpha", True), ("beta", True)]
    ran = world.run("test", "--direct", "--yes")
    assert of(ran, "route", "delivered") == [("urgent", "no")] * 2  # nobody has confirmed


def test_the_backlog_of_several_is_marked_after_one_question(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta")
    world.client("securityhub").enable_security_hub()
    preview = world.text("baseline", "--preview")
    assert "alpha (eu-west-1): 0 of 0 findings marked" in preview.out
    assert of(world.run("baseline", "--yes"), "name", "done") == [("alpha", 0), ("beta", 0)]


def test_the_least_permissions_of_several_are_a_list(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta")
    policies = of(world.run("iam-policy", "--for", "status"), "policy")
    assert ["alpha" in str(one) for one in policies] == [True, False]
    assert world.text("iam-policy", "--for", "status", "--part", "1").code == 2


def test_each_reviewed_plan_is_expected_by_its_fingerprint(world: World, many: Callable[..., Path]) -> None:
    many("alpha", "beta")
    plan = world.run("plan")
    one, two = of(plan, "fingerprint")
    assert f"fingerprint {one}" in world.text("plan").out
    few = world.run("apply", "--expect", one)
    assert (few.code, world.faults.calls) == (2, [])
    wrong = world.run("apply", "--expect", one, "--expect", "0" * len(two))
    assert (wrong.code, [e and e["code"] for e in of(wrong, "error")]) == (1, [None, "UnexpectedPlan"])
    again = of(world.run("plan"), "fingerprint")
    assert world.run("apply", *(word for mark in again for word in ("--expect", mark))).code == 0


def test_files_are_validated_together(world: World, many: Callable[..., Path]) -> None:
    folder = many("alpha", "beta")
    assert of(world.run("validate"), "name") == ["alpha", "beta"]
    for name in ("alpha", "beta"):
        (folder / f"{name}.yaml").write_text(f"name: {name}\nregion: nowhere\n", encoding="utf-8")
    ran = world.run("validate")
    assert ran.code == 2
    assert {Path(one["file"]).name for one in ran.json["errors"]} == {"alpha.yaml", "beta.yaml"}


def test_names_that_collide_are_told_with_both_places(world: World, many: Callable[..., Path]) -> None:
    folder = many("alpha")
    text = FILE.format(name="beta", where="encryption: {dlq_key: {alias: alias/alpha-topic}}")
    (folder / "beta.yaml").write_text(text, encoding="utf-8")
    (folder / "twin.yaml").write_text(FILE.format(name="alpha", where="region: eu-west-1"), encoding="utf-8")
    ran = world.run("plan")
    told = [(Path(e["file"]).name, e["line"], e["column"], e["path"]) for e in ran.json["errors"]]
    assert told == [("beta.yaml", 2, 31, "encryption.dlq_key.alias"), ("twin.yaml", 1, 7, "name")]
    assert all(f"{folder / 'alpha.yaml'}:1:7 has the" in e["message"] for e in ran.json["errors"])
    assert world.faults.calls == []


@pytest.mark.full
def test_thirty_routes_are_hardly_throttled(world: World) -> None:
    """Published rates: 30 topics' tags at ten a second, 60 rules and their targets at fifty."""
    routes = "".join(
        f"  - name: r{number}\n    findings: {{accounts: ['{number:012}']}}\n    subscribers: [r{number}@example.com]\n"
        for number in range(30)
    )
    world.write(f"name: wide\nregion: eu-west-1\nroutes:\n{routes}")
    allowance = throttled(world.faults)
    assert world.apply().code == 0
    assert allowance.refused <= 0.02 * len(world.faults.calls)


def test_the_rates_are_those_of_all_notifiers_together(world: World, many: Callable[..., Path]) -> None:
    many(*"abcdef")
    allowance = throttled(world.faults)
    assert world.apply().code == 0
    assert allowance.refused <= 0.02 * len(world.faults.calls)
