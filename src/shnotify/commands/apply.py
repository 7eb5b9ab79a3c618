"""`shnotify apply`: creates or updates until AWS matches the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._flow import TIMEOUT, changed_meanwhile, confirm, finish
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._session import Session
    from shnotify.engine.execute import Outcome
    from shnotify.engine.plan import Plan
    from shnotify.errors import ShnotifyError

VISIBLE_SECONDS = 90
"""How long a write may stay unseen: SQS says up to 60 s for attributes (API_SetQueueAttributes)."""


@click.command("apply", short_help="Create or update until AWS matches the file.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--adopt", is_flag=True, help="Take over same-named resources that carry nobody's tag."
)
@aws_options
def command(yes: bool, adopt: bool, **options: Any) -> int:
    """Plans, asks (on a terminal) or needs `--yes`, then creates or updates until AWS matches the
    file.
    """
    from shnotify.commands._flow import planned, refusal
    from shnotify.commands._session import session
    from shnotify.engine.execute import Outcome, execute

    with session(settings(**options), write=True, timeout=TIMEOUT) as run:
        seen, around = run.look()
        run.warn(seen)
        plan = planned(run, seen, around, adopt=adopt, wait=not yes)
        if error := refusal(plan):
            return finish(run, plan, Outcome(), error)
        if not plan.changes_anything:
            return finish(run, plan, execute(plan, run.aws, run.report), None)
        if not yes:
            confirm(run, "Do this?")
            again = _replanned(run, adopt=adopt)
            if again.fingerprint != plan.fingerprint:
                return finish(run, plan, Outcome(), changed_meanwhile())
        outcome = execute(plan, run.aws, run.report)
        late = None if outcome.error or outcome.interrupted else _visible(run, outcome)
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


def _pending(run: Session) -> list[str]:
    """Lists who of the file has still to confirm.

    Nobody when that cannot be read just now.
    """
    from shnotify.aws.failures import AwsError
    from shnotify.notifier import names
    from shnotify.notifier.subscribers import subscribers_of
    from shnotify.resources.lookup import subscriptions
    from shnotify.resources.topic import Topic

    waiting: set[str] = set()
    try:
        for route in run.config.routes:
            topic = run.graph[names.topic_id(route)]
            assert isinstance(topic, Topic)  # noqa: S101 what `desired` builds under this id
            listed = run.aws.in_time(run.aws.start(subscriptions, run.aws, topic.topic_arn)) or ()
            found = subscribers_of(route, listed, {})
            waiting |= {one.endpoint for one in found if one.state == "pending"}
    except AwsError:
        return []
    return sorted(waiting)
