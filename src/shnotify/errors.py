"""The errors a user can meet, each with the exit code the contract gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class ShnotifyError(Exception):
    """Something a person has to know; never shown as a traceback.

    `exit_code` is the contract's: 1 for AWS or the environment, 2 for the command line or the
    configuration.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        operation: str | None = None,
        resource: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.operation = operation
        self.resource = resource
        self.code = code

    def to_json(self) -> dict[str, Any]:
        """The contract's `error` object."""
        return {
            "message": self.message,
            "hint": self.hint,
            "operation": self.operation,
            "resource": self.resource,
            "code": self.code,
        }


class ConfigProblem(NamedTuple):
    """One thing that is wrong in the configuration file. `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return self.told(str)

    def told(self, tr: Callable[[str], str]) -> str:
        """Returns the problem with its place, and its sentence as `tr` translates it."""
        where = f"{self.file}:{self.line}:{self.column}: "
        return where + (f"{self.path}: {tr(self.message)}" if self.path else tr(self.message))

    def to_json(self) -> dict[str, Any]:
        return self._asdict()


class ConfigError(ShnotifyError):
    """All that is wrong in the configuration file, in the order of the file.

    Nothing was sent to AWS.
    """

    exit_code = 2

    def __init__(self, problems: list[ConfigProblem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class UsageError(ShnotifyError):
    """The command line is wrong; nothing was touched."""

    exit_code = 2
