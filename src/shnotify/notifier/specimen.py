"""The finding that `test` sends: marked as a test, and made so that a route's rule lets it through.
Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shnotify.arns import Scope
from shnotify.errors import UsageError
from shnotify.findings.eventshape import ASFF
from shnotify.findings.importing import imported
from shnotify.findings.matching import Mismatch, accepts, explain
from shnotify.findings.reading import wrap
from shnotify.formatter.mail import MAILED, mails
from shnotify.formatter.settings import Settings
from shnotify.formatter.text import subject as subject_of
from shnotify.formatter.times import parse
from shnotify.frozen import frozen

PREFIX = "shnotify-test"
"""What the ids of all test findings begin with: by it a later run finds what was left over."""

_PATH = "detail.findings."
_MAX_TITLE, _MAX_DESCRIPTION = 256, 1024
"""asff-required-attributes."""

HOSTILE = (
    "line one\nline two\r\n\"quoted\" 'single' back\\slash \\n {{braces}} <b>tag</b> $var %s &amp; 🚨 日本語 "
    "\u202eright-to-left\u202c \u200f\u2066end\u2069"
)
"""What breaks mails that are put together carelessly (EventBridge User Guide, eb-transform-target-input)."""

_GIVEN = frozenset(
    {
        *("AwsAccountId", "AwsAccountName", "ProductArn", "ProductName", "CompanyName", "Region"),
        *("Workflow", "WorkflowState", "RecordState", "Note", "UserDefinedFields"),
        *("VerificationState", "Id", "Title", "SchemaVersion", "Sample", "CreatedAt", "UpdatedAt"),
        *("ProcessedAt", "FirstObservedAt", "LastObservedAt"),
    }
)
"""Fields that an import cannot choose (API_BatchImportFindings), or that say that this is a test."""

_USUAL: dict[str, tuple[Any, ...]] = {
    "Severity.Label": ("HIGH", "CRITICAL", "MEDIUM", "LOW", "INFORMATIONAL"),
    "Compliance.Status": ("FAILED", "WARNING", "NOT_AVAILABLE", "PASSED"),
    "Types": ("Software and Configuration Checks/shnotify/test",),
    "Resources.Type": ("Other",),
}


def prefix_of(name: str) -> str:
    """Returns what the ids of a notifier's test findings begin with."""
    return f"{PREFIX}/{name}/"


def product_arn(scope: Scope) -> str:
    """Returns the ARN of the product that an account's own findings belong to
    (securityhub-custom-providers).
    """
    account = scope.account
    return f"arn:{scope.partition}:securityhub:{scope.region}:{account}:product/{account}/default"


@frozen
class Order:
    """How a test finding is put away.

    first  `resolve` or `archive`
    mails  how many more mails that sends
    """

    first: str
    mails: int


def specimen(
    scope: Scope,
    name: str,
    route: str,
    patterns: Sequence[Mapping[str, Any]],
    *,
    who: str,
    unique: str,
    moment: datetime,
    hostile: bool = False,
) -> dict[str, Any]:
    """Makes the finding, for the first of the route's rules that takes one.

    who      who sends it
    unique   what no other test's id has

    Raises `UsageError` with the fields that no finding of the account's own product can have.
    """
    kept: list[list[Mismatch]] = []
    for pattern in patterns:
        finding = _blank(scope, name, route, who, unique, moment, hostile=hostile)
        reasons = _fit(scope, finding, pattern)
        if not reasons:
            return finding
        kept.append(reasons)
    raise _cannot_match(route, min(kept, key=len) if kept else [])


def _fit(scope: Scope, finding: dict[str, Any], pattern: Mapping[str, Any]) -> list[Mismatch]:
    """Changes the finding until the pattern takes it; returns what cannot be changed, or nothing."""
    reasons: list[Mismatch] = []
    for _ in range(10):
        reasons = explain(pattern, as_sent(scope, finding))
        if stays := [reason for reason in reasons if not _set(finding, reason)]:
            return stays
        if not reasons:
            break
    return reasons


def _blank(
    scope: Scope, name: str, route: str, who: str, unique: str, moment: datetime, *, hostile: bool
) -> dict[str, Any]:
    title = f"TEST: nothing is wrong. {who} checks route {route} of {name} with shnotify"
    text = (
        f"This finding was made by `shnotify test` to see whether alerts arrive. Sent by {who} for the notifier "
        f"{name}, route {route}. It is resolved and archived by itself; nothing is to be done."
    )
    if hostile:
        title, text = f"{title}: {HOSTILE}", f"{text}\n{HOSTILE}"
    at = stamp(moment)
    finding: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"{prefix_of(name)}{route}/{unique}",
        "ProductArn": product_arn(scope),
        "GeneratorId": PREFIX,
        "AwsAccountId": scope.account,
        "CreatedAt": at,
        "UpdatedAt": at,
        "Title": title[:_MAX_TITLE],
        "Description": text[:_MAX_DESCRIPTION],
        "Severity": {"Label": "HIGH"},
        "Types": list(_USUAL["Types"]),
        "Resources": [
            {
                "Type": "Other",
                "Id": f"arn:{scope.partition}:iam::{scope.account}:root",
                "Partition": scope.partition,
                "Region": scope.region,
            }
        ],
        "RecordState": "ACTIVE",
        "Sample": True,
    }
    if hostile:
        finding["Remediation"] = {"Recommendation": {"Text": HOSTILE[:512]}}
        finding["Resources"][0]["Tags"] = {"hostile": HOSTILE[:256]}
    return finding


def stamp(moment: datetime) -> str:
    """Writes a time as Security Hub wants it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def as_sent(scope: Scope, finding: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """Returns the event that Security Hub sends for it, with what the import fills in."""
    filled, _ = imported(finding)
    own = {"ProductName": "Default", "CompanyName": "Personal", "Region": scope.region}
    provider = {"Severity": finding.get("Severity"), "Types": finding.get("Types")}
    event = wrap({**own, "FindingProviderFields": provider, **filled, **changed})
    return {**event, "account": scope.account, "region": scope.region}


def _cannot_match(route: str, reasons: list[Mismatch]) -> UsageError:
    told = "; ".join(
        f"{reason.path.removeprefix(_PATH)} would be {reason.actual!r}, and it must be {_choice(reason.expected)}"
        for reason in reasons
    )
    return UsageError(
        f"no test finding can pass the filter of route {route}: {told}",
        hint="`shnotify test --direct` sends a mail to the topic itself; `shnotify doctor` looks at the rest",
    )


def _choice(expected: list[Any]) -> str:
    shown = [repr(one) for one in expected[:4]]
    return " or ".join(shown) + (" ..." if len(expected) > 4 else "")


def _set(finding: dict[str, Any], reason: Mismatch) -> bool:
    """Gives a field a value that the pattern takes; False when none can be given."""
    path = reason.path.removeprefix(_PATH)
    if path == reason.path or path.partition(".")[0] in _GIVEN:
        return False
    path = path.removeprefix("FindingProviderFields.")  # Security Hub copies these
    for value in _values(path, reason.expected):
        if any(accepts(entry, [] if value is _ABSENT else [value]) for entry in reason.expected):
            return _put(finding, path.split("."), value)
    return False


_ABSENT = object()


def _values(path: str, expected: list[Any]) -> Iterator[Any]:
    """Yields values that the pattern may take, those that it names first."""
    closed = ASFF.values.get(path)
    named = [_named(entry) for entry in expected]
    for value in (*named, *_USUAL.get(path, ()), "shnotify-test", *range(101), _ABSENT):
        if value is None or (closed and value is not _ABSENT and value not in closed):
            continue
        yield value


def _named(entry: Any) -> Any:
    """Returns a value that one entry of a pattern's list names, or None."""
    if not isinstance(entry, Mapping):
        return entry
    ((operator, operand),) = entry.items()
    text = operand.get("equals-ignore-case") if isinstance(operand, Mapping) else operand
    if operator in ("prefix", "equals-ignore-case"):
        return text
    if operator == "suffix":
        return f"{PREFIX}{text}"
    if operator == "wildcard":
        return str(text).replace("\\*", "\0").replace("*", "x").replace("\0", "*")
    return None


def _put(finding: dict[str, Any], path: list[str], value: Any) -> bool:
    """Writes a value into the finding, in the first entry of a list; False when that cannot be."""
    node: Any = finding
    for step in path[:-1]:
        node = node.setdefault(step, {})
        node = node[0] if isinstance(node, list) and node else node
        if not isinstance(node, dict):
            return False
    leaf = path[-1]
    if value is _ABSENT:
        return node.pop(leaf, None) is not None
    node[leaf] = [value] if leaf == "Types" else value
    if path == ["Severity", "Label"]:
        node.pop("Normalized", None)
    return True


# -- putting it away -------------------------------------------------------------------------------


def quietest(
    scope: Scope,
    finding: Mapping[str, Any],
    patterns: Sequence[Mapping[str, Any]],
    settings: Settings | None,
) -> Order:
    """Chooses the order of resolving and archiving that sends the fewest mails.

    settings  the formatter's, or None when there is none

    Each of both makes an event (finding-update-batchupdatefindings, -batchimportfindings).
    """
    before: dict[str, Any] = {"Workflow": {"Status": "NEW"}}
    if settings and settings.dedup == "notified":
        before = {"Workflow": {"Status": "NOTIFIED"}}
        if settings.resolved:
            before["UserDefinedFields"] = {settings.marker: MAILED}
    resolved = {**before, "Workflow": {"Status": "RESOLVED"}}
    archived = {**before, "RecordState": "ARCHIVED"}
    both = {**resolved, "RecordState": "ARCHIVED"}

    def count(*forms: dict[str, Any]) -> int:
        events = [as_sent(scope, finding, **form) for form in forms]
        passed = [event for event in events for pattern in patterns if not explain(pattern, event)]
        if settings is None:
            return len(passed)
        noted = sum(len(mails(event, settings)) for event in passed)
        return min(noted, 1) if settings.resolved else noted

    return min(
        Order("resolve", count(resolved, both)),
        Order("archive", count(archived, both)),
        key=lambda one: one.mails,
    )


def archived(finding: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    """Returns the finding as it is imported to archive it: with a later UpdatedAt, which an import
    needs (API_BatchImportFindings).
    """
    kept = (
        "SchemaVersion",
        "Id",
        "ProductArn",
        "GeneratorId",
        "AwsAccountId",
        "CreatedAt",
        "Title",
    )
    more = (
        "Description",
        "Severity",
        "Types",
        "Resources",
        "Compliance",
        "ProductFields",
        "Sample",
    )
    known = {
        name: copy.deepcopy(finding[name])
        for name in (*kept, *more)
        if finding.get(name) is not None
    }
    known.pop("ProductFields", None)
    at = max(stamp(moment), _later(str(finding.get("UpdatedAt", ""))))
    return {**known, "RecordState": "ARCHIVED", "UpdatedAt": at}


def _later(text: str) -> str:
    """Returns a moment after the one that is written; "" for what is no time."""
    moment = parse(text)
    return stamp(moment + timedelta(milliseconds=1)) if moment else ""


def direct_mail(name: str, route: str, who: str, *, hostile: bool) -> tuple[str, str]:
    """Makes subject and text of a mail that goes to the topic itself."""
    subject = f"[TEST] {name}, route {route}: nothing is wrong"
    text = (
        f"{who} checks with `shnotify test --direct` whether mail of the notifier {name}, route {route}, arrives. "
        "Nothing is wrong, and nothing is to be done.\n"
    )
    return subject_of(subject), f"{text}\n{HOSTILE}\n" if hostile else text
