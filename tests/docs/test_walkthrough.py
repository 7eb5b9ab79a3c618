"""From an empty account to a test mail that arrived, as the README says it; the pages hold what was printed.

`WALK=write pytest tests/docs/test_walkthrough.py` records the pages anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {"en": DOCS / "walkthrough.md", "ja": DOCS / "ja" / "walkthrough.md"}
_TRANSCRIPT = re.compile(r"(?<=```console\n)\$ shnotify init.*?(?=```\n)", re.DOTALL)


def same_everywhere(text: str) -> str:
    """The text without what differs from run to run: times, ids, fingerprints."""
    text = re.sub(r"(?<=  )\d+\.\d(?= s\b)", "0.1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "2026-01-15 03:21\\1", text)
    text = re.sub(r"(?<=:21):\d\d", ":50", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", text)
    return re.sub(r"\b[0-9a-f]{64}\b", "0123456789abcdef" * 4, text)


@pytest.mark.full
@pytest.mark.parametrize("lang", PAGES)
def test_the_whole_way(lang: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = ("HOME", "TMPDIR", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    ran = subprocess.run(
        ["bash", str(DOCS / "walkthrough.sh")],
        env={**environment, "PATH": path, "SHNOTIFY_LANG": lang, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = same_everywhere(ran.stdout)
    page = PAGES[lang].read_text("utf-8")
    if os.environ.get("WALK") == "write":
        page = _TRANSCRIPT.sub(lambda _: printed, page)
        PAGES[lang].write_text(page, encoding="utf-8")
    found = _TRANSCRIPT.search(page)
    assert found
    assert found[0] == printed


@pytest.mark.parametrize("lang", PAGES)
def test_the_page_has_the_scripts_commands(lang: str) -> None:
    """The quick half: what is typed on the page is what the script types."""
    script = (DOCS / "walkthrough.sh").read_text("utf-8")
    typed = re.findall(r"^run shnotify (\w+)", script, re.MULTILINE)
    shown = re.findall(r"^\$ shnotify (\w+)", PAGES[lang].read_text("utf-8"), re.MULTILINE)
    assert shown == typed
