"""`make e2e`: the sandbox's mailbox in a real browser, from the confirmation link to the mail.

Needs chromium (Debian: apt-get install chromium), or CHROMIUM as the path of one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import boto3
import pytest

from shnotify.sandbox import Sandbox

BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="there is no chromium here: install it, or name one in CHROMIUM"
)
TITLE = '<img src=x onerror="document.title=1">'


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """It points this process to itself, and takes that back at the end."""
    with Sandbox() as opened:
        yield opened
        assert opened.errors == []


def browse(url: str, profile: Path, *more: str) -> str:
    """What the page has become in the browser, as HTML."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    home = {**os.environ, "HOME": str(profile)}
    ran = subprocess.run(
        [str(BROWSER), *options, f"--user-data-dir={profile}", *more, "--dump-dom", url],
        env=home,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def link(page: str, text: str) -> str:
    """Where the first link with this text leads."""
    found = re.search(rf'href="([^"]+)"[^>]*>{re.escape(text)}', page)
    assert found, page
    return unescape(found[1])


@pytest.mark.timeout(300)
def test_a_person_confirms_and_reads(sandbox: Sandbox, tmp_path: Path) -> None:
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="urgent")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")

    box = browse(f"{sandbox.endpoint}/", tmp_path)
    assert "<title>shnotify sandbox</title>" in box
    mail = browse(sandbox.endpoint + link(box, "AWS Notification - Subscription Confirmation"), tmp_path)
    assert "a@example.com" in mail
    assert "Confirmed: arn:aws:sns:" in browse(link(mail, "confirm"), tmp_path)

    sns.publish(TopicArn=topic, Subject="A finding", Message=f"{TITLE}\n日本語 🔒\n{'wide ' * 100}")
    box = browse(f"{sandbox.endpoint}/sandbox/mail", tmp_path)
    mail = browse(sandbox.endpoint + link(box, "A finding"), tmp_path, "--window-size=400,800")
    assert "日本語 🔒" in mail
    assert "<title>shnotify sandbox</title>" in mail, "text of the mail was run as code"
    assert "<img" not in mail

    assert "Unsubscribed: " in browse(link(mail, "unsubscribe"), tmp_path)
    assert sns.list_subscriptions()["Subscriptions"] == []
