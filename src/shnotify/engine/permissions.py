"""Which AWS operations a kind of resource needs, verb by verb. Pure."""

from __future__ import annotations

from typing import Literal

from shnotify.frozen import frozen

Verb = Literal["read", "create", "update", "release", "delete"]
VERBS: tuple[Verb, ...] = ("read", "create", "update", "release", "delete")


def calls(service: str, *names: str) -> frozenset[str]:
    """Names operations as IAM does: `calls("kms", "DescribeKey")` is `{"kms:DescribeKey"}`."""
    return frozenset(f"{service}:{name}" for name in names)


@frozen(kw_only=True)
class Permissions:
    """Lists what a kind may call, verb by verb, and what AWS checks besides.

    read     operations of `identify`, `read` and `points_at`; none of them changes anything
    create   operations of `create`, without those of `read`; likewise `update`, `release` and
             `delete`
    besides  actions that AWS checks though no operation of that name is called, such as
             `kms:TagResource` for a
             CreateKey with tags, and permissions on things that an operation uses, such as
             `iam:PassRole`
    """

    read: frozenset[str]
    create: frozenset[str] = frozenset()
    update: frozenset[str] = frozenset()
    release: frozenset[str] = frozenset()
    delete: frozenset[str] = frozenset()
    besides: frozenset[tuple[Verb, str]] = frozenset()

    def called(self, verb: Verb) -> frozenset[str]:
        """Returns the operations that the verb may send."""
        found: frozenset[str] = getattr(self, verb)
        return found

    def actions(self, verb: Verb) -> frozenset[str]:
        """Returns the IAM actions that the verb needs."""
        return self.called(verb) | {action for of, action in self.besides if of == verb}
