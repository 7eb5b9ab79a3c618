"""`shnotify plan`: what `apply` would do; changes nothing."""

from __future__ import annotations

from typing import Any

import click

from shnotify.commands._flow import planned, refusal
from shnotify.terminal.help import Command
from shnotify.terminal.options import aws_options, settings


@click.command(
    "plan",
    cls=Command,
    short_help="Show what apply would do; change nothing.",
    examples=(
        "shnotify plan",
        "shnotify plan -v --profile audit",
        "shnotify plan --exit-code -o json",
    ),
)
@click.option("--exit-code", is_flag=True, help="Exit 3 if there is anything to do.")
@click.option(
    "--adopt", is_flag=True, help="Plan to take over same-named resources that carry nobody's tag."
)
@aws_options
def command(exit_code: bool, adopt: bool, **options: Any) -> int:
    """Shows what `apply` would do.

    Changes nothing: writing calls are refused before they are sent.
    """
    from shnotify.commands._session import session

    with session(settings(**options)) as run:
        seen, around = run.look()
        run.warn(seen)
        plan = planned(run, seen, around, adopt=adopt)
        error = refusal(plan)
        run.screen.document(run.plan_document(plan, error=error))
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        return run.screen.code(3 if exit_code and plan.changes_anything else 0)
