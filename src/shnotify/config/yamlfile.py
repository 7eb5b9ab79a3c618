"""YAML text -> plain data and where each part of it stands, with all that bites in YAML refused by
name.

No tags; aliases and merge keys (<<) are replaced by what they name; one document; at most
`MAX_BYTES` and `MAX_DEPTH`. Only `true`, `false`, `null` and plain decimal numbers are anything but
text: `yes`, `+81312345678` and `12:30:45` stay what they look like. Digits after a 0
(`012345670123`) must stand in quotes: for other readers they are an octal number, for a person an
account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from shnotify.config.anchors import AliasProblem, expanded
from shnotify.config.filetext import LINE_BREAK, after, text_of
from shnotify.errors import ConfigError, ConfigProblem

MAX_DEPTH = 20
MAX_PROBLEMS = 100
MAX_MESSAGE = 600

Path = tuple[str | int, ...]
Position = tuple[int, int]
"""Line and column, both from 1."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_OCTAL = re.compile(r"[-+]?0[0-9]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
"""What YAML refuses, and what is a line break for it and for no editor: line numbers would be
wrong.
"""
_PLAIN_KEY = re.compile(r"[\w:/@+=$-]{1,80}")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass
class Document:
    """Holds a file's data; `values` and `keys` say where each value and each key stands.

    `problems` are those that leave the data readable: what the data says can be looked at too.
    """

    file: str
    text: str = ""
    data: Any = None
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def problem(self, position: Position, path: str, message: str) -> ConfigProblem:
        """Makes a problem of one line, with nothing in it that a terminal would obey.

        A long one (it quotes the file) loses its middle.
        """
        plain = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode() for c in message
        )
        if len(plain) > MAX_MESSAGE:
            plain = f"{plain[: MAX_MESSAGE // 2]}…{plain[-MAX_MESSAGE // 4 :]}"
        return ConfigProblem(self.file, *position, path, plain)

    def where(self, path: Path, *, key: bool = False) -> Position:
        """Returns the position of a value or key, or of its parent when the file does not hold it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))


def dotted(path: Path) -> str:
    """Turns `("routes", 0, "name")` into `routes[0].name`.

    A key that is no plain word stands in brackets and quotes.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            key = part if len(part) <= 80 else f"{part[:79]}…"
            text += f"[{json.dumps(key, ensure_ascii=not key.isprintable())}]"
    return text


def read(path: FilePath) -> Document:
    """Reads the file's document.

    Raises `ConfigError` when it cannot be read as YAML, or not to its end.
    """
    return parse(text_of(path), str(path))


def parse(text: str, file: str = "shnotify.yaml") -> Document:
    """Reads a document from text."""
    document = Document(file, text)
    _Reader(document).run()
    return document


class _StopReading(Exception):  # noqa: N818 it only ends the reading
    """Raised when nothing after this point can be understood."""


class _Reader:
    """Builds the data from the parser's events, so that depth is known before anything is built."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.events: Iterator[Any] = iter(())

    def run(self) -> None:
        if found := _CONTROL.search(self.text):
            self._add(
                after(self.text[: found.start()]),
                (),
                f"a control character (U+{ord(found[0]):04X}) in the file",
            )
            raise ConfigError(self.document.problems)
        try:
            self.events = expanded(yaml.parse(self.text, Loader=_LOADER))
            self._document()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            what = getattr(error, "problem", None) or str(error).splitlines()[0]
            lines = LINE_BREAK.split(self.text)
            if line > len(lines):  # libyaml ends a line that the file does not end
                line, column = after(self.text)
            hint = (
                ": tabs cannot indent, use spaces"
                if lines[line - 1][column - 1 : column] == "\t"
                else ""
            )
            position = line, column
            self.document.problems.append(
                self.document.problem(position, "", f"this is not YAML: {what}{hint}")
            )
            raise ConfigError(self.document.problems) from error
        except AliasProblem as error:
            self.document.problems.append(
                self.document.problem(_at(error.event), "", error.message)
            )
            raise ConfigError(self.document.problems) from error
        except _StopReading:
            raise ConfigError(self.document.problems) from None

    def _document(self) -> None:
        next(self.events)
        first = next(self.events)
        if not isinstance(first, yaml.StreamEndEvent):
            self.document.data = self._value(next(self.events), (), 1)
            next(self.events)
        if self.document.data is None:
            self._add((1, 1), (), "the file is empty: `shnotify init` writes one to start from")
            raise _StopReading
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            self._add(_at(more), (), "a second document begins here: a file describes one notifier")

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self._refuse_tags(event, path)
        self.document.values[path] = _at(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if depth > MAX_DEPTH:
            self._add(_at(event), path[:3], f"nested deeper than {MAX_DEPTH} levels")
            raise _StopReading
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), depth + 1))
        return items

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[tuple[Path, dict[str, Any]]] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._refuse_tags(event, path)
            if not isinstance(event, yaml.ScalarEvent):
                self._add(_at(event), path, "a key must be a plain word")
                raise _StopReading
            key = str(event.value)
            here = (*path, key)
            if key == "<<" and not event.style:
                merged += self._merged(here, depth)
                continue
            if not isinstance(self._scalar(event, here), str):
                self._add(_at(event), here, f'a key must be text: write it in quotes, "{key}"')
            if key in found:
                first = self.document.keys[here][0]
                self._add(_at(event), here, f"written twice, first in line {first}: keep one")
            if key not in found:
                self.document.keys[here] = _at(event)
            found[key] = self._value(next(self.events), here, depth + 1)
        for place, fields in merged:
            for key in fields.keys() - found.keys():
                self._move((*place, key), (*path, key), fields[key])
            found = {**fields, **found}
        return found

    def _merged(self, place: Path, depth: int) -> list[tuple[Path, dict[str, Any]]]:
        """Returns the mappings of a merge key with their positions, the first one first."""
        event = next(self.events)
        value = self._value(event, place, depth + 1)
        several = (
            [((*place, number), item) for number, item in enumerate(value)]
            if isinstance(value, list)
            else []
        )
        sources = several or [(place, value)]
        if not all(isinstance(fields, dict) for _, fields in sources):
            self._add(
                _at(event), place[:-1], "a merge key (<<) takes a mapping, or a list of mappings"
            )
            return []
        return sources

    def _move(self, old: Path, new: Path, value: Any) -> None:
        """Notes where a merged value stands, under the value's new name."""
        for positions in (self.document.values, self.document.keys):
            if old in positions:
                positions[new] = positions[old]
        inner = (
            enumerate(value)
            if isinstance(value, list)
            else value.items()
            if isinstance(value, dict)
            else ()
        )
        for part, item in inner:
            self._move((*old, part), (*new, part), item)

    def _scalar(self, event: Any, path: Path) -> Any:
        found = _plain(event)
        if isinstance(found, str) and not event.style and _OCTAL.fullmatch(found):
            self._add(
                _at(event),
                path,
                f'digits after a 0 are not a plain number: write it in quotes, "{found}"',
            )
        return found

    def _refuse_tags(self, event: Any, path: Path) -> None:
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")[:80]
            self._add(_at(event), path, f"tags ({tag}) are not supported: write a plain value")

    def _add(self, position: Position, path: Path, message: str) -> None:
        self.document.problems.append(self.document.problem(position, dotted(path), message))
        if len(self.document.problems) == MAX_PROBLEMS:
            raise _StopReading


def _at(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _plain(event: Any) -> Any:
    text = str(event.value)
    if event.style or not event.implicit[0]:  # libyaml says "" for plain, PyYAML says None
        return text
    if text.lower() in _WORDS and (
        text.lower() == text or text in ("True", "False", "Null", "TRUE", "FALSE", "NULL")
    ):
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text) and len(text) <= 18:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and len(text) <= 18 else text
