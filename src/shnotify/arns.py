"""ARNs that can be computed before a thing exists. The partition is always derived, never written down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """Where a notifier lives, as STS and the SDK tell it."""

    partition: str
    region: str
    account: str

    def topic(self, name: str) -> str:
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{name}"

    def queue(self, name: str) -> str:
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{name}"

    def rule(self, name: str) -> str:
        """A rule on the default bus (another bus's name would stand before the rule's)."""
        return f"arn:{self.partition}:events:{self.region}:{self.account}:rule/{name}"

    def root(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:root"


def service_of(arn: str) -> str:
    """`arn:PARTITION:SERVICE:...` -> SERVICE; "" when the text is no ARN."""
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 and parts[0] == "arn" else ""


def name_in(arn: str) -> str:
    """The name at the end of an ARN: `...:rule/x` and `...:x` -> `x`."""
    return arn.split(":", 5)[5].rpartition("/")[2]
