"""`shnotify validate`: checks the file, offline."""

from __future__ import annotations

from typing import Any

import click

from shnotify.terminal.options import config_option, output_options, settings


@click.command("validate")
@config_option
@output_options
def command(**options: Any) -> int:
    """Checks the configuration file and the event patterns it makes, offline."""
    from shnotify.config.advice import advice
    from shnotify.config.load import load_file
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    loaded = load_file(chosen.config)
    config = loaded.config
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    routes = [route.name for route in config.routes]
    warnings = advice(loaded)
    for warning in warnings:
        screen.warn(warning)
    screen.document(
        {"name": config.name, "routes": routes, "warnings": warnings, "errors": [], "error": None}
    )
    screen.result(
        f"{chosen.config}: {config.name} is valid ({len(routes)} route{'s' if len(routes) > 1 else ''})"
    )
    return 0
