"""Carries out plans, side by side where nothing depends on anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from shnotify.aws.failures import AlreadyThereError, AwsError, StopError, UnexpectedError
from shnotify.aws.progress import Noted
from shnotify.engine.events import Event, StepEnded, StepStarted
from shnotify.engine.plan import Plan, Result, Step
from shnotify.engine.resource import Live, Resource
from shnotify.errors import ShnotifyError

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws


@dataclass
class Outcome:
    """Records what became of each step, by the step's key.

    seconds  how long each step that was carried out took
    """

    results: dict[str, Result] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: list[ShnotifyError] = field(default_factory=list)
    interrupted: BaseException | None = None

    @property
    def error(self) -> ShnotifyError | None:
        return self.errors[0] if self.errors else None


class _Run:
    """Runs one plan; only the main thread touches the sorter and the results."""

    def __init__(self, plan: Plan, aws: Aws, report: Callable[[Event], None]) -> None:
        self.plan, self.aws, self.report = plan, aws, report
        self.steps = {step.key: step for step in plan.steps}
        self.known = dict(plan.known)
        self.lock = threading.Lock()
        self.outcome = Outcome()

    def run(self, workers: int) -> Outcome:
        sorter = TopologicalSorter(
            {key: step.needs & self.steps.keys() for key, step in self.steps.items()}
        )
        sorter.prepare()
        pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
        running: dict[Future[None], str] = {}
        try:
            while sorter.is_active():
                for key in sorter.get_ready():
                    if self._starts(self.steps[key]):
                        running[pool.submit(self._do, self.steps[key])] = key
                    else:
                        sorter.done(key)
                if not running:
                    continue
                finished, _ = wait(
                    running, timeout=self.aws.remaining() + 0.1, return_when=FIRST_COMPLETED
                )
                for future in finished:
                    key = running.pop(future)
                    self._finish(self.steps[key], future)
                    sorter.done(key)
                if not finished:
                    raise self.aws.out_of_time()
        except (KeyboardInterrupt, StopError) as error:
            self._abandon(running, error)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for key in self.steps:
            self.outcome.results.setdefault(key, "skipped")
        return self.outcome

    def _starts(self, step: Step) -> bool:
        """Tells whether the step is to be carried out, and otherwise notes the step's result."""
        if step.action == "none":
            self.outcome.results[step.key] = "done"
        elif step.action == "refuse" or any(
            self.outcome.results.get(k) in ("failed", "skipped") for k in step.needs
        ):
            self.outcome.results[step.key] = "skipped"
            self.report(StepEnded(step, "skipped", step.reason))
        elif step.key not in self.outcome.results:
            self.report(StepStarted(step))
            return True
        return False

    def _do(self, step: Step) -> None:
        began = self.aws.clock.now()
        try:
            self._carry_out(step)
        finally:
            with self.lock:
                self.outcome.seconds[step.key] = self.aws.clock.now() - began

    def _carry_out(self, step: Step) -> None:
        wanted = step.resource.resolved(self.known)
        if step.action == "create":
            outputs = _create(wanted, self.aws)
            with self.lock:
                self.known.update({f"{step.key}.{name}": value for name, value in outputs.items()})
        elif step.live is not None and step.part:
            wanted.removed_with_whole(self.aws, step.live)
        elif step.live is not None and step.release:
            wanted.release(self.aws, step.live)
        elif step.live is not None and step.action == "delete":
            self._check_unused(step)
            wanted.delete(self.aws, step.live)
        elif step.live is not None:
            _update(wanted, self.aws, step.live)

    def _check_unused(self, step: Step) -> None:
        """Refuses to remove what this very run has made or taken back under another id."""
        arn = step.live.outputs.get("Arn") if step.live else None
        kept = {
            key for key, other in self.steps.items() if other.action not in ("delete", "refuse")
        }
        with self.lock:
            users = sorted(key for key in kept if arn and self.known.get(f"{key}.Arn") == arn)
        if users:
            raise ShnotifyError(
                f"{step.resource.name} is in use as {', '.join(users)}, so it is not removed",
                hint="AWS changed meanwhile: run the same command again",
                resource=step.key,
            )

    def _finish(self, step: Step, future: Future[None]) -> None:
        try:
            future.result()
        except ShnotifyError as error:
            error.resource = error.resource or step.key
            self.outcome.results[step.key] = "failed"
            self.outcome.errors.append(error)
            self.report(StepEnded(step, "failed", error.message))
            if isinstance(error, StopError):
                self.aws.stop()
        except Exception as error:  # whatever it is, the other steps come to a consistent end
            failure = UnexpectedError(error, step.key)
            self.outcome.results[step.key] = "failed"
            self.outcome.errors.append(failure)
            self.report(StepEnded(step, "failed", failure.message))
        else:
            self.outcome.results[step.key] = "done"
            self.report(StepEnded(step, "done"))

    def _abandon(self, running: dict[Future[None], str], error: BaseException) -> None:
        """Starts no new call and waits for the calls under way; a second interrupt ends the
        waiting.
        """
        self.aws.stop()
        self.report(Noted("stopping: the calls under way are finished first"))
        if isinstance(error, StopError):
            self.outcome.errors.append(error)
        else:
            self.outcome.interrupted = error
        try:
            finished, _ = wait(running, timeout=self.aws.remaining() + 0.1)
        except KeyboardInterrupt as again:
            self.outcome.interrupted, finished = again, set()
        for future, key in running.items():
            done = future in finished and future.exception() is None
            self.outcome.results[key] = "done" if done else "failed"


def _create(wanted: Resource, aws: Aws) -> Mapping[str, str]:
    try:
        return wanted.create(aws)
    except AlreadyThereError as error:
        live = _appeared(wanted, aws)
        if live is None:
            raise
        if live.owner is not None or live.blocked:
            text = f"{wanted.name} appeared since we looked: {live.owner or live.blocked}"
            hint = "run `shnotify plan` to see it"
            raise AwsError(text, hint=hint, operation=error.operation, code=error.code) from error
        _update(wanted, aws, live)
        return live.outputs


def _appeared(wanted: Resource, aws: Aws) -> Live[Resource] | None:
    """Reads what AWS says exists already, until AWS also shows it."""
    for seconds in (0, 1, 2, 4, 8, 15, 30):
        if seconds:
            aws.pause(seconds)
        aws.forget()
        if live := wanted.read(aws):
            return live
    return None


def _update(wanted: Resource, aws: Aws, live: Live[Resource]) -> None:
    merged = wanted.onto(live.state)
    changes = frozenset(change.path.partition(".")[0] for change in merged.diff(live.state))
    merged.update(aws, live, changes)


def joined(first: Plan, outcome: Outcome, second: Plan, then: Outcome) -> tuple[Plan, Outcome]:
    """Tells two plans that were carried out one after the other as one: what the first did is done
    where the second had nothing left to do.
    """
    done = {
        step.key: step
        for step in first.steps
        if step.action not in ("none", "refuse") and outcome.results.get(step.key) == "done"
    }
    made = {key for key, step in done.items() if step.action == "create"}
    steps = (
        done.get(step.key, step)
        if step.action == "none" or (step.action == "update" and step.key in made)
        else step
        for step in second.steps
    )
    then.seconds = {**outcome.seconds, **then.seconds}
    return Plan(tuple(steps), second.known), then


def execute(plan: Plan, aws: Aws, report: Callable[[Event], None], *, workers: int = 16) -> Outcome:
    """Carries out the steps of a plan. A failed step skips its dependents; all other steps finish."""
    return _Run(plan, aws, report).run(workers)
