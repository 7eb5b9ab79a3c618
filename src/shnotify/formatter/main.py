"""The function: `handler(event, context)`, as AWS Lambda calls it for an event that EventBridge
hands over, or for a batch of them from the buffer queue.

Order: send first, then mark, so that a crash repeats a mail and never loses one. Whatever fails is
raised in the end: Lambda then tries again and at last hands the event to the OnFailure destination
(invocation-async-error-handling).
"""

from __future__ import annotations

import functools
import json
import pkgutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from .alive import Counts
from .batch import Marks, is_batch, work_off
from .counting import counts_since
from .finding import Finding, at
from .mail import MAILED, RESOLVED, Mail, comment_for, mails
from .settings import FILE, Settings

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_sns import SNSClient

_IN_PROGRESS = 2
"""OCSF's `status_id` that stands for NOTIFIED."""
_MAX_USER_FIELDS = 50
_MAX_UPDATE = 100
"""Findings in one update (API_BatchUpdateFindings, API_BatchUpdateFindingsV2)."""


class DeliveryError(Exception):
    """Some of an event's mails were not sent, or not marked.

    The text names each with its reason.
    """


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sends the event's mails; of a batch, names the messages that are to come again.

    Raises SettingsError (configuration) or DeliveryError (sending, marking).
    """
    settings = _settings().beside(context.invoked_function_arn)
    if is_batch(event):
        return work_off(event, settings, _Aws(settings, context))
    due = mails(event, settings, _Aws(settings, context).count)
    failures = []
    for mail in due:
        try:
            _send(mail, settings)
            _mark(mail, settings)
        except Exception as error:  # one finding's failure must not keep the others' mails back
            failures.append(
                f"{mail.finding.id if mail.finding else 'event'}: {type(error).__name__}: {error}"
            )
    if failures:
        raise DeliveryError(f"{len(failures)} of {len(due)} failed: " + "; ".join(failures))
    return {"sent": len(due)}


@functools.cache
def _settings() -> Settings:
    return Settings.load(pkgutil.get_data(__package__, FILE) or b"")


@functools.cache
def _sns() -> SNSClient:
    return boto3.client("sns")


@functools.cache
def _security_hub() -> SecurityHubClient:
    return boto3.client("securityhub")


def _client(service: str) -> Any:
    """A client that gives up soon: what it is asked for must not keep a mail back."""
    soon = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
    make: Any = boto3.client
    return make(service, config=soon)


class _Aws:
    """The means of a batch (`batch.Means`): SNS, Security Hub and the clock."""

    def __init__(self, settings: Settings, context: Any) -> None:
        self._settings, self._context = settings, context

    def send(self, subject: str, body: str, findings: Sequence[Finding]) -> None:
        _publish(subject, body, findings, self._settings)

    def mark(self, marks: Marks) -> dict[int, str]:
        return _mark_all(marks, self._settings)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def time_left(self) -> float:
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def count(self, since: datetime) -> Counts:
        return counts_since(_client, self._settings, self._context, since)

    def log(self, entry: Mapping[str, Any]) -> None:
        print(json.dumps(entry))  # noqa: T201


def _send(mail: Mail, settings: Settings) -> None:
    _publish(mail.subject, mail.body, [mail.finding] if mail.finding else [], settings)


def _publish(subject: str, body: str, findings: Sequence[Finding], settings: Settings) -> None:
    answer = _sns().publish(TopicArn=settings.topic_arn, Subject=subject, Message=body)
    # Ids only: a log must not become a second copy of the findings.
    ids: list[str | None] = [one.id for one in findings]
    for finding in ids or [None]:
        print(json.dumps({"sent": answer["MessageId"], "finding": finding}))  # noqa: T201


def _mark(mail: Mail, settings: Settings) -> None:
    """Writes on the finding what happened to it.

    An update that Security Hub did not take is an error.
    """
    finding = mail.finding
    if finding is None or mail.mark is None:
        return
    if finding.schema == "cspm":
        answer: Mapping[str, Any] = _security_hub().batch_update_findings(
            **_asff_update(finding, mail.mark, settings)
        )
    else:
        answer = _security_hub().batch_update_findings_v2(
            **_ocsf_update(finding, mail.mark, settings)
        )
    refused = answer.get("UnprocessedFindings") or []
    if refused:
        reasons = ", ".join(
            f"{item.get('ErrorCode', '?')} {item.get('ErrorMessage', '')}".strip()
            for item in refused
        )
        raise DeliveryError(f"sent, but not marked: {reasons}")


def _mark_all(marks: Marks, settings: Settings) -> dict[int, str]:
    """Writes what happened on many findings: one call for all that get the same.

    Returns the places of those that Security Hub did not take, with the reason.
    """
    alike: dict[str, list[int]] = {}
    for place, (finding, mark) in enumerate(marks):
        _, update = _update(finding, mark, settings)
        alike.setdefault(json.dumps([finding.schema, update], sort_keys=True), []).append(place)
    refused: dict[int, str] = {}
    for key, places in alike.items():
        schema, update = json.loads(key)
        for start in range(0, len(places), _MAX_UPDATE):
            some = places[start : start + _MAX_UPDATE]
            refused |= _mark_alike(
                {place: marks[place] for place in some}, schema, update, settings
            )
    return refused


def _mark_alike(
    marks: Mapping[int, tuple[Finding, str]],
    schema: str,
    update: Mapping[str, Any],
    settings: Settings,
) -> dict[int, str]:
    names = {place: _update(finding, mark, settings)[0] for place, (finding, mark) in marks.items()}
    unique = list({json.dumps(name): name for name in names.values()}.values())
    if schema == "cspm":
        answer: Mapping[str, Any] = _security_hub().batch_update_findings(
            FindingIdentifiers=unique, **update
        )
    else:
        answer = _security_hub().batch_update_findings_v2(MetadataUids=unique, **update)
    found: dict[int, str] = {}
    for item in answer.get("UnprocessedFindings") or []:
        why = f"{item.get('ErrorCode', '?')} {item.get('ErrorMessage', '')}".strip()
        named = item.get("FindingIdentifier" if schema == "cspm" else "MetadataUid")
        places = [place for place, name in names.items() if name == named]
        found |= dict.fromkeys(places or names, why)  # of one that is not told, all are in doubt
    return found


def _update(finding: Finding, mark: str, settings: Settings) -> tuple[Any, dict[str, Any]]:
    """Returns how an update names the finding, and what the update writes."""
    if finding.schema == "cspm":
        update = _asff_update(finding, mark, settings)
        return update.pop("FindingIdentifiers")[0], update
    update = _ocsf_update(finding, mark, settings)
    return update.pop("MetadataUids")[0], update


def _asff_update(finding: Finding, mark: str, settings: Settings) -> dict[str, Any]:
    update: dict[str, Any] = {
        "FindingIdentifiers": [{"Id": finding.id, "ProductArn": finding.product_arn}]
    }
    if mark == MAILED:
        update["Workflow"] = {"Status": "NOTIFIED"}
    if settings.resolved:
        # The whole map is replaced, so the other fields go along.
        others = at(finding.raw, "UserDefinedFields")
        merged = {**(others if isinstance(others, Mapping) else {}), settings.marker: mark}
        if len(merged) <= _MAX_USER_FIELDS:
            update["UserDefinedFields"] = merged
    return update


def _ocsf_update(finding: Finding, mark: str, settings: Settings) -> dict[str, Any]:
    update: dict[str, Any] = {"MetadataUids": [finding.uid]}
    if mark == MAILED:
        update["StatusId"] = _IN_PROGRESS
    comment = at(finding.raw, "comment")
    ours = {comment_for(settings.marker, state) for state in (MAILED, RESOLVED)}
    # A person's comment is worth more than our note about the resolution.
    if settings.resolved and (not comment or comment in ours):
        update["Comment"] = comment_for(settings.marker, mark)
    return update
