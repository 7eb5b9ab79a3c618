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
from shnotify.engine.order import Node, Part, last_part, order
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
    """Runs one plan; only the main thread touches the sorter, the results and what failed."""

    def __init__(self, plan: Plan, aws: Aws, report: Callable[[Event], None]) -> None:
        self.plan, self.aws, self.report = plan, aws, report
        self.steps = {step.key: step for step in plan.steps}
        self.before = order(plan)
        self.known = dict(plan.known)
        self.lock = threading.Lock()
        self.begun: dict[str, Mapping[str, str]] = {}
        """Step -> the outputs of its first part."""
        self.left: dict[str, Live[Resource]] = {}
        """Step -> what its first part left to be removed."""
        self.made_of: dict[str, Resource] = {}
        """Step -> the resource that was created, with every late value filled in."""
        self.to_come = {node for node in self.before if node[1] not in ("settle", "retire")}
        """Parts that have not begun, without those that mostly make no call."""
        self.not_done: set[Node] = set()
        self.asked: set[str] = set()
        """Steps whose things were asked for ahead."""
        self.outcome = Outcome()

    def run(self, workers: int) -> Outcome:
        sorter = TopologicalSorter(self.before)
        sorter.prepare()
        pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
        running: dict[Future[None], Node] = {}
        try:
            while sorter.is_active():
                while ready := sorter.get_ready():  # what makes no call lets others go at once
                    self.to_come -= {*ready}
                    for node in ready:
                        if self._starts(node):
                            running[pool.submit(self._do, node)] = node
                        else:
                            sorter.done(node)
                if not running:
                    continue
                if not (self.to_come or self.outcome.errors):
                    self._ask_ahead()
                finished, _ = wait(
                    running, timeout=self.aws.remaining() + 0.1, return_when=FIRST_COMPLETED
                )
                for future in finished:
                    node = running.pop(future)
                    self._finish(node, future)
                    sorter.done(node)
                if not finished:
                    raise self.aws.out_of_time()
        except (KeyboardInterrupt, StopError) as error:
            self._abandon(running, error)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for key in self.steps:
            cut: Result = "failed" if key in self.begun or key in self.left else "skipped"
            cut_off = key in self.begun and last_part(self.steps[key]) == "complete"
            whole = key in self.made_of and not cut_off
            self.outcome.results.setdefault(key, "done" if whole else cut)
        return self.outcome

    def _starts(self, node: Node) -> bool:
        """Tells whether the part is to be carried out, and otherwise notes what becomes of it."""
        step, part = self.steps[node[0]], node[1]
        if step.action == "none":
            self.outcome.results[step.key] = "done"
            return False
        if step.action == "refuse" or self.before[node] & self.not_done:
            self._skip(node)
            return False
        if part == "settle" and not self._built_on_other(step):
            if last_part(step) == part:
                self._end(step, "done")
            return False
        if part == "complete" and (step.key not in self.begun or self._superseded(step)):
            self._end(step, "done")
            return False
        if part == "retire" and not self._superseded(step):
            return False
        if (step.key, "begin") not in self.before[node] and part in ("begin", "make"):
            self.report(StepStarted(step))
        return True

    def _ask_ahead(self) -> None:
        """Begins to look at what is new, beside the last writes, which change something else."""
        for key in {*self.begun, *self.made_of} - self.asked:
            with self.lock:
                thing = self.steps[key].resource.resolved(self.known)
            for question in thing.questions(self.aws):
                self.aws.ahead(*question)
            self.asked.add(key)

    def _skip(self, node: Node) -> None:
        key, part = node
        self.not_done.add(node)
        if key not in self.outcome.results and part != "retire":
            self._end(
                self.steps[key], "done" if part == "settle" and key in self.made_of else "skipped"
            )

    def _end(self, step: Step, result: Result, why: str | None = None) -> None:
        self.outcome.results[step.key] = result
        self.report(StepEnded(step, result, step.reason if result == "skipped" else why))

    def _built_on_other(self, step: Step) -> bool:
        """Tells whether something the thing was built on did not stay what it was."""
        return (
            step.key in self.made_of
            and step.resource.resolved(self.known) != self.made_of[step.key]
        )

    def _superseded(self, step: Step) -> bool:
        begun = self.begun.get(step.key, {})
        return any(self.known.get(f"{step.key}.{name}") != value for name, value in begun.items())

    def _do(self, node: Node) -> None:
        began = self.aws.clock.now()
        try:
            self._carry_out(*node)
        finally:
            with self.lock:
                spent = self.outcome.seconds.get(node[0], 0.0) + self.aws.clock.now() - began
                self.outcome.seconds[node[0]] = spent

    def _carry_out(self, key: str, part: Part) -> None:
        step = self.steps[key]
        with self.lock:
            wanted = step.resource.resolved(self.known)
        if step.action == "create":
            self._do_create(step, part, wanted)
        elif step.live is not None and step.part:
            wanted.removed_with_whole(self.aws, step.live)
        elif step.live is not None and step.release:
            wanted.release(self.aws, step.live)
        elif step.live is not None and step.action == "delete":
            self._check_unused(step)
            if part == "begin":
                self.left[step.key] = wanted.let_go(self.aws, step.live)
            else:
                wanted.delete(self.aws, self.left.get(step.key, step.live))
        elif step.live is not None:
            _update(wanted, self.aws, step.live)

    def _do_create(self, step: Step, part: Part, wanted: Resource) -> None:
        if part == "begin":
            try:
                outputs = wanted.begin(self.aws)
            except AlreadyThereError:  # the whole of it is looked at when everything else is there
                return
            self.begun[step.key] = outputs
        elif part == "retire":
            wanted.retire(self.aws, self.begun[step.key])
            return
        elif part == "complete":
            wanted.complete(self.aws, self.begun[step.key])
            return
        elif part == "make" and step.key in self.begun:
            begun = self.begun[step.key]
            outputs = _create(wanted, self.aws, lambda aws: wanted.finish(aws, begun))
        else:
            outputs = _create(wanted, self.aws, wanted.create)
        with self.lock:
            self.known.update({f"{step.key}.{name}": value for name, value in outputs.items()})
        if part != "begin":
            self.made_of[step.key] = wanted

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

    def _finish(self, node: Node, future: Future[None]) -> None:
        step = self.steps[node[0]]
        try:
            future.result()
        except ShnotifyError as error:
            error.resource = error.resource or step.key
            self._fail(node, error)
            if isinstance(error, StopError):
                self.aws.stop()
        except Exception as error:  # whatever it is, the other steps come to a consistent end
            self._fail(node, UnexpectedError(error, step.key))
        else:
            if node[1] == last_part(step):
                self._end(step, "done")

    def _fail(self, node: Node, error: ShnotifyError) -> None:
        self.not_done.add(node)
        self.outcome.errors.append(error)
        self._end(self.steps[node[0]], "failed", error.message)

    def _abandon(self, running: dict[Future[None], Node], error: BaseException) -> None:
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
        for future, (key, part) in running.items():
            done = future in finished and future.exception() is None
            more = key in self.begun and last_part(self.steps[key]) == "complete"
            cut = part == "begin" or (more and part in ("make", "settle"))
            whole = done and not cut
            self.outcome.results[key] = "done" if whole else "failed"


def _create(
    wanted: Resource, aws: Aws, how: Callable[[Aws], Mapping[str, str]]
) -> Mapping[str, str]:
    """Creates the thing, or mends what somebody else created meanwhile if it is ours."""
    try:
        return how(aws)
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
