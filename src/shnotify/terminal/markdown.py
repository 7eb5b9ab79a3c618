"""A plan in Markdown, for the comment of a pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shnotify.engine.plan import Plan, Step
from shnotify.escaping import escaped_line
from shnotify.terminal.change_view import change_lines
from shnotify.terminal.plan_view import STYLES, summary_line
from shnotify.terminal.results_view import kind_in_words

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&@])")
MOST_CHARACTERS = 60_000
"""GitHub takes 65,536 characters in a comment, and the rest of the text needs some."""


def plan_markdown(plan: Plan, title: str, warnings: list[str], fingerprint: str) -> Iterator[str]:
    """Writes a plan as a heading, a table, and what changes behind a fold."""
    yield f"### {plain(title)}"
    yield ""
    yield f"**{plain(summary_line(plan).plain)}**"
    yield ""
    steps = [step for step in plan.steps if step.action != "none"]
    if steps:
        yield "| | what | name | id |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(step) for step in steps)
        yield ""
        yield from _folded(steps)
    for warning in warnings:
        yield f"- ⚠️ {plain(warning)}"
    if warnings:
        yield ""
    yield f"`shnotify apply --expect {fingerprint}` carries out this plan and no other."


def plain(text: str) -> str:
    """Escapes what Markdown would read in a text from elsewhere (CommonMark, backslash escapes)."""
    return _SPECIAL.sub(r"\\\1", escaped_line(text))


def _row(step: Step) -> str:
    kind = kind_in_words(step.resource.CFN)
    cells = (step.action, kind, step.resource.name, step.key)
    return f"| {' | '.join(plain(cell) for cell in cells)} |"


def _folded(steps: list[Step]) -> Iterator[str]:
    lines = [line for step in steps for line in _block(step)]
    kept, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > MOST_CHARACTERS:
            kept.append("... (cut here; `shnotify plan -v` shows all of it)")
            break
        kept.append(line)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", "\n".join(kept)) or [""]))
    yield "<details><summary>What changes</summary>"
    yield ""
    yield f"{fence}diff"
    yield from kept
    yield fence
    yield ""
    yield "</details>"
    yield ""


def _block(step: Step) -> Iterator[str]:
    """Writes one step; a line of a diff begins with its sign."""
    symbol = STYLES[step.action][0]
    yield f"{symbol} {step.key} {escaped_line(step.resource.name)}"
    if step.reason:
        yield f"      {escaped_line(step.reason)}"
    for change in step.changes if step.action != "delete" else ():
        for line in change_lines(change, " → ", created=step.action == "create"):
            found = re.match(r" *([-+]) ", line.plain)
            sign = found[1] if found else " "
            yield f"{sign} {line.plain[2:]}"
