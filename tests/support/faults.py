"""A gateway that can be counted, delayed, crashed, cut and made stale at every call, without real time or network."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

import boto3
from botocore.exceptions import ClientError, ConnectionClosedError

from shnotify.aws.calls import Clock
from shnotify.aws.failures import WriteRefusedError
from shnotify.aws.gateway import Aws
from shnotify.notifier.needs import PLAN
from shnotify.resources.kinds import READS

T = TypeVar("T")
REGION = "eu-west-1"


class Killed(BaseException):
    """A simulated SIGKILL: passes through everything."""


class Time:
    """Time that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds


class Faults:
    """What happens to the calls. `rule(n, operation)` -> None, or one of the fault functions below.

    calls    every attempt as (operation, parameters), in order
    stale    virtual seconds for which reads return what they returned before the last write
    """

    def __init__(self) -> None:
        self.time = Time()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.rule: Callable[[int, str], Fault | None] = lambda _n, _o: None
        self.stale = 0.0
        self._past: dict[str, tuple[float, Any, Any]] = {}
        self._lock = threading.RLock()

    @property
    def writes(self) -> list[str]:
        return [operation for operation, _ in self.calls if operation not in READS | PLAN]

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def client(self, service: str, region: str = REGION) -> Any:
        return _client(service, region)

    def send(self, operation: str, method: Callable[..., T], params: dict[str, Any]) -> T:
        with self._lock:  # one after another, so that call number n is the same in every run
            self.calls.append((operation, params))
            if operation == "sqs:ReceiveMessage":
                params = {**params, "WaitTimeSeconds": 0}  # moto would really wait
            fault = self.rule(len(self.calls), operation)
            if fault is None:
                return self._real(operation, method, params)
            reply: T = fault(lambda: self._real(operation, method, params), operation)
            return reply

    def _real(self, operation: str, method: Callable[..., T], params: dict[str, Any]) -> T:
        try:
            return self._seen(operation, method, params)
        except NotImplementedError as error:  # as an emulator's server answers it
            reply = {
                "Error": {"Code": "NotImplemented", "Message": str(error)},
                "ResponseMetadata": {"HTTPStatusCode": 501},
            }
            raise ClientError(reply, operation.partition(":")[2]) from error  # type: ignore[arg-type]

    def _seen(self, operation: str, method: Callable[..., T], params: dict[str, Any]) -> T:
        if not self.stale or operation not in READS or operation == "sts:GetCallerIdentity":
            return method(**params)
        key = f"{operation} {sorted(params.items())!r}"
        try:
            reply: Any = method(**params)
        except ClientError as error:
            reply = error
        plain = (
            repr({k: v for k, v in reply.items() if k != "ResponseMetadata"}) if isinstance(reply, dict) else "error"
        )
        since, form, old = self._past.get(key, (self.time.now() - self.stale, plain, reply))
        if form != plain and self.time.now() - since >= self.stale:
            # it has just changed: the old answer is given for a while
            self._past[key] = (self.time.now(), plain, old)
            shown = old
        elif self.time.now() - since < self.stale and key in self._past and form == plain:
            shown = old
        else:
            self._past[key] = (self.time.now() - self.stale, plain, reply)
            shown = reply
        if isinstance(shown, ClientError):
            raise shown
        copy: T = deepcopy(shown)
        return copy


Fault = Callable[[Callable[[], Any], str], Any]


def kill_before(_call: Callable[[], Any], _operation: str) -> Any:
    raise Killed


def kill_after(call: Callable[[], Any], _operation: str) -> Any:
    call()
    raise Killed


def lose_reply(call: Callable[[], Any], _operation: str) -> Any:
    call()
    raise ConnectionClosedError(endpoint_url="http://aws.invalid")


def refuse(code: str, status: int = 400, message: str = "injected") -> Fault:
    def fault(_call: Callable[[], Any], operation: str) -> Any:
        reply = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(reply, operation.partition(":")[2])  # type: ignore[arg-type]

    return fault


def fail_with(error: BaseException) -> Fault:
    def fault(_call: Callable[[], Any], _operation: str) -> Any:
        raise error

    return fault


def at(*numbers: int) -> Callable[[Fault], Callable[[int, str], Fault | None]]:
    """The fault at these calls only (1 is the first)."""
    return lambda fault: lambda n, _operation: fault if n in numbers else None


def on(operation: str, times: int = 1) -> Callable[[Fault], Callable[[int, str], Fault | None]]:
    """The fault at the first `times` calls of one operation."""

    def build(fault: Fault) -> Callable[[int, str], Fault | None]:
        left = [times]

        def rule(_n: int, found: str) -> Fault | None:
            if found != operation or not left[0]:
                return None
            left[0] -= 1
            return fault

        return rule

    return build


@functools.cache
def _client(service: str, region: str) -> Any:
    """One for all tests: moto stands in its way for as long as a test asks it to, and making one takes a while."""
    return boto3.session.Session().client(service, region_name=region)  # type: ignore[call-overload]


def gateway(faults: Faults) -> type[Aws]:
    """The gateway class whose every call goes through `faults`."""

    class FaultyAws(Aws):
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "clock": Clock(faults.time.now, faults.time.sleep, faults.time.now)})

        def _new_client(self, service: str, patience: float) -> Any:
            return faults.client(service, self.region)

        def _send(self, operation: str, method: Callable[..., T], params: dict[str, Any]) -> T:
            if not self.permits(operation):
                raise WriteRefusedError(operation)
            return faults.send(operation, method, params)

    return FaultyAws
