"""How a person sees plans, results and progress. Consumes plans and events; decides nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, assert_never

from rich.console import Console
from rich.status import Status
from rich.text import Text

from shnotify.core.events import Event, Looking, Noted, StepEnded, StepStarted, Waiting
from shnotify.core.plan import Action, Plan, Step
from shnotify.core.resource import Change
from shnotify.core.values import Late, Pattern, Policy, Tags, to_json
from shnotify.text import clean

STYLES: dict[str, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "adopt": ("@", "cyan"),
    "refuse": ("!", "bold red"),
    "none": ("=", "dim"),
}
_DOING: dict[Action, str] = {"create": "creating", "update": "updating", "delete": "deleting", "adopt": "taking over"}


class Screen:
    """stdout for the result, stderr for all else. A reader that goes away never stops the work."""

    def __init__(self, *, json_output: bool = False, verbose: bool = False, no_color: bool = False) -> None:
        self.json = json_output
        self.verbose = verbose
        self.out = _console(sys.stdout, no_color=no_color)
        self.err = _console(sys.stderr, no_color=no_color)
        self.between = " → " if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else " -> "
        self._status: Status | None = None

    def code(self, code: int) -> int:
        """The exit code of a command whose result is all that it is for: 1 when that could not be written."""
        if self.out.lost:
            self.error("the result could not be written: is the disk full?")
        return 1 if self.out.lost else code

    @property
    def can_ask(self) -> bool:
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    def result(self, line: Text | str = "") -> None:
        """One line of the result; nothing in JSON form."""
        if not self.json:
            with self._still():
                _print(self.out, line)

    def document(self, value: dict[str, Any]) -> None:
        """The one JSON document; nothing in text form. JSON escapes what a terminal must not see."""
        if self.json:
            _print(self.out, json.dumps(value, indent=2))

    def say(self, line: Text | str) -> None:
        """Anything that is not the result."""
        with self._still():
            _print(self.err, line)

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Takes the live line away while something else is printed or typed."""
        if self._status:
            self._status.stop()
        try:
            yield
        finally:
            if self._status:
                self._status.start()

    def warn(self, message: str) -> None:
        self.say(Text.assemble(("warning: ", "yellow"), clean(message)))

    def error(self, message: str, hint: str | None = None) -> None:
        self.say(Text.assemble(("error: ", "bold red"), clean(message)))
        if hint:
            self.say("       " + clean(hint))

    def ask(self, question: str) -> bool:
        return self.line(question).strip().lower() in ("y", "yes")

    def line(self, question: str) -> str:
        """What is typed, with its line feed; nothing at the end of the input.

        Not `input()`, which a signal does not end when it arrives between the question and the reading.
        """
        with self._still():
            self.err.print(clean(question), end=" ", markup=False, highlight=False)
            return sys.stdin.readline()

    @contextmanager
    def progress(self) -> Iterator[Callable[[Event], None]]:
        """A live line on a terminal, plain lines elsewhere."""
        doing: dict[str, str] = {}
        if not self.err.is_terminal or self.err.is_dumb_terminal:
            yield self._plain
            return
        with self.err.status("") as self._status:
            yield lambda event: self._live(event, doing)
        self._status = None

    def _plain(self, event: Event) -> None:
        line = _event_line(event, verbose=self.verbose)
        if line:
            self.say(line)

    def _live(self, event: Event, doing: dict[str, str]) -> None:
        match event:
            case Looking():
                doing.clear()
                doing["looking"] = "reading AWS"
            case StepStarted(step):
                doing.pop("looking", None)
                doing[step.key] = f"{_DOING.get(step.action, '')} {step.key}"
            case StepEnded(step):
                doing.pop(step.key, None)
                self._plain(event)
            case Waiting(operation, reason, seconds):
                doing["waiting"] = f"{operation}: {reason}, again in {seconds:.1f} s"
            case Noted():
                self._plain(event)
            case _:
                assert_never(event)
        if self._status:
            self._status.update(Text(clean(", ".join(doing.values()))))  # as text it would be read as markup


class _Console(Console):
    """rich ends the process when a reader goes away; here the work goes on and the rest is not printed."""

    lost = False
    """Whether something could not be written though its reader was there (a full disk, say)."""

    def on_broken_pipe(self) -> None:
        self.file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the rest of the process


def _console(stream: TextIO, *, no_color: bool) -> _Console:
    plain = no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return _Console(
        file=stream,
        no_color=plain,
        color_system=None if plain else "auto",
        force_terminal=None if stream.isatty() and not plain else False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        legacy_windows=False,
    )


def _print(console: _Console, line: Text | str) -> None:
    """The one door to a terminal: what nobody made safe before becomes safe here, at the price of its colours."""
    plain = line if isinstance(line, str) else line.plain
    if clean(plain) != plain:
        line = clean(plain)
    try:
        console.print(line)
        console.file.flush()
    except (OSError, ValueError) as error:
        console.lost = not isinstance(error, BrokenPipeError)
        console.on_broken_pipe()


def _event_line(event: Event, *, verbose: bool) -> Text | None:
    match event:
        case Looking():
            return None
        case StepStarted(step):
            return Text(f"{step.key}: {_DOING.get(step.action, step.action)}")
        case StepEnded(step, result, message):
            style = {"done": "green", "failed": "bold red", "skipped": "yellow"}[result]
            return Text.assemble(f"{step.key}: ", (result, style), clean(f": {message}" if message else ""))
        case Waiting(operation, reason, seconds):
            return Text(clean(f"{operation}: {reason}; again in {seconds:.1f} s")) if verbose or seconds > 2 else None
        case Noted(message):
            return Text(clean(f"note: {message}"))
        case _:
            assert_never(event)


# -- plans -------------------------------------------------------------------------------------------------------------


def plan_lines(plan: Plan, between: str = " → ") -> Iterator[Text]:
    """One block for each resource that something happens to: symbol, id, name, changed paths."""
    for step in plan.steps:
        if step.action != "none" or (step.reason and step.live):
            yield from _step_lines(step, between)


def _step_lines(step: Step, between: str) -> Iterator[Text]:
    symbol, style = STYLES[step.action]
    kind = step.resource.CFN.removeprefix("AWS::")
    yield Text.assemble((f"{symbol} {step.key}", style), f"  {clean(step.resource.name)}  ", (kind, "dim"))
    if step.reason:
        yield Text(f"    {clean(step.reason)}", "yellow")
    if step.action == "delete":
        yield from (Text(f"    {clean(note)}", "yellow") for note in step.notes)
        return
    for change in step.changes:
        if step.action != "create" or change.path != "Tags":  # every new resource gets the same ones; said once
            yield from change_lines(change, between, created=step.action == "create")
    yield from (Text(f"    note: {clean(note)}", "dim") for note in step.notes)


def change_lines(change: Change, between: str, *, created: bool = False) -> Iterator[Text]:
    """A change as `Path: before → after` (`between` is what stands between the two); policies by statement."""
    before, after = change.before, change.after
    if isinstance(after, Policy) or isinstance(before, Policy):
        yield Text(f"    {change.path}:")
        yield from _policy_lines(before, after, between)
    elif created and isinstance(after, dict):
        yield Text(f"    {change.path}:")
        yield from (Text(f"      {clean(key)}: {_clipped(value)}") for key, value in after.items())
    elif created:
        yield Text(f"    {change.path}: {_show(after)}")
    elif isinstance(after, Pattern):
        yield Text(f"    {change.path}:")
        yield Text(f"      - {_show(before)}", "red")
        yield Text(f"      + {_show(after)}", "green")
    elif isinstance(before, Tags) and isinstance(after, Tags):
        yield Text(f"    {change.path}: {_tag_changes(before, after, between)}")
    else:
        yield Text(f"    {change.path}: {_clipped(before)}{between}{_clipped(after)}")


def _tag_changes(before: Tags, after: Tags, between: str) -> str:
    old = before.to_dict()
    parts = (f"{k}: {_show(old.get(k))}{between}{_show(v)}" for k, v in sorted(after.minus(before).pairs))
    return ", ".join(parts)


def _policy_lines(before: Policy | None, after: Policy | None, between: str) -> Iterator[Text]:
    old = {_statement_name(i, s): s for i, s in enumerate(before.statements if before else [])}
    new = {_statement_name(i, s): s for i, s in enumerate(after.statements if after else [])}
    for name in [*old, *(n for n in new if n not in old)]:
        if name not in new:
            yield Text(f"      - {clean(name)}: {_statement(old[name])}", "red")
        elif name not in old:
            yield Text(f"      + {clean(name)}: {_statement(new[name])}", "green")
        elif Policy({"Statement": [old[name]]}) != Policy({"Statement": [new[name]]}):
            yield Text(f"      ~ {clean(name)}", "yellow")
            for key in sorted({*old[name], *new[name]}):
                if old[name].get(key) != new[name].get(key):
                    was, becomes = _show(old[name].get(key)), _show(new[name].get(key))
                    yield Text(f"          {clean(key)}: {was}{between}{becomes}")


def _statement_name(index: int, statement: dict[str, Any]) -> str:
    return str(statement.get("Sid") or f"statement {index + 1}")


def _statement(statement: dict[str, Any]) -> str:
    principal = statement.get("Principal", statement.get("Resource"))  # a role's statement names no principal
    who = ", ".join(str(v) for v in principal.values()) if isinstance(principal, dict) else _show(principal)
    who = who if "Principal" in statement else f"on {who}"
    action = statement.get("Action")
    what = ", ".join(map(str, action)) if isinstance(action, list) and len(action) <= 3 else _show(action)
    if isinstance(action, list) and len(action) > 3:
        what = f"{len(action)} actions"
    condition = f" if {_show(statement['Condition'])}" if "Condition" in statement else ""
    return clean(f"{statement.get('Effect')} {who}: {what}{condition}")


def _clipped(value: Any, limit: int = 160) -> str:
    """A value in one readable line; `-o json` has all of it."""
    text = _show(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _show(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, Late):
        return "(known after apply)"
    plain = to_json(value)
    if isinstance(plain, str):
        return clean(plain) if plain else '""'
    return clean(json.dumps(plain, ensure_ascii=False, separators=(", ", ": ")))


def summary_line(plan: Plan) -> Text:
    """`Plan: 2 to create, 1 to update, 0 to delete, 4 unchanged.`"""
    parts = [f"{plan.count('create')} to create", f"{plan.count('update')} to update"]
    if plan.count("adopt"):
        parts.append(f"{plan.count('adopt')} to adopt")
    parts += [f"{plan.count('delete')} to delete", f"{plan.count('none')} unchanged"]
    if plan.refused:
        parts.append(f"{len(plan.refused)} refused")
    return Text(f"Plan: {', '.join(parts)}.", "bold")
