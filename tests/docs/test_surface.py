"""The surface is a promise: commands, options, fields, JSON and exit codes are those of `tests/docs/surface.json`.

`SURFACE=write pytest tests/docs/test_surface.py` writes it anew; what vanishes in the diff breaks somebody
(docs/compatibility.md).
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click
import pytest

from shnotify import cli
from shnotify.config.models import Config
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import World
from tests.support.example import fields_of
from tests.support.lifecycle import queue

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("surface.json")
SAMPLE = str(ROOT / "tests" / "data" / "cspm-control-s3.json")
BY_NAME = ("counts", "makes", "by_product", "by_control", "environment", "evidence")
"""Objects whose keys are names of things, and no promise."""


def options(command: click.Command) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in command.params:
        name = "/".join(one.opts)
        found[name] = list(one.type.choices) if isinstance(one.type, click.Choice) else one.type.name
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            found[f"{name} ..."] = options(inner)
    return dict(sorted(found.items()))


def shape(value: Any) -> Any:
    """A document without its values: keys, and the kinds of what they hold."""
    if isinstance(value, dict):
        return {key: "by name" if key in BY_NAME else shape(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        merged: Any = {}
        for item in map(shape, value):
            merged = {**merged, **item} if isinstance(item, dict) and isinstance(merged, dict) else item
        return [merged] if value else []
    return "value"


def documents(world: World) -> tuple[dict[str, Any], dict[str, int]]:
    """The shape of every command's document and its exit code, in the states that people meet."""
    shapes: dict[str, Any] = {}
    codes: dict[str, int] = {}

    def run(what: str, *arguments: str) -> None:
        ran = world.run(*arguments)
        codes[what], shapes[what] = ran.code, shape(ran.json)

    run("validate", "validate")
    run("plan: all to make", "plan", "--exit-code")
    run("apply", "apply", "--yes")
    run("status: nobody confirmed", "status")
    confirm_subscription("secops@example.com")
    run("status: in sync", "status")
    queue("MessageRetentionPeriod", "60")(world)
    run("status: drift", "status")
    run("match", "match", SAMPLE)
    run("render", "render", SAMPLE)
    run("apply: nobody can be asked", "apply")
    run("destroy", "destroy", "--yes")
    world.write("name: A\n")
    run("validate: wrong", "validate")
    run("init: a file is there", "init", "--email", "a@b.co")
    return shapes, codes


def test_the_surface_is_what_it_was(world: World) -> None:
    shapes, codes = documents(world)
    context = click.Context(cli.cli)
    found = {
        "commands": {name: options(cli.cli.get_command(context, name)) for name in sorted(cli.COMMANDS)},  # type: ignore[arg-type]
        "fields": sorted(".".join(path) for path in set(fields_of(Config))),
        "documents": shapes,
        "exit codes": codes,
    }
    if os.environ.get("SURFACE") == "write":
        KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    for part in kept:
        assert found[part] == kept[part], f"{part}: see docs/compatibility.md, then SURFACE=write"


@pytest.mark.parametrize("page", ["compatibility", "automation", "dependencies"])
def test_what_a_page_says_of_commands_and_options_is_there(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    names = set(re.findall(r"(?:^|[`|$( ])shnotify ([a-z]+)", text, re.MULTILINE))
    assert names <= set(cli.COMMANDS)
    context = click.Context(cli.cli)
    for name, rest in re.findall(r"shnotify ([a-z]+)((?: [^`|\n>]*)?)", text):
        command = cli.cli.get_command(context, name) if name in cli.COMMANDS else None
        known = {option for one in command.params for option in one.opts} if command else set()
        assert set(re.findall(r"(?<= )--[a-z-]+", rest)) <= known, (name, rest)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / "docs" / target).exists(), target
