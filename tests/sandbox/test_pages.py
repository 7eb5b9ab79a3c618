"""The sandbox's pages: the mailbox, its links, and the door for findings of AWS's own services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import boto3
import pytest

from shnotify.sandbox import Sandbox

REGION = "ap-northeast-1"
DATA = Path(__file__).parent.parent / "data"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(region=REGION) as opened:
        for name, value in opened.environment.items():
            monkeypatch.setenv(name, value)
        yield opened
        assert opened.errors == []


def get(url: str, accept: str = "application/json") -> Any:
    with urlopen(Request(url, headers={"Accept": accept})) as reply:
        text = reply.read().decode()
    return json.loads(text) if accept == "application/json" else text


def post(sandbox: Sandbox, document: object) -> dict[str, Any]:
    body = json.dumps(document).encode()
    with urlopen(Request(f"{sandbox.endpoint}/sandbox/findings", data=body, method="POST")) as reply:
        found: dict[str, Any] = json.loads(reply.read())
    return found


def topic_with(*addresses: str) -> str:
    sns = boto3.client("sns")
    topic: str = sns.create_topic(Name="urgent")["TopicArn"]
    for address in addresses:
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    return topic


def test_a_mail_can_be_read_and_its_links_clicked(sandbox: Sandbox) -> None:
    box = f"{sandbox.endpoint}/sandbox/mail"
    assert "No mail yet." in get(box, "text/html")
    topic = topic_with("a@example.com")
    [asked] = get(f"{box}?format=json")["mails"]
    assert (asked["to"], asked["kind"], asked["topic_arn"]) == ("a@example.com", "confirmation", topic)
    link = asked["links"]["confirm"]
    assert link in asked["body"]
    assert parse_qs(urlsplit(link).query)["TopicArn"] == [topic]
    [arn] = get(link)["confirmed"]
    boto3.client("sns").publish(TopicArn=topic, Subject="<b>5 & 6</b>", Message='<script>alert("x")</script>\n日本語')
    [_, mail] = get(box)["mails"]
    assert (mail["subject"], mail["body"]) == ("<b>5 & 6</b>", '<script>alert("x")</script>\n日本語')
    assert get(f"{box}/{mail['id']}") == mail
    for page in (get(box, "text/html"), get(f"{box}/{mail['id']}", "text/html")):
        assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in page
        assert "<script>" not in page
    assert get(mail["links"]["unsubscribe"]) == {"unsubscribed": [arn], "error": None}
    assert boto3.client("sns").list_subscriptions()["Subscriptions"] == []


@pytest.mark.parametrize("path", ["/sandbox/mail/99", "/sandbox/unsubscribe?arn=x", "/sandbox/confirm?Token=x"])
def test_what_is_not_there_is_not_found(sandbox: Sandbox, path: str) -> None:
    with pytest.raises(HTTPError) as caught:
        get(sandbox.endpoint + path)
    assert caught.value.code == 404
    caught.value.close()


def test_findings_of_awss_own_services_come_in_by_a_door_of_their_own(sandbox: Sandbox) -> None:
    cspm, hub = (
        json.loads((DATA / f"{name}.json").read_text("utf-8"))["detail"]["findings"][0]
        for name in ("cspm-guardduty-ec2", "hub-guardduty-detection")
    )
    assert post(sandbox, [cspm, hub]) == {"arrived": 2, "error": None}
    assert post(sandbox, cspm) == {"arrived": 0, "error": None}  # no newer than what is there
    client = boto3.client("securityhub")
    assert [f["ProductName"] for f in client.get_findings()["Findings"]] == ["GuardDuty"]
    [found] = client.get_findings_v2()["Findings"]
    assert found["metadata"]["uid"] == hub["metadata"]["uid"]


@pytest.mark.parametrize("body", [b"{", b"{}", b"[1]", b'{"metadata": {}}'])
def test_what_is_no_finding_is_refused(sandbox: Sandbox, body: bytes) -> None:
    request = Request(f"{sandbox.endpoint}/sandbox/findings", data=body, method="POST")
    with pytest.raises(HTTPError) as caught:
        urlopen(request)
    assert caught.value.code == 400
    caught.value.close()
