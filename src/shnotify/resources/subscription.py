"""One subscriber of a topic, and where the mail goes that SNS cannot deliver to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.aws.progress import Noted
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import Input, Part
from shnotify.engine.values import Late
from shnotify.frozen import frozen
from shnotify.resources.lookup import (
    ListedSubscription,
    seen_before,
    subscription_attributes,
    subscription_question,
    subscriptions,
    tagged,
    topic_attributes,
    topic_tags,
    topic_tags_question,
)
from shnotify.subscribers import subscriber_identity
from shnotify.tags import REFUSED_TAG

_INVALID = ("InvalidParameter", "InvalidParameterValue")
_EXISTS = "already exists"


@frozen(kw_only=True)
class Subscription(Resource):
    """A subscriber of a topic. It cannot carry tags.

    notifier        whose it is: tells the queues of ours from those of others
    redrive_policy  the queue that takes what SNS gives up; {} for none. It can be read only of a
                    confirmed subscription, because a list shows no ARN of a pending one
                    (API_ListSubscriptionsByTopic). One that names a queue of somebody else is left
                    as it is
    """

    CFN: ClassVar[str] = "AWS::SNS::Subscription"
    PART_OF: ClassVar[str] = "topic_arn"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("sns", "GetTopicAttributes", "ListSubscriptionsByTopic")
        | calls("sns", "GetSubscriptionAttributes", "ListTagsForResource")
        | calls("tag", "GetResources"),
        create=calls("sns", "Subscribe", "TagResource"),
        update=calls("sns", "SetSubscriptionAttributes", "TagResource"),
        delete=calls("sns", "Unsubscribe"),
    )

    notifier: str = identity(default="")
    topic_arn: str
    protocol: str
    endpoint: str
    redrive_policy: dict[str, Any] | None = None

    @staticmethod
    def id_for(topic_id: str, protocol: str, endpoint: str) -> str:
        """Returns an id such as `UrgentSubscription1a2b3c4d`, stable however the file is ordered."""
        text = "\n".join(subscriber_identity(protocol, endpoint))
        return f"{topic_id.removesuffix('Topic')}Subscription{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def name(self) -> str:
        return f"{self.protocol}:{self.endpoint}"

    def purpose(self) -> str:
        return "is told"

    def cfn(self) -> tuple[Part, ...]:
        words = f"Who gets the alerts, by {self.protocol}."
        endpoint = Input(f"{self.id}Endpoint", words, self.endpoint)
        return (Part(self.id, self.CFN, {**self.properties(), "Endpoint": endpoint}),)

    def creation_notes(self) -> tuple[str, ...]:
        waits = self.protocol in ("email", "email-json", "http", "https")
        return ("gets nothing until its owner confirms, within 48 hours",) if waits else ()

    def read(self, aws: Aws) -> Live[Self] | None:
        if not seen_before(aws, self.topic_arn) and topic_attributes(aws, self.topic_arn) is None:
            return None
        live = self.identify(aws)
        return self._keeping(aws, live) if live else None

    def identify(self, aws: Aws) -> Live[Self] | None:
        best = self._entry(aws)
        return Live(self, {"Arn": best.arn, "State": best.state}) if best else None

    def _entry(self, aws: Aws) -> ListedSubscription | None:
        same = subscriber_identity(self.protocol, self.endpoint)
        found = [
            s
            for s in subscriptions(aws, self.topic_arn) or ()
            if s.identity == same and s.state != "deleted"
        ]
        return min(found, key=lambda s: s.state, default=None)  # `confirmed` before `pending`

    def _keeping(self, aws: Aws, live: Live[Self]) -> Live[Self]:
        """Adds where undelivered mail goes. What cannot be seen, or is not ours, is no drift."""
        if live.outputs["State"] != "confirmed" or self.redrive_policy is None:
            return live
        try:
            attributes = subscription_attributes(aws, live.outputs["Arn"])
        except StopError:
            raise
        except AwsError:  # the delivery chain says what it means for the subscriber
            return live
        if attributes is None:
            return live
        queue = redrive_queue(attributes)
        if not queue and refuses(topic_tags(aws, self.topic_arn).to_dict(), self.protocol):
            return live
        if queue and queue not in (self._queue, "") and not self._is_ours(aws, queue):
            return replace(live, notes=(f"what SNS gives up goes to {queue}, which is not ours",))
        have = {"deadLetterTargetArn": queue} if queue else {}
        return replace(live, state=replace(self, redrive_policy=have))

    @property
    def _queue(self) -> str:
        return str((self.redrive_policy or {}).get("deadLetterTargetArn", ""))

    def _is_ours(self, aws: Aws, queue: str) -> bool:
        """Tells whether a queue is, or was, this notifier's."""
        try:
            return any(found.arn == queue for found in tagged(aws, self.notifier))
        except StopError:
            raise
        except AwsError:
            return False

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, aws: Aws) -> Mapping[str, str]:
        """Subscribes, with the queue for undelivered mail; without it where AWS refuses that."""
        if not self._queue:
            return self._subscribe(aws, {})
        try:
            return self._subscribe(aws, {"RedrivePolicy": json.dumps(self.redrive_policy)})
        except AwsError as error:
            if error.code not in _INVALID:
                raise
            reply = self._subscribe(aws, {})  # when something else is wrong, this says so
            if _EXISTS not in error.message:
                self._remember_refusal(aws, error)
            return reply

    def _subscribe(self, aws: Aws, attributes: dict[str, str]) -> Mapping[str, str]:
        subscribe = aws.patient({"NotFound": "SNS does not show the new topic yet"})
        reply = subscribe(
            aws.sns.subscribe,
            TopicArn=self.topic_arn,
            Protocol=self.protocol,
            Endpoint=self.endpoint,
            **({"Attributes": attributes} if attributes else {}),
        )
        # Without ReturnSubscriptionArn an ARN says that nobody has to confirm (API_Subscribe).
        arn = reply["SubscriptionArn"]
        if not arn.startswith("arn:"):
            return {}
        if self.redrive_policy is not None:  # `read` asks for it
            aws.ahead(*subscription_question(aws, arn))
        return {"Arn": arn}

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        """Sets, or takes off, the queue for undelivered mail: an empty value is left out
        (API_SetSubscriptionAttributes).
        """
        value = {"AttributeValue": json.dumps(self.redrive_policy)} if self._queue else {}
        try:
            aws(
                aws.sns.set_subscription_attributes,
                SubscriptionArn=live.outputs["Arn"],
                AttributeName="RedrivePolicy",
                **value,
            )
        except AwsError as error:
            if error.code not in _INVALID:
                raise
            self._remember_refusal(aws, error)

    def _remember_refusal(self, aws: Aws, error: AwsError) -> None:
        """Notes on the topic that AWS takes no RedrivePolicy for the protocol; that is no failure."""
        aws.report(
            Noted(
                f"{self.endpoint} is subscribed, but AWS keeps no undelivered mail for {self.protocol}: {error.message}"
            )
        )
        tags = [{"Key": f"{REFUSED_TAG}{self.protocol}", "Value": "refused"}]
        try:
            aws(aws.sns.tag_resource, ResourceArn=self.topic_arn, Tags=tags)  # type: ignore[arg-type]
            aws.ahead(*topic_tags_question(aws, self.topic_arn))  # what was asked before is old
        except StopError:
            raise
        except AwsError as problem:
            aws.report(Noted(f"that could not be noted on the topic: {problem.message}"))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        if live.outputs["State"] == "confirmed":
            try:
                aws.maybe(aws.sns.unsubscribe, SubscriptionArn=live.outputs["Arn"])
                return
            except AwsError as error:
                if error.code not in _INVALID:
                    raise
        self._leave(aws)

    def removed_with_whole(self, aws: Aws, live: Live[Self]) -> None:
        if live.outputs["State"] == "pending":
            self._leave(aws)

    def _leave(self, aws: Aws) -> None:
        """Reports that AWS cannot take back a pending subscription (API_Unsubscribe).

        It ends with its topic or after 48 hours.
        """
        aws.report(Noted(f"{self.endpoint} is still pending: AWS drops it by itself"))


def redrive_queue(attributes: Mapping[str, str]) -> str:
    """Returns the ARN of the queue that a subscription's undelivered mail goes to; "" for none."""
    try:
        found = json.loads(attributes.get("RedrivePolicy") or "{}")
    except ValueError:
        return ""
    return str(found.get("deadLetterTargetArn", "")) if isinstance(found, dict) else ""


def refuses(tags: Mapping[str, str], protocol: str) -> bool:
    """Tells whether AWS once refused a RedrivePolicy for the protocol, by the topic's tags."""
    return f"{REFUSED_TAG}{protocol}" in tags


def unlisted(
    aws: Aws, topic_id: str, topic_arn: str, graph: Iterable[Resource]
) -> Iterable[tuple[Resource, Live[Resource]]]:
    """Lists confirmed subscribers of a topic that the graph does not name.

    topic_id  the topic's resource id, which a subscription of it refers to
    """
    listed = {
        subscriber_identity(r.protocol, r.endpoint)
        for r in graph
        if isinstance(r, Subscription) and topic_id in r.needs()
    }
    for found in subscriptions(aws, topic_arn) or ():
        if found.identity not in listed and found.state == "confirmed":
            resource = Subscription(
                id=Subscription.id_for(topic_id, found.protocol, found.endpoint),
                topic_arn=Late(f"${{{topic_id}.Arn}}"),
                protocol=found.protocol,
                endpoint=found.endpoint,
            )
            yield resource, Live(resource, {"Arn": found.arn, "State": found.state})
