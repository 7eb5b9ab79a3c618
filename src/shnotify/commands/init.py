"""`shnotify init`: writes a commented configuration file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import click

from shnotify.cli import config_option, output_options, settings

TEMPLATE = """\
# One file, one notifier: Security Hub findings -> EventBridge -> SNS (encrypted) -> people, with a dead-letter queue.
# `shnotify plan` shows what would be made; every other field and its default: config.example.yaml in the documentation.

name: {name}                     # prefix of every name, and the value of the ownership tag
{region}
{account}
# tags: {{Owner: security-team}}     # on every resource that can carry tags

# encryption: false              # no customer-managed keys at all (the default makes two, 1 USD a month each)
# dead_letter_queue: false       # no queue for what EventBridge could not deliver

routes:
  - name: {route}
    # findings:                  # AND between fields, OR between a field's values; `any` = no filter on it
    #   severity: [CRITICAL, HIGH]
    #   workflow_status: [NEW]
    #   record_state: [ACTIVE]
    subscribers:
{subscribers}
"""


@click.command("init", short_help="Write a commented configuration file.")
@click.option("--name", default="security-alerts", show_default=True, help="Name of the notifier.")
@click.option("--email", "emails", multiple=True, metavar="ADDRESS", help="Who is told; may be given several times.")
@click.option("--route", default="urgent", show_default=True, help="Name of the route.")
@click.option("--account", help="Twelve digits: refuse any other account.")
@click.option("--region", help="AWS Region.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@config_option
@output_options
def command(
    name: str, emails: tuple[str, ...], route: str, account: str | None, region: str | None, force: bool, **options: Any
) -> int:
    """Writes a commented configuration file (asks nothing; see the flags). Never overwrites without --force."""
    from shnotify.errors import UsageError
    from shnotify.render import Screen

    chosen = settings(**options)
    if chosen.config.exists() and not force:
        raise UsageError(f"{chosen.config} exists already", hint="--force overwrites it, --config names another")
    if not emails:
        raise UsageError("nobody to tell: give --email ADDRESS, once for each person")
    text = TEMPLATE.format(
        name=name,
        route=route,
        region=f"region: {region}" if region else "# region: ap-northeast-1      # else AWS_REGION, or the profile's",
        account=f'account: "{account}"' if account else '# account: "123456789012"     # refuse any other account',
        subscribers="\n".join(f"      - {_quoted(email)}" for email in emails),
    )
    _write(chosen.config, text)
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    screen.document({"file": str(chosen.config), "name": name, "error": None})
    screen.result(f"Wrote {chosen.config}. Next: `shnotify plan`, then `shnotify apply`.")
    return 0


def _quoted(text: str) -> str:
    import json

    return text if text.replace("@", "").replace(".", "").replace("-", "").isalnum() else json.dumps(text)


def _write(path: Path, text: str) -> None:
    """Checks the text as a file of its own first, then puts it in place in one step. Raises `ConfigError`."""
    from shnotify.config import load
    from shnotify.errors import ShnotifyError

    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".shnotify-", suffix=".yaml")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            load(Path(name))
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise ShnotifyError(f"{path} could not be written: {error.strerror}") from error
