"""What a person reads, whole, at 80 and at 120 columns; and that nothing is wider at any width.

`GOLDEN=write pytest tests/terminal/test_golden.py` writes the texts anew, to be read in the diff.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shnotify.terminal.wrapping import columns
from tests.conftest import Ran, World
from tests.support.lifecycle import queue, rule, target

TEXTS = Path(__file__).parents[1] / "data" / "texts"
TWO = """\
  - name: weekly
    source: hub
    findings: {severity: any, exclude: {controls: [S3.1, EC2.19]}}
    message: {format: lambda, language: ja}
    subscribers: [team@example.com, {protocol: https, endpoint: "https://example.com/hook"}]
"""


def fresh(world: World) -> None:
    world.write(world.path.read_text("utf-8") + TWO)


def changed(world: World) -> None:
    """Made, and then changed by hand."""
    world.apply()
    queue("MessageRetentionPeriod", "60")(world)
    rule(EventPattern='{"source":["aws.s3"]}', State="DISABLED")(world)
    target(InputTransformer=None)(world)


def nothing(_world: World) -> None:
    """A file, and nothing made."""


def wrong(world: World) -> None:
    world.write("name: Security Alerts\nroutes:\n  - name: urgent\n    findings: {severity: [HIHG]}\n")


SCENES: dict[str, tuple[Callable[[World], None], list[str]]] = {
    "plan-fresh": (fresh, ["plan"]),
    "plan-fresh-verbose": (nothing, ["plan", "-v"]),
    "plan-changed": (changed, ["plan"]),
    "apply-fresh": (fresh, ["apply", "--yes"]),
    "status-changed": (changed, ["status"]),
    "destroy": (changed, ["destroy", "--yes"]),
    "validate": (fresh, ["validate"]),
    "validate-wrong": (wrong, ["validate"]),
}


def shown(world: World, prepare: Callable[[World], None], command: list[str]) -> str:
    prepare(world)
    ran: Ran = world.text(*command)
    text = f"{ran.out}--- stderr\n{ran.err}(exit code {ran.code})\n".replace(str(world.path), "shnotify.yaml")
    text = re.sub(r"^(\S+: (?:creating|updating|deleting|done)\n)+", "", text, flags=re.MULTILINE)
    text = re.sub(r"\d+\.\d s$", "N s", text, flags=re.MULTILINE)
    text = re.sub(r"[0-9a-f]{64}", "F" * 64, text)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "K" * 36, text)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("scene", SCENES)
def test_a_text_as_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch, scene: str, width: int) -> None:
    world.monkeypatch.chdir(world.path.parent)
    world.path = Path("shnotify.yaml")
    monkeypatch.setenv("COLUMNS", str(width))
    text = shown(world, *SCENES[scene])
    kept = TEXTS / f"{scene}-{width}.txt"
    if os.environ.get("GOLDEN") == "write":
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")


def test_nothing_is_wider_but_one_long_word(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for prepare, command in ((fresh, ["plan", "-v"]), (changed, ["status"]), (nothing, ["plan"])):
        for width in (60, 73, 100, 160, 200):
            monkeypatch.setenv("COLUMNS", str(width))
            text = shown(world, nothing if width > 60 else prepare, command)
            for line in text.splitlines():
                words = re.sub(r"^[ │|├└─`>+~!@=*-]*", "", line).split()
                assert columns(line) <= width or len(words) == 1, (width, line)
