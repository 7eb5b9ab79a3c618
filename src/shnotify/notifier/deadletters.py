"""What a message in the dead-letter queue is: who sent it, why, and what can be sent again. Pure.

Six shapes: EventBridge's (eb-rule-dlq), Lambda's record of a failed invocation
(invocation-async-retain-records), SNS's undelivered mail (sns-dead-letter-queues), the record of a
custom event bus (eb-custom-bus-retry), what SQS moved here from a buffer queue
(sqs-dead-letter-queues), and whatever else somebody sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

from shnotify.arns import name_in, service_of
from shnotify.formatter.finding import findings_in
from shnotify.frozen import frozen
from shnotify.notifier import causes
from shnotify.notifier.causes import Cause
from shnotify.notifier.senders import Senders

Kind = Literal["event", "formatter", "mail", "record", "stranger"]
_LONGEST = 1000
"""Characters kept of a text in a summary, so that ten thousand of them stay small."""


@frozen
class Letter:
    """One message of the queue, understood.

    sender  ARN of the rule, function, topic or subscriber that it comes from; "" when it is not told
    route   the route of the file that the sender belongs to
    ours    whether the notifier sent it, also by a thing that the file no longer names
    sent    when, ISO 8601; None when SQS does not say
    event   the event to send again, or None
    mail    subject and text of an undelivered mail, or None
    """

    id: str
    kind: Kind
    body: str
    attributes: Mapping[str, str]
    sender: str = ""
    route: str | None = None
    ours: bool = False
    error_code: str | None = None
    error_message: str = ""
    cause: Cause = causes.STRANGER
    retries: int | None = None
    sent: str | None = None
    event: Mapping[str, Any] | None = None
    mail: tuple[str | None, str] | None = None

    @property
    def sendable(self) -> bool:
        return self.event is not None or self.mail is not None

    def summary(self) -> Summary:
        """Keeps what a list shows, without the message itself."""
        found = findings_in(self.event) if self.event else []
        first = found[0] if found else None
        title = first.title if first else (self.mail[0] or "") if self.mail else ""
        return Summary(
            id=self.id,
            kind=self.kind,
            route=self.route,
            rule=self.sender if self.kind == "event" else None,
            sender=self.sender or None,
            error_code=self.error_code,
            error_message=self.error_message[:_LONGEST],
            cause=self.cause.cause,
            cure=self.cause.cure,
            retries=self.retries,
            sent=self.sent,
            finding=first.id[:_LONGEST] if first else None,
            title=title[:_LONGEST] or None,
            severity=first.severity[:_LONGEST] if first else None,
        )


@frozen
class Summary:
    """What the contract's JSON says of a message. `sender`: the ARN of the rule, function or topic."""

    id: str
    kind: Kind
    route: str | None
    rule: str | None
    sender: str | None
    error_code: str | None
    error_message: str
    cause: str
    cure: str
    retries: int | None
    sent: str | None
    finding: str | None
    title: str | None
    severity: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_letter(message: Mapping[str, Any], senders: Senders) -> Letter:
    """Understands one message as ReceiveMessage gives it."""
    told = {name: _told(value) for name, value in (message.get("MessageAttributes") or {}).items()}
    body = str(message.get("Body", ""))
    document = _mapping(body)
    base: dict[str, Any] = {
        "id": str(message["MessageId"]),
        "body": body,
        "attributes": told,
        "sent": _moment(message.get("Attributes") or {}),
    }
    if "RULE_ARN" in told:
        return Letter(**base, **_of_rule(told, document, senders))
    if "requestContext" in document and "requestPayload" in document:
        return Letter(**base, **_of_function(document, senders))
    if "failedMessages" in document and "subscriberArn" in document:
        return Letter(**base, **_of_bus(document))
    if document.get("Type") == "Notification" and "TopicArn" in document:
        return Letter(**base, **_of_topic(told, document, senders))
    if "RequestID" in told and "ErrorCode" in told:
        return Letter(**base, **_raw_mail(told, body))
    if source := str((message.get("Attributes") or {}).get("DeadLetterQueueSourceArn", "")):
        return Letter(**base, **_of_buffer(source, document, senders))
    return Letter(**base, kind="stranger", event=_event(document))


def _of_rule(told: Mapping[str, str], document: dict[str, Any], senders: Senders) -> dict[str, Any]:
    rule = told["RULE_ARN"]
    retries = _number(told.get("RETRY_ATTEMPTS"))
    code = told.get("ERROR_CODE", "UNKNOWN")
    cause = causes.of_event(code, told.get("EXHAUSTED_RETRY_CONDITION", ""), retries)
    if code == "INVALID_JSON" and (second := senders.second_rule(rule, document)):
        cause = causes.of_both_rules(second)
    return {
        "kind": "event",
        **_from(rule, senders),
        "error_code": code,
        "error_message": told.get("ERROR_MESSAGE", ""),
        "cause": cause,
        "retries": retries,
        "event": document or None,
    }


def _of_function(document: dict[str, Any], senders: Senders) -> dict[str, Any]:
    """The record that Lambda sends to an OnFailure destination."""
    context, answer = _part(document, "requestContext"), _part(document, "responsePayload")
    function = str(context.get("functionArn", ""))
    unqualified = ":".join(function.split(":")[:7])
    condition = str(context.get("condition", ""))
    aged = condition == "EventAgeExceeded"
    code = condition if aged else str(answer.get("errorType") or condition or "Unhandled")
    tries = _number(context.get("approximateInvokeCount"))
    payload = document["requestPayload"]
    return {
        "kind": "formatter",
        **_from(unqualified, senders),
        "error_code": code,
        "error_message": str(answer.get("errorMessage", "")),
        "cause": causes.of_formatter(code),
        "retries": max(0, tries - 1) if tries is not None else None,
        "event": payload if isinstance(payload, dict) and payload else None,
    }


def _of_buffer(source: str, document: dict[str, Any], senders: Senders) -> dict[str, Any]:
    """What SQS moved here when it was received too often: the event as EventBridge sent it."""
    return {
        "kind": "formatter",
        **_from(source, senders),
        "error_code": "MaxReceiveCount",
        "cause": causes.UNMAILED,
        "event": _event(document),
    }


def _of_bus(document: dict[str, Any]) -> dict[str, Any]:
    """The record of a custom event bus: it names events, and holds none."""
    return {
        "kind": "record",
        "sender": str(document["subscriberArn"]),
        "error_code": str(document.get("errorCode", "UNKNOWN")),
        "error_message": str(document.get("errorMessage", "")),
        "cause": causes.NO_EVENT,
        "retries": _number(document.get("retryAttempts")),
    }


def _of_topic(
    told: Mapping[str, str], document: dict[str, Any], senders: Senders
) -> dict[str, Any]:
    subject = document.get("Subject")
    text = str(document.get("Message", ""))
    return {
        "kind": "mail",
        **_from(str(document["TopicArn"]), senders),
        **_gave_up(told),
        **_content(str(subject) if subject else None, text),
    }


def _raw_mail(told: Mapping[str, str], body: str) -> dict[str, Any]:
    """A mail without its envelope. Nothing in it names its topic."""
    return {"kind": "mail", "ours": True, **_gave_up(told), **_content(None, body)}


def _gave_up(told: Mapping[str, str]) -> dict[str, Any]:
    return {
        "error_code": told.get("ErrorCode", "UNDELIVERED_MAIL"),
        "error_message": told.get("ErrorMessage", ""),
        "cause": causes.UNDELIVERED,
    }


def _content(subject: str | None, text: str) -> dict[str, Any]:
    """What an undelivered mail held: with `format: json` the event itself."""
    return {"event": _event(_mapping(text)), "mail": (subject, text) if text else None}


def _from(arn: str, senders: Senders) -> dict[str, Any]:
    return {"sender": arn, "route": senders.route(arn), "ours": senders.was_ours(arn)}


def _event(document: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the document if it is an event of EventBridge's form (eb-events-structure)."""
    return document if {"detail-type", "source", "detail"} <= document.keys() else None


def sender_word(arn: str) -> str:
    """Names a sender as a person would: `rule x`."""
    service = service_of(arn)
    kinds = {"lambda": "function", "sns": "topic", "events": "rule", "sqs": "queue"}
    if service not in kinds or (service == "events" and ":rule/" not in arn):
        return arn
    return f"{kinds[service]} {name_in(arn)}"


def grouped(entries: Iterable[Summary]) -> list[dict[str, Any]]:
    """Counts messages by cause, the most frequent first."""
    counts: dict[tuple[str | None, str, str], int] = {}
    for one in entries:
        key = (one.error_code, one.cause, one.cure)
        counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [
        {"error_code": code, "count": count, "cause": cause, "cure": cure}
        for (code, cause, cure), count in ordered
    ]


def _told(value: Mapping[str, Any]) -> str:
    """An attribute's value; one of bytes as their hexadecimal form."""
    if "StringValue" in value:
        return str(value["StringValue"])
    raw = value.get("BinaryValue", b"")
    return raw.hex() if isinstance(raw, bytes) else str(raw)


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _number(value: object) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _moment(attributes: Mapping[str, str]) -> str | None:
    """Writes SentTimestamp, milliseconds since 1970 (API_ReceiveMessage), as ISO 8601."""
    text = str(attributes.get("SentTimestamp", ""))
    if not (text.isascii() and text.isdecimal() and len(text) < 15):
        return None
    return (
        datetime.fromtimestamp(int(text) / 1000, UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )
