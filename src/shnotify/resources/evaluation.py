"""Whether AWS would let a call through: allowed, denied, or cannot tell.

Pure; it raises for no input.

A policy is a plain document. What in it cannot be read may apply or not, so it never makes a call
"allowed". Organization policies (SCPs, RCPs), session policies, grants and the policies of VPC
endpoints are not looked at. Source: reference_policies_evaluation-logic_policy-eval-denyallow,
reference_policies_elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from shnotify.frozen import frozen
from shnotify.resources.conditions import Entry, as_list, entries
from shnotify.resources.policytext import filled, matches_any_case
from shnotify.resources.principals import Grants, everybody, named
from shnotify.resources.requests import Request, Truth, all_of, any_of, negated

Verdict = Literal["allowed", "denied", "unknown"]

Kind = Literal["resource", "key", "trust", "identity"]
"""Whose policy it is: a resource's; a KMS key's; a role's, for who may take it.

Or what a role itself may do.
"""


@frozen
class Decision:
    """What comes of a call.

    verdict    unknown: it hangs on something that nobody can know beforehand, or that cannot be
               read
    statement  the Sid of the statement that decides, or "statement 2"; "" when no statement does
    reason     one sentence
    explicit   whether a Deny applies, and not only no Allow
    """

    verdict: Verdict
    statement: str
    reason: str
    explicit: bool = False


@frozen
class _Applied:
    """One statement and a call: whether it applies, by each way of naming the principal, and if not
    surely, why.
    """

    effect: str
    name: str
    grants: Grants
    why: str
    near: bool
    """Whether only its Condition keeps it from applying."""

    @property
    def truth(self) -> Truth:
        return any_of([self.grants.itself, self.grants.anyone, self.grants.account])


def evaluate(policy: object, request: Request, kind: Kind = "resource") -> Decision:
    """Decides a call by one policy; None is no policy, which allows nothing."""
    applied = _applied(policy, request, kind)
    return _decided(applied, any_of(one.truth for one in _allows(applied)))


def combined(
    identity: Sequence[object],
    boundary: object,
    resource: object,
    request: Request,
    *,
    key: bool = False,
) -> Decision:
    """Decides a call of a role or user on a resource of its own account.

    identity  its own policies, inline and attached
    boundary  its permissions boundary, or None
    resource  the resource's policy, or None when it has none
    key       whether the resource is a KMS key: then the key's policy has the first word, and None
              means not read

    Source: reference_policies_evaluation-logic_policy-eval-basics, access_policies_boundaries; for
    keys kms key-policy-default ("Allows access to the AWS account and enables IAM policies").
    """
    asked = replace(request, bounded=boundary is not None)
    own = [one for policy in identity for one in _applied(policy, asked, "identity")]
    bounds = [] if boundary is None else _applied(boundary, asked, "identity")
    about = _applied(resource, asked, "key" if key else "resource")
    within: Truth = True if boundary is None else any_of(one.truth for one in _allows(bounds))
    by_identity = all_of([any_of(one.truth for one in _allows(own)), within])
    granted = [_granted(one.grants, by_identity, within, key=key) for one in _allows(about)]
    alone: Truth = by_identity
    if key:
        alone = None if resource is None else False
    decided = _decided([*about, *own, *bounds], any_of([alone, *granted]))
    if decided.verdict != "denied" or decided.explicit or decided.statement:
        return decided
    if within is False and any(one.truth is not False for one in [*own, *_allows(about)]):
        return replace(decided, reason="the permissions boundary does not allow it")
    left_to_identity = key and any(one.grants.account is True for one in _allows(about))
    reason = "the key's policy leaves it to the caller's own policies, and none of them allows it"
    return replace(decided, reason=reason) if left_to_identity else decided


def _granted(grants: Grants, by_identity: Truth, within: Truth, *, key: bool) -> Truth:
    """Whether an Allow of a resource's policy lets a principal of the same account through.

    To a role itself it grants within the boundary; to everybody it grants, and whether a boundary
    then limits it is documented for aws:PrincipalArn only. To the account it delegates: a key then
    heeds identity policies; of other resources AWS does not say whether it grants anything by
    itself.
    """
    anyone = all_of([grants.anyone, True if within is True else None])
    account = all_of([grants.account, by_identity if key else any_of([by_identity, None])])
    return any_of([all_of([grants.itself, within]), anyone, account])


def _decided(applied: list[_Applied], allowed: Truth) -> Decision:
    """An explicit Deny wins; then something must allow."""
    denies = [one for one in applied if one.effect != "allow"]
    surely = next((one for one in denies if one.truth is True and one.effect == "deny"), None)
    if surely:
        return Decision(
            "denied", surely.name, f"{surely.name} denies it{surely.why}", explicit=True
        )
    allows = _allows(applied)
    if allowed is False:
        near = next((one for one in allows if one.near), None)
        if near is None:
            return Decision("denied", "", "no statement allows it")
        return Decision("denied", near.name, f"{near.name} does not allow it{near.why}")
    perhaps = next((one for one in denies if one.truth is not False), None)
    if perhaps:
        return Decision("unknown", perhaps.name, f"{perhaps.name} may deny it{perhaps.why}")
    first = next((one for one in allows if one.truth is allowed), None) or next(iter(allows), None)
    name, why = (first.name, first.why) if first else ("", ": a policy was not read")
    if allowed is None:
        return Decision("unknown", name, f"{name or 'nobody knows what'} may allow it{why}")
    return Decision("allowed", name, f"{name} allows it{why}")


def _allows(applied: Iterable[_Applied]) -> list[_Applied]:
    """The statements that allow or, being unreadable, may."""
    return [one for one in applied if one.effect != "deny"]


def _applied(policy: object, request: Request, kind: Kind) -> list[_Applied]:
    if policy is None:
        return []
    if not isinstance(policy, dict):
        return [_unreadable("the policy")]
    variables = policy.get("Version") == "2012-10-17"
    statements = as_list(policy.get("Statement", []))
    numbered = enumerate(statements, start=1)
    return [
        _statement(each, f"statement {number}", request, kind, variables)
        for number, each in numbered
    ]


def _unreadable(name: str) -> _Applied:
    """It may be a Deny and may be an Allow."""
    return _Applied("", name, Grants(itself=None), ": it cannot be read", near=False)


def _statement(
    statement: object, number: str, request: Request, kind: Kind, variables: bool
) -> _Applied:
    if not isinstance(statement, dict):
        return _unreadable(number)
    sid = statement.get("Sid")
    name = f'"{sid}"' if isinstance(sid, str) and sid else number
    effect = str(statement.get("Effect")).lower()
    if effect not in ("allow", "deny"):
        return _unreadable(name)
    who = _principal(statement, request, kind, effect)
    what = all_of(
        [_action(statement, request, kind), _resource(statement, request, kind, variables)]
    )
    conditions = entries(statement.get("Condition"), request, variables=variables)
    met = all_of(entry.holds for entry in conditions)
    near = met is False and what is not False and who.truth is not False
    return _Applied(
        effect, name, who.only_if(all_of([what, met])), _why(who, what, conditions, met), near
    )


def _why(who: Grants, what: Truth, conditions: list[Entry], met: Truth) -> str:
    """What it hangs on, in words that follow "x denies it"."""
    telling = [entry.text for entry in conditions if entry.holds is met]
    if telling and (met is not True or (who.truth is True and what is True)):
        return f": {'; '.join(telling)}"
    if who.truth is None:
        return ": it cannot be told whether its Principal means this caller"
    return ": its Action or Resource cannot be read" if what is None else ""


def _principal(statement: dict[str, Any], request: Request, kind: Kind, effect: str) -> Grants:
    """Whom a statement means. The policy of a role names nobody: it means the role."""
    given, excepted = statement.get("Principal"), statement.get("NotPrincipal")
    has_one = ("Principal" in statement) != ("NotPrincipal" in statement)
    if kind == "identity":
        neither = "Principal" not in statement and "NotPrincipal" not in statement
        return Grants(itself=True if neither else None)
    if not has_one:
        return Grants(itself=None)
    return (
        named(given, request) if "Principal" in statement else everybody(excepted, request, effect)
    )


def _action(statement: dict[str, Any], request: Request, kind: Kind) -> Truth:
    def matches(given: object) -> Truth:
        return matches_any_case(given, request.action) if isinstance(given, str) else None

    return _either(statement, "Action", matches, missing=False if kind == "key" else None)


def _resource(statement: dict[str, Any], request: Request, kind: Kind, variables: bool) -> Truth:
    """A trust policy names no resource, and a statement of a key without one has no effect
    (API_PutKeyPolicy).
    """

    def matches(given: object) -> Truth:
        if not isinstance(given, str):
            return None
        return filled(given, request, "like", variables=variables).matches(request.resource)

    missing: dict[Kind, Truth] = {"trust": True, "key": False}
    return _either(statement, "Resource", matches, missing=missing.get(kind))


def _either(
    statement: dict[str, Any], name: str, matches: Callable[[object], Truth], missing: Truth
) -> Truth:
    """Whether an element, or its `Not...` twin, takes in the call."""
    has, has_not = name in statement, f"Not{name}" in statement
    if has and has_not:
        return None
    if has:
        return any_of(matches(given) for given in as_list(statement[name]))
    if has_not:
        return negated(any_of(matches(given) for given in as_list(statement[f"Not{name}"])))
    return missing
