"""EventBridge's matching once more, written from its documentation in another way, and pairs to compare with.

Where `shnotify.match` walks the pattern, this expands it into plain alternatives, and turns each entry into a test on a
value's text.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import socket
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Test = Callable[[str], bool]


def agrees(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether the pattern matches, by this reading."""
    values: dict[str, list[str]] = {}
    collect(event, [], values)
    return any(
        all(holds(entries, values.get(name, [])) for name, entries in alternative)
        for alternative in expand(pattern, [])
    )


def collect(node: Any, path: list[str], values: dict[str, list[str]]) -> None:
    """Text of a value: `s:` and the text itself, or `j:` and the JSON of anything else."""
    if isinstance(node, dict):
        for key in node:
            collect(node[key], [*path, key], values)
    elif isinstance(node, list):
        for item in node:
            collect(item, path, values)
    else:
        values.setdefault(".".join(path), []).append(written(node))


def written(value: Any) -> str:
    return f"s:{value}" if isinstance(value, str) else f"j:{json.dumps(value)}"


def expand(pattern: dict[str, Any], path: list[str]) -> list[list[tuple[str, list[Any]]]]:
    """All ways to satisfy the pattern: each a list of (field, entries), all of which must hold."""
    factors: list[list[list[tuple[str, list[Any]]]]] = []
    for key, value in pattern.items():
        if key == "$or":
            factors.append([way for branch in value for way in expand(branch, path)])
        elif isinstance(value, dict):
            factors.append(expand(value, [*path, key]))
        else:
            factors.append([[(".".join([*path, key]), value)]])
    return [list(itertools.chain(*ways)) for ways in itertools.product(*factors)]


def holds(entries: list[Any], values: list[str]) -> bool:
    for entry in entries:
        if isinstance(entry, dict) and "exists" in entry:
            if entry["exists"] == (len(values) > 0):
                return True
        elif any(map(test_for(entry), values)):
            return True
    return False


def test_for(entry: Any) -> Test:
    if not isinstance(entry, dict):
        return lambda text: text == written(entry)
    name, operand = next(iter(entry.items()))
    if name == "anything-but":
        parts = operand if isinstance(operand, dict) else {"": operand}
        kind, listed = next(iter(parts.items()))
        tests = [test_for({kind: one} if kind else one) for one in (listed if isinstance(listed, list) else [listed])]
        return lambda text: not any(test(text) for test in tests)
    if name == "numeric":
        return lambda text: number(text, operand)
    if name == "cidr":
        return lambda text: inside(text, operand)
    return regex(name, operand)


test_for.__test__ = False  # type: ignore[attr-defined]


def regex(name: str, operand: Any) -> Test:
    flags = re.DOTALL
    if isinstance(operand, dict):
        operand, flags = operand["equals-ignore-case"], flags | re.IGNORECASE
    if name == "equals-ignore-case":
        flags |= re.IGNORECASE
    middle = re.escape(operand)
    if name == "wildcard":
        middle, position = "", 0
        while position < len(operand):
            escaped = operand[position] == "\\"
            position += escaped
            middle += ".*" if operand[position] == "*" and not escaped else re.escape(operand[position])
            position += 1
    middle = {"prefix": f"{middle}.*", "suffix": f".*{middle}"}.get(name, middle)
    compiled = re.compile(f"s:{middle}", flags)
    return lambda text: text.startswith("s:") and compiled.fullmatch(text) is not None


def number(text: str, terms: list[Any]) -> bool:
    if not re.fullmatch(r"j:-?[0-9].*", text):
        return False
    value = Decimal(text[2:])
    if not Decimal("-5e9") <= value <= Decimal("5e9"):
        return False
    for sign, limit in zip(terms[::2], terms[1::2], strict=True):
        order = (value > Decimal(str(limit))) - (value < Decimal(str(limit)))
        if order not in {"=": (0,), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}[sign]:
            return False
    return True


def inside(text: str, network: str) -> bool:
    base, bits = network.split("/")
    try:
        family = socket.AF_INET6 if ":" in base else socket.AF_INET
        address, start = socket.inet_pton(family, text[2:]), socket.inet_pton(family, base)
    except (OSError, ValueError):
        return False
    rest = len(start) * 8 - int(bits)
    return text.startswith("s:") and int.from_bytes(address) >> rest == int.from_bytes(start) >> rest


def kind(entry: Any) -> str:
    """The operator of an entry, with what it is of, or the type of a plain value."""
    if not isinstance(entry, dict):
        return "an empty text" if entry == "" else type(entry).__name__
    name, operand = next(iter(entry.items()))
    if isinstance(operand, dict):
        inner, operand = next(iter(operand.items()))
        return f"{name} {inner}{' list' if isinstance(operand, list) else ''}"
    if name == "anything-but":
        first = operand[0] if isinstance(operand, list) else operand
        return f"{name} {'text' if isinstance(first, str) else 'number'}{' list' if operand is not first else ''}"
    return f"{name} {operand}" if name == "exists" else name


def tally(pattern: dict[str, Any], event: dict[str, Any], counts: Counter[tuple[str, bool]]) -> None:
    """Counts how often each kind of entry met a field that it took, and one that it did not."""
    values: dict[str, list[str]] = {}
    collect(event, [], values)
    for name, entries in itertools.chain(*expand(pattern, [])):
        for entry in entries:
            if name in values or kind(entry).startswith("exists"):
                counts[kind(entry), holds([entry], values.get(name, []))] += 1


TEXTS = ["a", "b", "ab", "abc", "A", "Ab", "", "*", "\\", "a*b", "xay", "10.0.0.1", "10.0.0.300", "2001:db8::1", "null"]
TEXTS += ["true", "5", "é", "É", "日本", "a\nb"]
NUMBERS = [0, 1, 5, -3, 300, 1.5, 0.25, 1762155117235]
ADDRESSES = ["10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.1.0", "10.255.0.1", "11.0.0.1", "2001:db8::", "2001:db9::"]
WILDCARDS = ["*", "a*", "*b", "a*b", "*a*", "\\*", "\\\\", "ab", "*\\*", "a*\\*b"]
RANGES = [["=", 5], ["<", 5], [">", 0, "<=", 5], [">=", 300], ["<=", 1.5], [">=", 0, "<", 300], ["=", 1.5]]
NETWORKS = ["10.0.0.0/24", "2001:db8::/32", "10.0.0.0/8", "10.0.0.0/31"]
NAMES = ["a", "b", "c", "d-e"]


class Pairs:
    """Random patterns and events that meet often enough to be worth comparing."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pair(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Most fields that the pattern names are there, with a value that one of its entries may take."""
        pattern, event = self.pattern(0, set(), ""), self.object(0)
        for name, entries in self.random.choice(expand(pattern, [])):
            if self.random.random() < 0.8:
                self.put(event, name.split("."), self.near(self.random.choice(entries)))
        return pattern, event

    def put(self, node: dict[str, Any], path: list[str], value: Any) -> None:
        """Sets the value; now and then among others in an array, at the end of the path or on the way."""
        first, *rest = path
        if not rest:
            node[first] = [self.leaf(), value] if self.random.random() < 0.1 else value
            return
        inner = node.get(first)
        if not isinstance(inner, dict):
            inner = {}
            node[first] = [self.object(1), inner] if self.random.random() < 0.2 else inner
        self.put(inner, rest, value)

    def near(self, entry: Any) -> Any:
        """A value that the entry may take, or just not."""
        pick = self.random.choice
        if not isinstance(entry, dict):
            return entry if self.random.random() < 0.9 else self.leaf()
        name, operand = next(iter(entry.items()))
        if isinstance(operand, dict):  # of anything-but, or a text to compare ignoring case
            ((inner, operand),) = operand.items()
            if name != "anything-but":
                operand = pick([operand, operand.upper(), operand.lower()])
            name = inner if name == "anything-but" else name
        operand = pick(operand) if isinstance(operand, list) and name != "numeric" else operand
        make: dict[str, Callable[[], Any]] = {
            "exists": self.leaf,
            "numeric": lambda: pick([*operand[1::2], *NUMBERS]),
            "cidr": lambda: pick(ADDRESSES),
            "prefix": lambda: operand + pick(TEXTS),
            "suffix": lambda: pick(TEXTS) + operand,
            "equals-ignore-case": lambda: pick([operand, operand.upper(), operand.lower()]),
            "wildcard": lambda: re.sub(r"\\(.)|\*", lambda found: found[1] or pick(TEXTS), operand),
        }
        return make[name]() if name in make and self.random.random() < 0.9 else pick([operand, self.leaf()])

    def leaf(self) -> Any:
        pick = self.random.choice
        return pick([pick(TEXTS), pick(TEXTS), pick(TEXTS), pick(NUMBERS), pick([True, False, None])])

    def value(self, depth: int) -> Any:
        kind = self.random.random()
        if kind < 0.15:
            return [self.value(depth + 1) if depth < 2 else self.leaf() for _ in range(self.random.randint(0, 3))]
        return self.object(depth + 1) if kind < 0.3 and depth < 2 else self.leaf()

    def object(self, depth: int) -> dict[str, Any]:
        return {name: self.value(depth) for name in self.random.sample(NAMES, self.random.randint(1, 4))}

    def pattern(self, depth: int, taken: set[str], path: str) -> dict[str, Any]:
        """No field stands both beside and inside an `$or`: what that means is not documented."""
        node: dict[str, Any] = {}
        names = [name for name in NAMES if not any(used.startswith(f"{path}{name}") for used in taken)]
        chosen = self.random.sample(names, min(len(names), self.random.randint(1, 2)))
        for name in chosen:
            if depth < 2 and self.random.random() < 0.2:
                node[name] = self.pattern(depth + 1, set(), f"{path}{name}.")
            else:
                node[name] = [self.entry() for _ in range(self.random.randint(1, 2))]
        if depth < 2 and len(names) > len(chosen) and self.random.random() < 0.2:
            beside = taken | {f"{path}{name}" for name in chosen}
            node["$or"] = [self.pattern(depth + 1, beside, path) for _ in range(2)]
        return node

    def texts(self, options: list[str]) -> Any:
        return self.random.choice([self.random.choice(options), self.random.sample(options, 2)])

    def entry(self) -> Any:
        pick = self.random.choice
        nonempty = [text for text in TEXTS if text]
        make: list[Callable[[], Any]] = [
            self.leaf,
            self.leaf,
            lambda: {pick(["prefix", "suffix", "equals-ignore-case"]): pick(TEXTS)},
            lambda: {pick(["prefix", "suffix"]): {"equals-ignore-case": pick(TEXTS)}},
            lambda: {"wildcard": pick(WILDCARDS)},
            lambda: {"exists": pick([True, False])},
            lambda: {"numeric": pick(RANGES)},
            lambda: {"cidr": pick(NETWORKS)},
            lambda: {"anything-but": pick([pick(TEXTS), pick(NUMBERS)])},
            lambda: {"anything-but": self.random.sample([*TEXTS] if pick([True, False]) else [*NUMBERS], 2)},
            lambda: {"anything-but": {pick(["prefix", "suffix"]): self.texts(nonempty)}},
            lambda: {"anything-but": {"equals-ignore-case": self.texts(TEXTS)}},
            lambda: {"anything-but": {"wildcard": self.texts(WILDCARDS)}},
        ]
        return pick(make)()
