"""A route's filter -> the EventBridge event pattern that says it. Pure; no AWS needed.

Fields are ANDed and a field's values ORed, which is what a pattern means by itself (EventBridge
User Guide, eb-create-pattern). `findings` is an array in the event, but holds one finding, and a
pattern looks through arrays without an index (eb-event-patterns-arrays).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shnotify.findings.patternsyntax import (
    PatternError,
    check_size,
    validate_pattern,
)
from shnotify.findings.vocabulary import ARRAYS, CSPM, SCHEMAS, Matcher, Schema, TranslationError

if TYPE_CHECKING:
    from shnotify.findings.filters import Findings

FIELDS: tuple[str, ...] = tuple(CSPM.paths)
"""The neutral fields, in the order of the contract."""

OTHER_PRODUCTS = "any"
"""The key in `products: {...}` that gives the threshold of all products that are not named."""

Values = Sequence[str] | None
Thresholds = Mapping[str, Values]


def event_pattern(
    source: str,
    findings: Findings,
    partition: str | None,
    raw: dict[str, Any] | None = None,
    *,
    resolved_marker: str | None = None,
) -> dict[str, Any]:
    """Builds the event pattern of one route.

    source: "cspm", "hub" or "both" ("auto" is resolved before). findings: the route's. partition:
    "aws", "aws-cn" ...; None when it is not known (offline), then product ARNs are not checked
    against it. raw: a pattern of the user's own, which replaces all the rest. resolved_marker: the
    formatter's mark (`Settings.marker`), to let the resolution of findings that carry it through as
    well, whatever the filter says.

    Raises PatternError with everything that cannot be said; a result is at most `MAX_SIZE`
    characters long.
    """
    if raw is not None:
        check_size(validate_pattern(raw), "pattern")
        return copy.deepcopy(raw)
    compilers = [_Compiler(schema, findings, partition) for schema in SCHEMAS[source]]
    branches = [compiler.branch() for compiler in compilers]
    problems = list(
        dict.fromkeys(problem for compiler in compilers for problem in compiler.problems)
    )
    if problems:
        raise PatternError.of(problems)
    if resolved_marker:
        branches += [_resolved(schema, resolved_marker) for schema in SCHEMAS[source]]
    # One rule for all: an event has one detail-type, and a rule fires once however many branches
    # match.
    rest: dict[str, Any] = branches[0] if len(branches) == 1 else {"$or": branches}
    pattern = {"source": ["aws.securityhub"], **rest}
    check_size(pattern)
    validate_pattern(pattern, "findings")
    return pattern


@dataclass
class _Compiler:
    """Turns the fields into one schema's pattern, and collects what that schema cannot say."""

    schema: Schema
    findings: Findings
    partition: str | None
    problems: list[tuple[str, str]] = field(default_factory=list)

    def branch(self) -> dict[str, Any]:
        """Builds `detail-type`, and `detail` when there is any filter at all."""
        finding: dict[str, Any] = {}
        thresholds = self.findings.products if isinstance(self.findings.products, Mapping) else None
        for name in FIELDS:
            if thresholds is not None and name in ("severity", "products"):
                continue
            values = self._values(name, getattr(self.findings, name))
            if values is not None:
                _put(finding, self.schema.paths[name], values)
        if thresholds is not None:
            self._put_thresholds(finding, thresholds)
        detail = {"detail": {"findings": finding}} if finding else {}
        return {"detail-type": [self.schema.detail_type], **detail}

    def _values(self, name: str, wanted: Values) -> list[Any] | None:
        """Builds the pattern's list for one field; None means no filter.

        Problems are noted, and then None is returned.
        """
        unwanted = self._excluded(name)
        if unwanted and name in ARRAYS:
            # anything-but on an array matches as soon as one element differs, so it would exclude
            # nearly nothing.
            text = "EventBridge cannot exclude by a field that can hold several values; exclude by another field"
            self.problems.append((f"findings.exclude.{name}", text))
            return None
        if wanted is not None and not wanted:
            self.problems.append(
                (f"findings.{name}", "an empty list would match nothing; `any` is no filter")
            )
            return None
        if name == "record_state":
            return self._record_state(wanted, unwanted)
        exclude = self._matchers(f"findings.exclude.{name}", name, unwanted)
        if wanted is None:
            return _all_but(exclude) if exclude else None
        include = self._matchers(f"findings.{name}", name, wanted)
        left = self._difference(name, include, exclude)
        return left or None

    def _excluded(self, name: str) -> list[str]:
        exclude = self.findings.exclude
        return list((getattr(exclude, name) if exclude is not None else None) or ())

    def _record_state(self, wanted: Values, unwanted: Sequence[str]) -> list[Any] | None:
        """Builds the list for the record state; OCSF knows active only as "not closed"
        (ocsf-findings).
        """
        states = [state for state in (wanted or ("ACTIVE", "ARCHIVED")) if state not in unwanted]
        for path, values in (
            ("findings.record_state", wanted or ()),
            ("findings.exclude.record_state", unwanted),
        ):
            self.problems += [
                (path, f"'{v}' is neither ACTIVE nor ARCHIVED") for v in values if v not in _STATES
            ]
        if not states:
            self._nothing_left("record_state")
        if not states or (wanted is None and not unwanted):
            return None
        closed = "ARCHIVED" if self.schema is CSPM else "Close"
        if wanted is None and states == ["ACTIVE"]:
            return _all_but([closed])
        if self.schema is CSPM:
            return states
        if set(states) == _STATES:
            return None
        return [closed] if states == ["ARCHIVED"] else [{"anything-but": [closed]}]

    def _matchers(self, path: str, name: str, values: Sequence[str]) -> list[Matcher]:
        """Lists this schema's words for the values, each once, in order."""
        found: list[Matcher] = []
        for number, value in enumerate(values):
            place = path if path.endswith(f".{value}") else f"{path}[{number}]"
            try:
                found += self.schema.matchers(name, value)
            except TranslationError as error:
                self.problems.append((place, str(error)))
                continue
            if name == "products":
                self._check_partition(place, value)
        return [matcher for number, matcher in enumerate(found) if matcher not in found[:number]]

    def _check_partition(self, path: str, value: str) -> None:
        parts = value.split(":", 2)
        if self.partition and parts[0] == "arn" and parts[1] != self.partition:
            text = f"'{value}' is of partition {parts[1]}, this account of {self.partition}: it would never match"
            self.problems.append((path, text))

    def _difference(
        self, name: str, include: list[Matcher], exclude: list[Matcher]
    ) -> list[Matcher]:
        """Removes the excluded values from the wanted ones, for a pattern cannot AND two conditions
        on one field.
        """
        for one in include:
            narrower = [
                other
                for other in exclude
                if isinstance(other, str) and other != one and _covers(one, other)
            ]
            if narrower:
                text = f"EventBridge cannot exclude '{narrower[0]}' from a wanted short name; list the wanted ARNs"
                self.problems.append((f"findings.exclude.{name}", text))
        left = [one for one in include if not any(_covers(other, one) for other in exclude)]
        if include and not left:
            self._nothing_left(name)
        return left

    def _nothing_left(self, name: str) -> None:
        text = "every wanted value is excluded again, so that nothing would ever be sent"
        self.problems.append((f"findings.exclude.{name}", text))

    def _put_thresholds(self, finding: dict[str, Any], thresholds: Thresholds) -> None:
        """`products: {guardduty: [HIGH, CRITICAL], inspector: [CRITICAL]}`.

        They stand in for `findings.severity`.
        """
        groups: dict[str, tuple[list[Any] | None, list[Matcher]]] = {}
        named = [name for name in thresholds if name != OTHER_PRODUCTS]
        matchers = {
            name: self._matchers(f"findings.products.{name}", "products", [name]) for name in named
        }
        excluded = self._matchers(
            "findings.exclude.products", "products", self._excluded("products")
        )
        for name, severities in thresholds.items():
            values = self._values("severity", None if severities in (None, "any") else severities)
            products = self._difference("products", matchers.get(name, []), excluded)
            if name == OTHER_PRODUCTS or products:
                groups.setdefault("*" if name == OTHER_PRODUCTS else repr(values), (values, []))[
                    1
                ].extend(products)
        others = [m for found in matchers.values() for m in found] + excluded
        branches: list[dict[str, Any]] = []
        for key, (severities, products) in groups.items():
            branch: dict[str, Any] = {}
            wanted = (_all_but(others) if others else None) if key == "*" else products
            if wanted:
                _put(branch, self.schema.paths["products"], wanted)
            if severities:
                _put(branch, self.schema.paths["severity"], severities)
            branches.append(branch)
        if len(branches) > 1:
            finding["$or"] = branches
        elif branches:
            finding.update(branches[0])
        elif not self.problems:
            self.problems.append(("findings.products", "names no product"))


def _resolved(schema: Schema, marker: str) -> dict[str, Any]:
    """Builds the branch for marked findings that are resolved.

    No other filter: a control that passes again loses its severity with it.
    """
    from shnotify.formatter.mail import MAILED, comment_for

    if schema is CSPM:
        ended = [{"Workflow": {"Status": ["RESOLVED"]}}, {"RecordState": ["ARCHIVED"]}]
        finding = {"UserDefinedFields": {marker: [MAILED]}, "$or": ended}
    else:
        finding = {
            "comment": [comment_for(marker, MAILED)],
            "$or": [{"status": ["Resolved"]}, {"activity_name": ["Close"]}],
        }
    return {"detail-type": [schema.detail_type], "detail": {"findings": finding}}


_STATES = {"ACTIVE", "ARCHIVED"}


def _put(node: dict[str, Any], path: tuple[str, ...], values: list[Any]) -> None:
    *parents, leaf = path
    for parent in parents:
        node = node.setdefault(parent, {})
    node[leaf] = values


def _covers(one: Matcher, other: Matcher) -> bool:
    """Tells whether everything that `other` matches is matched by `one` too."""
    if isinstance(one, str):
        return one == other
    return (other if isinstance(other, str) else other["suffix"]).endswith(one["suffix"])


def _all_but(matchers: list[Matcher]) -> list[Any]:
    """Builds a list for everything else, findings without the field included."""
    exact = [matcher for matcher in matchers if isinstance(matcher, str)]
    suffixes = [matcher["suffix"] for matcher in matchers if isinstance(matcher, dict)]
    if not suffixes:
        return [{"anything-but": exact}, {"exists": False}]
    # Two conditions on one field would be ORed; a full ARN is its own suffix, so one list can hold
    # both.
    every = suffixes + exact
    return [{"anything-but": {"suffix": every[0] if len(every) == 1 else every}}, {"exists": False}]
