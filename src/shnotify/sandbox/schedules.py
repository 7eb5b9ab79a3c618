"""Where EventBridge Scheduler says no, or more, and moto does not; and schedules that are fired.

Nothing here waits for a schedule's time: who wants to see its mail fires it (`pages`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.resource_tagging import TaggedResource
from moto.scheduler.exceptions import ScheduleGroupNotFound
from moto.scheduler.models import scheduler_backends

from shnotify.arns import name_in
from shnotify.errors import ShnotifyError
from shnotify.resources import calls
from shnotify.sandbox.delivery import send_event
from shnotify.sandbox.permissions import FunctionRole, RefusedError
from shnotify.sandbox.queues import put_message, queue_of
from shnotify.sandbox.rows import Proceed, model

_MODELS = "moto.scheduler.models"


@model(_MODELS, "EventBridgeSchedulerBackend.create_schedule_group", "API_CreateScheduleGroup")
def one_group_of_a_name(backend: Any, proceed: Proceed, name: str, **_: Any) -> Any:
    if name in backend.schedule_groups:
        error = JsonRESTError("ConflictException", f"Schedule group {name} already exists.")
        error.code = 409
        raise error
    return proceed()


@model(_MODELS, "EventBridgeSchedulerBackend.create_schedule", "API_CreateSchedule")
def a_schedule_needs_its_group(backend: Any, proceed: Proceed, **given: Any) -> Any:
    if (given["group_name"] or "default") not in backend.schedule_groups:
        raise ScheduleGroupNotFound(given["group_name"])
    return proceed()


@model(_MODELS, "EventBridgeSchedulerBackend.delete_schedule_group", "API_DeleteScheduleGroup")
def a_group_that_is_not_there(backend: Any, proceed: Proceed, name: str) -> Any:
    if name not in backend.schedule_groups:
        raise ScheduleGroupNotFound(name)
    return proceed()


@model(
    "moto.cloudwatch.models",
    "CloudWatchBackend.iter_tagged_resources",
    "API_GetResources: schedule groups are found too, and moto's Scheduler lists nothing",
)
def schedule_groups_are_found(backend: Any, proceed: Proceed) -> Iterator[Any]:
    yield from proceed()
    scheduler = scheduler_backends[backend.account_id][backend.region_name]
    for group in scheduler.schedule_groups.values():
        pairs = scheduler.tagger.get_tag_dict_for_resource(group.arn)
        yield TaggedResource(group.arn, pairs, "scheduler:schedule-group")


# -- firing ----------------------------------------------------------------------------------------


def schedules() -> list[Any]:
    """Lists all schedules of the account, by ARN."""
    backends = (backend for regions in scheduler_backends.values() for backend in regions.values())
    groups = (group for backend in backends for group in backend.schedule_groups.values())
    return sorted(
        (each for group in groups for each in group.schedules.values()), key=lambda each: each.arn
    )


def fire(arn: str) -> str:
    """Does what Scheduler does when a schedule's time has come; returns what became of it.

    What cannot be sent goes to the schedule's dead-letter queue (configuring-schedule-dlq).
    """
    schedule = next((each for each in schedules() if each.arn == arn), None)
    if schedule is None:
        raise ShnotifyError(f"there is no schedule {arn}")
    if schedule.state != "ENABLED":
        return f"{schedule.name} is disabled: nothing was sent"
    _, _, _, region, account, _ = arn.split(":", 5)
    target = schedule.target
    group = arn.replace(":schedule/", ":schedule-group/").rpartition("/")[0]
    who = SimpleNamespace(
        account_id=account, region=region, role=target["RoleArn"], function_arn="", _vpc_config={}
    )
    role = FunctionRole(who, partial(calls.scheduler_take_role, schedules=group))
    try:
        _send(account, region, target, role)
    except RefusedError as error:
        return f"{schedule.name} could not be sent: {error}{_keep(schedule, role, error)}"
    return f"{schedule.name} was sent"


def _send(account: str, region: str, target: dict[str, Any], role: FunctionRole) -> None:
    given = target.get("EventBridgeParameters")
    if given is None:
        raise RefusedError("INVALID_PARAMETER", f"the sandbox sends nothing to {target['Arn']}")
    role.require("events:PutEvents", target["Arn"], None)
    if name_in(target["Arn"]) != "default":
        raise RefusedError("NO_RESOURCE", f"the bus {target['Arn']} does not exist")
    send_event(
        account,
        region,
        source=given["Source"],
        detail_type=given["DetailType"],
        detail=json.loads(target.get("Input") or "{}"),
        resources=[],
    )


def _keep(schedule: Any, role: FunctionRole, why: RefusedError) -> str:
    """Sends what failed to the dead-letter queue, if there is one and the role may."""
    arn = str((schedule.target.get("DeadLetterConfig") or {}).get("Arn") or "")
    queue = queue_of(arn) if arn else None
    if queue is None:
        return ""
    attributes = {
        "SCHEDULE_ARN": schedule.arn,
        "TARGET_ARN": schedule.target["Arn"],
        "ERROR_CODE": why.code,
        "ERROR_MESSAGE": str(why),
    }
    try:
        role.require("sqs:SendMessage", arn, queue.policy)
        role.require_key(queue.kms_master_key_id, "sqs")
    except RefusedError:
        return ""
    put_message(queue, str(schedule.target.get("Input") or "{}"), attributes)
    return f"; it is in {queue.name}"
