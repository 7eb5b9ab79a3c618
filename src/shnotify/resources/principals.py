"""Whom the Principal of a statement means.

Pure. Source: reference_policies_elements_principal and -_notprincipal.
"""

from __future__ import annotations

from typing import Any

from shnotify.frozen import frozen
from shnotify.resources.conditions import as_list
from shnotify.resources.requests import Request, Truth, all_of, any_of, segment


@frozen
class Grants:
    """Whether a statement means the caller, by each way of naming it, for what an Allow grants
    differs with that.

    itself   the service, role, user or root by its own name
    anyone   "*"
    account  the caller's account, as a number or its root's ARN
    """

    itself: Truth = False
    anyone: Truth = False
    account: Truth = False

    @property
    def truth(self) -> Truth:
        return any_of([self.itself, self.anyone, self.account])

    def only_if(self, truth: Truth) -> Grants:
        """The same, where something else has to hold too."""
        return Grants(
            all_of([self.itself, truth]),
            all_of([self.anyone, truth]),
            all_of([self.account, truth]),
        )


def named(principal: object, request: Request) -> Grants:
    """Whom a Principal means.

    "*" and {"AWS": "*"} are everybody, AWS services too (condition-keys-principalorgid).
    """
    if principal == "*":
        return Grants(anyone=True)
    if not isinstance(principal, dict):
        return Grants(itself=None)
    found = [
        _one(str(kind), name, request)
        for kind, names in principal.items()
        for name in as_list(names)
    ]
    return Grants(
        any_of(one.itself for one in found),
        any_of(one.anyone for one in found),
        any_of(one.account for one in found),
    )


def everybody(excepted: object, request: Request, effect: str) -> Grants:
    """Whom a NotPrincipal means: all others.

    With Allow it is not supported, so what it then does cannot be told.

    A role counts as excepted when both it and its account are named; with a permissions boundary it
    never does.
    """
    listed = named(excepted, request)
    if effect == "allow":
        return Grants(itself=False if _spared(listed, request) is True else None)
    if request.bounded and not request.by_service:
        return Grants(itself=True)
    spared = _spared(listed, request)
    return Grants(itself=None if spared is None else not spared)


def _spared(listed: Grants, request: Request) -> Truth:
    """Whether a NotPrincipal excepts the caller."""
    if listed.anyone is True:
        return True
    if request.by_service or request.principal.endswith(":root"):
        return listed.truth
    if listed.itself is True and listed.account is True:
        return True
    return False if listed.truth is False else None


def _one(kind: str, name: Any, request: Request) -> Grants:
    if not isinstance(name, str):
        return Grants(itself=None)
    if kind == "AWS":
        return _aws(name, request)
    if kind == "Service":
        return Grants(itself=_service(name, request))
    if kind == "CanonicalUser":
        return Grants(account=False if request.by_service else None)
    return Grants() if kind == "Federated" else Grants(itself=None)


def _service(name: str, request: Request) -> Truth:
    """A service by its exact name; "*" is not allowed there, and what it does is not documented."""
    if not request.by_service:
        return False
    return None if "*" in name else name == request.principal


def _aws(name: str, request: Request) -> Grants:
    """An AWS principal: everybody, an account, or one of it.

    An id such as AIDA... or AROA... stands for a principal that no longer exists, so it means
    nobody; part of a name cannot be a wildcard, so what one does there cannot be told.
    """
    if name == "*":
        return Grants(anyone=True)
    if request.by_service:
        return Grants()
    is_root = request.principal.endswith(":root")
    if name in (request.account, _root(request)):
        return Grants(itself=is_root, account=not is_root)
    if "*" in name or "?" in name:
        return Grants(itself=None)
    if name.startswith(_session(request)):
        return Grants(itself=None)
    return Grants(itself=name == request.principal)


def _root(request: Request) -> str:
    return f"arn:{segment(request.principal, 1)}:iam::{request.account}:root"


def _session(request: Request) -> str:
    """How the ARN of a role's sessions begins; the name of a session is not known beforehand."""
    role = segment(request.principal, 5).rpartition("/")[2]
    return f"arn:{segment(request.principal, 1)}:sts::{request.account}:assumed-role/{role}/"
