"""The sample events of tests/data, and text that breaks things."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from shnotify.findings.pattern import FIELDS

DATA = Path(__file__).parents[1] / "data"
NAMES = sorted(path.stem for path in DATA.glob("*.json"))


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return event


def finding(name: str) -> dict[str, Any]:
    found: dict[str, Any] = sample(name)["detail"]["findings"][0]
    return found


def filters(exclude: dict[str, Any] | None = None, **fields: Any) -> Any:
    """`findings` of a route: nothing filtered but what is given."""
    none = dict.fromkeys(FIELDS)
    return SimpleNamespace(**(none | fields), exclude=SimpleNamespace(**(none | (exclude or {}))))


def defaults(exclude: dict[str, Any] | None = None, **fields: Any) -> Any:
    """The contract's defaults, and what is given."""
    base = {"severity": ("CRITICAL", "HIGH"), "workflow_status": ("NEW",), "record_state": ("ACTIVE",)}
    return filters(exclude, **(base | fields))


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet='"\\\n\r\t\x00\x1b\u2028\u202e\u200f{}<>é👩‍👩‍👧🇯🇵\u0301가\ud800', max_size=40),
    st.sampled_from(
        [
            '"',
            "\\",
            "\n",
            "a\r\nb",
            "x" * 1024,
            "👩‍👩‍👧‍👦" * 200,
            "e\u0301" * 512,
            "\u202egpj.exe",
            "{title}",
            "<severity_cspm>",
        ]
    ),
)


def replace_texts(node: Any, text: str, keep: frozenset[tuple[str, ...]], path: tuple[str, ...] = ()) -> Any:
    """A copy with every text replaced, except below the paths to keep (array indices are no part of a path)."""
    if path in keep:
        return copy.deepcopy(node)
    if isinstance(node, dict):
        return {key: replace_texts(value, text, keep, (*path, key)) for key, value in node.items()}
    if isinstance(node, list):
        return [replace_texts(item, text, keep, path) for item in node]
    return text if isinstance(node, str) else node
