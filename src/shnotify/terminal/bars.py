"""Bars of numbers in a terminal. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shnotify.escaping import escaped_line
from shnotify.terminal.styled import Text

WIDTH = 40
MAX_ROWS = 10
_LABEL = 48


def bars(counts: Mapping[str, int], *, block: str, rows: int = MAX_ROWS) -> Iterator[Text]:
    """Yields a line for each count, the bar as long as its share of the largest.

    What is beyond `rows` is summed up in one line.
    """
    shown = list(counts.items())[:rows]
    most = max((count for _, count in shown), default=0)
    labels = [escaped_line(name)[:_LABEL] for name, _ in shown]
    wide = max((len(label) for label in labels), default=0)
    for label, (_, count) in zip(labels, shown, strict=True):
        bar = block * max(1 if count else 0, round(WIDTH * count / most) if most else 0)
        yield Text.assemble(f"    {label:{wide}}  {count:>7,}", (f"  {bar}" if bar else "", "cyan"))
    rest = list(counts.items())[rows:]
    if rest:
        yield Text(f"    and {len(rest)} more: {sum(count for _, count in rest):,}")
