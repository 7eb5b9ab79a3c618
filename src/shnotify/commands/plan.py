"""`shnotify plan`: what `apply` would do; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.cli import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands.session import Session
    from shnotify.core.plan import Observation, Plan


@click.command("plan", short_help="Show what apply would do; change nothing.")
@click.option("--exit-code", is_flag=True, help="Exit 3 if there is anything to do.")
@click.option("--adopt", is_flag=True, help="Plan to take over same-named resources that carry nobody's tag.")
@aws_options
def command(exit_code: bool, adopt: bool, **options: Any) -> int:
    """Shows what `apply` would do. Changes nothing: writing calls are refused before they are sent."""
    from shnotify.commands.session import session

    with session(settings(**options)) as run:
        seen = run.observe()
        run.warn(seen)
        plan = planned(run, seen, adopt=adopt)
        error = refusal(plan)
        run.screen.document(run.plan_document(plan, error=error))
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        return run.screen.code(3 if exit_code and plan.changes_anything else 0)


def planned(run: Session, seen: Observation, *, adopt: bool) -> Plan:
    """The plan for `apply`, shown in text form. Raises `UsageError` for a pattern that EventBridge would not take."""
    from shnotify.core.plan import plan_apply
    from shnotify.errors import UsageError
    from shnotify.pattern import size_warning
    from shnotify.planlines import plan_lines, summary_line
    from shnotify.resources.rule import Rule

    plan = plan_apply(run.graph, seen, adopt=adopt)
    if refused := run.refused_patterns(plan):
        told = "; ".join(f"route {route}: {why}" for route, why in refused.items())
        raise UsageError(told, hint="correct the `pattern:` of the route; nothing was changed")
    if all(step.action == "create" for step in plan.steps) and (others := run.other_notifiers()):
        run.screen.warn(
            f"nothing of {run.config.name} is here yet, but of {', '.join(others)}: if that is its former name, this "
            "makes a second set beside it; `shnotify destroy` with the former name in the file takes the first one away"
        )
    for seldom_meant in run.config.warnings():
        run.screen.warn(seldom_meant)
    for rule in run.graph:
        if isinstance(rule, Rule) and (warning := size_warning(rule.event_pattern.document)):
            run.screen.warn(f"{rule.id}: {warning}")
    for arn, problems in run.key_problems().items():
        for problem in problems:
            run.screen.warn(f"key {arn}: {problem}")
    run.screen.result(run.title("Plan for"))
    run.screen.result()
    for line in plan_lines(plan, run.screen.between):
        run.screen.result(line)
    if plan.count("delete"):
        run.screen.result("What is deleted carries our tag, and is no longer in the file.")
    run.screen.result(summary_line(plan))
    run.screen.result(cost_line(run))
    return plan


def cost_line(run: Session) -> str:
    """What the notifier costs a month: a customer-managed key is 1 USD (AWS KMS pricing); the rest is cents."""
    from shnotify.resources.key import Key

    keys = sum(isinstance(resource, Key) for resource in run.graph)
    what = f"{keys} KMS key{'s' if keys != 1 else ''} at 1 USD" if keys else "no KMS key of its own"
    return f"Costs about {keys} USD a month: {what}; e-mail, events and queue are free or cents at this size."


def refusal(plan: Plan) -> Any:
    """The error for a plan that must not be carried out, or None."""
    from shnotify.errors import ShnotifyError

    if not plan.refused:
        return None
    first = plan.refused[0]
    unread = [s for s in plan.refused if s.live is None]
    if unread:
        message = f"{', '.join(s.key for s in unread)} could not be read, so nothing is changed: {unread[0].reason}"
        return ShnotifyError(
            message,
            hint="allow the call named above, or mend what keeps it from its answer; then run it again",
            resource=unread[0].key,
        )
    names = ", ".join(f"{s.key} ({s.resource.name})" for s in plan.refused)
    return ShnotifyError(f"refused, so nothing is changed: {names}: {first.reason}", resource=first.key)
