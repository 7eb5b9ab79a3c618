"""The README: its commands exist, its examples load, what it shows is what is printed, and no row is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from shnotify import cli
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse
from shnotify.notifier.permissions import actions_of, in_words
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import World
from tests.support.faults import REGION

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
DEMO = f"name: demo-alerts\nregion: {REGION}\nroutes:\n  - name: urgent\n    subscribers: [secops@example.com]\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading row."""
    table = TEXT[TEXT.index(heading) :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def commands() -> Iterator[tuple[str, str]]:
    """(command, option) as they stand in code; the option may be empty."""
    for inline, block in re.findall(r"`([^`\n]+)`|^    (.+)$", TEXT, re.MULTILINE):
        words = (inline or block.partition("#")[0]).removeprefix("shnotify ").split()
        if words and words[0] in cli.COMMANDS:
            yield from ((words[0], option) for option in ["", *words[1:]] if option.startswith("-") or not option)


def help_of(name: str) -> str:
    """The help of a command, and of its subcommands."""
    command = cli.cli.get_command(click.Context(cli.cli), name)
    below = list(command.commands) if isinstance(command, click.Group) else []
    helped = [CliRunner().invoke(cli.cli, [name, *sub, "--help"]) for sub in [[], *([one] for one in below)]]
    assert {one.exit_code for one in helped} == {0}
    return "".join(one.output for one in helped)


def test_its_commands_and_options_exist() -> None:
    found = set(commands())
    assert {name for name, _ in found} == set(cli.COMMANDS)
    assert ("plan", "--exit-code") in found
    for name, option in found:
        assert option in help_of(name)


def test_every_command_after_the_programs_name_exists() -> None:
    assert set(re.findall(r"`?shnotify ([a-z-]+)", TEXT)) <= set(cli.COMMANDS)


def test_every_option_exists() -> None:
    """Somewhere: the shared ones stand without a command."""
    known = "".join(map(help_of, cli.COMMANDS))
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)):
        assert option in known


def test_make_has_its_targets() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= set(re.findall(r"\bmake ([a-z-]+)", TEXT)) & made


def test_every_exit_code_is_there() -> None:
    assert [row[0] for row in rows("| exit code |")] == ["0", "1", "2", "3", "4", "130"]


def test_its_configurations_load() -> None:
    found = [completed(parse(block)) for block in blocks("yaml")]
    assert [config.name for config in found] == ["security-alerts"]


def test_every_statement_of_the_guide_is_in_the_table() -> None:
    found: set[int] = set()
    for row in rows("| guide |"):
        for first, last in re.findall(r"R(\d+)(?: to R(\d+))?", row[0]):
            found |= set(range(int(first), int(last or first) + 1))
    assert found == set(range(1, 50))


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists()


def shown_in(block: str, printed: str) -> None:
    """Every line of the block was printed, in this order; `...` stands for lines that are left out."""
    at = 0
    lines = printed.splitlines()
    for line in block.splitlines():
        if line == "...":
            continue
        assert line in lines[at:], f"not printed any more: {line!r}"
        at = lines.index(line, at) + 1


def test_what_it_shows_is_what_is_printed(world: World) -> None:
    plan, status = (block.replace("us-east-1", REGION) for block in blocks("console"))
    world.write(DEMO)
    shown_in(plan, world.text("plan").out)
    assert world.apply().code == 0
    confirm_subscription("secops@example.com")
    meddle(world)
    ran = world.text("status")
    assert ran.code == 3
    shown_in(status, ran.out)


def meddle(world: World) -> None:
    """What the README says that somebody did."""
    kms, sqs = world.client("kms"), world.client("sqs")
    key = kms.describe_key(KeyId="alias/demo-alerts-topic")["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    del policy["Statement"][1]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    url = sqs.get_queue_url(QueueName="demo-alerts-dlq")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    world.client("events").disable_rule(Name="demo-alerts-urgent")


@pytest.mark.parametrize(
    ("row", "command", "known"),
    [
        ("`status`, `plan`", "status", None),
        ("`apply`, also", "apply", "status"),
        ("`destroy`, also", "destroy", "status"),
        ("`estimate`", "estimate", None),
        ("`baseline`", "baseline", None),
        ("`dlq`", "dlq", None),
    ],
)
def test_its_permissions_are_what_is_declared(row: str, command: str, known: str | None) -> None:
    table = {cells[0]: cells[1] for cells in rows("| for (`plan`")}
    actions = actions_of(command) - (actions_of(known) if known else frozenset())
    assert table[row] == in_words(actions)
