"""`shnotify baseline`: marks the backlog NOTIFIED, undoably."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._backlog import TIMEOUT, read, wanted
from shnotify.notifier.needs import BACKLOG, MARKING
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.marking import Change, Kept

LISTED = 1000
"""How many findings the JSON names in each of its lists."""
OLD_SECONDS = 30
"""After how long a look is made again, because somebody may have changed a finding meanwhile."""


@click.command("baseline")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", is_flag=True, help="Make NEW again what was marked and not changed since.")
@click.option("--preview", is_flag=True, help="Show what would be marked, and change nothing.")
@aws_options
def command(yes: bool, undo: bool, preview: bool, **options: Any) -> int:
    """Marks the findings that match now NOTIFIED, with a note, so that only new ones are mailed.

    Asks first. Can be run again after an interruption, and marks the rest.
    """
    from shnotify.commands._each import in_each

    def work(run: Session) -> Work:
        found = _look(run, undo=undo)
        _show(run, found, undo=undo)
        if preview or not found.changes:
            yield None  # asks nothing
            _told(run, found, undo=undo, error=None)
            return run.screen.code(0)
        began = run.aws.clock.now()
        yield None if yes else f"{'Undo' if undo else 'Mark'} {len(found.changes):,} findings?"
        if run.aws.clock.now() - began > OLD_SECONDS:
            found = _look(run, undo=undo)
        error = _carry_out(run, found)
        _told(run, found, undo=undo, error=error)
        if error:
            run.screen.error(error.message, error.hint)
        return run.screen.code(1 if error else 0)

    return in_each(
        settings(**options),
        work,
        observes=False,
        besides=BACKLOG if preview else BACKLOG | MARKING,
        timeout=TIMEOUT,
        at_once=1,
    )


@dataclass
class Found:
    """Holds what is to be done, and what became of it."""

    changes: list[Change] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    done: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


def _look(run: Session, *, undo: bool) -> Found:
    from shnotify.arns import partition_of
    from shnotify.notifier.backlog import Sorter, questions
    from shnotify.notifier.marking import Change, Words, marked, marked_ones, unmarked

    words, routes = Words(run.config.name), run.config.routes
    sorter = Sorter.of(routes, partition_of(run.aws.region))
    found = Found()
    asked = [marked_ones(one.service, words) for one in questions(routes)]
    for seen in read(run, asked) if undo else wanted(run, routes):
        one = unmarked(seen, words) if undo else marked(seen, sorter, words)
        if isinstance(one, Change):
            found.changes.append(one)
        elif one:
            found.kept.append(one)
    return found


def _carry_out(run: Session, found: Found) -> ShnotifyError | None:
    """Updates batch after batch; returns what went wrong. What is done stays done."""
    from shnotify.engine.events import Advanced
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.marking import batches, send, write_pace

    pace, began, tried = write_pace(run.aws), run.aws.clock.now(), 0
    for batch in batches(found.changes):
        pace.wait()
        try:
            refused = send(run.aws, batch)
        except ShnotifyError as error:
            error.hint = error.hint or "run it again: it goes on where it stopped"
            return error
        tried += len(batch)
        found.refused += refused
        found.done += len(batch) - len(refused)
        seconds = run.aws.clock.now() - began
        run.report(Advanced("marking findings", tried, len(found.changes), seconds))
    if not found.refused:
        return None
    first = found.refused[0]
    return ShnotifyError(
        f"Security Hub did not take {len(found.refused):,} of {tried:,} updates, the first for "
        f"{first['id']}: {first['code']}: {first['message']}",
        hint="run it again: it takes up those that are left",
        operation="securityhub:BatchUpdateFindings",
        code=first["code"],
    )


def _told(run: Session, found: Found, *, undo: bool, error: ShnotifyError | None) -> None:
    changes = found.changes[:LISTED]
    run.screen.document(
        run.document(
            action="undo" if undo else "mark",
            found=len(found.changes),
            done=found.done,
            findings=[_named(change.seen) for change in changes],
            kept=[{**_named(one.seen), "why": one.why} for one in found.kept[:LISTED]],
            unprocessed=found.refused[:LISTED],
            left_out=len(found.changes) - len(changes),
            error=error.to_json() if error else None,
        )
    )
    if found.done:
        what = (
            "are NEW again"
            if undo
            else "are NOTIFIED now; `shnotify baseline --undo` takes it back"
        )
        run.screen.result(f"{found.done:,} findings {what}. Security Hub shows it within minutes.")


def _named(seen: Any) -> dict[str, Any]:
    finding = seen.finding
    return {
        "id": finding.id or finding.uid,
        "title": finding.title,
        "severity": finding.severity,
        "account": finding.account,
    }


def _show(run: Session, found: Found, *, undo: bool) -> None:
    from collections import Counter

    from shnotify.escaping import escaped_line
    from shnotify.notifier.tally import ranked
    from shnotify.terminal.bars import bars

    screen = run.screen
    screen.result(run.title("Baseline of"))
    what = "carry our mark and would be NEW again" if undo else "match now and would be NOTIFIED"
    summary = f"{len(found.changes):,} findings {what}"
    screen.sum_up(summary)
    screen.result(f"{summary}.")
    counts = Counter(change.seen.finding.severity or "(none)" for change in found.changes)
    for line in bars(ranked(counts), block=screen.bar_mark):
        screen.result(line)
    for change in found.changes[:5]:
        finding = change.seen.finding
        screen.result(escaped_line(f"  {finding.severity} {finding.account} {finding.title}"))
    if len(found.changes) > 5:
        screen.result(f"  and {len(found.changes) - 5:,} more")
    for why, count in Counter(one.why for one in found.kept).most_common(5):
        screen.warn(f"{count:,} stay as they are: {why}")
    if undo and found.changes:
        screen.warn(
            "each of them is mailed again at once where a rule wants it, and above 10 mails a second "
            "SNS suspends an e-mail subscription"
        )
