"""ARNs that can be computed before a thing exists.

The partition is always derived, never written down.
"""

from __future__ import annotations

from typing import NamedTuple, Self


class Scope(NamedTuple):
    """Where a notifier lives, as STS and the SDK tell it."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> Self:
        """The scope that a regional ARN names."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(partition, region, account)

    def topic(self, name: str) -> str:
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{name}"

    def queue(self, name: str) -> str:
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{name}"

    def rule(self, name: str) -> str:
        """A rule on the default bus (another bus's name would stand before the rule's)."""
        return f"arn:{self.partition}:events:{self.region}:{self.account}:rule/{name}"

    def function(self, name: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"

    def log_group(self, name: str) -> str:
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{name}"

    def alarm(self, name: str) -> str:
        return f"arn:{self.partition}:cloudwatch:{self.region}:{self.account}:alarm:{name}"

    def schedule_group(self, name: str) -> str:
        return f"arn:{self.partition}:scheduler:{self.region}:{self.account}:schedule-group/{name}"

    def role(self, name: str) -> str:
        """A role under the path `/`; IAM knows no Region."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def hubs(self) -> tuple[str, ...]:
        """Security Hub CSPM's and the new Security Hub's own ARNs (service authorization
        reference).
        """
        base = f"arn:{self.partition}:securityhub:{self.region}:{self.account}"
        return f"{base}:hub/default", f"{base}:hubv2/*"

    def root(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:root"


_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""How the names of a partition's Regions begin (the SDK's partitions.json).

All others are in `aws`.
"""


def partition_of(region: str) -> str:
    """The partition a Region lies in, offline.

    With credentials STS tells it (AWS's endpoint partitions).
    """
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def service_of(arn: str) -> str:
    """`arn:PARTITION:SERVICE:...` -> SERVICE; "" when the text is no ARN."""
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 and parts[0] == "arn" else ""


def name_in(arn: str) -> str:
    """The name at the end of an ARN: `...:rule/x`, `...:function:x` and `...:x` -> `x`."""
    return arn.split(":", 5)[5].rpartition("/")[2].rpartition(":")[2]


def shortened(text: str, limit: int = 64) -> str:
    """The text, or if it is longer than `limit` characters its beginning and a digest of all of it."""
    if len(text) <= limit:
        return text
    import hashlib  # loads OpenSSL, for names that are seldom so long

    return f"{text[: limit - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
