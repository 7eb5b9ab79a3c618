"""Many notifiers in one run: what they may not share, and what their ends are together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shnotify.config.load import Loaded
from shnotify.config.models import Config, ManagedKey
from shnotify.config.rules import (
    count_of_guarded,
    count_of_rules,
    rules_by_route,
    too_many_guarded,
    too_many_rules,
)
from shnotify.config.yamlfile import Path, dotted
from shnotify.errors import ConfigProblem
from shnotify.notifier import names

INTERRUPTED = 130
_WORST_FIRST = (1, 2, 4, 3)


def worst(codes: Iterable[int]) -> int:
    """Returns the exit code of several notifiers: 1, an interrupt, 2, 4, 3, 0, the first there is.

    What AWS refused stands first: nobody has to run it again to learn that.
    """
    found = set(codes)
    if 1 in found:
        return 1
    interrupts = sorted(code for code in found if code > 128)
    return next(iter([*interrupts, *(code for code in _WORST_FIRST if code in found), 0]))


Name = tuple[str, str, tuple[Path, ...]]
"""A kind, a name of that kind, and where in the file it comes from, the most exact place first."""


def collisions(members: Sequence[Loaded], region: str | None = None) -> list[ConfigProblem]:
    """Finds what two notifiers of one account and Region would both call their own.

    region: where a file without `region:` goes; None: not known, which is one place for all of
    them. Each is told at the later file's position, with the earlier one's; names that come of a
    notifier's name are not told beside it.
    """
    found: list[ConfigProblem] = []
    taken: dict[tuple[str | None, str, str], list[Loaded]] = {}
    for member in members:
        twins = False
        for kind, name, places in names_of(member.config):
            key = (member.config.region or region, kind, name)
            others = taken.setdefault(key, [])
            other = next((one for one in others if _one_account(one.config, member.config)), None)
            if other and not (twins and places[0] not in member.document.values):
                found.append(_told(kind, name, places, member, other))
            twins = twins or bool(other and kind == "name")
            others.append(member)
    return list(dict.fromkeys(found))


def crowded(members: Sequence[Loaded], region: str | None = None) -> list[str]:
    """Warns of Regions whose bus has no room for all these notifiers' rules together."""
    counts, guarded = Counter[str | None](), Counter[str | None]()
    for member in members:
        where = member.config.region or region
        counts[where] += count_of_rules(member.config)
        guarded[where] += count_of_guarded(member.config)
    told = [(where, too_many_rules(count, where)) for where, count in counts.items()]
    told += [(where, too_many_guarded(count)) for where, count in guarded.items()]
    return [f"{where or 'all files together'}: {text}" for where, text in told if text]


def _one_account(first: Config, second: Config) -> bool:
    return None in (first.account, second.account) or first.account == second.account


def _told(
    kind: str, name: str, places: tuple[Path, ...], member: Loaded, other: Loaded
) -> ConfigProblem:
    theirs = next(at for k, n, at in names_of(other.config) if (k, n) == (kind, name))
    line, column = other.document.where(_written(other, theirs))
    path = _written(member, places)
    where = f" in {member.config.region}" if member.config.region else ""
    text = (
        f"{other.document.file}:{line}:{column} has the {kind} {name!r}{where} too: "
        "two notifiers cannot share it"
    )
    return member.document.problem(member.document.where(path), dotted(path), text)


def _written(member: Loaded, places: tuple[Path, ...]) -> Path:
    """Returns the first of the places that the file holds: a default's name is made of another."""
    return next((place for place in places if place in member.document.values), places[-1])


def names_of(config: Config) -> Iterator[Name]:
    """Yields what must be a notifier's own: its name, and the names that AWS knows its things by."""
    own: Path = ("name",)
    yield "name", config.name, (own,)
    if config.encryption:
        for part in ("topic_key", "dlq_key"):
            key = getattr(config.encryption, part)
            if isinstance(key, ManagedKey):
                yield "alias", key.alias, (("encryption", part, "alias"), own)
    if config.dead_letter_queue:
        yield "queue", config.dead_letter_queue.name, (("dead_letter_queue", "name"), own)
    rules = rules_by_route(config.settled())
    for i, route in enumerate(config.routes):
        here: Path = ("routes", i)
        yield "topic", route.topic.name, ((*here, "topic", "name"), (*here, "name"))
        for rule in rules[route.name]:
            yield "rule", rule.name, ((*here, "rule", "name"), (*here, "name"))
        if route.message.format == "lambda":
            yield "function", names.function_name(config, route), ((*here, "name"),)


def in_a_line(document: Mapping[str, Any]) -> str:
    """Sums a notifier's JSON document up in one line."""
    if error := document.get("error"):
        return f"FAILED: {error['message']}"
    if "actions" in document:
        return _of_plan(document)
    if "delivery" in document:
        return _of_status(document)
    if told := _of_what_was_done(document) or _of_what_was_read(document):
        return told
    if "links" in document:
        broken = [link["id"] for link in document["links"] if link["verdict"] == "broken"]
        return f"broken: {', '.join(dict.fromkeys(broken))}" if broken else "nothing broken"
    routes = len(document.get("routes", ()))
    return f"valid, {routes} route{'' if routes == 1 else 's'}"


def _of_what_was_read(document: Mapping[str, Any]) -> str:
    """Sums up what a command read; empty when it is none of these documents."""
    if "mailed" in document:
        return f"mailed: {document['mailed']}"
    if "since" in document:
        now = sum(route["now"] for route in document["routes"])
        sent = sum(day["count"] for route in document["routes"] for day in route["per_day"])
        return f"{now:,} findings match now; {sent:,} since {document['since'][:10]}"
    if "findings" in document:
        mailed = sum(one["mailed"] == "yes" for one in document["findings"])
        return f"{mailed} of {len(document['findings'])} mailed, as far as can be seen"
    if "subscribers" in document:
        states = Counter(one["state"] for one in document["subscribers"])
        return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nobody"
    if "messages" in document:
        return f"{len(document['messages'])} dead letters, {document['unread']} unread"
    return ""


def _of_what_was_done(document: Mapping[str, Any]) -> str:
    """Sums up what a command sent, dropped, marked or subscribed; empty when it is none of these."""
    if "hops" in document:
        return f"delivered: {document['delivered']}"
    if "sent" in document:
        planned = [] if document["sent"] else [f"{len(document['planned'])} to send"]
        counts = [f"{len(document['sent'])} sent", f"{len(document['kept'])} kept", *planned]
        return ", ".join(counts)
    if "dropped" in document:
        return f"{len(document['dropped'])} dropped, {len(document['kept'])} kept"
    if "done" in document:
        what = "made NEW again" if document["action"] == "undo" else "marked"
        return f"{document['done']:,} of {document['found']:,} findings {what}"
    done = next((name for name in _MEMBERS if name in document), None)
    return f"{len(document[done])} {_MEMBERS[done]}" if done else ""


_MEMBERS = {
    "asked_again": "asked again",
    "confirmed": "confirmed",
    "unprotected": "unprotected",
    "subscribed_again": "subscribed again",
    "removed": "removed",
}
"""What a document of `subscriptions` lists, and its word."""


def _of_plan(document: Mapping[str, Any]) -> str:
    results = Counter(
        action["result"]
        for action in document["actions"]
        if action["action"] != "none" and "result" in action
    )
    if "result" in (document["actions"] or [{}])[0]:
        if not results:
            return "nothing to do"
        return ", ".join(f"{results[name]} {name}" for name in _RESULTS if results[name])
    summary = document["summary"]
    counts = [f"{summary[name]} to {name}" for name in ("create", "update", "delete")]
    refused = [f"{summary['refused']} refused"] if summary["refused"] else []
    reviewed = [f"fingerprint {mark}"] if (mark := document.get("fingerprint")) else []
    return ", ".join([*counts, f"{summary['unchanged']} unchanged", *refused, *reviewed])


_RESULTS = ("done", "failed", "skipped")


def _of_status(document: Mapping[str, Any]) -> str:
    off = sum(resource["state"] != "in_sync" for resource in document["resources"])
    drift = f"{off} of {len(document['resources'])} not in sync" if off else "in sync"
    stopped = [route["route"] for route in document["delivery"] if not route["ok"]]
    return f"{drift}; cannot deliver: {', '.join(stopped)}" if stopped else drift


def together(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Makes one document of the notifiers' own ones."""
    return {"notifiers": list(documents), "error": None}
