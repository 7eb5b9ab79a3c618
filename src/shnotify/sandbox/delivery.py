"""EventBridge delivers: from an event on the default bus to each target, or to its dead-letter
queue.

Everything happens at once, in the call that caused it: retries are not waited for. An event that a
delivery causes (a formatter that marks its finding) comes after it, as on a real bus.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from moto.events.models import events_backends
from moto.sns.models import sns_backends

from shnotify.arns import name_in, service_of
from shnotify.findings.matching import matches
from shnotify.mail.transformer import UndeliverableError, transform, value_at
from shnotify.resources import calls
from shnotify.sandbox.metrics import count
from shnotify.sandbox.permissions import RefusedError, require_by_policy, require_key
from shnotify.sandbox.queues import put_message, queue_of
from shnotify.sandbox.rows import now

TARGETS: dict[str, Callable[[Any, str, str], None]] = {}
"""Service -> what hands a rule's text to a target of it; raises `RefusedError`."""

_MAX_MESSAGE = 256 * 1024
_waiting: deque[tuple[str, str, dict[str, Any]]] = deque()
_delivering = False


def send_event(
    account: str,
    region: str,
    *,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: list[str],
) -> str:
    """Puts an event on the default bus, with its whole envelope (eb-events-structure); returns its
    id.
    """
    moment = dt.datetime.fromtimestamp(int(now()), dt.UTC)
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": moment.isoformat().replace("+00:00", "Z"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }
    # Later changes of a finding must not change what was sent.
    _waiting.append((account, region, json.loads(json.dumps(event))))
    _deliver_what_waits()
    return str(event["id"])


def _deliver_what_waits() -> None:
    global _delivering
    if _delivering:
        return
    _delivering = True
    try:
        while _waiting:
            account, region, event = _waiting.popleft()
            bus = events_backends[account][region].event_buses["default"]
            for rule in list(bus.rules.values()):
                deliver(rule, event)
    finally:
        _delivering = False
        _waiting.clear()


def deliver(rule: Any, event: Mapping[str, Any]) -> None:
    """Gives an event to the targets of a rule, if the rule is on and its pattern matches."""
    pattern = rule.event_pattern.get_pattern()
    if not rule.state.startswith("ENABLED") or not pattern or not matches(pattern, event):
        return
    _count(rule, "MatchedEvents", "TriggeredRules")
    for target in list(rule.targets):
        _hand_over(rule, target, event)


def _hand_over(rule: Any, target: dict[str, Any], event: Mapping[str, Any]) -> None:
    _count(rule, "Invocations")
    try:
        text = _text_for(target, event)
        _invoke(rule, target["Arn"], text)
    except RefusedError as error:
        _count(rule, "FailedInvocations")
        _keep(rule, target, event, error)


def _text_for(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """What the target gets (C.4, C.7): a constant, a part, what the transformer makes, or all of
    it.
    """
    try:
        if "InputTransformer" in target:
            transformer = {"InputPathsMap": {}, **target["InputTransformer"]}
            return transform(transformer, event)
        if "Input" in target:
            return str(target["Input"])
        chosen = value_at(event, target["InputPath"]) if target.get("InputPath") else event
        return json.dumps(chosen, ensure_ascii=False, separators=(",", ":"))
    except UndeliverableError as error:
        raise RefusedError("INVALID_JSON", error.message) from error
    except TypeError as error:
        raise RefusedError("INVALID_JSON", f"{target['InputPath']} is not in the event") from error


def _invoke(rule: Any, arn: str, text: str) -> None:
    send = TARGETS.get(service_of(arn))
    if send is None:
        raise RefusedError("INVALID_PARAMETER", f"the sandbox delivers nothing to {arn}")
    send(rule, arn, text)


def _publish(rule: Any, arn: str, text: str) -> None:
    topic = sns_backends[rule.account_id][rule.region_name].topics.get(arn)
    if topic is None:
        raise RefusedError("NO_RESOURCE", f"the topic {arn} does not exist")
    require_by_policy(topic.policy, calls.events_publish(arn, rule.arn))

    def use(key: str, action: str) -> Any:
        return calls.events_use_topic_key(key, arn, action)

    require_key(topic.kms_master_key_id, arn, rule.account_id, rule.region_name, use)
    if len(text.encode()) > _MAX_MESSAGE:
        raise RefusedError("INVALID_PARAMETER", "Invalid parameter: Message too long")
    topic.publish(text)


def _send(rule: Any, arn: str, text: str, attributes: Mapping[str, str] | None = None) -> None:
    queue = queue_of(arn)
    if queue is None:
        raise RefusedError("NO_RESOURCE", f"the queue {arn} does not exist")
    require_by_policy(queue.policy, calls.events_send(arn, rule.arn))

    def use(key: str, action: str) -> Any:
        return calls.events_use_queue_key(key, arn, rule.arn, action)

    require_key(queue.kms_master_key_id, arn, queue.account_id, queue.region, use)
    put_message(queue, text, attributes or {})


def _keep(
    rule: Any, target: Mapping[str, Any], event: Mapping[str, Any], why: RefusedError
) -> None:
    """Sends the original event to the target's dead-letter queue (D.8); it is lost when there is
    none.
    """
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": why.code,
        "ERROR_MESSAGE": str(why),
    }
    try:
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        _send(rule, queue, text, attributes)
    except RefusedError:
        _count(rule, "InvocationsFailedToBeSentToDlq")
    else:
        _count(rule, "InvocationsSentToDlq")


TARGETS |= {"sns": _publish, "sqs": _send}


def _count(rule: Any, *metrics: str) -> None:
    count(rule.account_id, rule.region_name, "AWS/Events", name_in(rule.arn), *metrics)
