"""A moto that says no where AWS says no: the one piece that `shnotify sandbox` and the in-process
tests share.

    with mock_aws(), strict(clock=lambda: moment):
        ...

The rules stand in `kms`, `sns`, `sqs`, `events` and `functions` beside this module, each with where
it is known from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from importlib import import_module
from typing import Any

from shnotify.sandbox import (
    events,
    functions,
    kms,
    mailbox,
    mappings,
    newhub,
    running,
    schedules,
    securityhub,
    sns,
    sqs,
    stacks,
    stacksets,
)
from shnotify.sandbox.rows import CLOCKS, LOCK, ROWS, Row

_MODULES = (
    kms,
    sns,
    sqs,
    events,
    functions,
    securityhub,
    newhub,
    mailbox,
    running,
    schedules,
    mappings,
    stacks,
    stacksets,
)
"""Importing them fills ROWS, and tells EventBridge what a function is."""


@contextmanager
def strict(clock: Callable[[], float] = time.time) -> Iterator[None]:
    """Makes moto strict while it is open, in this process.

    Nesting is fine: the innermost clock counts.

    clock  seconds, for what AWS makes depend on time: 60 s after DeleteQueue, 48 h of a pending
           subscription
    """
    with LOCK:
        CLOCKS.append(clock)
        undo = _apply() if len(CLOCKS) == 1 else []
    try:
        yield
    finally:
        with LOCK:
            CLOCKS.pop()
            for owner, name, original in reversed(undo):
                _put_back(owner, name, original)


def _apply() -> list[tuple[Any, str, Any]]:
    undo = []
    for row in (_ONE_AT_A_TIME, *ROWS):
        for module, class_name, method in row.methods:
            owner: Any = import_module(module)
            owner = getattr(owner, class_name) if class_name else owner
            original = owner.__dict__.get(method)
            undo.append((owner, method, original))
            setattr(owner, method, row.wrap(original))
    return undo


def _put_back(owner: Any, name: str, original: Any) -> None:
    if original is None:
        delattr(owner, name)
    else:
        setattr(owner, name, original)


def _serial(original: Callable[..., Any]) -> Callable[..., Any]:
    """moto iterates over its dicts while other requests change them.

    ReceiveMessage may wait, so it holds nobody up.
    """

    @wraps(original)
    def dispatch(response: Any, request: Any, *args: Any, **named: Any) -> Any:
        waits = str(request.headers.get("X-Amz-Target", "")).endswith(".ReceiveMessage")
        with nullcontext() if waits else LOCK:
            return original(response, request, *args, **named)

    return dispatch


_ONE_AT_A_TIME = Row(
    "one_at_a_time", "moto", (("moto.core.responses", "BaseResponse", "_dispatch"),), _serial
)
