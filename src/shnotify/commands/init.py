"""`shnotify init`: writes a commented configuration file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._init_text import Answers, quoted
from shnotify.terminal.options import F, aws_options, settings, takes_one

if TYPE_CHECKING:
    from shnotify.commands._init_look import Look
    from shnotify.terminal.options import Options
    from shnotify.terminal.screen import Screen

_TAKEN = ("topic", "rule", "queue", "topic_key", "dlq_key")
"""The answers about what is there already."""


def _people(option: str, name: str, text: str) -> Callable[[F], F]:
    """Makes an option for addresses."""
    return click.option(
        option, name, multiple=True, metavar="ADDRESS", help=f"{text}; may be given several times."
    )


def _there(option: str, metavar: str, text: str) -> Callable[[F], F]:
    """Makes an option for something that is there already."""
    return click.option(option, default="", metavar=metavar, help=text)


@click.command("init")
@click.option("--name", default="security-alerts", show_default=True, help="Name of the notifier.")
@_people("--email", "emails", "Who is told")
@click.option("--route", default="urgent", show_default=True, help="Name of the route.")
@click.option("--account", default="", help="Twelve digits: refuse any other account.")
@click.option("--source", default="", help="Which Security Hub: cspm, hub, both or auto.")
@click.option("--full", is_flag=True, help="Write every field with its default.")
@click.option(
    "--mail", default="summary", show_default=True, help="Which mail: summary, json or lambda."
)
@click.option(
    "--language",
    default="en",
    show_default=True,
    help="Language of the mails: en or ja; not with --mail json.",
)
@_people("--watchdog", "told", "Who is told when the notifier itself fails")
@_there("--rule", "NAME", "Take over this rule, with its topic, its queue and their keys.")
@_there("--topic", "NAME", "Take over this topic.")
@_there("--queue", "NAME", "Take over this dead-letter queue.")
@_there("--topic-key", "KEY", "Use this KMS key for the topics: an alias, or an ARN.")
@_there("--dlq-key", "KEY", "Use this KMS key for the dead-letter queue.")
@click.option("--offline", is_flag=True, help="Ask nothing of AWS; suggest and plan nothing.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@aws_options
def command(
    name: str,
    emails: tuple[str, ...],
    route: str,
    account: str,
    source: str,
    full: bool,
    mail: str,
    language: str,
    told: tuple[str, ...],
    offline: bool,
    force: bool,
    **options: Any,
) -> int:
    """Writes a commented configuration file, and shows the plan for it.

    Asks on a terminal unless --email or --full is given. With credentials it looks where Security
    Hub is on, suggests the home Region, and names existing rules, topics and keys that could be
    taken over; without them it works all the same. Never overwrites without --force.

    --full writes the whole example: every field with its default, and secops@example.com for whom
    --email does not name.
    """
    from shnotify.commands._init_look import Look
    from shnotify.errors import UsageError
    from shnotify.terminal.screen import Screen

    taken = {field: options.pop(field) for field in _TAKEN}
    chosen = settings(**options)
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    takes_one(len(chosen.configs))
    _free(chosen.configs[0], force=force)  # a directory is refused, whatever is in it
    region = chosen.region or ""
    answers = Answers(name, route, emails, region, account, mail, told, language, source, **taken)
    asks = not emails and not full and screen.can_ask
    if full:
        answers = replace(answers, emails=emails or ("secops@example.com",))
    if not answers.emails and not asks:
        raise UsageError("nobody to tell: give --email ADDRESS, once for each person")
    _judge(answers, full=full)
    look = Look(chosen, screen)
    if not offline and (emails or not full):
        look.begin()
    answers = look.suggested(answers)
    if asks:
        answers = _uninterrupted(screen, answers, look)
    elif not full:
        look.at(answers.region)
    answers = look.completed(answers)
    _judge(answers, full=full)
    _write(chosen.config, _text(answers, full=full), force=force)
    return _end(chosen, screen, answers, look)


def _judge(answers: Answers, *, full: bool) -> None:
    """Raises `UsageError` for all that is wrong, by option."""
    from shnotify.errors import UsageError

    if full and (given := [field for field in _TAKEN if getattr(answers, field)]):
        named = ", ".join(f"--{field.replace('_', '-')}" for field in given)
        raise UsageError(f"{named} cannot go with --full, which writes the names of new things")
    aliases: Any = {
        key: "" for key in ("topic_key", "dlq_key") if getattr(answers, key).startswith("alias/")
    }
    if problems := replace(answers, **aliases).problems():
        raise UsageError("; ".join(f"{option}: {problem}" for option, problem in problems.items()))


def _text(answers: Answers, *, full: bool) -> str:
    from shnotify.commands._example import filled

    return filled(answers, quoted) if full else answers.text()


def _uninterrupted(screen: Screen, answers: Answers, look: Look) -> Answers:
    """Asks; whoever ends it by Ctrl-C is told that the answers are gone."""
    from shnotify.commands._init_ask import asked

    try:
        return asked(screen, answers, look.at)
    except KeyboardInterrupt as interrupt:
        screen.say("")  # the question's line has no end
        interrupt.hint = "nothing was written, and the answers are gone"  # type: ignore[attr-defined]
        raise


def _end(chosen: Options, screen: Screen, answers: Answers, look: Look) -> int:
    """Says that the file is written, and shows the plan for it where AWS can be asked."""
    adopt = " --adopt" if answers.adopts else ""
    wrote = f"Wrote {chosen.config}."
    plan = None
    if look.scope is None:
        screen.result(f"{wrote} Next: `shnotify plan{adopt}`, then `shnotify apply{adopt}`.")
    else:
        screen.result(wrote)
        screen.result()
        try:
            plan = _planned(chosen, answers)
        except KeyboardInterrupt as interrupt:
            interrupt.hint = f"{chosen.config} is written"  # type: ignore[attr-defined]
            raise
        screen.result()
        screen.result(f"Next: `shnotify apply{adopt}`." if plan else "Next: `shnotify plan`.")
    found = {
        "file": str(chosen.config),
        "name": answers.name,
        "account": answers.account or None,
        "region": answers.region or None,
        "found": look.to_json(),
        "not_asked": look.why or None,
        "plan": plan,
        "error": None,
    }
    screen.document(found)
    return screen.code(0)


def _planned(chosen: Options, answers: Answers) -> dict[str, Any] | None:
    """Shows the plan for the file and returns its document; None when there can be none.

    The file is written, whatever becomes of the plan.
    """
    from shnotify.commands._opening import session
    from shnotify.commands.plan import shown
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.needs import PLAN
    from shnotify.terminal.screen import Screen

    try:
        with session(chosen, besides=PLAN) as run:
            plan, error = shown(run, adopt=answers.adopts)
            if error:
                run.screen.warn(error.message)
            return run.plan_document(plan, error=error)
    except ShnotifyError as error:
        screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
        screen.warn(f"there is no plan yet: {error.message}")
        return None


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
