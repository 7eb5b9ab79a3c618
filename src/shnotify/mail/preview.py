"""Every mail of an event exactly as it is delivered, rendered offline. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shnotify.findings.guards import clean, odd
from shnotify.findings.matching import matches
from shnotify.findings.vocabulary import HUB
from shnotify.formatter.finding import is_ocsf
from shnotify.formatter.folding import Due, parcels
from shnotify.formatter.mail import mails
from shnotify.formatter.settings import Settings
from shnotify.mail.summary import Part, parts
from shnotify.mail.transformer import UndeliverableError, transform

DEFAULT_SUBJECT = "AWS Notification Message"
"""What SNS writes when nobody gives a subject; EventBridge cannot give one."""


class RenderedMail(NamedTuple):
    subject: str
    body: str


def render(
    event: Mapping[str, Any],
    message_format: str,
    source: str,
    *,
    partition: str = "aws",
    fields: Sequence[str] | None = None,
    settings: Settings | None = None,
) -> list[RenderedMail]:
    """Renders the mails of one event exactly as they are delivered.

    `lambda` can make none (dedup) or several, and `summary` two (`guards`).

    settings: the function's, for `lambda`; of them a summary has the language.
    Raises UndeliverableError when EventBridge would not deliver the event.
    """
    language = (settings or Settings()).language
    made = parts(message_format, source, partition=partition, fields=fields, language=language)
    found: list[RenderedMail] = []
    lost: UndeliverableError | None = None
    for part in takers(made, event):
        try:
            found += mails_of(part, event, message_format, settings or Settings())
        except UndeliverableError as error:
            lost = error
    if lost and not found:
        raise lost
    return found


def takers(made: Sequence[Part], event: Mapping[str, Any]) -> Iterator[Part]:
    """Yields the parts whose rule takes the event, provided that the route's filter lets it through."""
    schema = "hub" if _is_of_hub(event) else "cspm"
    own = [part for part in made if part.source in (schema, "both")] or list(made)
    for part in own:
        narrow = {"clean": clean, "odd": odd}.get(part.kind)
        if narrow is None or matches(narrow({}, part.guards), event):
            yield part


def _is_of_hub(event: Mapping[str, Any]) -> bool:
    detail = event.get("detail")
    findings = detail.get("findings") if isinstance(detail, Mapping) else None
    first = findings[0] if isinstance(findings, list) and findings else None
    if isinstance(first, Mapping):
        return is_ocsf(first)
    return event.get("detail-type") == HUB.detail_type


def mails_of(
    part: Part, event: Mapping[str, Any], message_format: str, settings: Settings
) -> list[RenderedMail]:
    """Renders the mails that one rule makes of an event. Raises UndeliverableError."""
    if message_format == "lambda":
        return [RenderedMail(mail.subject, mail.body) for mail in mails(event, settings)]
    if part.transformer is None:
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    else:
        body = transform(part.transformer, event)
    return [RenderedMail(DEFAULT_SUBJECT, body)]


def undeliverable(part: Part, event: Mapping[str, Any]) -> str:
    """Says why EventBridge would not deliver what one rule makes of an event; "" when it would."""
    try:
        if part.transformer is not None:
            transform(part.transformer, event)
    except UndeliverableError as error:
        return error.message
    return ""


def folded(
    events: Sequence[Mapping[str, Any]], settings: Settings
) -> list[tuple[RenderedMail, tuple[int, ...]]]:
    """Renders the mails of events that come in one batch, with the places of each mail's events."""
    dues = [
        Due(str(place), mail, event)
        for place, event in enumerate(events)
        for mail in mails(event, settings)
    ]
    return [
        (RenderedMail(one.subject, one.body), tuple(int(due.message) for due in one.dues))
        for one in parcels(dues, settings)
    ]
