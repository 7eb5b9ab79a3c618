"""A notifier with the formatter's function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import SMALLEST, World
from tests.support.faults import REGION

ACCOUNT = "123456789012"


FUNCTION = "security-alerts-urgent-formatter"


ROLE = f"{FUNCTION}-{REGION}"


LOGS = f"/aws/lambda/{FUNCTION}"


FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"


LOGS_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{LOGS}"


QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:security-alerts-dlq"


RULE_ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/security-alerts-urgent"


LAMBDA = SMALLEST + "    message: {format: lambda}\n"


@pytest.fixture
def formatting(world: World) -> World:
    world.write(LAMBDA)
    return world


@pytest.fixture
def applied(formatting: World) -> World:
    ran = formatting.apply()
    assert ran.code == 0, ran.err
    return formatting


def function(world: World) -> Any:
    return world.client("lambda").get_function(FunctionName=FUNCTION)


def configure(**changed: Any) -> Callable[[World], object]:
    return lambda w: w.client("lambda").update_function_configuration(FunctionName=FUNCTION, **changed)


def role_policy(world: World) -> None:
    statement = {"Sid": "Publish", "Effect": "Allow", "Action": "sns:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.client("iam").put_role_policy(RoleName=ROLE, PolicyName="shnotify", PolicyDocument=document)


DELETIONS: dict[str, tuple[Callable[[World], object], str]] = {
    "function": (lambda w: w.client("lambda").delete_function(FunctionName=FUNCTION), "UrgentFormatter"),
    "log group": (lambda w: w.client("logs").delete_log_group(logGroupName=LOGS), "UrgentFormatterLogs"),
    "role": (
        lambda w: (
            w.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="shnotify"),
            w.client("iam").delete_role(RoleName=ROLE),
        ),
        "UrgentFormatterRole",
    ),
}
