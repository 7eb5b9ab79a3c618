"""`shnotify validate`: checks the file, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.errors import ConfigError, UsageError
from shnotify.escaping import escaped_line
from shnotify.terminal.options import config_option, output_options, settings

if TYPE_CHECKING:
    from shnotify.config.load import Loaded
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
    from shnotify.config.several import files_of, load_all
    from shnotify.notifier.fleet import collisions, crowded, in_a_line, together, worst
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    members = load_all(files_of(chosen.configs))
    many = len(members) > 1
    if many and (found := collisions(members)):
        raise ConfigError(found)
    screen = Screen(json_output=chosen.json, verbose=chosen.verbose, no_color=chosen.no_color)
    for warning in crowded(members) if many else ():
        screen.warn(warning)
    judged = [_judged(screen, member, strict=strict, many=many) for member in members]
    screen.document(together(judged) if many else judged[0])
    for member, document in zip(members, judged, strict=True):
        if not many or chosen.verbose:
            told = f"{member.document.file}: {member.config.name} is valid"
            _show(screen, member.config, document["unusual"], told)
        if many:
            screen.result(f"  {_place(member)}: {in_a_line(document)}")
        if document["error"]:
            screen.error(document["error"]["message"], document["error"]["hint"])
    return screen.code(worst(2 if document["error"] else 0 for document in judged))


def _place(member: Loaded) -> str:
    """Says where a notifier is described, and for which Region."""
    where = f" in {member.config.region}" if member.config.region else ""
    return escaped_line(f"{member.document.file}: {member.config.name}{where}")


def _judged(screen: Screen, member: Loaded, *, strict: bool, many: bool) -> dict[str, Any]:
    """Warns of what is odd about a notifier, and returns its JSON document."""
    from shnotify.config.advice import advice
    from shnotify.config.picture import made
    from shnotify.config.unusual import unusual

    warnings = advice(member)
    for warning in warnings:
        screen.warn(f"{_place(member)}: {warning}" if many else warning)
    error = _strict(warnings) if strict else None
    return {
        "name": member.config.name,
        "routes": [route.name for route in member.config.routes],
        "makes": made(member.config),
        "unusual": unusual(member.config),
        "warnings": warnings,
        "errors": [],
        "error": error.to_json() if error else None,
    }


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
