"""How a command that talks to AWS begins: the file, the gateway, and the questions that need nothing
else.

Only what these need is imported here: the rest of the program is loaded while AWS answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from shnotify.aws.gateway import Aws
from shnotify.config.load import load_file
from shnotify.config.several import one_of
from shnotify.errors import UsageError
from shnotify.resources.keylookup import ask_early
from shnotify.schema.regions import region_problem
from shnotify.terminal.screen import Screen

if TYPE_CHECKING:
    from shnotify.commands._session import Session
    from shnotify.config.load import Loaded
    from shnotify.engine.events import Event
    from shnotify.terminal.options import Options

SERVICES = ("sts", "kms", "sns", "sqs", "events", "resourcegroupstaggingapi")
"""What every command asks, in the order in which it is asked."""
FIRST = frozenset({"sts:GetCallerIdentity", "kms:DescribeKey"})
"""What a command that only reads may send before its own operations are known."""


@contextmanager
def connected(
    settings: Options,
    *,
    region: str | None = None,
    allowed: frozenset[str] | None,
    timeout: float = 60,
) -> Iterator[tuple[Aws, Screen, Callable[[Event], None]]]:
    """Connects to AWS, with a screen that shows what happens meanwhile.

    allowed  the operations that can be sent; None: every one
    """
    screen = Screen(json_output=settings.json, verbose=settings.verbose, no_color=settings.no_color)
    with screen.progress() as report:
        aws = Aws(
            region=region or settings.region,
            profile=settings.profile,
            allowed=allowed,
            timeout=settings.timeout or timeout,
            report=report,
        )
        yield aws, screen, report


@contextmanager
def session(
    settings: Options,
    *,
    write: bool = False,
    observes: bool = True,
    besides: frozenset[str] = frozenset(),
    services: tuple[str, ...] = (),
    loads: tuple[str, ...] = (),
    timeout: float = 60,
    loaded: Loaded | None = None,
) -> Iterator[Session]:
    """Loads the file, then asks AWS who we are.

    Raises before any other call when the account is not the file's.

    write     whether every operation may be sent; else only reads, and those in `besides`
    observes  whether the command looks at the notifier's own things (`needs`): the keys are asked first
    besides   the operations that may be sent besides the reads
    services  what the command asks besides `SERVICES`
    loads     modules that the command needs: they are loaded while AWS answers
    loaded    the file, when it is loaded already
    """
    loaded = loaded or one_of(load_file(settings.config), settings.region)
    region = region_for(loaded, settings)
    allowed = None if write else FIRST
    with connected(settings, region=region, allowed=allowed, timeout=timeout) as told:
        aws, screen, report = told
        aws.ask_who()
        if observes and not loaded.config.account:
            ask_early(aws, loaded.config.own_aliases)
        aws.prepare(*SERVICES, *services)
        allow(aws, besides, write=write)
        from shnotify.commands._session import opened

        for name in loads:
            import_module(name)
        yield opened(loaded, aws, screen, report)


def allow(aws: Aws, besides: frozenset[str], *, write: bool) -> None:
    """Lets through what the command may send from now on."""
    from shnotify.resources.kinds import READS

    aws.allowed = None if write else READS | besides


def region_for(loaded: Loaded, settings: Options) -> str | None:
    """Returns the Region that the file names, or None. Raises `UsageError` when `--region` is
    another.
    """
    if settings.region and (problem := region_problem(settings.region)):
        raise UsageError(f"--region {settings.region}: {problem}", hint="nothing was asked of AWS")
    region = loaded.config.region
    if region and settings.region and region != settings.region:
        raise UsageError(
            f"the file says region {region}, --region says {settings.region}: they must agree"
        )
    return region
