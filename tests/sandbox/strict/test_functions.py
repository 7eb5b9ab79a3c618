"""Lambda: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from shnotify.mail import archive as bundle
from tests.sandbox.strict.cloud import REGION, Cloud, client, refused
from tests.sandbox.strict.numbers import number

QUEUE = f"arn:aws:sqs:{REGION}:123456789012:q"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}


def allow(resource: str) -> str:
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def lambda_(cloud: Cloud) -> Any:
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    found = client("lambda")
    code = {"ZipFile": bundle.archive("{}")}
    found.create_function(FunctionName="f", Role=role, Runtime="python3.13", Handler="a.b", Code=code)
    return found


def test_one_statement_per_id(lambda_: Any) -> None:
    statement = {"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction"}
    lambda_.add_permission(**statement, Principal="events.amazonaws.com")
    code, _ = refused(lambda_.add_permission, **statement, Principal="sns.amazonaws.com")
    assert code == "ResourceConflictException"
    policy = json.loads(lambda_.get_policy(FunctionName="f")["Policy"])
    assert [s["Principal"] for s in policy["Statement"]] == [{"Service": "events.amazonaws.com"}]


def test_one_asynchronous_configuration(lambda_: Any) -> None:
    destination = {"OnFailure": {"Destination": QUEUE}}
    put = lambda_.put_function_event_invoke_config
    code, text = refused(put, FunctionName="f", DestinationConfig=destination)
    assert code == "InvalidParameterValueException"
    assert "does not have permissions" in text
    client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow(QUEUE))
    put(FunctionName="f", DestinationConfig=destination, MaximumRetryAttempts=1)
    put(FunctionName="f", MaximumRetryAttempts=0)
    have = lambda_.get_function_event_invoke_config(FunctionName="f")
    assert have["MaximumRetryAttempts"] == 0
    assert "OnFailure" not in have.get("DestinationConfig", {})


def test_a_function_tells_its_concurrency_even_when_it_is_none(lambda_: Any) -> None:
    assert "Concurrency" not in lambda_.get_function(FunctionName="f")
    lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    assert lambda_.get_function(FunctionName="f")["Concurrency"] == {"ReservedConcurrentExecutions": 0}


def test_log_groups_are_found_by_their_type(cloud: Cloud) -> None:
    client("logs").create_log_group(logGroupName="/aws/lambda/f", tags={"a": "b"})
    found = cloud.tagging.get_resources(ResourceTypeFilters=["logs:log-group"])["ResourceTagMappingList"]
    assert [item["ResourceARN"] for item in found] == [f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/lambda/f"]


def test_an_invoked_function_runs(lambda_: Any, cloud: Cloud) -> None:
    trust = {**TRUST["Statement"][0], "Principal": {"Service": "lambda.amazonaws.com"}}  # type: ignore[dict-item]
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="g", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("code.py", "def double(event, context):\n    return {'twice': 2 * event['n']}\n")
    code = {"ZipFile": buffer.getvalue()}
    lambda_.create_function(FunctionName="g", Role=role, Runtime="python3.13", Handler="code.double", Code=code)
    reply = lambda_.invoke(FunctionName="g", Payload=b'{"n": 21}')
    assert (reply["StatusCode"], json.loads(reply["Payload"].read())) == (200, {"twice": 42})
    broken = lambda_.invoke(FunctionName="g", Payload=b"{}")
    assert broken["FunctionError"] == "Unhandled"
    assert json.loads(broken["Payload"].read())["errorType"] == "KeyError"
    assert lambda_.invoke(FunctionName="f")["FunctionError"] == "Unhandled"  # its role lets nobody take it
    assert number("AWS/Lambda", "g", "Invocations") == 2
    assert number("AWS/Lambda", "g", "Errors") == 1
