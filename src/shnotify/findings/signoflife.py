"""The part of a rule's pattern that lets in the notifier's own sign of life. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shnotify.formatter import HEARTBEAT


def joined(pattern: Mapping[str, Any], beat: Mapping[str, Any]) -> dict[str, Any]:
    """Widens a pattern of findings by the one of the heartbeat."""
    return {"$or": [dict(pattern), dict(beat)]}


def parted(pattern: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """Takes a pattern apart that `joined` made; any other is of findings alone."""
    ways = pattern.get("$or")
    if set(pattern) == {"$or"} and isinstance(ways, list) and len(ways) == 2:
        for beat, rest in (ways[::-1], ways):
            if beat.get("source") == [HEARTBEAT]:
                return rest, beat
    return pattern, None
