"""EventBridge Scheduler: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.strict.cloud import REGION, Cloud, client, refused

GROUP = f"arn:aws:scheduler:{REGION}:123456789012:schedule-group/g"


@pytest.fixture
def scheduler(cloud: Cloud) -> Any:
    found = client("scheduler")
    found.create_schedule_group(Name="g", Tags=[{"Key": "Team", "Value": "red"}])
    return found


def test_one_group_of_a_name(scheduler: Any) -> None:
    assert refused(scheduler.create_schedule_group, Name="g")[0] == "ConflictException"
    assert scheduler.list_tags_for_resource(ResourceArn=GROUP)["Tags"] == [{"Key": "Team", "Value": "red"}]


def test_a_schedule_needs_its_group(scheduler: Any) -> None:
    given = {
        "Name": "s",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": f"arn:aws:events:{REGION}:123456789012:event-bus/default",
            "RoleArn": "arn:aws:iam::123456789012:role/r",
        },
    }
    assert refused(scheduler.create_schedule, GroupName="none", **given)[0] == "ResourceNotFoundException"
    assert scheduler.create_schedule(GroupName="g", **given)["ScheduleArn"].endswith(":schedule/g/s")


def test_a_group_that_is_not_there(scheduler: Any) -> None:
    scheduler.delete_schedule_group(Name="g")
    assert refused(scheduler.delete_schedule_group, Name="g")[0] == "ResourceNotFoundException"


def test_schedule_groups_are_found(scheduler: Any) -> None:
    client("cloudwatch").describe_alarms()  # moto finds nothing of services that nobody asked yet
    filters = [{"Key": "Team", "Values": ["red"]}]
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=filters, ResourceTypeFilters=["scheduler"])
    assert [one["ResourceARN"] for one in found["ResourceTagMappingList"]] == [GROUP]
    assert scheduler.list_schedule_groups()["ScheduleGroups"]
