"""What we use but do not own: existing keys, EventBridge's rules for patterns, Security Hub itself. Only looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.values import Policy
from shnotify.resources import policies

_OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""What Security Hub answers where it is off (API_DescribeHub); anything else proves nothing."""

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


def existing_key_problems(aws: Aws, arn: str, *, for_topic: bool) -> list[str]:
    """Why EventBridge could not use this key; empty when it can."""
    try:
        policy = aws.start(aws, aws.kms.get_key_policy, KeyId=arn, PolicyName="default")
        described = aws.start(aws, aws.kms.describe_key, KeyId=arn)
        state = aws.in_time(described)["KeyMetadata"]["KeyState"]
        found = [] if state == "Enabled" else [f"KMS says it is {state}"]
        return found + policies.key_problems(Policy.parse(aws.in_time(policy)["Policy"]), for_topic=for_topic)
    except StopError:
        raise
    except AwsError as error:
        return [f"it could not be checked: {error.message}"]


def pattern_matches(aws: Aws, pattern: str, event: Mapping[str, Any]) -> bool:
    """EventBridge's own verdict on an event (API_TestEventPattern)."""
    text = json.dumps({**_ENVELOPE, **event}, ensure_ascii=False)
    return bool(aws(aws.events.test_event_pattern, EventPattern=pattern, Event=text).get("Result"))


def refused_patterns(aws: Aws, patterns: Mapping[str, str]) -> dict[str, str]:
    """Route -> why EventBridge would not take its pattern. One that cannot be asked about is left to PutRule."""
    asked = {route: aws.start(pattern_matches, aws, pattern, {}) for route, pattern in patterns.items()}
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


def chosen_source(aws: Aws) -> tuple[Source, str]:
    """What `source: auto` stands for here, and why in words (API_DescribeHub, API_DescribeSecurityHubV2).

    A service that cannot be asked about counts as enabled: an alert too many is better than one too few.
    """
    newer = aws.start(_enabled, aws, aws.securityhub.describe_security_hub_v2)
    on = {"cspm": _enabled(aws, aws.securityhub.describe_hub), "hub": newer.result()}
    names = {"cspm": "Security Hub CSPM", "hub": "Security Hub"}
    answers = {True: "is enabled", False: "is not enabled", None: "could not be asked about"}
    words = "; ".join(f"{names[source]} {answers[found]}" for source, found in on.items())
    possible: list[Source] = [source for source in ("cspm", "hub") if on[source] is not False]
    return ("both" if len(possible) == 2 else possible[0] if possible else "cspm"), words


def _enabled(aws: Aws, describe: Callable[..., object]) -> bool | None:
    try:
        aws(describe)
    except StopError:
        raise
    except AwsError as error:
        return False if error.code in _OFF else None
    return True


def hub_note(aws: Aws, sources: set[str]) -> str | None:
    """Words for a person when Security Hub is off here: without it there is nothing to be told about."""
    try:
        if sources - {"hub"}:
            aws(aws.securityhub.describe_hub)
        if "hub" in sources:
            aws(aws.securityhub.describe_security_hub_v2)
    except StopError:
        raise
    except AwsError as error:
        if error.code in _OFF:
            return f"Security Hub is not enabled in {aws.region}: no finding will arrive until it is"
        if error.code in ("AccessDeniedException", "AccessDenied"):
            return "whether Security Hub is enabled here could not be checked (securityhub:DescribeHub is not allowed)"
    return None
