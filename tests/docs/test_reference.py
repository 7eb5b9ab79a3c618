"""The reference pages say what the tool says. `DOCS=write pytest tests/docs/test_reference.py` writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import documents

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": documents.fields,
    "commands.md": documents.commands,
    "policies.md": documents.statements,
    "ja/commands.md": lambda: documents.commands("ja"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_tool_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    path, text = DOCS / name, PAGES[name]()
    if os.environ.get("DOCS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
