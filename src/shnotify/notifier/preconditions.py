"""What we use but do not own: existing keys, EventBridge's rules for patterns, Security Hub itself.

Only looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws

_OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""What Security Hub answers where it is off (API_DescribeHub); anything else proves nothing."""

NO_SUCH_OPERATION = frozenset(
    {"404", "501", "NotImplemented", "UnknownOperationException", "InvalidAction"}
)
"""What an emulator answers to an operation that it does not have.

AWS itself has these everywhere.
"""


class NoSuchServiceError(AwsError):
    """Whoever answers here has no Security Hub, so it is not AWS."""


_ENVELOPE = {
    "id": "00000000-0000-0000-0000-000000000000",
    "account": "123456789012",
    "source": "aws.securityhub",
    "time": "1970-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail-type": "",
}
"""What TestEventPattern wants in an event (API_TestEventPattern)."""

Source = Literal["cspm", "hub", "both"]


def pattern_matches(aws: Aws, pattern: str, event: Mapping[str, Any]) -> bool:
    """Asks EventBridge whether a pattern matches an event (API_TestEventPattern)."""
    text = json.dumps({**_ENVELOPE, **event}, ensure_ascii=False)
    return bool(aws(aws.events.test_event_pattern, EventPattern=pattern, Event=text).get("Result"))


def refused_patterns(aws: Aws, patterns: Mapping[str, str]) -> dict[str, str]:
    """Maps each route to the reason why EventBridge would not take the route's pattern.

    One that cannot be asked about is left to PutRule.
    """
    asked = {
        route: aws.start(pattern_matches, aws, pattern, {}) for route, pattern in patterns.items()
    }
    found: dict[str, str] = {}
    for route, future in asked.items():
        try:
            aws.in_time(future)
        except StopError:
            raise
        except AwsError as error:
            if error.code == "InvalidEventPatternException":
                found[route] = error.message
    return found


SERVICES = {"cspm": "Security Hub CSPM", "hub": "Security Hub"}


def is_enabled(aws: Aws, service: str) -> bool:
    """Tells whether `cspm` or `hub` is on here (API_DescribeHub, API_DescribeSecurityHubV2).

    Raises `AwsError` when the answer is neither yes nor no.
    """
    client = aws.securityhub
    describe: Callable[..., object] = (
        client.describe_hub if service == "cspm" else client.describe_security_hub_v2
    )
    try:
        aws(describe)
    except StopError:
        raise
    except AwsError as error:
        if error.code in _OFF:
            return False
        if error.code in NO_SUCH_OPERATION:
            raise NoSuchServiceError(
                error.message, operation=error.operation, code=error.code
            ) from error
        raise
    return True


def chosen_source(aws: Aws) -> tuple[Source, str]:
    """Returns what `source: auto` stands for here, and why in words.

    A service that cannot be asked about counts as enabled: an alert too many is better than one too
    few.
    """
    asked = {name: aws.start(is_enabled, aws, name) for name in SERVICES}
    on: dict[str, bool | None] = {}
    for name, future in asked.items():
        try:
            on[name] = aws.in_time(future)
        except StopError:
            raise
        except AwsError:
            on[name] = None
    answers = {True: "is enabled", False: "is not enabled", None: "could not be asked about"}
    words = "; ".join(f"{SERVICES[name]} {answers[found]}" for name, found in on.items())
    possible: list[Source] = [source for source in ("cspm", "hub") if on[source] is not False]
    if len(possible) == 2:
        return "both", words
    return (possible[0] if possible else "cspm"), words
