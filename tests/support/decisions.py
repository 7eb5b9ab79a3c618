"""Policies and requests for the tests of decisions."""

from __future__ import annotations

from typing import Any

from shnotify.resources.requests import ABSENT, Request, known

EVENTS = "events.amazonaws.com"


ACCOUNT = "111122223333"


ROOT = f"arn:aws:iam::{ACCOUNT}:root"


ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/formatter"


TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"


ALLOW = {"Sid": "yes", "Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}


def policy(*statements: Any, version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def publish(principal: str = EVENTS) -> Request:
    return Request(
        principal, "sns:Publish", TOPIC, {"aws:principalorgid": ABSENT, "aws:securetransport": known("true")}
    )
