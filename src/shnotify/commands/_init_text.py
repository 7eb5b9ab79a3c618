"""The file that `init` writes, and what of an answer would be wrong in it."""

from __future__ import annotations

import json
import re

from shnotify.frozen import frozen

TEMPLATE = """\
# One file, one notifier: Security Hub findings -> EventBridge -> SNS (encrypted) -> people, with a
# dead-letter queue.
# `shnotify plan` shows what would be made; `shnotify init --full -c all.yaml` writes every field
# with its default. For an editor: `shnotify schema > shnotify.schema.json`, and as the first line
# `yaml-language-server: $schema=shnotify.schema.json`, behind a # and a blank.

{name} # prefix of every name, and the value of the ownership tag
{region} # else AWS_REGION, or the profile's
{account} # refuse any other account
# tags: {{Owner: security-team}}   # on every resource that can carry tags

{encryption}
{queue}
{watchdog}

routes:
  - name: {route}
{source}
    # findings:                  # AND between fields, OR between values; `any`: no filter on it
    #   severity: [CRITICAL, HIGH]
    #   workflow_status: [NEW]
    #   record_state: [ACTIVE]
{taken}{message}
    subscribers:
{subscribers}
"""
_COLUMN = 32
"""Where a field's comment begins."""
_OPTIONS = {
    "name": "--name",
    "region": "--region",
    "account": "--account",
    "routes[0].name": "--route",
    "routes[0].source": "--source",
    "routes[0].topic.name": "--topic",
    "routes[0].rule.name": "--rule",
    "routes[0].message.format": "--mail",
    "routes[0].message.language": "--language",
    "encryption.topic_key": "--topic-key",
    "encryption.topic_key.arn": "--topic-key",
    "encryption.dlq_key": "--dlq-key",
    "encryption.dlq_key.arn": "--dlq-key",
    "dead_letter_queue.name": "--queue",
}
"""A field's path -> the option it is given by; all others are `--email`'s."""
_TYPED = {"--account": "must be twelve digits, such as 123456789012"}
"""What is said of a typed value where the file's advice is about the file: nobody quotes here."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*@[A-Za-z0-9.-]+|[a-z][a-z0-9-]*", re.ASCII)
_WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])
"""What some reader of YAML takes for something else than text."""


@frozen
class Answers:
    """Holds what goes into the file, whether given by options, typed or found.

    topic, rule, queue  the names of things that are there and taken over; "" for new ones
    topic_key, dlq_key  the ARNs of existing keys; "" for new ones
    """

    name: str
    route: str
    emails: tuple[str, ...]
    region: str
    account: str
    mail: str = "summary"
    watchdog: tuple[str, ...] = ()
    language: str = "en"
    source: str = ""
    topic: str = ""
    rule: str = ""
    queue: str = ""
    topic_key: str = ""
    dlq_key: str = ""

    @property
    def adopts(self) -> bool:
        """Whether the file names things that are there already."""
        return bool(self.topic or self.rule or self.queue)

    def text(self) -> str:
        """Writes the file's text. An answer never holds more than a value of its field."""
        region = f"region: {quoted(self.region)}" if self.region else "# region: ap-northeast-1"
        account = (
            f"account: {quoted(self.account)}" if self.account else '# account: "123456789012"'
        )
        return TEMPLATE.format(
            name=f"name: {quoted(self.name)}".ljust(_COLUMN),
            region=region.ljust(_COLUMN),
            account=account.ljust(_COLUMN),
            encryption=self._encryption(),
            queue=self._queue(),
            watchdog=self._watchdog(),
            route=quoted(self.route),
            source=self._source(),
            taken=self._taken(),
            message=self._message(),
            subscribers="\n".join(f"      - {quoted(email)}" for email in self.emails)
            or "      []",
        )

    def _encryption(self) -> str:
        keys = {"topic_key": self.topic_key, "dlq_key": self.dlq_key}
        lines = [f"  {name}: {{arn: {quoted(arn)}}}" for name, arn in keys.items() if arn]
        if lines:
            said = "# existing keys: never created, changed or deleted"
            return "\n".join([f"{'encryption:':<{_COLUMN}} {said}", *lines])
        return "# encryption: false              # no keys of your own (the default: two, 1 USD a month each)"

    def _queue(self) -> str:
        if self.queue:
            said = "# is there: `plan --adopt` takes it over"
            return f"{f'dead_letter_queue: {{name: {quoted(self.queue)}}}':<{_COLUMN}} {said}"
        return "# dead_letter_queue: false       # no queue for what EventBridge could not deliver"

    def _source(self) -> str:
        said = " # cspm, hub (the new Security Hub), both, or auto: what is on"
        written = f"source: {quoted(self.source)}" if self.source else "# source: cspm"
        return f"    {written}".ljust(_COLUMN) + said

    def _taken(self) -> str:
        """Writes the topic and the rule that are taken over."""
        said = "# is there: `plan --adopt` takes it over"
        taken = {"topic": self.topic, "rule": self.rule}
        return "".join(
            f"{f'    {field}: {{name: {quoted(name)}}}':<{_COLUMN}} {said}\n"
            for field, name in taken.items()
            if name
        )

    def _message(self) -> str:
        told = "" if self.language == "en" else f", language: {quoted(self.language)}"
        written = f"message: {{format: {quoted(self.mail)}{told}}}"
        default = self.mail == "summary" and not told
        return (
            f"    {'# ' if default else ''}{written}".ljust(_COLUMN) + " # summary, json or lambda"
        )

    def _watchdog(self) -> str:
        told = ", ".join(quoted(email) for email in self.watchdog)
        if told:
            return (
                f"watchdog: {{subscribers: [{told}]}} # who is told when the notifier itself fails"
            )
        return (
            "# who is told when the notifier itself fails: alarms at 0.10 USD a month each, a sign of life\n"
            "# watchdog: {subscribers: [oncall@example.com]}"
        )

    def problems(self) -> dict[str, str]:
        """Maps each option to what is wrong with its value."""
        from shnotify.config.load import completed
        from shnotify.config.yamlfile import parse
        from shnotify.errors import ConfigError

        try:
            completed(parse(self.text()))
        except ConfigError as error:
            found = {_option(problem.path): problem.message for problem in error.problems}
            return found | {option: _TYPED[option] for option in found if option in _TYPED}
        return {}


def _option(path: str) -> str:
    """Names the option that a field is given by."""
    return "--watchdog" if path.startswith("watchdog") else _OPTIONS.get(path, "--email")


def quoted(text: str) -> str:
    """Writes a text as a YAML value that every reader of YAML takes for text."""
    text = text.encode(
        "utf-8", "backslashreplace"
    ).decode()  # a byte that is no text is no escape of YAML's either
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else json.dumps(text)
