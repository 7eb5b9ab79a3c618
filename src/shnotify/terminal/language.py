"""The reader's language: sentences translated where they are shown, and nowhere else.

Whatever makes a text makes it in English, and JSON stays so: the screen and the helps look each
sentence up in a catalogue (`ja.po`, gettext's form, with `{named}` holes). A sentence that the
catalogue does not know stays English. Only a run in another language reads a catalogue.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ja")
_HOLE = r"\\\{(\w+)\\\}"
_LEAD = r"[ │|]*(?:[-+~!@=*•] +|#+ |(?:[├└]─|[|`]-)> )?"
_COUNTS = r"[\d,]+ [a-z ]+(?:, [\d,]+ [a-z ]+)*"
"""Counts in a row: `7 done, 1 failed`."""
_LABEL = r"(error|warning|note): (?=\S)"
_MEMBER = r"[a-z][a-z0-9-]* \([a-z0-9-]+\): (?=\S)"
"""Whom of several notifiers a line is about."""
_ENTRY = r'(?m)^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)'
_WIDE = "[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]"
"""A Japanese character; two of them have no blank between them."""
_FILLED = re.compile(rf"(?:(?<={_WIDE})( ))?\{{(\w+)\}}(?:( )(?={_WIDE}))?")
_DEPTH = 4
"""How deep a sentence may stand inside a sentence."""


class _State:
    """The language of this run."""

    language = "en"


_state = _State()


def choose(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """Sets the language of the run: `--lang`, else `$SHNOTIFY_LANG`, else English.

    Before the command line is parsed, because its errors and helps are read too. An unknown
    language is English here; `--lang` refuses it later.
    """
    found = environment.get("SHNOTIFY_LANG", "")
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--lang" and number + 1 < len(arguments):
            found = arguments[number + 1]
        elif argument.startswith("--lang="):
            found = argument.removeprefix("--lang=")
    _state.language = found if found in LANGUAGES and _can_be_written() else "en"
    return _state.language


def _can_be_written() -> bool:
    """Tells whether the streams carry more than ASCII; escapes would be read by nobody."""
    try:
        for stream in (sys.stdout, sys.stderr):
            "日本語".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def language() -> str:
    return _state.language


def line(text: str) -> str:
    """Translates one line of the screen; its indent and its mark stay."""
    if _state.language == "en" or not text.strip():
        return text
    lead = re.match(_LEAD, text)
    start = lead.end() if lead else 0
    label = re.match(_LABEL, text[start:])
    if label:
        start += label.end()
    member = re.match(_MEMBER, text[start:])
    if member:
        start += member.end()
    told = f"{tr(label[1])}: " if label else ""
    whom = member[0] if member else ""
    return f"{lead[0] if lead else ''}{told}{whom}{tr(text[start:])}"


def tr(sentence: str) -> str:
    """Translates a sentence, or returns it as it is."""
    return sentence if _state.language == "en" else _translated(sentence, _DEPTH)


def _translated(sentence: str, depth: int) -> str:
    exact, patterns = _catalogue(_state.language)
    if sentence in exact:
        return exact[sentence]
    if told := _counted(sentence, exact):
        return told
    if depth:
        for pattern, template in patterns:
            if found := pattern.fullmatch(sentence):
                holes = {k: _translated(v, depth - 1) for k, v in found.groupdict().items()}
                return _filled(template, holes)
    return sentence


def _counted(sentence: str, exact: Mapping[str, str]) -> str:
    """Translates counts whose words are all known; "" for any other sentence."""
    if not re.fullmatch(_COUNTS, sentence):
        return ""
    counts = [one.split(" ", 1) for one in sentence.split(", ")]
    if any(word not in exact for _, word in counts):
        return ""
    return "、".join(f"{exact[word]} {number}" for number, word in counts)


def _filled(template: str, holes: Mapping[str, str]) -> str:
    """Fills in the holes; a blank beside one stays where what is filled in is not Japanese."""

    def fill(hole: re.Match[str]) -> str:
        before, name, after = hole.groups(default="")
        value = holes[name]
        return (
            ("" if re.match(_WIDE, value) else before)
            + value
            + ("" if re.match(_WIDE, value[-1:]) else after)
        )

    return _FILLED.sub(fill, template)


def _hole(found: re.Match[str]) -> str:
    """Returns what may stand in a hole: anything, but one word where it is called `n`, a number."""
    name = found[1]
    return rf"(?P<{name}>\S+?)" if name == "n" else f"(?P<{name}>.+?)"


def entries(name: str) -> list[tuple[str, str]]:
    """Reads the (English, translated) pairs of a language's catalogue."""
    text = Path(__file__).with_name(f"{name}.po").read_text(encoding="utf-8")
    return [
        ("".join(map(json.loads, found[1].split("\n")[:-1])), _text(found[2]))
        for found in re.finditer(_ENTRY, text)
    ]


def _text(quoted: str) -> str:
    return "".join(json.loads(part) for part in quoted.strip().split("\n"))


@cache
def _catalogue(name: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Returns whole sentences, and those with holes: what says most before what says less."""
    exact: dict[str, str] = {}
    patterns: list[tuple[int, re.Pattern[str], str]] = []
    for english, translated in entries(name):
        if "{" not in english:
            exact[english] = translated
            continue
        spelled = re.sub(_HOLE, _hole, re.escape(english))
        literal = len(re.sub(r"\{\w+\}", "", english))
        patterns.append((literal, re.compile(spelled, re.DOTALL), translated))
    patterns.sort(key=lambda entry: -entry[0])
    return exact, [(pattern, template) for _, pattern, template in patterns]
