"""The log group of the formatter's function: made before the function, so that it has a retention
and our tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar, Self

from shnotify.arns import Scope, service_of
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.resources.role import role_name
from shnotify.tags import OUR_TAGS

PREFIX = "/aws/lambda/"


@frozen(kw_only=True)
class LogGroup(Resource):
    """A log group encrypted by CloudWatch Logs itself: it holds ids, never a finding's text."""

    CFN: ClassVar[str] = "AWS::Logs::LogGroup"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("logs", "DescribeLogGroups", "ListTagsForResource"),
        create=calls("logs", "CreateLogGroup", "PutRetentionPolicy"),
        update=calls("logs", "PutRetentionPolicy", "TagResource"),
        release=calls("logs", "UntagResource"),
        delete=calls("logs", "DeleteLogGroup"),
        besides=frozenset({("create", "logs:TagResource")}),
    )

    log_group_name: str = identity()
    log_group_arn: str = identity()
    retention_in_days: int
    tags: Tags

    @property
    def name(self) -> str:
        return self.log_group_name

    def purpose(self) -> str:
        return "keeps what the formatter logs"

    @property
    def arn(self) -> str:
        return self.log_group_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "logs" or f":log-group:{PREFIX}" not in arn:
            return None
        name = arn.split(":log-group:")[1]
        return cls.unmanaged(id="Logs", log_group_name=name, log_group_arn=arn, tags=tags)

    def companions(self) -> Iterable[str]:
        """Names the role of the function that writes to the log group.

        In a removal the role goes first, so this keeps its name.
        """
        scope = Scope.of(self.log_group_arn)
        return (scope.role(role_name(self.log_group_name.removeprefix(PREFIX), scope.region)),)

    def identify(self, aws: Aws) -> Live[Self] | None:
        return self.read(aws)

    def read(self, aws: Aws) -> Live[Self] | None:
        tags = aws.start(aws.maybe, aws.logs.list_tags_for_resource, resourceArn=self.log_group_arn)
        pages = aws.pages(
            aws.logs.describe_log_groups, "nextToken", logGroupNamePrefix=self.log_group_name
        )
        groups = [group for page in pages for group in page.get("logGroups", [])]
        found = next(
            (group for group in groups if group["logGroupName"] == self.log_group_name), None
        )
        reply = tags.result()
        if found is None:
            return None
        carried = Tags.of(reply.get("tags", {}) if reply else {})
        # 0 stands for "never expires", which AWS says by leaving the number out (API_LogGroup)
        state = replace(self, retention_in_days=found.get("retentionInDays", 0), tags=carried)
        return Live(state, {"Arn": self.log_group_arn}, owner_of(carried, self.tags))

    def create(self, aws: Aws) -> Mapping[str, str]:
        try:
            aws(
                aws.logs.create_log_group,
                logGroupName=self.log_group_name,
                tags=self.tags.to_dict(),
            )
        except AwsError as error:
            if error.code == "ResourceAlreadyExistsException":
                raise AlreadyThereError(
                    error.message, operation=error.operation, code=error.code
                ) from error
            raise
        self._put_retention(aws)
        return self.outputs()

    def _put_retention(self, aws: Aws) -> None:
        put = aws.patient(
            {"ResourceNotFoundException": "CloudWatch Logs does not show the new log group yet"}
        )
        put(
            aws.logs.put_retention_policy,
            logGroupName=self.log_group_name,
            retentionInDays=self.retention_in_days,
        )

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        if "RetentionInDays" in changes:
            self._put_retention(aws)
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_dict()
            aws(aws.logs.tag_resource, resourceArn=self.log_group_arn, tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        aws(aws.logs.untag_resource, resourceArn=self.log_group_arn, tagKeys=list(OUR_TAGS))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        aws.maybe(aws.logs.delete_log_group, logGroupName=self.log_group_name)
