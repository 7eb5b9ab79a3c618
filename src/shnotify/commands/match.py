"""`shnotify match`: which route each finding goes to, and what stops the others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from shnotify.escaping import escaped_line
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws
    from shnotify.commands._input import Given, Routed
    from shnotify.config.load import Loaded
    from shnotify.terminal.screen import Screen


@click.command("match")
@click.argument("files", nargs=-1, metavar="[FILE|-]...")
@click.option("--route", help="Ask this route only.")
@click.option(
    "--aws", "ask_aws", is_flag=True, help="Ask EventBridge's own TestEventPattern as well."
)
@click.option("--exit-code", is_flag=True, help="Exit 3 if anything goes nowhere.")
@aws_options
def command(
    files: tuple[str, ...], route: str | None, ask_aws: bool, exit_code: bool, **options: Any
) -> int:
    """Shows which route each event or finding would go to.

    For those that go nowhere, which field stopped it.

    FILE holds EventBridge events, findings, GetFindings output, or any number of them as JSON
    lines; - is standard input. Works offline, but for --aws.
    """
    from shnotify.commands._input import events_in
    from shnotify.config.several import files_of, load_all
    from shnotify.notifier.fleet import together
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    loaded = load_all(files_of(chosen.configs))
    members = tuple({one.document.file: one for one in loaded}.values())  # Regions match alike
    screen = Screen(json_output=chosen.json, verbose=chosen.verbose, no_color=chosen.no_color)
    events = list(events_in(files))
    judged = []
    for member in members:
        aws = _gateway(chosen, member.config.region) if ask_aws else None
        if len(members) > 1:
            screen.result(escaped_line(f"{member.config.name} ({member.document.file}):"))
        judged.append(_judge(screen, member, route, events, aws))
    if len(members) == 1:
        screen.document({"findings": judged[0].found, "error": None})
    else:
        named = zip(members, judged, strict=True)
        screen.document(
            together(
                {"name": one.config.name, "findings": each.found, "error": None}
                for one, each in named
            )
        )
    if any(one.disagreed for one in judged):
        return screen.code(1)
    return screen.code(3 if exit_code and any(one.nowhere for one in judged) else 0)


class _Judged(NamedTuple):
    """Where the findings go in one notifier.

    disagreed  whether EventBridge itself says something else
    nowhere    whether a finding goes to no route
    """

    found: list[dict[str, Any]]
    disagreed: bool
    nowhere: bool


def _judge(
    screen: Screen, member: Loaded, route: str | None, events: list[Given], aws: Aws | None
) -> _Judged:
    """Shows where each event goes in one notifier."""
    from shnotify.commands._input import ids_of, routes_of
    from shnotify.findings.matching import only_across_entries

    config, routes = routes_of(member, route)
    found: list[dict[str, Any]] = []
    disagreed = False
    for given in events:
        event = given.event
        if given.filled:
            screen.warn(
                f"{given.place}: Security Hub fills in {', '.join(given.filled)} when it imports the finding"
            )
        goes, stopped = _matched(routes, event)
        taken = _rules(routes, goes, event)
        lost = _undelivered(routes, goes, event, kept=bool(config.dead_letter_queue))
        says = _by_aws(aws, routes, event) if aws else None
        for routed in routes if says is None else ():
            if only_across_entries(routed.pattern, event):
                screen.warn(
                    f"{given.place}: route {routed.route.name}: its fields match in different entries of one array; "
                    "AWS does not document whether EventBridge takes that for a match: --aws asks it"
                )
        for identity in ids_of(event):
            where = {"input": given.to_json(), "filled_in": list(given.filled)}
            one = {
                "id": identity,
                "route": goes,
                "rules": taken,
                "undelivered": lost,
                "stopped_by": stopped,
                **where,
            }
            found.append(one if says is None else {**one, "aws": says})
            _show(screen, given.place, one)
        if says is not None and says != [
            r.route.name for r in routes if r.route.name in _by_pattern(routes, event)
        ]:
            disagreed = True
            screen.warn(
                f"EventBridge itself says {', '.join(says) or 'none'}: please report this event's shape"
            )
    nowhere = sum(not one["route"] for one in found)
    screen.result(f"{len(found) - nowhere} of {len(found)} go somewhere, {nowhere} nowhere.")
    return _Judged(found, disagreed, nowhere > 0)


def _by_pattern(routes: list[Routed], event: Mapping[str, Any]) -> set[str]:
    from shnotify.findings.matching import matches

    return {routed.route.name for routed in routes if matches(routed.pattern, event)}


def _matched(
    routes: list[Routed], event: Mapping[str, Any]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Returns the routes that the event goes to, and what stops the event on the way to the others."""
    from shnotify.findings.matching import Mismatch, explain

    goes: list[str] = []
    stopped: list[dict[str, Any]] = []
    for routed in routes:
        reasons = explain(routed.pattern, event)
        if not reasons and not routed.route.rule.enabled:
            reasons = [Mismatch("rule.enabled", [True], False)]
        if not reasons:
            goes.append(routed.route.name)
        stopped += [{"route": routed.route.name, **reason.to_json()} for reason in reasons]
    return goes, stopped


def _rules(routes: list[Routed], goes: list[str], event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lists which rule of each route takes the event: two of them for one with odd and clean resources."""
    return [
        {"route": routed.route.name, "rule": rule.name, "mail": rule.part.kind}
        for routed in routes
        if routed.route.name in goes
        for rule in routed.takers(event)
    ]


def _undelivered(
    routes: list[Routed], goes: list[str], event: Mapping[str, Any], *, kept: bool
) -> list[dict[str, Any]]:
    """Lists the routes that take the event, and no rule of which can make a mail of it."""
    from shnotify.mail.preview import undeliverable

    end = "its mail ends in the dead-letter queue" if kept else "its mail is lost"
    found = []
    for routed in routes:
        whys = [undeliverable(rule.part, event) for rule in routed.takers(event)]
        if routed.route.name in goes and whys and all(whys):
            found.append({"route": routed.route.name, "why": f"{end}: {whys[0]}"})
    return found


def _show(screen: Screen, place: str, one: dict[str, Any]) -> None:
    from shnotify.escaping import escaped_line

    rules = ", ".join(f"{rule['route']} (rule {rule['rule']})" for rule in one["rules"])
    screen.result(f"{place}: {escaped_line(one['id'])}: {rules or 'nowhere'}")
    for lost in one["undelivered"]:
        screen.result(escaped_line(f"    {lost['route']}: {lost['why']}"))
    for reason in () if one["route"] else one["stopped_by"]:
        actual = "is not there" if reason["actual"] is None else f"is {_brief(reason['actual'])}"
        wanted = " or ".join(_brief(entry) for entry in reason["expected"])
        screen.result(
            escaped_line(f"    {reason['route']}: {reason['path']} {actual}; it must be {wanted}")
        )


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _gateway(chosen: Any, region: str | None) -> Aws:
    from shnotify.aws.gateway import Aws
    from shnotify.resources.kinds import READS

    return Aws(
        allowed=READS,
        region=region or chosen.region,
        profile=chosen.profile,
        timeout=chosen.timeout or 60,
    )


def _by_aws(aws: Aws, routes: list[Routed], event: dict[str, Any]) -> list[str]:
    """Lists the routes one of whose rules EventBridge says takes the event."""
    from shnotify.findings.patternsyntax import compact
    from shnotify.notifier.preconditions import pattern_matches

    asked = [
        (routed.route.name, aws.start(pattern_matches, aws, compact(rule.pattern), event))
        for routed in routes
        for rule in routed.rules
    ]
    return list(dict.fromkeys([name for name, future in asked if aws.in_time(future)]))
