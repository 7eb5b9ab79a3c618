"""How dead letters look to a person. Everything in them comes from elsewhere, and is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shnotify.escaping import escaped, escaped_line
from shnotify.notifier.deadletters import Letter, Summary, grouped, sender_word

SHOWN = 20
"""Messages of one cause that a person is shown; JSON has all."""


def group_lines(entries: Sequence[Summary]) -> Iterator[str]:
    """Lists messages by cause, with what helps."""
    for group in grouped(entries):
        mine = [
            one
            for one in entries
            if (one.error_code, one.cause, one.cure)
            == (group["error_code"], group["cause"], group["cure"])
        ]
        yield escaped_line(
            f"{group['count']} x {group['error_code'] or 'no code'}: {group['cause']}"
        )
        yield escaped_line(f"    cure: {group['cure']}")
        yield from (line for one in mine[:SHOWN] for line in entry_lines(one))
        if len(mine) > SHOWN:
            yield f"    and {len(mine) - SHOWN} more: -o json lists all"
        yield ""


def entry_lines(one: Summary) -> Iterator[str]:
    """Writes a message in one or two lines."""
    where = (
        f"route {one.route}" if one.route else sender_word(one.sender or "") or "nobody is named"
    )
    yield escaped_line(f"    {one.id}  {one.sent or ''}  {where}")
    what = "  ".join(part for part in (one.severity, one.title or one.finding) if part)
    if what:
        yield escaped_line(f"        {_clip(what)}")
    if one.error_message:
        yield escaped_line(f"        {_clip(one.error_message)}")


def letter_lines(letter: Letter) -> Iterator[str]:
    """Writes a whole message: why it is here, its attributes, its body."""
    one = letter.summary()
    rows: list[tuple[str, Any]] = [
        ("id", one.id),
        ("sent", one.sent),
        ("from", sender_word(one.sender) if one.sender else None),
        ("route", one.route),
        ("finding", one.finding),
        ("title", one.title),
        ("severity", one.severity),
        ("error", one.error_code),
        ("says", letter.error_message),
        ("retries", one.retries),
        ("cause", one.cause),
        ("cure", one.cure),
    ]
    yield from (escaped_line(f"{name:9}{value}") for name, value in rows if value not in (None, ""))
    yield from (escaped_line(f"  {name} = {value}") for name, value in letter.attributes.items())
    yield ""
    yield from escaped(pretty(letter.body)).splitlines()


def pretty(body: str) -> str:
    """Indents a body that is JSON; returns any other as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def kept_lines(kept: Mapping[str, str]) -> Iterator[str]:
    """Says why messages stay, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for one, why in kept.items():
        by_reason.setdefault(why, []).append(one)
    for why, ids in by_reason.items():
        yield escaped_line(f"  {len(ids)} kept: {why}")
        yield from (escaped_line(f"      {one}") for one in ids[:SHOWN])
        if len(ids) > SHOWN:
            yield f"      and {len(ids) - SHOWN} more: -o json lists all"


def unread_line(unread: int) -> str:
    """Says that there are more than could be read."""
    return (
        f"{unread} more could not be read: another reader has them, or had them and died. They come back by "
        "themselves; run this again in a few minutes"
    )


def _clip(text: str, width: int = 160) -> str:
    return text if len(text) <= width else f"{text[:width]}…"
