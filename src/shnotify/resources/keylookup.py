"""Finding a key that has no alias (yet): by the tags it was created with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from shnotify.aws.calls import Question
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.ownership import owner_of
from shnotify.engine.values import Tags
from shnotify.frozen import frozen
from shnotify.resources.lookup import tagged
from shnotify.tags import NAME_TAG, RESOURCE_TAG

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import AliasListEntryTypeDef, KeyMetadataTypeDef


@frozen
class Sought:
    """Which key is looked for by its tags: the notifier's for a resource, or this very key.

    key_id  "" where the resource's key is not known
    """

    tags: Tags
    resource_id: str
    key_id: str = ""

    def is_meant(self, arn: str, tags: Tags) -> bool:
        if self.key_id:
            return arn.endswith(self.key_id)
        return tags.get(RESOURCE_TAG) == self.resource_id


def dying(meta: KeyMetadataTypeDef) -> bool:
    """Tells whether the key is scheduled for deletion."""
    return meta["KeyState"] == "PendingDeletion"


def behind_alias(aws: Aws, alias: str) -> KeyMetadataTypeDef | None:
    """Returns the key that an alias points to; None when there is no such alias."""
    return aws.remember(*alias_question(aws, alias))


def ask_early(aws: Aws, aliases: Iterable[str]) -> None:
    """Asks which keys these aliases point to: that needs no account, so it goes beside STS."""
    for alias in aliases:
        aws.ahead(*alias_question(aws, alias))


def policy_question(aws: Aws, key: str) -> Question[str]:
    """Asks for the text of a key's policy; the key is an id or an ARN."""

    def ask() -> str:
        return aws(aws.kms.get_key_policy, KeyId=key, PolicyName="default")["Policy"]

    return ("key policy", key), ask


def tags_question(aws: Aws, key: str) -> Question[Tags]:
    """Asks for a key's tags; the key is an id or an ARN."""
    return ("key tags", key), partial(tags_of, aws, key)


def alias_question(aws: Aws, alias: str) -> Question[KeyMetadataTypeDef | None]:
    """Asks which key an alias points to."""
    return ("alias", alias), partial(_describe, aws, alias)


def _describe(aws: Aws, alias: str) -> KeyMetadataTypeDef | None:
    reply = aws.maybe(aws.kms.describe_key, KeyId=alias)
    return reply["KeyMetadata"] if reply else None


def tags_of(aws: Aws, key_id: str) -> Tags:
    pages = aws.pages(aws.kms.list_resource_tags, "Marker", KeyId=key_id)
    return Tags.from_list((tag for page in pages for tag in page["Tags"]), "TagKey", "TagValue")


def aliases_of(aws: Aws, key_id: str) -> list[str]:
    """Lists all aliases of a key (API_ListAliases).

    One notifier asks for its keys' own, whatever else the account has. Many share one list of the
    account's aliases in their first look.
    """
    of: dict[str, Any] = {"KeyId": key_id} if aws.alone else {}

    def ask() -> list[AliasListEntryTypeDef]:
        pages = aws.pages(aws.kms.list_aliases, "Marker", Limit=100, **of)
        return [alias for page in pages for alias in page["Aliases"]]

    found = aws.remember_for_all(("aliases", *of.values()), ask)
    return [alias["AliasName"] for alias in found if alias.get("TargetKeyId") == key_id]


def grantees_of(aws: Aws, key_id: str) -> list[str]:
    """Lists who may use the key by a grant, which the key's policy does not show (API_ListGrants)."""
    pages = aws.pages(aws.kms.list_grants, "Marker", KeyId=key_id)
    return sorted(
        {grant.get("GranteePrincipal", "somebody") for page in pages for grant in page["Grants"]}
    )


def find(aws: Aws, alias: str, sought: Sought) -> tuple[KeyMetadataTypeDef | None, str]:
    """Finds the key behind our alias, or else the key that carries our tags, and the alias of that
    key.
    """
    meta = behind_alias(aws, alias) if alias else None
    if meta:
        return meta, alias
    keys = by_tag(aws, sought)
    if not keys:
        return None, ""
    names = [] if dying(keys[0]) else aliases_of(aws, keys[0]["KeyId"])
    return keys[0], names[0] if len(names) == 1 else ""


def own_beside(
    aws: Aws, meta: KeyMetadataTypeDef, sought: Sought, tags: Tags
) -> KeyMetadataTypeDef | None:
    """Finds our own usable key when our alias points to another key: tags decide, not the alias.

    meta, tags  the key behind the alias
    """
    if owner_of(tags, sought.tags) is None:
        return None
    ours = [own for own in by_tag(aws, sought) if not dying(own)]
    others = [own for own in ours if own["KeyId"] != meta["KeyId"]]
    return next((own for own in others if is_ours(aws, own, sought.tags)), None)


def is_ours(aws: Aws, meta: KeyMetadataTypeDef, tags: Tags) -> bool:
    """Tells whether the key itself carries the notifier's tags: the tag search may be behind."""
    return owner_of(tags_of(aws, meta["KeyId"]), tags) is None


def users_of(aws: Aws, key_id: str) -> tuple[Tags, list[str], list[str]]:
    """Reads the key's tags, the key's aliases, and who has a grant on the key."""
    listing, grants = aws.start(aliases_of, aws, key_id), aws.start(grantees_of, aws, key_id)
    return tags_of(aws, key_id), listing.result(), grants.result()


def by_tag(aws: Aws, sought: Sought) -> list[KeyMetadataTypeDef]:
    """Lists keys that the tag search shows as this very resource, or as this very key of ours.

    Usable ones first, then the oldest: a rule, so that two runs agree. The search may be minutes
    behind.
    """
    arns = [
        found.arn
        for found in tagged(aws, sought.tags.get(NAME_TAG) or "")
        if ":kms:" in found.arn and sought.is_meant(found.arn, found.tags)
    ]
    replies = [aws.maybe(aws.kms.describe_key, KeyId=arn) for arn in arns]
    metas = [reply["KeyMetadata"] for reply in replies if reply]
    return sorted(metas, key=lambda meta: (dying(meta), meta["CreationDate"], meta["KeyId"]))


def by_scan(aws: Aws, tags: Tags, resource_id: str) -> KeyMetadataTypeDef | None:
    """Finds the usable key tagged as this resource by asking every key of the account for its tags.

    Exact but slow, one call a key: only for when a CreateKey got no answer, because its key may
    exist and a second one would cost money for ever.
    """
    ids = [key["KeyId"] for page in aws.pages(aws.kms.list_keys, "Marker") for key in page["Keys"]]

    def is_ours(key_id: str) -> bool:
        try:
            found = tags_of(aws, key_id)
        except StopError:
            raise
        except AwsError:
            return False  # a key that we may not look at was not made by us
        return found.get(NAME_TAG) == tags.get(NAME_TAG) and found.get(RESOURCE_TAG) == resource_id

    checks = [(key_id, aws.start(is_ours, key_id)) for key_id in ids]
    ours = [key_id for key_id, check in checks if check.result()]
    metas = [aws(aws.kms.describe_key, KeyId=key_id)["KeyMetadata"] for key_id in ours]
    usable = sorted(
        (m for m in metas if not dying(m)), key=lambda m: (m["CreationDate"], m["KeyId"])
    )
    return usable[0] if usable else None


def unless_so_already(aws: Aws, method: Callable[..., Any], **params: Any) -> None:
    """Schedules or cancels a deletion, and accepts that the key is in that state already.

    A key that is in that state already (a lost reply, two runs) is no error.
    """
    try:
        aws.maybe(method, **params)
    except AwsError as error:
        if error.code != "KMSInvalidStateException":
            raise
