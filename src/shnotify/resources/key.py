"""A customer-managed KMS key, with its alias."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from shnotify.arns import name_in, service_of
from shnotify.aws.calls import Question
from shnotify.aws.failures import AlreadyThereError, AwsError
from shnotify.aws.gateway import Aws
from shnotify.aws.progress import Noted
from shnotify.engine.health import Link
from shnotify.engine.ownership import owner_of
from shnotify.engine.permissions import Permissions, calls
from shnotify.engine.resource import Live, Resource, identity
from shnotify.engine.template import Part, Ref, without
from shnotify.engine.values import Policy, Tags
from shnotify.frozen import frozen
from shnotify.resources.keylookup import (
    Sought,
    alias_question,
    by_tag,
    dying,
    find,
    is_ours,
    own_beside,
    policy_question,
    tags_question,
    unless_so_already,
    users_of,
)
from shnotify.resources.keymaking import NOT_YET_VISIBLE, make_key, put_policy, take_alias
from shnotify.resources.lookup import holds_messages, saw, seen_before
from shnotify.resources.policies import KEY_SID, SNS_KEY_SID, open_notes
from shnotify.resources.queue import Queue, depths
from shnotify.tags import OUR_TAGS

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

_NEW = "New"
"""Marks the outputs of a key that `begin` made: `finish` gives it the rest."""
_USABLE = ("Enabled", "Disabled", "PendingDeletion")
_KIND = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "AWS_KMS",
    "MultiRegion": False,
}
_MEND = calls(
    "kms", "CancelKeyDeletion", "EnableKey", "PutKeyPolicy", "UpdateKeyDescription", "TagResource"
) | calls("kms", "EnableKeyRotation", "DisableKeyRotation", "CreateAlias", "DeleteAlias")
"""What makes a key of ours right again."""


@frozen(kw_only=True)
class Key(Resource):
    """A symmetric, single-Region key for encryption, made by KMS: CreateKey's own defaults.

    alias_name             compared too: a key without its alias cannot be found by name
    serves                 what is encrypted with it: the topics, or the dead-letter queue
    guards                 ARNs of queues that must hold no message when it goes: some may be
                           encrypted with it
    pending_window_in_days how long ScheduleKeyDeletion waits, 7 to 30
    """

    CFN: ClassVar[str] = "AWS::KMS::Key"
    GOES_LAST: ClassVar[bool] = True
    BEGINS: ClassVar[bool] = True
    COMPLETES: ClassVar[bool] = True
    PERMISSIONS: ClassVar[Permissions] = Permissions(
        read=calls("kms", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags")
        | calls("kms", "ListAliases", "ListGrants")
        | calls("tag", "GetResources"),
        create=calls("kms", "CreateKey", "CreateAlias", "EnableKeyRotation")
        | calls(
            "kms", "ListKeys", "ScheduleKeyDeletion"
        )  # after a lost reply, and when another run was first
        | _MEND,  # a key of ours that lost its alias is taken back instead
        update=_MEND,
        release=calls("kms", "PutKeyPolicy", "UntagResource"),
        delete=calls("kms", "DeleteAlias", "ScheduleKeyDeletion") | calls("sqs", "ReceiveMessage"),
        besides=frozenset({("delete", "kms:Decrypt")}),  # to receive from an encrypted queue
    )

    key_id: str = identity(default="")
    pending_window_in_days: int = identity(default=30)
    serves: Literal["topic", "queue"] = identity(default="topic")
    guards: tuple[str, ...] = identity(default=())
    alias_name: str
    enabled: bool = True
    enable_key_rotation: bool
    description: str
    key_policy: Policy
    tags: Tags

    @property
    def name(self) -> str:
        return self.alias_name or self.key_id

    def purpose(self) -> str:
        return "encrypts the dead-letter queue" if self.serves == "queue" else "encrypts the topics"

    @classmethod
    def at(cls, arn: str, tags: Tags) -> Self | None:
        if service_of(arn) != "kms" or ":key/" not in arn:
            return None
        return cls.unmanaged(id="Key", key_id=name_in(arn), alias_name="", tags=tags)

    def cfn(self) -> tuple[Part, ...]:
        given = without(self.properties(), "AliasName")
        own = {**given, "PendingWindowInDays": self.pending_window_in_days}
        alias = {"AliasName": self.alias_name, "TargetKeyId": Ref(self.id)}
        return (
            Part(self.id, self.CFN, own, keeps=True),
            Part(f"{self.id}Alias", "AWS::KMS::Alias", alias),
        )

    def guarded(self, graph: Iterable[Resource]) -> Self:
        return replace(self, guards=tuple(r.queue_arn for r in graph if isinstance(r, Queue)))

    def kept_for(self, lives: Iterable[Live[Resource]]) -> str | None:
        queues = (live for live in lives if isinstance(live.state, Queue) and live.owner is None)
        holding = next((live.state.name for live in queues if depths(live.outputs)), None)
        return (
            f"{holding} holds messages that may be encrypted with it, so it stays"
            if holding
            else None
        )

    # -- reading -------------------------------------------------------------------------------------------------------

    def identify(self, aws: Aws) -> Live[Self] | None:
        meta, alias = find(aws, self.alias_name, self._sought)
        if meta is None or (dying(meta) and not alias):
            return None
        tags, names, grantees = users_of(aws, meta["KeyId"])
        own = own_beside(aws, meta, self._sought, tags) if alias else None
        if own:
            meta, alias = own, ""
            tags, names, grantees = users_of(aws, own["KeyId"])
        key_id = meta["KeyId"]
        others = [name for name in names if name not in (alias, self.alias_name)]
        others += [f"a grant for {who}" for who in grantees]
        state = replace(
            self, key_id=key_id, alias_name=alias, tags=tags, enabled=meta["KeyState"] == "Enabled"
        )
        live = self._live(meta, state)
        if others:  # somebody else may use it, so it is not only ours to remove
            live = replace(live, owner=f"somebody else uses it too ({', '.join(others)})")
        if dying(meta):
            when = live.facts.get("DeletionDate")
            return replace(
                live, notes=(f"it is scheduled for deletion{f' on {when}' if when else ''}",)
            )
        return live

    def read(self, aws: Aws) -> Live[Self] | None:
        hint = seen_before(aws, self.alias_name)
        early = self._details(aws, hint) if hint else None
        meta, alias = find(aws, self.alias_name, self._sought)
        if meta is None or (dying(meta) and not alias):
            return None  # a key of ours that is on its way out is taken back by `create`
        policy, rotation, tags = (
            early if early and hint == meta["Arn"] else self._details(aws, meta["KeyId"])
        )
        own = own_beside(aws, meta, self._sought, tags.result()) if alias else None
        if own:
            stray, meta, alias = meta["KeyId"], own, ""
            policy, rotation, tags = self._details(aws, own["KeyId"])
        saw(aws, self.alias_name, meta["Arn"])
        state = replace(
            self,
            key_id=meta["KeyId"],
            alias_name=alias,
            enabled=meta["KeyState"] == "Enabled",
            description=meta.get("Description", ""),
            # While a key is on its way out KMS says "no rotation", whatever was set
            # (API_GetKeyRotationStatus).
            enable_key_rotation=self.enable_key_rotation if dying(meta) else rotation.result(),
            key_policy=Policy.parse(policy.result()),
            tags=tags.result(),
        )
        live = self._live(meta, state)
        live = replace(live, notes=open_notes(state.key_policy))
        if own:
            where = f"{self.alias_name} points to a key that is not ours ({stray})"
            return replace(live, blocked=f"{where}: point it back to {meta['KeyId']}")
        if dying(meta) and live.owner is not None:
            return replace(
                live,
                blocked="its owner has scheduled it for deletion, and only the owner takes it back",
            )
        return live

    def _details(self, aws: Aws, key: str) -> tuple[Any, Any, Any]:
        return (
            aws.ask(*policy_question(aws, key)),
            aws.start(self._rotates, aws, key),
            aws.ask(*tags_question(aws, key)),
        )

    def _live(self, meta: KeyMetadataTypeDef, state: Self) -> Live[Self]:
        outputs = {"Arn": meta["Arn"], "KeyId": meta["KeyId"], "KeyState": meta["KeyState"]}
        blocked = None
        kind = {name: meta[name] for name in _KIND if name in meta}  # type: ignore[literal-required]
        if meta["KeyState"] not in _USABLE:
            blocked = f"KMS says that the key is {meta['KeyState']}: only AWS or the key's owner can change that"
        elif kind.items() - _KIND.items():
            blocked = "it is not a symmetric, single-Region encryption key made by KMS, and that cannot be changed"
        when = meta.get("DeletionDate")
        facts = {"DeletionDate": f"{when:%Y-%m-%d}"} if when else {}
        return Live(state, outputs, owner_of(state.tags, self.tags), blocked, facts=facts)

    @property
    def _sought(self) -> Sought:
        return Sought(self.tags, self.id, self.key_id)

    @staticmethod
    def _rotates(aws: Aws, key_id: str) -> bool:
        return aws(aws.kms.get_key_rotation_status, KeyId=key_id)["KeyRotationEnabled"]

    # -- delivery ------------------------------------------------------------------------------------------------------

    def links(self) -> tuple[str, ...]:
        return (f"{self.serves}-key",)

    def health(self, live: Live[Self]) -> tuple[Link, ...]:
        """Judges the key's state only; the chain judges what the key's policy lets through."""
        if live.state.enabled:
            return ()
        (name,) = self.links()
        state = live.outputs["KeyState"]
        when = f" on {live.facts['DeletionDate']}" if live.facts.get("DeletionDate") else ""
        why = f"{self.id} cannot be used: KMS says it is {state}{when}"
        return (self.link(name, "broken", why, state=state),)

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, aws: Aws) -> Mapping[str, str]:
        begun = self.begin(aws)
        made = self.finish(aws, begun)
        if made["Arn"] == begun["Arn"]:
            self.complete(aws, begun)
        else:
            self.retire(aws, begun)
        return made

    def begin(self, aws: Aws) -> Mapping[str, str]:
        """Makes the key, or takes back our own; what is encrypted with it can be made now."""
        for meta in by_tag(aws, self._sought):
            if is_ours(aws, meta, self.tags):
                return self._take_back(aws, meta)
        meta = make_key(aws, self.description, self.key_policy, self.tags, self.id)
        return {"Arn": meta["Arn"], "KeyId": meta["KeyId"], _NEW: meta["KeyId"]}

    def finish(self, aws: Aws, begun: Mapping[str, str]) -> Mapping[str, str]:
        """Gives the new key its alias.

        Another run that got the alias first has won: its key is used, and ours is given up.
        """
        made = {name: value for name, value in begun.items() if name != _NEW}
        if _NEW in begun and (winner := take_alias(aws, self.alias_name, begun["KeyId"])):
            if not is_ours(aws, winner, self.tags):
                raise self._taken(winner)  # ours stays: things may be encrypted with it
            made = {"Arn": winner["Arn"], "KeyId": winner["KeyId"]}
        saw(aws, self.alias_name, made["Arn"])
        return made

    def complete(self, aws: Aws, begun: Mapping[str, str]) -> None:
        """Switches rotation on: beside whatever uses the key, which needs no rotation for that."""
        if _NEW in begun and self.enable_key_rotation:
            self._set_rotation(aws, begun["KeyId"])

    def questions(self, aws: Aws) -> tuple[Question[Any], ...]:
        """Lists all but the question for the rotation, which is written last."""
        alias = alias_question(aws, self.alias_name)
        arn = seen_before(aws, self.alias_name)
        return (alias, policy_question(aws, arn), tags_question(aws, arn)) if arn else (alias,)

    def retire(self, aws: Aws, begun: Mapping[str, str]) -> None:
        """Gives up our new key: all that was encrypted with it has the other one now."""
        unless_so_already(
            aws, aws.kms.schedule_key_deletion, KeyId=begun["KeyId"], PendingWindowInDays=7
        )
        aws.report(
            Noted(
                f"{self.alias_name}: another run created it first; its key is used, ours is given up"
            )
        )

    def _taken(self, winner: KeyMetadataTypeDef) -> AlreadyThereError:
        return AlreadyThereError(
            f"{self.alias_name} was given to another key meanwhile ({winner['KeyId']})",
            hint="run `shnotify plan` to see whose it is",
            operation="kms:CreateAlias",
            code="AlreadyExistsException",
        )

    def _take_back(self, aws: Aws, meta: KeyMetadataTypeDef) -> Mapping[str, str]:
        aws.report(
            Noted(f"{self.id}: takes back its key {meta['KeyId']} instead of making a new one")
        )
        live = self._live(meta, replace(self, key_id=meta["KeyId"], alias_name="", tags=Tags()))
        self.update(aws, live, frozenset(self.managed()))
        saw(aws, self.alias_name, meta["Arn"])
        return live.outputs

    def update(self, aws: Aws, live: Live[Self], changes: frozenset[str]) -> None:
        key_id, have = live.outputs["KeyId"], live.state
        if (
            "Enabled" in changes
        ):  # first: a key on its way out refuses most of the rest (KMS key states)
            if live.outputs["KeyState"] == "PendingDeletion":
                unless_so_already(aws, aws.kms.cancel_key_deletion, KeyId=key_id)
                changes |= {"EnableKeyRotation"}
            if live.outputs["KeyState"] != "Enabled":  # CancelKeyDeletion leaves it disabled
                aws(aws.kms.enable_key, KeyId=key_id)
        if "KeyPolicy" in changes:
            now = aws(aws.kms.get_key_policy, KeyId=key_id, PolicyName="default")["Policy"]
            policy = self.key_policy.onto(
                Policy.parse(now)
            )  # what others wrote since we looked stays
            put_policy(aws, key_id, policy)
        if "Description" in changes:
            aws(aws.kms.update_key_description, KeyId=key_id, Description=self.description)
        if "EnableKeyRotation" in changes:
            self._set_rotation(aws, key_id)
        if "AliasName" in changes:
            # The old one goes first: a crash in between leaves a key that its tags find, not an
            # alias nobody knows.
            if have.alias_name and have.alias_name != self.alias_name:
                aws.maybe(aws.kms.delete_alias, AliasName=have.alias_name)
            if winner := take_alias(aws, self.alias_name, key_id):
                raise self._taken(
                    winner
                )  # this key stays as it is: what we have is encrypted with it
        if "Tags" in changes:
            tags = [
                {"TagKey": t["Key"], "TagValue": t["Value"]}
                for t in self.tags.minus(have.tags).to_list()
            ]
            aws(aws.kms.tag_resource, KeyId=key_id, Tags=tags)  # type: ignore[arg-type]

    def _set_rotation(self, aws: Aws, key_id: str) -> None:
        call = (
            aws.kms.enable_key_rotation
            if self.enable_key_rotation
            else aws.kms.disable_key_rotation
        )
        aws.patient({"NotFoundException": NOT_YET_VISIBLE, "DisabledException": NOT_YET_VISIBLE})(
            call, KeyId=key_id
        )

    def release(self, aws: Aws, live: Live[Self]) -> None:
        key_id = live.outputs["KeyId"]
        policy = Policy.parse(
            aws(aws.kms.get_key_policy, KeyId=key_id, PolicyName="default")["Policy"]
        )
        rest = policy.without(
            frozenset({KEY_SID, SNS_KEY_SID})
        )  # the root statement is ours too, but a key is lost without it
        if rest != policy:
            aws(aws.kms.put_key_policy, KeyId=key_id, PolicyName="default", Policy=rest.to_text())
        aws(aws.kms.untag_resource, KeyId=key_id, TagKeys=list(OUR_TAGS))

    def delete(self, aws: Aws, live: Live[Self]) -> None:
        for queue in self.guards:
            if holds_messages(aws, queue):
                raise AwsError(
                    f"{name_in(queue)} holds messages that may be encrypted with this key, so it stays",
                    hint="read them first, then run it again",
                    operation="kms:ScheduleKeyDeletion",
                )
        # An alias left on a dying key is found by the next destroy, and taken back by the next apply.
        alias = live.state.alias_name
        unaliased = aws.start(aws.maybe, aws.kms.delete_alias, AliasName=alias) if alias else None
        try:
            if live.outputs["KeyState"] != "PendingDeletion":
                unless_so_already(
                    aws,
                    aws.kms.schedule_key_deletion,
                    KeyId=live.outputs["KeyId"],
                    PendingWindowInDays=self.pending_window_in_days,
                )
        finally:
            if unaliased:
                unaliased.result()
