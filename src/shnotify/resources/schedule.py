"""An EventBridge Scheduler schedule, alone in a schedule group of its own: a schedule carries no
tags, and its group does (scheduler user guide, managing-schedule-group).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.arns import name_in, service_of
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.health import Link
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import EMPTY, Part, without
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.tags import OUR_TAGS


@frozen(kw_only=True)
class Schedule(Resource):
    """A schedule and its group, which have one name. `schedule_arn` is the group's ARN.

    start_date, end_date  "": it neither begins late nor ends
    """

    CFN: ClassVar[str] = "AWS::Scheduler::Schedule"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("scheduler", "GetScheduleGroup", "GetSchedule", "ListTagsForResource"),
        create=calls("scheduler", "CreateScheduleGroup", "CreateSchedule"),
        update=calls("scheduler", "CreateSchedule", "UpdateSchedule", "TagResource"),
        release=calls("scheduler", "DeleteSchedule", "UntagResource"),
        delete=calls("scheduler", "DeleteSchedule", "DeleteScheduleGroup"),
        besides=frozenset(
            {
                ("create", "scheduler:TagResource"),
                ("create", "iam:PassRole"),
                ("update", "iam:PassRole"),
            }
        ),
    )

    schedule_name: str = identity()
    schedule_arn: str = identity()
    description: str
    schedule_expression: str
    schedule_expression_timezone: str
    state: str
    flexible_time_window: dict[str, Any]
    start_date: str
    end_date: str
    target: dict[str, Any]
    tags: Tags

    @property
    def name(self) -> str:
        return self.schedule_name

    def purpose(self) -> str:
        return "sends a sign of life through the rules"

    @property
    def arn(self) -> str:
        return self.schedule_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "scheduler" or ":schedule-group/" not in arn:
            return None
        name = name_in(arn)
        return cls.unmanaged(id="Schedule", schedule_name=name, schedule_arn=arn, tags=tags)

    def points_at(self, aws: Aws) -> Iterable[str]:
        target = self.target or {}
        dead_letters = target.get("DeadLetterConfig") or {}
        return [str(arn) for arn in (target.get("RoleArn"), dead_letters.get("Arn")) if arn]

    def cfn(self) -> tuple[Part, ...]:
        group = f"{self.id}Group"
        given = {**self._given(), "GroupName": {"Ref": group}}
        tagged = {"Name": self.schedule_name, "Tags": self.tags}
        return Part(self.id, self.CFN, given), Part(group, "AWS::Scheduler::ScheduleGroup", tagged)

    # -- reading -----------------------------------------------------------------------------------

    def identify(self, aws: Aws) -> Live[Self] | None:
        return self.read(aws)

    def read(self, aws: Aws) -> Live[Self] | None:
        schedule = aws.start(
            aws.maybe,
            aws.scheduler.get_schedule,
            Name=self.schedule_name,
            GroupName=self.schedule_name,
        )
        group = aws.maybe(aws.scheduler.get_schedule_group, Name=self.schedule_name)
        found = schedule.result() or {}
        if group is None or group["State"] == "DELETING":  # it goes with all that is in it
            return None
        reply = aws(aws.scheduler.list_tags_for_resource, ResourceArn=self.schedule_arn)
        tags = Tags.from_list(reply.get("Tags") or [])
        state = replace(
            self,
            description=found.get("Description") or "",
            schedule_expression=found.get("ScheduleExpression", ""),
            schedule_expression_timezone=found.get("ScheduleExpressionTimezone", ""),
            state=found.get("State", ""),
            flexible_time_window=found.get("FlexibleTimeWindow") or {},
            start_date=str(found.get("StartDate") or ""),
            end_date=str(found.get("EndDate") or ""),
            target=found.get("Target") or {},
            tags=tags,
        )
        outputs = {"Arn": self.schedule_arn, "Schedule": "there" if found else ""}
        return Live(state, outputs, owner_of(tags, self.tags))

    # -- delivery ----------------------------------------------------------------------------------

    def links(self) -> tuple[str, ...]:
        return ("watchdog",)

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        if not live.outputs["Schedule"]:
            why = f"{self.id} is missing from its group: no sign of life is sent"
        elif live.state.state != "ENABLED":
            why = f"{self.id} is switched off: no sign of life is sent"
        elif live.state.start_date or live.state.end_date:
            why = f"{self.id} begins or ends at a date: no sign of life is sent before or after it"
        elif live.state.target != self.target:
            why = f"{self.id} does not send what the rules let through as a sign of life"
        else:
            return (self.link("watchdog", "ok"),)
        return (self.link("watchdog", "broken", why),)

    # -- writing -----------------------------------------------------------------------------------

    def create(self, aws: Aws) -> Mapping[str, str]:
        try:
            aws(
                aws.scheduler.create_schedule_group,
                Name=self.schedule_name,
                Tags=self.tags.to_list(),
            )
        except AwsError as error:
            if error.code == "ConflictException":
                raise AlreadyThereError(
                    error.message, operation=error.operation, code=error.code
                ) from error
            raise
        self._create_schedule(aws)
        return self.outputs()

    def _create_schedule(self, aws: Aws) -> None:
        put = aws.patient(
            {"ValidationException: role": "EventBridge Scheduler cannot take the new role yet"}
        )
        put(aws.scheduler.create_schedule, **self._given())

    def _given(self) -> dict[str, Any]:
        """Returns the whole schedule: an update forgets what it leaves out (API_UpdateSchedule)."""
        given = without(self.managed(), "Tags")
        named = {"Name": self.schedule_name, "GroupName": self.schedule_name}
        return {name: value for name, value in given.items() if value not in EMPTY} | named

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        if not live.outputs["Schedule"]:
            self._create_schedule(aws)
        elif changes - {"Tags"}:
            aws(aws.scheduler.update_schedule, **self._given())
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_list()
            aws(aws.scheduler.tag_resource, ResourceArn=self.schedule_arn, Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        self._delete_schedule(aws)
        aws(aws.scheduler.untag_resource, ResourceArn=self.schedule_arn, TagKeys=list(OUR_TAGS))

    def _delete_schedule(self, aws: Aws) -> None:
        aws.maybe(
            aws.scheduler.delete_schedule, Name=self.schedule_name, GroupName=self.schedule_name
        )

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        """Deletes the schedule, then its group, which takes a while (API_DeleteScheduleGroup)."""
        self._delete_schedule(aws)
        aws.maybe(aws.scheduler.delete_schedule_group, Name=self.schedule_name)
