"""`make e2e`: doctor, test, subscriptions and dlq on a notifier in an emulator that delivers.

ministack has no Security Hub, counts nothing in CloudWatch for EventBridge and SNS, and puts no event into a rule's
dead-letter queue: `doctor` says unknown where it cannot see, `why` and `test` end with an error, and the messages in
the queue are made here, as AWS documents them (eb-rule-dlq, invocation-async-retain-records).
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from emulated import ACCOUNT, REGION, SOURCE, emulator, receive, send

__all__ = ["emulator"]
SAMPLES = Path(__file__).parent.parent / "tests" / "data"
PREFIX = f"{REGION}:{ACCOUNT}"
RULE = f"arn:aws:events:{PREFIX}:rule/operated-urgent"
FUNCTION = f"arn:aws:lambda:{PREFIX}:function:operated-urgent-formatter"
TOPIC = f"arn:aws:sns:{PREFIX}:operated-urgent"
INBOX = f"arn:aws:sqs:{PREFIX}:operated-inbox"


@dataclass
class Web:
    """A web server that is subscribed; it keeps what SNS posts to it."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    def token(self) -> str:
        assert self.came.wait(60)
        return str(next(one["Token"] for one in self.posts if one["Type"] == "SubscriptionConfirmation"))


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    found = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            found.came.set()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@dataclass
class Notifier:
    config: Path
    inbox: str

    def run(self, *arguments: str, code: int = 0) -> Any:
        """Runs a command with `-o json`; checks its exit code and returns its document."""
        ran = subprocess.run(
            [sys.executable, "-m", "shnotify", *arguments, "-c", str(self.config), "-o", "json"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == code, ran.stderr + ran.stdout
        return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def notifier(emulator: None, web: Web, tmp_path_factory: pytest.TempPathFactory) -> Notifier:
    inbox = boto3.client("sqs").create_queue(QueueName="operated-inbox")["QueueUrl"]
    config = tmp_path_factory.mktemp("run") / "shnotify.yaml"
    config.write_text(
        f"""\
name: operated
region: {REGION}
routes:
  - name: urgent
    pattern: {{source: [{SOURCE}]}}
    message: {{format: lambda, dedup: none}}
    subscribers:
      - {{protocol: sqs, endpoint: "{INBOX}"}}
      - {{protocol: http, endpoint: "{web.url}"}}
""",
        encoding="utf-8",
    )
    found = Notifier(config, inbox)
    found.run("apply", "--yes")
    return found


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    """The worst verdict of each link."""
    worst = ["ok", "warning", "unknown", "broken"]
    found: dict[str, str] = {}
    for link in document["links"]:
        found[link["id"]] = max(found.get(link["id"], "ok"), link["verdict"], key=worst.index)
    return found


@pytest.mark.timeout(300)
def test_doctor_sees_what_stands_and_says_unknown_of_the_rest(notifier: Notifier) -> None:
    for arguments in ((), ("--rule", "operated-urgent")):
        found = verdicts(notifier.run("doctor", *arguments, code=4))
        assert {link for link, verdict in found.items() if verdict == "broken"} == {"pattern"}  # no finding comes so
        sound = ("rule", "target", "topic-policy", "topic-key", "queue", "queue-policy", "queue-key", "queue-depth")
        assert {found[link] for link in sound if link in found} == {"ok"}
        assert {found[link] for link in ("hub", "home-region", "invocations", "mail-failures")} == {"unknown"}


@pytest.mark.timeout(300)
def test_doctor_names_what_somebody_broke_and_apply_mends_it(notifier: Notifier) -> None:
    events = boto3.client("events")
    events.disable_rule(Name="operated-urgent")
    try:
        for arguments in ((), ("--rule", "operated-urgent")):
            assert verdicts(notifier.run("doctor", *arguments, code=4))["rule"] == "broken"
    finally:
        notifier.run("apply", "--yes")
    assert verdicts(notifier.run("doctor", code=4))["rule"] == "ok"


@pytest.mark.timeout(300)
def test_a_web_hook_is_confirmed_and_gets_what_comes(notifier: Notifier, web: Web) -> None:
    notifier.run("subscriptions", "confirm", web.token(), "--route", "urgent")
    listed = notifier.run("subscriptions", "list")["subscribers"]
    assert {one["protocol"]: (one["state"], one["protected"]) for one in listed} == {
        "sqs": ("confirmed", True),
        "http": ("confirmed", True),
    }
    web.came.clear()
    hops = notifier.run("test", "--direct", "--yes")
    assert [(one["id"], one["verdict"]) for one in hops["hops"]] == [("published", "ok")]
    assert web.came.wait(60)
    assert web.posts[-1]["Type"] == "Notification"
    (mail,) = receive(notifier.inbox, 1)
    assert mail["Message"] == web.posts[-1]["Message"]


@pytest.mark.timeout(300)
def test_where_there_is_no_security_hub_why_and_test_say_so(notifier: Notifier) -> None:
    for arguments in (("why", "a-finding"), ("why", "--last", "3")):
        found = notifier.run(*arguments, code=1)
        assert found["error"]["operation"].startswith("securityhub:")
    assert "no test finding can pass" in notifier.run("test", "--yes", code=2)["error"]["message"]


def put(body: Any, **attributes: str) -> None:
    sqs = boto3.client("sqs")
    told: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    url = sqs.get_queue_url(QueueName="operated-dlq")["QueueUrl"]
    text = body if isinstance(body, str) else json.dumps(body)
    sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=told)


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return {**found, "source": SOURCE, "region": REGION}


@pytest.mark.timeout(300)
def test_what_lies_in_the_queue_is_told_sent_again_kept_and_dropped(notifier: Notifier, tmp_path: Path) -> None:
    first, second = event("cspm-control-s3"), event("cspm-guardduty-ec2")
    send(first)  # so that the function is warm, and what it makes is known
    (before,) = receive(notifier.inbox, 1)
    put(first, RULE_ARN=RULE, TARGET_ARN=FUNCTION, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="not authorized")
    record = {
        "version": "1.0",
        "requestContext": {"functionArn": f"{FUNCTION}:$LATEST", "condition": "RetriesExhausted"},
        "requestPayload": second,
        "responsePayload": {"errorMessage": "1 of 1 failed", "errorType": "DeliveryError"},
    }
    put(record)
    put("hello")
    listed = notifier.run("dlq", "list")
    assert (len(listed["messages"]), listed["unread"]) == (3, 0)
    assert {one["error_code"] for one in listed["messages"]} >= {"NO_PERMISSIONS", "DeliveryError"}
    assert {one["finding"] for one in listed["messages"]} >= {
        one["detail"]["findings"][0]["Id"] for one in (first, second)
    }
    assert len(notifier.run("dlq", "list")["messages"]) == 3  # looking hides nothing
    shown = notifier.run("dlq", "show", listed["messages"][0]["id"])
    assert shown["error"] is None
    assert verdicts(notifier.run("doctor", code=4))["queue-depth"] == "broken"

    kept = tmp_path / "kept.jsonl"
    notifier.run("dlq", "export", str(kept))
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 3

    done = notifier.run("dlq", "redrive", "--yes")
    assert (len(done["sent"]), len(done["kept"])) == (2, 1)
    mails = receive(notifier.inbox, 2)
    assert before["Subject"] in {mail["Subject"] for mail in mails}
    assert len(notifier.run("dlq", "list")["messages"]) == 1

    assert notifier.run("dlq", "purge", "--yes", code=2)["error"]
    notifier.run("dlq", "purge", "--yes", "--exported", str(kept))
    assert notifier.run("dlq", "list")["messages"] == []


@pytest.mark.timeout(300)
def test_somebody_who_is_not_in_the_file_is_listed_and_removed(notifier: Notifier) -> None:
    def listed() -> dict[str, str]:
        found = notifier.run("subscriptions", "list")["subscribers"]
        return {one["endpoint"]: one["state"] for one in found if one["protocol"] == "sqs"}

    stranger = INBOX.replace("inbox", "stranger")
    boto3.client("sqs").create_queue(QueueName="operated-stranger")
    boto3.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=stranger)
    assert listed() == {INBOX: "confirmed", stranger: "unlisted"}
    notifier.run("subscriptions", "remove", INBOX, "--yes", code=2)  # apply would subscribe it again
    notifier.run("subscriptions", "remove", stranger, "--yes")
    assert listed() == {INBOX: "confirmed"}
