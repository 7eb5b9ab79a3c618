"""`shnotify why`: why a finding was mailed, or was not; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.notifier.tracing import Trace


@click.command("why")
@click.argument("finding_id", required=False)
@click.option(
    "--last", type=click.IntRange(1, 100), metavar="N", help="The N findings that changed last."
)
@click.option("--route", help="This route only.")
@aws_options
def command(finding_id: str | None, last: int | None, route: str | None, **options: Any) -> int:
    """Follows a finding from Security Hub to the inbox, up to the first link that stopped it.

    FINDING_ID is the finding's Id (for the new Security Hub its finding_info.uid or metadata.uid),
    whole. Looks at the finding and its history, the rule's pattern field by field, the formatter's
    log, the dead-letter queue (every message is given back), and the counts of that time.

    Exits 4 when the finding was stopped; with --last, when one was stopped by anything but the
    route's own filter.
    """
    from shnotify.commands._each import in_each
    from shnotify.errors import UsageError
    from shnotify.notifier.needs import ALSO
    from shnotify.notifier.roster import check_route

    if bool(finding_id) == bool(last):
        raise UsageError("give the id of a finding, or --last N")

    def work(run: Session) -> Work:
        yield None  # asks nothing
        check_route(run.config.routes, route)
        if last:
            return _several(run, last, route)
        return _single(run, finding_id or "", route)

    return in_each(
        settings(**options), work, besides=ALSO["why"], services=("securityhub",), timeout=120
    )


def _single(run: Session, identity: str, route: str | None) -> int:
    from shnotify.notifier import evidence
    from shnotify.notifier.tracing import not_found
    from shnotify.terminal.trace_view import trace_lines

    inspection, around, sources = _look(run, route)
    found, errors = evidence.find(run.aws, identity)
    if found:
        trace = inspection.one(identity, found)
    elif needed := [errors[name] for name in sources if name in errors]:
        raise needed[0]
    else:
        trace = not_found(identity, around.hub("both" if len(sources) == 2 else sources[0]))
    run.screen.document(run.document(**trace.to_json(), error=None))
    for line in trace_lines(trace):
        run.screen.result(line)
    return run.screen.code(4 if trace.stopped else 0)


def _several(run: Session, count: int, route: str | None) -> int:
    from shnotify.notifier import evidence
    from shnotify.terminal.trace_view import trace_table

    inspection, _, sources = _look(run, route)
    found, errors = evidence.newest(run.aws, sources, count)
    if errors and not found:
        raise next(iter(errors.values()))
    for error in errors.values():
        run.screen.warn(error.message)
    traces = inspection.all(found)
    run.screen.document(run.document(findings=[one.to_json() for one in traces], error=None))
    for line in trace_table(traces):
        run.screen.result(line)
    mailed = sum(one.mailed == "yes" for one in traces)
    run.screen.result(f"{mailed} of {len(traces)} mailed, as far as can be seen.")
    return run.screen.code(4 if any(_lost(one) for one in traces) else 0)


def _lost(trace: Trace) -> bool:
    """Tells whether something else than a route's own filter stopped it."""
    stops = [way.stopped_by.id for way in trace.ways if way.stopped_by]
    return trace.stopped and any(name not in ("pattern", "formatter") for name in stops)


def _look(run: Session, route: str | None) -> tuple[Any, Any, tuple[str, ...]]:
    """Looks at the notifier; returns what follows findings, its surroundings, and the Security Hubs
    that its routes listen to.
    """
    from shnotify.notifier.doctor import diagnose, look_further, names_of
    from shnotify.notifier.inquiry import Answers
    from shnotify.notifier.inspection import Inspection
    from shnotify.schema.model import changed

    seen, around = run.look(search=False)
    around = look_further(run.aws, seen, around)
    found = diagnose(run.config, run.graph, seen, around, run.aws.scope, Answers())
    config = run.config
    if route:
        routes = tuple(one for one in config.routes if one.name == route)
        config = changed(config, routes=routes)
    sources = tuple(sorted(names_of(config, run.graph).sources))
    return Inspection(run.aws, config, run.graph, seen, found.passages), around, sources
