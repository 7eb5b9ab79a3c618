"""Looks at AWS: what it holds of each wanted resource, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from shnotify.aws.failures import AwsError, StopError, UnexpectedError
from shnotify.engine.events import Event, Looking
from shnotify.engine.graph import Graph
from shnotify.engine.plan import Observation
from shnotify.engine.resource import Live, Observed, Resource, Unreadable

if TYPE_CHECKING:
    from shnotify.aws.gateway import Aws


MOST_AT_ONCE = 32
"""Resources that are read side by side: more threads than connections only cost memory."""


_NOT_UNDERSTOOD = (LookupError, TypeError, AttributeError, ValueError)
"""What reading a reply raises in which a field that AWS always sends is missing, or is of another
kind.
"""


class Search(Protocol):
    """Looks for leftovers: `prepare` runs beside the other reads, `find` after them."""

    def prepare(self) -> None: ...

    def find(
        self, wanted: Mapping[str, Observed], /
    ) -> tuple[tuple[Resource, Live[Resource] | Unreadable], ...]: ...


def observe(
    graph: Graph,
    aws: Aws,
    report: Callable[[Event], None],
    *,
    shallow: bool = False,
    find: Search | None = None,
    beside: Callable[[], None] = lambda: None,
) -> Observation:
    """Reads what AWS holds of each resource of the graph.

    report   receives what is told meanwhile
    shallow  only whether it exists and whose it is
    find     looks for what is left over, given the rest; None: nobody looks
    beside   starts further questions of the same observation, and waits for none of them

    Raises `StopError` when no call can succeed; any other refusal becomes `Unreadable`.
    """
    aws.forget()
    report(Looking(len(graph.resources)))
    beside()
    known = graph.known()

    def look(resource: Resource) -> Observed:
        try:
            target = resource.resolved(known)
            return target.identify(aws) if shallow else target.read(aws)
        except StopError:
            raise
        except AwsError as error:
            error.resource = resource.id
            return Unreadable(error)
        except _NOT_UNDERSTOOD as error:
            return Unreadable(UnexpectedError(error, resource.id))

    # One for the search; the subscribers of a topic share one list, so that a thousand of them need
    # no thread each.
    pool = ThreadPoolExecutor(
        min(len(graph.resources), MOST_AT_ONCE) + 1, thread_name_prefix="observe"
    )
    try:
        prepared = pool.submit(find.prepare) if find else None
        futures = {r.id: pool.submit(look, r) for r in graph}
        wanted = {resource_id: aws.in_time(future) for resource_id, future in futures.items()}
        if find is None or prepared is None:
            return Observation(wanted)
        try:
            aws.in_time(prepared)
            return Observation(wanted, aws.in_time(pool.submit(find.find, wanted)))
        except StopError:
            raise
        except AwsError as error:
            return Observation(wanted, unsearched=Unreadable(error))
        except _NOT_UNDERSTOOD as error:
            return Observation(wanted, unsearched=Unreadable(UnexpectedError(error)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
