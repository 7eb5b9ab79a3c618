"""The embedded AWS over real HTTP on the loopback interface, as any tool meets it."""

from __future__ import annotations

import http.client
import importlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import shnotify.sandbox
from shnotify.errors import ShnotifyError
from shnotify.sandbox import Sandbox

REGION = "ap-northeast-1"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(region=REGION) as opened:
        for name, value in opened.environment.items():
            monkeypatch.setenv(name, value)
        yield opened
        assert opened.errors == []


def client(service: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
    return boto3.session.Session().client(service, config=config)  # type: ignore[call-overload]


def page(sandbox: Sandbox, path: str, accept: str = "application/json") -> Any:
    with urlopen(Request(sandbox.endpoint + path, headers={"Accept": accept})) as reply:
        text = reply.read().decode()
    return json.loads(text) if accept == "application/json" else text


def subscribed(*endpoints: str) -> str:
    sns = client("sns")
    topic = sns.create_topic(Name="urgent")["TopicArn"]
    for endpoint in endpoints:
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=endpoint)
    return cast("str", topic)


def shown(topic: str) -> list[str]:
    found = client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return [s["SubscriptionArn"] for s in found]


def test_the_environment_is_all_a_tool_needs(sandbox: Sandbox) -> None:
    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    arn = client("kms").create_key()["KeyMetadata"]["Arn"]
    assert arn.split(":")[3] == REGION
    queue = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert queue == f"{sandbox.endpoint}/123456789012/q"
    client("sqs").send_message(QueueUrl=queue, MessageBody="日本語")
    assert client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "日本語"
    client("events").put_rule(Name="r", EventPattern='{"source": ["x"]}', Tags=[{"Key": "a", "Value": "b"}])
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "a"}])["ResourceTagMappingList"]
    assert [f["ResourceARN"] for f in found] == [f"arn:aws:events:{REGION}:123456789012:rule/r"]


def test_a_child_process_sees_it_and_nothing_of_the_real_configuration(sandbox: Sandbox) -> None:
    child = sandbox.child_environment({"PATH": "/bin", "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "t"})
    assert child == {"PATH": "/bin"} | sandbox.environment
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    ran = subprocess.run([sys.executable, "-c", code], env=child, capture_output=True, text=True, check=True)
    assert ran.stdout == "arn:aws:sts::123456789012:user/moto\n"


def test_it_is_strict(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError) as caught:
        client("kms").create_key(Policy="{")
    assert caught.value.response["Error"]["Code"] == "MalformedPolicyDocumentException"
    assert sandbox.errors == []


def test_the_clock_can_be_moved() -> None:
    moment = 0.0
    with Sandbox(region=REGION, clock=lambda: moment) as sandbox:
        sqs: Any = boto3.client(
            "sqs",
            endpoint_url=sandbox.endpoint,
            region_name=REGION,
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="q")["QueueUrl"])
        with pytest.raises(sqs.exceptions.QueueDeletedRecently):
            sqs.create_queue(QueueName="q")
        moment = 61.0
        sqs.create_queue(QueueName="q")


def test_confirm_in_python(sandbox: Sandbox) -> None:
    topic = subscribed("a@example.com", "b@example.com")
    assert shown(topic) == ["PendingConfirmation"] * 2
    [arn] = sandbox.confirm("b@example.com")
    assert shown(topic) == ["PendingConfirmation", arn]
    with pytest.raises(ShnotifyError):
        sandbox.confirm("b@example.com")


def test_confirm_with_a_click(sandbox: Sandbox) -> None:
    topic = subscribed("a@example.com", "<b>@example.com")
    listed = page(sandbox, "/sandbox/subscriptions")["pending"]
    assert [(p["endpoint"], p["protocol"], p["topic_arn"]) for p in listed] == [
        ("<b>@example.com", "email", topic),
        ("a@example.com", "email", topic),
    ]
    text = page(sandbox, "/sandbox/subscriptions", "text/html")
    assert "&lt;b&gt;@example.com" in text
    assert all(p["confirm"] in text for p in listed)
    assert page(sandbox, listed[1]["confirm"]) == {"confirmed": [listed[1]["arn"]], "error": None}
    assert shown(topic) == [listed[1]["arn"], "PendingConfirmation"]
    with pytest.raises(HTTPError) as again:
        page(sandbox, listed[1]["confirm"], "text/html")
    assert again.value.code == 404
    again.value.close()
    page(sandbox, listed[0]["confirm"])
    assert "Nobody" in page(sandbox, "/sandbox/subscriptions", "text/html")
    assert "<h1>Mailbox</h1>" in page(sandbox, "/", "text/html")


def test_connections_stay_open(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    connection.connect()
    first = connection.sock
    for body in (b"", b"x" * 100_000):
        connection.request("POST", "/sandbox/subscriptions", body)
        reply = connection.getresponse()
        assert (reply.status, reply.version) == (200, 11)
        assert reply.read()
        assert connection.sock is first
    connection.request("POST", "/sandbox/subscriptions", iter([b"chunked ", b"body"]), encode_chunked=True)
    connection.getresponse().read()
    connection.request("HEAD", "/sandbox/subscriptions")
    assert connection.getresponse().read() == b""
    assert connection.sock is first
    connection.close()


def test_many_at_once(sandbox: Sandbox) -> None:
    sns = client("sns")

    def work(number: int) -> int:
        sns.create_topic(Name=f"t{number}", Tags=[{"Key": "a", "Value": "b"}])
        return len(sns.list_topics()["Topics"])

    with ThreadPoolExecutor(16) as pool:
        assert max(pool.map(work, range(64))) <= 64
    assert len(sns.list_topics()["Topics"]) == 64
    assert sandbox.errors == []


def test_it_ends_at_once_and_keeps_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with Sandbox(region=REGION) as sandbox:
            made: Any = boto3.client(
                "sns",
                endpoint_url=sandbox.endpoint,
                region_name=REGION,
                aws_access_key_id="x",
                aws_secret_access_key="x",
                config=Config(retries={"total_max_attempts": 1}),
            )
            assert made.list_topics()["Topics"] == []
            made.create_topic(Name="t")
        with pytest.raises(BotoCoreError):
            made.list_topics()
        assert not any(thread.name == "sandbox" for thread in threading.enumerate())
    assert capfd.readouterr() == ("", "")


def test_a_given_port_and_a_taken_one() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Sandbox(port) as sandbox:
        assert sandbox.endpoint == f"http://127.0.0.1:{port}"
        with pytest.raises(ShnotifyError, match=f"port {port}"), Sandbox(port):
            pass
        assert page(sandbox, "/sandbox/subscriptions") == {"pending": []}


def test_what_breaks_inside_is_kept_for_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Any]:
        raise RuntimeError("on purpose")

    with Sandbox() as sandbox:
        monkeypatch.setattr("moto.moto_server.werkzeug_app.DomainDispatcherApplication.__call__", broken)
        with pytest.raises(HTTPError) as caught:
            page(sandbox, "/anything")
        assert caught.value.code == 500
        caught.value.close()
        assert len(sandbox.errors) == 1


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "moto" else real(name))
    with pytest.raises(ShnotifyError) as caught:
        importlib.reload(shnotify.sandbox)
    assert caught.value.hint
    assert "pip install '.[sandbox]'" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_PROFILE", "nonsense"),
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_DEFAULTS_MODE", "none"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ],
)
def test_what_a_person_has_set_does_not_reach_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The demo used to end here with "the sandbox itself failed": moto asks the SDK, which reads the environment."""
    monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with Sandbox() as found:
        sns = boto3.client("sns", endpoint_url=found.endpoint)
        assert sns.list_topics()["Topics"] == []
        assert boto3.client("kms", endpoint_url=found.endpoint).list_keys()["Keys"] == []
    assert dict(os.environ) == before
