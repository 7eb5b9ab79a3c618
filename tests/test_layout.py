"""The tests mirror the rooms, stand alone, and are short enough to read."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
ROOMS = TESTS.parent / "src" / "shnotify"
MOST_LINES = 500


def texts() -> dict[str, str]:
    found = {str(path.relative_to(TESTS)): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    assert len(found) > 50
    return found


def test_every_room_has_its_tests() -> None:
    rooms = {path.name for path in ROOMS.iterdir() if (path / "__init__.py").exists()}
    assert rooms - {path.name for path in TESTS.iterdir() if path.is_dir()} == set()


def test_no_file_is_a_maze() -> None:
    assert [name for name, text in texts().items() if text.count("\n") > MOST_LINES] == []


def test_no_test_file_lends_anything_to_another() -> None:
    lending = re.compile(r"^(?:from tests\.[\w.]*test_\w+ import|from tests[\w.]* import .*\btest_)", re.MULTILINE)
    assert [name for name, text in texts().items() if lending.search(text)] == []


def test_no_test_asserts_wall_time() -> None:
    """A busy machine is no failure; benchmarks measure, and pytest's own timeout is for hangs."""
    timed = re.compile(r"assert .*(?:monotonic|perf_counter|process_time|thread_time)\(\)")
    assert [name for name, text in texts().items() if timed.search(text)] == []
