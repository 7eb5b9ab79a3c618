"""The IAM actions that a command's caller needs, put together from what each kind declares.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from shnotify.aws.operations import action_of
from shnotify.engine.resource import Resource
from shnotify.notifier.needs import COMMANDS
from shnotify.resources.kinds import KINDS, READS

AROUND = READS.difference(*(kind.PERMISSIONS.read for kind in KINDS)) | {"tag:GetResources"}
"""The reads that belong to no kind: who the caller is, whether Security Hub is on."""


def actions_of(command: str, kinds: Iterable[type[Resource]] = KINDS) -> frozenset[str]:
    """Returns the actions of a command of `needs.COMMANDS`, as IAM names them, with the reads.

    kinds  the kinds of things that the notifier has
    """
    needs = COMMANDS[command]
    found = {"sts:GetCallerIdentity"} | needs.own | needs.besides
    if needs.observes:
        kinds = list(kinds)
        found |= AROUND.union(*(kind.PERMISSIONS.read for kind in kinds))
        found |= frozenset().union(
            *(kind.PERMISSIONS.actions(verb) for kind in kinds for verb in needs.verbs)
        )
    return frozenset(action_of(operation) for operation in found)


def in_words(actions: Iterable[str]) -> str:
    """Writes actions for a reader, by service, such as "`sts:GetCallerIdentity`"."""
    parts = []
    for service, group in groupby(sorted(actions), key=lambda action: action.partition(":")[0]):
        names = [action.partition(":")[2] for action in group]
        listed = ", ".join(f"`{name}`" for name in names)
        parts.append(f"`{service}:` {listed}" if len(names) > 1 else f"`{service}:{names[0]}`")
    return "; ".join(parts)
