"""The function: `handler(event, context)`, as AWS Lambda calls it for an event that EventBridge
hands over.

Order: send first, then mark, so that a crash repeats a mail and never loses one. Whatever fails is
raised in the end: Lambda then tries again and at last hands the event to the OnFailure destination
(invocation-async-error-handling).
"""

from __future__ import annotations

import functools
import json
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3

from .finding import Finding, at
from .mail import MAILED, RESOLVED, Mail, comment_for, mails
from .settings import FILE, Settings

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_sns import SNSClient

_IN_PROGRESS = 2
"""OCSF's `status_id` that stands for NOTIFIED."""
_MAX_USER_FIELDS = 50


class DeliveryError(Exception):
    """Some of an event's mails were not sent, or not marked.

    The text names each with its reason.
    """


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Sends the event's mails.

    Raises SettingsError (configuration) or DeliveryError (sending, marking).
    """
    settings = _settings().beside(context.invoked_function_arn)
    due = mails(event, settings)
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


def _send(mail: Mail, settings: Settings) -> None:
    answer = _sns().publish(TopicArn=settings.topic_arn, Subject=mail.subject, Message=mail.body)
    # Ids only: a log must not become a second copy of the findings.
    finding = mail.finding.id if mail.finding else None
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
