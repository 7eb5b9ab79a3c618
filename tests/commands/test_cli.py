"""The command line itself: what a wrong one gets, whether JSON was asked for, and the limits of `--timeout`."""

from __future__ import annotations

import json

import pytest

from shnotify import cli
from shnotify.config import load
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
