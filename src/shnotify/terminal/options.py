"""The options that commands share, and their values as one record.

The module knows click and nothing of AWS, so that `--help` is instant.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """Holds the values of the shared options.

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


class _Seconds(click.FloatRange):
    """A time limit from one second to a day; infinity and NaN would never end."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(min=1, max=86400)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
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
        default=_config_path,
        show_default="$SHNOTIFY_CONFIG, else shnotify.yaml",
        help="The configuration file.",
    )(function)


def aws_options(function: F) -> F:
    """`--profile`, `--region` and `--timeout`, and all of the above."""
    for option in (
        click.option(
            "--timeout",
            type=_Seconds(),
            help="Seconds for the whole command. [default: 60; apply, destroy: 600; longer where much is read]",
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
) -> Options:
    """Collects the shared options as click hands them over."""
    return Options(config or _config_path(), profile, region, output, verbose, no_color, timeout)
