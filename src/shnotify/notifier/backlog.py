"""The findings that Security Hub holds, read as a stream, and which routes they would go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.aws.pace import Pace
from shnotify.config.models import Route
from shnotify.findings import serverfilter
from shnotify.findings.importing import imported
from shnotify.findings.matching import matches
from shnotify.findings.pattern import event_pattern
from shnotify.findings.reading import wrap
from shnotify.formatter.finding import Finding, is_ocsf, read
from shnotify.frozen import frozen
from shnotify.notifier.preconditions import NO_SUCH_OPERATION, OFF

PAGE = 100
"""Findings in one page at the most (API_GetFindings, API_GetFindingsV2)."""
READS_PER_SECOND = 3
READ_BURST = 6
"""Security Hub's rates for GetFindings; GetFindingsV2 has none that is published, and gets the
same."""
_UPDATED = {"cspm": "UpdatedAt", "hub": "finding_info.modified_time_dt"}
"""Where each service's findings say when they were last updated."""
SOURCES = {"cspm": ("cspm",), "hub": ("hub",), "both": ("cspm", "hub")}


@frozen
class Seen:
    """Holds a finding, and the event that Security Hub sends for it."""

    finding: Finding
    event: Mapping[str, Any]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Seen:
        whole = raw if is_ocsf(raw) else imported(raw)[0]
        return cls(read(whole, {}), wrap(whole))

    @property
    def active(self) -> bool:
        """Whether the finding is still open: neither archived nor resolved."""
        return not self.finding.is_resolved

    def with_status(self, status: str) -> Seen:
        """Returns the finding as it would be with another workflow status (`NEW`, `NOTIFIED`)."""
        if self.finding.schema == "hub":
            words = {"NEW": "New", "NOTIFIED": "In Progress"}
            return Seen.of({**self.finding.raw, "status": words[status]})
        return Seen.of({**self.finding.raw, "Workflow": {"Status": status}})


@frozen
class Sorter:
    """Tells which routes of one file a finding goes to, as if all its rules were enabled."""

    patterns: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, routes: Sequence[Route], partition: str) -> Sorter:
        return cls(
            {
                route.name: event_pattern(route.source, route.findings, partition, route.pattern)
                for route in routes
            }
        )

    def routes(self, seen: Seen) -> tuple[str, ...]:
        """Names the routes that the finding matches as it is now."""
        return tuple(name for name, one in self.patterns.items() if matches(one, seen.event))


@frozen
class Question:
    """Asks one service, cspm or hub, for findings; `filters` is the service's own `Filters`."""

    service: str
    filters: Mapping[str, Any]

    @property
    def params(self) -> dict[str, Any]:
        newest = {"Field": _UPDATED[self.service], "SortOrder": "desc"}
        asked: dict[str, Any] = {"MaxResults": PAGE, "SortCriteria": [newest]}
        return {**asked, "Filters": self.filters} if self.filters else asked


def questions(routes: Sequence[Route]) -> list[Question]:
    """Asks each service that the routes take findings from for what they may want."""
    found = []
    for service, build in (("cspm", serverfilter.for_cspm), ("hub", serverfilter.for_hub)):
        asking = [route for route in routes if service in SOURCES[route.source]]
        if asking:
            filters = build([None if route.pattern else route.findings for route in asking])
            found.append(Question(service, filters))
    return found


def pages(aws: Aws, question: Question, pace: Pace) -> Iterator[list[dict[str, Any]]]:
    """Yields the pages of one service's findings, no faster than Security Hub allows."""
    method = _method(aws, question)
    more: dict[str, Any] = {}
    while True:
        pace.wait()
        page = aws(method, **question.params, **more)
        yield page.get("Findings", [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _method(aws: Aws, question: Question) -> Callable[..., Any]:
    client = aws.securityhub
    return client.get_findings if question.service == "cspm" else client.get_findings_v2


def total_of(aws: Aws, questions: Sequence[Question]) -> int | None:
    """Returns how many findings there will be, or None when nobody can tell.

    Only the new Security Hub counts without paging (API_GetFindingStatisticsV2).
    """
    count: Callable[..., Any] = aws.securityhub.get_finding_statistics_v2
    if any(question.service != "hub" for question in questions):
        return None
    if not aws.permits("securityhub:GetFindingStatisticsV2"):
        return None
    rules = [
        {"GroupByField": "severity", **({"Filters": one.filters} if one.filters else {})}
        for one in questions
    ]
    try:
        reply = aws(count, GroupByRules=rules)
    except StopError:
        raise
    except AwsError:
        return None
    groups: Iterator[Mapping[str, int]] = (
        group for rule in reply["GroupByResults"] for group in rule["GroupByValues"]
    )
    return sum(group["Count"] for group in groups)


def is_off(error: AwsError) -> bool:
    """Tells whether Security Hub is not enabled here (API_GetFindings, Errors), or not there at all.

    An emulator may have one of the two services only.
    """
    return error.code in OFF or error.code in NO_SUCH_OPERATION


def read_pace(aws: Aws) -> Pace:
    return Pace(aws, rate=READS_PER_SECOND, burst=READ_BURST)
