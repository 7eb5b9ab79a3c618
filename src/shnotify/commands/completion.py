"""`shnotify completion`: a shell's completion script."""

from __future__ import annotations

import click

from shnotify.terminal.completion import SHELLS


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> int:
    """Prints the completion script for bash, zsh or fish.

    The script is static: completing a word starts no program. bash and zsh: put
    `eval "$(shnotify completion bash)"` (or zsh) into the shell's start-up file; fish: save it as
    ~/.config/fish/completions/shnotify.fish.
    """
    from shnotify.terminal.completion import known, script
    from shnotify.terminal.screen import Screen

    root = click.get_current_context().find_root().command
    screen = Screen()
    for line in script(shell, known(root)).splitlines():
        screen.result(line, exact=True)
    return screen.code(0)
