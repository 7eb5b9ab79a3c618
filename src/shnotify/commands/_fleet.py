"""Runs a command for many notifiers side by side: planned and shown together, asked once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shnotify.aws.failures import StopError, UnexpectedError
from shnotify.aws.progress import Noted, Waiting
from shnotify.commands._flow import agree
from shnotify.commands._session import Session, Work, opened
from shnotify.engine.events import Advanced, Event
from shnotify.errors import ConfigError, ShnotifyError
from shnotify.escaping import escaped_line
from shnotify.notifier.fleet import INTERRUPTED, collisions, crowded, in_a_line, together, worst
from shnotify.resources.keylookup import ask_early
from shnotify.terminal.captured import Captured

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.config.load import Loaded
    from shnotify.terminal.screen import Screen

APART_SECONDS = 0.04
"""How far apart notifiers begin that write: the first one writes while the others look, because calls
that a rate allows and nobody makes cannot be made up for later.
"""
_STOPPED = "interrupted"


@dataclass
class _Member:
    """One notifier of the run.

    document, line  what became of it, as JSON and in one line; the line is set when it has ended
    """

    loaded: Loaded
    screen: Captured
    run: Session | None = None
    work: Work | None = None
    question: str | None = None
    code: int | None = None
    document: dict[str, Any] | None = None
    line: str = ""

    @property
    def name(self) -> str:
        region = self.loaded.config.region or (self.run.aws.region if self.run else "")
        return f"{self.loaded.config.name} ({region})" if region else self.loaded.config.name


class Fleet:
    """Runs many notifiers. A failure in one ends only that one; an interrupt ends all."""

    def __init__(
        self,
        members: Sequence[Loaded],
        work: Callable[[Session], Work],
        aws: Aws,
        screen: Screen,
        report: Callable[[Event], None],
        *,
        observes: bool,
        services: tuple[str, ...],
        apart: bool,
        at_once: int,
    ) -> None:
        self.observes, self.at_once = observes, at_once
        self.services, self.apart = services, apart
        self.work, self.aws, self.screen, self.report = work, aws, screen, report
        self.members = [_Member(one, Captured(verbose=screen.verbose)) for one in members]
        self.gateways = {aws.region: aws}
        self.interrupted: BaseException | None = None
        self.stopping = False

    def run(self) -> int:
        if found := collisions([one.loaded for one in self.members], self.aws.region):
            raise ConfigError(found)
        for warning in crowded([one.loaded for one in self.members], self.aws.region):
            self.screen.warn(warning)
        try:
            for one in self.members:
                self._gateway(one.loaded.config.region)
        except ShnotifyError as error:
            self.screen.document({**together(()), "error": error.to_json()})
            self.screen.error(error.message, error.hint)
            return error.exit_code
        self._side_by_side("looking", self.members, self._look, apart=self.apart)
        ready = [one for one in self.members if one.code is None]
        if ready and not self.interrupted:
            self._show(ready)
            self._ask(ready)
            self._side_by_side("working", ready, self._carry_out)
        return self._end()

    def _gateway(self, region: str | None) -> Aws:
        region = region or self.aws.region
        if region not in self.gateways:
            self.gateways[region] = self.aws.in_region(region)
        self.gateways[region].prepare(*self.services)
        _ = self.gateways[region].scope  # asked once, before the threads begin
        return self.gateways[region]

    # -- in the threads --------------------------------------------------------------------------

    def _look(self, one: _Member) -> None:
        """Begins the command, up to its question or to its end.

        Where nobody need be asked it goes on at once: AWS's rates are used from the beginning.
        """
        aws = self._gateway(one.loaded.config.region).apart()
        aws.report = report = self._reporter(one)
        with self._judged(one):
            if self.observes and not one.loaded.config.account:
                ask_early(aws, one.loaded.config.own_aliases)
            one.run = opened(one.loaded, aws, one.screen, report)
            one.run.beside = frozenset(other.loaded.config.name for other in self.members)
            one.work = self.work(one.run)
            if self.stopping:
                aws.stop()
            one.question = next(one.work)
            if one.question is None:
                next(one.work)

    def _carry_out(self, one: _Member) -> None:
        with self._judged(one):
            assert one.work  # noqa: S101 who is ready has begun
            next(one.work)

    def _judged(self, one: _Member) -> _Judged:
        return _Judged(one, keeps=self.screen.json)

    def _reporter(self, one: _Member) -> Callable[[Event], None]:
        def report(event: Event) -> None:
            if isinstance(event, Noted):
                self.report(Noted(f"{one.name}: {event.message}"))
            elif isinstance(event, Waiting):
                self.report(event)

        return report

    # -- in the main thread ----------------------------------------------------------------------

    def _side_by_side(
        self,
        what: str,
        members: Sequence[_Member],
        work: Callable[[_Member], None],
        *,
        apart: bool = False,
    ) -> None:
        """Does the work for all members, and says how far it has come."""
        pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="notifier")
        began, done = time.monotonic(), 0
        left: set[Future[None]] = set()
        try:
            self.report(Advanced(what, 0, len(members), 0))
            for number, one in enumerate(members):
                if apart and 0 < number < self.at_once:
                    with suppress(StopError):  # each says itself that the time is up
                        self.aws.pause(APART_SECONDS)
                left.add(pool.submit(work, one))
            while left:
                finished, left = wait(left, timeout=1, return_when=FIRST_COMPLETED)
                done += len(finished)
                self.report(Advanced(what, done, len(members), time.monotonic() - began))
        except KeyboardInterrupt as interrupt:
            self._stop(pool, left, interrupt)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _stop(
        self, pool: ThreadPoolExecutor, left: set[Future[None]], interrupt: BaseException
    ) -> None:
        """Lets nobody begin anything, and waits for the calls under way; again ends the waiting."""
        self.interrupted, self.stopping = interrupt, True
        pool.shutdown(wait=False, cancel_futures=True)
        for one in self.members:
            if one.run:
                one.run.aws.stop()
        self.report(Noted("stopping: the calls under way are finished first"))
        try:
            wait(left, timeout=self.aws.remaining() + 0.1)
        except KeyboardInterrupt as again:
            self.interrupted = again

    def _show(self, ready: Sequence[_Member]) -> None:
        """Shows what each is about to do."""
        for one in ready:
            self._details(one)
        for one in ready:
            self.screen.result(f"  {escaped_line(one.name)}: {escaped_line(one.screen.summary)}")
        self.screen.result()

    def _details(self, one: _Member) -> None:
        for warning in dict.fromkeys(one.screen.warnings):
            self.screen.warn(f"{one.name}: {warning}")
        for line, exact in one.screen.lines:
            self.screen.result(line, exact=exact)
        one.screen.lines.clear()
        one.screen.warnings.clear()

    def _ask(self, ready: Sequence[_Member]) -> None:
        agree(self.screen, f"{ready[0].question} ({len(ready)} notifiers)")

    def _end(self) -> int:
        """Shows what became of each, and returns the exit code of all."""
        for one in self.members:
            if one.code is None or (self.stopping and one.line == f"FAILED: {_STOPPED}"):
                one.code = int(getattr(self.interrupted, "exit_code", INTERRUPTED))
            if not one.line:
                error = ShnotifyError(_STOPPED, hint="the next run picks up what was begun")
                _Judged(one, keeps=self.screen.json).fail(error, one.code)
        self.screen.document(together(one.document or {} for one in self.members))
        for one in self.members:
            self._details(one)
            for message, hint in one.screen.errors:
                self.screen.error(f"{one.name}: {message}", hint)
            self.screen.result(f"  {escaped_line(one.name)}: {escaped_line(one.line)}")
        codes = [one.code or 0 for one in self.members]
        ends = [f"{codes.count(code)} with exit code {code}" for code in sorted({*codes} - {0})]
        told = ", ".join([f"{codes.count(0)} went well", *ends])
        self.screen.result(f"{len(codes)} notifiers: {told}.")
        return self.screen.code(worst(codes))


class _Judged:
    """Notes how a member's work ended, whatever ended it; its plan and its things are let go."""

    def __init__(self, one: _Member, *, keeps: bool) -> None:
        self.one, self.keeps = one, keeps

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> bool:
        if isinstance(error, StopIteration):
            self._note(int(error.value), self.one.screen.made)
        elif isinstance(error, ShnotifyError):
            self.fail(error, error.exit_code)
        elif isinstance(error, Exception):
            self.fail(UnexpectedError(error), 1)
        else:
            return False
        self.one.run = self.one.work = None
        return True

    def fail(self, error: ShnotifyError, code: int) -> None:
        one = self.one
        if not one.screen.errors:
            one.screen.error(error.message, error.hint)
        config = one.loaded.config
        scope = one.run.aws.scope if one.run else None
        head = {
            "name": config.name,
            "account": scope.account if scope else config.account,
            "region": scope.region if scope else config.region,
        }
        self._note(code, {**head, "error": error.to_json()})

    def _note(self, code: int, document: dict[str, Any]) -> None:
        self.one.code, self.one.line = code, in_a_line(document)
        self.one.document = document if self.keeps else None
        self.one.screen.made = {}
