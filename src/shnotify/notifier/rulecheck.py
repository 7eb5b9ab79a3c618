"""What a rule does with a finding: its pattern, where it sends, and what it makes of the text.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from shnotify.arns import Scope, name_in, service_of
from shnotify.engine.health import Link
from shnotify.engine.values import Pattern
from shnotify.findings.alternatives import alternatives
from shnotify.findings.matching import accepts, explain, matches
from shnotify.findings.overlap import event_of, examples
from shnotify.findings.possible import dead_parts, never_by_itself, never_matches, strange_envelope
from shnotify.findings.signoflife import parted
from shnotify.mail.fields import FIELDS
from shnotify.mail.transformer import UndeliverableError, check_limits, transform

Target = Mapping[str, Any]
"""One target of a rule, as ListTargetsByRule shows it."""

_MACHINE_MADE = frozenset(
    path for field in FIELDS.values() if not field.text for path in (field.cspm, field.hub)
) | {"$.id", "$.time", "$.account", "$.region", "$.source", "$.version", "$.detail-type"}
"""Paths whose values nobody outside AWS can write text into."""
_WHOLE = {"$", "$.detail", "$.detail.findings", "$.detail.findings[0]"}
"""Paths that every event has, with more than one value below them."""
_CONTAINERS = frozenset(
    {
        *("detail", "findings", "findings[0]", "resources"),
        *(
            "Action",
            "Compliance",
            "FindingProviderFields",
            "Network",
            "Note",
            "Process",
            "ProductFields",
        ),
        *(
            "RelatedFindings",
            "Remediation",
            "Recommendation",
            "Resources",
            "Resources[0]",
            "Severity",
            "Types",
        ),
        *(
            "Tags",
            "Details",
            "UserDefinedFields",
            "Workflow",
            "Vulnerabilities",
            "Malware",
            "Threats",
        ),
        *(
            "cloud",
            "compliance",
            "finding_info",
            "metadata",
            "product",
            "remediation",
            "resources[0]",
        ),
        *("evidences", "observables", "enrichments", "vulnerabilities", "vendor_attributes"),
    }
)
"""Last steps of paths at which no text stands but a list or an object (API_AwsSecurityFinding, OCSF)."""
_PLAIN: Any = "text"
_HOSTILE = 'a "quoted" word,\na line break and a \\ in it'
_DANGERS = ('a " in it', "a \\ in it", "a line\nbreak")
_STEP = re.compile(r"[A-Za-z0-9_-]+|\[\d+\]")


def pattern_link(
    resource: str,
    live: Mapping[str, Any] | None,
    wanted: Mapping[str, Any] | None = None,
    here: Scope | None = None,
) -> Link:
    """Judges whether a rule's pattern lets findings through.

    live    the rule's pattern; None when it has none, so that it runs on a schedule
    wanted  the file's pattern; None when no file says what is wanted
    here    the account and the Region of the rule, where they are known
    """
    if not live:
        why = f"{resource} has no event pattern: it runs on a schedule, and no finding starts it"
        return Link("pattern", "broken", why, mend="shnotify apply", resource=resource)
    live = parted(live)[0]  # the heartbeat is the watchdog's
    wanted = parted(wanted)[0] if wanted else None
    as_wanted = wanted is not None and Pattern(dict(live)) == Pattern(dict(wanted))
    if faults := never_matches(live):
        where, what = faults[0]
        why = f"{resource}: no finding ever matches its pattern: {where}: {what}"
        link = _pattern("broken", resource, why, live)
        return (
            replace(link, mend=f"correct it in the file, then {link.mend}") if as_wanted else link
        )
    if kinds := never_by_itself(live):
        why = f"{resource}: its pattern lets through {kinds}, and no finding that is new or has changed"
        return _pattern("warning" if as_wanted else "broken", resource, why, live)
    if as_wanted:
        wanted = None  # nothing is compared
    if wanted and (lost := _no_longer(live, wanted)):
        why = f"{resource}: its pattern is not the file's: it keeps away a finding with {lost}"
        return _pattern("broken", resource, why, live)
    if here and not as_wanted and (odd := strange_envelope(live, here.account, here.region)):
        why = (
            f"{resource}: its pattern wants {odd}: whether such an event comes here cannot be told"
        )
        return Link("pattern", "unknown", why, evidence={"pattern": live}, resource=resource)
    if dead := dead_parts(live):
        where, what = dead[0]
        why = f"{resource}: a part of its pattern matches nothing: {where}: {what}"
        return _pattern("warning", resource, why, live)
    if wanted and any(
        _lets_through(live, one) and not _lets_through(wanted, one) for one in examples(live)
    ):
        why = f"{resource}: its pattern lets through more than the file's"
        return _pattern("warning", resource, why, live)
    return Link("pattern", "ok", resource=resource)


def _pattern(verdict: Any, resource: str, why: str, live: Mapping[str, Any]) -> Link:
    mend = None if verdict == "warning" else "shnotify apply"
    return Link("pattern", verdict, why, mend=mend, evidence={"pattern": live}, resource=resource)


def _no_longer(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """Describes an event that the file's pattern lets through and the live one does not."""
    for one in examples(wanted):
        if not _lets_through(live, one) and _lets_through(wanted, one):
            kept_away = {reason.path for reason in explain(live, event_of(one))}
            named = {
                name.removeprefix("detail.findings."): value
                for name, value in one.items()
                if name.startswith("detail.") and name in kept_away and value is not None
            }
            return ", ".join(f"{name} {value}" for name, value in named.items()) or "any content"
    return None


def _lets_through(pattern: Mapping[str, Any], example: Mapping[str, Any]) -> bool:
    return matches(pattern, event_of(example))


# -- the target ------------------------------------------------------------------------------------


def target_links(
    resource: str,
    rule_arn: str,
    target: Target,
    pattern: Mapping[str, Any] | None,
    wanted: str | None,
) -> Iterator[Link]:
    """Judges all that a rule's target says of itself.

    pattern  the rule's pattern, which may keep dangerous text away from the target
    wanted   the ARN of the file's dead-letter queue, "" for none; None when there is no file
    """
    yield from topic_links(resource, rule_arn, target)
    yield from role_links(resource, target)
    yield transformer_link(resource, target, pattern)
    yield queue_link(resource, rule_arn, target, wanted=wanted)


def role_links(resource: str, target: Target) -> tuple[Link, ...]:
    """Judges a target that delivers by a role.

    AWS's pages disagree: no role for SNS and SQS, delivery may fail with KMS, or either way
    (eb-use-resource-based, three editions).
    """
    role = target.get("RoleArn")
    if not role:
        return ()
    why = (
        f"{resource} delivers through the role {name_in(str(role))}: "
        "whether that works with an encrypted topic AWS's own pages disagree about"
    )
    mend = "shnotify apply"
    return (Link("target", "unknown", why, mend=mend, evidence={"role": role}, resource=resource),)


def queue_link(resource: str, rule_arn: str, target: Target, *, wanted: str | None) -> Link:
    """Judges whether what cannot be delivered is kept (eb-rule-dlq).

    wanted  the ARN of the file's dead-letter queue, "" for none; None when there is no file
    """
    queue = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    if not queue and wanted:
        why = f"{resource} has no dead-letter queue any more: what it cannot deliver is lost"
        return Link("queue", "broken", why, mend="shnotify apply", resource=resource)
    if not queue:
        why = f"{resource} has no dead-letter queue: what it cannot deliver is lost"
        return Link("queue", "warning", why, evidence={"configured": False}, resource=resource)
    evidence = {"queue": queue}
    if queue.endswith(".fifo"):
        why = (
            f"{name_in(queue)} is a FIFO queue: EventBridge keeps failures in standard queues only"
        )
        return Link("queue", "broken", why, evidence=evidence, resource=resource)
    here, there = Scope.of(rule_arn), Scope.of(queue)
    if here.region != there.region:
        why = f"{name_in(queue)} is in {there.region}: a rule keeps failures in its own Region only"
        return Link("queue", "broken", why, evidence=evidence, resource=resource)
    if wanted and queue != wanted:
        why = f"what {resource} cannot deliver goes to {queue}, which is not the file's and was not looked at"
        return Link("queue", "unknown", why, "shnotify apply", evidence, resource=resource)
    return Link("queue", "ok", evidence=evidence, resource=resource)


def topic_links(resource: str, rule_arn: str, target: Target) -> tuple[Link, ...]:
    """Judges a target that can be no topic of mails, whatever its policies say."""
    arn = str(target.get("Arn", ""))
    if service_of(arn) != "sns":
        return ()
    evidence = {"target": arn}
    if arn.endswith(".fifo"):
        why = f"{name_in(arn)} is a FIFO topic, and no e-mail address can subscribe to one"
        return (Link("target", "broken", why, evidence=evidence, resource=resource),)
    here, there = Scope.of(rule_arn), Scope.of(arn)
    if here.region != there.region:
        why = f"{name_in(arn)} is in {there.region}: a rule feeds topics of its own Region only"
        return (Link("target", "broken", why, evidence=evidence, resource=resource),)
    return ()


# -- the text --------------------------------------------------------------------------------------


def transformer_link(
    resource: str, target: Target, pattern: Mapping[str, Any] | None = None
) -> Link:
    """Judges what the target's text makes of findings (eb-transform-target-input).

    pattern  the rule's pattern, which may keep dangerous text away from the target
    """
    if target.get("Input") is not None:
        why = f"{resource} sends the same fixed text for every finding"
        return Link("transformer", "warning", why, resource=resource)
    given = target.get("InputTransformer")
    path = target.get("InputPath")
    if not given and path and path not in _MACHINE_MADE | _WHOLE:
        why = f"{resource} sends what stands at {path}: what EventBridge sends where nothing does is not documented"
        return Link("transformer", "unknown", why, evidence={"path": path}, resource=resource)
    if not given:
        return Link("transformer", "ok", evidence={"transformer": False}, resource=resource)
    paths = dict(given.get("InputPathsMap") or {})
    transformer = {"InputPathsMap": paths, "InputTemplate": given.get("InputTemplate", "")}
    evidence = {"template": transformer["InputTemplate"]}
    mend = "shnotify apply"
    if problems := check_limits(transformer):
        why = f"{resource}: its input transformer cannot work: {'; '.join(problems)}"
        return Link("transformer", "broken", why, mend, evidence, resource=resource)
    if _fails(transformer, frozenset()):
        why = f"{resource}: its input transformer makes no JSON, so no mail is delivered"
        return Link("transformer", "broken", why, mend, evidence, resource=resource)
    if risky := [path for path in _risky(transformer) if not _guarded(path, pattern or {})]:
        why = (
            f"{resource}: a quote, a backslash or a line break in {', '.join(risky)} "
            "makes EventBridge drop the mail, for it puts values in without escaping them"
        )
        mend = "set message.format: lambda, or leave these fields out"
        return Link("transformer", "warning", why, mend, {**evidence, "paths": risky}, (), resource)
    return Link("transformer", "ok", resource=resource)


def _risky(transformer: Mapping[str, Any]) -> list[str]:
    """Lists the paths whose text can break the message."""
    paths = transformer["InputPathsMap"].values()
    free = sorted({path for path in paths if path not in _MACHINE_MADE and not _is_container(path)})
    return [path for path in free if _fails(transformer, frozenset({path}))]


def _is_container(path: str) -> bool:
    return path.rpartition(".")[2] in _CONTAINERS


def _guarded(path: str, pattern: Mapping[str, Any]) -> bool:
    """Tells whether the pattern lets no dangerous text through in the field of a path."""
    field = re.sub(r"\[\d+\]", "", path.removeprefix("$."))
    ways = alternatives(pattern)
    return bool(ways) and all(
        any(
            condition.field == field
            and not any(accepts(entry, [text]) for entry in condition.entries for text in _DANGERS)
            for condition in way
        )
        for way in ways
    )


def _fails(transformer: Mapping[str, Any], hostile: frozenset[str]) -> bool:
    """Tells whether an event is not delivered in which these paths hold hostile text."""
    event: dict[str, Any] = {}
    for path in sorted(transformer["InputPathsMap"].values(), key=len, reverse=True):
        value = {"name": _PLAIN} if _is_container(path) else _PLAIN
        _plant(event, _STEP.findall(path[1:]), _HOSTILE if path in hostile else value)
    try:
        transform(transformer, event)
    except UndeliverableError:
        return True
    return False


def _plant(node: Any, steps: list[str], value: Any) -> None:
    """Puts a value into an event at a path, where no longer path has put one."""
    for step, following in zip(steps, [*steps[1:], None], strict=False):
        key: Any = int(step[1:-1]) if step.startswith("[") else step
        if isinstance(node, list):
            node.extend(None for _ in range(len(node), key + 1))
        empty = node[key] is None if isinstance(node, list) else key not in node
        if empty:
            node[key] = value if following is None else [] if following.startswith("[") else {}
        node = node[key]
        if not isinstance(node, dict | list):
            return
