"""`docs/fault-rows.md`: every row of the fault list is there, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path


def test_the_table_has_every_row_and_names_tests_that_exist() -> None:
    here = Path(__file__).parents[1]
    table = (here.parent / "docs" / "fault-rows.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in table.splitlines() if re.match(r"\| [0-9]", line)]
    numbers = [
        n
        for row in rows
        for first, _, last in [row[0].removeprefix("| ").partition("-")]
        for n in range(int(first), int(last or first) + 1)
    ]
    assert numbers == list(range(1, 107))
    for file, name in re.findall(r"`([\w/]+)::(test_\w+)`", table):
        assert f"def {name}(" in (here / f"{file}.py").read_text(encoding="utf-8"), f"{file}::{name}"
    assert not re.findall(r"`(?:\w+/)?test_\w+`", table)
