"""What a roll-out wants of a stack set, and what stands. Pure.

CloudFormation StackSets carry the notifier; nothing here fans out by itself.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from shnotify.config.models import Config
from shnotify.config.rollout import Rollout
from shnotify.errors import UsageError
from shnotify.export.cloudformation import INLINE_BYTES, as_json, template
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.resources.functionparts import CODE_BUCKET
from shnotify.resources.subscription import Subscription
from shnotify.subscribers import subscriber_identity
from shnotify.tags import MANAGED_TAG, NAME_TAG

Kind = Literal[
    "create_set", "update_set", "retry", "create", "update", "delete", "detect_drift", "delete_set"
]
Pair = tuple[str, str]
"""An account (or organizational unit) and a Region."""
NAMESPACE = uuid.UUID("6f0c3a52-5a6d-4d5e-9c56-0f4d8f0a7b11")
"""Makes operation ids that are the same whenever the same thing follows the same operation."""
OURS, OWN = "shnotify-", "-addresses"
"""Begins the id of every operation of ours; ends it where a stack may have parameters of its own."""
RUNNING = ("RUNNING", "QUEUED", "STOPPING")
POLL_SECONDS = (1, 2, 5, 10)
"""Pauses between looks at an operation; the last one from then on."""
FEW, SELDOM, PAGE = 200, 6, 100
FAILED = ("INOPERABLE", "FAILED", "FAILED_IMPORT", "CANCELLED", "SKIPPED_SUSPENDED_ACCOUNT")
"""How a stack of an operation ends that is not as wanted (API_StackInstanceComprehensiveStatus)."""


def pause_after(look: int) -> int:
    """Returns the seconds between a look at an operation and the next one. The first look is 1."""
    return POLL_SECONDS[min(look, len(POLL_SECONDS)) - 1]


def reads_results(look: int, stacks: int) -> bool:
    """Tells whether a look reads each stack's result: of thousands as seldom as they have pages."""
    return stacks <= FEW or look % max(SELDOM, math.ceil(stacks / PAGE)) == 0


@frozen
class Instance:
    """One stack of the stack set, as ListStackInstances shows it.

    status     the detailed one, where StackSets tells it
    current    whether the stack is as the stack set says
    checked    when StackSets looked for drift, as ISO 8601; "" for never
    unsure     whether its last operation leaves open that it has parameters of its own
    overrides  its own parameters; None: not read
    """

    account: str
    region: str
    status: str
    reason: str = ""
    drift: str = "NOT_CHECKED"
    checked: str = ""
    unit: str = ""
    overrides: Mapping[str, str] | None = None
    current: bool = True
    unsure: bool = False

    @property
    def failed(self) -> bool:
        return self.status in FAILED

    @property
    def behind(self) -> bool:
        """Tells whether another operation brings the stack up to date.

        An INOPERABLE one is left out of every update (API_StackInstanceSummary).
        """
        return not self.current and self.status not in ("INOPERABLE", "SKIPPED_SUSPENDED_ACCOUNT")


@frozen
class Wanted:
    """What the file asks of StackSets.

    pairs      the accounts or units, each with a Region
    overrides  the parameters that differ from the template's for an account and Region
    keeps      whether keys and queues outlive their stacks
    """

    name: str
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    rollout: Rollout
    pairs: frozenset[Pair]
    overrides: Mapping[Pair, Mapping[str, str]]
    keeps: bool = True

    @property
    def by_units(self) -> bool:
        return bool(self.rollout.organizational_units)


@frozen
class Seen:
    """What stands. `body` is None when there is no stack set; `last` is the newest operation's id."""

    body: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    last: str = ""
    running: str = ""
    auto_deployment: bool = False
    by_units: bool = False

    @property
    def not_checked(self) -> int:
        """Counts the stacks that StackSets has never compared with what it made."""
        return sum(one.drift == "NOT_CHECKED" for one in self.instances)

    def pairs(self, by_units: bool) -> frozenset[Pair]:
        return frozenset((i.unit if by_units else i.account, i.region) for i in self.instances)


@frozen
class Action:
    """One StackSets operation.

    targets    accounts, or organizational units
    accounts   of the units only these accounts; () for all
    own        whether a stack that it leaves may have parameters of its own
    """

    kind: Kind
    targets: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    own: bool = False

    @property
    def stacks(self) -> int:
        return len(self.accounts or self.targets) * len(self.regions)

    def to_json(self) -> dict[str, Any]:
        return {
            "action": self.kind,
            "targets": list(self.targets),
            "regions": list(self.regions),
            "overrides": dict(self.overrides),
            "accounts": list(self.accounts),
        }

    def operation_id(self, wanted: Wanted, after: str) -> str:
        """Returns an id that a repeated request has too, so that a lost reply starts nothing twice.

        after  the id of the operation before it
        """
        digest = hashlib.sha256(wanted.body.encode()).hexdigest()
        parts = (wanted.name, after, json.dumps(self.to_json(), sort_keys=True), digest)
        own = self.own or bool(self.overrides)
        return f"{OURS}{uuid.uuid5(NAMESPACE, chr(10).join(parts))}{OWN if own else ''}"


def unsure_after(operation: str) -> bool:
    """Tells whether a stack's last operation leaves open that the stack has parameters of its own.

    An operation of ours says it in its id; what somebody else did is not known. LastOperationId is
    the last operation that changed the stack (stacksets-troubleshooting).
    """
    return not operation.startswith(OURS) or operation.endswith(OWN)


def wanted_of(config: Config, *, keeps: bool = True) -> Wanted:
    """Returns what the file wants. Raises UsageError when it names no roll-out, or one that cannot be.

    keeps  whether keys and queues outlive their stacks
    """
    rollout = config.rollout
    if rollout is None:
        raise UsageError(
            "the file has no `rollout:`",
            hint="write `rollout: {accounts: [...], regions: [...]}` into it",
        )
    document = template(config, keeps=keeps, bucket=rollout.code_bucket or "")
    body = as_json(document, small=True)
    if (size := len(body)) > INLINE_BYTES:
        raise UsageError(
            f"the template has {size:,} bytes, and `rollout` hands CloudFormation {INLINE_BYTES:,} at most",
            hint="about six routes fit (three of `source: both`, fifteen of `format: json`): "
            "divide them between two files, or give `shnotify export cloudformation` to a stack set of "
            "your own, from a bucket",
        )
    targets = rollout.accounts or rollout.organizational_units
    pairs = frozenset((target, region) for target in targets for region in rollout.regions)
    if CODE_BUCKET.id in document["Parameters"]:
        raise UsageError(
            "the formatter's code must lie in a bucket of each Region",
            hint="write `code_bucket:` into `rollout:`; `export cloudformation --code-dir` writes the archives",
        )
    return Wanted(
        name=names.stack_set_name(config),
        body=body,
        # All of them: a stack set shows its parameters with the defaults that it took
        # (hashicorp/terraform-provider-aws, docs of aws_cloudformation_stack_set).
        parameters={name: one["Default"] for name, one in document["Parameters"].items()},
        tags={**config.tags, NAME_TAG: config.name, MANAGED_TAG: "shnotify"},
        rollout=rollout,
        pairs=pairs,
        overrides=_overrides(config, rollout),
        keeps=keeps,
    )


def _overrides(config: Config, rollout: Rollout) -> dict[Pair, dict[str, str]]:
    """Returns the parameters of each account and Region that are not the template's own."""
    tables = {account: _addresses(config, table) for account, table in rollout.addresses.items()}
    return {
        (account, region): own
        for account, own in tables.items()
        for region in rollout.regions
        if own
    }


def _addresses(config: Config, table: Mapping[str, str]) -> dict[str, str]:
    """Returns the address parameters that an account's table changes."""
    instead = {subscriber_identity("email", mine): theirs for mine, theirs in table.items()}
    return {
        f"{Subscription.id_for(f'{route.id}Topic', one.protocol, one.endpoint)}Endpoint": instead[
            one.identity
        ]
        for route in config.routes
        for one in route.subscribers
        if one.identity in instead
    }
