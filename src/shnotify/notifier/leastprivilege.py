"""The least policy for who runs a command on one notifier. Pure; no AWS needed.

Which resources an action takes: Service Authorization Reference, one page a service. A key's ARN is
not known before it exists: what reads keys may read each of the account and Region, what changes
them only those that carry the notifier's tag (KMS Developer Guide, abac).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from shnotify.arns import Scope
from shnotify.config.models import Config
from shnotify.engine.resource import Resource
from shnotify.frozen import frozen
from shnotify.notifier import names
from shnotify.notifier.desired import build
from shnotify.notifier.needs import COMMANDS
from shnotify.notifier.permissions import actions_of
from shnotify.resources.alarm import Alarm
from shnotify.resources.function import Function
from shnotify.resources.key import Key
from shnotify.resources.loggroup import LogGroup
from shnotify.resources.mapping import EventSourceMapping
from shnotify.resources.policies import LAMBDA, SCHEDULER
from shnotify.resources.queue import Queue
from shnotify.resources.role import Role
from shnotify.resources.rule import Rule
from shnotify.resources.schedule import Schedule
from shnotify.resources.topic import Topic
from shnotify.tags import NAME_TAG

MAX_CHARACTERS = 6144
"""A managed policy's size, white space not counted (IAM User Guide, reference_iam-quotas)."""
ALL = "all"

_ANYWHERE = "Anywhere"
_OF_SERVICE = {
    "cloudformation": ("StackSets",),
    "cloudwatch": ("Alarms",),
    "scheduler": ("ScheduleGroups",),
    "events": ("Rules",),
    "iam": ("Roles",),
    "kms": ("OurKeys",),
    "lambda": ("Functions",),
    "logs": ("LogGroups",),
    "securityhub": ("Hub",),
    "sns": ("Topics",),
    "sqs": ("Queue",),
}
"""Service -> the statements in which its actions stand."""
_OF_ACTION = {
    **dict.fromkeys(
        (
            "cloudwatch:DescribeAlarmsForMetric",
            "cloudwatch:GetMetricData",
            "kms:ListAliases",
            "kms:ListKeys",
            "events:ListRuleNamesByTarget",
            "events:ListRules",
            "events:TestEventPattern",
            "lambda:ListEventSourceMappings",
            "logs:DescribeLogGroups",
            "securityhub:DescribeSecurityHubV2",
            "securityhub:ListAggregatorsV2",
            "securityhub:ListFindingAggregators",
            "sns:GetSubscriptionAttributes",
            "sns:ListTopics",
            "sns:SetSubscriptionAttributes",
            "sns:Unsubscribe",
        ),
        (_ANYWHERE,),
    ),
    **dict.fromkeys(
        (
            "kms:DescribeKey",
            "kms:EnableKeyRotation",  # follows CreateKey at once, as CreateAlias does
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListGrants",
            "kms:ListResourceTags",
        ),
        ("Keys",),
    ),
    "cloudformation:CreateStackSet": ("NewStackSets",),
    "organizations:ListDelegatedAdministrators": ("Organization",),
    **dict.fromkeys(
        (
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
            "scheduler:UpdateSchedule",
        ),
        ("Schedules",),
    ),
    "kms:CreateAlias": ("Aliases", "Keys"),
    "kms:DeleteAlias": ("Aliases", "Keys"),
    "kms:CreateKey": ("NewKeys",),
    "kms:TagResource": ("NewKeysTags", "OurKeys"),
    "kms:Decrypt": ("OurKeys", "OthersKeys"),
    "kms:GenerateDataKey": ("OurKeys", "OthersKeys"),
    "lambda:CreateEventSourceMapping": ("NewMappings",),
    **dict.fromkeys(
        (
            "lambda:DeleteEventSourceMapping",
            "lambda:GetEventSourceMapping",
            "lambda:UpdateEventSourceMapping",
        ),
        ("Mappings",),
    ),
    **dict.fromkeys(
        ("lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"),
        ("Functions", "Mappings"),
    ),
    "iam:GetPolicy": ("AttachedPolicies",),
    "iam:GetPolicyVersion": ("AttachedPolicies",),
    "iam:PassRole": ("PassRole",),
    "securityhub:BatchImportFindings": ("OwnFindings",),
    "securityhub:BatchUpdateFindings": ("Status", "StatusV2"),
    "securityhub:DescribeHub": ("Cspm",),
    "securityhub:GetAdministratorAccount": ("Cspm",),
    "securityhub:GetAdhocInsightResults": ("Statistics",),
    "securityhub:GetAggregatorV2": ("AggregatorsV2",),
    "securityhub:GetFindingAggregator": ("Aggregators",),
    "securityhub:GetFindingHistory": ("Cspm",),
}
"""The actions that stand elsewhere than the others of their service."""


@frozen
class Place:
    """Says where a statement's actions are allowed."""

    resources: tuple[str, ...]
    condition: Mapping[str, Any] | None = None


def policy_for(config: Config, scope: Scope, command: str) -> dict[str, Any]:
    """Writes the policy document for one command of `needs.COMMANDS`, or for `all`.

    An account that is not known is `*` in the scope.
    """
    config = config.settled()
    graph = tuple(build(config, scope))
    places = _places(config, scope, graph)
    kinds = tuple(dict.fromkeys(type(thing) for thing in graph))
    commands = COMMANDS if command == ALL else (command,)
    actions = frozenset().union(*(actions_of(name, kinds) for name in commands))
    allowed: dict[str, list[str]] = {}
    for action in sorted(actions):
        for sid in statements_of(action):
            if places[sid].resources:
                allowed.setdefault(sid, []).append(action)
    statements = [
        _statement(sid, allowed[sid], place) for sid, place in places.items() if sid in allowed
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def statements_of(action: str) -> tuple[str, ...]:
    """Names the statements in which an action stands."""
    return _OF_ACTION.get(action) or _OF_SERVICE.get(action.partition(":")[0], (_ANYWHERE,))


def _statement(sid: str, actions: list[str], place: Place) -> dict[str, Any]:
    found = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(place.resources)}
    return {**found, "Condition": place.condition} if place.condition else found


def _places(config: Config, scope: Scope, graph: Iterable[Resource]) -> dict[str, Place]:
    """Lists where each statement's actions are allowed, in the order of the document."""
    things = tuple(graph)
    here = f"{scope.partition}:%s:{scope.region}:{scope.account}"
    every_key = f"arn:{here % 'kms'}:key/*"
    ours = any(isinstance(thing, Key) for thing in things)
    hub, hub_v2 = scope.hubs()
    sources = {route.source for route in config.routes}
    cspm = (hub,) if sources & {"cspm", "both"} else ()
    v2 = (hub_v2,) if sources & {"hub", "both"} else ()
    roles = _arns(things, Role)
    logs = _arns(things, LogGroup)
    tagged = {NAME_TAG: config.name}
    functions = _arns(things, Function)
    fold = any(isinstance(thing, EventSourceMapping) for thing in things)
    fed = {"ArnLike": {"lambda:FunctionArn": list(functions)}}
    every_mapping = (f"arn:{here % 'lambda'}:event-source-mapping:*",)
    return {
        _ANYWHERE: Place(("*",)),
        "Topics": Place(_arns(things, Topic)),
        "Queue": Place(_arns(things, Queue)),
        "Rules": Place(_arns(things, Rule)),
        "Alarms": Place(_arns(things, Alarm)),
        "ScheduleGroups": Place(_arns(things, Schedule)),
        "Schedules": Place(_schedules(things)),
        "Functions": Place(functions),
        "NewMappings": Place(("*",) if fold else (), fed),
        "Mappings": Place(every_mapping if fold else ()),
        "Roles": Place(roles),
        "PassRole": Place(roles, {"StringEquals": {"iam:PassedToService": _takers(things)}}),
        "AttachedPolicies": Place((f"arn:{scope.partition}:iam::*:policy/*",) if roles else ()),
        "LogGroups": Place(tuple(arn + end for arn in logs for end in ("", ":*"))),
        "Keys": Place((every_key,)),
        "OurKeys": Place((every_key,) if ours else (), _equal("aws:ResourceTag", tagged)),
        "OthersKeys": Place(config.existing_keys),
        "NewKeys": Place(("*",) if ours else (), _equal("aws:RequestTag", tagged)),
        "NewKeysTags": Place((every_key,) if ours else (), _equal("aws:RequestTag", tagged)),
        "Aliases": Place(
            tuple(f"arn:{here % 'kms'}:{key.alias_name}" for key in things if isinstance(key, Key))
        ),
        "Hub": Place((*cspm, *v2)),
        "Cspm": Place(cspm),
        "Statistics": Place(v2 if sources == {"hub"} else ()),  # `backlog.total_of`
        "Aggregators": Place((f"arn:{here % 'securityhub'}:finding-aggregator/*",)),
        "AggregatorsV2": Place((f"arn:{here % 'securityhub'}:aggregatorv2/*",)),
        "Status": Place(cspm, {"Null": {"securityhub:ASFFSyntaxPath/Workflow.Status": "false"}}),
        "StatusV2": Place(v2, {"Null": _STATUS_ONLY}),
        "StackSets": Place(_stack_sets(config, scope)),
        "NewStackSets": Place(("*",) if config.rollout else ()),
        "Organization": Place(("*",) if _delegated(config) else ()),
        "OwnFindings": Place((f"arn:{here % 'securityhub'}:product/{scope.account}/default",)),
    }


def _stack_sets(config: Config, scope: Scope) -> tuple[str, ...]:
    """Names the roll-out's stack set; a delegated administrator's is the management account's."""
    if config.rollout is None:
        return ()
    account = "*" if _delegated(config) else scope.account
    name = names.stack_set_name(config)
    here = f"arn:{scope.partition}:cloudformation:{scope.region}"
    # CreateStackInstances takes all three (Service Authorization Reference, CloudFormation).
    targets = f"{here}:{account}:stackset-target/{name}:*"
    return f"{here}:{account}:stackset/{name}:*", targets, f"{here}::type/resource/*"


def _delegated(config: Config) -> bool:
    return config.rollout is not None and config.rollout.call_as == "delegated_admin"


_STATUS_ONLY = {
    "securityhub:OCSFSyntaxPath/StatusId": "false",
    "securityhub:OCSFSyntaxPath/SeverityId": "true",
}
"""The status is written, with our mark as its comment, and never the severity
(API_BatchUpdateFindingsV2: `false` is a field that is there)."""


def _arns(things: Iterable[Resource], kind: type[Resource]) -> tuple[str, ...]:
    return tuple(sorted(thing.arn or "" for thing in things if isinstance(thing, kind)))


def _schedules(things: Iterable[Resource]) -> tuple[str, ...]:
    """Lists the one schedule of each group."""
    return tuple(
        f"{arn.replace(':schedule-group/', ':schedule/')}/{arn.rpartition('/')[2]}"
        for arn in _arns(things, Schedule)
    )


def _takers(things: Iterable[Resource]) -> str | list[str]:
    """Names the services that take the roles."""
    kinds = {type(thing) for thing in things}
    found = [LAMBDA] if Function in kinds or Schedule not in kinds else []
    found += [SCHEDULER] if Schedule in kinds else []
    return found if len(found) > 1 else found[0]


def _equal(key: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {"StringEquals": {f"{key}/{name}": value for name, value in tags.items()}}


def characters(policy: Mapping[str, Any]) -> int:
    """Counts a policy's characters as IAM does, without white space."""
    return len(json.dumps(policy, separators=(",", ":")))


def divided(policy: Mapping[str, Any], limit: int = MAX_CHARACTERS) -> list[dict[str, Any]]:
    """Divides a policy into as many as are needed for each to be at most `limit` long."""
    parts: list[dict[str, Any]] = []
    for statement in _small(policy["Statement"], limit):
        grown = {**policy, "Statement": [*(parts[-1]["Statement"] if parts else ()), statement]}
        if parts and characters(grown) <= limit:
            parts[-1] = grown
        else:
            parts.append({**policy, "Statement": [statement]})
    return parts


def _small(statements: Iterable[dict[str, Any]], limit: int) -> Iterable[dict[str, Any]]:
    """Yields the statements, each that is too long alone as several for fewer resources."""
    for statement in statements:
        resources = statement["Resource"]
        alone = {"Version": "2012-10-17", "Statement": [statement]}
        if characters(alone) <= limit or len(resources) == 1:
            yield statement
            continue
        half = len(resources) // 2
        for number, some in enumerate((resources[:half], resources[half:]), start=1):
            part = {**statement, "Sid": f"{statement['Sid']}{number}", "Resource": some}
            yield from _small([part], limit)
