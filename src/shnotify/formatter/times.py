"""Times as people read them, in a time zone of their choice."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import zoneinfo

_UTC = dt.UTC


def parse(text: str) -> dt.datetime | None:
    """ISO 8601, or milliseconds since 1970 (OCSF's `time_t`); None when it is neither."""
    try:
        if text.lstrip("-").isdecimal():
            return dt.datetime.fromtimestamp(int(text) / 1000, _UTC)
        moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=_UTC)


def shown(text: str, time_zone: str) -> str:
    """`2026-01-01 09:00:00 +09:00 (Asia/Tokyo)`; what is no time stays as it is."""
    moment = parse(text)
    if moment is None:
        return text
    zone = _zone(time_zone)
    name = time_zone if zone is not _UTC else "UTC"
    try:
        local = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return text
    written = local.isoformat(" ", "seconds")
    return f"{written[:19]} {written[19:]} ({name})"


def local(moment: dt.datetime, time_zone: str) -> dt.datetime:
    """The moment by the clocks of a time zone."""
    return moment.astimezone(_zone(time_zone))


@functools.cache
def _zone(name: str) -> dt.tzinfo:
    """The zone; UTC when this machine does not know it, because a mail in another zone beats no
    mail.

    The Lambda runtime may come without a time zone database; the dateutil that boto3 brings along
    has one.
    """
    if name == "UTC":
        return _UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    try:
        zone = importlib.import_module("dateutil.zoneinfo").get_zonefile_instance().get(name)
    except ImportError:
        return _UTC
    return zone if isinstance(zone, dt.tzinfo) else _UTC
