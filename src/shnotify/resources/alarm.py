"""A CloudWatch alarm on one metric, which tells a topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.arns import name_in, service_of
from shnotify.aws.calls import FRESH_SECONDS
from shnotify.aws.failures import AlreadyThereError
from shnotify.aws.gateway import Aws
from shnotify.engine.health import Link
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import without
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.tags import OUR_TAGS

MOST_NAMES = 100
"""Names that one DescribeAlarms takes (API_DescribeAlarms)."""


@frozen(kw_only=True)
class Alarm(Resource):
    """A metric alarm with a statistic; it always has an action (Security Hub's CloudWatch.15).

    siblings  names of the notifier's alarms, which are asked about together
    unit      "": data of any unit counts; of another unit than the metric's none ever does
    """

    CFN: ClassVar[str] = "AWS::CloudWatch::Alarm"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("cloudwatch", "DescribeAlarms", "ListTagsForResource"),
        create=calls("cloudwatch", "PutMetricAlarm"),
        update=calls("cloudwatch", "PutMetricAlarm", "TagResource"),
        release=calls("cloudwatch", "UntagResource"),
        delete=calls("cloudwatch", "DeleteAlarms"),
        besides=frozenset({("create", "cloudwatch:TagResource")}),
    )

    alarm_name: str = identity()
    alarm_arn: str = identity()
    siblings: tuple[str, ...] = identity(default=())
    alarm_description: str
    namespace: str
    metric_name: str
    dimensions: list[dict[str, str]]
    statistic: str
    unit: str
    period: int
    evaluation_periods: int
    threshold: float
    comparison_operator: str
    treat_missing_data: str
    actions_enabled: bool
    alarm_actions: list[str] | None
    tags: Tags

    @property
    def name(self) -> str:
        return self.alarm_name

    def purpose(self) -> str:
        return "tells when mail is lost"

    @property
    def arn(self) -> str:
        return self.alarm_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "cloudwatch" or ":alarm:" not in arn:
            return None
        return cls.unmanaged(id="Alarm", alarm_name=_name_in(arn), alarm_arn=arn, tags=tags)

    def points_at(self, aws: Aws) -> Iterable[str]:
        return self.alarm_actions or ()

    # -- reading -----------------------------------------------------------------------------------

    def identify(self, aws: Aws) -> Live[Self] | None:
        return self.read(aws)

    def read(self, aws: Aws) -> Live[Self] | None:
        found = self._found(aws)
        if found is None:
            return None
        reply = aws.maybe(aws.cloudwatch.list_tags_for_resource, ResourceARN=self.alarm_arn)
        if reply is None:
            return None
        tags = Tags.from_list(reply["Tags"])
        live = Live(self._state(found, tags), self.outputs(), owner_of(tags, self.tags))
        facts = {"state": found.get("StateValue", ""), "reason": found.get("StateReason", "")}
        return replace(live, facts=facts)

    def _found(self, aws: Aws) -> Mapping[str, Any] | None:
        """Returns what DescribeAlarms says of the alarm, or None."""
        names = self.siblings if self.alarm_name in self.siblings else (self.alarm_name,)
        first = names.index(self.alarm_name) // MOST_NAMES * MOST_NAMES
        some = names[first : first + MOST_NAMES]

        def ask() -> dict[str, Mapping[str, Any]]:
            pages = aws.pages(
                aws.cloudwatch.describe_alarms,
                "NextToken",
                AlarmNames=list(some),
                AlarmTypes=["MetricAlarm"],
                MaxRecords=MOST_NAMES,
            )
            return {one["AlarmName"]: one for page in pages for one in page["MetricAlarms"]}

        return aws.remember(("alarms", some), ask).get(self.alarm_name)

    def _state(self, found: Mapping[str, Any], tags: Tags) -> Self:
        """Returns the live state. An alarm of another form has other values than any of ours."""
        return replace(
            self,
            alarm_description=found.get("AlarmDescription", ""),
            namespace=found.get("Namespace", ""),
            metric_name=found.get("MetricName", ""),
            dimensions=[dict(one) for one in found.get("Dimensions") or ()],
            statistic=found.get("Statistic", ""),
            unit=found.get("Unit") or "",
            period=found.get("Period", 0),
            evaluation_periods=_needed(found),
            threshold=found.get("Threshold", 0.0),
            comparison_operator=found.get("ComparisonOperator", ""),
            treat_missing_data=found.get("TreatMissingData") or "missing",
            actions_enabled=found.get("ActionsEnabled", True),
            alarm_actions=list(found.get("AlarmActions") or ()),
            tags=tags,
        )

    def onto(self, live: Self) -> Self:
        """Keeps the actions that somebody added."""
        merged = super().onto(live)
        if self.alarm_actions is None or live.alarm_actions is None:
            return merged
        theirs = [one for one in live.alarm_actions if one not in self.alarm_actions]
        ours = [*live.alarm_actions] if set(self.alarm_actions) <= set(live.alarm_actions) else None
        return replace(merged, alarm_actions=ours or [*self.alarm_actions, *theirs])

    # -- delivery ----------------------------------------------------------------------------------

    def links(self) -> tuple[str, ...]:
        return ("watchdog",)

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        have, state = live.state, live.facts["state"]
        evidence = {"alarm": self.alarm_name, "state": state}
        if not have.actions_enabled:
            why = f"{self.id} has its actions switched off: when it goes off, nobody is told"
            return (self.link("watchdog", "broken", why, **evidence),)
        if set(self.alarm_actions or ()) - set(have.alarm_actions or ()):
            why = f"{self.id} does not tell the watchdog's topic"
            return (self.link("watchdog", "broken", why, **evidence),)
        if self._looks_elsewhere(have):
            why = f"{self.id} does not watch what the file wants watched"
            return (self.link("watchdog", "broken", why, **evidence),)
        if state == "ALARM":
            why = f"{self.alarm_name} is in ALARM: {live.facts['reason'] or self.alarm_description}"
            return (self.link("watchdog", "warning", why, **evidence),)
        if state != "OK":
            why = f"{self.alarm_name} is in {state or 'no state'}: CloudWatch has no data to judge"
            return (self.link("watchdog", "unknown", why, **evidence),)
        return (self.link("watchdog", "ok", **evidence),)

    def _looks_elsewhere(self, have: Self) -> bool:
        def looked_at(alarm: Self) -> tuple[Any, ...]:
            return (
                alarm.namespace,
                alarm.metric_name,
                sorted((one["Name"], one["Value"]) for one in alarm.dimensions),
                alarm.statistic,
                alarm.unit,
                alarm.period,
                alarm.evaluation_periods,
                alarm.threshold,
                alarm.comparison_operator,
                alarm.treat_missing_data,
            )

        return looked_at(self) != looked_at(have)

    # -- writing -----------------------------------------------------------------------------------

    def create(self, aws: Aws) -> Mapping[str, str]:
        """Creates the alarm, after another look when the last look is old: PutMetricAlarm
        overwrites (API_PutMetricAlarm).
        """
        if aws.age() > FRESH_SECONDS:
            reply = aws(aws.cloudwatch.describe_alarms, AlarmNames=[self.alarm_name])
            if reply["MetricAlarms"]:
                text = f"the alarm {self.alarm_name} exists"
                raise AlreadyThereError(text, operation="cloudwatch:PutMetricAlarm")
        self._put(aws, Tags=self.tags.to_list())
        return self.outputs()

    def _put(self, aws: Aws, **tags: Any) -> None:
        """Writes the whole alarm; of one that exists the tags stay (API_PutMetricAlarm)."""
        given = without(self.managed(), "Tags", *(() if self.unit else ("Unit",)))
        aws(aws.cloudwatch.put_metric_alarm, AlarmName=self.alarm_name, **given, **tags)

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        if changes - {"Tags"}:
            self._put(aws)
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_list()
            aws(aws.cloudwatch.tag_resource, ResourceARN=self.alarm_arn, Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        aws(aws.cloudwatch.untag_resource, ResourceARN=self.alarm_arn, TagKeys=list(OUR_TAGS))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        """Deletes the alarm; CloudWatch takes a name that it does not know for an error in some
        APIs (API_DeleteAlarms).
        """
        aws.maybe(aws.cloudwatch.delete_alarms, AlarmNames=[self.alarm_name])


def _needed(found: Mapping[str, Any]) -> int:
    """Returns the number of periods; 0 for an alarm that fewer of them would set off."""
    periods = int(found.get("EvaluationPeriods", 0))
    return periods if found.get("DatapointsToAlarm", periods) == periods else 0


def _name_in(arn: str) -> str:
    """Returns the alarm's name, which may hold colons and slashes."""
    return arn.split(":alarm:", 1)[1] if ":alarm:" in arn else name_in(arn)
