"""Text from findings, made fit for a mail: what SNS takes, and never cut inside a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_SUBJECT = 99
"""UTF-16 units; SNS takes "less than 100 characters" (API_Publish), and this is the strictest way
to count them.
"""
MAX_BODY = 256 * 1024 - 1024
"""Bytes of UTF-8; SNS takes 256 KB with subject and attributes (API_Publish)."""

# Controls but tab and line feed; embeddings, overrides and isolates, which can make a text read
# otherwise than it is.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MORE = "…"


def clean(text: str) -> str:
    """The text with line feeds as its only line breaks.

    No controls, text-direction tricks or lone surrogates.
    """
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", _LINE_BREAK.sub("\n", text)))


def one_line(text: str) -> str:
    """The cleaned text on one line, runs of white space as one blank."""
    return " ".join(clean(text).split())


def graphemes(text: str) -> Iterator[str]:
    """The characters as a reader sees them: base and marks, emoji sequences, flags, Hangul (after
    UAX #29).
    """
    cluster = ""
    for character in text:
        if cluster and not _joins(cluster, character):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _joins(cluster: str, character: str) -> bool:
    code, before = ord(character), cluster[-1]
    if before == "\u200d" or character in "\u200c\u200d":
        return True
    if (
        unicodedata.category(character).startswith("M")
        or 0x1F3FB <= code <= 0x1F3FF
        or 0xE0020 <= code <= 0xE007F
    ):
        return True
    if _is_flag_half(character):
        return all(map(_is_flag_half, cluster)) and len(cluster) % 2 == 1
    if 0x1160 <= code <= 0x11FF:
        return 0x1100 <= ord(before) <= 0x11FF or 0xAC00 <= ord(before) <= 0xD7A3
    return before == "\r" and character == "\n"


def _is_flag_half(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def units(text: str) -> int:
    """The text's length in UTF-16 units."""
    extra = 0 if text.isascii() else sum(character > "\uffff" for character in text)
    return len(text) + extra


def shorten(text: str, limit: int) -> str:
    """The text in at most `limit` UTF-16 units, with … where something is missing.

    Whole characters only.
    """
    if units(text) <= limit:
        return text
    kept, length = "", units(_MORE)
    for cluster in graphemes(text):
        length += units(cluster)
        if length > limit:
            break
        kept += cluster
    return kept.rstrip() + _MORE if limit > 0 else ""


def subject(text: str) -> str:
    """The text as SNS's Subject: one line, below 100 characters, never empty."""
    return shorten(one_line(text), MAX_SUBJECT) or "Security Hub"


def body(text: str, notice: str) -> str:
    """The text as SNS's Message: at most 256 KB, never empty.

    `notice` ends it when it had to be cut.
    """
    text = clean(text)
    if len(text.encode()) <= MAX_BODY:
        return text if text.strip() else notice
    room = MAX_BODY - len(notice.encode()) - 1
    kept = text.encode()[:room].decode(errors="ignore")
    return f"{_without_last(kept)}\n{notice}"


def _without_last(text: str) -> str:
    """The text without its last character, which may have lost its marks to a cut."""
    window = 64
    while len(clusters := list(graphemes(text[-window:]))) == 1 and window < len(text):
        window *= 2
    return text[: -len(clusters[-1])]
