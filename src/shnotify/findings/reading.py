"""Events and findings from a file or a pipe, in any of the forms in which people have them.

Pure.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from shnotify.errors import ShnotifyError
from shnotify.findings.importing import imported
from shnotify.findings.vocabulary import CSPM, HUB
from shnotify.formatter.finding import is_ocsf, read
from shnotify.formatter.times import parse
from shnotify.frozen import frozen


class InputError(ShnotifyError):
    """The input is neither events nor findings. `line` and `column` count from 1."""

    exit_code = 2

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column


@frozen
class Input:
    """Holds one event, and where the event stands.

    line    the line on which it, or the bare finding in it, begins, from 1
    filled  what Security Hub fills in when it imports the bare finding, as `Path = value`; () for
            an event
    """

    event: dict[str, Any]
    line: int
    filled: tuple[str, ...] = ()


def inputs_from(text: str) -> Iterator[Input]:
    """Yields the events in a text, in order.

    Bare findings come wrapped into the event that Security Hub would send.

    Takes EventBridge events, findings (ASFF or OCSF), `GetFindings` and `GetFindingsV2` output,
    JSON lists of any of these, and any number of such documents one after the other (JSON lines).
    Raises InputError for anything else.
    """
    empty = True
    source = _Source(text)
    for document, start in _documents(text):
        empty = False
        yield from _events(document, source, start)
    if empty:
        raise InputError("there is no event here", 1, 1)


MAX_DEPTH = 200
"""Levels of an input document.

Findings have about ten, and Python itself gives up near a thousand.
"""
_BLANK = re.compile(r"\s*")


def _documents(text: str) -> Iterator[tuple[Any, int]]:
    """Yields each JSON document with its position."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
    position = 1 if text.startswith("\ufeff") else 0
    while (position := _after_blanks(text, position)) < len(text):
        try:
            document, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            _fail(f"not valid JSON: {error.msg}", text, error.pos)
        except ValueError as error:
            _fail(f"not valid JSON: {str(error).partition(':')[0]}", text, position)
        except RecursionError:
            _fail("nested too deeply", text, position)
        if _deeper_than(MAX_DEPTH, document):
            _fail("nested too deeply", text, position)
        yield document, position
        position = end


def _after_blanks(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _deeper_than(limit: int, document: Any) -> bool:
    level = [document]
    for _ in range(limit):
        level = [
            item
            for node in level
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(level)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"the number {number} is too large")
    return value


def _fail(message: str, text: str, position: int) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    raise InputError(message, line, position - (text.rfind("\n", 0, position) + 1) + 1)


class _Source:
    """Knows on which line each position of a text stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._breaks = [position for position, character in enumerate(text) if character == "\n"]

    def line(self, position: int) -> int:
        return bisect_left(self._breaks, position) + 1


def _events(document: Any, source: _Source, start: int) -> Iterator[Input]:
    text, line = source.text, source.line(start)
    if isinstance(document, list):
        for item, position in _items(text, start):
            yield from _events(item, source, position)
    elif not isinstance(document, dict):
        _fail("neither an event nor a finding: an event is a JSON object", text, start)
    elif "detail-type" in document or "detail" in document:
        yield Input(document, line)
    elif name := next(
        (name for name in ("Findings", "findings") if isinstance(document.get(name), list)), None
    ):
        for item, position in _items(text, _member(text, start, name)):
            yield from _events(item, source, position)
    elif is_ocsf(document):
        yield Input(wrap(document), line)
    elif "ProductArn" in document or "SchemaVersion" in document:
        finding, filled = imported(document)
        yield Input(wrap(finding), line, filled)
    else:
        _fail(
            "neither an event (no detail-type) nor a finding (no ProductArn, no class_uid)",
            text,
            start,
        )


_DECODER = json.JSONDecoder()


def _items(text: str, start: int) -> Iterator[tuple[Any, int]]:
    """Yields each item of the list that begins at `start`, with the item's position.

    The text is known to be valid there.
    """
    position = _after_blanks(text, start + 1)
    while text[position] != "]":
        item, end = _DECODER.raw_decode(text, position)
        yield item, position
        position = _after_blanks(text, end)
        if text[position] == ",":
            position = _after_blanks(text, position + 1)


def _member(text: str, start: int, wanted: str) -> int:
    """Where a member's value begins, in the object that begins at `start`.

    Of several of one name the last counts.
    """
    position, found = _after_blanks(text, start + 1), start
    while text[position] != "}":
        name, end = _DECODER.raw_decode(text, position)
        value_at = _after_blanks(text, _after_blanks(text, end) + 1)
        found = value_at if name == wanted else found
        _, end = _DECODER.raw_decode(text, value_at)
        position = _after_blanks(text, end)
        if text[position] == ",":
            position = _after_blanks(text, position + 1)
    return found


def wrap(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Wraps a finding into the event that Security Hub sends (securityhub-cwe-event-formats, -v2-)."""
    seen = read(finding, {})
    arn = seen.product_arn.split(":")
    moment = parse(seen.updated) or parse(seen.created)
    identity = seen.uid or seen.id
    return {
        "version": "0",
        # EventBridge makes these up; here the same finding always gets the same one.
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, identity.encode(errors="replace").decode())),
        "detail-type": HUB.detail_type if seen.schema == "hub" else CSPM.detail_type,
        "source": "aws.securityhub",
        "account": seen.account,
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "1970-01-01T00:00:00Z",
        "region": seen.region or (arn[3] if len(arn) > 3 else ""),
        "resources": [seen.uid] if seen.schema == "hub" else [f"{seen.product_arn}/{seen.id}"],
        "detail": {"findings": [dict(finding)]},
    }
