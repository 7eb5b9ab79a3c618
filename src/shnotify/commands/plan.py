"""`shnotify plan`: what `apply` would do; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._flow import planned, refusal
from shnotify.errors import UsageError
from shnotify.notifier.needs import PLAN
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.engine.plan import Plan
    from shnotify.errors import ShnotifyError


@click.command("plan")
@click.option("--exit-code", is_flag=True, help="Exit 3 if there is anything to do.")
@click.option(
    "--adopt", is_flag=True, help="Plan to take over same-named resources that carry nobody's tag."
)
@click.option("--markdown", is_flag=True, help="Write Markdown, for the comment of a pull request.")
@aws_options
def command(exit_code: bool, adopt: bool, markdown: bool, **options: Any) -> int:
    """Shows what `apply` would do.

    Changes nothing: writing calls are refused before they are sent. The fingerprint at the end is
    for `apply --expect`, which carries out this plan and no other.
    """
    from shnotify.commands._each import in_each

    chosen = settings(**options)
    if markdown and chosen.json:
        raise UsageError("--markdown and -o json are two forms: give one of them")

    def work(run: Session) -> Work:
        yield from ()  # it asks nothing
        plan, error = shown(run, adopt=adopt, markdown=markdown)
        run.screen.document(run.plan_document(plan, error=error))
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        return run.screen.code(3 if exit_code and plan.changes_anything else 0)

    return in_each(chosen, work, besides=PLAN, services=("securityhub",))


def shown(
    run: Session, *, adopt: bool, markdown: bool = False
) -> tuple[Plan, ShnotifyError | None]:
    """Looks, shows the plan, and returns it with the reason why it cannot be carried out."""
    seen, around = run.look()
    run.warn(seen)
    plan = planned(run, seen, around, adopt=adopt, ask=True, markdown=markdown)
    return plan, refusal(plan)
