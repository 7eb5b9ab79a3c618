"""What a function in the sandbox may read of the other services, with its role's rights."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends

from shnotify.arns import Scope
from shnotify.sandbox.permissions import FunctionRole, RefusedError
from shnotify.sandbox.queues import queue_of
from shnotify.sandbox.sdkerrors import client_error
from shnotify.sandbox.subscriptions import is_pending

_DEPTHS = {
    "ApproximateNumberOfMessages": "approximate_number_of_messages",
    "ApproximateNumberOfMessagesNotVisible": "approximate_number_of_messages_not_visible",
    "ApproximateNumberOfMessagesDelayed": "approximate_number_of_messages_delayed",
}


def _naive(moment: datetime) -> datetime:
    """The moment as moto keeps its own: UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


class Reader:
    """What the clients that only read have in common."""

    def __init__(self, function: Any, role: FunctionRole) -> None:
        self._function, self._role = function, role
        self.meta = SimpleNamespace(endpoint_url=f"https://sqs.{function.region}.amazonaws.com")

    def _require(self, action: str, resource: str, policy: object = None) -> None:
        try:
            self._role.require(action, resource, policy)
        except RefusedError as error:
            raise client_error("AccessDenied", str(error), action.partition(":")[2]) from error


class Logs(Reader):
    def filter_log_events(
        self,
        *,
        logGroupName: str,  # noqa: N803 AWS's names
        startTime: int,  # noqa: N803
        filterPattern: str,  # noqa: N803
        nextToken: str | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        backend = logs_backends[self._function.account_id][self._function.region]
        group = backend.groups.get(logGroupName)
        scope = Scope.of(self._function.function_arn)
        self._require("logs:FilterLogEvents", f"{scope.log_group(logGroupName)}:log-stream:")
        if group is None:
            what = "The specified log group does not exist."
            raise client_error("ResourceNotFoundException", what, "FilterLogEvents")
        found, token, _ = group.filter_log_events(
            logGroupName, [], startTime, 0, None, nextToken, filterPattern, True
        )
        return {"events": found, **({"nextToken": token} if token else {})}


class CloudWatch(Reader):
    def get_metric_data(
        self,
        *,
        MetricDataQueries: list[dict[str, Any]],  # noqa: N803 AWS's names
        StartTime: datetime,  # noqa: N803
        EndTime: datetime,  # noqa: N803
    ) -> dict[str, Any]:
        self._require("cloudwatch:GetMetricData", "*")
        backend = cloudwatch_backends[self._function.account_id][self._function.region]
        found = backend.get_metric_data(MetricDataQueries, _naive(StartTime), _naive(EndTime))
        return {"MetricDataResults": [{"Id": one["id"], "Values": one["values"]} for one in found]}


class Sqs(Reader):
    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 AWS's names
        arn = Scope.of(self._function.function_arn).queue(QueueUrl.rpartition("/")[2])
        queue = queue_of(arn)
        self._require("sqs:GetQueueAttributes", arn, queue.policy if queue else None)
        if queue is None:
            what = "The specified queue does not exist."
            code = "AWS.SimpleQueueService.NonExistentQueue"
            raise client_error(code, what, "GetQueueAttributes")
        return {"Attributes": {one: str(getattr(queue, _DEPTHS[one])) for one in AttributeNames}}


class SnsReader(Reader):
    def get_topic_attributes(self, *, TopicArn: str) -> dict[str, Any]:  # noqa: N803 AWS's names
        backend = sns_backends[self._function.account_id][Scope.of(TopicArn).region]
        topic = backend.topics.get(TopicArn)
        self._require("sns:GetTopicAttributes", TopicArn, topic.policy if topic else None)
        if topic is None:
            raise client_error("NotFound", "Topic does not exist", "GetTopicAttributes")
        mine = [one for one in backend.subscriptions.values() if one.topic_arn == TopicArn]
        confirmed = sum(not is_pending(one) for one in mine)
        return {"Attributes": {"SubscriptionsConfirmed": str(confirmed)}}
