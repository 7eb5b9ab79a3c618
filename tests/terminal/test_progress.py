"""How far a long work is: the bar, the rate, the time left."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from shnotify.engine.events import Advanced, Event
from shnotify.terminal.event_view import bar, event_line
from shnotify.terminal.live import LiveLine


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (Advanced("sending", 0, 40, 0), "sending [--------------------] 0 of 40"),
        (Advanced("sending", 10, 40, 2.5), "sending [#####---------------] 10 of 40, 4.0 a second, about 8 s left"),
        (Advanced("reading", 30, 6000, 10), f"reading [{'-' * 20}] 30 of 6000, 3.0 a second, about 33 min left"),
        (Advanced("reading", 30, 90000, 10), f"reading [{'-' * 20}] 30 of 90000, 3.0 a second, about 8.3 h left"),
        (Advanced("reading", 50, 40, 10), "reading [####################] 50 of 40, 5.0 a second, about 0 s left"),
        (Advanced("reading", 0, 0, 0), "reading [--------------------] 0 of 0"),
        (Advanced("reading", 30, None, 10), "reading [--------------------] 30, 3.0 a second"),
        (Advanced("reading", 30, None, 10, 0.5), f"reading [{'#' * 10}{'-' * 10}] 30, 3.0 a second, about 10 s left"),
    ],
)
def test_the_bar(event: Advanced, shown: str) -> None:
    assert bar(event) == shown


def test_the_line_goes_when_the_work_is_done_and_is_none_without_a_terminal() -> None:
    told: list[Event] = []
    live = LiveLine(Console(file=io.StringIO()).status(""), told.append)
    live.show(Advanced("reading", 1, 2, 1), typing=False)
    assert list(live.doing) == ["reading"]
    live.show(Advanced("reading", 2, 2, 1), typing=False)
    assert (live.doing, told) == ({}, [])
    assert event_line(Advanced("reading", 1, 2, 1), verbose=True) is None
