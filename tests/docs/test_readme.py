"""The READMEs: their commands exist, their examples load, what they show is what is printed, and no row is missing."""

from __future__ import annotations

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
from shnotify.terminal.options import TAKE_SEVERAL

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = {"en": TEXT, "ja": (ROOT / "README.ja.md").read_text(encoding="utf-8")}


def blocks(kind: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def rows(heading: str, text: str = TEXT) -> list[list[str]]:
    """The cells of the table under a heading row."""
    table = text[text.index(heading) :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def page(name: str) -> str:
    """A page of the documentation."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


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


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_command_after_the_programs_name_exists(text: str) -> None:
    found = set(re.findall(r"(?:^ {4}|`|-- )shnotify ([a-z-]+)", text, re.MULTILINE))
    assert found <= set(cli.COMMANDS)
    assert {"init", "validate", "plan", "apply", "status", "destroy"} <= found


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_command_has_its_row(text: str) -> None:
    heading = "| command | does |" if text is TEXT else "| コマンド | 内容 |"
    table = text[text.index(heading) :].partition("\n\n")[0]
    first = " ".join(line.split("|")[1] for line in table.splitlines()[2:])
    assert set(re.findall(r"`([a-z-]+)`", first)) == set(cli.COMMANDS)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_option_exists(text: str) -> None:
    """Somewhere: the shared ones stand without a command."""
    known = "".join(map(help_of, cli.COMMANDS))
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)):
        assert option in known


def test_make_has_its_targets() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= set(re.findall(r"\bmake ([a-z-]+)", TEXT)) & made


def test_it_names_every_command_that_takes_several_files() -> None:
    listed = TEXT[TEXT.index("What is about whole notifiers") : TEXT.index("takes several files")]
    assert set(re.findall(r"`([a-z -]+)`", listed)) == set(TAKE_SEVERAL)


def test_every_exit_code_is_there() -> None:
    assert [row[0] for row in rows("| exit code |")] == ["0", "1", "2", "3", "4", "130"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_its_configurations_load(text: str) -> None:
    found = [completed(parse(block)) for block in blocks("yaml", text)]
    assert [config.name for config in found] == ["security-alerts"]


def test_every_statement_of_the_guide_is_in_the_table() -> None:
    found: set[int] = set()
    for row in rows("| guide |", page("what-is-made.md")):
        for first, last in re.findall(r"R(\d+)(?: to R(\d+))?", row[0]):
            found |= set(range(int(first), int(last or first) + 1))
    assert found == set(range(1, 50))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_its_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / target).exists()


@pytest.mark.parametrize(
    ("row", "command", "known"),
    [
        ("`status`, `plan`", "status", None),
        ("`doctor`, also", "doctor", "status"),
        ("`apply`, also", "apply", "status"),
        ("`destroy`, also", "destroy", "status"),
        ("`dlq`", "dlq", None),
        ("`estimate`", "estimate", None),
        ("`baseline`", "baseline", None),
        ("`why`, also", "why", "status"),
        ("`test`, also", "test", "status"),
        ("`subscriptions`, also", "subscriptions", "status"),
        ("`rollout`", "rollout", None),
    ],
)
def test_its_permissions_are_what_is_declared(row: str, command: str, known: str | None) -> None:
    table = {cells[0]: cells[1] for cells in rows("| for (`plan`", page("permissions.md"))}
    actions = actions_of(command) - (actions_of(known) if known else frozenset())
    assert table[row] == in_words(actions)
