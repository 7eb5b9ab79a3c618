"""Findings that come into an applied notifier, in a time that goes with AWS's own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.subscriptions import confirm_subscription
from tests.conftest import World
from tests.support.faults import REGION
from tests.support.lambda_mode import LAMBDA

ACCOUNT = "123456789012"
PRODUCT = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
WHO = "secops@example.com"


@pytest.fixture
def mailing(world: World) -> World:
    """A notifier with one confirmed subscriber."""
    world.faults.time.seconds = time.time()  # moto's own times, of keys and messages, are real
    assert world.apply().code == 0
    confirm_subscription(WHO)
    world.faults.time.sleep(60)
    return world


@pytest.fixture
def formatting(world: World) -> World:
    """The same with the formatter's function."""
    world.faults.time.seconds = time.time()
    world.write(LAMBDA)
    assert world.apply().code == 0
    confirm_subscription(WHO)
    world.faults.time.sleep(60)
    return world


def moment(world: World) -> str:
    return f"{datetime.fromtimestamp(world.faults.time.now(), UTC):%Y-%m-%dT%H:%M:%SZ}"


def finding(world: World, identity: str, severity: str = "HIGH", **more: Any) -> dict[str, Any]:
    """A finding of the account's own product, made now."""
    return {
        "SchemaVersion": "2018-10-08",
        "Id": identity,
        "ProductArn": PRODUCT,
        "GeneratorId": "tests",
        "AwsAccountId": ACCOUNT,
        "CreatedAt": moment(world),
        "UpdatedAt": moment(world),
        "Title": f"Title of {identity}",
        "Description": "text",
        "Severity": {"Label": severity},
        "Types": ["Software and Configuration Checks"],
        "Resources": [{"Type": "Other", "Id": "r"}],
        **more,
    }


def comes(world: World, identity: str, severity: str = "HIGH", **more: Any) -> str:
    """A finding comes now; returns its id."""
    assert arrive(ACCOUNT, REGION, finding(world, identity, severity, **more))
    return identity
