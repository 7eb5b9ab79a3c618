"""Carries out a roll-out: starts StackSets operations, follows them, and tells what became of each.

An operation goes on in AWS when this process ends; the next run finds it and follows it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shnotify.aws.failures import AwsError
from shnotify.aws.gateway import Aws
from shnotify.export.stackset import (
    FEW,
    PAGE,
    RUNNING,
    Action,
    Instance,
    Seen,
    Wanted,
    pause_after,
    reads_results,
    unsure_after,
)
from shnotify.frozen import frozen
from shnotify.notifier.needs import ROLLOUT_DRIFT, ROLLOUT_READS, ROLLOUT_WRITES

READS = ROLLOUT_READS | {"sts:GetCallerIdentity"}
WRITES, DRIFT = ROLLOUT_WRITES, ROLLOUT_DRIFT
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
_ABSENT = ("StackSetNotFoundException", "StackSetNotFound")
_STARTED = ("OperationIdAlreadyExistsException", "OperationIdAlreadyExists")
_BUSY = {"OperationInProgressException": "another operation of the stack set is still running"}


@frozen
class Progress:
    """How far an operation is: its words for a person, and what became of each stack so far."""

    action: Action
    status: str
    done: int
    failed: int
    of: int
    stacks: tuple[Instance, ...] = ()


@frozen
class Ended:
    """What became of one operation."""

    action: Action
    status: str
    failures: tuple[Instance, ...] = ()
    operation: str = ""

    @property
    def ok(self) -> bool:
        """Tells whether it ended within the failure tolerance: single stacks may have failed."""
        return self.status == "SUCCEEDED"


class StackSet:
    """One stack set, seen through the gateway."""

    def __init__(self, aws: Aws, wanted: Wanted, *, addresses: bool = True) -> None:
        self._aws = aws
        self._wanted = wanted
        self._addresses = addresses
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
            instances=self._with_overrides(tuple(sorted(self._instances(), key=_place))),
            last=newest["OperationId"] if newest else "",
            running=running[0]["OperationId"] if running else "",
            auto_deployment=bool((found.get("AutoDeployment") or {}).get("Enabled")),
            by_units=found.get("PermissionModel") == "SERVICE_MANAGED",
        )

    def _instances(self) -> Iterator[Instance]:
        more: dict[str, Any] = {}
        while True:
            page = self._call(self._client.list_stack_instances, MaxResults=PAGE, **more)
            yield from map(_instance, page["Summaries"])
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _with_overrides(self, found: tuple[Instance, ...]) -> tuple[Instance, ...]:
        """Reads the stacks' own parameters, one call each: of few stacks all.

        Of many not those that have none by the id of their last operation.
        """
        if not self._addresses:
            return found
        asked = {
            (one.account, one.region): self._aws.start(self._overrides, one)
            for one in found
            if one.unsure or len(found) <= FEW
        }
        read = {where: self._aws.in_time(future) for where, future in asked.items()}
        none: dict[str, str] = {}
        return tuple(
            replace(one, overrides=read.get((one.account, one.region), none)) for one in found
        )

    def _overrides(self, of: Instance) -> dict[str, str]:
        reply = self._call(
            self._client.describe_stack_instance,
            StackInstanceAccount=of.account,
            StackInstanceRegion=of.region,
        )
        return _parameters(reply["StackInstance"].get("ParameterOverrides"))

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
        for number in itertools.count(1):
            found = self._call(self._client.describe_stack_set_operation, OperationId=operation)
            status = found["StackSetOperation"]["Status"]
            if status not in RUNNING or reads_results(number, action.stacks):
                results = self._results(operation)
            failed = tuple(one for one in results if one.failed)
            done = sum(one.status == "SUCCEEDED" for one in results)
            of = max(len(results), action.stacks)
            tell(Progress(action, status, done, len(failed), of, tuple(results)))
            if status not in RUNNING:
                return Ended(action, status, failed, operation)
            self._aws.pause(pause_after(number))
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
            managed = {"PermissionModel": "SERVICE_MANAGED", **_automatic(wanted)}
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

    def _as_it_is(self) -> dict[str, Any]:
        """Returns an update that changes nothing, for the stacks that are behind.

        A template or a parameter in it would mark all other stacks as outdated (API_UpdateStackSet,
        Accounts).
        """
        previous = [{"ParameterKey": n, "UsePreviousValue": True} for n in self._wanted.parameters]
        return {
            "StackSetName": self._wanted.name,
            "UsePreviousTemplate": True,
            "Parameters": previous,
            "Capabilities": CAPABILITIES,
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
            "retry": self._client.update_stack_set,
            "detect_drift": self._client.detect_stack_set_drift,
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
        if action.kind == "detect_drift":
            return {**common, "StackSetName": wanted.name}
        if action.kind == "update_set":
            return {**self._content(), **_automatic(wanted), **common}
        where = {"Regions": list(action.regions), **_targets(wanted, action)}
        if action.kind == "retry":
            return {**self._as_it_is(), **common, **where}
        request: dict[str, Any] = {**common, "StackSetName": wanted.name, **where}
        if action.kind == "delete":
            request["RetainStacks"] = False
        elif action.overrides or action.kind == "update":
            # An empty list gives a stack the stack set's own values again (API_UpdateStackInstances).
            request["ParameterOverrides"] = _list(action.overrides)
        return request


def _targets(wanted: Wanted, action: Action) -> dict[str, Any]:
    if not wanted.by_units:
        return {"Accounts": list(action.targets)}
    found: dict[str, Any] = {"OrganizationalUnitIds": list(action.targets)}
    if action.accounts:
        found |= {"Accounts": list(action.accounts), "AccountFilterType": "INTERSECTION"}
    return {"DeploymentTargets": found}


def _automatic(wanted: Wanted) -> dict[str, Any]:
    """Keeps an account's stack when the account leaves: nobody's alerts end unseen."""
    if not wanted.by_units:
        return {}
    on = wanted.rollout.auto_deployment
    keeps = {"RetainStacksOnAccountRemoval": True} if on else {}
    return {"AutoDeployment": {"Enabled": on, **keeps}}


def _instance(entry: dict[str, Any]) -> Instance:
    detailed = (entry.get("StackInstanceStatus") or {}).get("DetailedStatus")
    return Instance(
        account=entry.get("Account", ""),
        region=entry.get("Region", ""),
        status=detailed or entry.get("Status", ""),
        reason=entry.get("StatusReason", "") or "",
        drift=entry.get("DriftStatus", "NOT_CHECKED") or "NOT_CHECKED",
        checked=_moment(entry.get("LastDriftCheckTimestamp")),
        unit=entry.get("OrganizationalUnitId", "") or "",
        current=entry.get("Status") == "CURRENT",
        unsure=unsure_after(entry.get("LastOperationId") or ""),
    )


def _moment(when: datetime | None) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds") if when else ""


def _place(one: Instance) -> tuple[str, str]:
    return one.account, one.region


def _created(operation: dict[str, Any]) -> Any:
    return operation["CreationTimestamp"]


def _parameters(given: Any) -> dict[str, str]:
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in given or ()}


def _list(given: Any) -> list[dict[str, str]]:
    return [{"ParameterKey": k, "ParameterValue": v} for k, v in sorted(given.items())]
