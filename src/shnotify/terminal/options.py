"""The options that commands share, and their values as one record.

The module knows click and nothing of AWS, so that `--help` is instant.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from shnotify.errors import UsageError
from shnotify.terminal.language import LANGUAGES

F = TypeVar("F", bound=Callable[..., Any])


class Options(NamedTuple):
    """Holds the values of the shared options.

    configs  the files, and the directories of files; most commands take one file: `config`
    timeout  seconds for the whole command; None: the command's own default
    lang     the language; it is already chosen, because errors and helps are read too
    """

    configs: tuple[Path, ...]
    profile: str | None
    region: str | None
    output: str
    verbose: bool
    no_color: bool
    timeout: float | None
    lang: str | None = None

    @property
    def config(self) -> Path:
        """The one file of a command that takes one. Raises `UsageError` when several are named."""
        return one_file(self.configs)

    @property
    def json(self) -> bool:
        return self.output == "json"


TAKE_SEVERAL = (
    *("validate", "plan", "apply", "status", "destroy", "doctor", "why", "estimate", "baseline"),
    *("iam-policy", "dlq list", "dlq redrive", "dlq purge", "subscriptions", "match", "test"),
)
"""The commands that take several files."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Seconds(click.FloatRange):
    """A time limit from one second to a day, in seconds or as the file writes it: `30s`, `5m`, `1h`.

    Infinity and NaN would never end.
    """

    name = "duration"

    def __init__(self) -> None:
        super().__init__(min=1, max=86400)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        written = re.fullmatch(r"([0-9]+)([smhd])", value) if isinstance(value, str) else None
        if written:
            value = int(written[1]) * _UNITS[written[2]]
        found: float = super().convert(value, param, ctx)
        if found != found:
            self.fail(f"{value!r} is not a number.", param, ctx)
        return found


def _config_paths() -> tuple[Path, ...]:
    return (Path(os.environ.get("SHNOTIFY_CONFIG") or "shnotify.yaml"),)


def one_file(paths: tuple[Path, ...]) -> Path:
    """Returns the only file that is named, or that is in the directory that is named.

    Raises `UsageError` when there are several.
    """
    from shnotify.config.several import files_of

    files = files_of(paths)
    takes_one(len(files))
    return files[0]


def takes_one(count: int) -> None:
    """Raises `UsageError` where a command is about a thing of one notifier, and there are several."""
    if count > 1:
        raise UsageError(
            f"this command takes one notifier, and {count} are named",
            hint=f"give its file alone: -c FILE, and --region where a file names several. Several take: "
            f"{', '.join(TAKE_SEVERAL)}",
        )


def output_options(function: F) -> F:
    """`--output`, `--verbose` and `--no-color`, for a command that needs no AWS."""
    for option in (
        click.option(
            "--lang",
            type=click.Choice(LANGUAGES),
            help="Language of texts (JSON never changes).",
        ),
        click.option("--no-color", is_flag=True, help="No colour (NO_COLOR works too)."),
        click.option(
            "-v", "--verbose", is_flag=True, help="Say more: every property of a plan, every retry."
        ),
        click.option(
            "-o",
            "--output",
            type=click.Choice(["text", "json"]),
            default="text",
            help="Form of the result.",
        ),
    ):
        function = option(function)
    return function


def config_option(function: F) -> F:
    """`--config`."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        multiple=True,
        default=_config_paths,
        show_default="$SHNOTIFY_CONFIG, else shnotify.yaml",
        help="The configuration file; some commands take several, or a directory of them.",
    )(function)


def aws_options(function: F) -> F:
    """`--profile`, `--region` and `--timeout`, and all of the above."""
    for option in (
        click.option(
            "--timeout",
            type=Seconds(),
            metavar="DURATION",
            help="For the whole command: 90, 90s, 5m. [default: 60s; apply, destroy: 10m; longer where much is read]",
        ),
        click.option("--region", help="AWS Region, when the file names none."),
        click.option("--profile", help="AWS profile."),
    ):
        function = option(function)
    return config_option(output_options(function))


def settings(
    *,
    config: tuple[Path, ...] = (),
    profile: str | None = None,
    region: str | None = None,
    output: str = "text",
    verbose: bool = False,
    no_color: bool = False,
    timeout: float | None = None,
    lang: str | None = None,
) -> Options:
    """Collects the shared options as click hands them over."""
    paths = config or _config_paths()
    return Options(paths, profile, region, output, verbose, no_color, timeout, lang)
