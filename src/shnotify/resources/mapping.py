"""An event source mapping: Lambda takes batches from a queue and hands them to a function."""

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
from shnotify.engine.template import Part
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.resources.lookup import mappings_of, queue_url
from shnotify.resources.queue import Queue, depths
from shnotify.tags import OUR_TAGS

_ROLE_NOT_YET = "Lambda cannot use the new role yet"
_BUSY = "Lambda is still busy with the last change of the event source mapping"
_GOING = "the former event source mapping is still being deleted"
_PATIENCE = 90
"""Seconds that a deletion is waited for."""


@frozen(kw_only=True)
class EventSourceMapping(Resource):
    """Takes a queue's messages to a function, in batches.

    event_source_arn  the queue's ARN; another queue is another mapping
    queue             the queue's name; "" where only the uuid is known
    uuid              Lambda's name for a mapping that was found; "" for a wanted one
    discard_messages  delete it even while its queue holds messages
    function_name     the function's ARN
    """

    CFN: ClassVar[str] = "AWS::Lambda::EventSourceMapping"
    GETATT: ClassVar[Mapping[str, str]] = {"Arn": "EventSourceMappingArn"}
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("lambda", "ListEventSourceMappings", "GetEventSourceMapping", "ListTags"),
        create=calls("lambda", "CreateEventSourceMapping"),
        update=calls("lambda", "UpdateEventSourceMapping", "TagResource"),
        release=calls("lambda", "UntagResource"),
        delete=calls("lambda", "DeleteEventSourceMapping") | calls("sqs", "GetQueueAttributes"),
        besides=frozenset({("create", "lambda:TagResource")}),
    )

    event_source_arn: str = identity()
    queue: str = identity(default="")
    uuid: str = identity(default="")
    discard_messages: bool = identity(default=False)
    function_name: str
    enabled: bool
    batch_size: int
    maximum_batching_window_in_seconds: int
    scaling_config: dict[str, Any]
    function_response_types: tuple[str, ...]
    tags: Tags

    @property
    def name(self) -> str:
        return f"from {self.queue}" if self.queue else self.uuid

    def purpose(self) -> str:
        return "hands the queue's findings to the function, in batches"

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "lambda" or ":event-source-mapping:" not in arn:
            return None
        return cls.unmanaged(
            id="EventSourceMapping", event_source_arn="", uuid=name_in(arn), tags=tags
        )

    def points_at(self, aws: Aws) -> Iterable[str]:
        return [arn for arn in (self.function_name, self.event_source_arn) if arn]

    def cfn(self) -> tuple[Part, ...]:
        given = {"EventSourceArn": self.event_source_arn, **self.properties()}
        return (Part(self.id, self.CFN, given),)

    def kept_for(self, lives: Iterable[Live[Resource]]) -> str | None:
        """Says that findings in its queue are still to be mailed."""
        lives = list(lives)
        queues = {
            live.state.event_source_arn
            for live in lives
            if isinstance(live.state, EventSourceMapping) and live.state.uuid == self.uuid
        }
        for live in lives:
            holds = isinstance(live.state, Queue) and depths(live.outputs)
            if holds and live.outputs["Arn"] in queues:
                return f"{live.state.name} holds findings that are still to be mailed ({holds}), so it stays"
        return None

    # -- reading -------------------------------------------------------------------------------------------------------

    def identify(self, aws: Aws) -> Live[Self] | None:
        return self.read(aws)

    def read(self, aws: Aws) -> Live[Self] | None:
        found = self._found(aws)
        if not found:
            return None
        have = found[0]
        reply = aws.maybe(aws.lambda_.list_tags, Resource=have["EventSourceMappingArn"])
        if reply is None:
            return None
        state = replace(
            self,
            event_source_arn=have.get("EventSourceArn", ""),
            uuid=have["UUID"],
            function_name=have.get("FunctionArn", ""),
            enabled=have.get("State") not in ("Disabled", "Disabling"),
            batch_size=have.get("BatchSize", 10),
            maximum_batching_window_in_seconds=have.get("MaximumBatchingWindowInSeconds", 0),
            scaling_config=dict(have.get("ScalingConfig") or {}),
            function_response_types=tuple(have.get("FunctionResponseTypes") or ()),
            tags=Tags.of(reply.get("Tags") or {}),
        )
        outputs = {
            "Arn": have["EventSourceMappingArn"],
            "UUID": have["UUID"],
            "State": have.get("State", ""),
            "Reason": have.get("StateTransitionReason", ""),
        }
        others = tuple(other.get("FunctionArn", "?") for other in found[1:])
        filtered = bool((have.get("FilterCriteria") or {}).get("Filters"))
        facts = {"others": others, "filtered": filtered}
        live = Live(state, outputs, owner_of(state.tags, self.tags), facts=facts)
        notes = (f"{', '.join(others)} takes messages from the same queue",) if others else ()
        return replace(live, notes=notes)

    def _found(self, aws: Aws) -> list[Mapping[str, Any]]:
        """Lists the mappings that this may be, the best first."""
        if self.uuid:
            one = aws.maybe(aws.lambda_.get_event_source_mapping, UUID=self.uuid)
            found: list[Mapping[str, Any]] = [one] if one else []
        else:
            found = list(mappings_of(aws, self.event_source_arn))
        there = [one for one in found if one.get("State") != "Deleting"]
        return sorted(there, key=lambda one: one.get("FunctionArn") != self.function_name)

    # -- delivery ------------------------------------------------------------------------------------------------------

    def links(self) -> tuple[str, ...]:
        return ("formatter",)

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        state = live.outputs["State"]
        if not live.state.enabled:
            why = f"{self.id} is {state.lower()}: findings wait in the queue and are not mailed"
            return (self.link("formatter", "broken", why, state=state),)
        if live.state.function_name != self.function_name:
            why = f"{self.id} hands the findings to {live.state.function_name} instead"
            return (self.link("formatter", "broken", why, function=live.state.function_name),)
        if live.facts["filtered"]:
            why = f"{self.id} has a filter: Lambda throws away what it does not let through"
            mend = f"aws lambda update-event-source-mapping --uuid {live.state.uuid} --filter-criteria '{{}}'"
            return (replace(self.link("formatter", "unknown", why), mend=mend),)
        if others := live.facts["others"]:
            why = f"{', '.join(others)} takes findings from the same queue: those are not mailed"
            return (self.link("formatter", "broken", why, others=list(others)),)
        return (self.link("formatter", "ok", state=state),)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        return {
            "FunctionName": self.function_name,
            "Enabled": self.enabled,
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.maximum_batching_window_in_seconds,
            "ScalingConfig": self.scaling_config,
            "FunctionResponseTypes": list(self.function_response_types),
        }

    @staticmethod
    def _patient(aws: Aws) -> Any:
        """Returns a caller that waits until role, queue and mapping can take a change."""
        return aws.patient(
            {
                "InvalidParameterValueException: does not have permissions": _ROLE_NOT_YET,
                "InvalidParameterValueException: cannot be assumed": _ROLE_NOT_YET,
                "ResourceInUseException": _BUSY,
            }
        )

    def create(self, aws: Aws) -> Mapping[str, str]:
        for _ in range(_PATIENCE):
            try:
                reply = self._patient(aws)(
                    aws.lambda_.create_event_source_mapping,
                    EventSourceArn=self.event_source_arn,
                    Tags=self.tags.to_dict(),
                    **self._settings(),
                )
                return {"Arn": reply["EventSourceMappingArn"], "UUID": reply["UUID"]}
            except AwsError as error:
                if error.code != "ResourceConflictException":
                    raise
                if not self._going(aws):
                    raise AlreadyThereError(
                        error.message, operation=error.operation, code=error.code
                    ) from error
            aws.pause(1)
        raise AwsError(_GOING, operation="lambda:CreateEventSourceMapping", hint="run it again")

    def _going(self, aws: Aws) -> bool:
        """Tells whether all that stands in the way is being deleted."""
        found = mappings_of(aws, self.event_source_arn, anew=True)
        return all(one.get("State") == "Deleting" for one in found)

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        chosen = {name: value for name, value in self._settings().items() if name in changes}
        if chosen:
            self._patient(aws)(
                aws.lambda_.update_event_source_mapping, UUID=live.outputs["UUID"], **chosen
            )
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_dict()
            aws(aws.lambda_.tag_resource, Resource=live.outputs["Arn"], Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        aws(aws.lambda_.untag_resource, Resource=live.outputs["Arn"], TagKeys=list(OUR_TAGS))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        """Deletes the mapping. Raises `AwsError` while its queue holds findings."""
        queue = live.state.event_source_arn
        if queue and not self.discard_messages:
            reply = aws.maybe(
                aws.sqs.get_queue_attributes, QueueUrl=queue_url(aws, queue), AttributeNames=["All"]
            )
            if reply and (holds := depths(reply["Attributes"])):  # type: ignore[arg-type]
                raise AwsError(
                    f"{name_in(queue)} holds findings that are still to be mailed ({holds}), so it stays",
                    hint="run it again when they are mailed, or discard them with --force",
                    operation="lambda:DeleteEventSourceMapping",
                )
        try:
            self._patient(aws)(aws.lambda_.delete_event_source_mapping, UUID=live.outputs["UUID"])
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise


def waited_for(function_arn: str, lives: Iterable[Live[Resource]]) -> str | None:
    """Says why a function must stay: a mapping of ours that stays feeds it."""
    lives = list(lives)
    for live in lives:
        if isinstance(live.state, EventSourceMapping) and live.owner is None:
            reason = live.state.function_name == function_arn and live.state.kept_for(lives)
            if reason:
                return reason
    return None
