"""Many findings -> few mails: which are mails of their own, and what the mail of the others says.

Pure: the same code in the function and in `render`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import text
from .finding import Finding
from .mail import Mail, field_values, verdict
from .settings import Settings
from .words import WORDS, Words

_SEVERITIES = ("FATAL", "CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
_TITLE_UNITS = 300
_RESOURCE_UNITS = 1024
_LINK_UNITS = 8192
"""The most of a row in UTF-16 units, so that a mail always has room for one."""
_HEAD_BYTES = 2048
"""Room for a mail's first lines."""


@dataclass(frozen=True)
class Due:
    """One mail that is due, and where it comes from.

    message  the id of the queue's message that brought it
    event    the event in that message
    """

    message: str
    mail: Mail
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Parcel:
    """One mail to send, for one finding or for many."""

    subject: str
    body: str
    dues: tuple[Due, ...]


def parcels(dues: Sequence[Due], settings: Settings) -> list[Parcel]:
    """Divides what is due into mails: the gravest are mails of their own, the others share.

    Without `fold_after` each is a mail of its own, and so is what holds no finding.
    """
    ordered = sorted(dues, key=_gravity)
    with_finding = [due for due in ordered if due.mail.finding]
    count = len(with_finding) if settings.fold_after is None else settings.fold_after
    own = [due for due in ordered if not due.mail.finding] + with_finding[:count]
    return [*map(alone, own), *fold(with_finding[count:], settings)]


def alone(due: Due) -> Parcel:
    """Makes the mail of one finding."""
    return Parcel(due.mail.subject, due.mail.body, (due,))


def fold(dues: Sequence[Due], settings: Settings) -> list[Parcel]:
    """Makes as few mails as name all of these findings: a row each, below what they share."""
    rows = sorted((_row(due, settings) for due in dues), key=lambda row: (row.gravity, row.head))
    return [_parcel(some, WORDS[settings.language]) for some in _portions(rows)]


@dataclass(frozen=True)
class _Row:
    due: Due
    gravity: int
    mark: str
    head: str
    lines: str

    @property
    def size(self) -> int:
        """Bytes, as if no other row shared its head."""
        return len(self.head.encode()) + len(self.lines.encode()) + 16


def _row(due: Due, settings: Settings) -> _Row:
    finding = due.mail.finding
    assert finding  # noqa: S101 only findings are folded
    values = field_values(finding, due.event, settings)
    words = WORDS[settings.language]
    mark = verdict(finding, values, words)
    title = text.shorten(values["title"] or words.untitled, _TITLE_UNITS)
    start = [
        f"[{mark}]" if mark else "",
        "" if title.startswith(values["control"]) else values["control"],
    ]
    where = [
        values["account"],
        values["account_name"],
        values["region"],
        _resource(values, finding),
    ]
    lines = [
        "- " + text.shorten(" ".join(filter(None, where)), _RESOURCE_UNITS),
        "  " + text.shorten(values["console_url"], _LINK_UNITS),
    ]
    return _Row(due, _gravity(due), mark, " ".join(filter(None, [*start, title])), "\n".join(lines))


def _resource(values: Mapping[str, str], finding: Finding) -> str:
    more = f" (+{len(finding.resources) - 1})" if len(finding.resources) > 1 else ""
    first = finding.resources[0] if finding.resources else None
    named = values["resource_id"] or (text.one_line(first.name) if first else "")
    return named + more


def _portions(rows: Iterable[_Row]) -> list[list[_Row]]:
    """Divides rows so that each portion has room in a mail."""
    found: list[list[_Row]] = []
    room = 0
    for row in rows:
        if row.size > room:
            found.append([])
            room = text.MAX_BODY - _HEAD_BYTES
        found[-1].append(row)
        room -= row.size
    return found


def _parcel(rows: Sequence[_Row], words: Words) -> Parcel:
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row.head, []).append(row.lines)
    marks = Counter(row.mark or "?" for row in rows)
    counts = ", ".join(f"{count} {mark}" for mark, count in marks.items())
    mark = f"[{rows[0].mark}] " if rows[0].mark else ""
    subject = f"{mark}{words.folded.format(len(rows))}: {counts}"
    blocks = (f"{head} ({len(lines)})\n" + "\n".join(lines) for head, lines in groups.items())
    body = "\n\n".join([f"{words.folded_body.format(len(rows))}\n{counts}", *blocks]) + "\n"
    dues = tuple(row.due for row in rows)
    return Parcel(text.subject(subject), text.body(body, words.cut), dues)


def _gravity(due: Due) -> int:
    """Ranks what is due, the gravest first; what is over is no alarm of its severity."""
    finding = due.mail.finding
    if finding is None:
        return 0
    if finding.is_resolved or finding.compliance == "PASSED":
        return len(_SEVERITIES) + 1
    known = finding.severity in _SEVERITIES
    return _SEVERITIES.index(finding.severity) if known else len(_SEVERITIES)
