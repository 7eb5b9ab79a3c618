"""An event of the work as a line."""

from __future__ import annotations

from typing import assert_never

from shnotify.aws.progress import Noted, Waiting
from shnotify.engine.events import Advanced, Event, Looking, StepEnded, StepStarted
from shnotify.engine.plan import Action
from shnotify.escaping import escaped
from shnotify.terminal.styled import Text

DOING: dict[Action, str] = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "adopt": "taking over",
}


def bar(event: Advanced) -> str:
    """Draws how far a work is: a bar, the rate, the time left."""
    share = min(1.0, event.done / event.total) if event.total else event.share or 0.0
    drawn = "#" * round(20 * share)
    of = "" if event.total is None else f" of {event.total}"
    text = f"{event.what} [{drawn:-<20}] {event.done}{of}"
    if not event.done or event.seconds <= 0:
        return text
    text = f"{text}, {event.done / event.seconds:.1f} a second"
    if not 0 < share <= 1:
        return text
    return f"{text}, about {_time(event.seconds * (1 - share) / share)} left"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def event_line(event: Event, *, verbose: bool) -> Text | None:
    """Returns an event as a line, or None for an event that is not worth a line."""
    match event:
        case Looking() | Advanced():
            return None
        case StepStarted(step):
            return Text(f"{step.key}: {DOING.get(step.action, step.action)}")
        case StepEnded(step, result, message):
            style = {"done": "green", "failed": "bold red", "skipped": "yellow"}[result]
            return Text.assemble(
                f"{step.key}: ", (result, style), escaped(f": {message}" if message else "")
            )
        case Waiting(operation, reason, seconds):
            return (
                Text(escaped(f"{operation}: {reason}; again in {seconds:.1f} s"))
                if verbose or seconds > 2
                else None
            )
        case Noted(message):
            return Text(escaped(f"note: {message}"))
        case _:
            assert_never(event)
