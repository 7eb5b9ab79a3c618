"""`shnotify export`: the notifier in another tool's words, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shnotify.terminal.options import config_option, one_file

if TYPE_CHECKING:
    from shnotify.config.models import Config
    from shnotify.terminal.screen import Screen


@click.group("export")
def command() -> None:
    """Prints the notifier in another tool's words, offline."""


@command.command("cloudformation", short_help="Print a CloudFormation template.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="Form of the template.",
)
@click.option(
    "--code-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the formatter functions' archives here, to be uploaded to a bucket.",
)
@config_option
def cloudformation(output: str, code_dir: Path | None, config: tuple[Path, ...]) -> int:
    """Prints a CloudFormation template of exactly what `apply` makes, offline.

    Addresses are parameters with the file's addresses as defaults; account, Region and partition
    are AWS's own parameters, so one template serves them all. What a stack made is left alone by
    `apply` and `destroy`, and compared by `status`.
    """
    from shnotify.config.load import load_file
    from shnotify.export.cloudformation import as_json, as_yaml, template
    from shnotify.terminal.screen import Screen

    loaded = load_file(one_file(config)).config.settled()
    document = template(loaded)
    text = as_json(document) if output == "json" else as_yaml(document)
    screen = Screen()
    click.echo(text.rstrip("\n"))
    _warn_of_size(screen, text)
    _write_archives(screen, loaded, code_dir)
    return 0


def _warn_of_size(screen: Screen, text: str) -> None:
    from shnotify.export.cloudformation import BUCKET_BYTES, INLINE_BYTES

    size = len(text.encode())
    if size > BUCKET_BYTES:
        screen.warn(f"the template has {size:,} bytes, and CloudFormation takes {BUCKET_BYTES:,}")
    elif size > INLINE_BYTES:
        screen.warn(
            f"the template has {size:,} bytes: beyond {INLINE_BYTES:,} CloudFormation takes it from a bucket only"
        )


def _write_archives(screen: Screen, config: Config, code_dir: Path | None) -> None:
    from shnotify.errors import UsageError
    from shnotify.export.cloudformation import archives

    made = archives(config)
    if made and code_dir is None:
        screen.warn(
            "the template takes the functions' code from the bucket of its parameter CodeBucket: "
            "write the archives with --code-dir DIR, and upload them"
        )
    for key, content in made.items() if code_dir else ():
        assert code_dir  # noqa: S101 the line above
        target = code_dir / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            raise UsageError(f"{target} could not be written: {error.strerror}") from error
        screen.warn(f"wrote {target}: upload it as s3://BUCKET/{key}")
