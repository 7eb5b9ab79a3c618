"""The run of a `rollout` command: its gateway, its question, and its operations one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.config.models import Config
    from shnotify.errors import ShnotifyError
    from shnotify.export.rollout import Ended, Progress, StackSet
    from shnotify.export.stackset import Action, Seen, Wanted
    from shnotify.terminal.options import Options
    from shnotify.terminal.screen import Screen

TIMEOUT = 6 * 3600
"""StackSets take minutes for each stack; Ctrl-C ends the watching, not the operation."""
READING = 1800
"""Seconds for the looks: thousands of stacks with addresses of their own are one call each."""
GOES_ON = "an operation that was begun goes on in AWS, and the next run follows it"


@dataclass
class Run:
    """One command's file, gateway and screen, and the stack set that they are about."""

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
def begun(
    options: Options,
    *,
    allowed: frozenset[str] = frozenset(),
    keeps: bool = True,
    addresses: bool = True,
) -> Iterator[Run]:
    """Begins a run. Raises when the account is not the file's.

    allowed    the operations that may be sent besides the reads: with any, it may take hours
    addresses  whether the stacks' own addresses are read
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
            timeout=options.timeout or (TIMEOUT if allowed else READING),
            report=report,
        )
        account = aws.scope.account
        if config.account and config.account != account:
            raise ShnotifyError(
                f"these credentials are for account {account}, but the file is for {config.account}",
                hint="use the other account's profile (--profile), or correct `account:` in the file",
            )
        stacks = StackSet(aws, wanted, addresses=addresses)
        run = Run(config, wanted, aws, screen, stacks)
        try:
            yield run
        except ShnotifyError as error:
            run.document(error=error.to_json())
            raise
        except KeyboardInterrupt:
            run.document(error=ShnotifyError("interrupted", hint=GOES_ON).to_json())
            raise


def settled(run: Run) -> Seen:
    """Looks, and first follows an operation of ours that is still running."""
    from shnotify.export.stackset import Action

    seen = run.stacks.look()
    if not seen.running or refusal(run, seen):
        return seen
    run.screen.say(f"operation {seen.running} is still running; it is followed first")
    with _told(run, "operation of before") as tell:
        run.stacks.follow(Action("update_set"), seen.running, tell)
    return run.stacks.look()


def refusal(run: Run, seen: Seen) -> ShnotifyError | None:
    """Returns why the stack set may not be touched, or None."""
    from shnotify.errors import ShnotifyError
    from shnotify.export import operations

    if refused := operations.refusal(run.wanted, seen):
        why, hint = refused
        return ShnotifyError(why, hint=hint)
    return None


def carry_out(
    run: Run, seen: Seen, actions: tuple[Action, ...], error: ShnotifyError | None, *, yes: bool
) -> int:
    """Shows the plan, asks, carries the operations out, and returns the exit code. Raises `UsageError` for a no."""
    from shnotify.commands._rollout_view import plan_document, show_plan
    from shnotify.errors import UsageError

    if error:
        run.document(**plan_document(run, seen, actions, error))
        run.screen.error(error.message, error.hint)
        return 1
    show_plan(run, seen, actions)
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


def _each(run: Run, actions: tuple[Action, ...], last: str) -> list[Ended]:
    """Carries out one after another, up to the first that stopped. `last` is what ran before."""
    ended: list[Ended] = []
    for action in actions:
        if action.kind == "delete_set" and any(one.failures for one in ended):
            break  # a set with stacks cannot go, and why they stand is what must be told
        with _told(run) as tell:
            ended.append(run.stacks.carry_out(action, last, tell))
        last = ended[-1].operation or last
        if not ended[-1].ok:
            break
    return ended


def _own_addresses(run: Run, done: tuple[Action, ...]) -> list[Ended]:
    """Gives new stacks their accounts' addresses: which accounts units have is known only now."""
    from shnotify.export.operations import plan

    if not any(action.kind == "create" for action in done):
        return []
    seen = run.stacks.look()
    return _each(run, tuple(a for a in plan(run.wanted, seen) if a.kind == "update"), seen.last)


def _finish(run: Run, seen: Seen, actions: tuple[Action, ...], ended: list[Ended]) -> int:
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


def compared(run: Run, seen: Seen) -> Seen:
    """Lets StackSets look for drift, and looks again; not beside an operation that is running."""
    from shnotify.export.operations import may_have_own
    from shnotify.export.stackset import Action

    if seen.running:
        run.screen.warn(f"operation {seen.running} is still running: no drift was looked for")
        return seen
    look = Action("detect_drift", own=may_have_own(run.wanted, seen))
    with _told(run) as tell:
        run.stacks.carry_out(look, seen.last, tell)
    return run.stacks.look()


@contextmanager
def _told(run: Run, what: str = "") -> Iterator[Callable[[Progress], None]]:
    """Shows how far an operation is, in place on a terminal."""
    from shnotify.commands._rollout_view import Following

    with run.screen.block() as draw:
        yield Following(run.screen, draw, what).show
