"""What `match` and `render` have in common: the routes with their patterns, and events from files
or a pipe.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shnotify.arns import Scope, partition_of
from shnotify.config.load import Loaded
from shnotify.config.models import Config, Route
from shnotify.config.rules import RoutedRule, rules_by_route
from shnotify.errors import UsageError
from shnotify.escaping import escaped_line
from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from shnotify.findings.reading import InputError, inputs_from
from shnotify.formatter.finding import findings_in
from shnotify.frozen import frozen


@frozen
class Routed:
    """A route, the event pattern of its filter, and its rules, which share what passes the filter."""

    route: Route
    pattern: dict[str, Any]
    rules: tuple[RoutedRule, ...]

    def takers(self, event: Mapping[str, Any]) -> list[RoutedRule]:
        """Lists the rules whose pattern matches the event."""
        return [rule for rule in self.rules if matches(rule.pattern, event)]


def routes_of(loaded: Loaded, only: str | None) -> tuple[Config, list[Routed]]:
    """Returns the configuration with its routes, or with the one that is asked for."""
    config = loaded.config.settled()
    if only and only not in {route.name for route in config.routes}:
        names = ", ".join(route.name for route in config.routes)
        where = loaded.document.file
        raise UsageError(f"there is no route {only!r} in {where}", hint=f"there are {names}")
    found, rules = [], rules_by_route(config)
    for route in config.routes:
        if only in (None, route.name):
            marker = config.let_through(route)
            pattern = event_pattern(
                route.source, route.findings, None, route.pattern, resolved_marker=marker
            )
            found.append(Routed(route, pattern, rules[route.name]))
    return config, found


@frozen
class Given:
    """One event that a person handed over.

    file    the file's name, or `standard input`
    index   its place among the events of the file, from 1
    line    the line on which it begins, from 1
    filled  what Security Hub fills in when it imports the bare finding
    """

    event: dict[str, Any]
    file: str
    index: int
    line: int
    filled: tuple[str, ...]

    @property
    def place(self) -> str:
        """The place of the event on one line."""
        return f"{escaped_line(self.file)}:{self.line}"

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "index": self.index, "line": self.line}


def events_in(files: tuple[str, ...]) -> Iterator[Given]:
    """Yields the events of all files in order; `-` is standard input, as is a pipe without a name.

    Raises UsageError.
    """
    if not files and sys.stdin.isatty():
        raise UsageError("no event to look at", hint="name a file, or pipe one in: FILE ... | -")
    for name in files or ("-",):
        file = "standard input" if name == "-" else name
        try:
            for index, found in enumerate(inputs_from(_text(name)), start=1):
                yield Given(found.event, file, index, found.line, found.filled)
        except InputError as error:
            raise UsageError(f"{file}: {error.message}") from error


def _text(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise UsageError(f"{name} cannot be read: {why}") from error
    encoding = (
        "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    )  # PowerShell's `>` writes UTF-16
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}: line {line}: this is not UTF-8 text") from error


def ids_of(event: Mapping[str, Any]) -> list[str]:
    """Returns the ids of an event's findings, or the event's own id, not escaped.

    As they stand, not escaped.
    """
    return [found.id or found.uid for found in findings_in(event)] or [str(event.get("id", ""))]


def scope_of(config: Config, event: Mapping[str, Any]) -> Scope:
    """Says where the notifier would live: as the file says, or else where the event comes from."""
    region = config.region or str(event.get("region", ""))
    return Scope(partition_of(region), region, config.account or str(event.get("account", "")))
