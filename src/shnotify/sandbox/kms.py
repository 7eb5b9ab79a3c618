"""Where AWS KMS says no and moto does not."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from moto.kms.models import kms_backends

from shnotify.sandbox.rows import Call, Proceed, around, model, refuse

_LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."
_USES = "Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext"


def find_key(reference: str, account: str, region: str) -> Any:
    """moto's key of a key id, key ARN, alias name or alias ARN; None when there is none."""
    if reference.startswith("arn:"):
        _, _, _, region, account, reference = reference.split(":", 5)
    backend = kms_backends[account][region]
    if reference.startswith("alias/"):
        return next((key for key in backend.keys.values() if reference in key.aliases), None)
    return backend.keys.get(reference.removeprefix("key/"))


def key_trouble(reference: str, account: str, region: str) -> str:
    """Why another service cannot encrypt with this key: NotFound, Disabled, InvalidState.

    Empty when it can.

    AWS's own keys (`alias/aws/...`) always work.
    """
    if not reference or "alias/aws/" in reference:
        return ""
    key = find_key(reference, account, region)
    if key is None:
        return "NotFound"
    return {"Enabled": "", "Disabled": "Disabled"}.get(key.key_state, "InvalidState")


def _named(call: Call) -> Any:
    reference = call.param("TargetKeyId") or call.param("KeyId")
    return find_key(reference, call.account, call.region) if isinstance(reference, str) else None


@refuse("kms", "CreateKey PutKeyPolicy", "A.12, A.13, API_PutKeyPolicy")
def malformed_or_locked_out(call: Call) -> None:
    policy = call.param("Policy")
    if policy is None:
        return
    if re.search(r"[^\t\n\r\x20-\xff]", policy):
        call.fail(
            "ValidationException",
            "1 validation error detected: Value at 'policy' failed to satisfy constraint",
        )
    try:
        document = json.loads(policy)
        statements = _list(document["Statement"])
    except (ValueError, KeyError, TypeError):
        call.fail(
            "MalformedPolicyDocumentException", "The key policy is not a valid policy document."
        )
    if not all(
        isinstance(s, dict) and s.get("Effect") in ("Allow", "Deny") and "Principal" in s
        for s in statements
    ):
        call.fail(
            "MalformedPolicyDocumentException", "A statement lacks its effect or its principal."
        )
    key = _named(call)
    if not call.param("BypassPolicyLockoutSafetyCheck") and not _updatable(
        statements, call.account, key
    ):
        call.fail("MalformedPolicyDocumentException", _LOCKED_OUT)


def _updatable(statements: list[dict[str, Any]], account: str, key: Any) -> bool:
    """Whether the account's root or moto's caller may still put a policy.

    Statements with a condition do not count.
    """
    fits = [s for s in statements if not s.get("Condition") and _covers(s, account, key)]
    return any(s["Effect"] == "Allow" for s in fits) and not any(
        s["Effect"] == "Deny" for s in fits
    )


def _covers(statement: dict[str, Any], account: str, key: Any) -> bool:
    principal = statement["Principal"]
    names = (
        [principal]
        if principal == "*"
        else _list(principal.get("AWS"))
        if isinstance(principal, dict)
        else []
    )
    ours = re.compile(rf"\*|{account}|arn:[\w-]+:(iam::{account}:root|sts::{account}:user/moto)")
    actions = [str(a).lower() for a in _list(statement.get("Action"))]
    resources = [str(r) for r in _list(statement.get("Resource"))]
    return (
        any(ours.fullmatch(str(name)) for name in names)
        and any(fnmatchcase("kms:putkeypolicy", action) for action in actions)
        and any(r == "*" or (key is not None and fnmatchcase(key.arn, r)) for r in resources)
    )


@around("kms", "GetKeyPolicy PutKeyPolicy", "A.14, API_GetKeyPolicy")
def there_is_one_policy_and_it_need_not_be_named(call: Call, proceed: Proceed) -> Any:
    call.change(PolicyName=call.param("PolicyName") or "default")
    reply = json.loads(proceed())
    return json.dumps(reply and reply | {"PolicyName": "default"})


@refuse("kms", "CreateKey TagResource", "B.KMS.10")
def reserved_tags(call: Call) -> None:
    tags = [tag["TagKey"] for tag in call.param("Tags") or []]
    if len(tags) > 50 or any(tag.lower().startswith("aws:") for tag in tags):
        call.fail("TagException", "The tags are too many, or one begins with aws:")


@refuse(
    "kms",
    "CreateAlias UpdateAlias EnableKey DisableKey TagResource UntagResource UpdateKeyDescription EnableKeyRotation "
    f"DisableKeyRotation ScheduleKeyDeletion CreateGrant {_USES}",
    "B.KMS.7",
)
def pending_deletion(call: Call) -> None:
    key = _named(call)
    if key is not None and key.key_state == "PendingDeletion":
        call.fail("KMSInvalidStateException", f"{key.arn} is pending deletion.")


@refuse("kms", f"EnableKeyRotation DisableKeyRotation {_USES}", "B.KMS.7")
def disabled(call: Call) -> None:
    key = _named(call)
    if key is not None and key.key_state == "Disabled":
        call.fail("DisabledException", f"{key.arn} is disabled.")


@around("kms", "Decrypt", "B.KMS.7")
def decrypt_with_unusable_key(call: Call, proceed: Proceed) -> Any:
    reply = proceed()
    key = find_key(json.loads(reply)["KeyId"], call.account, call.region)
    if key.key_state == "Disabled":
        call.fail("DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        call.fail("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return reply


@refuse("kms", "CancelKeyDeletion", "B.KMS.7")
def not_pending(call: Call) -> None:
    key = _named(call)
    if key is not None and key.key_state != "PendingDeletion":
        call.fail("KMSInvalidStateException", f"{key.arn} is not pending deletion.")


@refuse("kms", "ScheduleKeyDeletion", "B.KMS.8")
def waiting_period(call: Call) -> None:
    days = call.param("PendingWindowInDays")
    if days is not None and not 7 <= days <= 30:
        call.fail("ValidationException", f"{days} is not between 7 and 30 days.")


@around(
    "kms",
    "ScheduleKeyDeletion CancelKeyDeletion EnableKey DisableKey",
    "API_ScheduleKeyDeletion, KeyId",
)
def key_arn_is_a_key_id(call: Call, proceed: Proceed) -> Any:
    key = _named(call)
    if key is None:
        return proceed()
    call.change(KeyId=key.id)
    reply = json.loads(proceed())
    if reply:
        reply["KeyId"] = key.arn
    if reply and "DeletionDate" in reply:
        reply |= {
            "KeyState": key.key_state,
            "PendingWindowInDays": call.param("PendingWindowInDays") or 30,
        }
    return json.dumps(reply)


@around("kms", "GetKeyRotationStatus", "B.KMS.11")
def no_rotation_while_pending(call: Call, proceed: Proceed) -> Any:
    reply = json.loads(proceed())
    key = _named(call)
    if key is not None and key.key_state == "PendingDeletion":
        reply["KeyRotationEnabled"] = False
    return json.dumps(reply)


@model(
    "moto.kms.models",
    "generate_private_key",
    "no rule of AWS's: a symmetric key has none, and making one takes 0.1 s",
)
def symmetric_keys_are_made_at_once(key_spec: str, proceed: Proceed) -> Any:
    return b"" if key_spec == "SYMMETRIC_DEFAULT" else proceed()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
