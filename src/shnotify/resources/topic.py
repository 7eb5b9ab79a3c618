"""A standard SNS topic, with its policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.arns import name_in, service_of
from shnotify.aws.calls import Question
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import Part, Ref, without
from shnotify.engine.values import Policy, Tags
from shnotify.frozen import frozen
from shnotify.resources.lookup import (
    key_arn,
    rules_feeding,
    saw,
    seen_before,
    strings,
    subscriptions,
    topic_attributes,
    topic_question,
    topic_tags_question,
)
from shnotify.resources.policies import ALARM_SID, TOPIC_SID, open_notes
from shnotify.resources.subscription import unlisted
from shnotify.tags import OUR_TAGS, REFUSED_TAG

_ATTRIBUTES = {
    "PolicyDocument": "Policy",
    "KmsMasterKeyId": "KmsMasterKeyId",
    "DisplayName": "DisplayName",
}
"""Our properties and SNS's attribute names, in the order in which they are written: permissions
before encryption.
"""


@frozen(kw_only=True)
class Topic(Resource):
    """A standard SNS topic. `kms_master_key_id` is a key's ARN, or "" for an unencrypted topic.

    remove_unlisted  whether confirmed subscribers that the file does not name are unsubscribed
    """

    CFN: ClassVar[str] = "AWS::SNS::Topic"
    GETATT: ClassVar[Mapping[str, str]] = {"Arn": "TopicArn"}
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("sns", "GetTopicAttributes", "ListTagsForResource", "ListSubscriptionsByTopic")
        | calls("events", "ListRuleNamesByTarget")
        | calls("kms", "DescribeKey"),
        create=calls("sns", "CreateTopic"),
        update=calls("sns", "SetTopicAttributes", "TagResource"),
        release=calls("sns", "SetTopicAttributes", "UntagResource"),
        delete=calls("sns", "DeleteTopic"),
        besides=frozenset({("create", "sns:TagResource"), ("create", "sns:SetTopicAttributes")}),
    )

    topic_name: str = identity()
    topic_arn: str = identity()
    remove_unlisted: bool = identity(default=False)
    display_name: str
    kms_master_key_id: str
    policy_document: Policy
    tags: Tags

    @property
    def name(self) -> str:
        return self.topic_name

    def purpose(self) -> str:
        return "hands what is published to it to its subscribers"

    @property
    def arn(self) -> str:
        return self.topic_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "sns" or arn.count(":") != 5:  # a subscription's has one more
            return None
        return cls.unmanaged(id="Topic", topic_name=name_in(arn), topic_arn=arn, tags=tags)

    def points_at(self, aws: Aws) -> Iterable[str]:
        """Names the topic's key, and the rules that feed the topic (API_ListRuleNamesByTarget)."""
        if self.kms_master_key_id:
            yield self.kms_master_key_id
        prefix = self.topic_arn.replace(":sns:", ":events:").rpartition(":")[0]
        yield from (f"{prefix}:rule/{rule}" for rule in rules_feeding(aws, self.topic_arn))

    def surplus(
        self, aws: Aws, graph: Iterable[Resource]
    ) -> Iterable[tuple[Resource, Live[Resource]]]:
        return unlisted(aws, self.id, self.topic_arn, graph) if self.remove_unlisted else ()

    def cfn(self) -> tuple[Part, ...]:
        given = self.properties()
        # The version of SNS's own default is an old one; a stack's policy is all new.
        document = {**self.policy_document.document, "Version": "2012-10-17"}
        policy = {"Topics": [Ref(self.id)], "PolicyDocument": document}
        return (
            Part(self.id, self.CFN, without(given, "PolicyDocument")),
            Part(f"{self.id}Policy", "AWS::SNS::TopicPolicy", policy),
        )

    def identify(self, aws: Aws) -> Live[Self] | None:
        listing = aws.start(subscriptions, aws, self.topic_arn)
        reply = aws.maybe(aws.sns.list_tags_for_resource, ResourceArn=self.topic_arn)
        listed = listing.result()
        if reply is None or (listed is None and not reply["Tags"]):
            return None  # the tagging call knows no missing topics everywhere; the other one does
        state = replace(self, tags=Tags.from_list(reply["Tags"]))
        return replace(self._live(state), notes=_subscriber_notes(len(listed or ())))

    def read(self, aws: Aws) -> Live[Self] | None:
        early = self._tags(aws) if seen_before(aws, self.topic_arn) else None
        have = topic_attributes(aws, self.topic_arn)
        if have is None:
            return None
        saw(aws, self.topic_arn, self.topic_arn)
        tags = early or self._tags(aws)
        state = replace(
            self,
            display_name=have.get("DisplayName", ""),
            kms_master_key_id=key_arn(aws, have.get("KmsMasterKeyId", "")),
            policy_document=Policy.parse(have.get("Policy")),
            tags=tags.result(),
        )
        facts = {name: str(have[name]) for name in ("SubscriptionsDeleted",) if name in have}
        live = replace(self._live(state), facts=facts)
        return replace(live, notes=open_notes(state.policy_document))

    def links(self) -> tuple[str, ...]:
        return ("topic-policy",)

    def _tags(self, aws: Aws) -> Future[Tags]:
        return aws.ask(*topic_tags_question(aws, self.topic_arn))

    def _live(self, state: Self) -> Live[Self]:
        return Live(state, {"Arn": self.topic_arn}, owner_of(state.tags, self.tags))

    def create(self, aws: Aws) -> Mapping[str, str]:
        attributes = strings({_ATTRIBUTES[path]: value for path, value in self._texts().items()})
        try:
            aws(
                aws.sns.create_topic,
                Name=self.topic_name,
                Attributes=attributes,
                Tags=self.tags.to_list(),
            )
        except AwsError as error:
            # CreateTopic on a topic with other attributes or tags (API_CreateTopic)
            if (
                error.code in ("InvalidParameter", "InvalidParameterValue")
                and "already exists" in error.message
            ):
                raise AlreadyThereError(
                    error.message, operation=error.operation, code=error.code
                ) from error
            raise
        saw(aws, self.topic_arn, self.topic_arn)
        return self.outputs()

    def questions(self, aws: Aws) -> tuple[Question[Any], ...]:
        return topic_question(aws, self.topic_arn), topic_tags_question(aws, self.topic_arn)

    def _texts(self) -> dict[str, str]:
        return {
            "PolicyDocument": self.policy_document.to_text(),
            "KmsMasterKeyId": self.kms_master_key_id,
            "DisplayName": self.display_name,
        }

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        wanted = self._texts()
        if (
            "PolicyDocument" in changes
        ):  # SNS has no compare-and-set: what others wrote since we looked stays
            now = aws(aws.sns.get_topic_attributes, TopicArn=self.topic_arn)["Attributes"].get(
                "Policy"
            )
            wanted["PolicyDocument"] = self.policy_document.onto(Policy.parse(now)).to_text()
        for path, value in wanted.items():
            if path in changes:
                aws(
                    aws.sns.set_topic_attributes,
                    TopicArn=self.topic_arn,
                    AttributeName=_ATTRIBUTES[path],
                    AttributeValue=value,
                )
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_list()
            aws(aws.sns.tag_resource, ResourceArn=self.topic_arn, Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        policy = Policy.parse((topic_attributes(aws, self.topic_arn) or {}).get("Policy"))
        rest = policy.without(frozenset({TOPIC_SID, ALARM_SID}))
        if rest != policy and rest.statements:
            aws(
                aws.sns.set_topic_attributes,
                TopicArn=self.topic_arn,
                AttributeName="Policy",
                AttributeValue=rest.to_text(),
            )
        more = [tag for tag in live.state.tags.to_dict() if tag.startswith(REFUSED_TAG)]
        aws(aws.sns.untag_resource, ResourceArn=self.topic_arn, TagKeys=[*OUR_TAGS, *more])

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        aws(aws.sns.delete_topic, TopicArn=live.outputs["Arn"])


def _subscriber_notes(count: int) -> tuple[str, ...]:
    return (f"its {count} subscription{'s go' if count > 1 else ' goes'} with it",) if count else ()
