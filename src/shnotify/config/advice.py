"""What a file is allowed to say and seldom means: the warnings of `validate` and `plan`, each with
its position.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shnotify.config.load import Loaded
from shnotify.config.models import Config, Route
from shnotify.config.rules import count_of_rules, left_out, plain_routes, too_many_rules
from shnotify.config.variables import variables
from shnotify.config.yamlfile import Document, Path, dotted
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import size_warning
from shnotify.schema.regions import region_doubt
from shnotify.schema.scalars import shown

if TYPE_CHECKING:
    from shnotify.findings.overlap import Example

MOST = 100
Found = tuple[Path, str]


def advice(loaded: Loaded) -> list[str]:
    """Lists the warnings about a valid file, in the file's order: `FILE:LINE:COLUMN: path: text`."""
    document = loaded.document
    found = list(itertools.islice(_found(loaded), MOST))
    placed = [
        document.problem(_position(document, path), dotted(path), text) for path, text in found
    ]
    return [str(problem) for problem in sorted(set(placed))]


def _position(document: Document, path: Path) -> tuple[int, int]:
    at_key = path in document.keys and path not in document.values
    return document.where(path, key=at_key)


def _found(loaded: Loaded) -> Iterator[Found]:
    config = loaded.config.settled()
    patterns = [
        event_pattern(route.source, route.findings, None, route.pattern) for route in config.routes
    ]
    plain = plain_routes(config)
    if config.region and (doubt := region_doubt(config.region)):
        yield ("region",), doubt
    if crowd := too_many_rules(count_of_rules(config), config.region):
        yield ("routes",), crowd
    for number, route in enumerate(config.routes):
        here: Path = ("routes", number)
        if not route.subscribers:
            yield (*here, "subscribers"), "no subscriber in the file, so nobody is told"
        whole = event_pattern(
            route.source,
            route.findings,
            None,
            route.pattern,
            resolved_marker=config.let_through(route),
        )
        if size := size_warning(whole):
            yield (*here, "pattern" if route.pattern else "findings"), size
        yield from _of_mail(here, config, route, plain)
        yield from _of_pattern(here, route)
        yield from _of_filters(here, route)
        decided = (*here, "findings", "compliance_status") in loaded.document.keys
        if not decided and _lets_passed_checks_through(route):
            yield (*here, "findings"), PASSED_CHECKS
    if len(patterns) > 1:
        yield from _twice(config, patterns)
    yield from variables(loaded.document.data)


def _of_mail(here: Path, config: Config, route: Route, plain: dict[str, str]) -> Iterator[Found]:
    """Warns of a mail that says less than it is asked to."""
    if route.name in plain:
        yield (*here, "name"), f"its mails go without title and resource: {plain[route.name]}"
    elif missing := left_out(config, route):
        yield (
            (*here, "findings"),
            f"its mails go without {', '.join(sorted(missing))}: the filter stands on the same field, and a pattern "
            "has one condition a field",
        )


def _of_pattern(here: Path, route: Route) -> Iterator[Found]:
    """Warns of a raw pattern, or a part of one, that no event of Security Hub matches."""
    if not route.pattern:
        return
    from shnotify.findings.possible import dead_parts, never_matches

    never = never_matches(route.pattern)
    for place, text in never or dead_parts(route.pattern):
        end = "so the route sends nothing" if never else "this part of the pattern matches nothing"
        yield (*here, *_parts(place)), f"{text} ({end})"


def _parts(place: str) -> Iterator[str | int]:
    for part in re.split(r"[.\[\]]+", place):
        if part:
            yield int(part) if part.isdigit() else part


def _of_filters(here: Path, route: Route) -> Iterator[Found]:
    """Warns of values that no finding is known to hold."""
    from shnotify.findings.filtervalues import DOUBTFUL, DOUBTFUL_IN_ASFF, judged

    if route.pattern:
        return
    judges = (DOUBTFUL, DOUBTFUL_IN_ASFF) if route.source == "cspm" else (DOUBTFUL,)
    for part in ((), ("exclude",)):
        filters = route.findings.exclude if part else route.findings
        values = {name: getattr(filters, name) for one in judges for name in one}
        for field, number, _, message in judged(judges, values):
            yield (*here, "findings", *part, field, number), message


PASSED_CHECKS = (
    "passed checks are let through too, for nothing filters by `compliance_status`: write "
    "`exclude: {compliance_status: [PASSED]}` to leave them out, or `compliance_status: any` if they are meant"
)
_SEND_NO_CHECKS = frozenset(
    "access-analyzer iam-access-analyzer detective firewall-manager guardduty health inspector macie".split()  # noqa: SIM905
)


def _lets_passed_checks_through(route: Route) -> bool:
    """Tells whether the route means passed checks by name or by level.

    Security Hub's own passed checks are INFORMATIONAL.
    """
    findings = route.findings
    if route.pattern or findings.compliance_status or findings.exclude.compliance_status:
        return False
    if findings.controls:
        return True
    if findings.products is None:
        return findings.severity is None or "INFORMATIONAL" in findings.severity
    names = {name.rpartition("/")[2].lower() for name in findings.products}
    return not names <= _SEND_NO_CHECKS | {"any"}


def _twice(config: Config, patterns: list[dict[str, Any]]) -> Iterator[Found]:
    """Warns of two routes that mail the same finding to the same subscriber."""
    from shnotify.findings.overlap import shared_example

    for first, second in itertools.combinations(range(len(config.routes)), 2):
        one, other = config.routes[first], config.routes[second]
        shared = [subscriber.identity for subscriber in one.subscribers]
        both = [
            number
            for number, subscriber in enumerate(other.subscribers)
            if subscriber.identity in shared
        ]
        if not both or not (one.rule.enabled and other.rule.enabled):
            continue
        example = shared_example(patterns[first], patterns[second])
        if example is None:
            continue
        more = f" and {len(both) - 1} more" if len(both) > 1 else ""
        text = (
            f"{shown(other.subscribers[both[0]].endpoint)}{more}: would get some findings twice, for the routes "
            f"{one.name} and {other.name} both let them through{_such_as(example)}"
        )
        yield ("routes", second, "subscribers", both[0]), text


def _such_as(example: Example) -> str:
    told = [
        f"{field.removeprefix('detail.findings.')} {value}"
        for field, value in example.items()
        if value is not None
    ]
    finding = [one for one in told if not one.startswith(("source ", "detail-type "))]
    return f" (such as {', '.join(finding[:4])})" if finding else ""
