"""Events whose free text is anything, and what is known of the rules that take them."""

from __future__ import annotations

import copy
import random
from typing import Any

from shnotify.findings.guards import BREAKING, Guard
from shnotify.mail.fields import FIELDS
from tests.support.samples import sample

SAMPLES = {"cspm": "cspm-control-s3", "hub": "hub-compliance-create"}
TEXTS = [name for name, field in FIELDS.items() if field.text]
OTHER_CONTROLS = frozenset(map(chr, range(32))) - {*BREAKING}
"""What breaks a mail and no pattern of this size can name."""
PIECES = [
    *BREAKING,
    *"<>&{}*?$",
    "<severity>",
    "\\n",
    "\\u0022",
    '"}',
    "é",
    "日本",
    "\u202e",
    "\u2028",
    "👩‍👩‍👧",
    "\ud800",
    "a",
    " ",
]


def text(rng: random.Random) -> str:
    """Text in which each second one holds something that breaks a template."""
    if rng.random() < 0.3:
        return rng.choice(["", "plain", "arn:aws:s3:::b", "x" * 300, "a*b", "**", "O'Neil & sons <a@b>"])
    pieces = PIECES if rng.random() < 0.7 else PIECES[len(BREAKING) :]
    return "".join(rng.choice(pieces) for _ in range(rng.randint(1, 12)))


def names(schema: str) -> list[str]:
    return [name for name in TEXTS if FIELDS[name].path(schema)]


def event(schema: str, values: dict[str, Any]) -> dict[str, Any]:
    """The sample of a schema with these values of text fields; None takes the field away."""
    found = copy.deepcopy(sample(SAMPLES[schema]))
    for name, value in values.items():
        node: Any = found["detail"]["findings"][0]
        *parents, leaf = FIELDS[name].guard(schema).path
        for parent in parents:
            node = node[parent]
            node = node[0] if isinstance(node, list) else node
        node[leaf] = value
        if value is None:
            del node[leaf]
    return found


def is_odd(guards: tuple[Guard, ...], found: dict[str, Any]) -> bool:
    """Whether some guarded field cannot be put into a mail, read without any pattern."""
    return any(_broken(guard, _values(found["detail"]["findings"], guard.path)) for guard in guards)


def _broken(guard: Guard, values: list[Any]) -> bool:
    if not values:
        return guard.required
    return any(character in str(value) for value in values for character in BREAKING)


def _values(node: Any, path: tuple[str, ...]) -> list[Any]:
    if isinstance(node, list):
        return [value for item in node for value in _values(item, path)]
    if not path:
        return [node]
    return _values(node[path[0]], path[1:]) if isinstance(node, dict) and path[0] in node else []
