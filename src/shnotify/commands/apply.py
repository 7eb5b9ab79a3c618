"""`shnotify apply`: creates or updates until AWS matches the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._flow import TIMEOUT, changed_meanwhile, confirm, finish
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from shnotify.commands._session import Session
    from shnotify.engine.execute import Outcome
    from shnotify.engine.plan import Plan
    from shnotify.errors import ShnotifyError

VISIBLE_SECONDS = 90
"""How long a write may stay unseen: SQS says up to 60 s for attributes (API_SetQueueAttributes)."""


@click.command("apply", short_help="Create or update until AWS matches the file.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--adopt", is_flag=True, help="Take over same-named resources that carry nobody's tag.")
@aws_options
def command(yes: bool, adopt: bool, **options: Any) -> int:
    """Plans, asks (on a terminal) or needs `--yes`, then creates or updates until AWS matches the file."""
    from shnotify.commands._flow import planned, refusal
    from shnotify.commands._session import session
    from shnotify.engine.execute import Outcome, execute

    with session(settings(**options), write=True, timeout=TIMEOUT) as run:
        seen = run.observe()
        run.warn(seen)
        plan = planned(run, seen, adopt=adopt)
        if error := refusal(plan):
            return finish(run, plan, Outcome(), error)
        if not plan.changes_anything:
            return finish(run, plan, execute(plan, run.aws, run.report), None)
        if not yes:
            confirm(run, "Do this?")
            again = _replanned(run, adopt=adopt)
            if again.fingerprint != plan.fingerprint:
                return finish(run, plan, Outcome(), changed_meanwhile())
        hub = _ask_hub(run) if plan.count("create") else None
        outcome = execute(plan, run.aws, run.report)
        late = None if outcome.error or outcome.interrupted else _visible(run, outcome, hub)
        clear = not (outcome.error or outcome.interrupted or late or run.screen.json)
        waiting = _pending(run) if clear else []
        code = finish(run, plan, outcome, outcome.error or late)
        if waiting:
            run.screen.result(
                f"Next: {', '.join(waiting)} must confirm the subscription within 48 hours; "
                "until then nothing reaches them. `shnotify status` shows who did."
            )
        return code


def _replanned(run: Session, *, adopt: bool) -> Plan:
    from shnotify.engine.plan import plan_apply

    return plan_apply(run.graph, run.observe(), adopt=adopt)


def _ask_hub(run: Session) -> Future[str | None]:
    """Whether Security Hub is on, asked while AWS creates: its client, the SDK's largest, takes a while to make."""
    from shnotify.notifier.preconditions import hub_note

    return run.aws.start(hub_note, run.aws, {route.source for route in run.config.routes})


def _visible(run: Session, outcome: Outcome, hub: Future[str | None] | None) -> ShnotifyError | None:
    """Why it cannot be said that AWS shows what was written, or None; whatever ends the look, what was done is told."""
    from shnotify.errors import ShnotifyError

    try:
        return _read_back(run, hub)
    except ShnotifyError as error:
        return error
    except KeyboardInterrupt as interrupt:
        run.aws.stop()
        outcome.interrupted = interrupt
        return None


def _read_back(run: Session, hub: Future[str | None] | None) -> ShnotifyError | None:
    """Looks until AWS shows what was written; None when it does."""
    from shnotify.engine.plan import plan_apply
    from shnotify.errors import ShnotifyError

    began, wait = run.aws.clock.now(), 1.0
    while True:
        left = plan_apply(run.graph, run.observe(search=False))
        if not left.changes_anything and not left.refused:
            if hub and (note := run.aws.in_time(hub)):
                run.screen.warn(note)
            return None
        if run.aws.clock.now() - began > VISIBLE_SECONDS:
            names = ", ".join(s.key for s in left.steps if s.action != "none")
            return ShnotifyError(
                f"written, but AWS does not show it yet: {names}", hint="run `shnotify status` in a few minutes"
            )
        run.aws.pause(wait)
        wait = min(wait * 2, 10)


def _pending(run: Session) -> list[str]:
    """Who still has to click, because nobody else will; nobody when that cannot be read just now."""
    from shnotify.aws.failures import AwsError
    from shnotify.resources.lookup import subscriptions
    from shnotify.resources.topic import Topic

    topics = [r.topic_arn for r in run.graph if isinstance(r, Topic)]
    try:
        pending = [run.aws.start(subscriptions, run.aws, arn) for arn in topics]
        lists = [run.aws.in_time(future) for future in pending]
    except AwsError:
        return []
    return sorted({s.endpoint for listed in lists for s in listed or () if s.state == "pending"})
