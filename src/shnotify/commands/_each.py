"""Runs a command for one notifier, or for many side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from shnotify.commands._flow import agree
from shnotify.commands._opening import FIRST, SERVICES, allow, connected, region_for, session
from shnotify.config.several import files_of, load_all
from shnotify.terminal.options import takes_one

if TYPE_CHECKING:
    from shnotify.commands._session import Session, Work
    from shnotify.config.load import Loaded
    from shnotify.terminal.options import Options

AT_ONCE = 16
"""Notifiers at work side by side: AWS's rates allow no more, and each has threads of its own."""


def in_each(
    settings: Options,
    work: Callable[[Session], Work],
    *,
    write: bool = False,
    observes: bool = True,
    besides: frozenset[str] = frozenset(),
    services: tuple[str, ...] = (),
    loads: tuple[str, ...] = (),
    timeout: float = 60,
    at_once: int = AT_ONCE,
    check: Callable[[Sequence[Loaded]], None] = lambda _: None,
) -> int:
    """Runs a command for the notifier of the file, or for those of all files and Regions.

    write, observes, besides, services, loads, timeout  as `session` takes them; many load everything
    at_once  how many notifiers are at work side by side
    check    raises for what the command cannot do with these notifiers

    Returns the exit code, the worst one of several (`notifier.fleet.worst`).
    """
    files = files_of(settings.configs)
    members = load_all(files, settings.region)
    check(members)
    if len(members) == 1:
        with session(
            settings,
            write=write,
            observes=observes,
            besides=besides,
            services=services,
            loads=loads,
            timeout=timeout,
            loaded=members[0],
        ) as run:
            return alone(run, work(run))
    regions = [region_for(member, settings) for member in members]
    region = None if None in regions else regions[0]
    with connected(settings, region=region, allowed=FIRST, timeout=timeout) as told:
        allow(told[0], besides, write=write)
        from shnotify.commands._fleet import Fleet

        asked = (*SERVICES, *services)
        return Fleet(
            members, work, *told, observes=observes, services=asked, apart=write, at_once=at_once
        ).run()


def only_one(members: Sequence[Loaded]) -> None:
    """Raises `UsageError` for several notifiers, as `takes_one` does."""
    takes_one(len(members))


def alone(run: Session, work: Work) -> int:
    """Runs a command for one notifier, and returns its exit code."""
    try:
        question = next(work)
        if question:
            agree(run.screen, question)
        next(work)
    except StopIteration as end:
        return int(end.value)
    raise AssertionError("a command asks once")
