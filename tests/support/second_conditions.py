"""Conditions and texts of policies for the second evaluator: all that each can come to, tried out. For tests only."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from shnotify.resources.requests import Request

Outcomes = frozenset[bool]
YES, NO, OPEN = frozenset({True}), frozenset({False}), frozenset({True, False})

STRANGE = "\u2400 a value no policy names"


def conditions(condition: Any, request: Request, modern: bool) -> list[Outcomes]:
    if condition is None:
        return []
    if not isinstance(condition, dict):
        return [OPEN]
    found = []
    for operator, block in condition.items():
        if isinstance(block, dict) and block:
            found += [_entry(str(operator), str(key), texts, request, modern) for key, texts in block.items()]
        else:
            found.append(OPEN)
    return found


_NAMES = re.compile(
    r"(?:(forallvalues|foranyvalue):)?"
    r"(string(?:not)?equals(?:ignorecase)?|string(?:not)?like|arn(?:not)?(?:equals|like)|bool|binaryequals|(?:not)?ipaddress"
    r"|(?:numeric|date)(?:(?:not)?equals|(?:less|greater)than(?:equals)?))"
    r"(ifexists)?"
)


def _entry(operator: str, key: str, given: Any, request: Request, modern: bool) -> Outcomes:
    texts = [_scalar(each) for each in (given if isinstance(given, list) else [given])]
    if operator.lower() == "null":
        return _null(texts, request.states(key))
    found = _NAMES.fullmatch(operator.lower())
    if not found:
        return OPEN
    each, name, exists = found.groups()
    turned = "not" in name
    plain = name.replace("not", "")
    possible: set[bool] = set()
    for state in request.states(key):
        if state == ():
            possible.add(bool(exists) or each == "forallvalues" or (turned and each != "foranyvalue"))
            continue
        guesses = _guesses(texts, request, modern and plain[0] in "sa") if state is None else []
        for values in [[guess] for guess in guesses] or [list(state or ())]:
            for world in variables([t for t in texts if t is not None], request, modern and plain[0] in "sa", values):
                sets = [_passes(plain, turned, value, texts, world) for value in values]
                for results in itertools.product(*sets):
                    if each is None and len(set(results)) > 1:
                        possible |= {True, False}
                    else:
                        possible.add(any(results) if each == "foranyvalue" else all(results))
    return frozenset(possible)


def _null(texts: list[str | None], states: Any) -> Outcomes:
    possible: set[bool] = set()
    for state in states:
        wishes = {"true": just(state == ()), "false": just(state != ())}
        possible |= either(*(wishes.get((text or "").lower(), OPEN) for text in texts))
    return frozenset(possible)


def _passes(name: str, turned: bool, value: str, texts: list[str | None], world: dict[str, str | None]) -> Outcomes:
    outcome = either(*(OPEN if text is None else text_outcome(name, value, text, world) for text in texts))
    unset = [text for text in texts if text is not None and _filled(text, world) is None]
    if unset and outcome == YES and not turned:
        outcome = OPEN
    return inverse(outcome) if turned else outcome


def _guesses(texts: list[str | None], request: Request, modern: bool) -> list[str]:
    """Values for a key that nobody knows: such as match a text, and one that matches only the all-embracing."""
    readable = [text for text in texts if text is not None]
    whole = list(readable)
    for world, text in itertools.product(variables(readable, request, modern, ["v"]), readable):
        pieces = _filled(text, world) or []
        whole.append("".join(piece if isinstance(piece, str) else piece[0] for piece in pieces))
    return [STRANGE, "", *whole, *(text.replace("*", "").replace("?", "q") for text in whole)]


def variables(texts: list[str], request: Request, modern: bool, values: list[str]) -> list[dict[str, str | None]]:
    """All that the variables of the texts may stand for; None is no value."""
    names = sorted({name for text in texts for name in re.findall(r"\$\{([^}]*)\}", text)}) if modern else []
    pieces = {v[a:b] for v in values for a in range(len(v)) for b in range(a + 1, len(v) + 1) if a < 4 or b == len(v)}
    choices: list[list[str | None]] = []
    for name in names:
        key, _, default = name.partition(",")
        fallback = default.strip().strip("'") if default else None
        options: list[str | None] = []
        for state in [(key,)] if key in ("*", "?", "$") else request.states(key.strip()):
            if state == ():
                options.append(fallback)
            elif state is None or len(state) > 1:
                options += [STRANGE, *sorted(pieces)]
            else:
                options.append(state[0])
        choices.append(options)
    return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*choices)]


def _filled(text: str, world: dict[str, str | None]) -> list[str | tuple[str]] | None:
    """The text as plain pieces and, in a tuple, what variables stand for; None when one has no value."""
    pieces: list[str | tuple[str]] = []
    for index, piece in enumerate(re.split(r"\$\{([^}]*)\}", text)):
        if index % 2 and piece in world:
            value = world[piece]
            if value is None:
                return None
            pieces.append((value,))
        else:
            pieces.append("${" + piece + "}" if index % 2 else piece)
    return pieces


def text_outcome(name: str, value: str, text: str, world: dict[str, str | None]) -> Outcomes:
    if name[0] not in "sa":
        return _plain(name, value, text)
    pieces = _filled(text, world)
    if pieces is None:
        return NO
    if name == "stringlike":
        return just(bool(re.fullmatch("".join(_regex(piece) for piece in pieces), value, re.DOTALL)))
    if name.startswith("arn"):
        return _arn(pieces, value)
    whole = "".join(piece if isinstance(piece, str) else piece[0] for piece in pieces)
    return just(whole.casefold() == value.casefold() if name.endswith("case") else whole == value)


def _arn(pieces: list[str | tuple[str]], value: str) -> Outcomes:
    """Part by part. A text that is no ARN, or has a variable in front, may match what it matches as a plain text."""
    text = "".join(piece if isinstance(piece, str) else re.sub(r"[*?]", "\x00", piece[0]) for piece in pieces)
    front = pieces[0] if isinstance(pieces[0], str) else ""
    if text.count(":") < 5 or (len(pieces) > 1 and front.count(":") < 5):
        loose = "".join(_regex(piece) for piece in pieces)
        return OPEN if re.fullmatch(loose, value, re.DOTALL) else NO
    if value.count(":") < 5:
        return NO
    *fronts, last = zip(text.split(":", 5), value.split(":", 5), strict=True)
    return just(all(glob(pattern, part) for pattern, part in [*fronts, last]))


def _regex(piece: str | tuple[str]) -> str:
    if isinstance(piece, tuple):
        return re.escape(piece[0])
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in piece)


def glob(pattern: str, value: str) -> bool:
    """By the book: what the first letter of the pattern can take, then the rest."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return any(glob(pattern[1:], value[cut:]) for cut in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and glob(pattern[1:], value[1:])


def _plain(name: str, value: str, text: str) -> Outcomes:
    try:
        if name == "binaryequals":
            return (
                just(base64.b64encode(value.encode()) == base64.b64encode(text.encode())) if value != STRANGE else OPEN
            )
        if name == "ipaddress":
            return just(ipaddress.ip_interface(value).network.subnet_of(ipaddress.ip_network(text, False)))  # type: ignore[arg-type]
        if name == "bool":
            words = {"true": 1, "false": 0}
            return just(words[value.lower()] == words[text.lower()])
        read = _fraction if name.startswith("numeric") else _moment
        left, right = read(value), read(text)
    except TypeError:
        return NO
    except (ValueError, KeyError, OverflowError):
        return OPEN
    less, same = left < right, left == right
    asked = name.removeprefix("numeric").removeprefix("date")
    return just(
        {
            "equals": same,
            "lessthan": less,
            "lessthanequals": less or same,
            "greaterthan": not less and not same,
            "greaterthanequals": not less,
        }[asked]
    )


def _fraction(text: str) -> Fraction:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?", text):
        raise ValueError(text)
    return Fraction(text)


def _moment(text: str) -> Fraction:
    if re.fullmatch(r"[0-9]{5,15}(\.[0-9]{1,9})?", text):
        return Fraction(text)
    for form in ("%Y", "%Y-%m"):
        try:
            return Fraction(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    moment = datetime.fromisoformat(text)
    return Fraction((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _scalar(value: Any) -> str | None:
    if value is True or value is False:
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def just(truth: bool) -> Outcomes:
    return YES if truth else NO


def inverse(outcome: Outcomes) -> Outcomes:
    return frozenset(not truth for truth in outcome)


def either(*outcomes: Outcomes) -> Outcomes:
    return any_world(just(any(world)) for world in itertools.product(*outcomes))


def any_world(outcomes: Iterable[Outcomes]) -> Outcomes:
    return frozenset(itertools.chain.from_iterable(outcomes))
