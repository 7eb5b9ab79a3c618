"""`shnotify render`: the exact mail for an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.errors import ShnotifyError
from shnotify.terminal.options import config_option, output_options, settings

if TYPE_CHECKING:
    from shnotify.commands._input import Given, Routed
    from shnotify.config.models import Config
    from shnotify.config.rules import RoutedRule
    from shnotify.mail.summary import Part
    from shnotify.terminal.screen import Screen

    Rules = dict[str, dict[str, tuple[RoutedRule, ...]]]


@click.command("render")
@click.argument("files", nargs=-1, metavar="[FILE|-]...")
@click.option("--route", help="As this route would send it, whether or not the event matches.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["summary", "json", "lambda"]),
    help="Instead of the file's.",
)
@config_option
@output_options
def command(files: tuple[str, ...], route: str | None, form: str | None, **options: Any) -> int:
    """Shows subject and body as they are delivered, offline, by the same code that runs in AWS.

    FILE holds EventBridge events, findings, GetFindings output, or any number of them as JSON
    lines; - is standard input. Without --route: for each route that the event matches, else for the
    first one.
    """
    from shnotify.commands._input import events_in, ids_of, routes_of
    from shnotify.config.load import load_file
    from shnotify.escaping import escaped_line
    from shnotify.findings.matching import matches
    from shnotify.mail.transformer import UndeliverableError
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    config, routes = routes_of(load_file(chosen.config), route)
    screen = Screen(json_output=chosen.json, verbose=chosen.verbose, no_color=chosen.no_color)
    mails: list[dict[str, Any]] = []
    known: Rules = {}
    batches: dict[str, tuple[Routed, list[Given]]] = {}
    lost: ShnotifyError | None = None
    for given in events_in(files):
        event, ids = given.event, escaped_line(", ".join(ids_of(given.event)))
        if given.filled:
            screen.warn(
                f"{given.place}: Security Hub fills in {', '.join(given.filled)} when it imports the finding"
            )
        due = [routed for routed in routes if matches(routed.pattern, event)]
        if not due:
            screen.warn(
                f"{given.place}: {ids} matches no route: shown as {routes[0].route.name} would send it"
            )
        for routed in due or routes[:1]:
            if routed.route.message.fold and form in (None, "lambda"):
                batches.setdefault(routed.route.name, (routed, []))[1].append(given)
                continue
            found: list[dict[str, Any]] = []
            failed: list[UndeliverableError] = []
            for part in _parts(config, routed, event, form, known):
                try:
                    found += _mails(config, routed, event, part)
                except UndeliverableError as error:  # the mails of all the others are shown
                    failed.append(error)
            for loss in failed:
                message = f"{given.place}: route {routed.route.name}: {ids}: {loss.message}"
                if found:  # two resources, one of them odd: the second rule's mail arrives
                    screen.warn(
                        f"{message} (as the first rule mails it; the second rule's arrives)"
                    )
                    continue
                screen.error(message, loss.hint)
                lost = lost or ShnotifyError(message, hint=loss.hint)
            mails += [
                {**mail, "input": given.to_json(), "filled_in": list(given.filled)}
                for mail in found
            ]
            if not found and not failed:
                screen.warn(
                    f"{routed.route.name} sends no mail for it: `dedup: {routed.route.message.dedup}`"
                )
            for mail in found:
                _show(screen, mail)
    for routed, some in batches.values():
        found = _batch(screen, config, routed, some)
        mails += found
        for mail in found:
            _show(screen, mail)
    screen.document({"mails": mails, "error": lost.to_json() if lost else None})
    return screen.code(1 if lost else 0)


def _batch(
    screen: Screen, config: Config, routed: Routed, some: list[Given]
) -> list[dict[str, Any]]:
    """Renders what a route that folds makes of its events, as if they came in one batch."""
    from shnotify.commands._input import scope_of
    from shnotify.config.rules import rule_name
    from shnotify.mail.preview import folded
    from shnotify.mail.summary import settings_of

    route, scope = routed.route, scope_of(config, some[0].event)
    formatter = settings_of(
        route.message, marker=config.marker(route), topic_arn=scope.topic(route.topic.name)
    )
    named = {"route": route.name, "rule": rule_name(route, ""), "format": "lambda"}
    made = folded([given.event for given in some], formatter)
    mailed = {place for _, places in made for place in places}
    for place, given in enumerate(some):
        if place not in mailed:
            screen.warn(
                f"{given.place}: {route.name} sends no mail for it: `dedup: {route.message.dedup}`"
            )
    return [
        {
            **named,
            "subject": mail.subject,
            "body": mail.body,
            "input": some[places[0]].to_json(),
            "filled_in": list(some[places[0]].filled),
        }
        for mail, places in made
    ]


def _parts(
    config: Config, routed: Routed, event: dict[str, Any], form: str | None, known: Rules
) -> list[tuple[str, Part]]:
    """Lists format and part of every rule of the route that takes the event, as if it were due.

    known: the rules that were made for other events, by partition.
    """
    from shnotify.commands._input import scope_of
    from shnotify.config.rules import rules_by_route
    from shnotify.findings.matching import matches
    from shnotify.mail.preview import takers
    from shnotify.mail.summary import parts

    route, partition = routed.route, scope_of(config, event).partition
    form = form or route.message.format
    if route.pattern and form == "summary":
        form = "json"  # a raw pattern's events may be of any shape, so they are sent whole
    if form == route.message.format:
        if partition not in known:
            known[partition] = rules_by_route(config, partition)
        rules = known[partition][route.name]
        due = [rule.part for rule in rules if matches(rule.pattern, event)]
        return [(form, part) for part in due or takers([rule.part for rule in rules], event)]
    made = parts(form, route.source, partition=partition, language=route.message.language)
    return [(form, part) for part in takers(made, event)]


def _mails(
    config: Config, routed: Routed, event: dict[str, Any], due: tuple[str, Part]
) -> list[dict[str, Any]]:
    from shnotify.commands._input import scope_of
    from shnotify.config.rules import rule_name
    from shnotify.mail.preview import mails_of
    from shnotify.mail.summary import settings_of

    route, scope = routed.route, scope_of(config, event)
    form, part = due
    formatter = settings_of(
        route.message, marker=config.marker(route), topic_arn=scope.topic(route.topic.name)
    )
    named = {"route": route.name, "rule": rule_name(route, part.name), "format": form}
    rendered = mails_of(part, event, form, formatter)
    return [{**named, "subject": mail.subject, "body": mail.body} for mail in rendered]


def _show(screen: Screen, mail: dict[str, Any]) -> None:
    from shnotify.escaping import escaped, escaped_line

    screen.result(f"route {mail['route']}, {mail['format']}, rule {mail['rule']}")
    screen.result(escaped_line(f"Subject: {mail['subject']}"), exact=True)
    screen.result()
    # Not splitlines(): a text may hold U+2028 and the like, which are escaped and start no line.
    for line in mail["body"].removesuffix("\n").split("\n"):
        screen.result(escaped(line), exact=True)
    screen.result()
