"""What a valid file says that few files say, and what follows from it. Pure.

No warning: it may well be meant. `validate` shows it, so that nobody learns it from an outage.
"""

from __future__ import annotations

from collections.abc import Iterator

from shnotify.config.models import Config, Encryption, ExistingKey, Route

_SHORT_RETRY = 3600
"""Seconds; EventBridge gives up a target after 24 hours by itself (API_RetryPolicy)."""


def unusual(config: Config) -> list[str]:
    """Lists what is unusual about the file, each with what follows from it."""
    return [*_shared(config), *(text for route in config.routes for text in _of(route))]


def _shared(config: Config) -> Iterator[str]:
    if not config.encryption:
        yield "encryption: false: topic and queue have no key of yours (Security Hub's control SNS.1)"
    else:
        yield from _keys(config.encryption)
    if not config.dead_letter_queue:
        yield "dead_letter_queue: false: what EventBridge cannot deliver is lost"
    elif config.dead_letter_queue.retention < 86400:
        yield "dead_letter_queue.retention: what could not be delivered is lost within a day"


def _keys(encryption: Encryption) -> Iterator[str]:
    for name in ("topic_key", "dlq_key"):
        key = getattr(encryption, name)
        if isinstance(key, ExistingKey):
            yield f"encryption.{name}: an existing key: its policy is checked, and never changed"
        elif not key.rotation:
            yield f"encryption.{name}.rotation: false: Security Hub's control KMS.4 reports the key"


def _of(route: Route) -> Iterator[str]:
    here = f"route {route.name}"
    if not route.rule.enabled:
        yield f"{here}: its rule is disabled, so it sends nothing"
    if route.pattern:
        yield f"{here}: a raw event pattern: `findings` is not used"
    elif route.findings.severity is None and route.findings.products is None:
        yield f"{here}: severity any: INFORMATIONAL findings are mailed too"
    if not route.pattern and route.findings.workflow_status is None:
        yield f"{here}: workflow_status any: suppressed and resolved findings are mailed too"
    if not route.pattern and route.findings.record_state is None:
        yield f"{here}: record_state any: archived findings are mailed too"
    if route.unlisted_subscribers == "remove":
        yield f"{here}: unlisted_subscribers remove: who is not in the file is unsubscribed"
    if route.retry.max_age < _SHORT_RETRY or not route.retry.max_attempts:
        yield f"{here}: retry: EventBridge gives up early, within {route.retry.max_age} s"
    if len(route.subscribers) > 100:
        yield f"{here}: {len(route.subscribers)} subscribers: a mailing list is one"
