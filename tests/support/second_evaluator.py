"""A second, independent answer to what policies decide, for tests only.

It knows no three-valued logic: each uncertain thing (a key, a variable, something that cannot be read) is tried out in
every way, each way is decided with plain booleans, and a verdict stands only if every way comes to it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from shnotify.resources.requests import Request
from tests.support.second_conditions import (
    NO,
    OPEN,
    YES,
    Outcomes,
    any_world,
    conditions,
    either,
    glob,
    inverse,
    just,
    text_outcome,
    variables,
)

Ways = tuple[bool, bool, bool]
"""Whether a statement applies to the caller by its own name, as anyone, and as its account."""


def verdict(policy: Any, request: Request, kind: str = "resource") -> str:
    statements = _statements(policy, request, kind)
    return _common(
        _final(
            denied=any(any(ways) for effect, ways in world if effect == "deny"),
            allowed=any(any(ways) for effect, ways in world if effect == "allow"),
        )
        for world in itertools.product(*statements)
    )


def combined_verdict(identity: list[Any], boundary: Any, resource: Any, request: Request, key: bool) -> str:
    bounded = boundary is not None
    asked = Request(request.principal, request.action, request.resource, request.context, bounded)
    own = [s for policy in identity for s in _statements(policy, asked, "identity")]
    limits = _statements(boundary, asked, "identity")
    about = _statements(resource, asked, "key" if key else "resource")
    return _common(_every_world(own, limits, about, bounded, key, unread=key and resource is None))


def _every_world(own: Any, limits: Any, about: Any, bounded: bool, key: bool, unread: bool) -> Iterator[str]:
    """Undocumented: `star`, no boundary limits what everybody may; `alone`, the account's grant is enough."""
    for mine, limit, other in itertools.product(*(itertools.product(*each) for each in (own, limits, about))):
        denied = any(effect == "deny" and any(ways) for effect, ways in (*mine, *limit, *other))
        inside = not bounded or any(effect == "allow" and any(ways) for effect, ways in limit)
        by_own = inside and any(effect == "allow" and any(ways) for effect, ways in mine)
        for star, alone, luck in itertools.product((True, False), repeat=3):
            allowed = (by_own and not key) or (unread and luck)
            for effect, (itself, anyone, account) in other:
                if effect == "allow":
                    allowed |= itself and inside
                    allowed |= anyone and (inside or star)
                    allowed |= account and (by_own or (alone and not key))
            yield _final(denied, allowed)


def _final(denied: bool, allowed: bool) -> str:
    return "allowed" if allowed and not denied else "denied"


def _common(verdicts: Iterator[str]) -> str:
    seen = set(verdicts)
    return seen.pop() if len(seen) == 1 else "unknown"


def _statements(policy: Any, request: Request, kind: str) -> list[list[tuple[str, Ways]]]:
    """For each statement, and for what may be one, all it can come to."""
    if policy is None:
        return []
    if not isinstance(policy, dict):
        return _anything()
    found: list[list[tuple[str, Ways]]] = []
    given = policy.get("Statement", [])
    for statement in given if isinstance(given, list) else [given]:
        effect = str(statement.get("Effect")).lower() if isinstance(statement, dict) else ""
        if effect in ("allow", "deny"):
            modern = policy.get("Version") == "2012-10-17"
            found.append([(effect, ways) for ways in _statement(statement, effect, request, kind, modern)])
        else:
            found += _anything()
    return found


def _anything() -> list[list[tuple[str, Ways]]]:
    no: Ways = (False, False, False)
    yes: Ways = (True, False, False)
    return [[("deny", no), ("deny", yes)], [("allow", no), ("allow", yes)]]


def _statement(statement: dict[str, Any], effect: str, request: Request, kind: str, modern: bool) -> set[Ways]:
    who = _principal(statement, effect, request, kind)
    rest = [_action(statement, request, kind), _resource(statement, request, kind, modern)]
    rest += conditions(statement.get("Condition"), request, modern)
    results: set[Ways] = set()
    for world in itertools.product(*who, *rest):
        itself, anyone, account, *others = world
        results.add((itself and all(others), anyone and all(others), account and all(others)))
    return results


def _principal(
    statement: dict[str, Any], effect: str, request: Request, kind: str
) -> tuple[Outcomes, Outcomes, Outcomes]:
    has, has_not = "Principal" in statement, "NotPrincipal" in statement
    if kind == "identity":
        return (OPEN if has or has_not else YES), NO, NO
    if has == has_not:
        return OPEN, NO, NO
    if has:
        return _listed(statement["Principal"], request)
    itself, anyone, account = _listed(statement["NotPrincipal"], request)
    service = ":" not in request.principal
    if anyone == YES:
        spared = YES
    elif service or request.principal.endswith(":root"):
        spared = either(itself, anyone, account)
    elif itself == YES and account == YES:
        spared = YES
    else:
        spared = NO if either(itself, anyone, account) == NO else OPEN
    if effect == "allow":
        return (NO if spared == YES else OPEN), NO, NO
    if request.bounded and not service:
        return YES, NO, NO
    return inverse(spared), NO, NO


def _listed(principal: Any, request: Request) -> tuple[Outcomes, Outcomes, Outcomes]:
    itself, anyone, account = NO, NO, NO
    if principal == "*":
        return NO, YES, NO
    if not isinstance(principal, dict):
        return OPEN, NO, NO
    caller = request.principal.split(":", 5)
    for kind, names in principal.items():
        for name in names if isinstance(names, list) else [names]:
            if not isinstance(name, str) or kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
                itself = either(itself, OPEN)
            elif kind == "Service" and len(caller) == 1:
                itself = either(itself, OPEN if "*" in name else just(name == request.principal))
            elif kind == "CanonicalUser" and len(caller) > 1:
                account = either(account, OPEN)
            elif kind == "AWS" and name == "*":
                anyone = YES
            elif kind == "AWS" and len(caller) > 1:
                root = ":".join(["arn", caller[1], "iam", "", caller[4], "root"])
                session = f"arn:{caller[1]}:sts::{caller[4]}:assumed-role/{caller[5].split('/')[-1]}/"
                if name in (root, caller[4]):
                    if caller[5] == "root":
                        itself = YES
                    else:
                        account = YES
                elif re.search("[*?]", name) or name.startswith(session):
                    itself = either(itself, OPEN)
                else:
                    itself = either(itself, just(name == request.principal))
    return itself, anyone, account


def _action(statement: dict[str, Any], request: Request, kind: str) -> Outcomes:
    def one(given: Any) -> Outcomes:
        return just(glob(given.lower(), request.action.lower())) if isinstance(given, str) else OPEN

    return _twin(statement, "Action", one, NO if kind == "key" else OPEN)


def _resource(statement: dict[str, Any], request: Request, kind: str, modern: bool) -> Outcomes:
    def one(given: Any) -> Outcomes:
        if not isinstance(given, str):
            return OPEN
        worlds = variables([given], request, modern, [request.resource])
        return any_world(text_outcome("stringlike", request.resource, given, world) for world in worlds)

    return _twin(statement, "Resource", one, {"trust": YES, "key": NO}.get(kind, OPEN))


def _twin(statement: dict[str, Any], name: str, one: Any, missing: Outcomes) -> Outcomes:
    has, has_not = name in statement, f"Not{name}" in statement
    if has == has_not:
        return OPEN if has else missing
    given = statement[name if has else f"Not{name}"]
    outcome = either(*(one(each) for each in (given if isinstance(given, list) else [given])))
    return outcome if has else inverse(outcome)
