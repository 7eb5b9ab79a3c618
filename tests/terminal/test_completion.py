"""Completion scripts: bash's is run, those of zsh and fish are checked by what they name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from shnotify import cli
from shnotify.terminal.completion import SHELLS, Known, known, script

ROOT = known(cli.cli)


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("no bash here")
    typed = " ".join(f"'{word}'" for word in words)
    program = f"""{script("bash", ROOT)}
COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _shnotify; printf '%s\\n' "${{COMPREPLY[@]}}" """
    env = {"PATH": "/usr/bin:/bin"}
    ran = subprocess.run([bash, "-c", program], capture_output=True, text=True, check=True, cwd=folder, env=env)
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["shnotify", "pl"], ["plan"]),
        (["shnotify", "plan", "--ex"], ["--exit-code"]),
        (["shnotify", "plan", "-o", ""], ["text", "json"]),
        (["shnotify", "render", "--format", "l"], ["lambda"]),
        (["shnotify", "render", "--route", ""], ["urgent", "weekly"]),
        (["shnotify", "render", "-c", "other.yaml", "--route", ""], ["alone"]),
        (["shnotify", "dlq", "redrive", "--to-route", "w"], ["weekly"]),
        (["shnotify", "subscriptions", "resend", "sec"], ["secops@example.com"]),
        (["shnotify", "subscriptions", "remove", "https"], ["https://example.com/hook"]),
        (["shnotify", "dlq", "show", "0a"], ["0a1b2c3d"]),
        (["shnotify", "dlq", "redrive", "--id", ""], ["0a1b2c3d", "1b2c3d4e"]),
        (["shnotify", "why", "find"], []),
        (["shnotify", "match", "find"], ["finding.json"]),
        (["shnotify", "plan", "-c", "other"], ["other.yaml"]),
        (["shnotify", "plan", "--region", ""], []),
        (["shnotify", "completion", "z"], ["zsh"]),
        (["shnotify", "-"], ["--lang", "-V", "--version", "-h", "--help"]),
    ],
)
def test_bash_offers_what_fits(tmp_path: Path, words: list[str], offered: list[str]) -> None:
    text = """\
name: a
routes:
  - name: urgent
    subscribers: [secops@example.com, team@example.com]   # not second@example.com
  - name: "weekly"
    subscribers:
      - {protocol: https, endpoint: "https://example.com/hook"}
"""
    (tmp_path / "shnotify.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "other.yaml").write_text("name: b\nroutes:\n  - name: alone\n", encoding="utf-8")
    letters = '{"id": "0a1b2c3d", "system": {}}\n{"id": "1b2c3d4e", "system": {}}\n'
    (tmp_path / "lost.jsonl").write_text(letters, encoding="utf-8")
    (tmp_path / "finding.json").touch()
    assert completed(tmp_path, *words) == offered


def names(found: Known) -> set[str]:
    """Every command and every long option."""
    options = {name for option in found.options for name in option.names if name.startswith("--")}
    return options.union(found.below, *(names(inner) for inner in found.below.values()))


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_it(shell: str) -> None:
    text = script(shell, ROOT)
    assert set(cli.COMMANDS) <= names(ROOT)
    missing = [
        name for name in names(ROOT) if (f"-l {name[2:]}" if shell == "fish" and name[:2] == "--" else name) not in text
    ]
    assert missing == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_it_whatever_the_width(
    shell: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert cli.run(["completion", shell]) == 0
    assert capsys.readouterr().out == script(shell, ROOT)
    if checker := shutil.which(shell):
        subprocess.run([checker, "-n", "/dev/stdin"], input=script(shell, ROOT), text=True, check=True)


def test_it_calls_no_program_of_ours() -> None:
    for shell in SHELLS:
        code = [line for line in script(shell, ROOT).splitlines() if not line.startswith("#")]
        assert not [line for line in code if "$(shnotify" in line or "(shnotify " in line]
