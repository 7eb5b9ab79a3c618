"""Whom a Principal or a NotPrincipal means: a service, a role, or the root of an account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shnotify.resources.evaluation import Verdict, evaluate
from shnotify.resources.principals import Grants, named
from shnotify.resources.requests import Request
from tests.support.decisions import ACCOUNT, ALLOW, EVENTS, ROLE, ROOT, TOPIC, policy, publish

SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/formatter/formatter"


@pytest.mark.parametrize(
    ("principal", "service", "role", "root"),
    [
        ("*", True, True, True),
        ({"AWS": "*"}, True, True, True),
        ({"AWS": ["444455556666", "*"]}, True, True, True),
        ({"Service": EVENTS}, True, False, False),
        ({"Service": ["s3.amazonaws.com", EVENTS]}, True, False, False),
        ({"Service": "events.us-east-1.amazonaws.com"}, False, False, False),
        ({"Service": "*"}, None, False, False),
        ({"AWS": ACCOUNT}, False, True, True),
        ({"AWS": ROOT}, False, True, True),
        ({"AWS": "arn:aws-cn:iam::111122223333:root"}, False, False, False),
        ({"AWS": ROLE}, False, True, False),
        ({"AWS": ROLE.lower().replace("formatter", "Formatter")}, False, False, False),
        ({"AWS": SESSION}, False, None, False),
        ({"AWS": "AROAEXAMPLEID"}, False, False, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, False, None, None),
        ({"CanonicalUser": "79a5"}, False, None, None),
        ({"Federated": "cognito-identity.amazonaws.com"}, False, False, False),
        ({"AWS": 5}, None, None, None),
        ({"Robot": EVENTS}, None, None, None),
        (["*"], None, None, None),
    ],
)
def test_whom_a_principal_means(principal: Any, service: bool | None, role: bool | None, root: bool | None) -> None:
    verdicts = {True: "allowed", False: "denied", None: "unknown"}
    statement = policy({**ALLOW, "Principal": principal})

    assert evaluate(statement, publish()).verdict == verdicts[service]
    assert evaluate(statement, publish(ROLE)).verdict == verdicts[role]
    assert evaluate(statement, publish(ROOT)).verdict == verdicts[root]


@pytest.mark.parametrize(
    ("excepted", "caller", "bounded", "verdict"),
    [
        ({"Service": EVENTS}, EVENTS, False, "allowed"),
        ({"AWS": ROOT}, EVENTS, False, "denied"),
        ("*", EVENTS, False, "allowed"),
        ({"AWS": [ROLE, ROOT]}, ROLE, False, "allowed"),
        ({"AWS": [ROLE, ROOT]}, ROLE, True, "denied"),
        ({"AWS": ROLE}, ROLE, False, "unknown"),
        ({"AWS": ROOT}, ROLE, False, "unknown"),
        ({"Service": EVENTS}, ROLE, False, "denied"),
    ],
)
def test_whom_a_not_principal_spares(excepted: Any, caller: str, bounded: bool, verdict: Verdict) -> None:
    """A role is spared with its account; with a permissions boundary it never is (elements_notprincipal)."""
    deny = {"Effect": "Deny", "NotPrincipal": excepted, "Action": "*", "Resource": "*"}
    request = Request(caller, "sns:Publish", TOPIC, bounded=bounded)

    assert evaluate(policy(ALLOW, deny), request).verdict == verdict


def test_not_principal_with_allow_is_not_supported() -> None:
    allow = {"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": "*", "Resource": "*"}

    assert evaluate(policy(allow), publish()).verdict == "unknown"
    assert evaluate(policy({**allow, "NotPrincipal": {"Service": EVENTS}}), publish()).verdict == "denied"


def test_a_boundary_means_nothing_for_a_service() -> None:
    deny = {"Effect": "Deny", "NotPrincipal": {"Service": EVENTS}, "Action": "*", "Resource": "*"}

    assert evaluate(policy(ALLOW, deny), replace(publish(), bounded=True)).verdict == "allowed"


def test_a_root_is_itself_and_a_role_is_of_its_account() -> None:
    assert named({"AWS": ACCOUNT}, publish(ROOT)) == Grants(itself=True)
    assert named({"AWS": ACCOUNT}, publish(ROLE)) == Grants(account=True)
