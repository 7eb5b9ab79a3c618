"""Text with styles, as rich shows it and without rich."""

from __future__ import annotations

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text as RichText

from shnotify.terminal.styled import Text

PRINTED = st.text(st.characters(exclude_categories=["Cc"]), max_size=8)
"""What a screen prints is escaped before: rich drops control characters."""
PARTS = st.lists(PRINTED | st.tuples(PRINTED, st.sampled_from(["", "red", "bold"])), max_size=4)


@given(PARTS)
def test_rich_shows_the_same_text_and_styles(parts: list[str | tuple[str, str]]) -> None:
    text = Text.assemble(*parts)
    assert text.__rich__() == RichText.assemble(*parts)
    assert text.plain == text.__rich__().plain


def test_the_first_style_of_its_parts_is_its_style() -> None:
    assert Text("a", "red").style == "red"
    assert Text.assemble("a", ("b", "bold"), ("c", "red")).style == "bold"
    assert Text("a").style == Text().style == ""


def test_what_a_command_prints_into_a_pipe_needs_no_rich() -> None:
    code = (
        "import sys\n"
        "from shnotify.commands import apply, destroy, doctor, plan, status, why\n"
        "from shnotify.terminal import chain_view, event_view, plan_view, results_view, screen\n"
        "one = screen.Screen()\n"
        "with one.progress() as show, one.block() as draw:\n"
        "    one.result(plan_view.Text('told', 'red'))\n"
        "assert draw is None\n"
        "assert not {'rich'} & sys.modules.keys()\n"
    )
    env = {**os.environ, "SHNOTIFY_LANG": "en"}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "told\n", "")
