"""`shnotify estimate`: what the file would have sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.commands._backlog import TIMEOUT, wanted
from shnotify.notifier.needs import ESTIMATE
from shnotify.terminal.options import aws_options, settings
from shnotify.terminal.styled import Text

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.notifier.tally import Differences, RouteTally, Tally

LISTED = 20
"""How many differing findings the text names."""


@click.command("estimate")
@click.option("--since", default="30d", show_default=True, help="How far back: 1h to 365d.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Show the findings that this file treats differently.",
)
@aws_options
def command(since: str, against: Path | None, **options: Any) -> int:
    """Reads the findings that Security Hub holds, and counts what the file would have sent.

    A finding counts once, as it is now, on the day of its last update. Changes nothing.
    """
    import datetime as dt

    from shnotify.arns import partition_of
    from shnotify.commands._each import in_each
    from shnotify.config.load import load
    from shnotify.notifier.backlog import Sorter
    from shnotify.notifier.tally import Differences, Tally

    back = _seconds(since)
    other = load(against) if against else None

    def work(run: Session) -> Work:
        yield None  # asks nothing
        until = dt.datetime.now(dt.UTC)
        partition = partition_of(run.aws.region)
        ours = Sorter.of(run.config.routes, partition)
        theirs = Sorter.of(other.settled().routes, partition) if other else None
        tally = Tally.of(ours.patterns, until - dt.timedelta(seconds=back), until)
        differences = Differences()
        routes = (*run.config.routes, *(other.settled().routes if other else ()))
        count = 0
        for seen in wanted(run, routes, tally.since):
            count += 1
            here = ours.routes(seen)
            tally.add(seen, here)
            if theirs:
                differences.add(seen, here, theirs.routes(seen))
        document = run.document(
            since=tally.since.isoformat(timespec="seconds"),
            findings=count,
            routes=tally.to_json(),
            error=None,
        )
        if against:
            document["against"] = differences.to_json(str(against))
        run.screen.document(document)
        _show(run, tally, count, since)
        if against:
            _show_differences(run, differences, str(against))
        return run.screen.code(0)

    # One after another: an account has three pages of findings a second for all of them.
    return in_each(
        settings(**options), work, observes=False, besides=ESTIMATE, timeout=TIMEOUT, at_once=1
    )


def _seconds(text: str) -> int:
    from shnotify.errors import UsageError
    from shnotify.schema.scalars import seconds_in

    try:
        return seconds_in(text, 3600, 365 * 86400)
    except ValueError as error:
        raise UsageError(f"--since {text}: {error}") from error


def _show(run: Session, tally: Tally, count: int, since: str) -> None:
    screen = run.screen
    screen.result(run.title("Estimate for"))
    screen.result(f"{count:,} findings read; each counts once, as it is now, at its last update.")
    for route in run.config.routes:
        one = tally.routes[route.name]
        sent = sum(one.days.values())
        off = "" if route.rule.enabled else " (its rule is disabled in the file)"
        screen.result()
        screen.result(
            Text.assemble(
                (
                    f"route {route.name}: {one.now:,} match now; {sent:,} in the last {since}",
                    "bold",
                ),
                f", at most {one.peak_per_minute:,} in one minute and {one.peak_per_second:,} in one "
                f"second{off}",
            )
        )
        _charts(run, tally, one)
        if one.peak_per_second <= MOST_PER_SECOND:
            continue
        if route.message.fold:
            screen.result("  it folds: never more than five mails a second")
            continue
        screen.warn(
            f"route {route.name}: {one.peak_per_second:,} in one second: above 10 mails a second SNS "
            "suspends an e-mail subscription until it is confirmed again; narrow `findings` first, or "
            "let `message.fold` put many into one mail"
        )


MOST_PER_SECOND = 10
"""Mails to one address that SNS takes (sns-email-notifications)."""


def _charts(run: Session, tally: Tally, one: RouteTally) -> None:
    from shnotify.notifier.tally import ranked
    from shnotify.terminal.bars import bars

    days = {day.isoformat(): one.days[day] for day in tally.days()}
    charts = {
        "per day": days if any(days.values()) else {},
        "by product": ranked(one.by_product),
        "by control": ranked(one.by_control),
        "by account": ranked(one.by_account),
    }
    for title, counts in charts.items():
        if not counts:
            continue
        run.screen.result(f"  {title}")
        rows = len(counts) if counts is days else 10
        for line in bars(counts, block=run.screen.bar_mark, rows=rows):
            run.screen.result(line)


def _show_differences(run: Session, differences: Differences, file: str) -> None:
    from shnotify.escaping import escaped_line

    screen = run.screen
    screen.result()
    screen.result(f"{differences.count:,} findings are treated differently by {file}:")
    for one in differences.listed[:LISTED]:
        here, there = (", ".join(one[side]) or "nowhere" for side in ("here", "there"))
        screen.result(escaped_line(f"  {one['severity']} {one['title']}: {here}; there: {there}"))
        screen.result(escaped_line(f"      {one['id']}"))
    if differences.count > LISTED:
        screen.result(f"  and {differences.count - LISTED:,} more: -o json lists up to 1,000")
