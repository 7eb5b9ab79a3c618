"""The `message:` of a route: how its mails read. A part of the file, owned by the mails."""

from __future__ import annotations

from typing import Annotated, Literal

from shnotify.schema import scalars as fields
from shnotify.schema.model import Limits, Model, Text, at_most, described
from shnotify.schema.scalars import HttpsUrl, TimeZone

Template = Annotated[str, Limits(min_length=1, max_length=4096)]


Names = Annotated[tuple[Text, ...], Limits(min_length=1), at_most(fields.MAX_VALUES)]


Subject = Annotated[str, fields.line(500, "a subject")]


class Fold(Model):
    """Many findings at once become few mails: a buffer queue collects them for the function."""

    window: Annotated[int, fields.duration(1, 300)] = described(
        default=60, description="How long findings are collected, 1s to 5m."
    )
    after: Annotated[int, Limits(ge=0, le=20)] = described(
        default=5, description="How many of a batch are mails of their own, 0 to 20."
    )


class Message(Model):
    """Says how a notice reads. All fields but `format` and `fields` are the formatter function's."""

    format: Literal["summary", "json", "lambda"] = described(
        default="summary", description="summary, json or lambda."
    )
    language: Literal["en", "ja"] = described(default="en", description="en or ja; not with json.")
    time_zone: TimeZone = described(default="UTC", description="Such as Asia/Tokyo.")
    sso_start_url: HttpsUrl | None = described(default=None, description="Where people sign in.")
    subject: Subject | None = described(default=None, description="A template with {named} fields.")
    body: Template | None = described(default=None, description="A template with {named} fields.")
    dedup: Literal["none", "new-only", "notified"] = described(
        default="notified", description="What is mailed again."
    )
    resolved: bool = described(
        default=False, description="A note when a mailed finding is resolved."
    )
    fold: Fold | None = described(default=None, description="Whether many findings share a mail.")
    fields: Names | None = described(default=None, description="The lines of a summary, in order.")
