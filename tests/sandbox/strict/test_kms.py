"""AWS KMS: every row of the strict layer, asked through boto3 as a tool asks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shnotify.sandbox.kms import find_key
from tests.sandbox.strict.cloud import REGION, ROOT, SECRET_TEXT, Cloud, policy, refused, statement

SERVICE = statement(Principal={"Service": "events.amazonaws.com"}, Action=["kms:Decrypt", "kms:GenerateDataKey"])
LOCKED_OUT = [
    policy(SERVICE),
    policy(statement(Action=["kms:Describe*", "kms:Decrypt"])),
    policy(statement(Principal={"AWS": "arn:aws:iam::999999999999:root"})),
    policy(statement(Principal={"AWS": "arn:aws:iam::123456789012:role/somebody"})),
    policy(statement(Condition={"StringEquals": {"aws:PrincipalTag/a": "b"}})),
    policy(statement(), statement(Effect="Deny", Action="kms:Put*", Principal="*")),
    policy({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*"}),
]
MALFORMED = ["{", "[]", "{}", '{"Statement": "x"}', policy({"Effect": "Maybe", "Principal": "*"}), policy({})]
GOOD = [
    policy(statement()),
    policy(statement(Principal="*")),
    policy(
        statement(Principal={"AWS": ["123456789012", "arn:aws:iam::999999999999:root"]}, Action=["kms:put*"]), SERVICE
    ),
]


@pytest.mark.parametrize("text", LOCKED_OUT + MALFORMED)
def test_malformed_or_locked_out(cloud: Cloud, text: str) -> None:
    assert refused(cloud.kms.create_key, Policy=text)[0] == "MalformedPolicyDocumentException"
    assert cloud.kms.list_keys()["Keys"] == []
    key = cloud.key()
    before = cloud.kms.get_key_policy(KeyId=key)["Policy"]
    with pytest.raises(cloud.kms.exceptions.MalformedPolicyDocumentException):
        cloud.kms.put_key_policy(KeyId=key, Policy=text)
    assert cloud.kms.get_key_policy(KeyId=key)["Policy"] == before


@pytest.mark.parametrize("text", GOOD)
def test_good_key_policies_pass(cloud: Cloud, text: str) -> None:
    key = cloud.kms.create_key(Policy=text)["KeyMetadata"]["Arn"]
    cloud.kms.put_key_policy(KeyId=key, Policy=text)
    cloud.kms.put_key_policy(KeyId=key, Policy=policy(statement(Resource=key)))
    unusual = json.dumps({"Statement": [statement(Sid="鍵")]}, ensure_ascii=False)
    assert refused(cloud.kms.create_key, Policy=unusual)[0] == "ValidationException"


def test_the_lockout_check_can_be_bypassed(cloud: Cloud) -> None:
    cloud.kms.create_key(Policy=LOCKED_OUT[0], BypassPolicyLockoutSafetyCheck=True)


def test_there_is_one_policy_and_it_need_not_be_named(cloud: Cloud) -> None:
    key = cloud.key()
    choices: list[dict[str, Any]] = [{}, {"PolicyName": "default"}]
    for named in choices:
        cloud.kms.put_key_policy(KeyId=key, Policy=GOOD[0], **named)
        reply = cloud.kms.get_key_policy(KeyId=key, **named)
        assert (reply["PolicyName"], json.loads(reply["Policy"])) == ("default", json.loads(GOOD[0]))
    assert refused(cloud.kms.get_key_policy, KeyId=key, PolicyName="other")[0] == "NotFoundException"


def test_reserved_tags(cloud: Cloud) -> None:
    for tags in ([{"TagKey": "AWS:x", "TagValue": ""}], [{"TagKey": str(n), "TagValue": ""} for n in range(51)]):
        assert refused(cloud.kms.create_key, Tags=tags)[0] == "TagException"
        assert refused(cloud.kms.tag_resource, KeyId=cloud.key(), Tags=tags)[0] == "TagException"


def test_pending_deletion(cloud: Cloud) -> None:
    key = cloud.key()
    cloud.kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    cloud.kms.schedule_key_deletion(KeyId=key)
    calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (cloud.kms.create_alias, {"AliasName": "alias/b", "TargetKeyId": key}),
        (cloud.kms.update_alias, {"AliasName": "alias/a", "TargetKeyId": key}),
        (cloud.kms.enable_key, {"KeyId": key}),
        (cloud.kms.disable_key, {"KeyId": key}),
        (cloud.kms.tag_resource, {"KeyId": key, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        (cloud.kms.untag_resource, {"KeyId": key, "TagKeys": ["a"]}),
        (cloud.kms.update_key_description, {"KeyId": key, "Description": "x"}),
        (cloud.kms.enable_key_rotation, {"KeyId": key}),
        (cloud.kms.disable_key_rotation, {"KeyId": key}),
        (cloud.kms.schedule_key_deletion, {"KeyId": key}),
        (cloud.kms.encrypt, {"KeyId": "alias/a", "Plaintext": SECRET_TEXT}),
        (cloud.kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
    ]
    for method, params in calls:
        assert refused(method, **params) == ("KMSInvalidStateException", f"{key} is pending deletion.")
    assert cloud.kms.describe_key(KeyId="alias/a")["KeyMetadata"]["KeyState"] == "PendingDeletion"
    cloud.kms.put_key_policy(KeyId=key, Policy=GOOD[0])
    assert json.loads(cloud.kms.get_key_policy(KeyId=key)["Policy"])
    assert cloud.kms.list_resource_tags(KeyId=key)["Tags"] == []
    cloud.kms.update_alias(AliasName="alias/a", TargetKeyId=cloud.key())
    cloud.kms.delete_alias(AliasName="alias/a")
    cloud.kms.cancel_key_deletion(KeyId=key)
    assert cloud.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_disabled(cloud: Cloud) -> None:
    key = cloud.disabled_key()
    for method in (cloud.kms.enable_key_rotation, cloud.kms.disable_key_rotation):
        assert refused(method, KeyId=key) == ("DisabledException", f"{key} is disabled.")
    assert refused(cloud.kms.encrypt, KeyId=key, Plaintext=SECRET_TEXT)[0] == "DisabledException"
    cloud.kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    cloud.kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    cloud.kms.put_key_policy(KeyId=key, Policy=GOOD[0])
    cloud.kms.enable_key(KeyId=key)
    cloud.kms.enable_key_rotation(KeyId=key)


def test_decrypt_with_unusable_key(cloud: Cloud) -> None:
    key = cloud.key()
    blob = cloud.kms.encrypt(KeyId=key, Plaintext=SECRET_TEXT)["CiphertextBlob"]
    assert cloud.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET_TEXT
    cloud.kms.disable_key(KeyId=key)
    assert refused(cloud.kms.decrypt, CiphertextBlob=blob)[0] == "DisabledException"
    cloud.kms.schedule_key_deletion(KeyId=key)
    assert refused(cloud.kms.decrypt, CiphertextBlob=blob)[0] == "KMSInvalidStateException"


def test_not_pending(cloud: Cloud) -> None:
    for key in (cloud.key(), cloud.disabled_key()):
        assert refused(cloud.kms.cancel_key_deletion, KeyId=key)[0] == "KMSInvalidStateException"
    assert refused(cloud.kms.cancel_key_deletion, KeyId=cloud.key()[:-1] + "x")[0] == "NotFoundException"


def test_waiting_period(cloud: Cloud) -> None:
    for days in (1, 6, 31):
        code, _ = refused(cloud.kms.schedule_key_deletion, KeyId=cloud.key(), PendingWindowInDays=days)
        assert code == "ValidationException"


def test_key_arn_is_a_key_id(cloud: Cloud) -> None:
    arn = cloud.key()
    cloud.kms.disable_key(KeyId=arn)
    cloud.kms.enable_key(KeyId=arn)
    for name in (arn, arn.rsplit("/", 1)[1]):
        reply = cloud.kms.schedule_key_deletion(KeyId=name)
        assert (reply["KeyId"], reply["KeyState"], reply["PendingWindowInDays"]) == (arn, "PendingDeletion", 30)
        assert cloud.kms.cancel_key_deletion(KeyId=name)["KeyId"] == arn
    missing = arn[:-12] + "0" * 12
    assert refused(cloud.kms.schedule_key_deletion, KeyId=missing)[0] == "NotFoundException"


def test_no_rotation_while_pending(cloud: Cloud) -> None:
    key = cloud.key()
    cloud.kms.enable_key_rotation(KeyId=key)
    seen = []
    for change in (cloud.kms.schedule_key_deletion, cloud.kms.cancel_key_deletion):
        seen.append(cloud.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])
        change(KeyId=key)
    assert [*seen, cloud.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]] == [True, False, True]


def test_symmetric_keys_are_made_at_once(cloud: Cloud) -> None:
    pair = cloud.kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    assert cloud.kms.get_public_key(KeyId=pair)["PublicKey"]
    key = cloud.key()
    assert cloud.kms.describe_key(KeyId=key)["KeyMetadata"]["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert find_key(key, "123456789012", REGION).private_key == b""
