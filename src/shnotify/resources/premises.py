"""What we use but do not own: existing keys, and Security Hub itself. Only looked at, never changed."""

from __future__ import annotations

from shnotify import policies
from shnotify.aws import Aws
from shnotify.core.values import Policy
from shnotify.failures import AwsError, StopError


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
        # Off is InvalidAccessException or ResourceNotFoundException (API_DescribeHub); anything else proves nothing.
        if error.code in ("InvalidAccessException", "ResourceNotFoundException"):
            return f"Security Hub is not enabled in {aws.region}: no finding will arrive until it is"
        if error.code in ("AccessDeniedException", "AccessDenied"):
            return "whether Security Hub is enabled here could not be checked (securityhub:DescribeHub is not allowed)"
    return None
