"""Look-ups that several kinds share in one observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.arns import name_in
from shnotify.aws.calls import Question
from shnotify.aws.failures import NOT_FOUND, AwsError, DeniedError
from shnotify.aws.gateway import Aws
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.subscribers import subscriber_identity
from shnotify.tags import NAME_TAG


def seen_before(aws: Aws, name: str) -> str | None:
    """Returns the ARN that an earlier call of this command saw under the name, or None."""
    return aws.existing.get(name)


def saw(aws: Aws, name: str, arn: str) -> None:
    """Notes that a call of this command has seen the thing."""
    aws.existing[name] = arn


@frozen
class Tagged:
    """A resource that carries, or once carried, our tag (tag:GetResources may be minutes behind)."""

    arn: str
    tags: Tags


def tagged(aws: Aws, name: str) -> tuple[Tagged, ...]:
    """Lists everything that is tagged as notifier `name`'s, in this account and Region."""
    return tuple(found for found in _tagged(aws) if found.tags.get(NAME_TAG) == name)


def other_notifiers(aws: Aws, name: str) -> tuple[str, ...]:
    """Lists the other notifiers in this account and Region, as far as the tag search shows them."""
    found = (one.tags.get(NAME_TAG) for one in _tagged(aws))
    return tuple(sorted({other for other in found if other and other != name}))


def all_tagged(aws: Aws) -> dict[str, str]:
    """Maps the ARN of everything that is tagged as some notifier's to the notifier's name."""
    return {one.arn: name for one in _tagged(aws) if (name := one.tags.get(NAME_TAG))}


def _tagged(aws: Aws) -> tuple[Tagged, ...]:
    """Lists everything that is tagged as some notifier's, by one search (API_GetResources)."""

    def ask() -> tuple[Tagged, ...]:
        services = [
            "kms",
            "sns",
            "sqs",
            "events",
            "lambda",
            "logs",
            "cloudwatch",
            "scheduler",
        ]  # no types: ARNs of SNS and SQS hold none
        pages = aws.pages(
            aws.tagging.get_resources,
            "PaginationToken",
            TagFilters=[{"Key": NAME_TAG}],
            ResourceTypeFilters=services,
            ResourcesPerPage=100,
        )
        return tuple(
            Tagged(item["ResourceARN"].removesuffix(":*"), Tags.from_list(item.get("Tags", [])))
            for page in pages
            for item in page.get("ResourceTagMappingList", [])
        )

    return aws.remember_for_all("tagged", ask)


def key_arn(aws: Aws, reference: str) -> str:
    """Resolves a `KmsMasterKeyId` (id, ARN or alias, as SNS and SQS echo it) to the key's ARN.

    A reference that KMS does not know, or does not let us look up, stays as it is: ours it would
    let us look up.
    """
    if not reference or ":key/" in reference:
        return reference

    def ask() -> str:
        try:
            return aws(aws.kms.describe_key, KeyId=reference)["KeyMetadata"]["Arn"]
        except DeniedError:
            return reference
        except AwsError as error:
            if error.code not in NOT_FOUND:
                raise
            return reference

    return aws.remember(("key", reference), ask)


@frozen
class ListedSubscription:
    """One entry of a topic's list of subscriptions."""

    arn: str
    protocol: str
    endpoint: str

    @property
    def state(self) -> str:
        """`pending`, `deleted` or `confirmed`; SNS puts the first two where the ARN would be."""
        return {"PendingConfirmation": "pending", "Deleted": "deleted"}.get(self.arn, "confirmed")

    @property
    def identity(self) -> tuple[str, str]:
        return subscriber_identity(self.protocol, self.endpoint)


def subscriptions(aws: Aws, topic_arn: str) -> tuple[ListedSubscription, ...] | None:
    """Lists all subscriptions of a topic; returns None when there is no such topic."""

    def ask() -> tuple[ListedSubscription, ...] | None:
        try:
            return tuple(
                ListedSubscription(item["SubscriptionArn"], item["Protocol"], item["Endpoint"])
                for page in aws.pages(
                    aws.sns.list_subscriptions_by_topic, "NextToken", TopicArn=topic_arn
                )
                for item in page["Subscriptions"]
            )
        except AwsError as error:
            if error.code == "NotFound":
                return None
            raise

    return aws.remember(("subscriptions", topic_arn), ask)


def look_into_subscriptions(aws: Aws, topic_arn: str) -> None:
    """Asks early for the attributes of every confirmed subscription of a topic."""
    for entry in subscriptions(aws, topic_arn) or ():
        if entry.state == "confirmed":
            aws.start(subscription_attributes, aws, entry.arn)


def subscription_attributes(aws: Aws, arn: str) -> Mapping[str, str] | None:
    """Reads a confirmed subscription's attributes (API_GetSubscriptionAttributes).

    None when it is gone.
    """
    return aws.remember(*subscription_question(aws, arn))


def subscription_question(aws: Aws, arn: str) -> Question[Mapping[str, str] | None]:
    """Asks for a confirmed subscription's attributes."""

    def ask() -> Mapping[str, str] | None:
        reply = aws.maybe(aws.sns.get_subscription_attributes, SubscriptionArn=arn)
        return None if reply is None else reply["Attributes"]

    return ("subscription", arn), ask


def topic_attributes(aws: Aws, topic_arn: str) -> Mapping[str, str] | None:
    """Reads a topic's attributes; returns None when there is no such topic."""
    return aws.remember(*topic_question(aws, topic_arn))


def topic_question(aws: Aws, topic_arn: str) -> Question[Mapping[str, str] | None]:
    """Asks for a topic's attributes (API_GetTopicAttributes)."""

    def ask() -> Mapping[str, str] | None:
        reply = aws.maybe(aws.sns.get_topic_attributes, TopicArn=topic_arn)
        return None if reply is None else reply["Attributes"]

    return ("topic", topic_arn), ask


def topic_tags(aws: Aws, topic_arn: str) -> Tags:
    """Reads a topic's tags."""
    return aws.remember(*topic_tags_question(aws, topic_arn))


def topic_tags_question(aws: Aws, topic_arn: str) -> Question[Tags]:
    """Asks for a topic's tags (API_ListTagsForResource)."""

    def ask() -> Tags:
        return Tags.from_list(aws(aws.sns.list_tags_for_resource, ResourceArn=topic_arn)["Tags"])

    return ("topic tags", topic_arn), ask


def rules_feeding(aws: Aws, topic_arn: str) -> tuple[str, ...]:
    """Names every rule on the default bus that feeds a topic, ours and other people's."""

    def ask() -> tuple[str, ...]:
        pages = aws.pages(aws.events.list_rule_names_by_target, "NextToken", TargetArn=topic_arn)
        return tuple(name for page in pages for name in page["RuleNames"])

    return aws.remember(("rules_feeding", topic_arn), ask)


def mappings_of(aws: Aws, queue_arn: str, *, anew: bool = False) -> tuple[Mapping[str, Any], ...]:
    """Lists the event source mappings that take from a queue (API_ListEventSourceMappings)."""

    def ask() -> tuple[Mapping[str, Any], ...]:
        found = aws.pages(
            aws.lambda_.list_event_source_mappings, "Marker", EventSourceArn=queue_arn
        )
        return tuple(one for page in found for one in page.get("EventSourceMappings", []))

    return ask() if anew else aws.remember(("mappings", queue_arn), ask)


PROBE_SECONDS = 1
"""Long polling asks all of SQS's servers.

Short polling only some (SQS Developer Guide, short and long polling).
"""


def queue_url(aws: Aws, queue_arn: str) -> str:
    """Computes the queue's URL as GetQueueUrl answers it: endpoint, account, name."""
    return f"{aws.sqs.meta.endpoint_url}/{queue_arn.split(':')[4]}/{name_in(queue_arn)}"


def holds_messages(aws: Aws, queue_arn: str) -> bool:
    """Tells whether a message can be received from the queue.

    Depth attributes lag a minute behind (API_GetQueueAttributes).
    """
    reply = aws.maybe(
        aws.sqs.receive_message,
        QueueUrl=queue_url(aws, queue_arn),
        MaxNumberOfMessages=1,
        VisibilityTimeout=0,
        WaitTimeSeconds=PROBE_SECONDS,
    )
    return bool(reply and reply.get("Messages"))


def strings(attributes: Mapping[str, object]) -> dict[str, str]:
    """Turns attributes into text, as SNS and SQS want them, and drops the empty ones."""
    return {key: str(value) for key, value in attributes.items() if value not in (None, "")}
