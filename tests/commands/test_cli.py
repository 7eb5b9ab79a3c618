"""The command line itself: what a wrong one gets, whether JSON was asked for, and the limits of `--timeout`."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from shnotify import __version__, cli
from shnotify.config import load
from shnotify.terminal import language
from shnotify.terminal.help import OTHERS, Command, Group, grouped
from shnotify.terminal.help import helped as helped_command
from shnotify.terminal.options import Seconds
from shnotify.terminal.wrapping import columns
from tests.conftest import Ran


def run(capsys: pytest.CaptureFixture[str], line: str) -> Ran:
    capsys.readouterr()
    return Ran(cli.run(line.split(" ")), *capsys.readouterr())


@pytest.mark.parametrize(
    "line",
    [
        "plan -o json -c none.yaml",
        "plan -ojson -c none.yaml",
        "plan --output=json -c none.yaml",
        "plan -vo json -c none.yaml",
        "apply -yvojson -c none.yaml",
        "plan -o text -o json -c none.yaml",
        "plan --nope -o json",
        "frobnicate -o json",
        "-o json plan",
        "status --timeout -o json -o json",
        "status --timeout nan -o json",
        "init --email -o json -o json --nope",
        "dlq list -o json -c none.yaml",
        "dlq redrive --id -o -o json --nope",
        "dlq frobnicate -o json",
    ],
)
def test_a_command_line_that_asks_for_json_gets_one_document(capsys: pytest.CaptureFixture[str], line: str) -> None:
    ran = run(capsys, line)
    assert (ran.code, bool(ran.json["error"]["message"])) == (2, True)


@pytest.mark.parametrize(
    "line",
    [
        "plan -o json -o text -c none.yaml",
        "plan -c -ojson",
        "init --email -o json --nope",
        "match -c none.yaml -- -o json",
        "dlq show --config -ojson",
        "plan -o xml -c none.yaml",
    ],
)
def test_one_that_does_not_gets_none(capsys: pytest.CaptureFixture[str], line: str) -> None:
    ran = run(capsys, line)
    assert (ran.code, ran.out, bool(ran.err)) == (2, "", True)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("pln", "did you mean plan?"),
        ("plan --outpt json", "--output"),
        ("--config x plan", "options stand after the command"),
        ("status --timeout 0.5", "1<=x<=86400"),
        ("status --timeout inf", "1<=x<=86400"),
        ("status --timeout nan", "not a number"),
        ("status --timeout 2d", "1<=x<=86400"),
        ("status --timeout 5x", "'5x' is not a valid duration"),
        ("pln -h", "did you mean plan?"),
        ("help pln", "did you mean plan?"),
        ("apply --dry-run", "`shnotify plan` shows what apply would do"),
        ("apply --auto-approve", "--yes"),
        ("validate --region eu-west-1", "asks nothing of AWS"),
        ("validate --profile ops", "asks nothing of AWS"),
        ("validate --timeout 5m", "asks nothing of AWS"),
        ("--region eu-west-1 plan", "options stand after the command"),
        ("--json plan", "options stand after the command"),
        ("destroy --dry-run", "`shnotify destroy` shows what would go"),
        ("baseline --dry-run", "--preview"),
        ("rollout apply --dry-run", "`shnotify rollout plan`"),
        ("plan --json", "-o json"),
    ],
)
def test_a_wrong_one_is_told_what_would_be_right(capsys: pytest.CaptureFixture[str], line: str, hint: str) -> None:
    ran = run(capsys, line)
    assert ran.code == 2
    assert hint in ran.err


def test_a_bug_of_ours_is_one_document_too_and_shows_its_place_only_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom\x1b[31m")

    monkeypatch.setattr(load, "load_file", broken)
    for more, traced in (("", False), (" -v", True)):
        ran = run(capsys, f"validate -o json{more}")
        assert (ran.code, json.loads(ran.out)["error"]["message"]) == (1, "unexpected: RuntimeError: boom\x1b[31m")
        assert ("Traceback" in ran.err) is traced
        assert "\x1b" not in ran.err


@pytest.mark.parametrize("words", [["-V"], ["--version"], ["version"]])
def test_the_version_is_told_however_it_is_asked_for(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert cli.run(words) == 0
    assert capsys.readouterr().out == f"shnotify, version {__version__}\n"


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    for words, same in ((["help"], ["--help"]), (["help", "plan"], ["plan", "-h"])):
        assert cli.run(words) == 0
        said = capsys.readouterr().out
        assert cli.run(same) == 0
        assert said == capsys.readouterr().out


@pytest.mark.parametrize(("typed", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600), ("1.5", 1.5)])
def test_a_time_limit_is_written_as_in_the_file(typed: str, seconds: float) -> None:
    assert Seconds().convert(typed, None, None) == seconds


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command with how it is typed, those below a command too."""
    if path:
        yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            yield from commands(inner, (*path, name))


COMMANDS = dict(commands(cli.cli))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_groups_its_options_and_shows_two_examples_that_parse(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = COMMANDS[path]
    monkeypatch.chdir(tmp_path)
    for name in ("finding.json", "lost.jsonl", "new.yaml", "team.yaml"):  # what examples name
        (tmp_path / name).touch()
    assert isinstance(command, Command | Group)
    assert len(command.examples) >= 2
    for example in command.examples:
        words = shlex.split(example.rpartition("| ")[2].partition(" > ")[0])
        assert " ".join(words).startswith(f"shnotify {path}")
        command.make_context(path, words[1 + len(path.split()) :])  # raises for an option that does not exist
    helped = CliRunner().invoke(cli.cli, [*path.split(), "--help"]).output
    assert "\nExamples:\n" in helped
    shared = {"output", "verbose", "no_color", "lang"} & {one.name for one in command.params}
    assert ("\nShared options:\n" in helped) is bool(shared)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("width", [60, 80, 200])
def test_helps_fit_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, lang: str
) -> None:
    """But for what is typed, and a word that is longer than its line."""
    monkeypatch.setenv("COLUMNS", str(width))
    for path in ["", *COMMANDS]:
        cli.run([*path.split(), "--help", "--lang", lang])
        text = capsys.readouterr().out
        typed = re.compile(r"(Usage|使い方): |  (aws|shnotify) ")
        lines = [line for line in text.splitlines() if not typed.match(line) and len(line.split()) > 1]
        assert [line for line in lines if columns(line) > width] == [], path
    language.choose([], {})


def test_a_group_below_suggests_too() -> None:
    @click.group("dlq")
    def dlq() -> None:
        """A group."""

    @dlq.command("list")
    @click.option("--force", is_flag=True)
    def listed(force: bool) -> None:
        """A command."""

    command = helped_command(dlq, "dlq")
    assert "did you mean list?" in CliRunner().invoke(command, ["lst", "-h"]).output
    assert "give --yes" in CliRunner().invoke(command, ["list", "--auto-approve"]).output
    shown = CliRunner().invoke(command, ["list", "--help"]).output
    assert ("Options:\n  --force" in shown, "shnotify dlq list" in shown) == (True, True)


def test_a_command_that_no_group_names_comes_last_and_one_that_is_not_there_is_left_out() -> None:
    assert grouped(["plan", "new", "init"]) == {"Set up": ["init"], "Look": ["plan"], "More": ["new"]}
    assert OTHERS not in grouped(cli.COMMANDS)
