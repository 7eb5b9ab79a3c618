"""`shnotify subscriptions`: who gets the mail, who has still to click, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shnotify.escaping import escaped_line
from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shnotify.commands._session import Session, Work
    from shnotify.notifier.roster import Member

_route = click.option("--route", help="This route only.")
_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.group("subscriptions")
def command() -> None:
    """Shows who gets the mail and who has still to click, and changes single subscriptions."""


@command.command("list", short_help="Show every subscriber.")
@_route
@aws_options
def list_(route: str | None, **options: Any) -> int:
    """Shows every subscriber of every route: confirmed, pending, missing or unlisted; whether a
    link in a mail can end it; whether a filter keeps mail away.
    """
    from shnotify.commands._each import in_each
    from shnotify.notifier.inspection import now_of
    from shnotify.notifier.needs import ALSO
    from shnotify.notifier.roster import check_route, with_past
    from shnotify.terminal.roster_view import roster_lines

    def work(run: Session) -> Work:
        yield None  # asks nothing
        everybody, unread = with_past(run.aws, _members(run, None), now_of(run.aws))
        if unread:
            run.warn_of(unread)
        check_route(run.config.routes, route)
        found = tuple(one for one in everybody if route in (None, one.route))
        listed = [one.to_json() for one in found]
        run.screen.document(run.document(subscribers=listed, warnings=run.warnings, error=None))
        run.screen.result(run.title("Subscribers of"))
        for line in roster_lines(found):
            run.screen.result(line)
        return run.screen.code(0)

    return in_each(settings(**options), work, besides=ALSO["subscriptions list"])


@command.command("resend", short_help="Ask a pending subscriber once more.")
@click.argument("endpoint")
@_route
@aws_options
def resend(endpoint: str, route: str | None, **options: Any) -> int:
    """Subscribes ENDPOINT once more where it is pending, upon which SNS sends its mail again.

    Only for an address of the file. One that has confirmed is left alone.
    """
    from shnotify.commands._each import in_each
    from shnotify.notifier import membership, roster
    from shnotify.notifier.needs import ALSO

    def work(run: Session) -> Work:
        chosen = membership.to_resend(roster.named(_members(run, route), endpoint, route))
        yield None  # asks nothing
        asked = {one: _call(run, membership.resend, one) for one in chosen}
        _done(run, "asked_again", chosen, asked)
        for one in chosen:
            who = escaped_line(one.who.endpoint)
            run.screen.result(
                f"{who} was subscribed to {one.route} once more: SNS mails its link, good for two days."
            )
        run.screen.result(
            "That SNS mails again is what everybody sees, and in no document of AWS: if nothing comes, "
            "look into the spam folder, or wait until it lapses and run `shnotify apply`."
        )
        return run.screen.code(0)

    return in_each(settings(**options), work, besides=ALSO["subscriptions resend"])


@command.command("confirm", short_help="Confirm with the link or token of the mail.")
@click.argument("link", metavar="URL-or-TOKEN")
@click.option("--route", help="The route that a bare token is for.")
@aws_options
def confirm(link: str, route: str | None, **options: Any) -> int:
    """Confirms a subscription so that no link in a mail can end it.

    URL-or-TOKEN is the link behind "Confirm subscription" in SNS's mail, in quotes, or the text
    after `Token=` in it. Whoever clicks that link instead confirms as well, but then anybody who
    gets one of the mails can unsubscribe the address.
    """
    from shnotify.commands._each import in_each
    from shnotify.notifier import membership, roster
    from shnotify.notifier.confirmation import confirmation_from, topic_of
    from shnotify.notifier.needs import ALSO

    def work(run: Session) -> Work:
        topics = roster.topics_of(run.config, run.graph)
        given = confirmation_from(link, run.aws.sns.meta.endpoint_url)
        topic_arn = topic_of(given, topics, route)
        yield None  # asks nothing
        done = _call(run, membership.confirm, given, topic_arn)
        where = next(name for name, arn in topics.items() if arn == topic_arn)
        told = {
            "route": where,
            "protocol": done.protocol or None,
            "endpoint": done.endpoint or None,
            "state": "confirmed",
            "arn": done.arn,
            "protected": done.protected,
        }
        run.screen.document(run.document(confirmed=[told], error=None))
        who = escaped_line(done.endpoint or done.arn)
        run.screen.result(
            f"Confirmed: {who} gets the mail of route {where}. {_PROTECTION[done.protected]}"
        )
        return run.screen.code(0)

    return in_each(settings(**options), work, besides=ALSO["subscriptions confirm"])


_PROTECTION = {
    True: "No link in a mail can end it.",
    False: "But it was confirmed before by a click, so anybody with one of its mails can end it: "
    "`shnotify subscriptions protect` says what helps.",
    None: "Whether a link in a mail can end it could not be read.",
}


@command.command("protect", short_help="Make it impossible to end one by a link in a mail.")
@click.argument("endpoint", required=False)
@_route
@_yes
@click.option("--force", is_flag=True, help="Even if nobody else gets the route's mail meanwhile.")
@aws_options
def protect(endpoint: str | None, route: str | None, yes: bool, force: bool, **options: Any) -> int:
    """Without ENDPOINT: shows which subscribers anybody with one of their mails can end.

    With ENDPOINT: ends that subscription and begins it again, so that its owner can hand over the
    new link for `subscriptions confirm`, which protects it. AWS has no other way. Until then the
    address gets nothing, so this asks, or needs --yes.
    """
    from shnotify.commands._each import in_each
    from shnotify.notifier import membership, roster
    from shnotify.notifier.needs import ALSO

    def work(run: Session) -> Work:
        everybody = _members(run, None)
        if not endpoint:
            yield None  # asks nothing
            return _show_open(run, [one for one in everybody if route in (None, one.route)])
        same = roster.named(everybody, endpoint, route)
        chosen = membership.to_renew(same, everybody, force=force)
        where = ", ".join(one.route for one in chosen)
        question = (
            f"Unsubscribe {endpoint} from {where} and subscribe it again? Until its owner hands over the new link, "
            "it gets nothing."
        )
        run.screen.sum_up(
            f"{escaped_line(endpoint)} is unsubscribed from {where} and subscribed again"
        )
        yield None if yes else question
        made = {one: _call(run, membership.renew, one) for one in chosen}
        _done(run, "subscribed_again", chosen, made)
        for line in _next_steps(endpoint):
            run.screen.result(line)
        return run.screen.code(0)

    return in_each(settings(**options), work, besides=ALSO["subscriptions protect"])


def _show_open(run: Session, members: Iterable[Member]) -> int:
    from shnotify.terminal.roster_view import protection_lines

    members = list(members)
    mails = [one for one in members if one.who.arn and one.who.protocol.startswith("email")]
    shown = [one for one in mails if one.who.protected is not True]
    run.screen.document(run.document(unprotected=[one.to_json() for one in shown], error=None))
    for line in protection_lines(members):
        run.screen.result(line)
    return run.screen.code(0)


def _next_steps(endpoint: str) -> tuple[str, ...]:
    who = escaped_line(endpoint)
    return (
        f"Now {who} gets a mail of SNS. Its owner must NOT click the link, but copy it and hand it over:",
        "    shnotify subscriptions confirm 'LINK OF THE MAIL'",
        "Until then nothing reaches the address. After 48 hours AWS drops it; `shnotify apply` subscribes it again.",
    )


@command.command("remove", short_help="Unsubscribe one that is not in the file.")
@click.argument("endpoint")
@_route
@_yes
@aws_options
def remove(endpoint: str, route: str | None, yes: bool, **options: Any) -> int:
    """Unsubscribes ENDPOINT where it has confirmed and the file does not name it.

    It asks, or needs --yes. One that the file names is to be taken out of the file first.
    """
    from shnotify.commands._each import in_each
    from shnotify.notifier import membership, roster
    from shnotify.notifier.needs import ALSO

    def work(run: Session) -> Work:
        chosen = membership.to_remove(roster.named(_members(run, route), endpoint, route))
        where = ", ".join(one.route for one in chosen)
        question = f"Unsubscribe {endpoint} from {where}? Only its owner can undo that."
        run.screen.sum_up(f"{escaped_line(endpoint)} is unsubscribed from {where}")
        yield None if yes else question
        gone = {one: _call(run, membership.remove, one) for one in chosen}
        _done(run, "removed", chosen, dict.fromkeys(gone, None))
        run.screen.result(f"Unsubscribed: {escaped_line(endpoint)} from {where}.")
        return run.screen.code(0)

    return in_each(settings(**options), work, besides=ALSO["subscriptions remove"])


def _members(run: Session, route: str | None) -> tuple[Member, ...]:
    from shnotify.notifier.roster import check_route, roster

    check_route(run.config.routes, route)
    found = roster(run.aws, run.config, run.graph)
    return tuple(one for one in found if route in (None, one.route))


def _call(run: Session, function: Any, *arguments: Any) -> Any:
    """Runs a call beside the main thread, so that the command's time and an interrupt end it."""
    return run.aws.in_time(run.aws.start(function, run.aws, *arguments))


def _done(
    run: Session, name: str, chosen: tuple[Member, ...], arns: dict[Member, str | None]
) -> None:
    told = [
        {
            "route": one.route,
            "protocol": one.who.protocol,
            "endpoint": one.who.endpoint,
            "arn": arns[one] or one.who.arn,
        }
        for one in chosen
    ]
    run.screen.document(run.document(**{name: told}, error=None))
