"""The chain as a picture: one line a hop from Security Hub to each inbox, then what is not right,
the broken last and loudest.

`hop_line` and `link_lines` are what other commands that show links use too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shnotify.arns import name_in
from shnotify.engine.health import Link, Verdict
from shnotify.escaping import escaped_line
from shnotify.frozen import frozen
from shnotify.notifier.doctor import Diagnosis, Told, worst
from shnotify.terminal.styled import Text

if TYPE_CHECKING:
    from shnotify.notifier.passage import Passage
    from shnotify.notifier.subscribers import Recipient

MARKS: dict[Verdict, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "unknown": ("unknown", "yellow"),
    "broken": ("BROKEN", "bold red"),
}
"""The mark of each verdict, and its style; words, so that they can be read without colour."""
_WIDTH = max(len(mark) for mark, _ in MARKS.values())
HUB = ("credentials", "hub", "home-region", "aggregation", "duplicates")
RULE = ("rule", "pattern", "target", "transformer", "invocations")
TOPIC = (
    "topic-policy",
    "topic-key",
    "subscribers",
    "filter-policy",
    "unsubscribe",
    "mail-failures",
)
NET = ("queue", "queue-policy", "queue-key", "undelivered-mail", "queue-depth")
_ORDER: tuple[Verdict, ...] = ("warning", "unknown", "broken")


@frozen
class Hop:
    """One line of the picture.

    depth  how far it is indented: what branches off stands deeper
    not_ok the ids of the links that give it its mark
    """

    verdict: Verdict
    label: str
    depth: int = 0
    not_ok: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return f"{self.label}: {', '.join(self.not_ok)}" if self.not_ok else self.label


def _hop(links: Iterable[Link], label: str, depth: int = 0) -> Hop:
    """Makes the hop that these links are about."""
    listed = list(links)
    not_ok = dict.fromkeys(link.id for link in listed if link.verdict != "ok")
    return Hop(worst(listed), label, depth, tuple(not_ok))


def hops(found: Diagnosis) -> Iterator[Hop]:
    """Lists the hops of all routes; what they share is told once."""
    account = [one.link for one in found.told if not one.routes]
    yield _hop(_of(account, HUB), found.hub)
    for route in dict.fromkeys(passage.route for passage in found.passages):
        ways = [passage for passage in found.passages if passage.route == route]
        yield from _rules(ways, found.about(route))
        yield from _behind(ways[0], found.about(route))
    net = [one.link for one in found.told if one.link.id in NET]
    if net:
        label = ", ".join(sorted(_kept(found))) or "kept nowhere"
        yield _hop(net, f"what fails: {label}", 1)
    watchdog = [one.link for one in found.told if one.link.id == "watchdog"]
    if watchdog:
        yield _hop(watchdog, "alarms", 1)


def _rules(ways: list[Passage], links: list[Link]) -> Iterator[Hop]:
    """Lists the rules of one route."""
    for way in ways:
        name = way.rule.state.name if way.rule else "missing or not read"
        ids = {way.rule.state.id} if way.rule else {None, *(link.resource for link in links)}
        others = {one.rule.state.id for one in ways if one.rule and one is not way}
        about = [
            link
            for link in _of(links, RULE)
            if not _of_function(link, way) and link.resource in ids - others
        ]
        yield _hop(about, f"rule {name}", 1)


def _behind(passage: Passage, links: list[Link]) -> Iterator[Hop]:
    """Lists the hops behind the rules of one route."""
    if formatter := _of(links, ("formatter",)):
        name = passage.function.state.name if passage.function else "missing or not read"
        runs = [link for link in links if link.id == "invocations" and _of_function(link, passage)]
        yield _hop([*formatter, *runs], f"function {name}", 2)
    if passage.topic or _of(links, ("topic-policy",)):
        topic = passage.topic.state.name if passage.topic else "missing or not read"
        yield _hop(_of(links, TOPIC), f"topic {topic}", 2)
    for one in passage.recipients:
        yield Hop(_reach(one), f"{one.protocol} {one.endpoint}{_said(passage, one)}", 3)


def _of(links: Iterable[Link], ids: tuple[str, ...]) -> list[Link]:
    return [link for link in links if link.id in ids]


def _of_function(link: Link, passage: Passage) -> bool:
    return bool(passage.function and link.resource == passage.function.state.id)


def _reach(one: Recipient) -> Verdict:
    if one.reached:
        return "ok" if one.protected is not False else "warning"
    if one.state == "unlisted":  # nobody whom the file names goes without mail
        return "warning"
    return "unknown" if one.filtered is None else "broken"


def _said(passage: Passage, one: Recipient) -> str:
    """What a subscriber's line says beside the address."""
    if one.pending:
        hours = passage.waits(one)
        return f" (not confirmed, {hours})" if hours else " (not confirmed)"
    if one.state == "missing":
        return " (not subscribed)"
    return " (filtered out)" if one.filtered else ""


def _kept(found: Diagnosis) -> set[str]:
    queues = {passage.queue.state.name for passage in found.passages if passage.queue}
    named = {
        name_in(str(link.evidence["queue"]))
        for link in (one.link for one in found.told)
        if link.id == "queue" and "queue" in link.evidence
    }
    return queues | named


# -- lines -----------------------------------------------------------------------------------------


def hop_line(hop: Hop) -> Text:
    """One line of the picture."""
    mark, style = MARKS[hop.verdict]
    branch = f"{'   ' * (hop.depth - 1)}└─ " if hop.depth else ""
    return Text.assemble("  ", (mark.ljust(_WIDTH), style), f"  {branch}{escaped_line(hop.text)}")


def link_lines(link: Link, routes: tuple[str, ...] = ()) -> Iterator[Text]:
    """What is not right with one link: its name, why, and what mends it."""
    mark, style = MARKS[link.verdict]
    whose = f" ({', '.join(routes)})" if routes else ""
    yield Text.assemble("  ", (f"{mark.ljust(_WIDTH)}  {link.id}{escaped_line(whose)}", style))
    yield Text(f"      {escaped_line(link.why)}")
    if link.needs:
        what = "cannot tell" if link.verdict == "unknown" else "cannot tell more"
        yield Text(f"      {what}: needs {escaped_line(', '.join(link.needs))}")
    if link.mend:
        yield Text(f"      mend: {escaped_line(link.mend)}")
    if statement := link.evidence.get("statement_to_add"):
        yield Text(f"      statement: {escaped_line(json.dumps(statement))}")


def picture(found: Diagnosis, *, between: str) -> Iterator[Text | str]:
    """The whole diagnosis as text.

    between  what the screen writes between two things; shows whether it can carry lines
    """
    plain = not between.strip().startswith("→")
    for hop in hops(found):
        line = hop_line(hop)
        yield Text(line.plain.replace("└─", "`-")) if plain else line
    for verdict in _ORDER:
        some = [one for one in found.told if one.link.verdict == verdict]
        for one in some:
            yield ""
            yield from link_lines(one.link, one.routes)
    yield ""
    yield Text(summary(found.told), MARKS[found.verdict][1])


def summary(told: Iterable[Told]) -> str:
    """One line: how many links are as they are."""
    counts: dict[Verdict, int] = dict.fromkeys(("ok", *_ORDER), 0)
    for one in told:
        counts[one.link.verdict] += 1
    broken = sorted({one.link.id for one in told if one.link.verdict == "broken"})
    words = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{words}. Broken: {', '.join(broken)}." if broken else f"{words}. Nothing is broken."
