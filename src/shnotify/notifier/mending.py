"""What mends a link of a notifier that shnotify does not manage. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shnotify.arns import name_in
from shnotify.engine.health import Link
from shnotify.notifier.chain import FORMATTER, KEY_OF_OTHERS

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
        return replace(link, mend=_policy(link, passage), evidence=evidence)
    return replace(link, mend=_hint(link, passage) if link.verdict == "broken" else None)


def _policy(link: Link, passage: Passage) -> str:
    """The command that writes the policy which a link is about."""
    match _about(link):
        case "topic-policy":
            command = f"{_set_topic(passage)} --attribute-name Policy --attribute-value"
        case "queue-policy":
            command = (
                f"aws sqs set-queue-attributes --queue-url {_url(_queue(passage))} --attributes"
            )
        case "buffer-policy":
            buffer = name_in(str(passage.target["Arn"]))
            command = f"aws sqs set-queue-attributes --queue-url {_url(buffer)} --attributes"
        case _:
            command = f"aws kms put-key-policy --key-id {_key(link)} --policy-name default --policy"
    return f"{command} ..., with this statement added"


def _hint(link: Link, passage: Passage) -> str | None:
    """The command with which an owner mends a link, where no statement does."""
    if state := link.evidence.get("state"):
        enable = f"aws kms enable-key --key-id {_key(link)}"
        cancel = f"aws kms cancel-key-deletion --key-id {_key(link)}, then {enable}"
        return {"Disabled": enable, "PendingDeletion": cancel}.get(str(state))
    rule = passage.rule.state.name if passage.rule else "RULE"
    put_targets = f"aws events put-targets --rule {rule} --targets ..."
    function = passage.function.state.name if passage.function else "FUNCTION"
    queue = f"--queue-url {_url(_queue(passage))}"
    hints = {
        "pattern": f"aws events put-rule --name {rule} --event-pattern ...; `shnotify match` tries a pattern offline",
        "target": put_targets,
        "transformer": f"{put_targets}, with a template that is JSON whatever the values are",
        "topic-key": f"{_set_topic(passage)} --attribute-name KmsMasterKeyId --attribute-value KEY, a key of your own",
        "queue": f"{put_targets}, with a DeadLetterConfig of a standard queue in this Region",
        "queue-key": f"aws sqs set-queue-attributes {queue} --attributes KmsMasterKeyId=KEY, a key of your own",
        "queue-depth": f"aws sqs receive-message {queue} --message-attribute-names All",
        "formatter": f"aws lambda add-permission --function-name {function} ..., or the policies of its role",
        "subscribers": f"aws sns subscribe --topic-arn {_topic(passage)} --protocol email "
        "--notification-endpoint ADDRESS, and click the link in the mail that comes",
    }
    if link.evidence.get("principal") == FORMATTER and link.id == "topic-key":
        return (
            f"let the role of {function} call kms:Decrypt and kms:GenerateDataKey on {_key(link)}"
        )
    return hints.get(link.id)


def _key(link: Link) -> str:
    return (link.resource or "").removeprefix(KEY_OF_OTHERS)


def _set_topic(passage: Passage) -> str:
    return f"aws sns set-topic-attributes --topic-arn {_topic(passage)}"


def _topic(passage: Passage) -> str:
    return str(passage.topic.outputs["Arn"]) if passage.topic else "TOPIC_ARN"


def _queue(passage: Passage) -> str:
    return passage.queue.state.name if passage.queue else "QUEUE"


def _url(queue: str) -> str:
    return f"$(aws sqs get-queue-url --queue-name {queue} --query QueueUrl --output text)"


def _statement(link: Link, passage: Passage) -> dict[str, Any] | None:
    """The statement that the policy lacks; None where adding one does not help."""
    if "action" not in link.evidence or link.evidence.get("principal") == FORMATTER:
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
