"""Every link of the chain in docs/troubleshooting.md and docs/ja/troubleshooting.md: how it looks when it is not right.

`DOCS=write pytest tests/docs/test_links.py` records the outputs anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shnotify.engine.health import LINKS
from shnotify.terminal import language
from tests.conftest import Cases, Ran, World
from tests.support.breakages import FORMAT, WHOLE, stack
from tests.support.broken_stacks import BROKEN

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"en": DOCS / "troubleshooting.md", "ja": DOCS / "ja" / "troubleshooting.md"}
ARGUMENTS = {"en": ("doctor",), "ja": ("doctor", "--lang", "ja")}
SHOWN = {
    "credentials": "expired",
    "hub": "Security Hub is off",
    "home-region": "another Region is the home",
    "aggregation": "there is none",
    "duplicates": "one finding for each standard",
    "rule": "disabled",
    "pattern": "only CRITICAL",
    "target": "none",
    "transformer": "no JSON",
    "formatter": "nobody may invoke it",
    "topic-policy": "only the default statement",
    "topic-key": "limited by aws:SourceAccount",
    "queue": "the target names none",
    "queue-policy": "for another rule",
    "queue-key": "only the root",
    "subscribers": "nobody has confirmed",
    "filter-policy": "on attributes",
    "unsubscribe": "one click ends it for all",
    "undelivered-mail": "no queue",
    "invocations": "failed",
    "mail-failures": "not delivered",
    "queue-depth": "messages wait",
    "watchdog": "no alarm",
}
"""Link -> which of its broken stacks the pages show."""
CHANGING = {
    r"urgent:[0-9a-f-]{36}": "urgent:1234abcd",
    r"key/[0-9a-f-]{36}": "key/1234abcd",
    r"\d{4}-\d\d-\d\d \d\d:\d\d UTC": "2026-01-31 09:30 UTC",
}


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    language.choose([], {})


def block(name: str) -> re.Pattern[str]:
    """What a page shows of a link."""
    return re.compile(rf"(<!-- link: {name} -->\n```console\n)(.*?)(```)", re.DOTALL)


def about(name: str, ran: Ran) -> str:
    """The paragraph of an output that says what is not right with a link."""
    if name == "credentials":  # nothing else can be said
        return ran.err.strip("\n")
    paragraphs = re.split(r"\n{2,}", ran.out)
    return next(one.strip("\n") for one in paragraphs if re.match(rf"  \S+ +{name}( \(|\n)", one))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("mode", FORMAT)
def test_a_link_looks_as_the_page_shows(world: World, mode: str, page: str, cases: Cases) -> None:
    found, path = stack(world, mode), PAGES[page]
    some = [one for one in BROKEN if SHOWN[one.link] == one.what and one.modes[0] == mode]
    for one in some:
        found.edits = [WHOLE, one.edits]
        told = about(one.link, world.text(*ARGUMENTS[page]))
        for changing, kept in CHANGING.items():
            told = re.sub(changing, kept, told)
        rest = "" if one.link == "credentials" else "...\n"
        shown = f"$ shnotify {' '.join(ARGUMENTS[page])}\n{rest}{told}\n{rest}"
        text = path.read_text(encoding="utf-8")
        if os.environ.get("DOCS") == "write":
            (recorded,) = block(one.link).findall(text)
            text = text.replace("".join(recorded), recorded[0] + shown + recorded[2])
            path.write_text(text, encoding="utf-8")
        (recorded,) = block(one.link).findall(text)
        assert recorded[1] == shown
    cases(len(some))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_is_there_in_the_order_of_the_chain(page: str) -> None:
    text = PAGES[page].read_text(encoding="utf-8")
    assert tuple(re.findall(r"^### `([a-z-]+)`$", text, re.MULTILINE)) == LINKS
    assert tuple(re.findall(r"<!-- link: ([a-z-]+) -->", text)) == LINKS
    assert tuple(SHOWN) == LINKS
