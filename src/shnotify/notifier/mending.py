"""What mends a link of a notifier that shnotify does not manage. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shnotify.engine.health import Link

if TYPE_CHECKING:
    from shnotify.notifier.passage import Passage

_SERVICE = {"Service": "events.amazonaws.com"}
_KEY = ["kms:Decrypt", "kms:GenerateDataKey"]


def mended(link: Link, passage: Passage) -> Link:
    """Returns the link with what its owner can do: `apply` mends only what is in a file."""
    if link.verdict == "ok" or (link.mend and not link.mend.startswith("shnotify ")):
        return link
    statement = _statement(link, passage) if link.verdict == "broken" else None
    if statement:
        evidence = {**link.evidence, "statement_to_add": statement}
        return replace(link, mend=_POLICIES[_about(link)], evidence=evidence)
    return replace(link, mend=_HINTS.get(link.id) if link.verdict == "broken" else None)


_POLICIES = {
    "topic-policy": "aws sns set-topic-attributes --attribute-name Policy, with this statement added",
    "topic-key": "aws kms put-key-policy --policy-name default, with this statement added",
    "queue-policy": "aws sqs set-queue-attributes --attributes Policy=..., with this statement added",
    "queue-key": "aws kms put-key-policy --policy-name default, with this statement added",
    "buffer-policy": "aws sqs set-queue-attributes --attributes Policy=..., with this statement added",
    "buffer-key": "aws kms put-key-policy --policy-name default, with this statement added",
}
_HINTS = {
    "pattern": "aws events put-rule --event-pattern ...; `shnotify match` tries a pattern offline",
    "target": "aws events put-targets",
    "transformer": "aws events put-targets, with a template that is JSON whatever the values are",
    "queue": "aws events put-targets, with a DeadLetterConfig of a standard queue in this Region",
    "queue-depth": "aws sqs receive-message --message-attribute-names All",
    "formatter": "aws lambda add-permission, or the role's policies",
    "subscribers": "aws sns subscribe, and click the link in the mail that comes",
    "filter-policy": "aws sns set-subscription-attributes --attribute-name FilterPolicy --attribute-value '{}'",
}


def _statement(link: Link, passage: Passage) -> dict[str, Any] | None:
    """The statement that the policy lacks; None where adding one does not help."""
    if _about(link) not in _POLICIES or "action" not in link.evidence:
        return None
    allow = {"Effect": "Allow", "Principal": _SERVICE}
    rule = passage.rule.outputs["Arn"] if passage.rule else ""
    match _about(link):
        case "topic-policy" if passage.topic:
            return {**allow, "Action": "sns:Publish", "Resource": passage.topic.outputs["Arn"]}
        case "queue-policy" if passage.queue:
            only = {"ArnEquals": {"aws:SourceArn": rule}}
            queue = passage.queue.outputs["Arn"]
            return {**allow, "Action": "sqs:SendMessage", "Resource": queue, "Condition": only}
        case "buffer-policy":
            only = {"ArnEquals": {"aws:SourceArn": rule}}
            buffer = str(passage.target["Arn"])
            return {**allow, "Action": "sqs:SendMessage", "Resource": buffer, "Condition": only}
        case "topic-key" | "queue-key" | "buffer-key":
            return {**allow, "Action": _KEY, "Resource": "*"}
    return None


def _about(link: Link) -> str:
    """Names the policy that a link is about; a buffer's own are links of the formatter."""
    if link.id != "formatter" or link.evidence.get("principal") != _SERVICE["Service"]:
        return link.id
    action = str(link.evidence.get("action", ""))
    buffers = {"sqs": "buffer-policy", "kms": "buffer-key"}
    return buffers.get(action.partition(":")[0], link.id)
