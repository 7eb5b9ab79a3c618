"""What policies decide: Deny before Allow, who is meant, what is missing, and a role with several policies."""

from __future__ import annotations

from typing import Any

import pytest

from shnotify.resources.evaluation import Kind, Verdict, combined, evaluate
from shnotify.resources.requests import Request
from tests.support.decisions import ACCOUNT, ALLOW, EVENTS, ROLE, ROOT, TOPIC, policy, publish

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"

DENY = {**ALLOW, "Sid": "no", "Effect": "Deny"}
MAYBE = {"Condition": {"StringEquals": {"aws:PrincipalTag/a": "b"}}}
NEVER = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}


@pytest.mark.parametrize(
    ("statements", "verdict", "statement", "explicit"),
    [
        ([], "denied", "", False),
        ([ALLOW], "allowed", '"yes"', False),
        ([ALLOW, DENY], "denied", '"no"', True),
        ([{**ALLOW, **MAYBE}, DENY], "denied", '"no"', True),
        ([DENY], "denied", '"no"', True),
        ([ALLOW, {**DENY, **MAYBE}], "unknown", '"no"', False),
        ([{**DENY, **MAYBE}], "denied", "", False),
        ([{**ALLOW, **NEVER}, {**DENY, **MAYBE}], "denied", '"yes"', False),
        ([{**ALLOW, **MAYBE}], "unknown", '"yes"', False),
        ([{**ALLOW, **MAYBE}, {**ALLOW, "Sid": "too"}], "allowed", '"too"', False),
        ([ALLOW, {**DENY, **NEVER}], "allowed", '"yes"', False),
        ([{**ALLOW, "Effect": "ALLOW"}, {**DENY, "Effect": "deny"}], "denied", '"no"', True),
        ([{key: value for key, value in ALLOW.items() if key != "Sid"}], "allowed", "statement 1", False),
        ([ALLOW, 7], "unknown", "statement 2", False),
        ([{**ALLOW, "Effect": "Perhaps"}], "unknown", '"yes"', False),
        ([ALLOW, {**DENY, "Condition": []}], "unknown", '"no"', False),
        ([{**ALLOW, "Condition": "x"}], "unknown", '"yes"', False),
    ],
)
def test_deny_comes_first_then_something_must_allow(
    statements: list[Any], verdict: Verdict, statement: str, explicit: bool
) -> None:
    decided = evaluate(policy(*statements), publish())

    assert (decided.verdict, decided.statement, decided.explicit) == (verdict, statement, explicit)


def test_a_single_statement_needs_no_list() -> None:
    assert evaluate({"Statement": ALLOW}, publish()).verdict == "allowed"


@pytest.mark.parametrize(
    ("document", "verdict"), [(None, "denied"), ({}, "denied"), ([ALLOW], "unknown"), ("x", "unknown")]
)
def test_a_policy_that_cannot_be_read_is_none_that_allows(document: Any, verdict: Verdict) -> None:
    assert evaluate(document, publish()).verdict == verdict


def test_the_reason_names_the_statement_and_the_key() -> None:
    assert evaluate(policy({**ALLOW, **NEVER}), publish()).reason == (
        '"yes" does not allow it: StringEquals aws:PrincipalOrgID, a key that this call never has'
    )
    assert evaluate(policy({**ALLOW, **MAYBE}), publish()).reason == (
        '"yes" may allow it: StringEquals aws:PrincipalTag/a, which nobody can know beforehand'
    )
    tls = {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    assert evaluate(policy(ALLOW, {**DENY, **tls}), publish()).reason == (
        '"no" denies it: Bool aws:SecureTransport, which is true in this call'
    )


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        ({"Action": "SNS:publish"}, "allowed"),
        ({"Action": ["sns:Get*", "sns:Pub*"]}, "allowed"),
        ({"Action": "sns:P?blish"}, "allowed"),
        ({"Action": "sns:P?ublish"}, "denied"),
        ({"Action": "*"}, "allowed"),
        ({"Action": []}, "denied"),
        ({"Action": {}}, "unknown"),
        ({"Resource": "arn:aws:sns:*:*:al?rts"}, "allowed"),
        ({"Resource": TOPIC.upper()}, "denied"),
        ({"Resource": ["arn:aws:sns:us-east-1:111122223333:other", "*"]}, "allowed"),
        ({"Resource": f"{TOPIC[:-6]}${{aws:PrincipalTag/x}}"}, "unknown"),
        ({"Resource": f"{TOPIC[:-6]}${{aws:PrincipalOrgID}}"}, "denied"),
        ({"Resource": f"{TOPIC[:-6]}${{aws:PrincipalOrgID, 'alerts'}}"}, "allowed"),
    ],
)
def test_what_an_action_and_a_resource_take_in(part: Any, verdict: Verdict) -> None:
    assert evaluate(policy({**ALLOW, **part}), publish()).verdict == verdict


@pytest.mark.parametrize(
    ("taken", "given", "verdict"),
    [
        ("Action", {"NotAction": "sns:Get*"}, "allowed"),
        ("Action", {"NotAction": ["sns:Get*", "SNS:*"]}, "denied"),
        ("Resource", {"NotResource": "arn:aws:sqs:*"}, "allowed"),
        ("Resource", {"NotResource": "arn:aws:sns:*"}, "denied"),
        ("Action", {"Action": "*", "NotAction": "*"}, "unknown"),
        ("Principal", {"Principal": "*", "NotPrincipal": "*"}, "unknown"),
        ("Principal", {}, "unknown"),
        ("Resource", {}, "unknown"),
        ("Action", {}, "unknown"),
    ],
)
def test_what_the_opposite_of_an_element_takes_in(taken: str, given: Any, verdict: Verdict) -> None:
    statement = {key: value for key, value in ALLOW.items() if key != taken}

    assert evaluate(policy({**statement, **given}), publish()).verdict == verdict


@pytest.mark.parametrize(("kind", "verdict"), [("trust", "allowed"), ("key", "denied"), ("resource", "unknown")])
def test_a_trust_policy_has_no_resource_and_a_key_statement_without_one_no_effect(kind: Kind, verdict: Verdict) -> None:
    statement = {key: value for key, value in ALLOW.items() if key != "Resource"}

    assert evaluate(policy(statement), publish(), kind).verdict == verdict


def test_a_key_statement_without_an_action_has_no_effect() -> None:
    statement = {key: value for key, value in ALLOW.items() if key != "Action"}

    assert evaluate(policy(statement), publish(), "key").verdict == "denied"


OWN = {"Sid": "own", "Effect": "Allow", "Action": "*", "Resource": "*"}
FORBIDDEN = {**OWN, "Sid": "forbidden", "Effect": "Deny"}
NOTHING = {**OWN, "Action": "s3:*"}
TO_ROLE = {**ALLOW, "Principal": {"AWS": ROLE}}
TO_ACCOUNT = {**ALLOW, "Principal": {"AWS": ROOT}}


@pytest.mark.parametrize(
    ("identity", "boundary", "resource", "verdict"),
    [
        (OWN, None, None, "allowed"),
        (NOTHING, None, None, "denied"),
        (OWN, NOTHING, None, "denied"),
        (OWN, OWN, None, "allowed"),
        (OWN, FORBIDDEN, None, "denied"),
        (NOTHING, None, TO_ROLE, "allowed"),
        (NOTHING, None, ALLOW, "allowed"),
        (NOTHING, None, TO_ACCOUNT, "unknown"),
        (OWN, None, TO_ACCOUNT, "allowed"),
        (NOTHING, NOTHING, TO_ROLE, "denied"),
        (NOTHING, NOTHING, ALLOW, "unknown"),
        (NOTHING, OWN, ALLOW, "allowed"),
        (OWN, None, DENY, "denied"),
        (FORBIDDEN, None, TO_ROLE, "denied"),
        ({**OWN, **MAYBE}, None, None, "unknown"),
    ],
)
def test_a_role_may_what_its_own_or_the_resources_policy_allows(
    identity: Any, boundary: Any, resource: Any, verdict: Verdict
) -> None:
    """Source: reference_policies_evaluation-logic_policy-eval-denyallow ("IAM role"), access_policies_boundaries."""
    limit, about = (each and policy(each) for each in (boundary, resource))

    assert combined([policy(identity)], limit, about, publish(ROLE)).verdict == verdict


@pytest.mark.parametrize(
    ("identity", "principal", "verdict"),
    [
        (OWN, {"AWS": ROOT}, "allowed"),
        (NOTHING, {"AWS": ROOT}, "denied"),
        (OWN, {"Service": EVENTS}, "denied"),
        (NOTHING, {"AWS": ROLE}, "allowed"),
        (OWN, None, "unknown"),
    ],
)
def test_a_key_heeds_a_roles_policies_only_when_its_own_says_so(
    identity: Any, principal: Any, verdict: Verdict
) -> None:
    """Source: kms key-policy-default; evaluation-logic ("KMS key policies are exceptions to this logic")."""
    statement = {"Sid": "k", "Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    document = policy(statement) if principal else None

    decided = combined([policy(identity)], None, document, Request(ROLE, "kms:Decrypt", KEY), key=True)

    assert decided.verdict == verdict


def test_a_refusal_says_whether_boundary_or_key_policy_is_the_cause() -> None:
    root = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
    decrypt = Request(ROLE, "kms:Decrypt", KEY)

    assert "permissions boundary" in combined([policy(OWN)], policy(NOTHING), None, publish(ROLE)).reason
    assert "caller's own policies" in combined([policy(NOTHING)], None, policy(root), decrypt, key=True).reason
