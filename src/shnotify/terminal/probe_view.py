"""A test as lines: what it will do, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from shnotify.escaping import escaped_line
from shnotify.notifier.hops import HOPS, Hop, Watched, hops_of
from shnotify.notifier.rehearsal import Rehearsal, Rehearsed
from shnotify.terminal.screen import Screen
from shnotify.terminal.styled import Text

_MARKS = {"ok": "green", "failed": "bold red", "unknown": "yellow"}
_SAID = {
    "imported": "Security Hub took it",
    "matched": "the rule let it through",
    "invoked": "EventBridge handed it over",
    "published": "SNS took the mail",
    "dead_lettered": "it does not lie in the dead-letter queue",
    "resolved": "it is resolved and archived again",
}
INBOX = (
    "Whether it is in anybody's inbox only its owner can see: SNS keeps no record of delivered e-mail. "
    "Look for a mail that says TEST, in the spam folder too."
)


def hop_lines(hops: Iterable[Hop]) -> Iterator[Text]:
    """Makes one line a hop: its verdict, name and time, and why."""
    for hop in hops:
        at = "" if hop.seconds is None else f"{hop.seconds:.1f} s"
        said = escaped_line(hop.why) if hop.why else _SAID.get(hop.id, "")
        yield Text.assemble(
            "  ", (hop.verdict.ljust(7), _MARKS[hop.verdict]), f"  {hop.id:13}  {at:>8}  {said}"
        )


def plan_lines(rehearsal: Rehearsal, made: Rehearsed | None) -> Iterator[str]:
    """Says what a test will do.

    made  the finding; None when a mail goes to the topic itself
    """
    route = rehearsal.route
    if made:
        yield f"Imports into Security Hub, as {escaped_line(rehearsal.who)}:"
        yield f"  {escaped_line(made.finding['Id'])}"
        yield f"  {escaped_line(made.finding['Title'])}"
        yield "then resolves and archives it."
    else:
        yield f"Publishes one mail to the topic {route.topic.name}: rule and target are not tested."
    yield _addressed(rehearsal)
    if made and made.others:
        yield f"It passes the filter of {', '.join(made.others)} as well: a mail goes out there too."
    if made and made.order.mails:
        times = "one more mail" if made.order.mails == 1 else f"{made.order.mails} more mails"
        yield f"Putting it away sends {times}: the route lets resolved or archived findings through."
    for link in rehearsal.broken:
        yield f"Broken already: {link.id}: {escaped_line(link.why)}"


def _addressed(rehearsal: Rehearsal) -> str:
    """Says who gets the mail."""
    count = len(rehearsal.reached)
    if not count:
        known = rehearsal.awaited is not None
        return "Nobody gets the mail." if known else "Whether anybody gets the mail cannot be told."
    who = ", ".join(escaped_line(one.endpoint) for one in rehearsal.reached[:5])
    more = f" and {count - 5} more" if count > 5 else ""
    return f"A real mail goes to {count} confirmed: {who}{more}."


class Progress:
    """Shows how far a test is: in place on a terminal, else a line for each hop that is settled.

    only  the ids of the hops to show; () for all
    """

    def __init__(self, screen: Screen, only: tuple[str, ...] = ()) -> None:
        self._screen = screen
        self._only = only or HOPS[:-1]
        self._told: set[str] = set()
        self._draw: Callable[[list[Text | str]], None] | None = None

    def on(self, draw: Callable[[list[Text | str]], None] | None) -> Progress:
        """Draws in place from here on, if there is a place."""
        self._draw = draw
        return self

    def show(self, seen: Watched, seconds: float) -> None:
        hops = hops_of(seen, (), Hop("resolved", "unknown"))
        shown = [hop for hop in hops if hop.id in self._only]
        if self._draw:
            now = [
                replace(hop, why="nothing seen yet") if hop.verdict == "unknown" else hop
                for hop in shown
            ]
            self._draw([f"{seconds:.0f} s (Ctrl-C is safe)", *hop_lines(now)])
            return
        for hop in shown:
            early = hop.id == "dead_lettered" and hop.verdict == "ok"  # it may come there yet
            if hop.verdict != "unknown" and hop.id not in self._told and not early:
                self._told.add(hop.id)
                self._screen.say(f"{hop.id}: {hop.verdict}")
