"""How a call is made: tried again by named reasons, within the command's time, and never when a
person said stop.

The SDK's own retries are off (one attempt a call): it repeats `CreateKey` after a lost reply, does
not know our deadline, and sleeps in real time.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from email.utils import formatdate
from typing import Any, ParamSpec, Self, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ParamValidationError
from botocore.parsers import ResponseParserError

from shnotify.aws import credentials, failures
from shnotify.aws.failures import AwsError, StopError, UnansweredError, bare_code
from shnotify.aws.operations import operation_of, target_of
from shnotify.aws.progress import Progress, Waiting
from shnotify.aws.rates import Rates
from shnotify.escaping import without_password
from shnotify.frozen import frozen

P = ParamSpec("P")
T = TypeVar("T")

Question = tuple[object, Callable[[], T]]
"""What an observation remembers, and how that is asked."""
FRESH_SECONDS = 5
"""How old a look may be before what is overwritten or deleted is looked at once more, and how old an
answer that was asked ahead. An undisturbed run needs less.
"""
_TRIES_THROTTLED = 12
_TRIES_BROKEN = 5
_THROTTLED = "throttled"
_LONGEST_SLEEP = 0.5
"""Seconds that a call waits for its turn without looking whether it is still wanted."""
_UNREADABLE = (ResponseParserError, ValueError, LookupError, TypeError, AttributeError)
"""What botocore's parsers let through when a reply is cut, corrupt, or a proxy's own page."""
_FAREWELL_SECONDS = 0.8
"""Seconds of a command's time that starting the process and printing the result take."""
_JITTER = random.Random()  # noqa: S311 no secret; of its own, so that the program's other random numbers stay as they are


@frozen
class Clock:
    """Provides time, so that tests need none of their own.

    wall  seconds since 1970, for what is compared with AWS's own times
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time


class Calls:
    """Makes calls for one command.

    timeout  seconds for the whole command
    report   receives waits and notes as they happen
    """

    def __init__(
        self, *, timeout: float, report: Callable[[Progress], None], clock: Clock | None
    ) -> None:
        self.report = report
        self.clock = clock or Clock()
        self.deadline = self.clock.now() + max(0.5, timeout - _FAREWELL_SECONDS)
        self.timeout = timeout
        self.sign_in = credentials.SignIn()
        self.rates = Rates(self.clock.now)
        self._observed = self.clock.now()
        self._stopped = threading.Event()
        self._ended: StopError | None = None
        """The refusal after which no call can succeed, such as one for expired credentials."""
        self._lock = threading.Lock()
        self._memo: dict[object, Future[Any]] = {}
        self._early: dict[object, tuple[float, Future[Any]]] = {}
        """What was asked ahead: since when, and the answer."""
        self._under_way: dict[int, str] = {}
        """Thread -> the call it is making or waiting to make again, and why.

        For who asks when time is up.
        """
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="aws")
        self._common: dict[object, tuple[float, Future[Any]]] = {}
        """What one reading tells all notifiers of a run, in their first look: since when, and what."""
        self._alone = True
        """Whether this is the only notifier of the run, or has looked once already."""
        self._looked = False

    def apart(self) -> Self:
        """Returns a caller for one notifier of several.

        It has observations, time and an end of its own; threads, rates and the time limit are one.
        """
        own = copy(self)
        own._memo, own._early, own._under_way = {}, {}, {}
        own._stopped, own._ended = threading.Event(), None
        own._alone = own._looked = False
        return own

    def __call__(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Makes one call, and tries again where that is safe and useful.

        Raises `DeniedError`, `StopError`, `AwsError`. All our calls but CreateKey are idempotent,
        so after a lost reply the call is made again.
        """
        return self._try(method, kwargs, {}, once=False)

    def maybe(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Makes one call; returns None when AWS says that the thing is not there."""
        try:
            return self._try(method, kwargs, {}, once=False)
        except AwsError as error:
            if error.code in failures.NOT_FOUND:
                return None
            raise

    def once(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Makes a call that is not idempotent, and repeats the call only if AWS refused it.

        In doubt: `UnansweredError`.
        """
        return self._try(method, kwargs, {}, once=True)

    def patient(self, waits: Mapping[str, str]) -> Callable[..., Any]:
        """Returns a caller that also waits out the named errors, up to two minutes.

        waits  `Code`, or `Code: part of the message` -> why it passes by itself
        """
        return lambda method, /, **kwargs: self._try(method, kwargs, waits, once=False)

    def start(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs a call in a thread beside other calls.

        Only calls go in here, never something that waits for another call of this pool.
        """
        return self._pool.submit(function, *args, **kwargs)

    def remember(self, key: object, function: Callable[[], T]) -> T:
        """Returns the function's result, computed once in an observation however many callers want
        it.
        """
        with self._lock:
            future = self._memo.get(key)
            first = future is None
            future = self._memo[key] = future or Future()
        if first:
            _settle(future, function)
        return cast("T", future.result())

    def ask(self, key: object, function: Callable[[], T]) -> Future[T]:
        """Remembers the function's result, which is computed beside other calls."""
        with self._lock:
            if key not in self._memo:
                self._memo[key] = self.start(function)
            return self._memo[key]

    @property
    def alone(self) -> bool:
        """Whether this is the only notifier of the run, or has looked once already."""
        return self._alone

    def remember_for_all(self, key: object, function: Callable[[], T]) -> T:
        """Like `remember`, for what is the same for every notifier of an account and Region.

        In their first look they share one reading, and are as old as that.
        """
        if self._alone:
            return self.remember(key, function)
        with self._lock:
            first = key not in self._common
            since, future = self._common.setdefault(key, (self.clock.now(), Future()))
            self._observed = min(self._observed, since)
        if first:
            _settle(future, function)
        return cast("T", future.result())

    def ahead(self, key: object, function: Callable[[], T]) -> None:
        """Asks for what the next observation will `remember` under this key, before it has begun."""
        with self._lock:
            self._early[key] = self.clock.now(), self.start(function)

    def forget(self) -> None:
        """Begins a new observation, in which everything is read again that was not just asked ahead.

        The observation is as old as the oldest answer that it takes over.
        """
        now = self.clock.now()
        self._alone, self._looked = self._alone or self._looked, True
        with self._lock:
            fresh = {key: one for key, one in self._early.items() if now - one[0] <= FRESH_SECONDS}
            self._observed = min((since for since, _ in fresh.values()), default=now)
            self._memo, self._early = {key: future for key, (_, future) in fresh.items()}, {}

    def age(self) -> float:
        """Returns the seconds since the last observation began."""
        return self.clock.now() - self._observed

    def pages(self, method: Callable[..., Any], token: str, **kwargs: Any) -> Iterator[Any]:
        """Yields all pages of a list call whose request and reply name the next page `token`."""
        answer, reply = ("NextMarker", "Marker") if token == "Marker" else (token, token)  # noqa: S105
        more: dict[str, Any] = {}
        while True:
            page = self(method, **kwargs, **more)
            yield page
            if not page.get(answer):
                return
            more = {reply: page[answer]}

    def stop(self) -> None:
        """Lets no further call start; calls under way end by themselves."""
        self._stopped.set()

    def remaining(self) -> float:
        """Returns the seconds until the command's time is up, never negative."""
        return max(0.0, self.deadline - self.clock.now())

    def pause(self, seconds: float) -> None:
        """Sleeps, but never beyond the deadline."""
        self._check()
        self.clock.sleep(min(seconds, self.remaining()))
        self._check()

    def in_time(self, future: Future[T]) -> T:
        """Returns the future's result, or raises `StopError` when the command's time is up first."""
        try:
            return future.result(timeout=self.remaining() + 0.1)
        except TimeoutError:
            if future.done():
                raise
            raise self.out_of_time() from None

    def out_of_time(self) -> StopError:
        waiting = sorted(set(self._under_way.copy().values()))
        what = f", waiting for {', '.join(waiting[:3])}" if waiting else ""
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        return StopError(
            f"no time left: the command's limit of {self.timeout:g} s is reached{what}{more}",
            hint="run it again, with a larger --timeout if AWS is only slow; what is done stays done",
            operation=waiting[0].partition(" ")[0] if waiting else None,
            code="Timeout",
        )

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StopError("interrupted")
        if self._ended:
            raise copy(self._ended)
        if not self.remaining():
            raise self.out_of_time()

    def _in_turn(self, operation: str) -> None:
        """Waits until AWS's rates let the call go. Raises `StopError` like `pause`."""
        seconds = self.rates.turn(operation)
        until = self.clock.now() + seconds
        while (left := until - self.clock.now()) > 0:
            self.pause(min(left, _LONGEST_SLEEP))

    def _send(self, operation: str, method: Callable[..., T], params: dict[str, Any]) -> T:
        """Sends a call. Tests count, delay and break calls in this one place."""
        return method(**params)

    def _try(
        self,
        method: Callable[..., T],
        params: dict[str, Any],
        waits: Mapping[str, str],
        *,
        once: bool,
    ) -> T:
        operation, thread = operation_of(method), threading.get_ident()
        began = self.clock.now()
        tries = 0
        self._under_way[thread] = operation
        try:
            while True:
                self._check()
                self._in_turn(operation)
                tries, sent = tries + 1, self.clock.now()
                try:
                    reply = self._send(operation, method, params)
                    self.rates.answered(operation)
                    return reply
                except ClientError as error:
                    failure, why, limit = self._reply(operation, error, params, waits, once=once)
                except (
                    *credentials.CREDENTIAL_ERRORS,
                    FileNotFoundError,
                    PermissionError,
                ) as error:
                    raise credentials.no_credentials(error, self.sign_in, operation) from error
                except (NoRegionError, ParamValidationError) as error:
                    raise AwsError(
                        f"{operation} could not be asked: {error}", operation=operation
                    ) from error
                except (BotoCoreError, *_UNREADABLE, OSError) as error:
                    failure, why = _no_answer(operation, error, once=once)
                    limit = 1 if once else _TRIES_BROKEN
                if isinstance(failure, StopError):
                    self._ended = failure
                if tries >= limit or (limit > _TRIES_THROTTLED and self.clock.now() - began > 120):
                    raise failure
                if why == _THROTTLED:
                    self.rates.refused(operation, sent)
                seconds = min(8.0, 0.25 * 2 ** (tries - 1)) * (0.5 + _JITTER.random() / 2)
                self.report(Waiting(operation, why, seconds))
                self._under_way[thread] = f"{operation} ({why})"
                self.pause(seconds)
        finally:
            self._under_way.pop(thread, None)

    def _reply(
        self,
        operation: str,
        error: ClientError,
        params: dict[str, Any],
        waits: Mapping[str, str],
        *,
        once: bool,
    ) -> tuple[AwsError, str, int]:
        """Classifies an error reply: the failure, why another try may help, and how many tries
        there are.
        """
        meta = error.response.get("ResponseMetadata", {})
        status = int(meta.get("HTTPStatusCode", 0))
        code = str(error.response.get("Error", {}).get("Code") or f"HTTP {status}")
        message = str(error.response.get("Error", {}).get("Message", ""))
        if error.operation_name in credentials.SIGN_IN:
            raise credentials.no_credentials(error, self.sign_in, operation) from error
        failure = failures.from_reply(operation, code, message, status, target_of(params))
        if bare_code(code) in failures.CLOCK and (
            theirs := meta.get("HTTPHeaders", {}).get("date")
        ):
            failure.hint = f"{failure.hint}; AWS's says {theirs}, ours {formatdate(usegmt=True)}"
        bare = bare_code(code)
        for expected, reason in waits.items():
            name, _, text = expected.partition(": ")
            if name in (code, bare) and text in message:
                return failure, reason, 1000
        if bare in failures.THROTTLED or status == 429:
            return failure, _THROTTLED, _TRIES_THROTTLED
        if bare in failures.CONFLICT:
            return failure, "changed by somebody else at the same moment", _TRIES_THROTTLED
        if bare in failures.TRANSIENT or status >= 500:
            if once:
                failure = UnansweredError(failure.message, operation=operation, code=code)
            return failure, f"AWS said {code}", 1 if once else _TRIES_BROKEN
        return failure, "", 1


def _settle(future: Future[Any], function: Callable[[], Any]) -> None:
    """Gives the function's result, or its error, to all who wait for the future."""
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)


def _no_answer(operation: str, error: Exception, *, once: bool) -> tuple[AwsError, str]:
    """Describes a call that AWS did not answer, or not in a form that the SDK can read."""
    what = "an unreadable answer" if isinstance(error, _UNREADABLE) else "no answer"
    said = str(error) if isinstance(error, BotoCoreError) else f"{type(error).__name__}: {error}"
    said = without_password(said.partition("\n")[0])  # the SDK appends the whole answer
    failure = (UnansweredError if once else AwsError)(
        f"{operation}: {what}: {said if len(said) <= 300 else f'{said[:300]}…'}",
        hint=credentials.network_hint(error),
        operation=operation,
        code=type(error).__name__,
    )
    return failure, what
