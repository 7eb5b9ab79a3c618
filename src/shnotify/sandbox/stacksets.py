"""What StackSets answer, in moto's place; `stackoperations.py` is the model behind the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NoReturn

from moto.cloudformation.exceptions import CloudFormationError
from moto.core.responses import ActionResult
from moto.organizations.models import organizations_backends

from shnotify.sandbox.rows import ROWS, Row, now
from shnotify.sandbox.stackoperations import PACE, Model, Operation, Pair, Stack

PAGE = 100
"""What a page holds at most (API_ListStackInstances, MaxResults)."""
KEPT = 1000
"""Operations that are listed; AWS keeps them for 90 days (API_ListStackSetOperations)."""


class Asked:
    """One request about one stack set."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.params: dict[str, Any] = response._get_params()
        self.set = response.cloudformation_backend.describe_stack_set(self.get("StackSetName"))
        if not hasattr(self.set, "model"):
            self.set.model, self.set.managed = Model(), False
        self.model: Model = self.set.model

    def get(self, name: str) -> Any:
        return self.params.get(name)

    def fail(self, code: str, message: str) -> NoReturn:
        raise CloudFormationError(code, message)

    def pairs(self) -> dict[Pair, str]:
        """Returns the accounts and Regions that are meant, each with its unit."""
        targets = self.get("DeploymentTargets") or {}
        units = targets.get("OrganizationalUnitIds") or ()
        found = dict.fromkeys(self.get("Accounts") or targets.get("Accounts") or (), "")
        if units:
            members = self._members(units)
            only = targets.get("AccountFilterType") == "INTERSECTION"
            found = {a: unit for a, unit in members.items() if not only or a in found}
        regions = self.get("Regions") or ()
        return {(account, region): unit for account, unit in found.items() for region in regions}

    def _members(self, units: Iterable[str]) -> dict[str, str]:
        organization = organizations_backends[self.set.instances.account_id]["aws"]
        found: dict[str, str] = {}
        for unit in units:
            within = {unit, *(ou.id for ou in organization.ou if ou.parent_id == unit)}
            found |= {one.id: unit for one in organization.accounts if one.parent_id in within}
        return found

    def begin(self, action: str, pairs: Iterable[Pair]) -> Operation:
        """Begins an operation, or lets it wait for those before it (ManagedExecution, K.22)."""
        found = tuple(pairs)
        busy = [one for one in self.model.operations if one.status() in ("RUNNING", "QUEUED")]
        if busy and not self.set.managed:
            self.fail(
                "OperationInProgressException", f"Another Operation {busy[0].id} is in progress"
            )
        if self.get("OperationId") in [one.id for one in self.model.operations]:
            self.fail(
                "OperationIdAlreadyExistsException", f"Operation {self.get('OperationId')} exists"
            )
        preferences = self.get("OperationPreferences") or {}
        accounts = sorted({account for account, _ in found})
        tolerance = int(preferences.get("FailureToleranceCount") or 0)
        most = int(preferences.get("MaxConcurrentCount") or 1)
        if preferences.get("ConcurrencyMode") != "SOFT_FAILURE_TOLERANCE":
            most = min(most, tolerance + 1)
        operation = Operation(
            self.get("OperationId") or f"operation-{len(self.model.operations)}",
            action,
            now(),
            max([now(), *(one.ends for one in busy)]),
            {account: number for number, account in enumerate(accounts)},
            found,
            most,
            tolerance,
            PACE.seconds,
            {a: PACE.failing[a] for a in accounts if a in PACE.failing},
        )
        self.model.operations.append(operation)
        return operation

    def page(self, entries: Sequence[Any], shown: Callable[[Any], dict[str, Any]]) -> ActionResult:
        size = min(int(self.get("MaxResults") or PAGE), PAGE)
        start = int(self.get("NextToken") or 0)
        answer: dict[str, Any] = {"Summaries": [*map(shown, entries[start : start + size])]}
        if start + size < len(entries):
            answer["NextToken"] = str(start + size)
        return ActionResult(answer)


ANSWERS: dict[str, Callable[[Asked], ActionResult]] = {}
"""What answers an operation in moto's place."""


def _answers(operation: str) -> Callable[[Callable[[Asked], Any]], Callable[[Asked], Any]]:
    def add(rule: Callable[[Asked], Any]) -> Callable[[Asked], Any]:
        ANSWERS[operation] = rule
        return rule

    return add


def _in_motos_place(operation: str) -> Callable[[Callable[..., Any] | None], Callable[..., Any]]:
    return lambda _original: lambda response: ANSWERS[operation](Asked(response))


def _keeps(original: Callable[..., Any]) -> Callable[..., Any]:
    """moto forgets whether operations may wait, whether new accounts are enrolled, and defaults."""

    @wraps(original)
    def method(response: Any) -> Any:
        answer = original(response)
        _remember(Asked(response))
        return answer

    return method


def _remember(asked: Asked) -> None:
    asked.set.managed = str((asked.get("ManagedExecution") or {}).get("Active")).lower() == "true"
    asked.set.parameters = {**_defaults(asked.set.template), **asked.set.parameters}
    if automatic := asked.get("AutoDeployment"):
        asked.set.auto_deployment = automatic


def _defaults(template: str) -> dict[str, str]:
    """Returns the defaults of a template in JSON: a stack set shows what it took of them.

    hashicorp/terraform-provider-aws, docs of aws_cloudformation_stack_set.
    """
    try:
        declared = json.loads(template).get("Parameters", {})
    except ValueError:
        return {}
    return {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}


ROWS.append(
    Row(
        "a_stack_set_keeps_how_it_is_managed",
        "API_CreateStackSet",
        (("moto.cloudformation.responses", "CloudFormationResponse", "create_stack_set"),),
        _keeps,
    )
)


def _started(operation: Operation) -> ActionResult:
    return ActionResult({"OperationId": operation.id})


@_answers("create_stack_instances")
def stacks_come(asked: Asked) -> ActionResult:
    pairs, standing = asked.pairs(), asked.model.standing()
    new = {pair: unit for pair, unit in pairs.items() if pair not in standing}
    operation = asked.begin("CREATE", new)
    for pair, unit in new.items():
        asked.model.stacks[pair] = Stack(unit, operation, asked.get("ParameterOverrides") or [])
    return _started(operation)


@_answers("update_stack_instances")
def stacks_get_parameters(asked: Asked) -> ActionResult:
    pairs, standing = asked.pairs(), asked.model.standing()
    if missing := [pair for pair in pairs if pair not in standing]:
        asked.fail("StackInstanceNotFoundException", f"no stack instance for {missing[0]}")
    operation = asked.begin("UPDATE", pairs)
    given = asked.get("ParameterOverrides")
    for pair in pairs:
        standing[pair].operation = operation
        if given is not None:  # without any list they stay; an empty one takes all away
            standing[pair].overrides = given or []
    return _started(operation)


@_answers("update_stack_set")
def a_set_and_its_stacks_change(asked: Asked) -> ActionResult:
    standing, pairs = asked.model.standing(), asked.pairs()
    chosen = [pair for pair in standing if pair in pairs or not pairs]
    reached = [pair for pair in chosen if standing[pair].state(pair[0])[0] != "INOPERABLE"]
    operation = asked.begin("UPDATE", reached)
    given = asked.get("Parameters") or ()
    if asked.get("TemplateBody") or any("ParameterValue" in one for one in given):
        for (
            stack
        ) in standing.values():  # all are outdated until they are reached (API_UpdateStackSet)
            stack.behind = True
    asked.set.template = asked.get("TemplateBody") or asked.set.template
    previous = asked.set.parameters
    asked.set.parameters = {
        one["ParameterKey"]: previous[one["ParameterKey"]]
        if one.get("UsePreviousValue")
        else one.get("ParameterValue", "")
        for one in given
    }
    asked.set.tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags") or ()} or asked.set.tags
    _remember(asked)
    for pair in reached:
        standing[pair].operation, standing[pair].behind = operation, False
    return _started(operation)


@_answers("delete_stack_instances")
def stacks_go(asked: Asked) -> ActionResult:
    standing = asked.model.standing()
    pairs = [pair for pair in asked.pairs() if pair in standing]
    operation = asked.begin("DELETE", pairs)
    for pair in pairs:
        standing[pair].operation = operation
    return _started(operation)


@_answers("detect_stack_set_drift")
def stacks_are_compared(asked: Asked) -> ActionResult:
    standing = asked.model.standing()
    operation = asked.begin("DETECT_DRIFT", standing)
    for (account, _), stack in standing.items():
        stack.checked = operation
        stack.drift = "DRIFTED" if account in PACE.drifted else "IN_SYNC"
    return _started(operation)


@_answers("delete_stack_set")
def only_an_empty_set_goes(asked: Asked) -> ActionResult:
    if asked.model.standing():
        asked.fail("StackSetNotEmptyException", "StackSet is not empty")
    asked.set.delete()
    return ActionResult({})


@_answers("list_stack_instances")
def stacks_are_listed(asked: Asked) -> ActionResult:
    return asked.page([*asked.model.standing().items()], lambda one: _summary(*one))


@_answers("describe_stack_instance")
def a_stack_is_shown(asked: Asked) -> ActionResult:
    pair = (asked.get("StackInstanceAccount"), asked.get("StackInstanceRegion"))
    stack = asked.model.standing().get(pair)
    if stack is None:
        asked.fail("StackInstanceNotFoundException", f"no stack instance for {pair}")
    more = {"ParameterOverrides": stack.overrides}
    return ActionResult({"StackInstance": {**_summary(pair, stack), **more}})


def _summary(pair: Pair, stack: Stack) -> dict[str, Any]:
    status, detailed = stack.state(pair[0])
    return {
        "Account": pair[0],
        "Region": pair[1],
        "Status": status,
        "StatusReason": stack.operation.failed.get(pair[0], "") if detailed in _BAD else "",
        "StackInstanceStatus": {"DetailedStatus": detailed},
        "OrganizationalUnitId": stack.unit,
        **_drift(stack, pair[0]),
        "LastOperationId": stack.operation.id,
    }


_BAD = ("FAILED", "INOPERABLE")


def _drift(stack: Stack, account: str) -> dict[str, Any]:
    if not stack.checked or stack.checked.of(account) != "SUCCEEDED":
        return {"DriftStatus": "NOT_CHECKED"}
    when = datetime.fromtimestamp(stack.checked.begins, UTC)
    return {"DriftStatus": stack.drift, "LastDriftCheckTimestamp": when}


@_answers("list_stack_set_operations")
def operations_are_listed(asked: Asked) -> ActionResult:
    newest = asked.model.operations[:-KEPT:-1]
    return asked.page(newest, _operation)


@_answers("describe_stack_set_operation")
def an_operation_is_shown(asked: Asked) -> ActionResult:
    return ActionResult({"StackSetOperation": _operation(_named(asked))})


def _named(asked: Asked) -> Operation:
    wanted = asked.get("OperationId")
    found = next((one for one in asked.model.operations if one.id == wanted), None)
    if found is None:
        asked.fail("OperationNotFoundException", f"Operation {wanted} not found")
    return found


def _operation(one: Operation) -> dict[str, Any]:
    failed = sum(one.of(account) == "FAILED" for account in one.failed)
    return {
        "OperationId": one.id,
        "Action": one.action,
        "Status": one.status(),
        "CreationTimestamp": datetime.fromtimestamp(one.asked, UTC),
        "StatusDetails": {"FailedStackInstancesCount": failed},
    }


@_answers("list_stack_set_operation_results")
def results_are_listed(asked: Asked) -> ActionResult:
    one = _named(asked)
    return asked.page(one.pairs, lambda pair: _result(one, pair))


def _result(one: Operation, pair: Pair) -> dict[str, Any]:
    status = one.of(pair[0])
    reason = one.failed.get(pair[0], "") if status == "FAILED" else ""
    return {"Account": pair[0], "Region": pair[1], "Status": status, "StatusReason": reason}


@_answers("stop_stack_set_operation")
def an_operation_stops(asked: Asked) -> ActionResult:
    _named(asked).stopped = now()
    return ActionResult({})


_RESPONSES = ("moto.cloudformation.responses", "CloudFormationResponse")


def _by_name(original: Callable[..., Any]) -> Callable[..., Any]:
    return _in_motos_place(original.__name__)(original)


ROWS.extend(
    (
        Row(
            "operations_take_their_time_and_wait_for_each_other",
            "K.19-K.22, API_CreateStackInstances, stacksets-concepts",
            tuple((*_RESPONSES, name) for name in ANSWERS if name != "detect_stack_set_drift"),
            _by_name,
        ),
        Row(
            "stacks_are_compared_when_somebody_asks",
            "K.22, API_DetectStackSetDrift",
            ((*_RESPONSES, "detect_stack_set_drift"),),
            _in_motos_place("detect_stack_set_drift"),
        ),
    )
)
