"""All pages: their commands exist with those options, their links lead somewhere, their YAML loads."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from shnotify import cli
from shnotify.config.jsonschema import json_schema
from shnotify.config.load import completed
from shnotify.config.yamlfile import parse

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.yml")])
JAPANESE = [path for path in PAGES if path.suffixes[:-1] == [".ja"] or path.parent.name == "ja"]
_CODE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$|^ {4,}(.+)$|`([^`\n]+)`", re.DOTALL | re.MULTILINE)
_CALL = re.compile(r"(?:^|[\s`|(])shnotify ((?:-[a-zA-Z-]+|[a-z][a-z-]*\b)[^|;&><`#\n]*)", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(text: str) -> Iterator[str]:
    """Yields what stands in a page as code, without lines that a backslash joins."""
    for _, block, indented, inline in _CODE.findall(text):
        yield (block or indented or inline).replace("\\\n", " ")


def calls(text: str) -> list[str]:
    """The arguments of each `shnotify ...` in a text."""
    return [found.strip() for found in _CALL.findall(text)]


def wrong_with(arguments: str) -> list[str]:
    """What of a command line the tool does not know: the command, a subcommand or an option."""
    try:
        words = shlex.split(arguments)
    except ValueError:  # a quote that ends outside, as in `"$(shnotify ...)"`
        words = arguments.replace('"', " ").replace("'", " ").split()
    command: click.Command = cli.cli
    wrong = []
    for word in words:
        if word.startswith("-") and word != "-":
            known = {one for parameter in command.params for one in (*parameter.opts, *parameter.secondary_opts)}
            option = word.rstrip(".,:;)]").partition("=")[0]
            wrong += [] if option in known | {"-h", "--help"} else [option]
        elif command is cli.cli and word == "COMMAND":
            break
        elif isinstance(command, click.Group):
            below = cli.COMMANDS if command is cli.cli else command.commands
            if word not in {*below, *(cli.TYPED if command is cli.cli else ())}:
                return [*wrong, word] if command is cli.cli else wrong
            found = command.get_command(click.Context(command), word)
            assert found
            command = found
    return wrong


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("plan -v --exit-code", []),
        ("plan --exitcode", ["--exitcode"]),
        ("dlq redrive --id 1 --yes", []),
        ("dlq list --yes", ["--yes"]),
        ("paln", ["paln"]),
        ("COMMAND --help", []),
        ("init --email=a@example.com.", []),
        ("help plan", []),
    ],
)
def test_what_is_wrong_with_a_command_line(arguments: str, expected: list[str]) -> None:
    assert wrong_with(arguments) == expected


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_each_command_of_a_page_exists_with_its_options(path: Path) -> None:
    found = {call for piece in code(path.read_text("utf-8")) for call in calls(piece)}
    assert {call: wrong for call in found if (wrong := wrong_with(call))} == {}


def test_each_command_that_the_tool_names_exists_with_its_options() -> None:
    """In its hints, errors and helps, and in the Japanese ones."""
    texts = [
        (ROOT / "src/shnotify/terminal/ja.po").read_text("utf-8"),
        (ROOT / "config.example.yaml").read_text("utf-8"),
    ]
    for path in ROOT.glob("src/**/*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        texts += [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    found = {call for text in texts for call in re.findall(r"`shnotify ([^`\n]+)`", text)}
    assert len(found) > 40
    assert {call: wrong for call in found if (wrong := wrong_with(call))} == {}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [path for path in PAGES if path.suffix == ".md"], ids=name_of)
def test_its_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        page, _, anchor = target.partition("#")
        there = path.parent / page if page else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def yaml_blocks(path: Path) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", [path for path in PAGES if yaml_blocks(path)], ids=name_of)
def test_its_yaml_loads(path: Path) -> None:
    """A whole file of ours is valid for `validate` and for the schema; a part of one is, in the smallest file."""
    for block in yaml_blocks(path):
        data: Any = yaml.safe_load(block)
        assert isinstance(data, dict)
        if not data.keys() <= json_schema()["properties"].keys():
            continue  # a file of somebody else's, such as GitHub's
        whole = {"name": "security-alerts", "routes": [{"name": "urgent", "subscribers": ["a@example.com"]}], **data}
        jsonschema.validate(whole, json_schema())
        completed(parse(yaml.safe_dump(whole)))


_WIDE = "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]"


@pytest.mark.parametrize("path", JAPANESE, ids=name_of)
def test_no_japanese_sentence_has_a_blank_from_a_broken_line(path: Path) -> None:
    """Markdown makes a blank of a line's end, and Japanese has none between its words."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert re.findall(rf"^(?![|#]).*{_WIDE}\n(?= *{_WIDE}).*$", text, re.MULTILINE) == []
