"""`shnotify doctor`: walks the whole chain and says which link is broken; changes nothing."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shnotify.commands._session import Session, Work
    from shnotify.errors import ShnotifyError
    from shnotify.notifier.doctor import Diagnosis
    from shnotify.terminal.options import Options
    from shnotify.terminal.screen import Screen


class _Span(click.types.FloatParamType):
    """A span of time such as 24h, 90m or 7d, in hours."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from shnotify.schema.scalars import seconds_in

        if isinstance(value, float):
            return value
        try:
            return seconds_in(value, 300, 63 * 86400) / 3600
        except ValueError as error:
            self.fail(f"{value}: {error}", param, ctx)


@click.command("doctor")
@aws_options
@click.option("--since", type=_Span(), default="24h", help="How far back failures are looked for.")
@click.option("--rule", metavar="NAME", help="A rule that anybody made; needs no file.")
@click.option("--topic", metavar="ARN", help="A topic that anybody made; needs no file.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page.")
def command(
    since: float, rule: str | None, topic: str | None, html: Path | None, **options: Any
) -> int:
    """Walks every link from Security Hub to each inbox: ok, broken, warning or unknown, and what
    mends it.

    Exits 4 when a link is broken.
    """
    from shnotify.errors import UsageError

    if rule and topic:
        raise UsageError("--rule and --topic exclude each other")
    if "" in (rule, topic):  # a variable of a script that is not set
        raise UsageError("--rule or --topic is empty")
    given = settings(**options)
    return (
        _of_anybody(given, since, rule, topic, html)
        if rule or topic
        else _of_file(given, since, html)
    )


def _of_file(given: Options, since: float, html: Path | None) -> int:
    """Diagnoses the notifier of the file."""
    from shnotify.commands._each import in_each
    from shnotify.commands._session import unread
    from shnotify.errors import UsageError
    from shnotify.notifier.doctor import diagnose, look_further, names_of
    from shnotify.notifier.inquiry import DOCTOR_READS, Inquiry
    from shnotify.terminal.captured import Captured

    def work(run: Session) -> Work:
        yield from ()  # it asks nothing
        if html and isinstance(run.screen, Captured):
            raise UsageError("--html is a page of one notifier: give one file")
        inquiry = Inquiry(run.aws, names_of(run.config, run.graph), since)
        seen, around = run.look(search=False, beside=inquiry.start)
        around = look_further(run.aws, seen, around)
        found = diagnose(run.config, run.graph, seen, around, run.aws.scope, inquiry.answers())
        error = None if found.broken else unread(seen)
        head = run.document(**found.to_json(), error=error.to_json() if error else None)
        return _tell(run.screen, run.title("Diagnosis of"), head, found, html, error)

    with _credentials(given):
        return in_each(given, work, besides=DOCTOR_READS, services=("securityhub",))


def _of_anybody(
    given: Options, since: float, rule: str | None, topic: str | None, html: Path | None
) -> int:
    """Diagnoses a rule or a topic, whoever made it."""
    from shnotify.commands._opening import connected
    from shnotify.notifier.foreign import diagnose_foreign
    from shnotify.notifier.inquiry import DOCTOR_READS

    with _credentials(given), connected(given, allowed=DOCTOR_READS) as (aws, screen, report):
        found, error = diagnose_foreign(aws, report, since, rule=rule, topic=topic)
        name, scope = rule or topic or "", aws.scope
        title = f"Diagnosis of {name} in account {scope.account}, {scope.region}"
        head = {"name": name, "account": scope.account, "region": scope.region, **found.to_json()}
        head["error"] = error.to_json() if error else None
        return _tell(screen, title, head, found, html, error)


@contextmanager
def _credentials(given: Options) -> Iterator[None]:
    """Tells credentials that do not work as the first link that is broken, and goes on failing."""
    from shnotify.aws.failures import StopError
    from shnotify.engine.health import Link
    from shnotify.notifier.doctor import Told
    from shnotify.terminal.screen import Screen

    try:
        yield
    except StopError as error:
        if error.operation not in (None, "sts:GetCallerIdentity") or error.code in (
            None,
            "Timeout",
        ):
            raise
        link = Link("credentials", "broken", error.message, mend=error.hint)
        screen = Screen(json_output=given.json, no_color=given.no_color)
        head = {"name": None, "account": None, "region": given.region}
        links = [Told(link, ()).to_json()]
        screen.document(
            {**head, "ok": False, "verdict": "broken", "links": links, "error": error.to_json()}
        )
        screen.error(error.message, error.hint)
        raise click.exceptions.Exit(1) from error


def _tell(
    screen: Screen,
    title: str,
    document: dict[str, Any],
    found: Diagnosis,
    html: Path | None,
    error: ShnotifyError | None,
) -> int:
    """Shows the diagnosis and returns the exit code."""
    from shnotify.terminal.chain_page import page
    from shnotify.terminal.chain_view import picture

    if html:
        _write(html, page(title, found))
    screen.document(document)
    screen.result(title)
    screen.result()
    for line in picture(found, between=screen.between):
        screen.result(line)
    if html:
        screen.say(f"the page is in {html}")
    if found.broken:
        return screen.code(4)
    if error:
        screen.error(error.message, error.hint)
        return 1
    return screen.code(0)


def _write(path: Path, text: str) -> None:
    from shnotify.errors import ShnotifyError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ShnotifyError(f"the page could not be written: {error}") from error
