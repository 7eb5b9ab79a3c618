"""Lines broken at words, with a hanging indent, for a reader's width. Pure.

A word is never cut: an ARN or an address that is longer than the line stays whole, so that it can
be copied. Japanese has no blanks, so its lines break between characters, and never before a
closing mark (JIS X 4051, characters that must not begin a line).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

NARROWEST = 40
"""Columns below which nothing is broken any finer: the terminal does it then."""
_MARKER = re.compile(
    r"(?:(?!\|->)[ │|])*(?:[-+~!@=•*] +|#+ |\$ |(?:[├└]─|[|`]-)> |(?:warning|error|note|警告|エラー|注意): )?"
)
"""What stands before a line's text: its indent, and a mark or label after which text goes on."""
_GOES_ON = {"│": "│", "├": "│", "|": "|"}
"""A tree's mark -> what stands below it."""
_WORD = re.compile(r"\S+")
_NOT_FIRST = frozenset("、。，．・：；？！）」』】〉》〕］｝ー々ゃゅょっャュョッ…,.:;?!)]}")
_NOT_LAST = frozenset("（「『【〈《〔［｛([{")

Piece = tuple[int, int]
"""The first and the last (exclusive) index of a stretch of a text."""


def columns(text: str) -> int:
    """Counts the columns that a terminal gives the text (UAX #11: wide characters take two)."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, width: int) -> str:
    """Fills a text up with blanks to this many columns."""
    return text + " " * max(0, width - columns(text))


def hang(text: str, width: int) -> int:
    """Returns the indent of a line's continuation: under the text that follows its mark."""
    found = _MARKER.match(text)
    marked = found[0] if found else ""
    indent = columns(marked)
    if marked.strip() == "":
        indent += 2
    return min(indent, width // 2)


def lead(text: str, width: int) -> str:
    """Returns what stands before a line's continuation: blanks, and the bars of a tree, which go on."""
    found = _MARKER.match(text)
    bars = "".join(_GOES_ON.get(character, " ") for character in found[0]) if found else ""
    indent = hang(text, width)
    return f"{bars:{indent}}"[:indent]


def breaks(text: str, width: int) -> list[Piece]:
    """Returns the stretches of the text that stand on a line each; one when it fits."""
    if columns(text) <= width or not text.strip():
        return [(0, len(text))]
    indent = hang(text, width)
    lines: list[Piece] = []
    start = end = 0
    for first, last in _units(text):
        room = width - (indent if lines else 0)
        if end > start and columns(text[start:last]) > room and text[start:end].strip():
            lines.append((start, end))
            start = first
        end = last
    lines.append((start, end))
    return _with_labels(text, lines)


def _with_labels(text: str, lines: list[Piece]) -> list[Piece]:
    """Puts a mark that would stand alone back before its text."""
    found = _MARKER.match(text)
    marked = found.end() if found else 0
    if len(lines) > 1 and lines[0][1] <= marked:
        return [(lines[0][0], lines[1][1]), *lines[2:]]
    return lines


def _units(text: str) -> Iterator[Piece]:
    """Yields the parts between which a line may break."""
    for word in _WORD.finditer(text):
        start = word.start()
        for index in range(start + 1, word.end()):
            if _breaks_between(text[index - 1], text[index]):
                yield start, index
                start = index
        yield start, word.end()


def _breaks_between(left: str, right: str) -> bool:
    if left.isascii() and right.isascii():
        return False
    if right in _NOT_FIRST or left in _NOT_LAST:
        return False
    return _width(left) == 2 or _width(right) == 2


def wrapped(text: str, width: int | None) -> list[str]:
    """Returns the text's lines, each at most `width` columns wide as far as its words allow.

    width  None: the text as it is
    """
    if width is None:
        return [text]
    width = max(width, NARROWEST)
    pieces = breaks(text, width)
    indent = lead(text, width)
    return [
        text[start:end] if number == 0 else indent + text[start:end]
        for number, (start, end) in enumerate(pieces)
    ]
