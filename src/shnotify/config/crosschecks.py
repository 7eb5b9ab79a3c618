"""What no field shows alone: names used twice, contradictions, secrets, patterns and messages that
AWS would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shnotify.arns import Scope, partition_of
from shnotify.config.yamlfile import Path
from shnotify.schema.model import changed
from shnotify.schema.scalars import MAX_ROUTES, MAX_SUBSCRIBERS, shown, tag_problem
from shnotify.subscribers import subscriber_identity

if TYPE_CHECKING:
    from shnotify.config.models import Config, Route

_SECRET = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
MAX_PAIRS = 10_000
Found = tuple[Path, str]


def secrets(value: Any, path: Path = ()) -> Iterator[Found]:
    """Finds access keys in the data."""
    if isinstance(value, str) and _SECRET.search(value):
        yield (
            path,
            "looks like an AWS access key: the file has no place for secrets, take it out (and revoke it)",
        )
    elif isinstance(value, dict):
        for key, item in value.items():
            if _SECRET.search(key):
                yield (
                    (*path, key),
                    "looks like an AWS access key: the file has no place for secrets",
                )
            yield from secrets(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from secrets(item, (*path, number))


def secret_lines(text: str) -> Iterator[tuple[int, int]]:
    """Yields line and column of every access key in the file, comments included."""
    for number, line in enumerate(re.split("\r\n|[\n\r]", text), 1):
        yield from ((number, found.start() + 1) for found in _SECRET.finditer(line))


def tags(given: Any) -> Iterator[Found]:
    """Finds tags that AWS, or shnotify, would not take."""
    for key, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, str) and (problem := tag_problem(key, value)):
            yield ("tags", key), problem


def contradictions(data: dict[str, Any], written: dict[str, Any]) -> Iterator[Found]:
    """Finds contradictions in the routes, even when not everything can be understood."""
    routes = data.get("routes")
    if not isinstance(routes, list) or len(routes) > MAX_ROUTES:
        return
    known: set[tuple[str, str]] = set()
    for i, route in enumerate(routes):
        if not isinstance(route, dict):
            continue
        here: Path = ("routes", i)
        own = _name(route, "route")
        told = own is None or ("route", own) in known
        for part in ("route", "topic", "rule"):
            name = _name(route, part)
            if name is None or (
                told and part != "route" and _name(written["routes"][i], part) is None
            ):
                continue  # a default made from a name whose mistake is told already
            if (part, name) in known:
                path = (*here, "name") if part == "route" else (*here, part, "name")
                yield path, f"this {part} name is used twice: {shown(name)}"
            known.add((part, name))
        yield from (
            (here + path, message) for path, message in _subscribed_twice(route.get("subscribers"))
        )
        yield from (
            ((*here, "findings", *path), message)
            for path, message in _severities_twice(route.get("findings"))
        )
        if isinstance(route.get("pattern"), dict):
            for other in ("source", "findings"):
                if other in route:
                    yield (*here, other), "cannot stand beside `pattern`: keep one of them"


def _name(route: dict[str, Any], part: str) -> str | None:
    section = route if part == "route" else route.get(part)
    name = section.get("name") if isinstance(section, dict) else None
    return name if isinstance(name, str) else None


def _severities_twice(findings: Any) -> Iterator[Found]:
    """Finds severities per product that contradict `severity`, in whose place they stand."""
    if not isinstance(findings, dict):
        return
    severity, products = findings.get("severity"), findings.get("products")
    if isinstance(severity, list) and isinstance(products, dict):
        for product, levels in products.items():
            beyond = (
                [level for level in levels if level not in severity]
                if isinstance(levels, list)
                else []
            )
            if beyond:
                text = f"{shown(str(beyond[0]))} is not in `severity`, in whose place these stand: leave `severity` out"
                yield ("products", product), text


def _subscribed_twice(subscribers: Any) -> Iterator[Found]:
    if not isinstance(subscribers, list) or len(subscribers) > MAX_SUBSCRIBERS:
        return
    seen: set[tuple[str, str]] = set()
    for number, one in enumerate(subscribers):
        one = {"protocol": "email", "endpoint": one} if isinstance(one, str) else one
        if not isinstance(one, dict):
            continue
        protocol, endpoint = one.get("protocol"), one.get("endpoint")
        if not isinstance(protocol, str) or not isinstance(endpoint, str):
            continue
        identity = subscriber_identity(protocol, endpoint)
        if identity in seen:
            yield ("subscribers", number), f"{shown(endpoint)} is listed twice"
        seen.add(identity)


def whole(config: Config) -> Iterator[Found]:
    """Finds what AWS would refuse of a configuration whose every field is right."""
    ids: dict[str, Route] = {}
    for i, route in enumerate(config.settled().routes):
        first = ids.setdefault(route.id, route)
        if first is not route and first.name != route.name:
            yield (
                ("routes", i, "name"),
                f"{first.name!r} and {route.name!r} give the same id {route.id!r}: rename one",
            )
        yield from (
            (("routes", i, "findings", *path), message) for path, message in _impossible(route)
        )
        yield from ((("routes", i, *path), message) for path, message in _pattern(config, route))
        yield from (
            (("routes", i, "message", *path), text) for path, text in _message(config, route)
        )
    yield from _rules_named_twice(config.settled())
    yield from _regions(config)
    for one in in_regions(config):
        yield from _keys(one)
        yield from _elsewhere(one)
    yield from _watchdog(config)
    if any(route.message.format == "lambda" for route in config.routes):
        yield from _alike(config.tags)


def _regions(config: Config) -> Iterator[Found]:
    """Finds a list of Regions that says two things."""
    if config.regions is None:
        return
    if config.region:
        yield ("regions",), "cannot stand beside `region`: keep one of them"
    if config.rollout:
        yield ("regions",), "cannot stand beside `rollout`, which has Regions of its own"
    for i, region in enumerate(config.regions):
        if region in config.regions[:i]:
            yield ("regions", i), f"{region} is listed twice"


def in_regions(config: Config) -> tuple[Config, ...]:
    """Returns the configuration once for each of its Regions; itself when it names one or none."""
    return tuple(
        changed(config, region=region, regions=None) for region in config.regions or ()
    ) or (config,)


def _rules_named_twice(config: Config) -> Iterator[Found]:
    """Finds second rules whose name another rule of the file has."""
    from shnotify.config.rules import rule_name
    from shnotify.mail.summary import MessageError, parts

    firsts = {route.rule.name: i for i, route in enumerate(config.routes)}
    taken: dict[str, int] = {}
    for i, route in enumerate(config.routes):
        if route.pattern or firsts[route.rule.name] != i:
            continue  # a first name that is used twice is told already
        try:
            made = parts(route.message.format, route.source, fields=route.message.fields)
        except MessageError:
            continue  # told as the message's
        for name in (rule_name(route, part.name) for part in made if part.name):
            if (other := firsts.get(name, taken.get(name))) is not None:
                text = f"its second rule would be {shown(name)}, as that of {config.routes[other].name}: rename one"
                yield ("routes", i, "rule", "name"), text
            taken[name] = i


def _impossible(route: Route) -> Iterator[Found]:
    """Finds filter values that no finding ever holds."""
    from shnotify.findings.filtervalues import IMPOSSIBLE, IMPOSSIBLE_IN_ASFF, judged

    if route.pattern:
        return
    judges = (IMPOSSIBLE, IMPOSSIBLE_IN_ASFF) if route.source == "cspm" else (IMPOSSIBLE,)
    for part in ((), ("exclude",)):
        filters = route.findings.exclude if part else route.findings
        values = {name: getattr(filters, name) for one in judges for name in one}
        for field, number, value, message in judged(judges, values):
            yield (*part, field, number), f"{shown(value)} {message}"


def _alike(given: dict[str, str]) -> Iterator[Found]:
    """Finds tags that IAM takes for the same, because IAM ignores capitals (Tags for IAM
    resources).
    """
    from shnotify.tags import MANAGED_TAG

    seen = {MANAGED_TAG: MANAGED_TAG}
    for key in given:
        if (first := seen.setdefault(key.lower(), key)) != key:
            yield (
                ("tags", key),
                f"IAM takes {shown(key)} and {shown(first)} for one: the formatter's role has both",
            )


def _watchdog(config: Config) -> Iterator[Found]:
    """Finds what would be one thing with the watchdog's own topic, or cannot be told."""
    if not config.watchdog:
        return
    own = f"{config.name}-watchdog"
    for i, route in enumerate(config.routes):
        if route.id == "Watchdog":
            yield (
                ("routes", i, "name"),
                f"{shown(route.name)} is what the watchdog's own topic is called: rename it",
            )
        elif route.topic.name == own:
            yield (
                ("routes", i, "topic", "name"),
                f"{shown(own)} is the watchdog's own topic: rename it",
            )
    seen: set[tuple[str, str]] = set()
    for number, one in enumerate(config.watchdog.subscribers):
        if one.identity in seen:
            yield ("watchdog", "subscribers", number), f"{shown(one.endpoint)} is listed twice"
        seen.add(one.identity)


def _elsewhere(config: Config) -> Iterator[Found]:
    """Finds subscribers of another partition than the topic's."""
    ours = partition_of(config.region) if config.region else None
    for i, route in enumerate(config.routes):
        for j, subscriber in enumerate(route.subscribers):
            theirs = (
                subscriber.endpoint.split(":")[1]
                if subscriber.protocol in ("sqs", "lambda")
                else ours
            )
            if ours and theirs != ours:
                yield (
                    ("routes", i, "subscribers", j),
                    f"is in {theirs}, and the topic in {ours}: SNS cannot reach it",
                )


def _pattern(config: Config, route: Route) -> Iterator[Found]:
    """Finds what EventBridge could not express, or would not take."""
    from shnotify.findings.pattern import FIELDS, event_pattern
    from shnotify.findings.patternsyntax import MAX_SIZE, PatternError

    pairs = [
        (getattr(route.findings, name) or (), getattr(route.findings.exclude, name) or ())
        for name in FIELDS
    ]
    size = sum(len(value) + 3 for pair in pairs for values in pair for value in values)
    # Beyond all abbreviating, and before anything is compared with everything else.
    if size > MAX_SIZE * 5 // 4 or any(
        len(wanted) * len(unwanted) > MAX_PAIRS for wanted, unwanted in pairs
    ):
        yield (
            ("findings",),
            f"the lists are far too long: an event pattern has at most {MAX_SIZE:,} characters",
        )
        return
    partition = partition_of(config.region) if config.region else None
    marker = config.let_through(route)
    try:
        event_pattern(
            route.source, route.findings, partition, route.pattern, resolved_marker=marker
        )
    except PatternError as error:
        for path, message in error.problems:
            parts = (part for part in re.split(r"[.\[\]]+", path) if part)
            yield tuple(int(part) if part.isdigit() else part for part in parts), message


def _message(config: Config, route: Route) -> Iterator[Found]:
    from shnotify.mail.summary import problems

    if route.pattern and route.message.resolved:
        yield (
            ("resolved",),
            "cannot stand beside `pattern`: the rule must let resolved findings through as well",
        )
    if route.pattern and route.message.fields:
        yield (
            ("fields",),
            "cannot stand beside `pattern`: its events may be of any shape, so they are sent whole",
        )
    if route.message.fold and not config.dead_letter_queue:
        yield ("fold",), "needs the dead_letter_queue: a finding that cannot be mailed ends there"
    arn = Scope("aws-us-gov", "us-gov-west-1", "123456789012").topic(
        route.topic.name
    )  # as long as they get
    yield from problems(route.message, route.source, marker=config.marker(route), topic_arn=arn)


def _keys(config: Config) -> Iterator[Found]:
    if config.encryption is None:
        return
    keys = {"topic_key": config.encryption.topic_key, "dlq_key": config.encryption.dlq_key}
    aliases = [getattr(key, "alias", None) for key in keys.values()]
    if aliases[0] is not None and aliases[0] == aliases[1]:
        yield (
            ("encryption", "dlq_key", "alias"),
            f"both keys have the alias {aliases[0]!r}: each needs its own",
        )
    for part, key in keys.items():
        arn = getattr(key, "arn", None)
        if arn and config.region and arn.split(":")[3] != config.region:
            yield (
                ("encryption", part, "arn"),
                f"the key is in {arn.split(':')[3]}, the notifier in {config.region}",
            )
