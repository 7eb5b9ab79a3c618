"""Reads what tells about single findings: Security Hub, the formatter's log, the dead-letter queue,
CloudWatch's counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shnotify.arns import Scope
from shnotify.aws.failures import NOT_FOUND, AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.config.models import Config
from shnotify.errors import ShnotifyError
from shnotify.formatter.finding import findings_in, read
from shnotify.notifier.counts import sums
from shnotify.notifier.deadletters import read_letter
from shnotify.notifier.metrics import Counted, Metric
from shnotify.notifier.queuereading import Reading, depth_of
from shnotify.notifier.senders import senders_of
from shnotify.notifier.surroundings import or_error
from shnotify.notifier.tracing import Stuck

PAGE = 100
"""Findings a call of GetFindings or GetFindingsV2 (MaxResults)."""
_ABSENT = NOT_FOUND | {"InvalidAccessException"}
"""What a Security Hub answers that is not on here."""
_PLAIN = re.compile(r"[A-Za-z0-9:/_.@=+-]+")
_MOST_LETTERS = 5000


# -- Security Hub ----------------------------------------------------------------------------------


def find(aws: Aws, identity: str) -> tuple[list[dict[str, Any]], dict[str, AwsError]]:
    """Looks for a finding in both Security Hubs.

    identity  Id (ASFF), finding_info.uid or metadata.uid (OCSF)

    Returns the findings, the same one in both schemas at most, and why a service could not be asked.
    """
    asked = {"cspm": aws.start(_cspm, aws, identity), "hub": aws.start(_hub, aws, identity)}
    return _gathered(aws, asked)


def newest(
    aws: Aws, sources: Iterable[str], count: int
) -> tuple[list[dict[str, Any]], dict[str, AwsError]]:
    """Returns the findings that changed last, the newest first, of the named Security Hubs."""
    readers = {"cspm": _newest_cspm, "hub": _newest_hub}
    asked = {name: aws.start(readers[name], aws, count) for name in sorted(set(sources))}
    found, errors = _gathered(aws, asked)
    found.sort(key=lambda one: read(one, {}).updated, reverse=True)
    return found[:count], errors


def _gathered(
    aws: Aws, asked: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, AwsError]]:
    found: list[dict[str, Any]] = []
    errors: dict[str, AwsError] = {}
    for name, future in asked.items():
        try:
            found += aws.in_time(future)
        except StopError:
            raise
        except AwsError as error:
            if error.code not in _ABSENT:
                errors[name] = error
    return found, errors


def _cspm(aws: Aws, identity: str) -> list[dict[str, Any]]:
    filters: Any = {"Id": [{"Value": identity, "Comparison": "EQUALS"}]}
    pages = aws.pages(aws.securityhub.get_findings, "NextToken", Filters=filters, MaxResults=PAGE)
    found = [one for page in pages for one in page["Findings"]]
    return [one for one in found if one.get("Id") == identity][:1]


def _hub(aws: Aws, identity: str) -> list[dict[str, Any]]:
    same = {"Value": identity, "Comparison": "EQUALS"}
    filters: Any = {
        "CompositeFilters": [
            {
                "StringFilters": [
                    {"FieldName": name, "Filter": same}
                    for name in ("finding_info.uid", "metadata.uid")
                ],
                "Operator": "OR",
            }
        ]
    }
    reply: Any = aws(aws.securityhub.get_findings_v2, Filters=filters, MaxResults=PAGE)
    seen = [(read(one, {}), one) for one in reply.get("Findings", [])]
    return [one for view, one in seen if identity in (view.id, view.uid)][:1]


def _newest_cspm(aws: Aws, count: int) -> list[dict[str, Any]]:
    order: Any = [{"Field": "UpdatedAt", "SortOrder": "desc"}]
    reply: Any = aws(aws.securityhub.get_findings, SortCriteria=order, MaxResults=count)
    return list(reply["Findings"])


def _newest_hub(aws: Aws, count: int) -> list[dict[str, Any]]:
    order: Any = [{"Field": "finding_info.modified_time_dt", "SortOrder": "desc"}]
    reply: Any = aws(aws.securityhub.get_findings_v2, SortCriteria=order, MaxResults=count)
    return list(reply.get("Findings", []))


def recorded(aws: Aws, finding: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Reads the changes of a finding of CSPM, of the last 90 days (API_GetFindingHistory).

    None when they cannot be seen.
    """
    view = read(finding, {})
    if view.schema != "cspm":
        return None
    identity: Any = {"Id": view.id, "ProductArn": view.product_arn}
    try:
        pages = aws.pages(
            aws.securityhub.get_finding_history, "NextToken", FindingIdentifier=identity
        )
        return [record for page in pages for record in page.get("Records", [])] or None
    except StopError:
        raise
    except AwsError:
        return None


# -- the formatter's log ---------------------------------------------------------------------------


def sends(
    aws: Aws, log_group: str, begin: datetime, end: datetime, identity: str | None = None
) -> dict[str, datetime]:
    """Reads when a formatter sent which finding's mail: finding id -> the first time.

    identity  only this finding's, where its id can be searched for

    Raises `AwsError`; no log group is no mail.
    """
    term = identity if identity and _PLAIN.fullmatch(identity) else "sent"
    found: dict[str, datetime] = {}
    for event in log_events(aws, log_group, begin, end, term):
        line = _mapping(event["message"])
        name = line.get("finding")
        if isinstance(name, str) and "sent" in line and isinstance(event.get("timestamp"), int):
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            found[name] = min(at, found.get(name, at))
    return found


def is_sent(line: str, identity: str) -> bool:
    """Tells whether a log line says that this finding's mail was sent (`formatter.main`)."""
    told = _mapping(line)
    return told.get("finding") == identity and "sent" in told


def log_events(
    aws: Aws, log_group: str, begin: datetime, end: datetime, term: str
) -> list[dict[str, Any]]:
    """Reads the lines of a log group that hold a term (API_FilterLogEvents)."""
    try:
        pages = aws.pages(
            aws.logs.filter_log_events,
            "nextToken",
            logGroupName=log_group,
            startTime=int(begin.timestamp() * 1000),
            endTime=int(end.timestamp() * 1000),
            filterPattern=f'"{term}"',
        )
        return [event for page in pages for event in page.get("events", [])]
    except AwsError as error:
        if error.code in NOT_FOUND:
            return []
        raise


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# -- the dead-letter queue -------------------------------------------------------------------------


def stuck_in(aws: Aws, queue_arn: str, config: Config, scope: Scope) -> tuple[Stuck, ...]:
    """Reads which findings lie in the dead-letter queue, and gives every message back.

    Raises `ShnotifyError` when that cannot be done without harm.
    """
    depth = depth_of(aws, queue_arn)
    senders = senders_of(config, scope)
    found: list[Stuck] = []
    with Reading(aws, queue_arn, expected=depth.waiting) as reading:
        for message in reading:
            letter = read_letter(message, senders)
            views = findings_in(letter.event) if letter.event else []
            ids = frozenset(name for view in views for name in (view.id, view.uid) if name)
            found.append(
                Stuck(
                    message=letter.id,
                    kind=letter.kind,
                    route=letter.route,
                    code=letter.error_code or "unknown",
                    cause=letter.cause.cause,
                    cure=letter.cause.cure,
                    sent=letter.sent,
                    findings=ids,
                )
            )
            if len(found) >= _MOST_LETTERS:
                raise ShnotifyError(
                    f"the queue holds more than {_MOST_LETTERS} messages", hint="shnotify dlq list"
                )
    return tuple(found)


def or_refused(aws: Aws, future: Any) -> Any:
    """Returns the answer, or why there is none as an `AwsError`."""
    try:
        return or_error(aws, future)
    except StopError:
        raise
    except ShnotifyError as error:
        return AwsError(error.message, hint=error.hint, code=error.code)


# -- CloudWatch ------------------------------------------------------------------------------------


def counts(
    aws: Aws, metrics: Sequence[Metric], begin: datetime, end: datetime, now: datetime
) -> Counted:
    """Reads sums per minute, or as near as CloudWatch still keeps them (API_GetMetricData).

    What could not be read is in the result's `error`.
    """
    step = step_for(begin, end, now)
    low = begin - timedelta(seconds=begin.timestamp() % step)
    try:
        series = sums(aws, metrics, low, end + timedelta(seconds=1), step)
    except StopError:
        raise
    except AwsError as error:
        return Counted(error=error)
    return Counted(series, None, (end - low).total_seconds() / 3600)


def step_for(begin: datetime, end: datetime, now: datetime) -> int:
    """Seconds of a bucket: minutes are kept for 15 days, five minutes for 63 (CloudWatch metrics
    retention).
    """
    age = now - begin
    if age <= timedelta(days=15) and end - begin <= timedelta(days=1):
        return 60
    return 300 if age <= timedelta(days=63) else 3600
