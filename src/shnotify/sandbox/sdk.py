"""What a function in the sandbox gets as boto3: the clients a formatter needs, with its role's
rights.
"""

from __future__ import annotations

import re
from typing import Any

from moto.sns.models import sns_backends

from shnotify.arns import Scope
from shnotify.sandbox.arrivals import update_finding, update_new_finding
from shnotify.sandbox.permissions import FunctionRole, RefusedError
from shnotify.sandbox.sdkerrors import client_error
from shnotify.sandbox.sdkreads import CloudWatch, Logs, SnsReader, Sqs

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Sdk:
    """`boto3`, as far as the formatter asks for clients."""

    def __init__(self, function: Any, role: FunctionRole) -> None:
        makers = {
            "sns": _Sns,
            "securityhub": _SecurityHub,
            "logs": Logs,
            "cloudwatch": CloudWatch,
            "sqs": Sqs,
        }
        self._made = {service: make(function, role) for service, make in makers.items()}

    def client(self, service: str, **_: Any) -> Any:
        return self._made[service]


class _Sns(SnsReader):
    def publish(self, *, TopicArn: str, Message: str, Subject: str | None = None) -> dict[str, str]:  # noqa: N803 AWS's names
        region = Scope.of(TopicArn).region
        topic = sns_backends[self._function.account_id][region].topics.get(TopicArn)
        if topic is None:
            raise client_error("NotFound", "Topic does not exist", "Publish")
        try:
            self._role.require("sns:Publish", TopicArn, topic.policy)
        except RefusedError as error:
            raise client_error("AuthorizationError", str(error), "Publish") from error
        try:
            self._role.require_key(topic.kms_master_key_id, "sns")
        except RefusedError as error:
            code = error.code if error.code.startswith("KMS") else "KMSAccessDenied"
            raise client_error(code, str(error), "Publish") from error
        if Subject is not None and (not 1 <= len(Subject) <= 100 or _CONTROL.search(Subject)):
            raise client_error("InvalidParameter", "Invalid parameter: Subject", "Publish")
        if not Message or len(Message.encode()) > 256 * 1024:
            raise client_error("InvalidParameter", "Invalid parameter: Message too long", "Publish")
        return {"MessageId": topic.publish(Message, subject=Subject)}


class _SecurityHub:
    def __init__(self, function: Any, role: FunctionRole) -> None:
        self._function, self._role = function, role

    def _require(self, hub: str, operation: str) -> None:
        scope = Scope.of(self._function.function_arn)
        arn = f"arn:{scope.partition}:securityhub:{scope.region}:{scope.account}:{hub}/default"
        try:
            self._role.require("securityhub:BatchUpdateFindings", arn, None)
        except RefusedError as error:
            raise client_error("AccessDeniedException", str(error), operation) from error

    def batch_update_findings(
        self,
        *,
        FindingIdentifiers: list[dict[str, str]],  # noqa: N803 AWS's names
        **change: Any,
    ) -> dict[str, Any]:
        self._require("hub", "BatchUpdateFindings")
        account, region = self._function.account_id, self._function.region
        answers = [update_finding(account, region, each, change) for each in FindingIdentifiers]
        refused = [answer for answer in answers if answer]
        return {"UnprocessedFindings": refused}

    def batch_update_findings_v2(
        self,
        *,
        MetadataUids: list[str],  # noqa: N803 AWS's names
        **change: Any,
    ) -> dict[str, Any]:
        self._require("hubv2", "BatchUpdateFindingsV2")
        account, region = self._function.account_id, self._function.region
        refused = []
        for uid in MetadataUids:
            error = update_new_finding(account, region, {"MetadataUid": uid}, change)
            refused += [{"MetadataUid": uid, **error}] if error else []
        return {"UnprocessedFindings": refused}
