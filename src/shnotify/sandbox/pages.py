"""The sandbox's own pages: the mailbox, and the links that a person would click in a mail."""

from __future__ import annotations

import json
import os
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from shnotify.errors import ShnotifyError
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.findingstore import FindingError
from shnotify.sandbox.mailbox import Mail, mails
from shnotify.sandbox.rows import LOCK
from shnotify.sandbox.schedules import fire, schedules
from shnotify.sandbox.subscriptions import (
    confirm_subscription,
    pending_subscriptions,
    unsubscribe,
)

Answer = tuple[str, list[tuple[str, str]], bytes]
_ACCOUNT = "123456789012"
"""moto's account."""


def answer(environ: dict[str, Any]) -> Answer | None:
    """The page that is asked for; None for everything that is not ours but AWS's."""
    path = str(environ.get("PATH_INFO", "")).rstrip("/")
    as_json = "json" in environ.get("HTTP_ACCEPT", "") or "format=json" in environ.get(
        "QUERY_STRING", ""
    )
    if path == "" and "text/html" in environ.get("HTTP_ACCEPT", ""):
        path = "/sandbox/mail"
    if not path.startswith("/sandbox/"):
        return None
    asked = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    with LOCK:
        return _page(path, asked, as_json, environ)


def _page(
    path: str, asked: dict[str, str], as_json: bool, environ: dict[str, Any]
) -> Answer | None:
    if path == "/sandbox/subscriptions":
        return _subscriptions(as_json)
    if path == "/sandbox/confirm":
        return _confirm(asked.get("Token") or asked.get("arn", ""), as_json)
    if path == "/sandbox/unsubscribe":
        return _unsubscribe(asked.get("arn", ""), as_json)
    if path == "/sandbox/schedules":
        return _schedules(as_json)
    if path == "/sandbox/fire":
        return _fire(asked.get("arn", ""), as_json)
    if path == "/sandbox/mail":
        return _mailbox(as_json)
    if path.startswith("/sandbox/mail/"):
        return _mail(path.rpartition("/")[2], as_json)
    if path == "/sandbox/findings" and environ.get("REQUEST_METHOD") == "POST":
        return _arrived(environ["wsgi.input"].read(), asked)
    return None


# -- subscriptions ---------------------------------------------------------------------------------


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


def _confirm(which: str, as_json: bool) -> Answer:
    document: dict[str, Any]
    try:
        document = {"confirmed": confirm_subscription(which), "error": None}
    except ShnotifyError as error:
        document = {"confirmed": [], "error": error.message}
    return _said(document, f"Confirmed: {', '.join(document['confirmed'])}", as_json)


def _unsubscribe(arn: str, as_json: bool) -> Answer:
    document: dict[str, Any]
    try:
        unsubscribe(arn)
        document = {"unsubscribed": [arn], "error": None}
    except ShnotifyError as error:
        document = {"unsubscribed": [], "error": error.message}
    return _said(document, f"Unsubscribed: {arn}", as_json)


def _said(document: dict[str, Any], text: str, as_json: bool) -> Answer:
    status = "404 Not Found" if document["error"] else "200 OK"
    if as_json:
        return _json(status, document)
    return _html(status, f"<p>{escape(document['error'] or text)}</p>")


# -- schedules -------------------------------------------------------------------------------------


def _schedules(as_json: bool) -> Answer:
    found = [(each, f"/sandbox/fire?arn={quote(each.arn, safe='')}") for each in schedules()]
    if as_json:
        rows = [
            {"arn": each.arn, "expression": each.schedule_expression, "fire": link}
            for each, link in found
        ]
        return _json("200 OK", {"schedules": rows})
    items = [
        f"<li>{escape(each.name)}: {escape(each.schedule_expression)} "
        f'<a href="{escape(link)}">fire now</a></li>'
        for each, link in found
    ]
    listing = f"<ul>{''.join(items)}</ul>" if items else "<p>No schedule.</p>"
    return _html("200 OK", f"<h1>Schedules, which wait for nothing here but you</h1>{listing}")


def _fire(arn: str, as_json: bool) -> Answer:
    document: dict[str, Any]
    try:
        document = {"fired": fire(arn), "error": None}
    except ShnotifyError as error:
        document = {"fired": None, "error": error.message}
    return _said(document, str(document["fired"]), as_json)


# -- mail ------------------------------------------------------------------------------------------


def _mailbox(as_json: bool) -> Answer:
    found = mails()
    if as_json:
        return _json("200 OK", {"mails": [mail.to_json() for mail in found]})
    rows = "".join(
        f"<tr><td>{escape(mail.sent[:16].replace('T', ' '))}</td><td>{escape(mail.to)}</td>"
        f'<td><a href="/sandbox/mail/{mail.id}">{escape(mail.subject)}</a></td></tr>'
        for mail in reversed(found)
    )
    head = "<tr><th>sent</th><th>to</th><th>subject</th></tr>"
    listing = f"<table>{head}{rows}</table>" if found else "<p>No mail yet.</p>"
    return _html("200 OK", f"<h1>Mailbox</h1>{listing}")


def _mail(number: str, as_json: bool) -> Answer:
    mail = next((each for each in mails() if str(each.id) == number), None)
    if mail is None:
        return _said({"error": "there is no such mail"}, "", as_json)
    if as_json:
        return _json("200 OK", mail.to_json())
    return _html("200 OK", _letter(mail))


def _letter(mail: Mail) -> str:
    lines = {"to": mail.to, "sent": mail.sent, "topic": mail.topic_arn}
    head = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in lines.items())
    links = " ".join(
        f'<a id="{name}" href="{escape(link)}">{name}</a>' for name, link in mail.links.items()
    )
    return (
        f"<h1>{escape(mail.subject)}</h1><dl>{head}</dl>"
        f"<pre>{escape(mail.body)}</pre><p>{links}</p>"
    )


# -- findings of AWS's own services ----------------------------------------------------------------


def _arrived(body: bytes, asked: dict[str, str]) -> Answer:
    """Takes findings, ASFF or OCSF, as GuardDuty or the new Security Hub itself would bring them."""
    region = asked.get("region") or os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
    try:
        given = json.loads(body)
        findings = given if isinstance(given, list) else [given]
        news = [arrive(_ACCOUNT, region, finding) for finding in findings]
    except (ValueError, KeyError, TypeError, FindingError) as error:
        return _json("400 Bad Request", {"arrived": 0, "error": str(error)})
    return _json("200 OK", {"arrived": sum(news), "error": None})


# -- answers ---------------------------------------------------------------------------------------


def _json(status: str, document: object) -> Answer:
    return status, [("Content-Type", "application/json")], json.dumps(document, indent=2).encode()


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}
tr+tr{border-top:1px solid #ccc}pre{background:#f4f4f4;padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere}
dt{float:left;width:4rem;color:#555}dd,h1,li,p{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}pre{background:#222}a{color:#8bf}dt{color:#aaa}}
"""
_NAVIGATION = (
    '<nav><a href="/sandbox/mail">mailbox</a> · '
    '<a href="/sandbox/subscriptions">subscriptions to confirm</a> · '
    '<a href="/sandbox/schedules">schedules</a></nav>'
)


def _html(status: str, content: str) -> Answer:
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width"><title>shnotify sandbox</title>'
        f"<style>{_STYLE}</style>{_NAVIGATION}{content}</html>\n"
    )
    return status, [("Content-Type", "text/html; charset=utf-8")], page.encode()
