"""The calls on a KMS key that need care: CreateKey is not idempotent, CreateAlias exclusive,
PutKeyPolicy picky.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shnotify.aws.failures import AwsError, UnansweredError
from shnotify.aws.gateway import Aws
from shnotify.engine.values import Policy, Tags
from shnotify.resources.keylookup import by_scan
from shnotify.resources.policies import gone_principals

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

NOT_YET_VISIBLE = "KMS does not know the new key everywhere yet"
_MALFORMED = "MalformedPolicyDocumentException"


def make_key(
    aws: Aws, description: str, policy: Policy, tags: Tags, resource_id: str
) -> KeyMetadataTypeDef:
    """Makes one key, and only one.

    CreateKey has no idempotency token (API_CreateKey): after a lost reply the key is looked for by
    its tags first. Raises `UnansweredError` when nobody can tell whether a key was made.
    """
    spelled = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags.to_list()]
    for attempt in range(3):
        try:
            reply = aws.once(
                aws.kms.create_key,
                Description=description,
                Policy=policy.to_text(),
                Tags=spelled,  # type: ignore[arg-type]
                KeyUsage="ENCRYPT_DECRYPT",
                KeySpec="SYMMETRIC_DEFAULT",
                Origin="AWS_KMS",
                MultiRegion=False,
            )
            return reply["KeyMetadata"]
        except UnansweredError:
            for seconds in (
                0,
                2,
                4,
            ):  # a new key is shown within seconds (KMS Developer Guide, consistency)
                aws.pause(seconds)
                if found := by_scan(aws, tags, resource_id):
                    return found
            if attempt == 2:
                raise
    raise AssertionError


def take_alias(aws: Aws, alias: str, key_id: str) -> KeyMetadataTypeDef | None:
    """Gives the key an alias. Returns None, or the other key that has the alias already.

    None when the key has it; else the key that has it, for CreateAlias is exclusive.
    """
    create = aws.patient({"NotFoundException": NOT_YET_VISIBLE})
    try:
        create(aws.kms.create_alias, AliasName=alias, TargetKeyId=key_id)
        return None
    except AwsError as error:
        if error.code != "AlreadyExistsException":
            raise
    winner = aws(aws.kms.describe_key, KeyId=alias)["KeyMetadata"]
    return None if winner["KeyId"] == key_id else winner


def put_policy(aws: Aws, key_id: str, policy: Policy) -> None:
    """Writes a key policy.

    KMS refuses one that names a principal which does not exist (API_PutKeyPolicy).
    """
    gone = gone_principals(policy)
    put = (
        aws if gone else aws.patient({_MALFORMED: "KMS does not see a principal of the policy yet"})
    )
    try:
        put(aws.kms.put_key_policy, KeyId=key_id, PolicyName="default", Policy=policy.to_text())
    except AwsError as error:
        if error.code == _MALFORMED and gone:
            error.hint = f"statement {'; '.join(gone)}, which no longer exists: take it out of the key policy"
        raise
