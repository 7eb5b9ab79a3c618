"""What takes from the queues that a rule feeds: Lambda's event source mappings (with-sqs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shnotify.arns import name_in
from shnotify.aws.failures import AwsError, StopError
from shnotify.aws.gateway import Aws
from shnotify.engine.health import Link
from shnotify.frozen import frozen
from shnotify.notifier.words import unread
from shnotify.resources.lookup import mappings_of

_OFF = ("Disabled", "Disabling")
_GONE = ("Deleting",)


@frozen
class Taker:
    """One event source mapping of a queue.

    function  the ARN of the function that gets the messages
    filtered  whether a filter throws messages away (invocation-eventfiltering)
    """

    uuid: str
    function: str
    state: str
    filtered: bool


@frozen
class Takers:
    """All of one queue. `error`: why they could not be read, or None."""

    all: tuple[Taker, ...] = ()
    error: AwsError | None = None


def takers_of(aws: Aws, queues: Iterable[str]) -> dict[str, Takers]:
    """Reads what takes from each queue, by the queue's ARN."""
    asked = {queue: aws.start(mappings_of, aws, queue) for queue in dict.fromkeys(queues)}
    found = {}
    for queue, future in asked.items():
        try:
            mappings = aws.in_time(future)
            found[queue] = Takers(tuple(_takers(mappings)))
        except StopError:
            raise
        except AwsError as error:
            found[queue] = Takers(error=error)
    return found


def _takers(mappings: Iterable[Mapping[str, Any]]) -> Iterator[Taker]:
    for one in mappings:
        state = str(one.get("State", ""))
        if state not in _GONE:
            filters = (one.get("FilterCriteria") or {}).get("Filters")
            function = str(one.get("FunctionArn", ""))
            yield Taker(str(one.get("UUID", "")), function, state, bool(filters))


def taker_links(
    queue: str, takers: Takers, function: str, same: frozenset[str]
) -> tuple[Link, ...]:
    """Judges whether what lies in a queue comes to a function.

    same  the functions that mail to the same topic: it does not matter which of them gets it
    """
    name = f"queue {name_in(queue)}"
    if takers.error:
        return (unread("formatter", f"what takes from {name}", takers.error, name),)
    mine = [one for one in takers.all if one.function == function]
    evidence = {"queue": queue, "mappings": {one.uuid: one.state for one in mine}}
    called = function.partition(":function:")[2]
    if all(one.state in _OFF for one in mine):
        why = (
            f"{name}: its event source mapping to {called} is {mine[0].state.lower()}: "
            "findings wait in the queue and are not mailed"
        )
        mend = f"aws lambda update-event-source-mapping --enabled --uuid {mine[0].uuid}"
        return (Link("formatter", "broken", why, mend, evidence, resource=name),)
    found = []
    if any(one.filtered for one in mine):
        why = f"{name}: Lambda throws away what the filter of its event source mapping does not let through"
        found.append(Link("formatter", "unknown", why, evidence=evidence, resource=name))
    others = [one for one in takers.all if one.function not in same and one.state not in _OFF]
    if others:
        names = ", ".join(sorted({one.function.partition(":function:")[2] for one in others}))
        why = f"{name}: {names} takes findings from it too: those do not come to {called}"
        found.append(Link("formatter", "broken", why, evidence=evidence, resource=name))
    return tuple(found) or (Link("formatter", "ok", evidence=evidence, resource=name),)
