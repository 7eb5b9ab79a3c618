"""How `apply` ends: it waits for people if that was asked for, and says what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shnotify.commands._flow import finish

if TYPE_CHECKING:
    from shnotify.commands._session import Session
    from shnotify.engine.execute import Outcome
    from shnotify.engine.plan import Plan
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.roster import Member

DAY = 86400


def seconds_of(text: str | None) -> int:
    """Reads how long to wait; 0 for not at all. Raises `UsageError`."""
    if text is None:
        return 0
    from shnotify.errors import UsageError
    from shnotify.schema.scalars import seconds_in

    try:
        return seconds_in(text, 1, 2 * DAY)
    except ValueError as error:
        raise UsageError(f"--wait-confirmation {text}: {error}") from error


def went_well(outcome: Outcome) -> bool:
    return not (outcome.error or outcome.interrupted)


def end(
    run: Session, plan: Plan, outcome: Outcome, late: ShnotifyError | None, patience: int
) -> int:
    """Waits for people if that was asked for, tells what became of it all, and what comes next."""
    waiting: tuple[Member, ...] | None = None
    if patience and went_well(outcome) and not late:
        waiting, late = _wait(run, outcome, patience)
    clear = went_well(outcome) and not late
    if clear and waiting is None and not run.screen.json:
        waiting = _pending(run)
    told = None if waiting is None else [one.to_json() for one in waiting]
    code = finish(
        run, plan, outcome, outcome.error or late, **({"waiting": told} if patience else {})
    )
    who = [one.who.endpoint for one in waiting] if waiting else []
    if patience and who:
        run.screen.warn(f"not confirmed within {patience} s: {', '.join(dict.fromkeys(who))}")
    if clear and (plan.changes_anything or (patience and who)):
        _say_next(run, None if waiting is None else list(dict.fromkeys(who)))
    return code or (4 if patience and who else 0)


def _wait(
    run: Session, outcome: Outcome, patience: int
) -> tuple[tuple[Member, ...] | None, ShnotifyError | None]:
    """Waits for the confirmations; returns who is missing, or why nobody could look.

    An interrupt is noted in the outcome: what was applied is told all the same.
    """
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.waiting import wait_until_confirmed
    from shnotify.terminal.roster_view import Waiting

    view = Waiting(run.screen)
    try:
        with run.screen.block() as draw:
            show = view.on(draw).show
            return wait_until_confirmed(run.aws, run.config, run.graph, patience, show), None
    except ShnotifyError as error:
        return None, error
    except KeyboardInterrupt as interrupt:
        run.aws.stop()
        outcome.interrupted = interrupt
        return None, None


def _say_next(run: Session, pending: list[str] | None) -> None:
    """Says what a person needs next: who must click, and what shows that mail arrives.

    pending  None when that could not be read
    """
    who = "every subscriber" if pending is None else ", ".join(pending)
    clicks = (
        f"{who} must confirm the subscription within 48 hours; until then nothing reaches them",
        "`shnotify subscriptions list` shows who did",
    )
    run.next_steps(
        *(clicks if who else ("everybody has confirmed",)),
        "`shnotify test` sends a marked finding through the whole chain",
        "`shnotify doctor` looks at every link of it",
    )


def _pending(run: Session) -> tuple[Member, ...] | None:
    """Lists who of the file has still to confirm; None when that cannot be read just now."""
    from shnotify.aws.failures import AwsError
    from shnotify.notifier.roster import named_in_file

    try:
        found = named_in_file(run.aws, run.config, run.graph)
    except AwsError:
        return None
    return tuple(one for one in found if one.pending)
