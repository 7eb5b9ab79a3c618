"""An EventBridge rule on the default bus, with its one target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import field, replace
from typing import Any, ClassVar, Literal, Self

from shnotify.arns import name_in, service_of
from shnotify.aws.calls import FRESH_SECONDS, Question
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.engine.health import Link
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Observed, Resource, identity
from shnotify.engine.template import Part, without
from shnotify.engine.values import Pattern, Tags
from shnotify.findings.guards import guarded
from shnotify.frozen import frozen
from shnotify.resources.lookup import saw, seen_before
from shnotify.tags import OUR_TAGS

TARGET_ID = "shnotify"
_RETRY_DEFAULTS = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
"""What EventBridge does without a RetryPolicy (API_RetryPolicy)."""


@frozen(kw_only=True)
class Rule(Resource):
    """An EventBridge rule. `targets` is our one target in PutTargets' form, without the target's
    Id.

    Targets of others are never touched.

    heirs  ids of the rules that let through what this one leaves out
    behind what must be there before the rule sends anything: an ARN, or ""
    first  the id of the rule that guards the fields that this one takes over, or ""
    unguarded  the pattern of the filter alone; None when it is not known
    """

    CFN: ClassVar[str] = "AWS::Events::Rule"
    BEGINS: ClassVar[bool] = True
    LETS_GO: ClassVar[bool] = True
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("events", "DescribeRule", "ListTargetsByRule", "ListTagsForResource"),
        create=calls("events", "PutRule", "PutTargets"),
        update=calls("events", "PutRule", "PutTargets", "TagResource"),
        release=calls("events", "RemoveTargets", "UntagResource"),
        delete=calls("events", "RemoveTargets", "DeleteRule"),
        besides=frozenset({("create", "events:TagResource")}),
    )

    rule_name: str = identity()
    rule_arn: str = identity()
    heirs: tuple[str, ...] = identity(default=())
    first: str = identity(default="")
    behind: str = identity(default="")
    unguarded: Pattern | None = field(default=None, metadata={"identity": True})
    event_pattern: Pattern
    description: str
    state: str
    targets: dict[str, Any]
    tags: Tags

    @property
    def name(self) -> str:
        return self.rule_name

    def purpose(self) -> str:
        return "picks the findings and sends them on"

    @property
    def arn(self) -> str:
        return self.rule_arn

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "events" or ":rule/" not in arn or arn.count("/") != 1:
            return None
        return cls.unmanaged(id="Rule", rule_name=name_in(arn), rule_arn=arn, targets={}, tags=tags)

    def cfn(self) -> tuple[Part, ...]:
        given = {
            **without(self.properties(), "RuleName"),
            "Name": self.rule_name,
            "Targets": [{"Id": TARGET_ID, **self.targets}],
        }
        return (Part(self.id, self.CFN, given),)

    def points_at(self, aws: Aws) -> Iterable[str]:
        dead_letters = self.targets.get("DeadLetterConfig") or {}
        return [str(arn) for arn in (self.targets.get("Arn"), dead_letters.get("Arn")) if arn]

    def turns(self, wanted: Mapping[str, Resource], seen: Mapping[str, Observed]) -> frozenset[str]:
        """Lets one of a route's rules take over before another lets go, so that no event falls
        between them.

        The first rule gives up events when it guards more fields than it does now, and takes some
        back when it guards fewer.
        """
        lead_id = self.first or self.id
        change = _change_of_guards(wanted[lead_id], seen[lead_id])
        if self.first:
            return frozenset({lead_id} if change == "fewer" else ())
        return frozenset(self.heirs if change in ("more", "others") else ())

    def bridge(self, wanted: Mapping[str, Resource], seen: Mapping[str, Observed]) -> Self:
        """Returns the rule as it is wanted first, when no order of changes alone is safe.

        When other fields are guarded than before, each of the two rules takes something from the
        other: then the second lets through everything until the first has changed.
        """
        others = self.first and _change_of_guards(wanted[self.first], seen[self.first]) == "others"
        return replace(self, event_pattern=self.unguarded) if others and self.unguarded else self

    # -- reading -------------------------------------------------------------------------------------------------------

    def identify(self, aws: Aws) -> Live[Self] | None:
        listing = self._targets(aws)
        reply = aws.maybe(aws.events.list_tags_for_resource, ResourceARN=self.rule_arn)
        if reply is None:
            return None
        targets = listing.result() or []
        ours, others = self._split(targets)
        state = replace(self, tags=Tags.from_list(reply["Tags"]), targets=_without_id(ours))
        live = self._live(state, ours)
        if others:
            live = replace(
                live, blocked=f"it also feeds {_names(others)}, which is not ours to cut off"
            )
        return live

    def read(self, aws: Aws) -> Live[Self] | None:
        # Beside the rule itself, though it may not be there: asked later, it opens connections later.
        listing = self._targets(aws)
        early = self._tags(aws) if seen_before(aws, self.rule_arn) else None
        reply = aws.remember(*self._question(aws))
        if reply is None:
            return None
        saw(aws, self.rule_arn, self.rule_arn)
        tags = early or self._tags(aws)
        ours, others = self._split(listing.result() or [])
        state = replace(
            self,
            event_pattern=Pattern.parse(reply.get("EventPattern") or "{}"),
            description=reply.get("Description", ""),
            state=reply.get("State", ""),
            targets=_without_id(ours),
            tags=tags.result(),
        )
        live = self._live(state, ours)
        if managed_by := reply.get("ManagedBy"):
            live = replace(live, blocked=f"{managed_by} manages this rule")
        if others:
            live = replace(live, notes=(f"it also feeds {_names(others)}, which is left alone",))
        return live

    # -- delivery ------------------------------------------------------------------------------------------------------

    def links(self) -> tuple[str, ...]:
        return "rule", "target"

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        return self._switch(live.state), self._aim(live.state)

    def _switch(self, live: Self) -> Link:
        if live.state != "DISABLED":
            return self.link("rule", "ok", state=live.state)
        if self.state == "DISABLED":
            return self.link(
                "rule", "warning", f"{self.id} is disabled by the file, so it matches nothing"
            )
        return self.link(
            "rule", "broken", f"{self.id} was disabled outside the file", state=live.state
        )

    def _aim(self, live: Self) -> Link:
        target = live.targets.get("Arn")
        if not target:
            return self.link(
                "target", "broken", f"{self.id} has no target: what it matches goes nowhere"
            )
        if target != self.targets["Arn"]:
            return self.link("target", "broken", f"{self.id} feeds {target} instead", target=target)
        return self.link("target", "ok", target=target)

    # -- AWS -----------------------------------------------------------------------------------------------------------

    def _targets(self, aws: Aws) -> Future[list[dict[str, Any]] | None]:
        def ask() -> list[dict[str, Any]] | None:
            try:
                pages = aws.pages(aws.events.list_targets_by_rule, "NextToken", Rule=self.rule_name)
                return [target for page in pages for target in page["Targets"]]
            except AwsError as error:
                if error.code == "ResourceNotFoundException":
                    return None
                raise

        return aws.start(ask)

    def _tags(self, aws: Aws) -> Future[Tags]:
        return aws.ask(*self._tags_question(aws))

    def _question(self, aws: Aws) -> Question[Any]:
        return ("rule", self.rule_name), lambda: aws.maybe(
            aws.events.describe_rule, Name=self.rule_name
        )

    def _tags_question(self, aws: Aws) -> Question[Tags]:
        return ("rule tags", self.rule_arn), lambda: Tags.from_list(
            aws(aws.events.list_tags_for_resource, ResourceARN=self.rule_arn)["Tags"]
        )

    def _split(self, targets: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Splits targets into our target and those of others.

        One made by hand that feeds the same topic is ours: a second would mail twice.
        """
        ours = [t for t in targets if t["Id"] == TARGET_ID] or [
            t for t in targets if t["Arn"] == self.targets.get("Arn")
        ]
        mine = ours[0] if ours else {}
        return mine, [t for t in targets if t is not mine]

    def _live(self, state: Self, target: Mapping[str, Any]) -> Live[Self]:
        outputs = {"Arn": self.rule_arn, "TargetId": target.get("Id", "")}
        return Live(state, outputs, owner_of(state.tags, self.tags))

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, aws: Aws) -> Mapping[str, str]:
        return self.finish(aws, self.begin(aws))

    def begin(self, aws: Aws) -> Mapping[str, str]:
        """Creates the rule without its target, so that nothing is sent to what is not there yet.

        After another look when the last look is old: PutRule overwrites (API_PutRule).
        """
        found = (
            aws.maybe(aws.events.describe_rule, Name=self.rule_name)
            if aws.age() > FRESH_SECONDS
            else None
        )
        if found:
            raise AlreadyThereError(f"the rule {self.rule_name} exists", operation="events:PutRule")
        self._put_rule(aws, Tags=self.tags.to_list())
        saw(aws, self.rule_arn, self.rule_arn)
        return self.outputs()

    def questions(self, aws: Aws) -> tuple[Question[Any], ...]:
        """Lists all but the question for the target, which is written last."""
        return self._question(aws), self._tags_question(aws)

    def finish(self, aws: Aws, begun: Mapping[str, str]) -> Mapping[str, str]:
        self._put_targets(aws, TARGET_ID)
        return begun

    def _put_rule(self, aws: Aws, **tags: Any) -> None:
        """Writes the whole rule, because PutRule forgets whatever a request leaves out
        (API_PutRule).
        """
        aws(
            aws.events.put_rule,
            Name=self.rule_name,
            EventPattern=self.event_pattern.to_text(),
            State=self.state,  # type: ignore[arg-type]
            Description=self.description,
            **tags,
        )

    def _put_targets(self, aws: Aws, target_id: str) -> None:
        """Writes one whole target by its Id. An HTTP 200 may hold failures (API_PutTargets)."""
        put = aws.patient(
            {"ResourceNotFoundException": "EventBridge does not show the new rule yet"}
        )
        for tries in range(4):
            reply = put(
                aws.events.put_targets,
                Rule=self.rule_name,
                Targets=[{"Id": target_id, **self.targets}],
            )
            failed = reply.get("FailedEntries") or []
            if not reply.get("FailedEntryCount"):
                return
            if tries == 3 or failed[0].get("ErrorCode") != "ConcurrentModificationException":
                break
            aws.pause(0.5 * 2**tries)
        raise _failed_entry("events:PutTargets", failed)

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        if any(path.startswith("Targets") for path in changes):
            self._put_targets(aws, live.outputs["TargetId"] or TARGET_ID)
        if changes & {"EventPattern", "Description", "State"}:
            self._put_rule(aws)
        if "Tags" in changes:
            tags = self.tags.minus(live.state.tags).to_list()
            aws(aws.events.tag_resource, ResourceARN=self.rule_arn, Tags=tags)

    def release(self, aws: Aws, live: Live[Self]) -> None:
        self._remove_target(aws, live)
        aws(aws.events.untag_resource, ResourceARN=self.rule_arn, TagKeys=list(OUR_TAGS))

    def _remove_target(self, aws: Aws, live: Live[Self]) -> None:
        """Removes our target. An HTTP 200 may hold failures (API_RemoveTargets)."""
        if target := live.outputs["TargetId"]:
            reply = aws.maybe(aws.events.remove_targets, Rule=self.rule_name, Ids=[target])
            if reply and reply.get("FailedEntryCount"):
                raise _failed_entry("events:RemoveTargets", reply.get("FailedEntries") or [])

    def let_go(self, aws: Aws, live: Live[Self]) -> Live[Self]:
        self._remove_target(aws, live)
        return replace(live, outputs={**live.outputs, "TargetId": ""})

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        self._remove_target(aws, live)
        aws.maybe(aws.events.delete_rule, Name=self.rule_name)


def _change_of_guards(lead: Resource, seen: Observed) -> Literal["none", "more", "fewer", "others"]:
    """Says how the fields that a rule guards are to change from what they are."""
    live = seen.state if isinstance(seen, Live) else None
    if not (isinstance(lead, Rule) and isinstance(live, Rule)):
        return "none"
    if lead.event_pattern == live.event_pattern:
        return "none"
    now, then = guarded(live.event_pattern.document), guarded(lead.event_pattern.document)
    if now <= then:
        return "more"
    return "fewer" if then < now else "others"


def _without_id(target: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a live target as we would write it, with the defaults that AWS leaves out."""
    if not target:
        return {}
    bare = {key: value for key, value in target.items() if key != "Id"}
    return {**bare, "RetryPolicy": {**_RETRY_DEFAULTS, **(bare.get("RetryPolicy") or {})}}


def _names(targets: list[dict[str, Any]]) -> str:
    return ", ".join(str(target["Arn"]) for target in targets)


def _failed_entry(operation: str, entries: list[Any]) -> AwsError:
    first = entries[0] if entries else {}
    code = first.get("ErrorCode", "unknown")
    text = f"{operation} failed for target {first.get('TargetId', '?')}: {code}: {first.get('ErrorMessage', '')}"
    return AwsError(text, operation=operation, code=code, hint="run the same command again")
