"""The table of a roll-out that goes on."""

from __future__ import annotations

from shnotify.commands._rollout_view import Following, table
from shnotify.export.rollout import Progress
from shnotify.export.stackset import Action, Instance
from shnotify.terminal.screen import Screen


def stack(number: int, status: str, reason: str = "") -> Instance:
    return Instance(f"{number:012}", "eu-west-1", status, reason)


def test_what_failed_stands_first_and_the_rest_is_counted() -> None:
    stacks = [stack(n, "SUCCEEDED") for n in range(5000)] + [stack(7000, "FAILED", "no room"), stack(6000, "RUNNING")]
    assert table(stacks, rows=3) == [
        "  000000007000 eu-west-1       failed: no room",
        "  000000006000 eu-west-1       running",
        "  000000000000 eu-west-1       succeeded",
        "  and 4,999 more",
    ]


def test_it_is_drawn_in_place_on_a_terminal() -> None:
    drawn: list[list[object]] = []
    action = Action("create", ("1" * 12,), ("eu-west-1",))
    Following(Screen(), drawn.append).show(Progress(action, "RUNNING", 0, 0, 1, (stack(1, "RUNNING"),)))  # type: ignore[arg-type]
    assert drawn == [
        [
            "create: running, 0 of 1 stacks done, 0 failed",
            "  000000000001 eu-west-1       running",
            "  Ctrl-C is safe: AWS goes on.",
        ]
    ]
