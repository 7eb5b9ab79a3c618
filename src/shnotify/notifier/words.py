"""How a judgement says that a read was refused. Pure."""

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
