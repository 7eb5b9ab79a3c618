"""Whether a service may do what it is about to do: the notifier's own evaluator over the policies
that stand in moto.

What cannot be told counts as refused: this AWS is never kinder than the real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.iam.models import iam_backends

from shnotify.arns import partition_of
from shnotify.resources import calls
from shnotify.resources.evaluation import Decision, combined, evaluate
from shnotify.resources.policies import KEY_ACTIONS
from shnotify.resources.requests import Request
from shnotify.sandbox.kms import find_key, key_trouble


class RefusedError(Exception):
    """A service was not let through, or found nothing there: EventBridge's ERROR_CODE (D.9) and a
    text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def require(decision: Decision, who: str, request: Request) -> None:
    """Raises `RefusedError` unless the call is surely allowed."""
    if decision.verdict != "allowed":
        text = f"{who} is not authorized to perform {request.action} on {request.resource}: {decision.reason}"
        raise RefusedError("NO_PERMISSIONS", text)


def require_by_policy(policy: object, request: Request) -> None:
    """A service calls under its own name; the resource's policy decides."""
    require(evaluate(_document(policy), request), request.principal, request)


def require_key(
    reference: str | None, owner: str, account: str, region: str, use: Callable[[str, str], Request]
) -> None:
    """A service uses the KMS key of a topic or queue, if it has one (A.1, A.9).

    reference  key id, ARN or alias, as the topic or queue has it
    owner      the ARN of the topic or queue
    use        key ARN and action -> the request
    """
    if not reference:
        return
    if "alias/aws/" in reference:
        text = f"{reference} of {owner} is AWS's own key, whose policy lets in no other service"
        raise RefusedError("NO_PERMISSIONS", text)
    if trouble := key_trouble(reference, account, region):
        code = "NO_RESOURCE" if trouble == "NotFound" else "SDK_CLIENT_ERROR"
        raise RefusedError(code, f"the KMS key {reference} of {owner} cannot be used: KMS{trouble}")
    key = find_key(reference, account, region)
    for action in KEY_ACTIONS:
        request = use(key.arn, action)
        require(evaluate(_document(key.policy), request, "key"), request.principal, request)


class FunctionRole:
    """The role of a function, as it stands in moto.

    take  the request by which the service takes a role, from the role's ARN
    """

    def __init__(
        self, function: Any, take: Callable[[str], Request] = calls.lambda_take_role
    ) -> None:
        self._function, self._take = function, take
        backend = iam_backends[function.account_id][partition_of(function.region)]
        self._role = next(
            (each for each in backend.roles.values() if each.arn == function.role), None
        )
        self._policies = backend.managed_policies

    def require_taken(self) -> None:
        """Lambda takes the role."""
        if self._role is None:
            raise RefusedError("NO_RESOURCE", f"the role {self._function.role} does not exist")
        request = self._take(self._role.arn)
        trust = _document(self._role.assume_role_policy_document)
        require(evaluate(trust, request, "trust"), request.principal, request)

    def require(self, action: str, resource: str, policy: object, *, via: str = "") -> None:
        """The function calls; a key's policy has the first word, when `via` names who uses it."""
        self.require_taken()
        role: Any = self._role
        request = calls.role_call(
            role.arn,
            action,
            resource,
            function=self._function.function_arn,
            in_vpc=bool((self._function._vpc_config or {}).get("SubnetIds")),
            via=via,
        )
        own = [_document(text) for text in role.policies.values()]
        own += [_document(each.document) for each in role.managed_policies.values()]
        bound = self._policies.get(role.permissions_boundary_arn)
        boundary = None if bound is None else _document(bound.document)
        decided = combined(own, boundary, _document(policy), request, key=bool(via))
        require(decided, role.arn, request)

    def require_key(self, reference: str | None, via: str) -> None:
        """The function's call makes a service use a topic's or queue's key with the role's rights."""
        account, region = self._function.account_id, self._function.region
        if not reference or "alias/aws/" in reference:
            return
        if trouble := key_trouble(reference, account, region):
            raise RefusedError(f"KMS{trouble}", f"the KMS key {reference} cannot be used")
        key = find_key(reference, account, region)
        for action in KEY_ACTIONS:
            self.require(action, key.arn, key.policy, via=via)


def _document(policy: object) -> object:
    if not isinstance(policy, str):
        return policy
    try:
        return json.loads(policy)
    except ValueError:
        return {"Statement": [None]}
