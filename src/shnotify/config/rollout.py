"""The `rollout:` part of the file: the same notifier in many accounts and Regions."""

from __future__ import annotations

from typing import Annotated, Literal

from shnotify.schema import scalars as fields
from shnotify.schema.model import After, Limits, Model, Text, at_most, described

MAX_ACCOUNTS = 10_000
"""More accounts than that are named by organizational units."""
MAX_UNITS = 50
"""What one CreateStackInstances takes (cloudformation-limits)."""

Unit = Annotated[str, Limits(pattern=r"^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$")]
"""An organizational unit, or the root (API_DeploymentTargets)."""


def _mail_address(value: str) -> str:
    if problem := fields.endpoint_problem("email", value):
        raise ValueError(f"{fields.shown(value)} {problem}")
    return value


Address = Annotated[str, After(_mail_address)]


class Rollout(Model):
    """Says where CloudFormation StackSets carry the notifier."""

    organizational_units: Annotated[tuple[Unit, ...], at_most(MAX_UNITS)] = described(
        default=(), description="Service-managed: every account of these."
    )
    accounts: Annotated[tuple[fields.Account, ...], at_most(MAX_ACCOUNTS)] = described(
        default=(), description="Self-managed: these accounts."
    )
    regions: Annotated[
        tuple[fields.RegionName, ...],
        Limits(min_length=1),
        at_most(fields.MAX_VALUES),
    ] = described(description="The Regions of each account.")
    auto_deployment: bool = described(
        default=False, description="New accounts of the units get it by themselves."
    )
    concurrency: Annotated[int, Limits(ge=1, le=10_000)] = described(
        default=10, description="Accounts at once."
    )
    failure_tolerance: Annotated[int, Limits(ge=0, le=10_000)] = described(
        default=5, description="Accounts of a Region that may fail before the rest is not begun."
    )
    call_as: Literal["self", "delegated_admin"] = described(
        default="self", description="delegated_admin: not from the management account."
    )
    addresses: dict[fields.Account, dict[Address, Address]] = described(
        default={},
        description="For an account: an address of the file, and who gets its mail instead.",
    )
    code_bucket: Text | None = described(
        default=None,
        description="Where the formatters' archives lie; {region} stands for the Region.",
    )

    def _check(self) -> None:
        if bool(self.accounts) == bool(self.organizational_units):
            raise ValueError("needs either `accounts` or `organizational_units`")
        if self.auto_deployment and self.accounts:
            raise ValueError("auto_deployment goes with organizational_units")
        if self.call_as == "delegated_admin" and self.accounts:
            raise ValueError("call_as: delegated_admin goes with organizational_units")
