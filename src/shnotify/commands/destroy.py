"""`shnotify destroy`: the reverse of apply, keys last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.engine.graph import Graph
    from shnotify.engine.plan import Plan

KEY_TYPE = "AWS::KMS::Key"


@click.command("destroy")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Discard the messages in the dead-letter queue.")
@click.option("--keep-keys", is_flag=True, help="Leave the KMS keys and their aliases.")
@aws_options
def command(yes: bool, force: bool, keep_keys: bool, **options: Any) -> int:
    """Removes targets, rules, subscriptions, topics, the queue and the aliases, and schedules the
    keys for deletion.

    Refuses while the dead-letter queue holds messages, without --force. What is not tagged as ours
    is left alone.
    """
    from shnotify.commands._each import in_each
    from shnotify.commands._flow import TIMEOUT

    keep = frozenset([KEY_TYPE]) if keep_keys else frozenset[str]()
    return in_each(
        settings(**options),
        lambda run: _destroyed(run, yes=yes, force=force, keep=keep),
        write=True,
        timeout=TIMEOUT,
    )


def _destroyed(run: Session, *, yes: bool, force: bool, keep: frozenset[str]) -> Work:
    from shnotify.commands._flow import changed_meanwhile, finish
    from shnotify.engine.execute import Outcome, execute

    run.graph = _discarding(run.graph) if force else run.graph
    plan = _planned(run, keep)
    _show(run, plan)
    if stop := _stop(plan):
        return finish(run, plan, Outcome(), stop)
    asks = plan.changes_anything and not yes
    yield "Remove all this?" if asks else None
    if asks and _planned(run, keep).fingerprint != plan.fingerprint:
        return finish(run, plan, Outcome(), changed_meanwhile())
    outcome = execute(plan, run.aws, run.report)
    return finish(run, plan, outcome, outcome.error or _left(plan))


def _planned(run: Session, keep: frozenset[str]) -> Plan:
    from shnotify.engine.teardown import plan_destroy

    seen = run.observe(shallow=True)
    run.warn(seen)
    return plan_destroy(run.graph, seen, keep=keep)


def _discarding(graph: Graph) -> Graph:
    from shnotify.engine.graph import Graph
    from shnotify.resources.mapping import EventSourceMapping
    from shnotify.resources.queue import Queue

    holding = (Queue, EventSourceMapping)
    changed = (replace(r, discard_messages=True) if isinstance(r, holding) else r for r in graph)
    return Graph(tuple(changed))


def _show(run: Session, plan: Plan) -> None:
    from shnotify.terminal.plan_view import plan_lines

    run.screen.result(run.title("Destroy"))
    run.screen.result()
    for line in plan_lines(plan):
        run.screen.result(line)
    keys = [s for s in plan.steps if s.action == "delete" and s.resource.CFN == KEY_TYPE]
    given_back = f", {plan.count('update')} to give back" if plan.count("update") else ""
    left = f", {len(plan.refused)} left alone" if plan.refused else ""
    summary = f"{plan.count('delete')} to delete{given_back}{left}."
    run.screen.sum_up(summary)
    run.screen.result(summary)
    if keys:
        run.screen.result(
            f"Keys ({len(keys)}) are scheduled, not deleted at once; until then Security Hub's own control KMS.3 "
            "reports each as a CRITICAL finding. `apply` takes them back; --keep-keys leaves them."
        )


def _stop(plan: Plan) -> Any:
    """Returns the error for a plan of which nothing may be carried out, or None.

    Foreign things are only skipped.
    """
    from shnotify.errors import ShnotifyError

    for step in plan.refused:
        if step.live is None or step.live.blocked:
            return ShnotifyError(
                f"nothing was removed: {step.resource.name}: {step.reason}", resource=step.key
            )
    return None


def _left(plan: Plan) -> Any:
    """Returns the error that names what stays because others own it, or None."""
    from shnotify.errors import ShnotifyError

    if not plan.refused:
        return None
    names = "; ".join(f"{s.key} ({s.resource.name}): {s.reason}" for s in plan.refused)
    return ShnotifyError(f"left alone: {names}", hint="remove these by hand if they are yours")
