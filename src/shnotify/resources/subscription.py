"""One subscriber of a topic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from shnotify.aws.failures import AwsError
from shnotify.aws.gateway import Aws
from shnotify.aws.progress import Noted
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource
from shnotify.engine.values import Late
from shnotify.resources.lookup import seen_before, subscriptions, topic_attributes
from shnotify.subscribers import subscriber_identity


@dataclass(frozen=True, kw_only=True)
class Subscription(Resource):
    """A subscriber of a topic; SNS keeps nothing of a subscription to compare.

    It cannot carry tags.
    """

    CFN: ClassVar[str] = "AWS::SNS::Subscription"
    PART_OF: ClassVar[str] = "topic_arn"
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("sns", "GetTopicAttributes", "ListSubscriptionsByTopic"),
        create=calls("sns", "Subscribe"),
        delete=calls("sns", "Unsubscribe"),
    )

    topic_arn: str
    protocol: str
    endpoint: str

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

    def creation_notes(self) -> tuple[str, ...]:
        waits = self.protocol in ("email", "email-json", "http", "https")
        return ("gets nothing until its owner confirms, within 48 hours",) if waits else ()

    def read(self, aws: Aws) -> Live[Self] | None:
        if not seen_before(aws, self.topic_arn) and topic_attributes(aws, self.topic_arn) is None:
            return None
        return self.identify(aws)

    def identify(self, aws: Aws) -> Live[Self] | None:
        same = subscriber_identity(self.protocol, self.endpoint)
        found = [
            s
            for s in subscriptions(aws, self.topic_arn) or ()
            if s.identity == same and s.state != "deleted"
        ]
        if not found:
            return None
        best = min(found, key=lambda s: s.state)  # `confirmed` before `pending`
        return Live(self, {"Arn": best.arn, "State": best.state})

    def create(self, aws: Aws) -> Mapping[str, str]:
        subscribe = aws.patient({"NotFound": "SNS does not show the new topic yet"})
        reply = subscribe(
            aws.sns.subscribe,
            TopicArn=self.topic_arn,
            Protocol=self.protocol,
            Endpoint=self.endpoint,
            ReturnSubscriptionArn=True,
        )
        return {"Arn": reply["SubscriptionArn"]}

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        """Does nothing, because nothing of a subscription is compared."""

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        if live.outputs["State"] == "confirmed":
            try:
                aws.maybe(aws.sns.unsubscribe, SubscriptionArn=live.outputs["Arn"])
                return
            except AwsError as error:
                if error.code not in ("InvalidParameter", "InvalidParameterValue"):
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
