"""Carries out a roll-out: starts StackSets operations, follows them, and tells what became of each.

An operation goes on in AWS when this process ends; the next run finds it and follows it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from shnotify.aws.failures import AwsError
from shnotify.aws.gateway import Aws
from shnotify.export.stackset import RUNNING, Action, Instance, Seen, Wanted
from shnotify.notifier.needs import ROLLOUT_READS, ROLLOUT_WRITES

READS = ROLLOUT_READS | {"sts:GetCallerIdentity"}
WRITES = ROLLOUT_WRITES
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
_ABSENT = ("StackSetNotFoundException", "StackSetNotFound")
_STARTED = ("OperationIdAlreadyExistsException", "OperationIdAlreadyExists")
_BUSY = {"OperationInProgressException": "another operation of the stack set is still running"}
POLL_SECONDS = (1, 2, 5, 10)
FEW, SELDOM = 200, 6


@dataclass(frozen=True)
class Progress:
    """How far an operation is: its words for a person, and what became of each stack so far."""

    action: Action
    status: str
    done: int
    failed: int
    of: int
    stacks: tuple[Instance, ...] = ()


@dataclass(frozen=True)
class Ended:
    """What became of one operation."""

    action: Action
    status: str
    failures: tuple[Instance, ...] = ()
    operation: str = ""

    @property
    def ok(self) -> bool:
        return self.status == "SUCCEEDED"


class StackSet:
    """One stack set, seen through the gateway."""

    def __init__(self, aws: Aws, wanted: Wanted) -> None:
        self._aws = aws
        self._wanted = wanted
        self._client = aws.cloudformation

    # -- looking -------------------------------------------------------------------------------------------------------

    def look(self) -> Seen:
        """Reads the stack set, its stacks and its newest operation. Raises `AwsError`."""
        try:
            found = self._call(self._client.describe_stack_set)["StackSet"]
        except AwsError as error:
            if error.code in _ABSENT:
                return Seen()
            raise
        operations = self._call(self._client.list_stack_set_operations, MaxResults=10)["Summaries"]
        newest = max(operations, key=_created, default=None)
        running = [one for one in operations if one.get("Status") in RUNNING]
        return Seen(
            body=found.get("TemplateBody", ""),
            parameters=_parameters(found.get("Parameters")),
            tags={tag["Key"]: tag["Value"] for tag in found.get("Tags") or ()},
            instances=tuple(self._instances()),
            last=newest["OperationId"] if newest else "",
            running=running[0]["OperationId"] if running else "",
            auto_deployment=bool((found.get("AutoDeployment") or {}).get("Enabled")),
        )

    def _instances(self) -> Iterator[Instance]:
        more: dict[str, Any] = {}
        while True:
            page = self._call(self._client.list_stack_instances, MaxResults=100, **more)
            for entry in page["Summaries"]:
                yield self._with_overrides(_instance(entry))
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _with_overrides(self, found: Instance) -> Instance:
        """Reads a stack's own parameters, where the file gives some."""
        if (found.account, found.region) not in self._wanted.overrides:
            return found
        reply = self._call(
            self._client.describe_stack_instance,
            StackInstanceAccount=found.account,
            StackInstanceRegion=found.region,
        )
        own = reply["StackInstance"].get("ParameterOverrides")
        return replace(found, overrides=_parameters(own))

    def _call(self, method: Callable[..., Any], **more: Any) -> Any:
        return self._aws(method, StackSetName=self._wanted.name, **self._as(), **more)

    def _as(self) -> dict[str, str]:
        return {"CallAs": "DELEGATED_ADMIN"} if self._wanted.rollout.call_as != "self" else {}

    # -- acting --------------------------------------------------------------------------------------------------------

    def carry_out(self, action: Action, after: str, tell: Callable[[Progress], None]) -> Ended:
        """Starts one operation and follows it to its end. `after` is the operation before it."""
        match action.kind:
            case "create_set":
                self._create()
                return Ended(action, "SUCCEEDED")
            case "delete_set":
                self._delete()
                return Ended(action, "SUCCEEDED")
        operation = action.operation_id(self._wanted, after)
        request = {**self._request(action), "OperationId": operation}
        try:
            operation = self._patient(self._starter(action), **request)["OperationId"]
        except AwsError as error:
            if error.code not in _STARTED:
                raise
        return self.follow(action, operation, tell)

    def follow(self, action: Action, operation: str, tell: Callable[[Progress], None]) -> Ended:
        """Waits until the operation has ended, and tells how far it is."""
        results: list[Instance] = []
        for number in itertools.count():
            found = self._call(self._client.describe_stack_set_operation, OperationId=operation)
            status = found["StackSetOperation"]["Status"]
            # A page holds 100 stacks: of thousands the results are asked for seldom.
            if status not in RUNNING or action.stacks <= FEW or number % SELDOM == SELDOM - 1:
                results = self._results(operation)
            failed = tuple(one for one in results if one.failed)
            done = sum(one.status == "SUCCEEDED" for one in results)
            of = max(len(results), action.stacks)
            tell(Progress(action, status, done, len(failed), of, tuple(results)))
            if status not in RUNNING:
                return Ended(action, status, failed, operation)
            self._aws.pause(POLL_SECONDS[min(number, len(POLL_SECONDS) - 1)])
        raise AssertionError("unreachable")

    def _results(self, operation: str) -> list[Instance]:
        found: list[Instance] = []
        more: dict[str, Any] = {}
        while True:
            page = self._call(
                self._client.list_stack_set_operation_results, OperationId=operation, **more
            )
            found += [_instance(entry) for entry in page["Summaries"]]
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

    def _create(self) -> None:
        wanted, rollout = self._wanted, self._wanted.rollout
        managed: dict[str, Any] = {"PermissionModel": "SELF_MANAGED"}
        if wanted.by_units:
            managed = {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": _automatic(wanted)}
        # The same token makes a repeated request the same request (API_CreateStackSet).
        token = Action("create_set").operation_id(wanted, "")
        self._aws(
            self._client.create_stack_set,
            **self._content(),
            **managed,
            **({"CallAs": "DELEGATED_ADMIN"} if rollout.call_as != "self" else {}),
            ClientRequestToken=token,
            Description=f"The notifier {wanted.tags['shnotify:name']}, made by shnotify.",
        )

    def _content(self) -> dict[str, Any]:
        wanted = self._wanted
        return {
            "StackSetName": wanted.name,
            "TemplateBody": wanted.body,
            "Parameters": _list(wanted.parameters),
            "Capabilities": CAPABILITIES,
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(wanted.tags.items())],
            "ManagedExecution": {"Active": True},
        }

    def _delete(self) -> None:
        try:
            self._patient(
                self._client.delete_stack_set, StackSetName=self._wanted.name, **self._as()
            )
        except AwsError as error:
            if error.code not in _ABSENT:
                raise

    def _patient(self, method: Callable[..., Any], **given: Any) -> Any:
        return self._aws.patient(_BUSY)(method, **given)

    def _starter(self, action: Action) -> Any:
        return {
            "update_set": self._client.update_stack_set,
            "create": self._client.create_stack_instances,
            "update": self._client.update_stack_instances,
            "delete": self._client.delete_stack_instances,
        }[action.kind]

    def _request(self, action: Action) -> dict[str, Any]:
        wanted = self._wanted
        preferences = {
            "MaxConcurrentCount": wanted.rollout.concurrency,
            "FailureToleranceCount": wanted.rollout.failure_tolerance,
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
            "RegionConcurrencyType": "PARALLEL",
        }
        common = {**self._as(), "OperationPreferences": preferences}
        if action.kind == "update_set":
            automatic = {"AutoDeployment": _automatic(wanted)} if wanted.by_units else {}
            return {**self._content(), **automatic, **common}
        request: dict[str, Any] = {
            **common,
            "StackSetName": wanted.name,
            "Regions": list(action.regions),
        }
        if not wanted.by_units:
            request["Accounts"] = list(action.targets)
        else:
            request["DeploymentTargets"] = _targets(action)
        if action.kind == "delete":
            request["RetainStacks"] = False
        elif action.overrides:
            request["ParameterOverrides"] = _list(action.overrides)
        return request


def _targets(action: Action) -> dict[str, Any]:
    found: dict[str, Any] = {"OrganizationalUnitIds": list(action.targets)}
    if action.accounts:
        found |= {"Accounts": list(action.accounts), "AccountFilterType": "INTERSECTION"}
    return found


def _automatic(wanted: Wanted) -> dict[str, bool]:
    """Keeps an account's stack when the account leaves: nobody's alerts end unseen."""
    if not wanted.rollout.auto_deployment:
        return {"Enabled": False}
    return {"Enabled": True, "RetainStacksOnAccountRemoval": True}


def _instance(entry: dict[str, Any]) -> Instance:
    detailed = (entry.get("StackInstanceStatus") or {}).get("DetailedStatus")
    return Instance(
        account=entry.get("Account", ""),
        region=entry.get("Region", ""),
        status=detailed or entry.get("Status", ""),
        reason=entry.get("StatusReason", "") or "",
        drift=entry.get("DriftStatus", "NOT_CHECKED") or "NOT_CHECKED",
        unit=entry.get("OrganizationalUnitId", "") or "",
    )


def _created(operation: dict[str, Any]) -> Any:
    return operation["CreationTimestamp"]


def _parameters(given: Any) -> dict[str, str]:
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in given or ()}


def _list(given: Any) -> list[dict[str, str]]:
    return [{"ParameterKey": k, "ParameterValue": v} for k, v in sorted(given.items())]
