"""Text from elsewhere (AWS, findings, the file), made safe for a terminal."""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


def escaped(text: str) -> str:
    """The text with every character escaped that could steer a terminal or hide what stands there.

    Escape sequences, C0 and C1 controls, carriage return, bidirectional and zero-width characters,
    and lone surrogates; line feed and tab stay (kubernetes#101695 is what happens otherwise).
    """
    escaped = _FORBIDDEN.sub(lambda m: m[0].encode("unicode_escape").decode(), text)
    return "".join(
        c
        if unicodedata.category(c) not in ("Cs", "Cf") or c == "\xad"
        else c.encode("unicode_escape").decode()
        for c in escaped
    )


def escaped_line(text: str) -> str:
    """The same where a line feed could pass for a line of ours: names and values from elsewhere."""
    return escaped(text).replace("\n", "\\n").replace("\t", "\\t")


def without_password(text: str) -> str:
    """The text with what stands before the `@` of a URL left out: it may be a password."""
    return re.sub(r"//[^/\s]*@", "//***@", text)
