"""How judgements are put into words and plain data. Pure."""

from __future__ import annotations

from typing import Any

from shnotify.aws.failures import AwsError, DeniedError
from shnotify.engine.health import Link
from shnotify.notifier.preconditions import NO_SUCH_OPERATION


def needs_of(error: AwsError) -> tuple[str, ...]:
    """Names the permission that was missing; none when another thing than a permission was."""
    denied = isinstance(error, DeniedError) and error.operation
    return (str(error.operation),) if denied else ()


def unread(link: str, what: str, error: AwsError, resource: str | None = None) -> Link:
    """Makes the judgement on a link that could not be looked at."""
    why = f"{what} could not be read: {error.message}"
    if error.code in NO_SUCH_OPERATION:
        why = f"{what} could not be read: whoever answers here is not AWS and has no {error.operation}"
    return Link(link, "unknown", why, needs=needs_of(error), resource=resource)


def plain(value: Any) -> Any:
    """Turns mappings and tuples into plain data for JSON."""
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(item) for item in value]
    return value


def link_json(link: Link, route: str | None, **more: Any) -> dict[str, Any]:
    """Returns a judgement as plain data.

    route  the route it is about; None when there is none, or more than one
    more   what else is told, after the route
    """
    return {
        "id": link.id,
        "route": route,
        **more,
        "resource": link.resource,
        "verdict": link.verdict,
        "why": link.why,
        "mend": link.mend,
        "evidence": plain(link.evidence),
        "needs": list(link.needs),
    }
