"""Transcripts as pictures: what the tool prints on a terminal, in its colours, as SVG; and the text in one."""

from __future__ import annotations

import html
import io
import re
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from shnotify import cli
from shnotify.terminal import live

COLUMNS = 104
_OUTSIDE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""rich names a font of another host; a picture of ours loads nothing."""
_LENGTH = re.compile(r'textLength="([\d.]+)"([^>]*)>([^<]*)</text>')


class Terminal(io.StringIO):
    """A terminal that remembers what was printed on it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.console = Console(
            record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True, highlight=False, legacy_windows=False
        )

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.console.print(Text(text), end="", soft_wrap=True)
        return len(text)


def picture(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Runs a command and returns what stood on the terminal, without the command's own times, as SVG."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", str(COLUMNS))
        patch.setenv("TERM", "xterm-256color")
        patch.setattr(sys, "stdout", terminal)
        plain = live.console
        patch.setattr(live, "console", lambda file, **how: file.console if file is terminal else plain(file, **how))
        cli.run(list(arguments))
    shown = " ".join(word for word in arguments if not word.startswith(("-c", "/")))
    svg = terminal.console.export_svg(title=f"$ shnotify {shown}", unique_id="shnotify")
    svg = re.sub(r"[0-9a-f]{64}", "0123456789abcdef" * 4, svg)
    svg = re.sub(r"\b\d+\.\d(?=&#160;s\b)", "0.1", svg)
    svg = _LENGTH.sub(_as_wide_as_it_is, svg)
    return _OUTSIDE.sub("", svg)


def _as_wide_as_it_is(found: re.Match[str]) -> str:
    """Corrects a text's length: rich counts characters, and a Japanese one takes two columns."""
    text = html.unescape(found[3])
    length = float(found[1]) / max(len(text), 1) * cell_len(text)
    return f'textLength="{length:.1f}"{found[2]}>{found[3]}</text>'


def text_in(svg: str) -> str:
    """Returns the text of a picture, line by line."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        lines.setdefault(float(y), []).append((float(x), html.unescape(text)))
    joined = ("".join(text for _, text in sorted(lines[y], key=lambda piece: piece[0])) for y in sorted(lines))
    return "\n".join(line.replace("\xa0", " ").rstrip() for line in joined)
