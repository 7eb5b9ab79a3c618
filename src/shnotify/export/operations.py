"""The StackSets operations between what stands and what a roll-out wants. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shnotify.export.stackset import Action, Instance, Kind, Pair, Seen, Wanted
from shnotify.resources.subscription import Subscription
from shnotify.tags import NAME_TAG


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


def new_mails(wanted: Wanted, seen: Seen) -> int:
    """Counts the mail subscriptions of one stack that an update of the set makes anew.

    A subscription to another topic, or of another address, is another subscription: its owner must
    confirm again (AWS::SNS::Subscription, update requires replacement).
    """
    now = _mails(_parsed(wanted.body), wanted.parameters)
    try:
        before = _mails(_parsed(seen.body or ""), seen.parameters)
    except (KeyError, TypeError, ValueError, AttributeError):
        return len(now)  # somebody else's template says nothing of ours
    return len(now - before)


def _mails(document: Any, parameters: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Returns topic, protocol and address of each mail subscription in a template of ours."""
    resources = document.get("Resources", {}) if isinstance(document, dict) else {}
    return {
        (
            _topic(given["TopicArn"], resources),
            given["Protocol"],
            _given(given["Endpoint"], parameters),
        )
        for given in (
            one["Properties"] for one in resources.values() if one["Type"] == Subscription.CFN
        )
        if given["Protocol"].startswith("email")
    }


def _topic(arn: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    topic, _ = arn["Fn::GetAtt"]
    return json.dumps(resources[topic]["Properties"]["TopicName"])


def _given(value: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    return parameters[value["Ref"]]
