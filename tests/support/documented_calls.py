"""The documented calls, and policies that silence a notifier."""

from __future__ import annotations

from typing import Any

from shnotify.resources import calls
from shnotify.resources.requests import Request

ACCOUNT = "123456789012"


TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:bug-hunt-urgent"


KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:bug-hunt-formatter"


ROLE = f"arn:aws:iam::{ACCOUNT}:role/bug-hunt-formatter"


FORMATTER = calls.role_call(ROLE, "sns:Publish", TOPIC, function=FUNCTION)


AWS_ROOT = {
    "Sid": "r",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


OUTSIDE_ORG = {"StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allowing(request: Request, condition: Any) -> dict[str, Any]:
    return {
        "Sid": "yes",
        "Effect": "Allow",
        "Principal": "*",
        "Action": request.action,
        "Resource": "*",
        "Condition": condition,
    }


def denying(request: Request, condition: Any) -> dict[str, Any]:
    return {**allowing(request, condition), "Sid": "no", "Effect": "Deny"}
