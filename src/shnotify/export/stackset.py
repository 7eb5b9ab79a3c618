"""What a roll-out wants of a stack set, what stands, and the operations between the two. Pure.

CloudFormation StackSets carry the notifier; nothing here fans out by itself.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
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


def plan(wanted: Wanted, seen: Seen) -> tuple[Action, ...]:
    """Lists the operations that make the stack set as wanted, in their order."""
    actions: list[Action] = []
    have = seen.pairs(wanted.by_units)
    if seen.body is None:
        actions.append(Action("create_set"))
    elif _differs(wanted, seen):
        actions.append(Action("update_set", own=may_have_own(wanted, seen)))
    elif not seen.running:
        actions += _behind(wanted, seen)
    plain = {} if wanted.by_units else wanted.overrides
    actions += _grouped("create", wanted.pairs - have, plain)
    actions += _grouped("delete", have - wanted.pairs, {})
    return (*actions, *_changed_overrides(wanted, seen))


def _behind(wanted: Wanted, seen: Seen) -> list[Action]:
    """Lists repeats for stacks that failed or were left out (stacksets-troubleshooting, Retrying)."""
    pairs = [
        (one.account, one.region)
        for one in seen.instances
        if one.behind and _pair(one, wanted) in wanted.pairs
    ]
    own = may_have_own(wanted, seen)
    return _of_units(wanted, [replace(a, own=own) for a in _grouped("retry", pairs, {})])


def _pair(one: Instance, wanted: Wanted) -> Pair:
    return (one.unit if wanted.by_units else one.account, one.region)


def _of_units(wanted: Wanted, actions: list[Action]) -> list[Action]:
    """Writes actions on accounts as StackSets want them: of the units only these accounts."""
    if not wanted.by_units:
        return actions
    units = wanted.rollout.organizational_units
    return [replace(a, targets=units, accounts=a.targets) for a in actions]


def _differs(wanted: Wanted, seen: Seen) -> bool:
    same = (
        _parsed(wanted.body) == _parsed(seen.body or ""),
        wanted.parameters == seen.parameters,
        all(seen.tags.get(name) in _shown(value) for name, value in wanted.tags.items()),
        wanted.rollout.auto_deployment == seen.auto_deployment,
    )
    return not all(same)


def _shown(text: str) -> tuple[str, str]:
    """Returns how AWS may show a text: as it is, or with question marks (see `as_json`)."""
    return text, text.encode("ascii", "replace").decode()


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _changed_overrides(wanted: Wanted, seen: Seen) -> list[Action]:
    """Lists updates of stacks that stand with other parameters than the file's table gives.

    A stack that the table no longer names goes back to the template's own (UpdateStackInstances).
    """
    changed = {
        (one.account, one.region): wanted.overrides.get((one.account, one.region), {})
        for one in seen.instances
        if one.overrides is not None and _pair(one, wanted) in wanted.pairs
        if one.overrides != wanted.overrides.get((one.account, one.region), {})
    }
    # One that fails may leave its stack as it was, with parameters of its own.
    found = [replace(action, own=True) for action in _grouped("update", changed, changed)]
    return _of_units(wanted, found)


def _grouped(
    kind: Kind, pairs: Iterable[Pair], overrides: Mapping[Pair, Mapping[str, str]]
) -> list[Action]:
    """Puts accounts with the same Regions and the same parameters into one operation."""
    regions: dict[tuple[str, str], set[str]] = {}
    for target, region in pairs:
        own = json.dumps(dict(overrides.get((target, region), {})), sort_keys=True)
        regions.setdefault((target, own), set()).add(region)
    groups: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (target, own), found in regions.items():
        groups.setdefault((tuple(sorted(found)), own), []).append(target)
    return [
        Action(kind, tuple(sorted(targets)), where, json.loads(own))
        for (where, own), targets in sorted(groups.items())
    ]


def removal(wanted: Wanted, seen: Seen) -> tuple[Action, ...]:
    """Lists the operations that take the whole roll-out back."""
    if seen.body is None:
        return ()
    # What the stacks that stand would keep is decided by the template that they have.
    update = Action("update_set", own=may_have_own(wanted, seen))
    first = (update,) if _parsed(seen.body) != _parsed(wanted.body) else ()
    deletes = _grouped("delete", seen.pairs(wanted.by_units), {})
    return (*first, *deletes, Action("delete_set"))


def may_have_own(wanted: Wanted, seen: Seen) -> bool:
    """Tells whether any stack has, or gets, or may have parameters of its own."""
    unread = (one.unsure and one.overrides is None for one in seen.instances)
    return bool(wanted.overrides) or any(unread) or any(one.overrides for one in seen.instances)


def refusal(wanted: Wanted, seen: Seen) -> tuple[str, str] | None:
    """Says why the stack set is not touched, and what to do; None when it may be."""
    if seen.body is None:
        return None
    if seen.tags.get(NAME_TAG) != wanted.tags[NAME_TAG]:
        why = f"the stack set {wanted.name} does not carry our tag, so it is not touched"
        return why, "choose another `name:` in the file"
    if seen.by_units != wanted.by_units:  # cannot be changed (API_UpdateStackSet, PermissionModel)
        kinds = ("self-managed (accounts)", "service-managed (organizational_units)")
        have, want = kinds[seen.by_units], kinds[wanted.by_units]
        return (
            f"the stack set {wanted.name} is {have}, the file's would be {want}, and no stack set changes that",
            "run `shnotify rollout destroy` with the file as it was, or choose another `name:`",
        )
    return None
