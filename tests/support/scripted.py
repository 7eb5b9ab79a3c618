"""A gateway that answers from a table, for tests of one kind: no AWS, no SDK, every call and its parameters seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from shnotify.aws.calls import Calls, Clock
from shnotify.aws.failures import AwsError
from shnotify.engine.events import Event
from tests.support.faults import Time

Answer = Mapping[str, Any] | str | Callable[[dict[str, Any]], Any]
"""A reply, an error's code, or a function of the parameters that gives or raises either."""


class Scripted(Calls):
    """What the table does not name must not be asked.

    sent   every call as (operation, parameters), in order
    notes  what was reported
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.time = Time()
        self.notes: list[Event] = []
        super().__init__(timeout=600, report=self.notes.append, clock=Clock(self.time.now, self.time.sleep))
        self.answers = dict(answers)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.existing: dict[str, str] = {}
        self._table = threading.Lock()

    def __getattr__(self, service: str) -> Any:
        return _Service({"tagging": "tag"}.get(service, service))

    def _try(self, method: Any, params: dict[str, Any], waits: Mapping[str, str], *, once: bool) -> Any:
        with self._table:
            self.sent.append((method.operation, params))
            assert method.operation in self.answers, f"{method.operation} must not be asked"
            answer = self.answers[method.operation]
            if callable(answer):
                answer = answer(params)
        if isinstance(answer, str):
            raise AwsError(f"{method.operation} failed", operation=method.operation, code=answer)
        return answer

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.sent]


class _Service:
    def __init__(self, name: str) -> None:
        self._name = name
        self.meta = SimpleNamespace(endpoint_url=f"https://{name}")

    def __getattr__(self, method: str) -> Any:
        return SimpleNamespace(operation=f"{self._name}:{''.join(part.capitalize() for part in method.split('_'))}")


def scripted(answers: Mapping[str, Answer]) -> Any:
    """Such a gateway, to be given where an `Aws` is wanted."""
    return Scripted(answers)
