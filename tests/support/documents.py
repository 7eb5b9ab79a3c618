"""The reference pages that are made from the tool: the fields of the file, and the commands' helps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from shnotify.arns import Scope
from shnotify.config.jsonschema import json_schema
from shnotify.engine.values import Policy
from shnotify.resources import policies
from shnotify.terminal import language
from shnotify.terminal.help import grouped

Schema = dict[str, Any]
FIELDS_HEAD = """\
# The configuration file, field by field

Made from the tool (`shnotify schema`): what may be written, and what stands for a field that is left out. A default
that is made from other fields, such as a topic's name, stands in `config.example.yaml`, which `shnotify init --full`
writes. Durations are `30s`, `5m`, `24h`, `4d` or a whole number of seconds, sizes `256KiB` or bytes. A section that is
left out, or `null`, has its defaults.
"""
COMMANDS_HEAD = {
    "en": (
        "# The commands\n\nMade from the tool: what `shnotify COMMAND --help` says. Options stand after the command.\n"
    ),
    "ja": (
        "# コマンド\n\nツールから作成したものです (`shnotify COMMAND --help --lang ja` の出力)。"
        "オプションはコマンドの後に書きます。\n"
    ),
}


# -- the file --------------------------------------------------------------------------------------


def fields() -> str:
    """Writes the page about the file."""
    schema = json_schema()
    return "\n".join([FIELDS_HEAD, *_section(schema, schema, "", {})]).rstrip() + "\n"


def _section(whole: Schema, section: Schema, path: str, written: dict[int, str]) -> Iterator[str]:
    """Writes a section's table, and then those of the sections in it.

    written  what stands on the page already: a section -> where
    """
    if (before := written.setdefault(id(section), path)) != path:
        yield f"## `{path}`\n\nThe fields of `{before}`.\n"
        return
    yield f"## `{path}`\n" if path else "## The file\n"
    if path and (told := section.get("description")):
        yield f"{_prose(told)}\n"
    yield "| field | what may be written | default | what it is |"
    yield "| --- | --- | --- | --- |"
    below: list[tuple[str, str, Schema]] = []
    for name, found in section["properties"].items():
        inner = _sections_in(whole, found)
        at = f"{path}.{name}" if path else name
        lists = any("items" in one for one in _choices(found))
        listed = lists and any("$ref" in one.get("items", {}) for one in _choices(found))
        below += [(f"{at}{'[]' if listed else ''}", title, one) for title, one in inner]
        needed = " (required)" if name in section.get("required", ()) else ""
        default = f"`{json.dumps(found['default'], ensure_ascii=False)}`" if "default" in found else ""
        told = _prose(found.get("description", ""))
        yield f"| `{name}`{needed} | {_written(whole, found)} | {default} | {told} |"
    yield ""
    for at, title, one in below:
        yield from _section(whole, one, at + title, written)


def _choices(found: Schema) -> list[Schema]:
    """Lists what a field may be, however the choice is written."""
    choices = found.get("anyOf") or found.get("oneOf")
    return [one for choice in choices for one in _choices(choice)] if choices else [found]


def _sections_in(whole: Schema, found: Schema) -> list[tuple[str, Schema]]:
    """Lists the sections that a field is, or is a list of: (what tells it from its others, section)."""
    names = []
    for one in _choices(found):
        inner = [one, *_choices(one.get("items", {}))]
        names += [each["$ref"].rpartition("/")[2] for each in inner if "$ref" in each]
    known = {name: whole["$defs"][name] for name in dict.fromkeys(names)}
    needed = {name: ", ".join(section.get("required", ["a new one"])) for name, section in known.items()}
    return [(f": {needed[name]}" if len(known) > 1 else "", section) for name, section in known.items()]


def _written(whole: Schema, found: Schema) -> str:
    """Says in words what may be written for a field."""
    words: list[str] = []
    for one in _choices(found):
        if "$ref" in one:
            words.append("a section")
        elif one.get("const"):
            words.append(f"`{one['const']}`")
        elif one.get("enum"):
            words.append(", ".join(f"`{value}`" for value in one["enum"]))
        elif one.get("type") == "array":
            words.append(f"a list of {_written(whole, one['items'])}")
        elif one.get("type") == "object":
            words.append("a mapping")
        elif one.get("type") == ["boolean", "null"]:
            words.append("`false`")
        elif one.get("type") != "null":
            words.append(_scalar(one))
        if "$ref" in one and one["$ref"].endswith("/Subscriber"):
            words[-1] = "`{protocol, endpoint}`"
    return " or ".join(dict.fromkeys(words)) or "`null`"


def _scalar(one: Schema) -> str:
    kind = one.get("type")
    if kind == ["string", "integer"]:
        return "a size" if "KiB" in one["pattern"] else "a duration"
    if kind == "integer" and "minimum" in one:
        return f"{one['minimum']} to {one['maximum']}"
    return {"boolean": "`true`, `false`", "integer": "a number", "string": "text"}.get(str(kind), str(kind))


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("{", "\\{")


# -- the commands ----------------------------------------------------------------------------------


def commands(name: str = "en") -> str:
    """Writes the page about the commands, with the helps in a language."""
    from shnotify import cli

    language.choose(["--lang", name], {})
    try:
        names = ["-h", "--help"]
        context = click.Context(cli.cli, info_name="shnotify", terminal_width=100, help_option_names=names)
        parts = [COMMANDS_HEAD[name]]
        for title, listed in grouped(cli.COMMANDS).items():
            parts.append(f"## {language.tr(title)}\n")
            for one in listed:
                command = cli.cli.get_command(context, one)
                assert command
                parts += _command(command, context, one)
        return "\n".join(parts)
    finally:
        language.choose([], {})


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    inner = click.Context(command, parent=parent, info_name=name, max_content_width=100, terminal_width=100)
    path = inner.command_path.removeprefix("shnotify ")
    yield f"{'###' if ' ' not in path else '####'} {path}\n"
    yield f"```text\n{command.get_help(inner).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            yield from _command(one, inner, below)


# -- the policies ----------------------------------------------------------------------------------

POLICIES_HEAD = """\
# The policies, statement by statement

Made from the tool: every statement that shnotify writes, with why it is so and where AWS says it. In a policy only
these statements are ours, by Sid; those of others stay. `shnotify plan -v` shows them for your file.
"""
_HERE = Scope("aws", "eu-west-1", "123456789012")
_USES = policies.Uses("LOG-GROUP", "TOPIC", "TOPIC-KEY", "QUEUE", "QUEUE-KEY", ("HUB",), "BUFFER", counts=True)
_WHY = {
    policies.KEY_ROOT_SID: "IAM decides in the account; without it nobody could manage the key (key-policy-default)",
    policies.KEY_SID: "EventBridge encrypts what it sends to the topic or the queue. No condition: AWS supports none "
    "for a topic's key (sns-key-management), and documents none for the queue of a rule",
    policies.SNS_KEY_SID: "SNS encrypts what it could not deliver "
    "(sns-dead-letter-queues, sns-enable-encryption-for-topic-sqs-queue-subscriptions)",
    "__default_statement_ID": "SNS's own default, as CreateTopic writes it: the account itself",
    policies.TOPIC_SID: "the rule publishes. No condition: AWS's pages contradict each other on one here "
    "(eb-use-resource-based, sns-access-policy-use-cases)",
    policies.ALARM_SID: "this account's alarms tell the watchdog's topic (sns-access-policy-use-cases)",
    policies.QUEUE_SID: "EventBridge leaves what exactly these rules could not deliver (eb-rule-dlq)",
    policies.SNS_QUEUE_SID: "SNS leaves what exactly these topics could not deliver (sns-configure-dead-letter-queue)",
    policies.FUNCTION_SID: "exactly this rule invokes the formatter (API_AddPermission)",
    "Lambda": "Lambda takes the formatter's role (lambda-intro-execution-role)",
    "Scheduler": "EventBridge Scheduler takes the heartbeat's role, for this account's schedules only "
    "(cross-service-confused-deputy-prevention)",
    "Send": "the heartbeat is an event (API_PutEvents)",
    "Keep": "a heartbeat that could not be sent is kept",
    "OnlyTls": "no call without TLS (sqs-security-best-practices)",
    "Logs": "the function writes its log; not CreateLogGroup: a group that was deleted must not come back by itself",
    "Publish": "the function sends the mail",
    "TopicKey": "the topic is encrypted with this key (sns-key-management)",
    "DeadLetters": "what the function failed with ends in the queue (invocation-async-error-handling)",
    "DlqKey": "the queue is encrypted with this key",
    "Findings": "what was mailed becomes NOTIFIED; both APIs ask for it (API_BatchUpdateFindingsV2); "
    "with `dedup: notified`",
    "CountMailed": "a heartbeat says how many findings were mailed since the last one (API_FilterLogEvents)",
    "CountLost": "and how many were lost (API_GetMetricData, which takes no resource)",
    "CountWaiting": "and how many wait in the dead-letter queue (API_GetQueueAttributes)",
    "CountSubscribers": "and how many subscribers have confirmed (API_GetTopicAttributes)",
    policies.BUFFER_SID: "Lambda takes findings from the buffer queue (with-sqs); with `fold:`",
}
_WRITTEN: dict[str, Policy] = {
    "The topics' key": policies.key_policy(_HERE),
    "The dead-letter queue's key": policies.queue_key_policy(_HERE, undelivered_mail=True),
    "A route's topic": policies.topic_policy(_HERE, "TOPIC"),
    "The dead-letter queue": policies.queue_policy("QUEUE", ["RULE"], ["TOPIC"]),
    "The formatter's function (`format: lambda`)": policies.function_policy("FUNCTION", "RULE"),
    "The formatter's role: who takes it": policies.role_trust(),
    "The formatter's role: what it may do": policies.role_policy(_USES),
    "The buffer and the heartbeat's queue": policies.only_encrypted("QUEUE"),
    "The watchdog's topic": policies.alarm_topic_policy(_HERE, "TOPIC"),
    "The heartbeat's role: who takes it": policies.scheduler_trust(_HERE),
    "The heartbeat's role: what it may do": policies.heartbeat_policy("BUS", "QUEUE"),
}


def statements() -> str:
    """Writes the page about the policies."""
    lines = [POLICIES_HEAD]
    for title, policy in _WRITTEN.items():
        lines += [f"## {title}\n", "| statement | why |", "| --- | --- |"]
        lines += [_statement(one) for one in policy.statements]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _statement(one: dict[str, Any]) -> str:
    who = one.get("Principal") or "the role"
    who = ", ".join(map(str, who.values())) if isinstance(who, dict) else who
    actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
    condition = "; ".join(
        f"{operator} {key} {value}"
        for operator, keys in one.get("Condition", {}).items()
        for key, value in keys.items()
    )
    what = ", ".join(f"`{action}`" for action in actions)
    resource = one.get("Resource", "the role")
    on = resource if isinstance(resource, str) else ", ".join(resource)
    may = "may not" if one["Effect"] == "Deny" else "may"
    who = {"*": "everybody"}.get(who, who)
    told = f"**{one['Sid']}**: {who} {may} {what} on {on.replace('*', 'everything')}"
    return f"| {told}{f', if {condition}' if condition else ''} | {_WHY[one['Sid']]} |"
