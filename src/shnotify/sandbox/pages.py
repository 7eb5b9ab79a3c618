"""The sandbox's own pages, where a pending subscription can be confirmed as its owner would do it
from the mail.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from shnotify.errors import ShnotifyError
from shnotify.sandbox.subscriptions import confirm_subscription, pending_subscriptions

Answer = tuple[str, list[tuple[str, str]], bytes]


def answer(environ: dict[str, Any]) -> Answer | None:
    """The page that is asked for; None for everything that is not ours but AWS's."""
    path = str(environ.get("PATH_INFO", "")).rstrip("/")
    as_json = "json" in environ.get("HTTP_ACCEPT", "") or "format=json" in environ.get(
        "QUERY_STRING", ""
    )
    if path == "/sandbox/subscriptions" or (
        path == "" and "text/html" in environ.get("HTTP_ACCEPT", "")
    ):
        return _subscriptions(as_json)
    if path == "/sandbox/confirm":
        arn = parse_qs(environ.get("QUERY_STRING", "")).get("arn", [""])[0]
        return _confirm(arn, as_json)
    return None


def _subscriptions(as_json: bool) -> Answer:
    pending = pending_subscriptions()
    links = [f"/sandbox/confirm?arn={quote(p.arn, safe='')}" for p in pending]
    if as_json:
        rows = [
            {
                "topic_arn": p.topic_arn,
                "protocol": p.protocol,
                "endpoint": p.endpoint,
                "arn": p.arn,
                "confirm": link,
            }
            for p, link in zip(pending, links, strict=True)
        ]
        return _json("200 OK", {"pending": rows})
    items = [
        f"<li>{escape(p.endpoint)} ({escape(p.protocol)}) on {escape(p.topic_arn.rsplit(':', 1)[1])}: "
        f'<a href="{escape(link)}">confirm</a></li>'
        for p, link in zip(pending, links, strict=True)
    ]
    listing = (
        f"<ul>{''.join(items)}</ul>" if items else "<p>Nobody has a subscription to confirm.</p>"
    )
    return _html("200 OK", f"<h1>Subscriptions that wait for their owner</h1>{listing}")


def _confirm(arn: str, as_json: bool) -> Answer:
    document: dict[str, Any]
    try:
        document = {"confirmed": confirm_subscription(arn), "error": None}
    except ShnotifyError as error:
        document = {"confirmed": [], "error": error.message}
    status = "404 Not Found" if document["error"] else "200 OK"
    text = document["error"] or f"Confirmed: {arn}"
    if as_json:
        return _json(status, document)
    return _html(
        status,
        f'<p>{escape(text)}</p><p><a href="/sandbox/subscriptions">all pending subscriptions</a></p>',
    )


def _json(status: str, document: object) -> Answer:
    return status, [("Content-Type", "application/json")], json.dumps(document, indent=2).encode()


def _html(status: str, content: str) -> Answer:
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>shnotify sandbox</title>{content}</html>\n"
    return status, [("Content-Type", "text/html; charset=utf-8")], page.encode()
