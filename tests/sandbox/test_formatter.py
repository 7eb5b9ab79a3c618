"""The formatter really runs in the sandbox, with its role's rights, and what fails is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shnotify.sandbox import confirm_subscription
from shnotify.sandbox.mailbox import mails
from tests.conftest import World
from tests.sandbox.strict.cloud import finding
from tests.support.faults import REGION
from tests.support.lambda_mode import ACCOUNT, FUNCTION, FUNCTION_ARN, LOGS, QUEUE_ARN, ROLE, applied, formatting  # noqa: F401

QUEUE = "security-alerts-dlq"


@pytest.fixture
def ready(applied: World) -> World:  # noqa: F811
    confirm_subscription("secops@example.com")
    return applied


def arrives(world: World, **change: Any) -> None:
    product = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    reply = world.client("securityhub").batch_import_findings(Findings=[finding(ProductArn=product, **change)])
    assert reply["SuccessCount"] == 1, reply


def subjects() -> list[str]:
    return [mail.subject for mail in mails() if mail.kind == "notification"]


def kept(world: World) -> list[dict[str, Any]]:
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def log(world: World) -> list[str]:
    events = world.client("logs").filter_log_events(logGroupName=LOGS)["events"]
    return [event["message"] for event in events]


def test_a_finding_is_mailed_marked_and_logged(ready: World) -> None:
    arrives(ready, Title='a "quote"\nand \\ more')
    assert subjects() == [f'[HIGH] a "quote" and \\ more ({ACCOUNT} {REGION})']
    [found] = ready.client("securityhub").get_findings()["Findings"]
    assert found["Workflow"] == {"Status": "NOTIFIED"}
    assert kept(ready) == []
    lines = log(ready)
    assert lines[0].startswith("START RequestId: ")
    assert json.loads(lines[1])["finding"] == "f"
    assert lines[-1].startswith("REPORT RequestId: ")


def deny(*actions: str) -> Callable[[World], object]:
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return lambda w: w.client("iam").put_role_policy(RoleName=ROLE, PolicyName="more", PolicyDocument=document)


def disable_topic_key(world: World) -> None:
    kms = world.client("kms")
    kms.disable_key(KeyId=kms.describe_key(KeyId="alias/security-alerts-topic")["KeyMetadata"]["KeyId"])


BREAKS: dict[str, tuple[Callable[[World], object], str]] = {
    "publish": (deny("sns:Publish"), "AuthorizationError"),
    "topic key": (deny("kms:GenerateDataKey"), "KMSAccessDenied"),
    "topic key off": (disable_topic_key, "KMSDisabled"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_the_formatter_cannot_send_is_kept(ready: World, name: str) -> None:
    change, told = BREAKS[name]
    change(ready)
    arrives(ready)
    assert subjects() == []
    records = kept(ready)
    if name == "topic key":  # the same right is needed for the queue's key
        assert records == []
        return
    [record] = records
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["functionArn"] == f"{FUNCTION_ARN}:$LATEST"
    assert told in record["responsePayload"]["errorMessage"]
    assert record["requestPayload"]["detail"]["findings"][0]["Id"] == "f"
    assert sum(line.startswith("START") for line in log(ready)) == 3


def test_a_mail_that_cannot_be_marked_is_sent_at_each_attempt(ready: World) -> None:
    deny("securityhub:BatchUpdateFindings")(ready)
    arrives(ready)
    assert len(subjects()) == 3
    assert "AccessDeniedException" in kept(ready)[0]["responsePayload"]["errorMessage"]


def test_a_function_without_concurrency_keeps_everything_at_once(ready: World) -> None:
    ready.client("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    arrives(ready)
    assert subjects() == []
    assert kept(ready)[0]["requestContext"]["approximateInvokeCount"] == 0


def test_without_its_permission_eventbridge_keeps_the_event(ready: World) -> None:
    ready.client("lambda").remove_permission(FunctionName=FUNCTION, StatementId="AllowEventBridge")
    arrives(ready)
    assert subjects() == []
    [event] = kept(ready)
    assert event["detail"]["findings"][0]["Id"] == "f"


def test_code_that_is_not_ours_runs_too(ready: World) -> None:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("formatter/__init__.py", "")
        target.writestr("formatter/main.py", "def handler(event, context):\n    print('hello', event['source'])\n")
    ready.client("lambda").update_function_code(FunctionName=FUNCTION, ZipFile=buffer.getvalue())
    arrives(ready)
    assert "hello aws.securityhub" in log(ready)
    assert subjects() == []


def test_a_denied_queue_loses_and_says_so(ready: World) -> None:
    deny("sns:Publish", "sqs:SendMessage")(ready)
    arrives(ready)
    assert kept(ready) == []
    metrics = ready.client("cloudwatch").list_metrics(Namespace="AWS/Lambda")["Metrics"]
    names = {metric["MetricName"] for metric in metrics}
    assert names == {"Invocations", "Errors", "DestinationDeliveryFailures"}
    assert QUEUE_ARN.endswith(QUEUE)
