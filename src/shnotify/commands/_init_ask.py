"""What `init` asks a person, each answer checked before the next question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shnotify.commands._init_text import Answers
from shnotify.escaping import escaped, escaped_line

if TYPE_CHECKING:
    from shnotify.notifier.prospects import Things
    from shnotify.terminal.screen import Screen

_WIDTH = 92
"""Columns in which a mail's line is shown, on a wide terminal."""


def asked(screen: Screen, answers: Answers, look: Callable[[str], Things]) -> Answers:
    """Asks a person for the answers.

    look  looks for what there is in the Region that is chosen
    """
    answers = _answered(screen, answers, "name", "Name of the notifier", answers.name)
    answers = _answered(
        screen, answers, "emails", "Who is told (e-mail addresses, with spaces between)", ""
    )
    answers = _answered(
        screen,
        answers,
        "region",
        "AWS Region (none: AWS_REGION, or the profile's)",
        answers.region or "none",
    )
    answers = _answered(
        screen,
        answers,
        "account",
        "Account id (any other is then refused)",
        answers.account or "none",
    )
    answers = _of_what_is_there(screen, answers, look(answers.region))
    _show_mails(screen)
    answers = _answered(
        screen, answers, "mail", "Which mail: summary, json or lambda", answers.mail
    )
    if answers.mail != "json":
        answers = _answered(
            screen, answers, "language", "Language of the mails: en or ja", answers.language
        )
    return _answered(
        screen,
        answers,
        "watchdog",
        "Who is told when the notifier itself fails (addresses, 0.10 USD a month for each alarm)",
        " ".join(answers.watchdog) or "none",
    )


def _of_what_is_there(screen: Screen, answers: Answers, found: Things) -> Answers:
    """Offers what was found: a chain to take over, and keys to use."""
    if found.chains and not answers.rule:
        rules = {one.rule: one.rule for one in found.chains}
        rule = _one_of(
            screen, "Take over an existing rule, its topic and its queue (`apply --adopt`)", rules
        )
        chain = found.chain(rule)
        if chain:
            answers = taking_over(answers, chain)
    if found.keys:
        for field, question in (
            ("topic_key", "KMS key for the topics: an existing one's alias (none: a new one)"),
            ("dlq_key", "KMS key for the dead-letter queue: an alias (none: a new one)"),
        ):
            if not getattr(answers, field):
                chosen: Any = {field: _one_of(screen, question, found.keys)}
                answers = replace(answers, **chosen)
    return answers


def taking_over(answers: Answers, chain: Any) -> Answers:
    """Returns the answers with a chain's names and keys, where no others were given."""
    found: dict[str, Any] = {
        name: getattr(answers, name) or value for name, value in vars(chain).items()
    }
    return replace(answers, **found)


def _one_of(screen: Screen, question: str, known: Any) -> str:
    """Asks for one of the known names, or none; returns what the name stands for."""
    names = ", ".join(known)
    while typed := screen.line(escaped_line(f"{question}: {names} [none]:")):
        text = typed.strip() or "none"
        if text == "none":
            return ""
        if text in known:
            return str(known[text])
        screen.say(escaped_line(f"  must be none, or one of {names}"))
    raise _stopped(screen)


def _show_mails(screen: Screen) -> None:
    """Shows one finding as each kind of mail, and what each kind takes."""
    from shnotify.mail.example import COSTS, examples

    room = min(_WIDTH, screen.err.width or _WIDTH) - 2
    for form, (subject, body) in examples().items():
        screen.say(f"\n{form}: {COSTS[form]}")
        for line in (f"Subject: {subject}", *body):
            screen.say(escaped(f"  {line if len(line) <= room else f'{line[: room - 3]}...'}"))
    screen.say("")


def _answered(screen: Screen, answers: Answers, field: str, question: str, default: str) -> Answers:
    shown = f"{question}{f' [{default}]' if default else ''}:"
    option = "--email" if field == "emails" else f"--{field}"
    while typed := screen.line(shown):
        text = typed.strip() or default
        if not text:
            continue
        answered = replace(answers, **{field: _value(field, text)})
        if not (problem := answered.problems().get(option)):
            return answered
        screen.say(escaped(f"  {problem}"))
    raise _stopped(screen)


def _value(field: str, text: str) -> Any:
    value = "" if text == "none" else text
    return tuple(value.replace(",", " ").split()) if field in ("emails", "watchdog") else value


def _stopped(screen: Screen) -> Exception:
    from shnotify.errors import UsageError

    screen.say("")  # the question's line has no end
    return UsageError("stopped, as you said; nothing was written")
