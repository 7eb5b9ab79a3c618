"""`shnotify rollout`: the same notifier in many accounts and Regions, by CloudFormation StackSets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.config.models import Config
    from shnotify.errors import ShnotifyError
    from shnotify.export.rollout import Addresses, Ended, Progress, StackSet
    from shnotify.export.stackset import Action, Seen, Wanted
    from shnotify.terminal.options import Options
    from shnotify.terminal.screen import Screen

TIMEOUT = 6 * 3600
"""StackSets take minutes for each stack; Ctrl-C ends the watching, not the operation."""
GOES_ON = "an operation that was begun goes on in AWS, and the next run follows it"


@dataclass
class _Run:
    config: Config
    wanted: Wanted
    aws: Aws
    screen: Screen
    stacks: StackSet

    def document(self, **more: Any) -> None:
        scope = self.aws.scope
        head = {"name": self.config.name, "account": scope.account, "region": scope.region}
        self.screen.document({**head, "stack_set": self.wanted.name, **more})

    def title(self, what: str) -> str:
        scope = self.aws.scope
        return f"{what} {self.wanted.name} in account {scope.account}, {scope.region}"


@contextmanager
def _run(
    options: Options,
    *,
    allowed: frozenset[str] = frozenset(),
    keeps: bool = True,
    addresses: Addresses = "some",
) -> Iterator[_Run]:
    """Begins a run. Raises when the account is not the file's.

    allowed  the operations that may be sent besides the reads: with any, it may take hours
    """
    from shnotify.aws.gateway import Aws
    from shnotify.config.load import load_file
    from shnotify.errors import ShnotifyError
    from shnotify.export.rollout import READS, StackSet
    from shnotify.export.stackset import wanted_of
    from shnotify.terminal.screen import Screen

    config = load_file(options.config).config.settled()
    wanted = wanted_of(config, keeps=keeps)
    screen = Screen(json_output=options.json, verbose=options.verbose, no_color=options.no_color)
    with screen.progress() as report:
        aws = Aws(
            region=config.region or options.region,
            profile=options.profile,
            allowed=READS | allowed,
            timeout=options.timeout or (TIMEOUT if allowed else 300),
            report=report,
        )
        account = aws.scope.account
        if config.account and config.account != account:
            raise ShnotifyError(
                f"these credentials are for account {account}, but the file is for {config.account}",
                hint="use the other account's profile (--profile), or correct `account:` in the file",
            )
        stacks = StackSet(aws, wanted, addresses)
        run = _Run(config, wanted, aws, screen, stacks)
        try:
            yield run
        except ShnotifyError as error:
            run.document(error=error.to_json())
            raise
        except KeyboardInterrupt:
            run.document(error=ShnotifyError("interrupted", hint=GOES_ON).to_json())
            raise


@click.group("rollout")
def command() -> None:
    """Carries the notifier to many accounts and Regions by CloudFormation StackSets.

    The `rollout:` part of the file says where. StackSets do the work: an operation goes on when
    this command is interrupted, and the next run follows it.
    """


def _read(every_address: bool) -> Addresses:
    return "every" if every_address else "some"


_every_address = click.option(
    "--every-address",
    is_flag=True,
    help="Read the own addresses of every stack: one call each, where there are more than 200.",
)


@command.command("plan", short_help="Show what apply would start; change nothing.")
@click.option("--exit-code", is_flag=True, help="Exit 3 if there is anything to do.")
@click.option(
    "--simulate",
    type=click.IntRange(1, 100_000),
    help="Offline: what a roll-out to this many accounts takes, by AWS's published limits.",
)
@_every_address
@aws_options
def plan_command(exit_code: bool, simulate: int | None, every_address: bool, **options: Any) -> int:
    """Shows which StackSets operations `rollout apply` would start.

    Says too how many mails must be confirmed, and what it costs a month.
    """
    from shnotify.commands._rollout_view import plan_document, show_plan
    from shnotify.export.stackset import plan

    chosen = settings(**options)
    if simulate:
        return _simulated(chosen, simulate)
    with _run(chosen, addresses=_read(every_address)) as run:
        seen = run.stacks.look()
        error = _refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        show_plan(run, seen, actions)
        run.document(**plan_document(run, seen, actions, error))
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        return run.screen.code(3 if exit_code and actions else 0)


@command.command("apply", short_help="Start the operations, and follow them to their end.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@_every_address
@aws_options
def apply_command(yes: bool, every_address: bool, **options: Any) -> int:
    """Makes the stack set and its stacks match the file, and shows what became of each stack."""
    from shnotify.commands._rollout_view import show_plan
    from shnotify.export.rollout import WRITES
    from shnotify.export.stackset import plan

    with _run(settings(**options), allowed=WRITES, addresses=_read(every_address)) as run:
        seen = _settled(run)
        error = _refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        show_plan(run, seen, actions)
        return _carry_out(run, seen, actions, error, yes=yes)


@command.command("status", short_help="Show each account's stack, and StackSets' drift result.")
@click.option(
    "--detect-drift",
    is_flag=True,
    help="Let StackSets compare every stack with what it made, first: minutes to hours.",
)
@_every_address
@aws_options
def status_command(detect_drift: bool, every_address: bool, **options: Any) -> int:
    """Shows the stack of each account and Region, and what StackSets' last look for drift found.

    Exits 3 when something is missing, another or drifted, and 4 when a stack failed.
    """
    from shnotify.commands._rollout_view import instance_document, show_status
    from shnotify.export.rollout import DRIFT
    from shnotify.export.stackset import plan

    also = DRIFT if detect_drift else frozenset[str]()
    with _run(settings(**options), allowed=also, addresses=_read(every_address)) as run:
        seen = run.stacks.look()
        error = _refusal(run, seen)
        if detect_drift and not error and seen.instances:
            seen = _compared(run, seen)
        actions = () if error else plan(run.wanted, seen)
        failed = [one for one in seen.instances if one.failed]
        off = [one for one in seen.instances if not one.current or one.drift == "DRIFTED"]
        in_sync = not (error or actions or failed or off or seen.running)
        show_status(run, seen, actions, in_sync=in_sync)
        run.document(
            in_sync=in_sync,
            running=seen.running or None,
            not_checked_for_drift=seen.not_checked,
            addresses_not_read=seen.unread,
            instances=[instance_document(one) for one in seen.instances],
            actions=[action.to_json() for action in actions],
            error=error.to_json() if error else None,
        )
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        return run.screen.code(4 if failed else 0 if in_sync else 3)


def _compared(run: _Run, seen: Seen) -> Seen:
    """Lets StackSets look for drift, and looks again; not beside an operation that is running."""
    from shnotify.export.stackset import Action

    if seen.running:
        run.screen.warn(f"operation {seen.running} is still running: no drift was looked for")
        return seen
    with _told(run) as tell:
        run.stacks.carry_out(Action("detect_drift"), seen.last, tell)
    return run.stacks.look()


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
    from shnotify.commands._rollout_view import show_plan
    from shnotify.export.rollout import WRITES
    from shnotify.export.stackset import removal

    with _run(settings(**options), allowed=WRITES, keeps=not everything, addresses="none") as run:
        seen = _settled(run)
        error = _refusal(run, seen)
        actions = () if error else removal(run.wanted, seen)
        show_plan(run, seen, actions)
        return _carry_out(run, seen, actions, error, yes=yes)


def _settled(run: _Run) -> Seen:
    """Looks, and first follows an operation of ours that is still running."""
    from shnotify.export.stackset import Action

    seen = run.stacks.look()
    if not seen.running:
        return seen
    run.screen.say(f"operation {seen.running} is still running; it is followed first")
    with _told(run, "operation of before") as tell:
        run.stacks.follow(Action("update_set"), seen.running, tell)
    return run.stacks.look()


def _refusal(run: _Run, seen: Seen) -> ShnotifyError | None:
    from shnotify.errors import ShnotifyError
    from shnotify.export.stackset import foreign

    if why := foreign(run.wanted, seen):
        return ShnotifyError(why, hint="choose another `name:` in the file")
    return None


def _carry_out(
    run: _Run, seen: Seen, actions: tuple[Action, ...], error: ShnotifyError | None, *, yes: bool
) -> int:
    from shnotify.commands._rollout_view import plan_document
    from shnotify.errors import UsageError

    if error:
        run.document(**plan_document(run, seen, actions, error))
        run.screen.error(error.message, error.hint)
        return 1
    if actions and not yes:
        if not run.screen.can_ask:
            raise UsageError(
                "nobody can be asked here, so nothing was changed",
                hint="give --yes to go on without asking",
            )
        if not run.screen.ask("Do this? [y/N]"):
            raise UsageError("stopped, as you said; nothing was changed")
    ended = _each(run, actions, seen.last)
    if run.wanted.by_units and run.wanted.overrides and ended and ended[-1].ok:
        ended += _own_addresses(run, actions)
    return _finish(run, seen, actions, ended)


def _each(run: _Run, actions: tuple[Action, ...], last: str) -> list[Ended]:
    """Carries out one after another, up to the first that stopped. `last` is what ran before."""
    ended: list[Ended] = []
    for action in actions:
        with _told(run) as tell:
            ended.append(run.stacks.carry_out(action, last, tell))
        last = ended[-1].operation or last
        if not ended[-1].ok:
            break
    return ended


def _own_addresses(run: _Run, done: tuple[Action, ...]) -> list[Ended]:
    """Gives new stacks their accounts' addresses: which accounts units have is known only now."""
    from shnotify.export.stackset import plan

    if not any(action.kind == "create" for action in done):
        return []
    seen = run.stacks.look()
    return _each(run, tuple(a for a in plan(run.wanted, seen) if a.kind == "update"), seen.last)


def _finish(run: _Run, seen: Seen, actions: tuple[Action, ...], ended: list[Ended]) -> int:
    from shnotify.commands._rollout_view import (
        failures_of,
        instance_document,
        plan_document,
        show_ended,
    )

    failures = [failure for one in ended for failure in one.failures]
    error = failures_of(ended)
    show_ended(run, ended, failures)
    document = plan_document(run, seen, actions, error)
    results = [{"action": one.action.to_json(), "status": one.status} for one in ended]
    run.document(**document, results=results, failures=[*map(instance_document, failures)])
    if error:
        run.screen.error(error.message, error.hint)
        return 1
    return run.screen.code(0)


@contextmanager
def _told(run: _Run, what: str = "") -> Iterator[Callable[[Progress], None]]:
    """Shows how far an operation is, in place on a terminal."""
    from shnotify.commands._rollout_view import Following

    with run.screen.block() as draw:
        yield Following(run.screen, draw, what).show


# -- without AWS -------------------------------------------------------------------------------------------------------


def _simulated(options: Options, accounts: int) -> int:
    from shnotify.commands._rollout_view import per_stack
    from shnotify.config.load import load_file
    from shnotify.export.simulation import simulate
    from shnotify.export.stackset import wanted_of
    from shnotify.terminal.screen import Screen

    config = load_file(options.config).config.settled()
    wanted = wanted_of(config)
    keys, mails = per_stack(config)
    found = simulate(wanted.rollout, accounts, keys=keys, mails=mails)
    screen = Screen(json_output=options.json, no_color=options.no_color)
    for line in found.lines():
        screen.result(line)
    screen.document({"name": config.name, "simulation": found.to_json(), "error": None})
    return 0
