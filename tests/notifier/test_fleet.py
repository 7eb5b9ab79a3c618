"""What many notifiers end with together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shnotify.notifier.fleet import in_a_line, worst

CODES = [1, 129, 130, 143, 2, 4, 3, 0]


@given(st.lists(st.sampled_from(CODES), min_size=1))
def test_the_worst_code_is_told(codes: list[int]) -> None:
    assert worst(codes) == min(codes, key=CODES.index)


def test_none_at_all_is_well() -> None:
    assert worst([]) == 0


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"error": {"message": "no"}, "actions": []}, "FAILED: no"),
        ({"routes": ["a", "b"]}, "valid, 2 routes"),
        ({"links": [{"id": "hub", "verdict": "broken"}, {"id": "rule", "verdict": "ok"}]}, "broken: hub"),
        ({"links": [{"id": "rule", "verdict": "unknown"}]}, "nothing broken"),
        ({"actions": [{"action": "none", "result": "done"}], "error": None}, "nothing to do"),
        (
            {"actions": [{"action": "create", "result": "done"}, {"action": "create", "result": "failed"}]},
            "1 done, 1 failed",
        ),
        (
            {"resources": [{"state": "drifted"}], "delivery": [{"route": "urgent", "ok": False}]},
            "1 of 1 not in sync; cannot deliver: urgent",
        ),
    ],
)
def test_a_document_in_one_line(document: dict[str, object], line: str) -> None:
    assert in_a_line(document) == line
