"""What the strict layer's table is made of: one row is one rule, at one or several of moto's
methods.

A row cites where its rule is known from: `B.KMS.7` and the like are items of the project's list of
AWS facts, `API_X` is the page of the operation X in the service's API reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import signature
from threading import RLock
from typing import Any, NoReturn

from moto.core.exceptions import JsonRESTError
from moto.securityhub.exceptions import SecurityHubClientError
from moto.sns.exceptions import SNSException
from moto.sqs.exceptions import SQSException

from shnotify.frozen import frozen

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
Proceed = Callable[[], Any]

_RESPONSES = {
    "kms": ("moto.kms.responses", "KmsResponse"),
    "sns": ("moto.sns.responses", "SNSResponse"),
    "sqs": ("moto.sqs.responses", "SQSResponse"),
    "events": ("moto.events.responses", "EventsHandler"),
    "securityhub": ("moto.securityhub.responses", "SecurityHubResponse"),
}
_ERRORS = {
    "kms": JsonRESTError,
    "sns": SNSException,
    "sqs": SQSException,
    "events": JsonRESTError,
    "securityhub": SecurityHubClientError,
}

LOCK = RLock()
"""Held by whoever answers a request: moto's state is not made for several at once."""


@frozen
class Row:
    """One rule: which methods of moto it wraps (module, class or "", name), how, and where AWS says
    so.
    """

    name: str
    cites: str
    methods: tuple[tuple[str, str, str], ...]
    wrap: Wrap


ROWS: list[Row] = []
"""Filled by the decorators below, in the order of the modules that `strict` imports."""

CLOCKS: list[Callable[[], float]] = []
"""The clock of each `strict()` that is open; the last one counts."""


def now() -> float:
    """Seconds, by the clock of the innermost open `strict()`."""
    return CLOCKS[-1]()


class Call:
    """One request, as a row sees it."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.account: str = response.current_account
        self.region: str = response.region

    def param(self, name: str) -> Any:
        return self.response._get_param(name)

    def body(self) -> dict[str, Any]:
        """The request's JSON document; empty when it has none."""
        text = self.response.body
        return json.loads(text) if text else {}

    def change(self, **params: Any) -> None:
        """Lets moto see these parameters instead of the ones that came."""
        asked = self.response._get_param

        def answer(name: str, *default: Any, **named: Any) -> Any:
            return params[name] if name in params else asked(name, *default, **named)

        self.response._get_param = answer

    def fail(self, code: str, message: str) -> NoReturn:
        """Answers with an error of the service's model."""
        raise _ERRORS[self.response.service_name](code, message)


def refuse(
    service: str, operations: str, cites: str
) -> Callable[[Callable[[Call], None]], Callable[[Call], None]]:
    """A row that looks at a call before moto does, and may `fail` it."""

    def add(rule: Callable[[Call], None]) -> Callable[[Call], None]:
        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            def method(response: Any) -> Any:
                rule(Call(response))
                return original(response)

            return method

        ROWS.append(Row(rule.__name__, cites, tuple(_methods(service, operations)), wrap))
        return rule

    return add


def around(
    service: str, operations: str, cites: str
) -> Callable[[Callable[[Call, Proceed], Any]], Callable[[Call, Proceed], Any]]:
    """A row that runs instead of moto's answer, which it gets by calling `proceed`."""

    def add(rule: Callable[[Call, Proceed], Any]) -> Callable[[Call, Proceed], Any]:
        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            def method(response: Any) -> Any:
                return rule(Call(response), lambda: original(response))

            return method

        ROWS.append(Row(rule.__name__, cites, tuple(_methods(service, operations)), wrap))
        return rule

    return add


def answer(
    service: str, operation: str, cites: str
) -> Callable[[Callable[[Call], dict[str, Any]]], Callable[[Call], dict[str, Any]]]:
    """A row that answers a JSON operation by itself, whether or not moto knows it."""

    def add(rule: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
        def wrap(_: Callable[..., Any]) -> Callable[..., Any]:
            return lambda response: json.dumps(rule(Call(response)))

        ROWS.append(Row(rule.__name__, cites, tuple(_methods(service, operation)), wrap))
        return rule

    return add


def model(module: str, path: str, cites: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A row at a `Class.method` or a function of moto's own.

    It gets the first argument, `proceed` and, if it takes more, the other arguments.
    """

    def add(rule: Callable[..., Any]) -> Callable[..., Any]:
        takes_more = len(signature(rule).parameters) > 2

        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(original)
            def method(owner: Any, *args: Any, **named: Any) -> Any:
                more = (args, named) if takes_more else ((), {})
                return rule(owner, lambda: original(owner, *args, **named), *more[0], **more[1])

            return method

        cls, _, name = path.rpartition(".")
        ROWS.append(Row(rule.__name__, cites, ((module, cls, name),), wrap))
        return rule

    return add


def _methods(service: str, operations: str) -> Iterator[tuple[str, str, str]]:
    for operation in operations.split():
        yield *_RESPONSES[service], re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
