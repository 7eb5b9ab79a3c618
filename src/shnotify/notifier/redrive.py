"""Where a dead letter goes when it is sent again, and what is sent. Pure.

SQS's own move task cannot do it: its sources are dead-letter queues of SQS queues only
(API_StartMessageMoveTask), and a message would go back unchanged to whoever refused it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from shnotify.arns import Scope
from shnotify.config.models import Route
from shnotify.formatter.finding import findings_in
from shnotify.formatter.mail import mails
from shnotify.formatter.settings import Settings
from shnotify.frozen import frozen
from shnotify.mail.preview import DEFAULT_SUBJECT, mails_of, takers
from shnotify.mail.summary import parts
from shnotify.mail.transformer import UndeliverableError
from shnotify.notifier.deadletters import Letter, sender_word

PER_SECOND = 4
"""Mails a second. Above 10 for one subscription SNS suspends it (sns-email-notifications)."""


@frozen
class Order:
    """What a person asked for.

    ids    the messages that are meant; empty for all
    route  the route to send to, whoever sent the message; None for the message's own
    """

    ids: frozenset[str] = frozenset()
    route: str | None = None

    def means(self, letter_id: str) -> bool:
        return not self.ids or letter_id in self.ids


def destination(letter: Letter, routes: Mapping[str, Route], order: Order) -> Route | str:
    """Returns the route to send a message to, or why the message stays.

    A message of somebody else is sent only if a person names both it and the route.
    """
    if not letter.sendable:
        return _nothing_to_send(letter)
    if order.route and (letter.ours or letter.id in order.ids):
        return routes[order.route]
    if letter.route:
        return routes[letter.route]
    if letter.ours:
        what = (
            sender_word(letter.sender) if letter.sender else "its topic, which SNS does not name,"
        )
        return f"{what} is of no route in the file: say where with --to-route"
    if letter.sender:
        return (
            f"{sender_word(letter.sender)} is not ours: --id with --to-route sends it all the same"
        )
    return "nobody says who sent it: --id with --to-route sends it all the same"


def _nothing_to_send(letter: Letter) -> str:
    if letter.kind == "record":
        return "the record of a custom event bus holds no event: replay it from the bus"
    if letter.kind == "stranger":
        return "it is not ours, and holds no event"
    return "it holds no event that could be read"


class Post(NamedTuple):
    """One publication. Without a subject SNS writes its own, as for EventBridge."""

    subject: str | None
    body: str


def by_formatter(letter: Letter, route: Route) -> bool:
    """Tells whether the route's function makes the mail; it needs the event."""
    return route.message.format == "lambda" and letter.event is not None


def post_of(letter: Letter, route: Route, scope: Scope) -> Post:
    """Makes the mail that the route's first rule would send now, or a text like the formatter's when it could not.

    What the second rule takes goes out in full as well: only a template cannot hold it, a publication
    can. A mail whose event is not known goes out as it was.
    """
    if letter.event is None:
        assert letter.mail  # noqa: S101 `destination` looked
        return Post(*letter.mail)
    form = "json" if route.pattern else route.message.format
    made = parts(
        form,
        route.source,
        partition=scope.partition,
        fields=route.message.fields,
        language=route.message.language,
    )
    due = list(takers(made, letter.event))
    if not due or any(part.kind == "odd" for part in due):
        return safe_post(letter.event, scope.topic(route.topic.name))
    try:
        mail = mails_of(due[0], letter.event, form, Settings())[0]
    except UndeliverableError:
        return safe_post(letter.event, scope.topic(route.topic.name))
    return Post(None if mail.subject == DEFAULT_SUBJECT else mail.subject, mail.body)


def safe_post(event: Mapping[str, object], topic_arn: str) -> Post:
    """Makes the mail that the formatter would make: no quoting, so nothing in it can break it."""
    made = mails(event, Settings(topic_arn=topic_arn))[0]
    return Post(made.subject, made.body)


def expected_mails(letter: Letter, route: Route) -> int:
    """Counts the mails that sending makes for each subscriber: the formatter makes one a finding."""
    if not by_formatter(letter, route):
        return 1
    return max(1, len(findings_in(letter.event or {})))


def answered(payload: bytes) -> tuple[int | None, str]:
    """Reads the formatter's answer: the mails it sent, or None and what it said instead."""
    try:
        found = json.loads(payload)
    except ValueError:
        found = None
    sent = found.get("sent") if isinstance(found, dict) else None
    if isinstance(sent, int) and not isinstance(sent, bool):
        return sent, ""
    said = found.get("errorMessage") if isinstance(found, dict) else None
    return None, str(said or payload[:300].decode("utf-8", "replace"))
