"""The rules of a route: what each lets through, what each mails, and why a route has fewer than its
mail asks for. Pure.

A summary that names free text needs two rules (`findings.guards`), and each service its own.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from shnotify.arns import shortened
from shnotify.findings.complexity import MOST, complexity
from shnotify.findings.guards import clean, odd, standing
from shnotify.findings.pattern import event_pattern
from shnotify.findings.patternsyntax import (
    MAX_OR_COMBINATIONS,
    WARN_SIZE,
    compact,
    or_combinations,
)
from shnotify.mail.fields import FIELDS
from shnotify.mail.summary import Part, parts

if TYPE_CHECKING:
    from shnotify.config.models import Config, Route

T = TypeVar("T")
MOST_GUARDED = 20
"""Rules with wildcards in one file. A bus has at most 30, which all that use it share and no quota
raises (eb-quota).
"""
MOST_OF_A_BUS = 30
MOST_RULES, FEWER_RULES = 300, 100
"""Rules that a bus has at most, everybody's together, and in `FEWER_REGIONS` (eb-quota)."""
FEWER_REGIONS = frozenset({"af-south-1", "eu-south-1"})
PART_NAMES = {"": "", "Plain": "-plain", "Hub": "-hub", "HubPlain": "-hub-plain"}
"""A part of a route's mails -> what its rule's name in AWS ends with."""


class RoutedRule(NamedTuple):
    """One rule of a route.

    whole  the pattern of the filter alone, for events of the part's source
    """

    part: Part
    name: str
    pattern: dict[str, Any]
    whole: dict[str, Any]


def rule_name(route: Route, part: str) -> str:
    """Returns the name of the rule of one part; at most 64 characters (API_PutRule)."""
    return shortened(f"{route.rule.name}{PART_NAMES[part]}")


def rules_by_route(
    config: Config, partition: str | None = None, plain: Collection[str] = ()
) -> dict[str, tuple[RoutedRule, ...]]:
    """Maps each route's name to the route's rules; the first is the one that every route has.

    config: with every `source: auto` replaced. partition: None when it is not known (offline).
    plain: routes that get no second rule, besides those that cannot have one. Raises PatternError
    and MessageError.
    """
    return dict(
        _once(
            config, (partition, frozenset(plain)), lambda: _rules_by_route(config, partition, plain)
        )
    )


def _rules_by_route(
    config: Config, partition: str | None, plain: Collection[str]
) -> dict[str, tuple[RoutedRule, ...]]:
    without = {*plain, *plain_routes(config)}
    return {
        route.name: _rules(config, route, partition, guarded=route.name not in without)
        for route in config.routes
    }


_made: dict[int, dict[object, Any]] = {}
"""A configuration, by its identity -> what was worked out of it: it never changes, and with many
routes it is asked about once for each of them."""


def _once(config: Config, key: object, make: Callable[[], T]) -> T:
    """Returns what was made for the configuration before, or makes it."""
    if id(config) not in _made:
        _made[id(config)] = {}
        weakref.finalize(config, _made.pop, id(config), None).atexit = False
    known = _made[id(config)]
    if key not in known:
        known[key] = make()
    return cast("T", known[key])


def _rules(
    config: Config, route: Route, partition: str | None, *, guarded: bool
) -> tuple[RoutedRule, ...]:
    if route.pattern or route.message.format != "summary":
        whole = _pattern(config, route, route.source, partition)
        part = Part("", route.source, "whole")
        return (RoutedRule(part, route.rule.name, whole, whole),)
    made = parts(
        "summary",
        route.source,
        partition=partition or "aws",
        fields=route.message.fields,
        guarded=guarded,
        left_out=left_out(config, route),
        language=route.message.language,
    )
    found: list[RoutedRule] = []
    for part in made:
        base = _pattern(config, route, part.source, partition)
        needed = [guard for guard in part.guards if standing(base, guard) != "safe"]
        narrow = {"clean": clean, "odd": odd}.get(part.kind)
        pattern = narrow(base, needed) if narrow else base
        found.append(RoutedRule(part, rule_name(route, part.name), pattern, base))
    return tuple(found)


def _pattern(config: Config, route: Route, source: str, partition: str | None) -> dict[str, Any]:
    marker = config.let_through(route)
    return event_pattern(source, route.findings, partition, route.pattern, resolved_marker=marker)


def left_out(config: Config, route: Route) -> frozenset[str]:
    """Names the fields that the mail would name and cannot, for the filter stands on them too."""
    if route.pattern or route.message.format != "summary":
        return frozenset()
    found = set()
    for part in parts("summary", route.source, fields=route.message.fields):
        base = _pattern(config, route, part.source, None)
        taken = {guard.path for guard in part.guards if standing(base, guard) == "taken"}
        found |= {
            name
            for name, field in FIELDS.items()
            if field.text and field.path(part.source) and field.guard(part.source).path in taken
        }
    return frozenset(found)


def plain_routes(config: Config) -> dict[str, str]:
    """Maps each route that has to do with one rule a service, though its mail asks for two, to why."""
    return dict(_once(config, "plain", lambda: dict(_plain_routes(config))))


def count_of_rules(config: Config) -> int:
    """Counts the rules that the file makes on the default bus of each of its Regions."""
    return sum(map(len, rules_by_route(config.settled()).values()))


def count_of_guarded(config: Config) -> int:
    """Counts those of the rules that have wildcards."""
    rules = rules_by_route(config.settled()).values()
    return sum(bool(rule.part.guards) for several in rules for rule in several)


def too_many_guarded(count: int) -> str | None:
    """Says that a bus takes no more rules with wildcards, and what follows; or returns None."""
    if count <= MOST_OF_A_BUS:
        return None
    return (
        f"{count} rules with wildcards, of which a bus takes {MOST_OF_A_BUS}: the mails of the "
        "routes beyond that go without title and resource"
    )


def too_many_rules(count: int, region: str | None) -> str | None:
    """Says that a bus has little or no room for so many rules, and what to do; or returns None."""
    most = FEWER_RULES if region in FEWER_REGIONS else MOST_RULES
    if count <= most * 9 // 10:
        return None
    room = "more than" if count > most else "nearly all of"
    return (
        f"{count} rules: {room} the {most} that a bus takes, everybody's together: ask AWS for more "
        "(Service Quotas, EventBridge: rules per event bus), give one route several accounts, or "
        "write `message: {format: json}`, which needs one rule a route"
    )


def _plain_routes(config: Config) -> Iterator[tuple[str, str]]:
    left = MOST_GUARDED
    for route in config.routes:
        rules = _rules(config, route, None, guarded=True)
        guarded = [rule for rule in rules if rule.part.guards]
        if not guarded:
            continue
        if problem := next(filter(None, (_misfit(rule.pattern) for rule in guarded)), None):
            yield route.name, problem
        elif len(guarded) > left:
            yield (
                route.name,
                f"the routes before it have the {MOST_GUARDED} rules with wildcards that one file may have (a bus "
                "takes 30 of everybody's)",
            )
        else:
            left -= len(guarded)


def _misfit(pattern: dict[str, Any]) -> str | None:
    """Says why EventBridge may not take a guarded pattern, or returns None."""
    size = len(compact(pattern))
    if size > WARN_SIZE:
        return (
            f"the pattern that looks at its text would have {size:,} characters, of {WARN_SIZE:,}"
        )
    measured = complexity(pattern)
    if measured is None or measured > MOST or or_combinations(pattern) > MAX_OR_COMBINATIONS:
        return "the pattern that looks at its text would be too complex for EventBridge"
    return None
