"""`shnotify apply`: creates or updates until AWS matches the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._flow import TIMEOUT, changed_meanwhile, finish
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.engine.execute import Outcome
    from shnotify.engine.plan import Observation, Plan
    from shnotify.errors import ShnotifyError

VISIBLE_SECONDS = 90
"""How long a write may stay unseen: SQS says up to 60 s for attributes (API_SetQueueAttributes)."""


@click.command("apply")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--adopt", is_flag=True, help="Take over same-named resources that carry nobody's tag."
)
@click.option(
    "--expect",
    metavar="FINGERPRINT",
    multiple=True,
    help="Carry out the plan with this fingerprint, and no other, without asking; once for each notifier.",
)
@click.option(
    "--wait-confirmation",
    metavar="TIME",
    help="Wait so long (10m, say) until all subscribers have confirmed; exit 4 if some have not.",
)
@aws_options
def command(
    yes: bool, adopt: bool, expect: tuple[str, ...], wait_confirmation: str | None, **options: Any
) -> int:
    """Plans, asks (on a terminal) or needs `--yes`, then creates or updates until AWS matches the
    file.

    `shnotify plan` shows a plan's fingerprint: `--expect` is the yes to that plan only.
    """
    from shnotify.commands._each import in_each
    from shnotify.commands._flow import all_expected
    from shnotify.commands._waiting import seconds_of

    patience = seconds_of(wait_confirmation)
    chosen = settings(**options)
    # The wait is for people, and comes on top of the time that AWS has.
    chosen = chosen._replace(timeout=(chosen.timeout or TIMEOUT) + patience)

    def work(run: Session) -> Work:
        from shnotify.commands._flow import planned, refusal, unexpected
        from shnotify.commands._waiting import end, went_well
        from shnotify.engine.execute import Outcome, execute

        seen, around = run.look()
        run.warn(seen)
        plan = planned(run, seen, around, adopt=adopt, wait=not yes)
        if error := refusal(plan) or unexpected(plan, expect):
            return finish(run, plan, Outcome(), error)
        if not plan.changes_anything:
            return end(run, plan, execute(plan, run.aws, run.report), None, patience)
        agreed = yes or expect
        yield None if agreed else "Do this?"
        if not agreed:
            again = _replanned(run, adopt=adopt)
            if again.fingerprint != plan.fingerprint:
                return finish(run, plan, Outcome(), changed_meanwhile())
        plan, outcome = _carried_out(run, plan, seen, adopt=adopt)
        late = _visible(run, outcome) if went_well(outcome) else None
        return end(run, plan, outcome, late, patience)

    return in_each(
        chosen,
        work,
        write=True,
        services=("securityhub",),
        loads=("shnotify.notifier.delivery", "shnotify.terminal.plan_view"),
        check=lambda found: all_expected(found, expect),
    )


def _carried_out(
    run: Session, plan: Plan, seen: Observation, *, adopt: bool
) -> tuple[Plan, Outcome]:
    """Carries out the plan, and what has to come before it or after it."""
    from shnotify.commands._flow import backlog_first
    from shnotify.engine.execute import execute
    from shnotify.engine.plan import on_the_way, plan_apply
    from shnotify.notifier.plain import refused

    if way := on_the_way(run.graph, seen):
        plan = plan_apply(way, replace(seen, leftovers=()), adopt=adopt)
        outcome = execute(plan, run.aws, backlog_first(run))
        if not (outcome.error or outcome.interrupted):
            plan, outcome = _continued(run, plan, outcome, adopt=adopt)
    else:
        outcome = execute(plan, run.aws, backlog_first(run))
    routes = refused(run.config, run.graph, outcome.errors)
    if not routes or outcome.interrupted:
        return plan, outcome
    # One rule lets through all again, and the other one is removed: nothing is left half made.
    for route, code in routes.items():
        run.screen.warn(
            f"route {route}: EventBridge took no second rule ({code}): its mails go without title and resource"
        )
    run.without_second_rules(routes)
    return _continued(run, plan, outcome, adopt=adopt)


def _continued(run: Session, plan: Plan, outcome: Outcome, *, adopt: bool) -> tuple[Plan, Outcome]:
    """Looks again and carries out what is left to do; both are told as one."""
    from shnotify.engine.execute import execute, joined
    from shnotify.engine.plan import plan_apply
    from shnotify.errors import ShnotifyError

    run.aws.forget()  # what was asked ahead shows what is written, and is too early to plan by
    try:
        rest = plan_apply(run.graph, run.observe(), adopt=adopt)
        return joined(plan, outcome, rest, execute(rest, run.aws, run.report))
    except ShnotifyError as error:
        outcome.errors.insert(0, error)
        return plan, outcome
    except KeyboardInterrupt as interrupt:
        run.aws.stop()
        outcome.interrupted = interrupt
        return plan, outcome


def _replanned(run: Session, *, adopt: bool) -> Plan:
    from shnotify.engine.plan import plan_apply

    return plan_apply(run.graph, run.observe(), adopt=adopt)


def _visible(run: Session, outcome: Outcome) -> ShnotifyError | None:
    """Says why AWS may not show yet what was written, or returns None.

    Whatever ends the look, what was done is told.
    """
    from shnotify.errors import ShnotifyError

    try:
        return _read_back(run)
    except ShnotifyError as error:
        return error
    except KeyboardInterrupt as interrupt:
        run.aws.stop()
        outcome.interrupted = interrupt
        return None


def _read_back(run: Session) -> ShnotifyError | None:
    """Looks until AWS shows what was written, and then returns None."""
    from shnotify.engine.plan import plan_apply
    from shnotify.errors import ShnotifyError

    began, wait = run.aws.clock.now(), 1.0
    while True:
        left = plan_apply(run.graph, run.observe(search=False))
        if not left.changes_anything and not left.refused:
            return None
        if run.aws.clock.now() - began > VISIBLE_SECONDS:
            names = ", ".join(s.key for s in left.steps if s.action != "none")
            unread = [f": {step.reason}" for step in left.refused if step.live is None]
            return ShnotifyError(
                f"written, but AWS does not show it yet: {names}{''.join(unread[:1])}",
                hint="run `shnotify status` in a few minutes",
            )
        run.aws.pause(wait)
        wait = min(wait * 2, 10)
