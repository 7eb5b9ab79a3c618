"""Events -> mails: which to send, and their subject and body.

Pure: the same code in the function and in `render`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from . import HEARTBEAT, links, text, times
from .alive import Count, sign_of_life
from .finding import Finding, at, findings_in
from .settings import Settings, fill
from .words import WORDS, Words

MAILED, RESOLVED = "mailed", "resolved"
"""The states of our mark on a finding."""
_SHOWN_RESOURCES = 20
_NAME_UNITS = 24
_TITLE_UNITS = 30
"""What a subject gives the account's name at most, and its title at least, in UTF-16 units."""
_FIRST_SIGHT = timedelta(hours=1)


@dataclass(frozen=True)
class Mail:
    """One mail to send. `mark`: what to write on `finding` once it is sent; None for nothing."""

    subject: str
    body: str
    finding: Finding | None = None
    mark: str | None = None


def mails(event: Any, settings: Settings, count: Count | None = None) -> list[Mail]:
    """All mails of one event. `count` says what a sign of life tells; without it that is plain.

    Whatever the event holds, something comes of it: at worst the event itself.
    """
    if not isinstance(event, Mapping):
        return [_raw({"event": event}, settings, WORDS[settings.language].no_finding)]
    try:
        if event.get("source") == HEARTBEAT:
            return [_alive(event, settings, count)]
        found = findings_in(event)
        if not found:
            return [_raw(event, settings, WORDS[settings.language].no_finding)]
        return [mail for finding in found for mail in _of(finding, event, settings)]
    except Exception as error:  # an alert is never lost to a shape that nobody foresaw
        return [
            _raw(event, settings, f"{WORDS[settings.language].failed} ({type(error).__name__})")
        ]


def _of(finding: Finding, event: Mapping[str, Any], settings: Settings) -> Iterator[Mail]:
    """The mail of one finding, if it is due."""
    wanted_by_hand = at(event, "detail-type") == "Security Hub Findings - Custom Action"
    mark = mark_on(finding, settings.marker)
    if settings.resolved and finding.is_resolved and mark == MAILED:
        yield Mail(*_note(finding, event, settings), finding, RESOLVED)
    elif wanted_by_hand or _is_due(finding, settings, mark):
        due = settings.dedup == "notified" and finding.status == "NEW"
        yield Mail(*_mail(finding, event, settings), finding, MAILED if due else None)


def _is_due(finding: Finding, settings: Settings, mark: str) -> bool:
    if settings.dedup == "new-only":
        return _is_new(finding)
    if settings.dedup == "notified":
        # Our own update of the status is an event as well (finding-update-batchupdatefindings): it
        # comes back here as
        # NOTIFIED. Once Security Hub resets the status to NEW, the finding is news again
        # (API_Workflow).
        return finding.status != "NOTIFIED" and not (finding.is_resolved and mark == RESOLVED)
    return True


def _is_new(finding: Finding) -> bool:
    """Whether this is a finding's first event.

    OCSF says so; ASFF only by its times, and products take a while to send.

    A control that fails again after it passed is no first event: whoever wants that mailed too
    takes `notified`.
    """
    if finding.schema == "hub":
        return at(finding.raw, "activity_name") in ("Create", None)
    created, updated = times.parse(finding.created), times.parse(finding.updated)
    return created is None or updated is None or updated - created < _FIRST_SIGHT


def mark_on(finding: Finding, marker: str) -> str:
    """Our mark on a finding: MAILED, RESOLVED or "".

    ASFF: a user-defined field; OCSF: the comment.
    """
    if finding.schema == "cspm":
        value = at(finding.raw, "UserDefinedFields", marker)
        return value if value in (MAILED, RESOLVED) else ""
    comment = at(finding.raw, "comment")
    known = {comment_for(marker, state): state for state in (MAILED, RESOLVED)}
    return known.get(comment, "") if isinstance(comment, str) else ""


def comment_for(marker: str, state: str) -> str:
    return f"{marker}: {state}"


def _alive(event: Mapping[str, Any], settings: Settings, count: Count | None) -> Mail:
    """A sign of life; it is no finding, so nothing is marked."""
    name = text.one_line(str(at(event, "detail", "notifier")))
    moment = times.parse(str(event.get("time", ""))) or datetime.now(UTC)
    return Mail(*sign_of_life(name, moment.astimezone(UTC), settings, count))


def _raw(event: Mapping[str, Any], settings: Settings, why: str) -> Mail:
    words = WORDS[settings.language]
    title = text.clean(str(event.get("detail-type", ""))) or why
    document = json.dumps(event, ensure_ascii=False, indent=2, default=str)
    return Mail(text.subject(title), text.body(f"{why}\n\n{document}", words.cut))


def _mail(finding: Finding, event: Mapping[str, Any], settings: Settings) -> tuple[str, str]:
    words = WORDS[settings.language]
    values = field_values(finding, event, settings)
    values["mark"] = verdict(finding, values, words)
    subject = (
        _subject(values, words) if settings.subject is None else fill(settings.subject, values)
    )
    body = _body(finding, values, words) if settings.body is None else fill(settings.body, values)
    return text.subject(subject), text.body(body, words.cut)


def field_values(finding: Finding, event: Mapping[str, Any], settings: Settings) -> dict[str, str]:
    """What the named fields of a template stand for, cleaned.

    All but the long texts on one line.
    """
    first = finding.resources[0] if finding.resources else None
    values = {name: getattr(finding, name) for name in _PLAIN}
    values |= {name: times.shown(values[name], settings.time_zone) for name in _TIMES}
    values |= {
        "types": ", ".join(finding.types),
        "resource_type": first.type if first else "",
        "resource_id": first.id if first else "",
        "console_url": links.console_url(
            finding.schema,
            settings.partition,
            text.one_line(str(event.get("region") or finding.region)),
            finding.id,
        ),
        "sso_start_url": settings.sso_start_url or "",
        "finding_id": finding.id,
        "event_id": str(event.get("id", "")),
        "action": str(at(event, "detail", "actionName") or ""),
    }
    values = {name: text.one_line(value) for name, value in values.items()}
    values["remediation_url"] = links.remediation_url(values["remediation_url"], settings.language)
    values |= {name: links.encoded(values[name]) for name in ("remediation_url", "source_url")}
    long = {
        "description": finding.description,
        "remediation": finding.remediation,
        "resources": _resources(finding),
        "packages": "\n".join(text.one_line(line) for line in finding.packages),
    }
    return values | {name: text.clean(value).strip() for name, value in long.items()}


_TIMES = ("created", "updated", "first_seen")
_PLAIN = (
    *(
        "severity",
        "title",
        "account",
        "account_name",
        "region",
        "product",
        "control",
        "compliance",
        "status",
        "state",
    ),
    *("remediation_url", "source_url", *_TIMES),
)


def _resources(finding: Finding) -> str:
    lines = (f"{resource.type} {resource.id or resource.name}" for resource in finding.resources)
    return "\n".join(text.one_line(line) for line in lines)


def _subject(values: Mapping[str, str], words: Words) -> str:
    """`[HIGH] S3.1 Title (prod 111122223333 ap-northeast-1)`.

    The title gives way, so that where it is stays readable; the account's name goes before the
    title would be a stump.
    """
    mark = f"[{values['mark']}]" if values["mark"] else ""
    start = " ".join(filter(None, [mark, _control(values)]))
    name = text.shorten(values["account_name"], _NAME_UNITS)
    title = values["title"] or words.untitled
    for where in (
        [name, values["account"], values["region"]],
        [values["account"], values["region"]],
    ):
        end = f"({' '.join(filter(None, where))})"
        room = text.MAX_SUBJECT - text.units(start) - text.units(end) - 2
        if room >= min(_TITLE_UNITS, text.units(title)):
            break
    return " ".join(filter(None, [start, text.shorten(title, max(room, 20)), end]))


def verdict(finding: Finding, values: Mapping[str, str], words: Words) -> str:
    """What stands first in the subject: a check that passed, or an ended finding, is no alarm of
    its severity.
    """
    ended = words.resolved if finding.is_resolved else ""
    passed = words.passed if finding.compliance == "PASSED" else ""
    sample = words.sample if finding.is_sample else ""
    return " ".join(filter(None, [sample, ended or passed or values["severity"]]))


def _control(values: Mapping[str, str]) -> str:
    """The control's id, unless the title starts with it (findings per standard are named so)."""
    return "" if values["title"].startswith(f"{values['control']} ") else values["control"]


def _body(finding: Finding, values: Mapping[str, str], words: Words) -> str:
    head = " ".join(
        filter(None, [values["mark"], _control(values), values["title"] or words.untitled])
    )
    action = f"{words.action}: {values['action']}" if values["action"] else ""
    how = "\n".join(
        filter(None, [values["remediation"], values["remediation_url"], _packages(values, words)])
    )
    sections = [
        _section("", "\n".join(filter(None, [head, action]))),
        _section(words.what, values["description"]),
        _section(words.where, _where(finding, values, words)),
        _section(words.how, how),
        _section(words.links, _links(values, words)),
        _section(words.when, _rows(*((getattr(words, name), values[name]) for name in _TIMES))),
        _section("", _rows((words.finding, values["finding_id"]))),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _packages(values: Mapping[str, str], words: Words) -> str:
    lines = values["packages"].splitlines()
    hidden = len(lines) - _SHOWN_RESOURCES
    more = [words.more.format(hidden)] if hidden > 0 else []
    return "\n".join([*lines[:_SHOWN_RESOURCES], *more])


def _links(values: Mapping[str, str], words: Words) -> str:
    return _rows(
        (words.console, values["console_url"]),
        (words.source, values["source_url"]),
        (words.sign_in, values["sso_start_url"]),
    )


def _where(finding: Finding, values: Mapping[str, str], words: Words) -> str:
    name = f" ({values['account_name']})" if values["account_name"] else ""
    resources = values["resources"].splitlines()
    rows = [
        (words.account, values["account"] + name),
        (words.region, values["region"]),
        (words.product, values["product"]),
        (words.control, values["control"]),
        (words.compliance, values["compliance"]),
        (words.status, f"{values['status']} / {values['state']}"),
        (words.types, values["types"]),
        *((words.resource, resource) for resource in resources[:_SHOWN_RESOURCES]),
    ]
    hidden = len(finding.resources) - _SHOWN_RESOURCES
    return _rows(*rows) + (f"\n{words.more.format(hidden)}" if hidden > 0 else "")


def _rows(*rows: tuple[str, str]) -> str:
    return "\n".join(f"{label}: {value}" for label, value in rows if value)


def _section(title: str, content: str) -> str:
    """A titled block, indented; nothing when there is nothing to say."""
    if not content or not title:
        return content
    return "\n".join([title, *(f"  {line}" for line in content.splitlines())])


def _note(finding: Finding, event: Mapping[str, Any], settings: Settings) -> tuple[str, str]:
    """The short note about a finding that was mailed and is resolved now."""
    words = WORDS[settings.language]
    values = field_values(finding, event, settings) | {"mark": words.resolved}
    rows = _rows(
        (words.account, values["account"]),
        (words.region, values["region"]),
        (words.resource, values["resource_id"]),
        (words.updated, values["updated"]),
        (words.console, values["console_url"]),
    )
    title = values["title"] or words.untitled
    body = f"{words.resolved_body}\n\n{title}\n\n{rows}\n"
    return text.subject(_subject(values, words)), text.body(body, words.cut)
