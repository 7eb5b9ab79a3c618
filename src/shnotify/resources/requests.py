"""A call as a policy sees it: who calls what on which resource, and what is known of its condition
keys. Pure.

This room knows nothing of policies. `calls` builds the requests that a notifier depends on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from shnotify.frozen import frozen

Truth = bool | None
"""Yes, no, or (None) cannot tell."""

Values = tuple[str, ...] | None
"""What a key holds in one possible call: its values, `()` when the call lacks the key, None for
values nobody knows.
"""

States = tuple[Values, ...]
"""All that may be the case for a key; one state means that it is known."""

ABSENT: States = ((),)
PRESENT: States = (None,)
UNKNOWN: States = (None, ())


def known(*values: str) -> States:
    """The key is there and holds exactly these values."""
    return (values,)


def perhaps(*values: str) -> States:
    """The key holds exactly these values, or the call lacks it: documents contradict each other or
    say nothing.
    """
    return (values, ())


@frozen
class Request:
    """One call.

    principal  a service's name (events.amazonaws.com) or an ARN: of a role, a user, or an account's
               root
    action     as policies write it, sns:Publish
    resource   the ARN of the resource
    context    condition keys in lower case; `aws:principaltag/*` stands for all keys that begin so;
               any key that is
               not in it is UNKNOWN
    bounded    whether the principal has a permissions boundary
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, States] = field(default_factory=dict)
    bounded: bool = False

    @property
    def by_service(self) -> bool:
        """Whether an AWS service calls under its own name."""
        return not self.principal.startswith("arn:")

    @property
    def account(self) -> str:
        """The account of an IAM principal; "" for a service."""
        return "" if self.by_service else segment(self.principal, 4)

    def states(self, key: str) -> States:
        """What may be the case for a condition key, whose case does not count
        (reference_policies_variables).
        """
        name = key.lower()
        family = f"{name.partition('/')[0]}/*"
        return self.context.get(name) or self.context.get(family) or UNKNOWN


def segment(arn: str, index: int) -> str:
    """One of the six parts of an ARN, from 0; "" when the text has too few."""
    parts = arn.split(":", 5)
    return parts[index] if len(parts) > index else ""


def all_of(truths: Iterable[Truth]) -> Truth:
    """Whether all hold; True of none."""
    seen = list(truths)
    if False in seen:
        return False
    return None if None in seen else True


def any_of(truths: Iterable[Truth]) -> Truth:
    """Whether one of them holds; False of none."""
    seen = list(truths)
    if True in seen:
        return True
    return None if None in seen else False


def negated(truth: Truth) -> Truth:
    """The opposite; what cannot be told stays so."""
    return None if truth is None else not truth


def agreed(truths: Iterable[Truth]) -> Truth:
    """What all of them say; None when they differ."""
    seen = set(truths)
    return seen.pop() if len(seen) == 1 else None
