"""Where Amazon EventBridge and the tagging API say no, or more, and moto does not."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource

from shnotify.findings.complexity import MOST, complexity
from shnotify.findings.matching import matches
from shnotify.findings.patternsyntax import PatternError, validate_pattern
from shnotify.sandbox.delivery import deliver
from shnotify.sandbox.rows import Call, Proceed, around, model, refuse

_TARGETS = 5
_WILDCARD_RULES = 30
_RESERVED = "aws.events."


def _rule(call: Call, name: str) -> Any:
    backend = call.response.events_backend
    bus = backend.event_buses.get(backend._normalize_event_bus_arn(call.param("EventBusName")))
    return None if bus is None else bus.rules.get(name)


@refuse("events", "PutTargets", "B.EB.5")
def five_targets(call: Call) -> None:
    rule = _rule(call, call.param("Rule"))
    if (
        rule is not None
        and len({t["Id"] for t in [*rule.targets, *call.param("Targets")]}) > _TARGETS
    ):
        call.fail(
            "LimitExceededException", "The requested resource exceeds the maximum number allowed."
        )


@refuse("events", "PutTargets", "B.EB.4, C.1, C.2")
def transformer_names_are_known(call: Call) -> None:
    for target in call.param("Targets"):
        transformer = target.get("InputTransformer", {})
        known = transformer.get("InputPathsMap", {})
        for name in re.findall(r"<([\w.-]+)>", transformer.get("InputTemplate", "")):
            if name not in known and not name.startswith(_RESERVED):
                text = (
                    f"InputTemplate for target {target['Id']} contains invalid placeholder {name}."
                )
                call.fail("ValidationException", text)


@refuse("events", "PutTargets", "C.7")
def one_kind_of_input(call: Call) -> None:
    for target in call.param("Targets"):
        if sum(name in target for name in ("Input", "InputPath", "InputTransformer")) > 1:
            text = f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
            call.fail("ValidationException", text)


@refuse("events", "PutRule", "B.EB.11")
def pattern_is_not_too_long(call: Call) -> None:
    if len(call.param("EventPattern") or "") > 4096:
        call.fail(
            "ValidationException",
            "Value at 'eventPattern' must have length less than or equal to 4096",
        )


@refuse("events", "PutRule", "B.EB.11, eb-quota: rules with wildcards on a bus")
def few_rules_have_wildcards(call: Call) -> None:
    if not _has_wildcards(call.param("EventPattern")):
        return
    backend = call.response.events_backend
    bus = backend.event_buses[backend._normalize_event_bus_arn(call.param("EventBusName"))]
    others = [rule for rule in bus.rules.values() if rule.name != call.param("Name")]
    if sum(_has_wildcards(rule.event_pattern.dump()) for rule in others) >= _WILDCARD_RULES:
        call.fail(
            "LimitExceededException", "The requested resource exceeds the maximum number allowed."
        )


def _has_wildcards(pattern: str | None) -> bool:
    return '"wildcard"' in (pattern or "")


@around("events", "PutRule", "B.EB.2")
def tags_at_creation_only(call: Call, proceed: Proceed) -> Any:
    if _rule(call, call.param("Name")) is not None:
        call.change(Tags=None)
    return proceed()


@around("events", "PutEvents", "D.2, B.EB: source aws.* is AWS's own")
def nobody_speaks_for_aws(call: Call, proceed: Proceed) -> Any:
    entries = call.param("Entries")
    call.change(Entries=[entry for entry in entries if not _from_aws(entry)])
    answers = iter(json.loads(proceed())["Entries"])
    refused = {
        "ErrorCode": "NotAuthorizedForSourceException",
        "ErrorMessage": "Not authorized for the source.",
    }
    replies = [refused if _from_aws(entry) else next(answers) for entry in entries]
    return json.dumps(
        {"FailedEntryCount": sum("ErrorCode" in reply for reply in replies), "Entries": replies}
    )


def _from_aws(entry: dict[str, Any]) -> bool:
    return str(entry.get("Source", "")).startswith("aws.")


@model(
    "moto.events.models",
    "Rule.send_to_targets",
    "B.EB.4, D.8: what cannot be delivered never fails PutEvents",
)
def delivery_is_no_part_of_the_call(
    rule: Any, _: Proceed, event: dict[str, Any], **__: Any
) -> None:
    moment = dt.datetime.fromtimestamp(int(float(event["time"])), dt.UTC)
    envelope = {name: value for name, value in event.items() if name != "ingestion-time"}
    deliver(rule, {**envelope, "time": moment.isoformat().replace("+00:00", "Z")})


@model(
    "moto.events.models",
    "EventsBackend.iter_tagged_resources",
    "B.KMS.3, API_GetResources: rules too",
)
def rules_are_found_by_tag(backend: Any, proceed: Proceed) -> Iterator[Any]:
    yield from proceed()
    for bus in backend.event_buses.values():
        for rule in bus.rules.values():
            yield TaggedResource(
                rule.arn, backend.tagger.get_tag_dict_for_resource(rule.arn), "events:rule"
            )


@model(
    "moto.resourcegroupstaggingapi.models",
    "ResourceGroupsTaggingAPIBackend._get_resources_generator",
    "API_GetResources: a page does not break when something is created meanwhile",
)
def pages_are_of_one_moment(_: Any, proceed: Proceed) -> Iterator[Any]:
    return iter(list(proceed()))


@around(
    "events",
    "TestEventPattern",
    "D.1, API_TestEventPattern: an event has all of its envelope, and a Result comes",
)
def a_pattern_is_really_tested(call: Call, _: Proceed) -> Any:
    try:
        event = json.loads(call.param("Event"))
    except ValueError:
        event = None
    if not isinstance(event, dict) or not event.keys() >= _ENVELOPE:
        call.fail("ValidationException", "Parameter Event is not valid.")
    try:
        pattern = json.loads(call.param("EventPattern"))
        validate_pattern(pattern)
    except (ValueError, PatternError) as error:
        call.fail("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}")
    return json.dumps({"Result": matches(pattern, event)})


@refuse("events", "PutRule TestEventPattern", "eb-create-pattern-operators: too complex a rule")
def wildcards_are_simple(call: Call) -> None:
    """Stands after the row that answers TestEventPattern: a later row asks first."""
    text = call.param("EventPattern")
    if _has_wildcards(text) and (complexity(json.loads(text)) or 0) > MOST:
        reason = "Rule is too complex - try using fewer wildcard characters"
        call.fail("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


_ENVELOPE = {"id", "account", "source", "time", "region", "resources", "detail-type"}
