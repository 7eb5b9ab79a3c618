"""Every mail of an event exactly as it is delivered, rendered offline. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shnotify.formatter.mail import mails
from shnotify.formatter.settings import Settings
from shnotify.mail.summary import input_transformer
from shnotify.mail.transformer import transform

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

    Only `lambda` can make none (dedup) or several.

    settings: the function's, for `lambda`. Raises UndeliverableError when EventBridge would not
    deliver the event.
    """
    if message_format == "lambda":
        return [
            RenderedMail(mail.subject, mail.body) for mail in mails(event, settings or Settings())
        ]
    transformer = input_transformer(message_format, source, partition=partition, fields=fields)
    if transformer is None:
        return [
            RenderedMail(
                DEFAULT_SUBJECT, json.dumps(event, ensure_ascii=False, separators=(",", ":"))
            )
        ]
    return [RenderedMail(DEFAULT_SUBJECT, transform(transformer, event))]
