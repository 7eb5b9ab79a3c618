"""Time zones by their names in the tz database: is a name one, and which one was meant.

Knows no field of the file.
"""

from __future__ import annotations

import re

_BY_ABBREVIATION = {
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "HKT": "Asia/Hong_Kong",
    "SGT": "Asia/Singapore",
    "IST": "Asia/Kolkata",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
    "NZST": "Pacific/Auckland",
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "EEST": "Europe/Athens",
    "WEST": "Europe/Lisbon",
    "MSK": "Europe/Moscow",
    "BRT": "America/Sao_Paulo",
    "EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "AKST": "America/Anchorage",
}
"""What people call a zone that the tz database does not know by this name.

EST, MST and CET it knows.
"""
_NAME = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
_OTHER_TREES = ("posix/", "right/", "localtime", "posixrules")
"""Files beside the zones, on some machines only: the formatter function may lack them."""


def time_zone_problem(name: str) -> str | None:
    """Says why this is not a time zone, with the zone that was probably meant, or returns None.

    The whole database is read only for a suggestion. A machine without any database takes every
    well-formed name.
    """
    if name.startswith(_OTHER_TREES):
        return "is no time zone such as Asia/Tokyo"
    if _exists(name):
        return None
    from zoneinfo import available_timezones

    known = available_timezones()
    if not known and _NAME.fullmatch(name):
        return None
    meant = _meant(name, known)
    return (
        f"is no time zone; did you mean {meant}?" if meant else "is no time zone such as Asia/Tokyo"
    )


def _exists(name: str) -> bool:
    if (
        name == "UTC"
    ):  # the most frequent one; `zoneinfo` takes as long to load as ten files of ours
        return True
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (
        KeyError,
        ValueError,
        OSError,
    ):  # OSError: a directory, or a name that is too long for a file
        return False
    return True


def _meant(name: str, known: set[str]) -> str | None:
    from difflib import get_close_matches

    if name.upper() in _BY_ABBREVIATION:
        return _BY_ABBREVIATION[name.upper()]
    wanted = name.lower().replace(" ", "_")
    for zone in sorted(known):
        if wanted in (zone.lower(), zone.lower().rpartition("/")[2]):
            return zone
    near = get_close_matches(name, sorted(known), 1)
    return near[0] if near else None
