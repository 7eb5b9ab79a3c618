"""How a command ends: a signal at any moment gives its exit code and one whole JSON document, never two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shnotify import cli
from shnotify.config import load
from shnotify.terminal import signals as ending
from shnotify.terminal.signals import Interrupted, catch_signals, one_document


@pytest.fixture
def caught() -> Iterator[None]:
    """Signals are ours for the time of a test."""
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    hook = sys.unraisablehook
    catch_signals()
    ending.begin()
    yield
    ending.begin()
    sys.unraisablehook = hook
    for name, handler in before.items():
        signal.signal(name, handler)


def document(*signals: signal.Signals) -> bool:
    """Writes one, and is interrupted at it."""
    with one_document() as wanted:
        for number in signals:
            os.kill(os.getpid(), number)
        return wanted


@pytest.mark.usefixtures("caught")
def test_a_signal_waits_until_the_document_is_written_and_makes_no_second_one() -> None:
    with pytest.raises(Interrupted) as ended:
        document(signal.SIGTERM)
    assert ended.value.exit_code == 143
    assert not document()
    ending.begin()
    assert document()
    assert not document()


@pytest.mark.usefixtures("caught")
def test_a_second_signal_does_not_wait_for_a_reader_that_hangs() -> None:
    with pytest.raises(Interrupted) as ended, one_document():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.exit_code == 130
    assert not document()


def test_a_signal_that_python_wraps_while_a_class_is_made_is_one_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late:
        def __set_name__(self, owner: type, name: str) -> None:
            raise Interrupted(signal.SIGHUP)

    def broken(*_: object) -> None:
        type("Made", (), {"late": Late()})

    monkeypatch.setattr(load, "load_file", broken)
    assert cli.run(["validate", "-o", "json"]) == 129
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "interrupted"


@pytest.mark.usefixtures("caught")
def test_before_a_command_begins_a_signal_waits() -> None:
    ending.hold()
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Interrupted) as ended:
        ending.begin()
    assert ended.value.exit_code == 129


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["INT", "TERM", "HUP"])
@pytest.mark.parametrize(
    "where", ["shnotify.cli", "shnotify.commands.status", "shnotify.config.models", "shnotify.escaping"]
)
def test_a_signal_while_modules_are_imported_is_one_document_too(number: signal.Signals, where: str) -> None:
    code = (
        "import os, sys\n"
        "from shnotify.__main__ import main\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {where!r} and self in sys.meta_path:\n"
        "            sys.meta_path.remove(self)\n"
        f"            os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['shnotify', 'status', '-c', 'none.yaml', '-o', 'json']\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ran.stderr
    document = json.loads(ran.stdout)
    assert document["error"]["message"] == "interrupted" or (where, ran.returncode) == (
        "shnotify.escaping",
        128 + number,
    )
    assert ran.returncode == 128 + number
