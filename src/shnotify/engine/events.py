"""What is told while a plan is made and carried out: a closed union of frozen events."""

from __future__ import annotations

from shnotify.aws.progress import Progress
from shnotify.engine.plan import Result, Step
from shnotify.frozen import frozen


@frozen
class Looking:
    """Says that AWS is about to be read."""

    count: int


@frozen
class StepStarted:
    step: Step


@frozen
class StepEnded:
    step: Step
    result: Result
    message: str | None = None


@frozen
class Advanced:
    """Says how far a long work has come.

    what     what is being done: `reading`, `sending`
    total    how much there is, as far as is known; None when nobody can tell
    seconds  since the work began
    share    the part that is done, from 0 to 1, where there is no total
    """

    what: str
    done: int
    total: int | None
    seconds: float
    share: float | None = None


Event = Looking | StepStarted | StepEnded | Advanced | Progress
