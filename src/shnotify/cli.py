"""The command line: commands found by name, shared options, errors turned into exit codes.

Nothing here imports boto3, yaml or rich, so that `--help` is instant.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

import click

from shnotify import __version__
from shnotify.errors import ConfigError, ShnotifyError
from shnotify.terminal import language
from shnotify.terminal import signals as ending
from shnotify.terminal.examples import EXAMPLES
from shnotify.terminal.help import Group, definitions, grouped, helped, no_such_command

COMMANDS = {
    "init": "Write a commented configuration file.",
    "validate": "Check the file, offline.",
    "schema": "Print the file's JSON schema, for editors.",
    "completion": "Print a completion script for a shell.",
    "plan": "Show what apply would do; change nothing.",
    "apply": "Create or update until AWS matches the file.",
    "status": "Show drift and delivery health; change nothing.",
    "doctor": "Say which link between Security Hub and the inbox is broken.",
    "destroy": "Remove all of it; keys are scheduled for deletion.",
    "match": "Show which route findings would go to.",
    "render": "Show the exact mail for an event.",
    "why": "Say why a finding was, or was not, mailed.",
    "test": "Send a marked finding through the whole chain and watch it.",
    "dlq": "See, send again, export or drop what could not be delivered.",
    "subscriptions": "Show who gets the mail; resend, confirm, protect, remove.",
    "estimate": "Count what the file would have sent.",
    "baseline": "Mark the backlog NOTIFIED, or undo that.",
    "iam-policy": "Print the least permissions for a command.",
    "export": "Print the notifier as a CloudFormation template.",
    "rollout": "Carry the notifier to many accounts and Regions (StackSets).",
    "demo": "Show the whole life cycle against an embedded AWS.",
    "sandbox": "Run an embedded AWS on this machine.",
}
"""Each is the function `command` of the module of this name in `shnotify.commands`, with its line in
`--help`, which would else import them all.
"""

_SHORT = re.compile("-[vy]*o(.*)", re.DOTALL)
"""`-o`, alone or behind flags (`-vo json`), with its value or before it."""


@cache
def _command(name: str) -> click.Command:
    command = import_module(f"shnotify.commands.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)  # noqa: S101 a fact about our own modules
    return helped(command, name)


class _Group(Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in TYPED:
            return TYPED[cmd_name]
        if cmd_name not in COMMANDS:
            ctx.fail(no_such_command(cmd_name, COMMANDS))
        return _command(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, names in grouped(COMMANDS).items():
            with formatter.section(language.tr(title)):
                definitions(
                    formatter,
                    [(name.ljust(width), language.tr(COMMANDS[name])) for name in names],
                )


@click.command("version")
def _version() -> None:
    """Shows the version."""
    click.echo(f"shnotify, version {__version__}")


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
def _help(names: tuple[str, ...]) -> int:
    """Shows the help of a command, or of all."""
    return run([*names, "--help"])


TYPED = {"version": _version, "help": _help}
"""What is typed out of habit, and does what is meant; the options do the same."""


@click.group(
    cls=_Group,
    context_settings={"max_content_width": 100},
    examples=EXAMPLES[""],
)
@click.option(
    "--lang",
    type=click.Choice(language.LANGUAGES),
    expose_value=False,
    help="Language of texts (JSON never changes).",
)
@click.version_option(__version__, "-V", "--version", prog_name="shnotify")
def cli() -> None:
    """AWS Security Hub findings to people's inboxes: one YAML file in, one working notifier out.

    Options stand after the command. `--region` and `--profile` are of the commands that ask AWS.
    """


def run(arguments: list[str]) -> int:
    """Runs the command line and returns the exit code.

    Anything that is the user's to know is printed.
    """
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # LANG=C: a character the stream cannot carry is escaped, never an error
            reconfigure(errors="backslashreplace")
    language.choose(arguments)
    try:
        ending.begin()
        code = cli.main(arguments, prog_name="shnotify", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:  # click makes an Abort of the interrupt
        return _interrupted(error.__cause__ or error, arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        failure = ShnotifyError(error.format_message(), hint=_help_hint(error))
        return _fail(failure, 2, arguments)
    except ShnotifyError as error:
        return _fail(error, error.exit_code, arguments)
    except BrokenPipeError:
        return 0
    except Exception as error:
        if isinstance(
            error.__cause__, KeyboardInterrupt
        ):  # Python wraps what is raised while a class is made
            return _interrupted(error.__cause__, arguments)
        if "-v" in arguments or "--verbose" in arguments:
            _trace()
        failure = ShnotifyError(
            f"unexpected: {type(error).__name__}: {error}", hint="this is a bug: -v shows where"
        )
        return _fail(failure, 1, arguments)
    return code if isinstance(code, int) else 0


def _help_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context and context.parent is None:
        return (
            "options stand after the command: see `shnotify --help` and `shnotify COMMAND --help`"
        )
    return f"see `{context.command_path if context else 'shnotify'} --help`"


def _parameters(command: click.Command, arguments: list[str]) -> list[click.Parameter]:
    """The parameters of a command, or of the subcommand that is asked for."""
    if not isinstance(command, click.Group):
        return command.params
    name = next((argument for argument in arguments if argument in command.commands), None)
    return command.commands[name].params if name else []


def _wants_json(arguments: list[str]) -> bool:
    """What `--output` says, the last one if there are several, on a command line that may be wrong
    elsewhere.
    """
    name = next((argument for argument in arguments if argument in COMMANDS), None)
    parameters = _parameters(_command(name), arguments) if name else []
    valued = {word for one in parameters if not getattr(one, "is_flag", True) for word in one.opts}
    found, rest = "", iter(arguments)
    for argument in rest:
        if argument == "--":
            break
        if argument == "--output":
            found = next(rest, "")
        elif argument.startswith("--output="):
            found = argument.removeprefix("--output=")
        elif short := _SHORT.fullmatch(argument):
            found = short[1] or next(rest, "")
        elif argument in valued:
            next(rest, "")  # its value, whatever it looks like
    return found == "json"


def _interrupted(by: BaseException, arguments: list[str]) -> int:
    ending.hold()  # the next one waits until this one is told
    hint = getattr(by, "hint", "nothing is lost: the next run picks up what was begun")
    failure = ShnotifyError("interrupted", hint=hint)
    return _fail(failure, getattr(by, "exit_code", 130), arguments)


def _trace() -> None:
    import traceback

    from shnotify.escaping import escaped

    with suppress(OSError, ValueError):
        click.echo(escaped(traceback.format_exc()), err=True)


def _fail(error: ShnotifyError, code: int, arguments: list[str]) -> int:
    with suppress(OSError, ValueError):  # nobody reads any more: the exit code still says it
        _tell(error, arguments)
    return code


def _tell(error: ShnotifyError, arguments: list[str]) -> None:
    from shnotify.terminal.screen import Screen

    if _wants_json(arguments):
        document: dict[str, Any] = {"error": error.to_json()}
        if isinstance(error, ConfigError):
            document["errors"] = [problem.to_json() for problem in error.problems]
        with (
            ending.one_document() as wanted,
            suppress(OSError, ValueError),
        ):  # stderr may still be read
            if wanted:
                click.echo(json.dumps(document, indent=2))
    screen = Screen()
    if isinstance(error, ConfigError):
        for problem in error.problems:
            screen.say(problem.told(language.tr))
        return
    screen.error(error.message, error.hint)
