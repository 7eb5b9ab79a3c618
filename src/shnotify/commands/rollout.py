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
    from shnotify.export.rollout import Ended, Progress, StackSet
    from shnotify.export.stackset import Action, Instance, Seen, Wanted
    from shnotify.terminal.options import Options
    from shnotify.terminal.screen import Screen

TIMEOUT = 6 * 3600
"""StackSets take minutes for each stack; Ctrl-C ends the watching, not the operation."""
SHOWN = 30
"""Stacks that are listed without -v when all is well; what failed is always listed."""


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
def _run(options: Options, *, write: bool = False, keeps: bool = True) -> Iterator[_Run]:
    from shnotify.aws.gateway import Aws
    from shnotify.config.load import load_file
    from shnotify.errors import ShnotifyError
    from shnotify.export.rollout import READS, WRITES, StackSet
    from shnotify.export.stackset import wanted_of
    from shnotify.terminal.screen import Screen

    config = load_file(options.config).config.settled()
    wanted = wanted_of(config, keeps=keeps)
    screen = Screen(json_output=options.json, verbose=options.verbose, no_color=options.no_color)
    with screen.progress() as report:
        aws = Aws(
            region=config.region or options.region,
            profile=options.profile,
            allowed=READS | WRITES if write else READS,
            timeout=options.timeout or (TIMEOUT if write else 300),
            report=report,
        )
        account = aws.scope.account
        if config.account and config.account != account:
            raise ShnotifyError(
                f"these credentials are for account {account}, but the file is for {config.account}",
                hint="use the other account's profile (--profile), or correct `account:` in the file",
            )
        yield _Run(config, wanted, aws, screen, StackSet(aws, wanted))


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
    from shnotify.export.stackset import plan

    chosen = settings(**options)
    if simulate:
        return _simulated(chosen, simulate)
    with _run(chosen) as run:
        seen = run.stacks.look()
        error = _refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        _show_plan(run, seen, actions)
        run.document(**_plan_document(run, seen, actions, error))
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        return run.screen.code(3 if exit_code and actions else 0)


@command.command("apply", short_help="Start the operations, and follow them to their end.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@aws_options
def apply_command(yes: bool, **options: Any) -> int:
    """Makes the stack set and its stacks match the file, and shows what became of each stack."""
    from shnotify.export.stackset import plan

    with _run(settings(**options), write=True) as run:
        seen = _settled(run)
        error = _refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        _show_plan(run, seen, actions)
        return _carry_out(run, seen, actions, error, yes=yes)


@command.command("status", short_help="Show each account's stack, and StackSets' drift result.")
@aws_options
def status_command(**options: Any) -> int:
    """Shows the stack of each account and Region.

    Exits 3 when something is missing, another or drifted, and 4 when a stack failed.
    """
    from shnotify.export.stackset import plan

    with _run(settings(**options)) as run:
        seen = run.stacks.look()
        error = _refusal(run, seen)
        actions = () if error else plan(run.wanted, seen)
        drifted = [one for one in seen.instances if one.drift == "DRIFTED"]
        failed = [one for one in seen.instances if one.failed or one.status == "OUTDATED"]
        in_sync = not (error or actions or drifted or failed)
        run.screen.result(run.title("Roll-out"))
        _show_instances(run, seen.instances)
        for action in actions:
            run.screen.result(f"  not as the file says: {_words(action)}")
        run.screen.result("In sync." if in_sync else "Not in sync.")
        run.document(
            in_sync=in_sync,
            running=seen.running or None,
            instances=[_instance(one) for one in seen.instances],
            actions=[action.to_json() for action in actions],
            error=error.to_json() if error else None,
        )
        if error:
            run.screen.error(error.message, error.hint)
            return 1
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
    from shnotify.export.stackset import removal

    with _run(settings(**options), write=True, keeps=not everything) as run:
        seen = _settled(run)
        error = _refusal(run, seen)
        actions = () if error else removal(run.wanted, seen)
        _show_plan(run, seen, actions)
        return _carry_out(run, seen, actions, error, yes=yes)


def _settled(run: _Run) -> Seen:
    """Looks, and first follows an operation of ours that is still running."""
    from shnotify.export.stackset import Action

    seen = run.stacks.look()
    if not seen.running:
        return seen
    run.screen.say(f"operation {seen.running} is still running; it is followed first")
    with _told(run) as tell:
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
    from shnotify.errors import UsageError

    if error:
        run.document(**_plan_document(run, seen, actions, error))
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
    ended: list[Ended] = []
    last = seen.last
    for action in actions:
        with _told(run) as tell:
            one = run.stacks.carry_out(action, last, tell)
        ended.append(one)
        last = one.operation or last
        if not one.ok:
            break
    return _finish(run, seen, actions, ended)


def _finish(run: _Run, seen: Seen, actions: tuple[Action, ...], ended: list[Ended]) -> int:
    from shnotify.errors import ShnotifyError

    bad = next((one for one in ended if not one.ok), None)
    failures = [failure for one in ended for failure in one.failures]
    error = None
    if bad:
        error = ShnotifyError(
            f"{_words(bad.action)} ended as {bad.status}: {len(failures)} stacks failed",
            hint="mend the cause, then run the same command again: it goes on with what is missing",
        )
    for failure in failures:
        run.screen.result(
            f"  {failure.account} {failure.region}: {failure.reason or failure.status}"
        )
    done = [_words(one.action) for one in ended if one.ok]
    run.screen.result(f"Done: {'; '.join(done) or 'nothing to do'}.")
    document = _plan_document(run, seen, actions, error)
    results = [{"action": one.action.to_json(), "status": one.status} for one in ended]
    run.document(**document, results=results, failures=[_instance(one) for one in failures])
    if error:
        run.screen.error(error.message, error.hint)
        return 1
    return run.screen.code(0)


@contextmanager
def _told(run: _Run) -> Iterator[Callable[[Progress], None]]:
    """Shows how far an operation is, in place on a terminal."""
    from shnotify.commands._rollout_view import Following

    with run.screen.block() as draw:
        yield Following(run.screen, draw).show


# -- showing -----------------------------------------------------------------------------------------------------------


def _show_plan(run: _Run, seen: Seen, actions: tuple[Action, ...]) -> None:
    screen = run.screen
    screen.result(run.title("Roll-out of"))
    for action in actions:
        screen.result(f"  {_words(action)}")
        if screen.verbose:
            screen.result(f"    {', '.join(action.accounts or action.targets)}")
    if not actions:
        screen.result("  nothing to do")
    counts = _figures(run, seen, actions)
    screen.result(
        f"{counts['mails_to_confirm']} mails must be confirmed, within 48 hours each; "
        f"all stacks together cost about {counts['cost_per_month_usd']} USD a month (KMS keys)."
    )
    if run.wanted.by_units:
        screen.result("Counted once for each organizational unit: its accounts are AWS's to know.")


def _words(action: Action) -> str:
    words = {
        "create_set": "create the stack set",
        "update_set": "update the stack set, and every stack of it",
        "delete_set": "delete the stack set",
    }
    if action.kind in words:
        return words[action.kind]
    where = ", ".join(action.regions)
    how = " with addresses of their own" if action.overrides else ""
    whom = action.accounts or action.targets
    first = whom[0] if len(whom) == 1 else f"{len(whom)} accounts or units"
    return f"{action.kind} {action.stacks} stacks: {first} in {where}{how}"


def _figures(run: _Run, seen: Seen, actions: tuple[Action, ...]) -> dict[str, int]:
    """Counts stacks, mails to confirm and USD a month (a KMS key is 1 USD, AWS KMS pricing)."""
    created = sum(a.stacks for a in actions if a.kind == "create")
    deleted = sum(a.stacks for a in actions if a.kind == "delete")
    stacks = len(seen.instances) + created - deleted
    keys, mails = _per_stack(run.config)
    return {
        "stacks": stacks,
        "mails_to_confirm": created * mails,
        "cost_per_month_usd": stacks * keys,
    }


def _per_stack(config: Config) -> tuple[int, int]:
    """Returns the keys and the mail addresses of one stack."""
    from shnotify.export.cloudformation import graph_for_export
    from shnotify.resources.key import Key

    keys = sum(isinstance(thing, Key) for thing in graph_for_export(config))
    mails = sum(one.protocol.startswith("email") for r in config.routes for one in r.subscribers)
    return keys, mails


def _plan_document(
    run: _Run, seen: Seen, actions: tuple[Action, ...], error: ShnotifyError | None
) -> dict[str, Any]:
    return {
        "actions": [action.to_json() for action in actions],
        **_figures(run, seen, actions),
        "error": error.to_json() if error else None,
    }


def _show_instances(run: _Run, instances: tuple[Instance, ...]) -> None:
    from collections import Counter

    bad = [one for one in instances if one.failed or one.drift == "DRIFTED"]
    every = run.screen.verbose or len(instances) <= SHOWN
    for one in instances if every else bad:
        drift = "" if one.drift == "NOT_CHECKED" else f", {one.drift.lower().replace('_', ' ')}"
        why = f": {one.reason}" if one.reason else ""
        run.screen.result(f"  {one.account} {one.region:15} {one.status.lower()}{drift}{why}")
    counts = Counter(one.status.lower() for one in instances)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    run.screen.result(f"{len(instances)} stacks{f': {told}' if told else ''}")


def _instance(one: Instance) -> dict[str, Any]:
    return {
        "account": one.account,
        "region": one.region,
        "unit": one.unit or None,
        "status": one.status,
        "drift": one.drift,
        "reason": one.reason or None,
    }


# -- without AWS -------------------------------------------------------------------------------------------------------


def _simulated(options: Options, accounts: int) -> int:
    from shnotify.config.load import load_file
    from shnotify.export.simulation import simulate
    from shnotify.export.stackset import wanted_of
    from shnotify.terminal.screen import Screen

    config = load_file(options.config).config.settled()
    wanted = wanted_of(config)
    keys, mails = _per_stack(config)
    found = simulate(wanted.rollout, accounts, keys=keys, mails=mails)
    screen = Screen(json_output=options.json, no_color=options.no_color)
    for line in found.lines():
        screen.result(line)
    screen.document({"name": config.name, "simulation": found.to_json(), "error": None})
    return 0
