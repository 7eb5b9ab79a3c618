"""The IAM actions that a command's caller needs, put together from what each kind declares.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from shnotify.engine.permissions import Verb
from shnotify.notifier.inquiry import DOCTOR_READS
from shnotify.resources.kinds import KINDS, READS

_VERBS: dict[str, tuple[Verb, ...]] = {
    "status": (),
    "apply": ("create", "update", "delete"),  # `delete`: what the file no longer names
    "destroy": ("delete", "release"),
}


def actions_of(command: str) -> frozenset[str]:
    """Returns the actions of `status`, `doctor`, `apply` or `destroy`, as IAM names them, with the
    reads.
    """
    if command == "doctor":
        return DOCTOR_READS
    verbs = _VERBS[command]
    return READS.union(*(kind.PERMISSIONS.actions(verb) for kind in KINDS for verb in verbs))


def in_words(actions: Iterable[str]) -> str:
    """Writes actions for a reader, by service.

    `sts:GetCallerIdentity`".
    """
    parts = []
    for service, group in groupby(sorted(actions), key=lambda action: action.partition(":")[0]):
        names = [action.partition(":")[2] for action in group]
        listed = ", ".join(f"`{name}`" for name in names)
        parts.append(f"`{service}:` {listed}" if len(names) > 1 else f"`{service}:{names[0]}`")
    return "; ".join(parts)
