"""`shnotify schema`: the file's JSON schema, for editors."""

from __future__ import annotations

from typing import Any

import click

from shnotify.terminal.options import output_options, settings


@click.command("schema")
@output_options
def command(**options: Any) -> int:
    """Prints the JSON schema of the configuration file, with a description of every field.

    An editor with the YAML language server completes and checks a file whose first line is
    `# yaml-language-server: $schema=shnotify.schema.json`.
    """
    from shnotify.config.jsonschema import json_schema
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    screen = Screen(json_output=True, no_color=chosen.no_color)
    screen.document(json_schema())
    return screen.code(0)
