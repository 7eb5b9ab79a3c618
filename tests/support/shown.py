"""Whether what a document shows is what is printed."""

from __future__ import annotations


def shown_in(block: str, printed: str) -> None:
    """Every line of the block was printed, in this order; `...` stands for lines that are left out."""
    at = 0
    lines = printed.splitlines()
    for line in block.splitlines():
        if line == "...":
            continue
        assert line in lines[at:], f"not printed any more: {line!r}"
        at = lines.index(line, at) + 1
