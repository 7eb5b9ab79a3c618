"""`shnotify validate`: checks the file, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.errors import UsageError
from shnotify.escaping import escaped_line
from shnotify.terminal.options import config_option, output_options, settings

if TYPE_CHECKING:
    from shnotify.config.models import Config
    from shnotify.terminal.screen import Screen


@click.command("validate")
@click.option("--strict", is_flag=True, help="A warning is an error: exit 2.")
@config_option
@output_options
def command(strict: bool, **options: Any) -> int:
    """Checks the configuration file and the event patterns it makes, offline.

    Says what would be made and who would be told, and what is unusual about the file.
    """
    from shnotify.config.advice import advice
    from shnotify.config.load import load_file
    from shnotify.config.picture import made
    from shnotify.config.unusual import unusual
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    loaded = load_file(chosen.config)
    config = loaded.config
    screen = Screen(json_output=chosen.json, verbose=chosen.verbose, no_color=chosen.no_color)
    warnings, odd = advice(loaded), unusual(config)
    for warning in warnings:
        screen.warn(warning)
    error = _strict(warnings) if strict else None
    screen.document(
        {
            "name": config.name,
            "routes": [route.name for route in config.routes],
            "makes": made(config),
            "unusual": odd,
            "warnings": warnings,
            "errors": [],
            "error": error.to_json() if error else None,
        }
    )
    _show(screen, config, odd, f"{chosen.config}: {config.name} is valid")
    if error:
        screen.error(error.message, error.hint)
        return 2
    return screen.code(0)


def _strict(warnings: list[str]) -> UsageError | None:
    """Returns the error that `--strict` makes of warnings; None when there is none."""
    if not warnings:
        return None
    count = f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}"
    return UsageError(f"{count}, and --strict takes no warning", hint="each is told above")


def _show(screen: Screen, config: Config, odd: list[str], valid: str) -> None:
    from shnotify.config.picture import chains, drawn, made

    routes = len(config.routes)
    screen.result(f"{valid} ({routes} route{'s' if routes > 1 else ''})")
    screen.result()
    for line in drawn(chains(config), plain=screen.plain_text):
        screen.result(line)
    screen.result()
    counted = (f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in made(config).items())
    screen.result(f"`shnotify apply` would make {', '.join(counted)}.")
    if odd:
        screen.result("Unusual, and perhaps meant:")
        for text in odd:
            screen.result(f"  * {escaped_line(text)}")
