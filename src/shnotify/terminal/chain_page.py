"""The diagnosis as one self-contained page: no script, no style and no picture from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from shnotify.engine.health import Link, Verdict
from shnotify.escaping import escaped_line
from shnotify.notifier.doctor import Diagnosis, Told
from shnotify.notifier.words import plain
from shnotify.terminal.chain_view import MARKS, Hop, hops, summary
from shnotify.terminal.language import language, tr

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
li{list-style:none;margin:.2rem 0}ol{padding:0}
b{display:inline-block;min-width:5.5rem;text-align:center;border-radius:.3rem;margin-right:.6rem;color:#fff}
.ok b{background:#1a7f37}.warning b{background:#8a5a00}.unknown b{background:#555}.broken b{background:#b00020}
section{border-left:.3rem solid #ccc;padding:.1rem 1rem;margin:1rem 0}section.broken{border-color:#b00020}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.5rem;font-size:.85rem}
code{background:#f4f4f4;padding:.1rem .3rem}
"""


def page(title: str, found: Diagnosis) -> str:
    """Makes the page. Text from AWS is escaped for HTML and for readers."""
    lines = [
        "<!doctype html>",
        f'<html lang="{language()}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{_told(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_told(title)}</h1>",
        f"<p>{_told(summary(found.told))}</p>",
        f'<h2>{tr("From Security Hub to the inboxes")}</h2><ol class="chain">',
        *(_hop(hop) for hop in hops(found)),
        "</ol>",
    ]
    for heading, verdict in (
        ("Broken", "broken"),
        ("Cannot be told", "unknown"),
        ("Warnings", "warning"),
        ("As it should be", "ok"),
    ):
        some = [one for one in found.told if one.link.verdict == verdict]
        if some:
            lines.append(f"<h2>{tr(heading)}</h2>")
            lines += [line for one in some for line in _link(one)]
    return "\n".join([*lines, "</body></html>", ""])


def _text(value: object) -> str:
    return escape(escaped_line(str(value)))


def _told(sentence: str) -> str:
    """Writes a sentence of ours, in the reader's language."""
    return _text(tr(sentence))


def _mark(verdict: Verdict) -> str:
    return f"<b>{tr(MARKS[verdict][0])}</b>"


def _hop(hop: Hop) -> str:
    return (
        f'<li class="{hop.verdict}" style="margin-left:{1.5 * hop.depth}rem">'
        f"{_mark(hop.verdict)}{_told(hop.text)}</li>"
    )


def _link(one: Told) -> Iterator[str]:
    link: Link = one.link
    routes = f" ({', '.join(one.routes)})" if one.routes else ""
    yield f'<section class="{link.verdict}"><p>{_mark(link.verdict)}{_text(link.id + routes)}</p>'
    if link.why:
        yield f"<p>{_told(link.why)}</p>"
    if link.needs:
        yield f"<p>{tr('Needs')} <code>{_text(', '.join(link.needs))}</code></p>"
    if link.mend:
        yield f"<p>{tr('To mend it')}: <code>{_text(link.mend)}</code></p>"
    if link.evidence:
        shown = json.dumps(plain(link.evidence), indent=1, ensure_ascii=False, default=str)
        rows = (_text(row) for row in shown.splitlines())
        yield f"<pre>{'<br>'.join(rows)}</pre>"
    yield "</section>"
