"""The command line: commands found by name, shared options, errors turned into exit codes.

Nothing here imports boto3, pydantic, yaml or rich, so that `--help` is instant.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from shnotify import __version__, ending
from shnotify.errors import ConfigError, ShnotifyError

COMMANDS = ("init", "validate", "plan", "apply", "status", "destroy", "match", "render", "demo", "sandbox")
"""Each is the function `command` of the module of this name in `shnotify.commands`."""

_SHORT = re.compile("-[vy]*o(.*)", re.DOTALL)
"""`-o`, alone or behind flags (`-vo json`), with its value or before it."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Settings:
    """The shared options of a command.

    timeout  seconds for the whole command; None: the command's own default
    """

    config: Path
    profile: str | None
    region: str | None
    output: str
    verbose: bool
    no_color: bool
    timeout: float | None

    @property
    def json(self) -> bool:
        return self.output == "json"


def _command(name: str) -> click.Command:
    command = import_module(f"shnotify.commands.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)  # noqa: S101 a fact about our own modules
    return command


class _Group(click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(cmd_name, COMMANDS, n=1)
            ctx.fail(f"no such command: {cmd_name!r}{f'; did you mean {near[0]}?' if near else ''}")
        return _command(cmd_name)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="shnotify")
def cli() -> None:
    """AWS Security Hub findings to people's inboxes: one YAML file in, one working notifier out."""


class _Seconds(click.FloatRange):
    """From one second to a day: more than the clock can add up, and what is no number at all, would never end."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(min=1, max=86400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found: float = super().convert(value, param, ctx)
        if found != found:
            self.fail(f"{value!r} is not a number.", param, ctx)
        return found


def _config_path() -> Path:
    return Path(os.environ.get("SHNOTIFY_CONFIG") or "shnotify.yaml")


def output_options(function: F) -> F:
    """`--output`, `--verbose` and `--no-color`, for a command that needs no AWS."""
    for option in (
        click.option("--no-color", is_flag=True, help="No colour (NO_COLOR works too)."),
        click.option("-v", "--verbose", is_flag=True, help="Say more on stderr."),
        click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the result."),
    ):
        function = option(function)
    return function


def config_option(function: F) -> F:
    """`--config`."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        default=_config_path,
        show_default="$SHNOTIFY_CONFIG, else shnotify.yaml",
        help="The configuration file.",
    )(function)


def aws_options(function: F) -> F:
    """`--profile`, `--region` and `--timeout`, and all of the above."""
    for option in (
        click.option(
            "--timeout", type=_Seconds(), help="Seconds for the whole command. [default: 60; apply, destroy: 600]"
        ),
        click.option("--region", help="AWS Region, when the file names none."),
        click.option("--profile", help="AWS profile."),
    ):
        function = option(function)
    return config_option(output_options(function))


def settings(
    *,
    config: Path | None = None,
    profile: str | None = None,
    region: str | None = None,
    output: str = "text",
    verbose: bool = False,
    no_color: bool = False,
    timeout: float | None = None,
) -> Settings:
    """The shared options as click hands them over."""
    return Settings(config or _config_path(), profile, region, output, verbose, no_color, timeout)


def run(arguments: list[str]) -> int:
    """Runs the command line and returns the exit code; anything that is the user's to know is printed."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # LANG=C: a character the stream cannot carry is escaped, never an error
            reconfigure(errors="backslashreplace")
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
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python wraps what is raised while a class is made
            return _interrupted(error.__cause__, arguments)
        if "-v" in arguments or "--verbose" in arguments:
            _trace()
        failure = ShnotifyError(f"unexpected: {type(error).__name__}: {error}", hint="this is a bug: -v shows where")
        return _fail(failure, 1, arguments)
    return code if isinstance(code, int) else 0


def _help_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context and context.parent is None:
        return "options stand after the command: see `shnotify --help` and `shnotify COMMAND --help`"
    return f"see `{context.command_path if context else 'shnotify'} --help`"


def _wants_json(arguments: list[str]) -> bool:
    """What `--output` says, the last one if there are several, on a command line that may be wrong elsewhere."""
    name = next((argument for argument in arguments if argument in COMMANDS), None)
    parameters = _command(name).params if name else []
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
    failure = ShnotifyError("interrupted", hint="nothing is lost: the next run picks up what was begun")
    return _fail(failure, getattr(by, "exit_code", 130), arguments)


def _trace() -> None:
    import traceback

    from shnotify.text import clean

    with suppress(OSError, ValueError):
        click.echo(clean(traceback.format_exc()), err=True)


def _fail(error: ShnotifyError, code: int, arguments: list[str]) -> int:
    with suppress(OSError, ValueError):  # nobody reads any more: the exit code still says it
        _tell(error, arguments)
    return code


def _tell(error: ShnotifyError, arguments: list[str]) -> None:
    from shnotify.text import clean

    if _wants_json(arguments):
        document: dict[str, Any] = {"error": error.to_json()}
        if isinstance(error, ConfigError):
            document["errors"] = [problem.to_json() for problem in error.problems]
        with ending.one_document() as wanted, suppress(OSError, ValueError):  # stderr may still be read
            if wanted:
                click.echo(json.dumps(document, indent=2))
    if isinstance(error, ConfigError):
        for problem in error.problems:
            click.echo(clean(str(problem)), err=True)
        return
    click.echo(f"error: {clean(error.message)}", err=True)
    if error.hint:
        click.echo(f"       {clean(error.hint)}", err=True)
