"""`shnotify dlq redrive`: the preview, the question, the sending, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shnotify.aws.failures import AwsError
from shnotify.commands._dlq import Box, chosen, in_each_box
from shnotify.commands._dlq_view import kept_lines, unread_line
from shnotify.commands._session import Session, Work
from shnotify.config.models import Route
from shnotify.errors import ShnotifyError, UsageError
from shnotify.escaping import escaped_line
from shnotify.notifier.deadletters import Letter
from shnotify.notifier.metrics import counted_as
from shnotify.notifier.redrive import PER_SECOND, Order, destination, expected_mails
from shnotify.notifier.resending import Resending, Resent, Sender
from shnotify.notifier.subscribers import Recipient, subscribers_of
from shnotify.resources.lookup import subscription_attributes, subscriptions
from shnotify.terminal.options import Options

_NAMED = 10
"""Subscribers of a route that the preview names."""


@dataclass
class Preview:
    """What would be sent. `planned`: message id -> route; `mails`: how many, for each subscriber;
    `stopped`: messages of ours that a route cannot send now.
    """

    planned: dict[str, str] = field(default_factory=dict)
    mails: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def without(self, route: str, why: str) -> None:
        """Keeps the messages of a route that cannot be sent."""
        gone = [one for one, name in self.planned.items() if name == route]
        self.kept |= dict.fromkeys(gone, why)
        self.stopped += gone
        for one in gone:
            del self.planned[one]


def redriven(
    settings: Options, *, ids: tuple[str, ...], to_route: str | None, dry_run: bool, yes: bool
) -> int:
    """Shows, asks, sends; returns the exit code."""

    def route_exists(run: Session) -> None:
        names = [route.name for route in run.config.routes]
        if to_route and to_route not in names:
            raise UsageError(
                f"there is no route {to_route!r} in the file", hint=f"there are {', '.join(names)}"
            )

    def work(box: Box) -> Work:
        box.must_be_ours()
        routes = {route.name: route for route in box.run.config.routes}
        preview, order = _preview(box, routes, ids, to_route)
        audiences = _audiences(box, routes, preview)
        _show(box, routes, preview, audiences)
        if dry_run or not preview.planned:
            yield None  # asks nothing
            return _finish(box, preview, audiences, Resent(kept=preview.kept))
        yield None if yes else f"Send {len(preview.planned)} again?"
        return _sent(box, routes, order, preview, audiences)

    return in_each_box(settings, "redrive", work, look=route_exists)


def _preview(
    box: Box, routes: Mapping[str, Route], ids: tuple[str, ...], to_route: str | None
) -> tuple[Preview, Order]:
    """Reads the queue and decides for each message; keeps no message."""
    preview = Preview()
    decided: dict[str, tuple[Route | str, int]] = {}

    def take(letter: Letter) -> None:
        if ids and not letter.id.startswith(ids):
            return
        named = Order(frozenset([letter.id] if ids else ()), to_route)
        where = destination(letter, routes, named)
        mails = expected_mails(letter, where) if isinstance(where, Route) else 0
        decided[letter.id] = (where, mails)

    box.letters(take, frozenset(ids))
    found = chosen(ids, decided) if ids else {}
    preview.missing = [one for one in ids if one not in found]
    meant = frozenset(found.values()) if ids else frozenset(decided)
    for letter_id in decided:
        where, mails = decided[letter_id]
        if letter_id not in meant:
            continue
        if isinstance(where, str):
            preview.kept[letter_id] = where
        else:
            preview.planned[letter_id] = where.name
            preview.mails[letter_id] = mails
    preview.kept |= dict.fromkeys(preview.missing, "no message with this id could be read")
    return preview, Order(meant if ids else frozenset(), to_route)


def _audiences(
    box: Box, routes: Mapping[str, Route], preview: Preview
) -> dict[str, tuple[Recipient, ...]]:
    """Maps each route that is sent to, to who gets its mail.

    Where nobody does, nothing is sent: the message would be gone, and nobody would know.
    """
    found: dict[str, tuple[Recipient, ...]] = {}
    for name in dict.fromkeys(preview.planned.values()):
        try:
            found[name] = _reached(box.run, routes[name])
        except AwsError as error:
            preview.without(
                name, f"who gets the mail of route {name} is not known: {error.message}"
            )
            continue
        if not found[name]:
            preview.without(
                name,
                f"nobody would get it: route {name} has no confirmed subscriber (shnotify status)",
            )
    return found


def _reached(run: Session, route: Route) -> tuple[Recipient, ...]:
    """Lists the confirmed subscribers of a route's topic that no filter surely keeps away."""
    aws = run.aws
    arn = aws.scope.topic(route.topic.name)
    listed = aws.in_time(aws.start(subscriptions, aws, arn)) or ()
    asked = {
        one.arn: aws.start(subscription_attributes, aws, one.arn)
        for one in listed
        if one.state == "confirmed"
    }
    details = {arn: aws.in_time(future) for arn, future in asked.items()}
    return tuple(
        one
        for one in subscribers_of(route, listed, details)
        if one.arn and one.filtered is not True
    )


def _show(
    box: Box,
    routes: Mapping[str, Route],
    preview: Preview,
    audiences: Mapping[str, tuple[Recipient, ...]],
) -> None:
    say = box.run.screen.result
    say(box.run.title(f"Send again from {box.name} of"))
    say()
    for name, people in audiences.items():
        mine = [one for one, route in preview.planned.items() if route == name]
        if not mine:
            continue
        mails = sum(preview.mails[one] for one in mine)
        say(
            f"  {counted_as(len(mine), 'message')} to route {name}, topic {routes[name].topic.name} "
            f"({routes[name].message.format}): {counted_as(mails, 'mail')} to each of "
            f"{counted_as(len(people), 'subscriber')}, "
            f"{mails * len(people)} in all"
        )
        for one in people[:_NAMED]:
            say(escaped_line(f"      {one.protocol} {one.endpoint}"))
        if len(people) > _NAMED:
            say(f"      and {len(people) - _NAMED} more")
    for line in kept_lines(preview.kept):
        say(line)
    if preview.planned:
        seconds = sum(preview.mails[one] for one in preview.planned) / PER_SECOND
        say(f"That takes about {seconds:.0f} s, at {PER_SECOND} mails a second.")
    mails = sum(
        preview.mails[one] * len(audiences[route]) for one, route in preview.planned.items()
    )
    box.run.screen.sum_up(
        f"{counted_as(len(preview.planned), 'message')} to send, {counted_as(mails, 'mail')} in all, "
        f"{len(preview.kept)} kept"
    )
    if box.unread:
        box.run.screen.warn(unread_line(box.unread))


def _sent(
    box: Box,
    routes: Mapping[str, Route],
    order: Order,
    preview: Preview,
    audiences: Mapping[str, tuple[Recipient, ...]],
) -> int:
    run = box.run
    began = run.aws.clock.now()
    total = len(preview.planned)

    def told(result: Resent) -> None:
        box.began = began
        box.advanced("sending", len(result.sent) + result.failed, total)

    work = Resending(
        run.aws,
        box.queue.queue_arn,
        box.senders,
        routes,
        Sender(run.aws, run.config, run.aws.scope),
        order,
        told,
        Resent(kept=dict(preview.kept)),
    )
    interrupt: KeyboardInterrupt | None = None
    try:
        work.run(preview.planned, box.depth.waiting)
    except KeyboardInterrupt as error:
        interrupt = error
        work.result.error = ShnotifyError(
            "interrupted", hint="nothing is lost: the same command goes on with what is left"
        )
    box.advanced("sending", 1, 1)
    code = _finish(box, preview, audiences, work.result)
    return int(getattr(interrupt, "exit_code", 130)) if interrupt else code


def _finish(
    box: Box, preview: Preview, audiences: Mapping[str, tuple[Recipient, ...]], result: Resent
) -> int:
    """Prints what became of it. Exits 1 when something that was to be sent was not."""
    screen = box.run.screen
    error = result.error or _failure(preview, result)
    planned: list[dict[str, Any]] = [
        {"id": one, "route": name, "mails": preview.mails[one], "subscribers": len(audiences[name])}
        for one, name in preview.planned.items()
    ]
    screen.document(
        box.document(
            planned=planned,
            **result.to_json(),
            unread=box.unread,
            error=error.to_json() if error else None,
        )
    )
    new = {one: why for one, why in result.kept.items() if one not in preview.kept}
    for line in kept_lines(new):
        screen.result(line)
    if not planned:
        screen.result("Nothing to send.")
    elif result.sent or result.failed or error:
        rest = "; the others are in the queue" if len(result.sent) < len(planned) else ""
        screen.result(f"Sent {len(result.sent)} of {len(planned)}{rest}.")
    else:
        screen.result("Nothing was sent: this was only the preview.")
    if error:
        screen.error(error.message, error.hint)
    return screen.code(1 if error else 0)


def _failure(preview: Preview, result: Resent) -> ShnotifyError | None:
    """Returns the error for messages that should have gone, or None."""
    if preview.missing:
        return ShnotifyError(
            f"no message could be read with the id {', '.join(preview.missing)}",
            hint="shnotify dlq list shows what is there",
        )
    missed = preview.stopped + [one for one in result.kept if one in preview.planned]
    if not missed:
        return None
    refused = result.refused
    advice = refused.hint if refused else None
    return ShnotifyError(
        f"{counted_as(len(missed), 'message')} not sent: {result.kept[missed[0]]}",
        hint=f"they are in the queue; {advice or 'shnotify doctor says what is wrong, then run this again'}",
        operation=refused.operation if refused else None,
        code=refused.code if refused else None,
    )
