"""A plan as a person reads it: what is made in a line each, what is changed whole.

Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from shnotify.engine.plan import Action, Plan, Step
from shnotify.escaping import escaped_line
from shnotify.terminal.change_view import change_lines
from shnotify.terminal.styled import Text

STYLES: dict[Action, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "adopt": ("@", "cyan"),
    "refuse": ("!", "bold red"),
    "none": ("=", "dim"),
}


def is_fresh(plan: Plan) -> bool:
    """Tells whether everything is still to be made."""
    return bool(plan.steps) and all(step.action == "create" for step in plan.steps)


def plan_lines(plan: Plan, between: str = " → ", *, verbose: bool = False) -> Iterator[Text]:
    """Writes one block for each resource that something happens to.

    verbose  every property of what is new as well; a change of what exists is always whole
    """
    for step in plan.steps:
        if step.action != "none" or (step.reason and step.live) or step.notes:
            yield from _step_lines(step, between, verbose=verbose, fresh=is_fresh(plan))


def _step_lines(step: Step, between: str, *, verbose: bool, fresh: bool) -> Iterator[Text]:
    symbol, style = STYLES[step.action]
    kind = step.resource.CFN.removeprefix("AWS::")
    purpose = step.resource.purpose() if step.action == "create" else ""
    yield Text.assemble(
        (f"{symbol} {step.key}", style),
        f"  {escaped_line(step.resource.name)}  ",
        (kind, "dim"),
        f": {purpose}" if purpose else "",
    )
    if step.reason:
        yield Text(f"    {escaped_line(step.reason)}", "yellow")
    if step.action == "delete":
        yield from (Text(f"    {escaped_line(note)}", "yellow") for note in step.notes)
        return
    created = step.action == "create"
    if verbose or not created:
        for change in step.changes:
            if not created or change.path != "Tags":  # every new resource gets the same ones
                yield from change_lines(change, between, created=created)
    if verbose or not fresh:  # the picture of a fresh plan says it already
        yield from (Text(f"    note: {escaped_line(note)}", "dim") for note in step.notes)


def summary_line(plan: Plan) -> Text:
    """Writes `Plan: 2 to create, 1 to update, 0 to delete, 4 unchanged.`"""
    parts = [f"{plan.count('create')} to create", f"{plan.count('update')} to update"]
    if plan.count("adopt"):
        parts.append(f"{plan.count('adopt')} to adopt")
    parts += [f"{plan.count('delete')} to delete", f"{plan.count('none')} unchanged"]
    if plan.refused:
        parts.append(f"{len(plan.refused)} refused")
    return Text(f"Plan: {', '.join(parts)}.", "bold")
