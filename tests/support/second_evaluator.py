"""A second, independent answer to what policies decide, for tests only.

It knows no three-valued logic: each uncertain thing (a key, a variable, something that cannot be read) is tried out in
every way, each way is decided with plain booleans, and a verdict stands only if every way comes to it.
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from shnotify.resources.requests import Request

Outcomes = frozenset[bool]
YES, NO, OPEN = frozenset({True}), frozenset({False}), frozenset({True, False})
Ways = tuple[bool, bool, bool]
"""Whether a statement applies to the caller by its own name, as anyone, and as its account."""

STRANGE = "\u2400 a value no policy names"


def verdict(policy: Any, request: Request, kind: str = "resource") -> str:
    statements = _statements(policy, request, kind)
    return _common(
        _final(
            denied=any(any(ways) for effect, ways in world if effect == "deny"),
            allowed=any(any(ways) for effect, ways in world if effect == "allow"),
        )
        for world in itertools.product(*statements)
    )


def combined_verdict(identity: list[Any], boundary: Any, resource: Any, request: Request, key: bool) -> str:
    bounded = boundary is not None
    asked = Request(request.principal, request.action, request.resource, request.context, bounded)
    own = [s for policy in identity for s in _statements(policy, asked, "identity")]
    limits = _statements(boundary, asked, "identity")
    about = _statements(resource, asked, "key" if key else "resource")
    return _common(_every_world(own, limits, about, bounded, key, unread=key and resource is None))


def _every_world(own: Any, limits: Any, about: Any, bounded: bool, key: bool, unread: bool) -> Iterator[str]:
    """Undocumented: `star`, no boundary limits what everybody may; `alone`, the account's grant is enough."""
    for mine, limit, other in itertools.product(*(itertools.product(*each) for each in (own, limits, about))):
        denied = any(effect == "deny" and any(ways) for effect, ways in (*mine, *limit, *other))
        inside = not bounded or any(effect == "allow" and any(ways) for effect, ways in limit)
        by_own = inside and any(effect == "allow" and any(ways) for effect, ways in mine)
        for star, alone, luck in itertools.product((True, False), repeat=3):
            allowed = (by_own and not key) or (unread and luck)
            for effect, (itself, anyone, account) in other:
                if effect == "allow":
                    allowed |= itself and inside
                    allowed |= anyone and (inside or star)
                    allowed |= account and (by_own or (alone and not key))
            yield _final(denied, allowed)


def _final(denied: bool, allowed: bool) -> str:
    return "allowed" if allowed and not denied else "denied"


def _common(verdicts: Iterator[str]) -> str:
    seen = set(verdicts)
    return seen.pop() if len(seen) == 1 else "unknown"


def _statements(policy: Any, request: Request, kind: str) -> list[list[tuple[str, Ways]]]:
    """For each statement, and for what may be one, all it can come to."""
    if policy is None:
        return []
    if not isinstance(policy, dict):
        return _anything()
    found: list[list[tuple[str, Ways]]] = []
    given = policy.get("Statement", [])
    for statement in given if isinstance(given, list) else [given]:
        effect = str(statement.get("Effect")).lower() if isinstance(statement, dict) else ""
        if effect in ("allow", "deny"):
            modern = policy.get("Version") == "2012-10-17"
            found.append([(effect, ways) for ways in _statement(statement, effect, request, kind, modern)])
        else:
            found += _anything()
    return found


def _anything() -> list[list[tuple[str, Ways]]]:
    no: Ways = (False, False, False)
    yes: Ways = (True, False, False)
    return [[("deny", no), ("deny", yes)], [("allow", no), ("allow", yes)]]


def _statement(statement: dict[str, Any], effect: str, request: Request, kind: str, modern: bool) -> set[Ways]:
    who = _principal(statement, effect, request, kind)
    rest = [_action(statement, request, kind), _resource(statement, request, kind, modern)]
    rest += _conditions(statement.get("Condition"), request, modern)
    results: set[Ways] = set()
    for world in itertools.product(*who, *rest):
        itself, anyone, account, *others = world
        results.add((itself and all(others), anyone and all(others), account and all(others)))
    return results


def _principal(
    statement: dict[str, Any], effect: str, request: Request, kind: str
) -> tuple[Outcomes, Outcomes, Outcomes]:
    has, has_not = "Principal" in statement, "NotPrincipal" in statement
    if kind == "identity":
        return (OPEN if has or has_not else YES), NO, NO
    if has == has_not:
        return OPEN, NO, NO
    if has:
        return _listed(statement["Principal"], request)
    itself, anyone, account = _listed(statement["NotPrincipal"], request)
    service = ":" not in request.principal
    if anyone == YES:
        spared = YES
    elif service or request.principal.endswith(":root"):
        spared = _or(itself, anyone, account)
    elif itself == YES and account == YES:
        spared = YES
    else:
        spared = NO if _or(itself, anyone, account) == NO else OPEN
    if effect == "allow":
        return (NO if spared == YES else OPEN), NO, NO
    if request.bounded and not service:
        return YES, NO, NO
    return _not(spared), NO, NO


def _listed(principal: Any, request: Request) -> tuple[Outcomes, Outcomes, Outcomes]:
    itself, anyone, account = NO, NO, NO
    if principal == "*":
        return NO, YES, NO
    if not isinstance(principal, dict):
        return OPEN, NO, NO
    caller = request.principal.split(":", 5)
    for kind, names in principal.items():
        for name in names if isinstance(names, list) else [names]:
            if not isinstance(name, str) or kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
                itself = _or(itself, OPEN)
            elif kind == "Service" and len(caller) == 1:
                itself = _or(itself, OPEN if "*" in name else _just(name == request.principal))
            elif kind == "CanonicalUser" and len(caller) > 1:
                account = _or(account, OPEN)
            elif kind == "AWS" and name == "*":
                anyone = YES
            elif kind == "AWS" and len(caller) > 1:
                root = ":".join(["arn", caller[1], "iam", "", caller[4], "root"])
                session = f"arn:{caller[1]}:sts::{caller[4]}:assumed-role/{caller[5].split('/')[-1]}/"
                if name in (root, caller[4]):
                    if caller[5] == "root":
                        itself = YES
                    else:
                        account = YES
                elif re.search("[*?]", name) or name.startswith(session):
                    itself = _or(itself, OPEN)
                else:
                    itself = _or(itself, _just(name == request.principal))
    return itself, anyone, account


def _action(statement: dict[str, Any], request: Request, kind: str) -> Outcomes:
    def one(given: Any) -> Outcomes:
        return _just(_glob(given.lower(), request.action.lower())) if isinstance(given, str) else OPEN

    return _twin(statement, "Action", one, NO if kind == "key" else OPEN)


def _resource(statement: dict[str, Any], request: Request, kind: str, modern: bool) -> Outcomes:
    def one(given: Any) -> Outcomes:
        if not isinstance(given, str):
            return OPEN
        worlds = _variables([given], request, modern, [request.resource])
        return _any_world(_text_outcome("stringlike", request.resource, given, world) for world in worlds)

    return _twin(statement, "Resource", one, {"trust": YES, "key": NO}.get(kind, OPEN))


def _twin(statement: dict[str, Any], name: str, one: Any, missing: Outcomes) -> Outcomes:
    has, has_not = name in statement, f"Not{name}" in statement
    if has == has_not:
        return OPEN if has else missing
    given = statement[name if has else f"Not{name}"]
    outcome = _or(*(one(each) for each in (given if isinstance(given, list) else [given])))
    return outcome if has else _not(outcome)


def _conditions(condition: Any, request: Request, modern: bool) -> list[Outcomes]:
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
            for world in _variables([t for t in texts if t is not None], request, modern and plain[0] in "sa", values):
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
        wishes = {"true": _just(state == ()), "false": _just(state != ())}
        possible |= _or(*(wishes.get((text or "").lower(), OPEN) for text in texts))
    return frozenset(possible)


def _passes(name: str, turned: bool, value: str, texts: list[str | None], world: dict[str, str | None]) -> Outcomes:
    outcome = _or(*(OPEN if text is None else _text_outcome(name, value, text, world) for text in texts))
    unset = [text for text in texts if text is not None and _filled(text, world) is None]
    if unset and outcome == YES and not turned:
        outcome = OPEN
    return _not(outcome) if turned else outcome


def _guesses(texts: list[str | None], request: Request, modern: bool) -> list[str]:
    """Values for a key that nobody knows: such as match a text, and one that matches only the all-embracing."""
    readable = [text for text in texts if text is not None]
    whole = list(readable)
    for world, text in itertools.product(_variables(readable, request, modern, ["v"]), readable):
        pieces = _filled(text, world) or []
        whole.append("".join(piece if isinstance(piece, str) else piece[0] for piece in pieces))
    return [STRANGE, "", *whole, *(text.replace("*", "").replace("?", "q") for text in whole)]


def _variables(texts: list[str], request: Request, modern: bool, values: list[str]) -> list[dict[str, str | None]]:
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


def _text_outcome(name: str, value: str, text: str, world: dict[str, str | None]) -> Outcomes:
    if name[0] not in "sa":
        return _plain(name, value, text)
    pieces = _filled(text, world)
    if pieces is None:
        return NO
    if name == "stringlike":
        return _just(bool(re.fullmatch("".join(_regex(piece) for piece in pieces), value, re.DOTALL)))
    if name.startswith("arn"):
        return _arn(pieces, value)
    whole = "".join(piece if isinstance(piece, str) else piece[0] for piece in pieces)
    return _just(whole.casefold() == value.casefold() if name.endswith("case") else whole == value)


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
    return _just(all(_glob(pattern, part) for pattern, part in [*fronts, last]))


def _regex(piece: str | tuple[str]) -> str:
    if isinstance(piece, tuple):
        return re.escape(piece[0])
    return "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in piece)


def _glob(pattern: str, value: str) -> bool:
    """By the book: what the first letter of the pattern can take, then the rest."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return any(_glob(pattern[1:], value[cut:]) for cut in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and _glob(pattern[1:], value[1:])


def _plain(name: str, value: str, text: str) -> Outcomes:
    try:
        if name == "binaryequals":
            return (
                _just(base64.b64encode(value.encode()) == base64.b64encode(text.encode())) if value != STRANGE else OPEN
            )
        if name == "ipaddress":
            return _just(ipaddress.ip_interface(value).network.subnet_of(ipaddress.ip_network(text, False)))  # type: ignore[arg-type]
        if name == "bool":
            words = {"true": 1, "false": 0}
            return _just(words[value.lower()] == words[text.lower()])
        read = _fraction if name.startswith("numeric") else _moment
        left, right = read(value), read(text)
    except TypeError:
        return NO
    except (ValueError, KeyError, OverflowError):
        return OPEN
    less, same = left < right, left == right
    asked = name.removeprefix("numeric").removeprefix("date")
    return _just(
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


def _just(truth: bool) -> Outcomes:
    return YES if truth else NO


def _not(outcome: Outcomes) -> Outcomes:
    return frozenset(not truth for truth in outcome)


def _or(*outcomes: Outcomes) -> Outcomes:
    return _any_world(_just(any(world)) for world in itertools.product(*outcomes))


def _any_world(outcomes: Iterator[Outcomes]) -> Outcomes:
    return frozenset(itertools.chain.from_iterable(outcomes))
