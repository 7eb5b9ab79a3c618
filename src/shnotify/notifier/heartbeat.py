"""The heartbeat: a schedule that sends a sign of life through the real rules, and what it says.

Pure. Nobody may send events as `aws.*` (API_PutEvents), so the event has a source of its own, and
each route's first rule lets in exactly this one. It has the shape of a finding of both Security
Hubs, for a summary names a finding's fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shnotify.arns import Scope
from shnotify.config.models import Config, Route
from shnotify.engine.resource import Resource
from shnotify.engine.values import Policy
from shnotify.findings.signoflife import joined
from shnotify.formatter import HEARTBEAT, HEARTBEAT_HOUR
from shnotify.mail.fields import FIELDS, FINDING
from shnotify.notifier import names
from shnotify.notifier.undelivered import keeps_mail
from shnotify.resources import policies
from shnotify.resources.queue import HEARTBEAT_QUEUE, Queue
from shnotify.resources.role import Role, role_name
from shnotify.resources.schedule import Schedule

if TYPE_CHECKING:
    from shnotify.formatter.settings import Settings

DETAIL_TYPE = "shnotify heartbeat"
_TIMES = {
    "daily": f"cron(0 {HEARTBEAT_HOUR} * * ? *)",
    "weekly": f"cron(0 {HEARTBEAT_HOUR} ? * MON,THU *)",
}
HOURS = {"daily": 26, "weekly": 100}
"""Hours without a delivered mail after which the path counts as dead: the longest time between two
heartbeats (24, 96), and a little. An alarm looks back over 7 days at most (API_PutMetricAlarm), so
`weekly` sends twice a week: one a week could not be told from none.
"""


def detail(config: Config) -> dict[str, Any]:
    """Returns what the event says."""
    says = {
        "severity": "INFORMATIONAL",
        "title": f"alive: the alerts of {config.name} get through",
        "resource_id": config.name,
        "resource_type": "heartbeat",
        "description": "A sign of life. It took the way of an alert; there is nothing to do.",
        "product": "shnotify",
        "product_name": "shnotify",
        "finding_id": "heartbeat",
    }
    finding: dict[str, Any] = {}
    for name, field in FIELDS.items():
        for path in {field.cspm, field.hub}:
            if path.startswith(FINDING):
                _put(finding, path.removeprefix(FINDING), says.get(name, "-"))
    return {"notifier": config.name, "findings": [finding]}


def _put(document: dict[str, Any], path: str, value: str) -> None:
    """Writes a value at a JSON path such as `Resources[0].Id`."""
    *way, last = path.split(".")
    for step in way:
        if step.endswith("[0]"):
            document = document.setdefault(step.removesuffix("[0]"), [{}])[0]
        else:
            document = document.setdefault(step, {})
    document[last] = value


def let_in(
    config: Config, pattern: Mapping[str, Any], transformer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Widens a rule's pattern by the heartbeat: with every value that the rule's mail names, so
    that nobody can send words of their own this way.
    """
    named: dict[str, Any] = {}
    finding = detail(config)["findings"][0]
    for path in (transformer or {}).get("InputPathsMap", {}).values():
        if path.startswith(FINDING):
            _pin(named, re.sub(r"\[0\]", "", path.removeprefix(FINDING)), finding)
    within = {"findings": named} if named else {}
    beat = {
        "source": [HEARTBEAT],
        "detail-type": [DETAIL_TYPE],
        "detail": {"notifier": [config.name], **within},
    }
    return joined(pattern, beat)


def _pin(pattern: dict[str, Any], path: str, document: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        pattern = pattern.setdefault(step, {})
        document = document[step]
        document = document[0] if isinstance(document, list) else document
    pattern[last] = [document[last]]


def counting(config: Config, scope: Scope, route: Route, settings: Settings) -> Settings:
    """Tells the formatter what its signs of life are to count, if there are any."""
    if not (config.watchdog and config.watchdog.heartbeat):
        return settings
    return replace(
        settings,
        heartbeat=config.watchdog.heartbeat,
        rule=route.rule.name,
        queue=config.dead_letter_queue.name if config.dead_letter_queue else "",
        keeps_mail=keeps_mail(config, scope),
    )


def heart(config: Config, scope: Scope, every: str) -> list[Resource]:
    """Builds the schedule, after its role and the queue for what it could not send."""
    queue = _queue(config, scope)
    name = names.heartbeat_name(config)
    bus = f"arn:{scope.partition}:events:{scope.region}:{scope.account}:event-bus/default"
    role = Role(
        id=names.HEARTBEAT_ROLE,
        role_name=role_name(name, scope.region),
        role_arn=scope.role(role_name(name, scope.region)),
        description=f"Sends the heartbeat of {config.name} (shnotify).",
        assume_role_policy_document=policies.scheduler_trust(scope),
        policies=policies.heartbeat_policy(bus, queue.queue_arn),
        tags=names.tags_of(config, names.HEARTBEAT_ROLE),
    )
    schedule = Schedule(
        id=names.HEARTBEAT,
        schedule_name=name,
        schedule_arn=scope.schedule_group(name),
        description=f"{config.name}: a sign of life through the rules (made by shnotify)",
        schedule_expression=_TIMES[every],
        schedule_expression_timezone="UTC",
        state="ENABLED",
        flexible_time_window={"Mode": "OFF"},
        start_date="",
        end_date="",
        target={
            "Arn": bus,
            "RoleArn": role.ref("Arn"),
            "EventBridgeParameters": {"DetailType": DETAIL_TYPE, "Source": HEARTBEAT},
            "Input": json.dumps(detail(config), separators=(",", ":"), sort_keys=True),
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
            "DeadLetterConfig": {"Arn": queue.ref("Arn")},
        },
        tags=names.tags_of(config, names.HEARTBEAT),
    )
    return [queue, role, schedule]


def _queue(config: Config, scope: Scope) -> Queue:
    name = f"{config.name}{HEARTBEAT_QUEUE}"
    arn = scope.queue(name)
    policy: Policy = policies.only_encrypted(arn)
    return Queue(
        id=names.HEARTBEAT_DLQ,
        queue_name=name,
        queue_arn=arn,
        visibility_timeout=30,
        message_retention_period=4 * 86400,
        delay_seconds=0,
        maximum_message_size=262144,
        receive_message_wait_time_seconds=0,
        kms_master_key_id="",
        kms_data_key_reuse_period_seconds=None,
        sqs_managed_sse_enabled=True,
        policy_document=policy,
        tags=names.tags_of(config, names.HEARTBEAT_DLQ),
    )
