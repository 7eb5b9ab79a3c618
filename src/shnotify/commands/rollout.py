"""`shnotify rollout`: the same notifier in many accounts and Regions, by CloudFormation StackSets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._rollout import begun, carry_out, compared, refusal, settled
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.terminal.options import Options


@click.group("rollout")
def command() -> None:
    """Carries the notifier to many accounts and Regions by CloudFormation StackSets.

    The `rollout:` part of the file says where. StackSets do the work: an operation goes on when
    this command is interrupted, and the next run follows it.
    """


@command.command("plan", short_help="Show what apply would start; change nothing.")
@click.option("--exit-code", is_flag=True, help="Exit 3 if there is anything to do.")
@click.option(
    "--simulate",
    type=click.IntRange(1, 100_000),
    help="Offline: what a roll-out to this many accounts takes, by AWS's published limits.",
)
@aws_options
def plan_command(exit_code: bool, simulate: int | None, **options: Any) -> int:
    """Shows which StackSets operations `rollout apply` would start.

    Says too how many mails must be confirmed, and what it costs a month.
    """
    from shnotify.commands._rollout_view import plan_document, show_plan
    from shnotify.export.operations import plan

    chosen = settings(**options)
    if simulate:
        return _simulated(chosen, simulate)
    with begun(chosen) as run:
        seen = run.stacks.look()
        error = refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        run.document(**plan_document(run, seen, actions, error))
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        show_plan(run, seen, actions)
        return run.screen.code(3 if exit_code and actions else 0)


@command.command("apply", short_help="Start the operations, and follow them to their end.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@aws_options
def apply_command(yes: bool, **options: Any) -> int:
    """Makes the stack set and its stacks match the file, and shows what became of each stack."""
    from shnotify.export.operations import plan
    from shnotify.export.rollout import WRITES

    with begun(settings(**options), allowed=WRITES) as run:
        seen = settled(run)
        error = refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        return carry_out(run, seen, actions, error, yes=yes)


@command.command("status", short_help="Show each account's stack, and StackSets' drift result.")
@click.option(
    "--detect-drift",
    is_flag=True,
    help="Let StackSets compare every stack with what it made, first: minutes to hours.",
)
@aws_options
def status_command(detect_drift: bool, **options: Any) -> int:
    """Shows the stack of each account and Region, and what StackSets' last look for drift found.

    Exits 3 when something is missing, another or drifted, and 4 when a stack failed.
    """
    from shnotify.commands._rollout_view import instance_document, show_status
    from shnotify.export.operations import plan
    from shnotify.export.rollout import DRIFT

    also = DRIFT if detect_drift else frozenset[str]()
    with begun(settings(**options), allowed=also) as run:
        seen = run.stacks.look()
        error = refusal(run, seen)
        if detect_drift and not error and seen.instances:
            seen = compared(run, seen)
        actions = () if error else plan(run.wanted, seen)
        failed = [one for one in seen.instances if one.failed]
        off = [one for one in seen.instances if not one.current or one.drift == "DRIFTED"]
        in_sync = not (error or actions or failed or off or seen.running)
        run.document(
            in_sync=in_sync,
            running=seen.running or None,
            not_checked_for_drift=seen.not_checked,
            instances=[instance_document(one) for one in seen.instances],
            actions=[action.to_json() for action in actions],
            error=error.to_json() if error else None,
        )
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        show_status(run, seen, actions, in_sync=in_sync)
        return run.screen.code(4 if failed else 0 if in_sync else 3)


@command.command("destroy", short_help="Delete the stacks and the stack set; keys and queues stay.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--with-keys-and-queues",
    "everything",
    is_flag=True,
    help="Delete these too: queues with their messages; keys are scheduled for deletion.",
)
@aws_options
def destroy_command(yes: bool, everything: bool, **options: Any) -> int:
    """Deletes every stack and then the stack set.

    KMS keys and dead-letter queues stay in the accounts, as the template says: messages in a queue
    can be read only with its key.
    """
    from shnotify.export.operations import removal
    from shnotify.export.rollout import WRITES

    with begun(settings(**options), allowed=WRITES, keeps=not everything, addresses=False) as run:
        seen = settled(run)
        error = refusal(run, seen)
        actions = () if error else removal(run.wanted, seen)
        return carry_out(run, seen, actions, error, yes=yes)


def _simulated(options: Options, accounts: int) -> int:
    from shnotify.config.load import load_file
    from shnotify.export.simulation import OneStack, simulate
    from shnotify.export.stackset import wanted_of
    from shnotify.terminal.screen import Screen

    config = load_file(options.config).config.settled()
    wanted = wanted_of(config)
    found = simulate(wanted.rollout, accounts, OneStack.of(config))
    screen = Screen(json_output=options.json, no_color=options.no_color)
    for line in found.lines():
        screen.result(line)
    screen.document({"name": config.name, "simulation": found.to_json(), "error": None})
    return 0
