"""Subscribers as lines: for `subscriptions list`, and for waiting until they have confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from shnotify.escaping import escaped_line
from shnotify.notifier.roster import Member
from shnotify.terminal.screen import Screen
from shnotify.terminal.styled import Text

_STYLES = {"confirmed": "green", "pending": "yellow", "missing": "bold red", "unlisted": "yellow"}
_PENDING = "must click the link in SNS's mail; SNS drops it 48 hours after it was subscribed"

_SUSPENDED = (
    "suspended: was confirmed before, as far as can be seen, and more than 10 mails a second "
    "suspend one; `shnotify subscriptions resend` asks it again"
)


def roster_lines(
    members: Iterable[Member], say: Callable[[Member], str] | None = None
) -> list[Text | str]:
    """Makes one line a subscriber, route by route.

    say  what stands at the end of a line; by default all that a person should know
    """
    lines: list[Text | str] = []
    for route, found in groupby(members, key=lambda one: one.route):
        lines += ["", f"  {route}"]
        group = list(found)
        width = max(len(escaped_line(one.who.endpoint)) for one in group)
        lines += [_line(one, width, (say or remark)(one)) for one in group]
    if not lines:
        return ["", "  nobody: no route has a subscriber, in the file or on its topic"]
    return lines


def _line(one: Member, width: int, end: str) -> Text:
    who = one.who
    return Text.assemble(
        "    ",
        (f"{who.state:10}", _STYLES.get(who.state, "")),
        f" {escaped_line(who.protocol):6} {escaped_line(who.endpoint):{width}}  {end}",
    )


def remark(one: Member) -> str:
    """Says what a person should know about a subscriber, or returns "" for nothing."""
    who = one.who
    if one.suspended:
        return _SUSPENDED
    if one.expires and who.state == "pending":
        return (
            f"must click the link in SNS's mail; SNS drops it at {one.expires:%Y-%m-%d %H:%M} UTC"
        )
    if who.pending:
        return _PENDING if who.state == "pending" else "not in the file, pending: let it lapse"
    if who.state == "missing":
        return "`shnotify apply` subscribes it"
    said = [] if who.state == "confirmed" else ["not in the file"]
    if who.filtered:
        said.append("its filter policy lets nothing through")
    elif who.filtered is None:
        said.append("its filter policy could not be judged")
    if who.protocol.startswith("email"):
        said.append(_PROTECTED[who.protected])
    return "; ".join(said)


_PROTECTED = {
    True: "protected",
    False: "a link in any of its mails can end it",
    None: "whether it is protected could not be read",
}


def protection_lines(members: Sequence[Member]) -> list[str]:
    """Says who can be ended by a link in a mail, and what helps."""
    confirmed = [one for one in members if one.who.arn and one.who.protocol.startswith("email")]
    open_ones = [one for one in confirmed if one.who.protected is False]
    unread = [one for one in confirmed if one.who.protected is None]
    lines = [
        f"{escaped_line(one.who.endpoint)} ({one.route}): whether it is protected could not be read"
        for one in unread
    ]
    lines += [
        f"{escaped_line(one.who.endpoint)} ({one.route}): anybody with one of its mails can end it by one click"
        for one in open_ones
    ]
    if not open_ones:
        whose = (
            "Nobody has confirmed yet." if not confirmed else "" if unread else "All are protected."
        )
        return [*lines, *([whose] if whose else []), *_ADVICE[:2]]
    return [*lines, "", *_ADVICE, *_GAP]


_ADVICE = (
    "What protects is how one confirms: not by the click, but with the link of SNS's mail:",
    "    shnotify subscriptions confirm 'LINK OF THE MAIL'",
    "One that has confirmed by a click must be made anew for that:",
    "    shnotify subscriptions protect ADDRESS",
)
_GAP = (
    "Until its owner hands over the new link, that address gets nothing. Without a gap: add a second address to the",
    "file (an alias such as name+aws@ will do), confirm that one with its link, and take the first one out then.",
)


def _still(one: Member) -> str:
    """Says what is still to be done, of a subscriber that is only seen in a list."""
    return "" if one.who.state == "confirmed" else remark(one)


class Waiting:
    """Shows who has still to confirm: in place on a terminal, else a line for each change."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._told: tuple[str, ...] | None = None
        self._draw: Callable[[list[Text | str]], None] | None = None

    def on(self, draw: Callable[[list[Text | str]], None] | None) -> Waiting:
        """Draws in place from here on, if there is a place."""
        self._draw = draw
        return self

    def show(self, members: tuple[Member, ...], left: float) -> None:
        waiting = tuple(
            f"{escaped_line(one.who.endpoint)} ({one.route})"
            for one in members
            if one.who.state != "confirmed"
        )
        count = f"{len(members) - len(waiting)} of {len(members)} confirmed"
        if self._draw:
            minutes, seconds = divmod(round(left), 60)
            head = (
                f"Waiting for confirmations: {count}; {minutes}:{seconds:02} left (Ctrl-C is safe)"
            )
            self._draw([head, *roster_lines(members, _still)])
        elif waiting != self._told:
            self._screen.say(f"{count}{'; waiting for ' + ', '.join(waiting) if waiting else ''}")
        self._told = waiting
