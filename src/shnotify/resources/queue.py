"""A standard SQS queue, with its policy: where EventBridge and SNS put what they could not deliver."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import field, replace
from functools import partial
from typing import Any, ClassVar, Self

from shnotify.arns import Scope, name_in, service_of
from shnotify.aws.calls import FRESH_SECONDS, Question
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.health import Link
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import Part, Ref, without
from shnotify.engine.values import Policy, Tags
from shnotify.frozen import frozen
from shnotify.resources.lookup import (
    holds_messages,
    key_arn,
    mappings_of,
    queue_url,
    saw,
    seen_before,
    strings,
)
from shnotify.resources.policies import QUEUE_SID, SNS_QUEUE_SID, open_notes
from shnotify.resources.role import role_name
from shnotify.tags import OUR_TAGS

HEARTBEAT_QUEUE = "-heartbeat-dlq"
"""How the name of a heartbeat's queue ends; before it stands the notifier's name."""

_NUMBERS = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "KmsDataKeyReusePeriodSeconds",
)
_ONE_KIND = "InvalidAttributeName: You can use one type of server-side encryption"
_LOOKED_INTO = "LookedInto"
_UNDELIVERED = "messages that could not be delivered"
_DEPTHS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}


@frozen(kw_only=True)
class Queue(Resource):
    """A standard SQS queue. Numbers are seconds and bytes.

    `kms_master_key_id` is a key's ARN, or "" for SQS's own encryption.

    discard_messages        delete it even when it holds messages
    redrive_policy          where messages go that are received too often; {} for nowhere
    sqs_managed_sse_enabled SQS's own encryption: what a queue without a key begins with, and what
    one that had a key must be given back (API_SetQueueAttributes); None with a key, which excludes
    it
    """

    CFN: ClassVar[str] = "AWS::SQS::Queue"
    LOOKS_FIRST: ClassVar[bool] = True
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("sqs", "GetQueueAttributes", "ListQueueTags") | calls("kms", "DescribeKey"),
        create=calls("sqs", "CreateQueue"),
        update=calls("sqs", "SetQueueAttributes", "TagQueue"),
        release=calls("sqs", "SetQueueAttributes", "UntagQueue"),
        delete=calls("sqs", "ReceiveMessage", "DeleteQueue"),
        besides=frozenset({("create", "sqs:TagQueue"), ("delete", "kms:Decrypt")}),
    )

    queue_name: str = identity()
    queue_arn: str = identity()
    discard_messages: bool = identity(default=False)
    visibility_timeout: int
    message_retention_period: int
    delay_seconds: int
    maximum_message_size: int
    receive_message_wait_time_seconds: int
    kms_master_key_id: str
    kms_data_key_reuse_period_seconds: int | None
    sqs_managed_sse_enabled: bool | None = None
    redrive_policy: dict[str, Any] = field(default_factory=dict)
    policy_document: Policy
    tags: Tags

    @property
    def name(self) -> str:
        return self.queue_name

    def purpose(self) -> str:
        if self.redrive_policy:
            return "collects findings for the function"
        return "keeps what could not be delivered"

    @property
    def arn(self) -> str:
        return self.queue_arn

    def url(self, aws: Aws) -> str:
        return queue_url(aws, self.queue_arn)

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "sqs":
            return None
        return cls.unmanaged(id="Queue", queue_name=name_in(arn), queue_arn=arn, tags=tags)

    def points_at(self, aws: Aws) -> Iterable[str]:
        key = (self.kms_master_key_id,) if self.kms_master_key_id else ()
        # Only a buffer has a dead-letter queue of its own, and something that takes from it.
        fed = mappings_of(aws, self.queue_arn) if self.redrive_policy else ()
        return *key, *(str(one["EventSourceMappingArn"]) for one in fed)

    def links(self) -> tuple[str, ...]:
        return ("formatter",) if self.redrive_policy else ()

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        """Says that a buffer is there; the policies around it are judged apart."""
        return tuple(self.link(name, "ok") for name in self.links())

    def companions(self) -> Iterable[str]:
        """Names the role that sends to a heartbeat's queue: no tag search finds a role, and in a
        removal the role goes first.
        """
        if not self.queue_name.endswith(HEARTBEAT_QUEUE):
            return ()
        heartbeat = self.queue_name.removesuffix("-dlq")
        scope = Scope.of(self.queue_arn)
        return (scope.role(role_name(heartbeat, scope.region)),)

    def cfn(self) -> tuple[Part, ...]:
        given = self.properties()
        policy = {"Queues": [Ref(self.id)], "PolicyDocument": given["PolicyDocument"]}
        return (
            Part(self.id, self.CFN, without(given, "PolicyDocument"), keeps=True),
            Part(f"{self.id}Policy", "AWS::SQS::QueuePolicy", policy),
        )

    def identify(self, aws: Aws) -> Live[Self] | None:
        tags = self._tags(aws)
        have = self._attributes(aws)
        if have is None:
            return None
        redrive = _redrive(have)
        live = self._live(replace(self, tags=tags.result(), redrive_policy=redrive), have)
        depth = depths(have)
        if depth and not self.discard_messages:
            return replace(
                live,
                blocked=f"it holds messages ({depth}): read them first, or discard them with --force",
            )
        return replace(live, notes=(f"its messages are lost: {depth}",)) if depth else live

    def read(self, aws: Aws) -> Live[Self] | None:
        early = self._tags(aws) if seen_before(aws, self.queue_arn) else None
        have = aws.remember(*self._question(aws))
        if have is None:
            return None
        saw(aws, self.queue_arn, self.queue_arn)
        tags = early or self._tags(aws)
        numbers = {path: int(have.get(path, 0)) for path in _NUMBERS}
        own = (
            None
            if have.get("KmsMasterKeyId")
            else have.get("SqsManagedSseEnabled", "true").lower() == "true"
        )
        state = replace(
            self,
            visibility_timeout=numbers["VisibilityTimeout"],
            message_retention_period=numbers["MessageRetentionPeriod"],
            delay_seconds=numbers["DelaySeconds"],
            maximum_message_size=numbers["MaximumMessageSize"],
            receive_message_wait_time_seconds=numbers["ReceiveMessageWaitTimeSeconds"],
            kms_data_key_reuse_period_seconds=numbers["KmsDataKeyReusePeriodSeconds"] or None,
            kms_master_key_id=key_arn(aws, have.get("KmsMasterKeyId", "")),
            sqs_managed_sse_enabled=own,
            redrive_policy=_redrive(have),
            policy_document=Policy.parse(have.get("Policy")),
            tags=tags.result(),
        )
        live = self._live(state, have)
        notes: list[str] = []
        if depth := depths(have):
            what = "findings still to be mailed" if self.redrive_policy else _UNDELIVERED
            notes.append(f"it holds {what}: {depth}")
            wanted = self.message_retention_period
            if wanted is not None and wanted < state.message_retention_period:
                notes.append(
                    "a shorter MessageRetentionPeriod drops the older ones of them (API_SetQueueAttributes)"
                )
        return replace(live, notes=(*notes, *open_notes(state.policy_document)))

    def _attributes(self, aws: Aws) -> Mapping[str, str] | None:
        reply = aws.maybe(
            aws.sqs.get_queue_attributes, QueueUrl=self.url(aws), AttributeNames=["All"]
        )
        return None if reply is None else reply["Attributes"]  # type: ignore[return-value]

    def _question(self, aws: Aws) -> Question[Mapping[str, str] | None]:
        return ("queue", self.queue_arn), partial(self._attributes, aws)

    def _tags(self, aws: Aws) -> Future[Tags]:
        return aws.ask(*self._tags_question(aws))

    def _tags_question(self, aws: Aws) -> Question[Tags]:
        def ask() -> Tags:
            reply = aws.maybe(aws.sqs.list_queue_tags, QueueUrl=self.url(aws))
            return Tags.of(reply.get("Tags", {}) if reply else {})

        return ("queue tags", self.queue_arn), ask

    def _live(self, state: Self, have: Mapping[str, str]) -> Live[Self]:
        outputs = {"Arn": self.queue_arn, **{name: have.get(name, "0") for name in _DEPTHS}}
        return Live(state, outputs, owner_of(state.tags, self.tags))

    def _texts(self) -> dict[str, str | int | None]:
        return {
            **{path: value for path, value in self.managed().items() if path in _NUMBERS},
            "KmsMasterKeyId": self.kms_master_key_id,
            "RedrivePolicy": json.dumps(self.redrive_policy) if self.redrive_policy else "",
            "Policy": self.policy_document.to_text(),
        }

    def create(self, aws: Aws) -> Mapping[str, str]:
        create = aws.patient(
            {"QueueDeletedRecently": "SQS keeps a deleted queue's name for 60 seconds"}
        )
        try:
            create(
                aws.sqs.create_queue,
                QueueName=self.queue_name,
                Attributes=strings(self._texts()),
                tags=self.tags.to_dict(),
            )
        except AwsError as error:
            if error.code in ("QueueAlreadyExists", "QueueNameExists"):
                raise AlreadyThereError(
                    error.message, operation=error.operation, code=error.code
                ) from error
            raise
        saw(aws, self.queue_arn, self.queue_arn)
        return self.outputs()

    def questions(self, aws: Aws) -> tuple[Question[Any], ...]:
        return self._question(aws), self._tags_question(aws)

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        names = {"Policy" if path == "PolicyDocument" else path for path in changes - {"Tags"}}
        own = {"SqsManagedSseEnabled"} & names
        if names:
            now = (self._attributes(aws) or {}).get(
                "Policy"
            )  # what others wrote since we looked stays
            texts = {
                **self._texts(),
                "Policy": self.policy_document.onto(Policy.parse(now)).to_text(),
            }
            # The policy goes along with any change: EventBridge must never find the queue without
            # it.
            attributes = {
                name: str(texts[name])
                for name in {*names, "Policy"} - own
                if texts.get(name) is not None
            }
            if names - own:
                aws(aws.sqs.set_queue_attributes, QueueUrl=self.url(aws), Attributes=attributes)  # type: ignore[arg-type]
            if own:  # in a call of its own: SQS refuses it beside a key that it still knows
                put = aws.patient({_ONE_KIND: "SQS does not know everywhere that the key is gone"})
                encrypted = {"SqsManagedSseEnabled": "true", "Policy": texts["Policy"]}
                put(aws.sqs.set_queue_attributes, QueueUrl=self.url(aws), Attributes=encrypted)
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_dict()
            aws(aws.sqs.tag_queue, QueueUrl=self.url(aws), Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        policy = Policy.parse((self._attributes(aws) or {}).get("Policy"))
        rest = policy.without(frozenset({QUEUE_SID, SNS_QUEUE_SID}))
        if rest != policy:
            text = rest.to_text() if rest.statements else ""
            aws(aws.sqs.set_queue_attributes, QueueUrl=self.url(aws), Attributes={"Policy": text})
        aws(aws.sqs.untag_queue, QueueUrl=self.url(aws), TagKeys=list(OUR_TAGS))

    def let_go(self, aws: Aws, live: Live[Self]) -> Live[Self]:
        """Looks into the queue. Raises `AwsError` while a message can be received or is counted.

        The counts lag a minute (API_GetQueueAttributes); what is delayed or in flight cannot be
        received, so the counts are asked for again when the last look is old.
        """
        if not self.discard_messages:
            have = aws.start(self._attributes, aws) if aws.age() > FRESH_SECONDS else None
            if holds_messages(aws, self.queue_arn) or (have and depths(have.result() or {})):
                raise AwsError(
                    f"the queue {self.queue_name} holds messages, so it stays, and its key with it",
                    hint="read them first, or discard them with --force",
                    operation="sqs:DeleteQueue",
                )
        return replace(live, outputs={**live.outputs, _LOOKED_INTO: "true"})

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        if _LOOKED_INTO not in live.outputs:
            self.let_go(aws, live)
        aws.maybe(aws.sqs.delete_queue, QueueUrl=self.url(aws))


def _redrive(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Reads where messages go that are received too often (API_SetQueueAttributes)."""
    try:
        found = json.loads(attributes.get("RedrivePolicy") or "{}")
        return {**found, "maxReceiveCount": int(found["maxReceiveCount"])} if found else {}
    except (ValueError, KeyError, TypeError):
        return {"text": attributes["RedrivePolicy"]}


def depths(attributes: Mapping[str, str]) -> str:
    """Says in words how many messages a queue holds; "" when it says none."""
    counts = {word: int(attributes.get(name, "0")) for name, word in _DEPTHS.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)
