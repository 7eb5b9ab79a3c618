"""`shnotify iam-policy`: the least permissions for a command."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from shnotify.notifier.needs import COMMANDS
from shnotify.terminal.options import config_option, output_options, settings

if TYPE_CHECKING:
    from shnotify.arns import Scope
    from shnotify.config.models import Config
    from shnotify.terminal.screen import Screen


@click.command("iam-policy")
@click.option(
    "--for",
    "command_name",
    type=click.Choice([*COMMANDS, "all"]),
    metavar="COMMAND",
    required=True,
    help=f"The command that is to be run: {', '.join(COMMANDS)} or all.",
)
@click.option("--account", help="Twelve digits, when the file names no account.")
@click.option("--region", help="AWS Region, when the file names none.")
@click.option("--part", type=click.IntRange(min=1), help="Print one of several policies.")
@config_option
@output_options
def command(
    command_name: str, account: str | None, region: str | None, part: int | None, **options: Any
) -> int:
    """Prints an IAM policy with the least permissions for a command, on this file's things only.

    Asks nothing of AWS. A policy that is too long for a managed one is divided: see --part.
    """
    from shnotify.config.several import files_of, load_all
    from shnotify.errors import UsageError
    from shnotify.notifier.fleet import together
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    members = load_all(files_of(chosen.configs), region)
    several = len(members) > 1
    if several and part:
        raise UsageError("--part is of one notifier's policy", hint="give one -c, and one --region")
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    documents = []
    for member in members:
        scope = _scope(member.config, account, region)
        if several:
            screen.say(f"{member.config.name} in {scope.region}:")
        documents.append(_policy(screen, member.config, scope, command_name, part))
    screen.document(together(documents) if several else documents[0])
    return screen.code(0)


def _policy(
    screen: Screen, config: Config, scope: Scope, command_name: str, part: int | None
) -> dict[str, Any]:
    """Shows one notifier's policy, and returns its document."""
    from shnotify.errors import UsageError
    from shnotify.notifier.leastprivilege import MAX_CHARACTERS, characters, divided, policy_for

    policy = policy_for(config, scope, command_name)
    parts = divided(policy)
    if part and part > len(parts):
        raise UsageError(f"there is no part {part}: it is {len(parts)} in all")
    if scope.account == "*":
        screen.warn(
            "neither the file nor --account names the account, so the policy says `*` in its place"
        )
    if len(parts) > 1 and not part:
        screen.warn(
            f"{characters(policy)} characters, and a managed policy takes {MAX_CHARACTERS}: "
            f"--part 1 to --part {len(parts)} print it as {len(parts)} policies"
        )
    shown = parts[part - 1] if part else policy
    screen.result(json.dumps(shown, indent=2), exact=True)
    head = {"name": config.name, "account": scope.account, "region": scope.region}
    return {**head, "policy": shown, "policies": parts, "error": None}


def _scope(config: Config, account: str | None, region: str | None) -> Scope:
    """Says where the notifier lives, by the file and the command line, without asking AWS."""
    from shnotify.arns import Scope, partition_of
    from shnotify.errors import UsageError
    from shnotify.schema.regions import region_problem

    if region and (problem := region_problem(region)):
        raise UsageError(f"--region {region}: {problem}")
    if account and not (account.isascii() and account.isdigit() and len(account) == 12):
        raise UsageError(f"--account {account}: an account id has twelve digits")
    for name, given, said in (
        ("account", account, config.account),
        ("region", region, config.region),
    ):
        if given and said and given != said:
            raise UsageError(f"the file says {name} {said}, --{name} says {given}: they must agree")
    where = config.region or region or os.environ.get("AWS_REGION")
    where = where or os.environ.get("AWS_DEFAULT_REGION")
    if not where:
        hint = "write `region:` into the file, give --region, or set AWS_REGION"
        raise UsageError("no AWS Region is known", hint=hint)
    return Scope(partition_of(where), where, config.account or account or "*")
