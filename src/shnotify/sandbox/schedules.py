"""Where EventBridge Scheduler says no, or more, and moto does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.resource_tagging import TaggedResource
from moto.scheduler.exceptions import ScheduleGroupNotFound
from moto.scheduler.models import scheduler_backends

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
