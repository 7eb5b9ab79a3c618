"""Why a message came into the dead-letter queue, and what helps, in words. Pure.

EventBridge's codes and their meaning: eb-rule-dlq. Lambda's: invocation-async-retain-records and
runtimes-api. SNS's: sns-dead-letter-queues.
"""

from __future__ import annotations

from typing import NamedTuple

AGAIN = "shnotify dlq redrive"


class Cause(NamedTuple):
    """What happened, and the cure."""

    cause: str
    cure: str


_MEND = f"shnotify doctor names what is wrong, shnotify apply mends what is ours; then {AGAIN}"
_PASSES = f"it passes by itself: {AGAIN}"
_NOT_OURS = "no rule of shnotify fails like this: look at the rule that is named; shnotify status shows drift"
_KEY = "EventBridge could not use a KMS key"

EVENTBRIDGE: dict[str, Cause] = {
    "NO_PERMISSIONS": Cause(
        "the target or its key does not let EventBridge in: topic policy, key policy or the function's policy",
        _MEND,
    ),
    "NO_RESOURCE": Cause("the target of the rule does not exist", f"shnotify apply; then {AGAIN}"),
    "INVALID_JSON": Cause(
        "a quote, a backslash, a line break or another control character in the finding broke the rule's input "
        "transformer",
        f"only fields that cannot hold such text, or message.format: lambda; then {AGAIN}, which sends safe text",
    ),
    "INVALID_PARAMETER": Cause(
        "the target refused what EventBridge sent: too long, or not in its form",
        f"look at it with shnotify dlq show; message.format: lambda shortens a mail; then {AGAIN}",
    ),
    "ERROR_FROM_TARGET": Cause(
        "the target answered with an error: a disabled or deleted key is told like this too", _MEND
    ),
    "SDK_CLIENT_ERROR": Cause(
        "the call to the target was refused: a disabled key, or a wrong Region or parameter", _MEND
    ),
    "ACTION_DECRYPTION_FAILURE": Cause(f"{_KEY} to read the target's settings", _MEND),
    "EVENT_DECRYPTION_FAILURE": Cause(f"{_KEY} to read the event", _MEND),
    "EVENT_ENCRYPTION_FAILURE": Cause(f"{_KEY} to encrypt the event", _MEND),
    "RULE_DECRYPTION_FAILURE": Cause(f"{_KEY} to read the rule", _MEND),
    "FAILED_TO_ASSUME_ROLE": Cause("EventBridge could not take the target's role", _MEND),
    "TRANSIENT_ASSUME_ROLE": Cause(
        "EventBridge could not take the target's role for a while", _PASSES
    ),
    "THROTTLING": Cause("the target throttled EventBridge for as long as it tried", _PASSES),
    "TIMEOUT": Cause("the target did not answer in time", _PASSES),
    "CONNECTION_FAILURE": Cause("the target could not be reached", _PASSES),
    "INTERNAL_ERROR": Cause("an error inside EventBridge", _PASSES),
    "RESOURCE_LIMIT_EXCEEDED": Cause(
        "a quota of the target was used up", f"wait, or ask AWS to raise the quota; then {AGAIN}"
    ),
    "RESOURCE_ALREADY_EXISTS": Cause("the target says that what was asked for exists", _NOT_OURS),
    "RESOURCE_MODIFICATION_COLLISION": Cause(
        "the target was being changed at that moment", _PASSES
    ),
    "EVENTS_IN_BATCH_REQUEST_REJECTED": Cause(
        "an event bus refused an event of a batch", _NOT_OURS
    ),
    "CROSS_ACCOUNT_INGESTION_FAILED": Cause(
        "another account's event bus did not take the event", _NOT_OURS
    ),
    "CROSS_REGION_INGESTION_FAILED": Cause(
        "another Region's event bus did not take the event", _NOT_OURS
    ),
    "THIRD_ACCOUNT_HOP_DETECTED": Cause("the event went through too many accounts", _NOT_OURS),
    "THIRD_REGION_HOP_DETECTED": Cause("the event went through too many Regions", _NOT_OURS),
    "ACCESS_DENIED": Cause("the subscriber's role may not call the target", _NOT_OURS),
    "UNKNOWN": Cause("EventBridge does not say why", f"shnotify doctor; then {AGAIN}"),
}

_FORMATTER: dict[str, Cause] = {
    "DeliveryError": Cause("the formatter could not send or mark a mail", _MEND),
    "SettingsError": Cause("the formatter's settings are wrong", f"shnotify apply; then {AGAIN}"),
    "Sandbox.Timedout": Cause("the formatter ran longer than its 60 seconds", _PASSES),
    "Runtime.ImportModuleError": Cause(
        "the formatter's code is not ours", f"shnotify apply; then {AGAIN}"
    ),
    "EventAgeExceeded": Cause(
        "the event waited too long for the formatter: it was throttled or off", _MEND
    ),
}

UNMAILED = Cause(
    "the formatter took it from the buffer queue again and again, and could not mail or mark it",
    _MEND,
)
UNDELIVERED = Cause(
    "SNS gave up on a subscriber: a mailbox that is gone or full, or an endpoint that does not answer",
    f"correct the subscriber in the file, shnotify apply; then {AGAIN}, which mails all subscribers",
)
NO_EVENT = Cause(
    "a custom event bus could not deliver to a subscriber; its record holds no event",
    "mend the subscriber and replay the event from its bus; nothing here can be sent again",
)
STRANGER = Cause(
    "nobody that shnotify knows sent it: no rule, function or topic is named",
    "ask who sends to this queue; shnotify leaves it alone",
)


def of_event(code: str, condition: str, retries: int | None) -> Cause:
    """Says why EventBridge gave an event up."""
    known = EVENTBRIDGE.get(code) or Cause(
        "EventBridge names a cause that shnotify does not know", EVENTBRIDGE["UNKNOWN"].cure
    )
    if not condition:
        return known
    tried = f" after {retries} retries" if retries is not None else ""
    return Cause(f"{known.cause}; EventBridge gave up{tried} ({condition})", known.cure)


def of_both_rules(second: str) -> Cause:
    """Says why the first rule gave up an event that the second one takes as well (eb-event-patterns-arrays).

    second  its name. Whether it stood there already when the event came, nobody can tell.
    """
    return Cause(
        f"known: of several resources one broke the mail; rule {second} takes such a finding too, and mails it without "
        "title and resource",
        f"none, if that mail came; else {AGAIN}, which sends safe text",
    )


def of_formatter(code: str) -> Cause:
    """Says why Lambda gave an event up."""
    return _FORMATTER.get(code) or Cause("the formatter failed", _MEND)
