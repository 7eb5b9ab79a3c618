"""Why findings were mailed or not, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shnotify.escaping import escaped_line
from shnotify.formatter.finding import read
from shnotify.notifier.tracing import Trace
from shnotify.terminal.chain_view import MARKS, link_lines
from shnotify.terminal.styled import Text

_MAILED = {"yes": "green", "no": "bold red", "unknown": "yellow"}
_TITLE = 60


def trace_lines(trace: Trace) -> Iterator[Text | str]:
    """Tells what became of one finding, route by route, link by link."""
    yield f"Finding {escaped_line(trace.finding)}"
    if trace.raw:
        seen = read(trace.raw, {})
        yield f"  {escaped_line(seen.title)}"
        told = (seen.severity, seen.product, seen.status, seen.state, f"changed {seen.updated}")
        yield f"  {escaped_line(', '.join(filter(None, told)))}"
    for link in trace.lost:
        yield ""
        yield from link_lines(link)
    for way in trace.ways:
        yield ""
        yield f"Route {way.route}"
        for link in way.links:
            if link.verdict == "ok":
                mark, style = MARKS["ok"]
                yield Text.assemble("  ", (mark.ljust(7), style), f"  {link.id}")
            else:
                yield from link_lines(link)
        stop = way.stopped_by if way.mailed == "no" else None
        end = f"Stopped at {stop.id}." if stop else _sentence(way.words)
        yield Text.assemble("  ", (f"Mailed: {way.mailed}. ", _MAILED[way.mailed]), end)
        if way.message and stop and stop.id != "queue-depth":  # that link says so itself
            yield "  It lies in the dead-letter queue, from which this sends it again:"
            yield f"      shnotify dlq redrive --id {escaped_line(way.message)}"


def _sentence(words: str) -> str:
    return escaped_line(f"{words[:1].upper()}{words[1:]}.")


def trace_table(traces: Sequence[Trace]) -> Iterator[Text | str]:
    """Makes one line a finding: mailed or not, what stopped it, when it changed, severity, title."""
    rows = [_row(trace) for trace in traces]
    heads = ("mailed", "stopped by", "changed", "severity", "title")
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(4)]
    yield _columns(heads, widths)
    for trace, row in zip(traces, rows, strict=True):
        yield Text(
            _columns(row, widths), _MAILED[trace.mailed] if trace.mailed != "unknown" else ""
        )


def _columns(row: Iterable[str], widths: Sequence[int]) -> str:
    cells = list(row)
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, *cells[len(widths) :]]).rstrip()


def _row(trace: Trace) -> tuple[str, ...]:
    seen = read(trace.raw or {}, {})
    stops = dict.fromkeys(way.stopped_by.id for way in trace.ways if way.stopped_by)
    stopped = "" if trace.mailed == "yes" else ", ".join(stops)
    title = escaped_line(seen.title or seen.id)
    short = title if len(title) <= _TITLE else f"{title[: _TITLE - 3]}..."
    return (
        trace.mailed,
        stopped,
        escaped_line(seen.updated[:19]),
        escaped_line(seen.severity),
        short,
    )
