"""What a subscriber's owner hands over to confirm: the link of SNS's mail, or its bare token. Pure.

SNS sends `https://sns.REGION.amazonaws.com/confirmation.html?TopicArn=...&Token=...` by mail and
`https://sns.REGION.amazonaws.com/?Action=ConfirmSubscription&TopicArn=...&Token=...` as SubscribeURL
to an HTTP endpoint (SNS Developer Guide, SendMessageToHttp.confirm).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from shnotify.errors import UsageError
from shnotify.frozen import frozen

_HOST = re.compile(r"sns(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)")
"""AWS's endpoints of SNS (AWS General Reference, sns)."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}")
_CONFIRMED_NOTHING = "nothing was confirmed"


@frozen
class Confirmation:
    """A token, and the topic that a link names; "" for a bare token."""

    token: str
    topic_arn: str = ""


def confirmation_from(text: str, endpoint: str) -> Confirmation:
    """Reads a confirmation link or a bare token.

    endpoint  the URL of the SNS endpoint in use: a link to it is good as well

    Raises `UsageError` for anything else, such as a link that a mail filter rewrote.
    """
    text = text.strip().strip("<>\"'")
    if "://" not in text:
        return Confirmation(_token(text))
    try:
        link = urlsplit(text)
        ours = _is_sns(link, urlsplit(endpoint))
    except ValueError as error:
        raise UsageError(f"this is no link: {error}", hint=_CONFIRMED_NOTHING) from error
    if not ours:
        raise UsageError(
            f"this link does not lead to SNS but to {link.hostname or 'nowhere'}, so {_CONFIRMED_NOTHING}",
            hint="a mail filter may have rewritten it: copy the text after `Token=` and give that alone",
        )
    given = {name.lower(): value for name, value in parse_qsl(link.query)}
    if not given.get("token") or not given.get("topicarn"):
        raise UsageError(
            "this link has no Token and TopicArn: it is not the one that confirms",
            hint="copy the whole link behind `Confirm subscription`; quote it, for it holds an &",
        )
    return Confirmation(_token(given["token"]), given["topicarn"])


def _is_sns(link: SplitResult, endpoint: SplitResult) -> bool:
    secure = link.scheme == "https" and link.port in (None, 443)
    if secure and _HOST.fullmatch(link.hostname or ""):
        return True
    mine = (endpoint.scheme, endpoint.hostname, endpoint.port)
    return (link.scheme, link.hostname, link.port) == mine


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise UsageError(
            f"this is neither a confirmation link nor a token, so {_CONFIRMED_NOTHING}",
            hint="a token is one long word, the text between `Token=` and the next & of the link",
        )
    return text


def topic_of(given: Confirmation, topics: Mapping[str, str], route: str | None) -> str:
    """Returns the ARN of the topic that a confirmation is for.

    topics  route -> ARN of its topic, of the routes in the file
    route   the one that the person named, or None

    Raises `UsageError` when it is none of ours, or when that cannot be told.
    """
    if route and route not in topics:
        raise UsageError(f"there is no route {route!r}", hint=f"there are {', '.join(topics)}")
    if given.topic_arn:
        wanted = [topics[route]] if route else list(topics.values())
        if given.topic_arn in wanted:
            return given.topic_arn
        whose = f"route {route}'s" if route else "one of this file's"
        raise UsageError(
            f"the link is for {given.topic_arn}, which is not {whose}: {_CONFIRMED_NOTHING}",
            hint="choose the right file (--config), account (--profile) and Region",
        )
    if route or len(topics) == 1:
        return topics[route] if route else next(iter(topics.values()))
    raise UsageError(
        "a bare token does not say for which topic it is",
        hint=f"give the whole link, or --route {'|'.join(topics)}",
    )
