"""Time zones: names that are one, what was meant by others, and no reading of the whole database for a right name."""

from __future__ import annotations

import zoneinfo

import pytest

from shnotify.schema.timezones import time_zone_problem


@pytest.mark.parametrize("name", ["UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "Etc/GMT+9", "EST", "CET"])
def test_a_time_zone_is_one_and_the_others_are_not_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> set[str]:
        raise AssertionError("the whole database is read")

    monkeypatch.setattr(zoneinfo, "available_timezones", refuse)
    assert time_zone_problem(name) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("JST", "Asia/Tokyo"),
        ("jst", "Asia/Tokyo"),
        ("PST", "America/Los_Angeles"),
        ("CEST", "Europe/Berlin"),
        ("IST", "Asia/Kolkata"),
        ("Tokyo", "Asia/Tokyo"),
        ("asia/tokyo", "Asia/Tokyo"),
        ("New York", "America/New_York"),
        ("Asia/Tokio", "Asia/Tokyo"),
    ],
)
def test_what_was_meant_is_told(name: str, meant: str) -> None:
    assert time_zone_problem(name) == f"is no time zone; did you mean {meant}?"


@pytest.mark.parametrize("name", ["", "Asia", "../UTC", "/etc/localtime", "posix/UTC", "x" * 300, "a\0b", "%%%%"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    assert (time_zone_problem(name) or "").startswith("is no time zone")


def test_without_a_database_a_well_formed_name_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError

    monkeypatch.setattr(zoneinfo, "ZoneInfo", nothing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert time_zone_problem("Asia/Tokyo") is None
    assert time_zone_problem("Asia Tokyo") == "is no time zone such as Asia/Tokyo"
