"""Until when a subscription can be confirmed.

SNS does not say since when one waits; CloudTrail keeps each `Subscribe` call for 90 days
(API_LookupEvents, sns-logging-using-cloudtrail).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Any

from shnotify.aws.failures import AwsError, DeniedError, StopError
from shnotify.aws.gateway import Aws
from shnotify.frozen import frozen
from shnotify.notifier.words import needs_of
from shnotify.subscribers import subscriber_identity

HOURS = 48
"""How long a confirmation mail counts (sns-email-notifications)."""


@frozen
class Asked:
    """When people were asked to confirm.

    at     topic ARN and address -> when the last confirmation mail was asked for
    needs  the permissions that were missing to look
    """

    at: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    @property
    def unread(self) -> str:
        """Says why nobody knows; "" when it was looked."""
        if not self.needs:
            return ""
        return f"until when it can be confirmed cannot be told: needs {', '.join(self.needs)}"


def asked_of(aws: Aws, topics: Iterable[str]) -> Asked:
    """Reads when people were asked to confirm; empty when CloudTrail does not tell."""
    wanted, begin = set(topics), datetime.now(UTC) - timedelta(hours=HOURS)
    try:
        reply = aws.once(  # an answer that does not come is no reason to wait
            aws.cloudtrail.lookup_events,
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Subscribe"}],
            StartTime=begin,
        )
    except StopError:
        raise
    except DeniedError as error:
        return Asked(needs=needs_of(error))
    except AwsError:
        return Asked()
    return asked_in(reply.get("Events") or (), wanted)


def asked_in(events: Iterable[Mapping[str, Any]], topics: set[str]) -> Asked:
    """Picks the last request of each address out of CloudTrail's events. Pure."""
    found: dict[tuple[str, str], datetime] = {}
    for event in events:
        try:
            given = json.loads(event["CloudTrailEvent"])["requestParameters"]
            topic, protocol, endpoint = given["topicArn"], given["protocol"], given["endpoint"]
            at = event["EventTime"]
        except (LookupError, TypeError, ValueError):
            continue
        key = (str(topic), subscriber_identity(str(protocol), str(endpoint))[1])
        if topic in topics and (key not in found or found[key] < at):
            found[key] = at
    return Asked(found)


def left(asked: Asked, topic: str, protocol: str, endpoint: str, now: datetime) -> str:
    """Says how long the address can still confirm; "" when nobody knows."""
    at = asked.at.get((topic, subscriber_identity(protocol, endpoint)[1]))
    if at is None:
        return ""
    hours = HOURS - (now - at).total_seconds() / 3600
    return f"{hours:.0f} hours left" if hours >= 1 else "less than an hour left"
