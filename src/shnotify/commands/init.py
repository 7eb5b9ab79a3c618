"""`shnotify init`: writes a commented configuration file."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.escaping import escaped
from shnotify.terminal.options import config_option, output_options, settings

if TYPE_CHECKING:
    from shnotify.terminal.screen import Screen

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

# encryption: false              # no customer-managed keys at all (the default makes two, 1 USD a
# month each)
# dead_letter_queue: false       # no queue for what EventBridge could not deliver
{watchdog}

routes:
  - name: {route}
    # findings:                  # AND between fields, OR between a field's values; `any` = no
    # filter on it
    #   severity: [CRITICAL, HIGH]
    #   workflow_status: [NEW]
    #   record_state: [ACTIVE]
{message}
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
    "routes[0].message.format": "--mail",
}
"""A field's path -> the option it is given by; all others are `--email`'s."""
_TYPED = {"--account": "must be twelve digits, such as 123456789012"}
"""What is said of a typed value where the file's advice is about the file: nobody quotes here."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*@[A-Za-z0-9.-]+|[a-z][a-z0-9-]*", re.ASCII)
_WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])
"""What some reader of YAML takes for something else than text."""


@dataclass(frozen=True)
class Answers:
    """Holds what goes into the file, whether given by options or typed."""

    name: str
    route: str
    emails: tuple[str, ...]
    region: str
    account: str
    mail: str = "summary"
    watchdog: tuple[str, ...] = ()

    def text(self) -> str:
        """Writes the file's text. An answer never holds more than a value of its field."""
        region = f"region: {_quoted(self.region)}" if self.region else "# region: ap-northeast-1"
        account = (
            f"account: {_quoted(self.account)}" if self.account else '# account: "123456789012"'
        )
        return TEMPLATE.format(
            name=f"name: {_quoted(self.name)}".ljust(_COLUMN),
            region=region.ljust(_COLUMN),
            account=account.ljust(_COLUMN),
            route=_quoted(self.route),
            watchdog=self._watchdog(),
            message=f"{'    # ' if self.mail == 'summary' else '    '}message: {{format: {_quoted(self.mail)}}}".ljust(
                _COLUMN
            )
            + " # summary, json or lambda",
            subscribers="\n".join(f"      - {_quoted(email)}" for email in self.emails)
            or "      []",
        )

    def _watchdog(self) -> str:
        told = ", ".join(_quoted(email) for email in self.watchdog)
        if told:
            return (
                f"watchdog: {{subscribers: [{told}]}} # who is told when the notifier itself fails"
            )
        return (
            "# watchdog: {subscribers: [oncall@example.com]}   # who is told when the notifier itself\n"
            "# fails: alarms at 0.10 USD a month each, and a sign of life"
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


@click.command("init")
@click.option("--name", default="security-alerts", show_default=True, help="Name of the notifier.")
@click.option(
    "--email",
    "emails",
    multiple=True,
    metavar="ADDRESS",
    help="Who is told; may be given several times.",
)
@click.option("--route", default="urgent", show_default=True, help="Name of the route.")
@click.option("--account", default="", help="Twelve digits: refuse any other account.")
@click.option("--region", default="", help="AWS Region.")
@click.option("--full", is_flag=True, help="Write every field with its default.")
@click.option(
    "--mail", default="summary", show_default=True, help="Which mail: summary, json or lambda."
)
@click.option(
    "--watchdog",
    "told",
    multiple=True,
    metavar="ADDRESS",
    help="Who is told when the notifier itself fails; may be given several times.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@config_option
@output_options
def command(
    name: str,
    emails: tuple[str, ...],
    route: str,
    account: str,
    region: str,
    full: bool,
    mail: str,
    told: tuple[str, ...],
    force: bool,
    **options: Any,
) -> int:
    """Writes a commented configuration file.

    Asks on a terminal unless --email or --full is given. Never overwrites without --force. --full
    writes the whole example: every field with its default, and secops@example.com for whom --email
    does not name.
    """
    from shnotify.commands._example import filled
    from shnotify.errors import UsageError
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    _free(chosen.config, force=force)
    answers = Answers(name, route, emails, region, account, mail, told)
    if not emails and not full and screen.can_ask:
        answers = _uninterrupted(screen, answers)
    if full:
        answers = replace(answers, emails=emails or ("secops@example.com",))
    if not answers.emails:
        raise UsageError("nobody to tell: give --email ADDRESS, once for each person")
    if problems := answers.problems():
        raise UsageError("; ".join(f"{option}: {problem}" for option, problem in problems.items()))
    _write(chosen.config, filled(answers, _quoted) if full else answers.text(), force=force)
    screen.document({"file": str(chosen.config), "name": answers.name, "error": None})
    screen.result(f"Wrote {chosen.config}. Next: `shnotify plan`, then `shnotify apply`.")
    return 0


def _quoted(text: str) -> str:
    import json

    text = text.encode(
        "utf-8", "backslashreplace"
    ).decode()  # a byte that is no text is no escape of YAML's either
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else json.dumps(text)


def _uninterrupted(screen: Screen, answers: Answers) -> Answers:
    """Asks; whoever ends it by Ctrl-C is told that the answers are gone."""
    try:
        return _asked(screen, answers)
    except KeyboardInterrupt as interrupt:
        screen.say("")  # the question's line has no end
        interrupt.hint = "nothing was written, and the answers are gone"  # type: ignore[attr-defined]
        raise


def _asked(screen: Screen, answers: Answers) -> Answers:
    """Asks a person for the answers, and checks each before the next question."""
    questions = (
        ("name", "Name of the notifier", answers.name),
        ("emails", "Who is told (e-mail addresses, with spaces between)", ""),
        ("region", "AWS Region (none: AWS_REGION, or the profile's)", answers.region or "none"),
        ("account", "Account id (any other is then refused)", answers.account or "none"),
        ("mail", "Which mail: summary, json or lambda", answers.mail),
    )
    for field, question, default in questions:
        if field == "mail":
            _show_mails(screen)
        answers = _answered(
            screen, answers, field, f"{question}{f' [{default}]' if default else ''}:", default
        )
    return answers


def _show_mails(screen: Screen) -> None:
    """Shows one finding as each kind of mail, and what each kind takes."""
    from shnotify.mail.example import COSTS, examples

    for form, (subject, body) in examples().items():
        screen.say(f"\n{form}: {COSTS[form]}")
        for line in (f"Subject: {subject}", *body):
            screen.say(escaped(f"  {line}" if len(line) <= _WIDTH else f"  {line[:_WIDTH]}..."))
    screen.say("")


_WIDTH = 92
"""Characters of a mail's line that are shown."""


def _answered(screen: Screen, answers: Answers, field: str, question: str, default: str) -> Answers:
    from shnotify.errors import UsageError

    while typed := screen.line(question):
        text = typed.strip() or default
        if not text:
            continue
        value: Any = (
            tuple(text.replace(",", " ").split())
            if field == "emails"
            else ""
            if text == "none"
            else text
        )
        answered = replace(answers, **{field: value})
        if not (problem := answered.problems().get(f"--{field.removesuffix('s')}")):
            return answered
        screen.say(escaped(f"  {problem}"))
    screen.say("")  # the question's line has no end
    raise UsageError("stopped, as you said; nothing was written")


def _free(path: Path, *, force: bool) -> None:
    """Raises UsageError when a file stands there that may not be overwritten."""
    from shnotify.errors import UsageError

    if not os.path.lexists(path):
        return
    if not force:
        raise UsageError(
            f"{path} exists already", hint="--force overwrites it, --config names another"
        )
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a regular file", hint="--config names another")


def _umask() -> int:
    """Reads the user's umask, which Python can only read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write(path: Path, text: str, *, force: bool) -> None:
    """Writes the file in one step: afterwards the file is as before or complete.

    A link's target is written.
    """
    from shnotify.errors import ShnotifyError

    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".shnotify-", suffix=".yaml")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if target.exists():
                shutil.copymode(target, name)
            else:
                os.chmod(name, 0o666 & ~_umask())
            _free(path, force=force)  # nobody wrote it while we asked
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise ShnotifyError(f"{path} could not be written: {error.strerror}") from error
