"""`shnotify status`: drift and delivery health; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings
from shnotify.terminal.styled import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shnotify.commands._session import Session, Work
    from shnotify.engine.plan import Plan, Step
    from shnotify.notifier.delivery import Delivery

_VERDICTS = {
    "ok": ("can deliver", "green"),
    "broken": ("CANNOT DELIVER", "bold red"),
    "unknown": ("cannot tell whether it delivers", "bold yellow"),
}
_HEARD = {
    "ok": ("watchdog: is heard", "green"),
    "broken": ("watchdog: TELLS NOBODY", "bold red"),
    "unknown": ("watchdog: cannot tell whether it is heard", "bold yellow"),
}
"""What a watchdog's verdict says."""
_ONLY_THE_NET = ("can deliver, but what fails may be lost", "bold yellow")
_LOADS = ("shnotify.notifier.delivery", "shnotify.notifier.watchdog")
_STYLES = {"in_sync": "green", "unknown": "bold red"}


@click.command("status")
@aws_options
def command(**options: Any) -> int:
    """Compares AWS with the file and says whether each route can deliver.

    Exits 3 on drift, 4 if a route cannot.
    """
    from shnotify.commands._each import in_each

    def work(run: Session) -> Work:
        from shnotify.commands._session import unread
        from shnotify.engine.plan import plan_apply
        from shnotify.notifier.delivery import deliveries
        from shnotify.notifier.watchdog import watchdog_delivery

        yield from ()  # it asks nothing
        seen, around = run.look()
        run.warn(seen)
        plan = plan_apply(run.graph, seen)
        states = {
            step.key: state_of(step, leftover=step.key not in seen.wanted) for step in plan.steps
        }
        routes = deliveries(run.config, run.graph, seen, around)
        watchdog = watchdog_delivery(run.config, run.graph, seen, around)
        error = unread(seen)
        in_sync = not error and set(states.values()) <= {"in_sync"}
        run.screen.document(
            run.document(
                in_sync=in_sync,
                resources=[_resource(step, states[step.key]) for step in plan.steps],
                delivery=[route.to_json() for route in routes],
                **({"watchdog": watchdog.to_json()} if watchdog else {}),
                warnings=list(run.warnings),
                error=error.to_json() if error else None,
            )
        )
        _show(run, plan, states, routes, watchdog)
        if error:
            run.screen.error(error.message, error.hint)
            return 1
        if not in_sync:
            return run.screen.code(3)
        return run.screen.code(0 if all(route.ok for route in routes) else 4)

    return in_each(settings(**options), work, services=("securityhub",), loads=_LOADS)


def state_of(step: Step, *, leftover: bool) -> str:
    """Returns the contract's word for what the plan found."""
    if step.live is None:
        return "unknown" if step.action == "refuse" or leftover else "missing"
    if leftover:
        return "leftover"
    if step.live.owner is not None and step.action != "none":
        return "unmanaged"  # what a stack made from our own template is compared like ours
    return "drifted" if step.changes or step.live.blocked else "in_sync"


def _resource(step: Step, state: str) -> dict[str, Any]:
    from shnotify.engine.values import to_json

    drift = step.changes if state in ("drifted", "unmanaged") else ()
    found: dict[str, Any] = {
        "id": step.resource.id,
        "type": step.resource.CFN,
        "name": step.resource.name,
        "arn": step.live.outputs.get("Arn") if step.live else step.resource.arn,
        "state": state,
        "drift": [
            {"path": c.path, "expected": to_json(c.after), "actual": to_json(c.before)}
            for c in drift
        ],
    }
    if step.reason:
        found["reason"] = step.reason
    if step.notes:
        found["notes"] = list(step.notes)
    return found


def _show(
    run: Session,
    plan: Plan,
    states: Mapping[str, str],
    routes: Sequence[Delivery],
    watchdog: Delivery | None,
) -> None:
    from shnotify.escaping import escaped_line
    from shnotify.terminal.change_view import change_lines
    from shnotify.terminal.language import tr
    from shnotify.terminal.wrapping import padded

    screen = run.screen
    screen.result(run.title("Status of"))
    screen.result()
    width = max(len(step.key) for step in plan.steps)
    for step in plan.steps:
        state = states[step.key]
        label = (padded(tr(state.replace("_", " ")), 10), _STYLES.get(state, "yellow"))
        screen.result(
            Text.assemble(f"  {step.key:{width}}  ", label, f"  {escaped_line(step.resource.name)}")
        )
        if step.reason and state != "missing":
            screen.result(Text(f"      {escaped_line(step.reason)}", "yellow"))
        if state in ("drifted", "unmanaged"):
            for change in step.changes:
                for line in change_lines(change, " is wrong; it should be "):
                    screen.result(line)
        if state in ("in_sync", "drifted"):
            for note in step.notes:
                screen.result(f"      note: {escaped_line(note)}")
    screen.result()
    for route in routes:
        verdict = _ONLY_THE_NET if route.only_the_net else _VERDICTS[route.verdict]
        screen.result(Text.assemble(f"  route {route.route}: ", verdict))
        _show_delivery(run, route)
    if watchdog:
        screen.result(Text.assemble("  ", _HEARD[watchdog.verdict]))
        _show_delivery(run, watchdog)
    counts = sum(state != "in_sync" for state in states.values())
    drift = f"{counts} of {len(states)} not in sync" if counts else "In sync"
    stopped = ", ".join(route.route for route in routes if not route.ok)
    screen.result()
    screen.result(Text(f"{drift}; {stopped} cannot deliver." if stopped else f"{drift}.", "bold"))


def _show_delivery(run: Session, one: Delivery) -> None:
    """Writes why it would fail, what else one should know, and who is subscribed."""
    from shnotify.escaping import escaped_line
    from shnotify.terminal.language import tr
    from shnotify.terminal.wrapping import padded

    screen = run.screen
    for problem in one.problems:
        screen.result(Text(f"      {escaped_line(problem)}", "red"))
    for note in one.notes:
        screen.result(Text(f"      note: {escaped_line(note)}", "yellow"))
    for subscriber in one.subscribers:
        screen.result(
            f"      {padded(tr(subscriber.state), 10)} {escaped_line(subscriber.protocol)} "
            f"{escaped_line(subscriber.endpoint)}"
            f"{' (pending)' if subscriber.pending and subscriber.state == 'unlisted' else ''}"
        )
