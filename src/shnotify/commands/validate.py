"""`shnotify validate`: checks the file, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.errors import ConfigError, UsageError
from shnotify.escaping import escaped_line
from shnotify.terminal.options import config_option, output_options, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shnotify.config.load import Loaded
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
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    members = load_all(files_of(chosen.configs))
    screen = Screen(json_output=chosen.json, verbose=chosen.verbose, no_color=chosen.no_color)
    if len(members) > 1:
        return _many(screen, members, strict=strict)
    document = _judged(screen, members[0], strict=strict)
    screen.document(document)
    _show(screen, members[0], document["unusual"])
    return _code(screen, [document])


def _many(screen: Screen, members: Sequence[Loaded], *, strict: bool) -> int:
    """Checks notifiers one by one and against each other."""
    from shnotify.notifier.fleet import collisions, crowded, in_a_line, together

    if found := collisions(members):
        raise ConfigError(found)
    for warning in crowded(members):
        screen.warn(warning)
    judged = [_judged(screen, one, strict=strict, place=f"{_place(one)}: ") for one in members]
    screen.document(together(judged))
    for member, document in zip(members, judged, strict=True):
        if screen.verbose:
            _show(screen, member, document["unusual"])
        screen.result(f"  {_place(member)}: {in_a_line(document)}")
    return _code(screen, judged)


def _code(screen: Screen, judged: list[dict[str, Any]]) -> int:
    """Tells the errors, and returns the exit code."""
    errors = [document["error"] for document in judged if document["error"]]
    for error in errors:
        screen.error(error["message"], error["hint"])
    return 2 if errors else screen.code(0)


def _place(member: Loaded) -> str:
    """Says where a notifier is described, and for which Region."""
    where = f" in {member.config.region}" if member.config.region else ""
    return escaped_line(f"{member.document.file}: {member.config.name}{where}")


def _judged(screen: Screen, member: Loaded, *, strict: bool, place: str = "") -> dict[str, Any]:
    """Warns of what is odd about a notifier, and returns its JSON document.

    place  what stands before each warning
    """
    from shnotify.config.advice import advice
    from shnotify.config.picture import made
    from shnotify.config.unusual import unusual

    warnings = advice(member)
    for warning in warnings:
        screen.warn(f"{place}{warning}")
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


def _show(screen: Screen, member: Loaded, odd: list[str]) -> None:
    from shnotify.config.picture import chains, drawn, made

    config = member.config
    routes = len(config.routes)
    screen.result(
        f"{member.document.file}: {config.name} is valid ({routes} route{'s' if routes > 1 else ''})"
    )
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
