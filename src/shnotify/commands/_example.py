"""The whole example, with a person's answers in it: what `init --full` writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shnotify.commands._init_text import Answers

EXAMPLE = "config.example.yaml"
_FIELD = re.compile(r"(?P<lead>  - )?(?P<field>name|region|account|tags): (?P<rest>.*)")


def example_text() -> str:
    """Returns `config.example.yaml`: a wheel holds it in the package, a checkout at its root."""
    package = Path(__file__).parents[1]
    packed = package / EXAMPLE
    return (packed if packed.exists() else package.parents[1] / EXAMPLE).read_text("utf-8")


def filled(answers: Answers, quoted: Callable[[str], str]) -> str:
    """Writes the example with these answers; what was not answered stands in a comment.

    quoted  writes a text as a YAML value
    """
    text = re.sub(r"\bsecurity-alerts\b", lambda _: answers.name, example_text())
    text = re.sub(r"\burgent\b", lambda _: answers.route, text)
    return "".join(f"{line}\n" for line in _lines(text, answers, quoted))


def _lines(text: str, answers: Answers, quoted: Callable[[str], str]) -> Iterator[str]:
    for line in text.splitlines():
        found = _FIELD.fullmatch(line)
        if found:
            lead, field = found["lead"] or "", found["field"]
            value = answers.route if lead else getattr(answers, field, "")
            comment = found["rest"][found["rest"].index("#") :]
            written = f"{lead}{field}: {quoted(value)}".ljust(34) + f" {comment}"
            yield written if value else f"# {line}"
        elif line.startswith("      format: summary"):
            yield line.replace("summary", quoted(answers.mail), 1)
        elif line.startswith("      language: en"):
            yield line.replace("language: en", f"language: {quoted(answers.language)}", 1)
        elif line.startswith("    source: cspm") and answers.source:
            yield line.replace("cspm", quoted(answers.source), 1)
        elif line.startswith("watchdog: null") and answers.watchdog:
            told = ", ".join(quoted(email) for email in answers.watchdog)
            yield f"watchdog: {{subscribers: [{told}]}}"
        elif line.strip() == "- secops@example.com":
            indent = line[: line.index("-")]
            yield from (f"{indent}- {quoted(email)}" for email in answers.emails)
        elif line.lstrip().startswith("- {protocol: "):
            yield line.replace("- {", "# - {", 1)
        else:
            yield line
