"""Whether the Condition of a statement holds for a call: yes, no, or cannot tell.

Pure; it raises for no input.

What it cannot read (an unknown operator, a number that is none) may hold or not. Source for all of
it: reference_policies_elements_condition_operators, and for several values or keys
reference_policies_condition-logic-multiple-context-keys-or-values and reference_policies_condition-
single-vs-multi-valued-context-keys.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shnotify.frozen import frozen
from shnotify.resources.policytext import Style, filled
from shnotify.resources.requests import (
    UNKNOWN,
    Request,
    Truth,
    Values,
    agreed,
    all_of,
    any_of,
    negated,
)

Compare = Callable[[Any, Any], bool]


@frozen
class Entry:
    """One key under one operator: whether it holds, and that in words."""

    holds: Truth
    text: str


@frozen
class _Operator:
    """An operator as it is written.

    each     "" or ForAllValues or ForAnyValue, in lower case
    name     without prefix and suffix, in lower case, and without its negation: stringequals for
             StringNotEquals
    negated  whether it asks for no match
    exists   whether it ends with IfExists
    """

    each: str
    name: str
    negated: bool
    exists: bool


_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnlike",
    "arnnotlike": "arnlike",
}
"""Each operator that is another one turned round."""

_ALIKE = {"arnequals": "arnlike"}
"""Two names of one operator (Conditions_ARN)."""

_TEXT: dict[str, Style] = {
    "stringequals": "equal",
    "stringequalsignorecase": "equal",
    "stringlike": "like",
    "arnlike": "arn",
}
"""The operators that know variables.

Documents contradict each other on Bool, so a variable there is unreadable.
"""

_COMPARE: dict[str, Compare] = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_EPOCH = re.compile(r"[0-9]{5,15}(\.[0-9]{1,9})?")
_YEAR_OR_MONTH = re.compile(r"[0-9]{4}(-[0-9]{2})?")


def entries(condition: object, request: Request, *, variables: bool) -> list[Entry]:
    """Every key of a Condition; all have to hold. No Condition has no entries."""
    if condition is None:
        return []
    if not isinstance(condition, dict):
        return [Entry(None, "a Condition that cannot be read")]
    return [
        entry
        for name, block in condition.items()
        for entry in _block(str(name), block, request, variables)
    ]


def _block(name: str, block: object, request: Request, variables: bool) -> list[Entry]:
    if not isinstance(block, dict) or not block:
        return [Entry(None, f"{name} without keys")]
    return [_entry(name, str(key), expected, request, variables) for key, expected in block.items()]


def _entry(name: str, key: str, expected: object, request: Request, variables: bool) -> Entry:
    asked = _parsed(name)
    if asked is None:
        return Entry(None, f"{name}, an operator that is not known")
    texts = [as_text(value) for value in as_list(expected)]
    states = request.states(key)
    holds = agreed(_in_state(asked, values, texts, request, variables) for values in states)
    return Entry(holds, f"{name} {key}, {_told(states)}")


def _told(states: tuple[Values, ...]) -> str:
    if states == ((),):
        return "a key that this call never has"
    if len(states) == 1 and states[0] is not None:
        return f"which is {' and '.join(states[0])} in this call"
    if () in states and states != UNKNOWN:
        return "which this call may have or lack"
    return "which nobody can know beforehand"


def as_list(value: object) -> list[Any]:
    """A scalar counts as a list of one, everywhere in a policy."""
    return value if isinstance(value, list) else [value]


def as_text(value: object) -> str | None:
    """A scalar as JSON writes it, true and 5 included; None for what is no scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and abs(value) < 1e30:
        return str(value)
    return None


def _parsed(name: str) -> _Operator | None:
    each, _, rest = name.lower().rpartition(":")
    exists = rest.endswith("ifexists")
    base = rest.removesuffix("ifexists")
    positive = _NEGATED.get(base) or _ALIKE.get(base) or base
    if each not in ("", "forallvalues", "foranyvalue"):
        return None
    if base == "null":
        return None if exists or each else _Operator("", "null", negated=False, exists=False)
    is_known = positive in _TEXT or positive in _OTHERS
    return _Operator(each, positive, base in _NEGATED, exists) if is_known else None


def _in_state(
    asked: _Operator, values: Values, texts: list[str | None], request: Request, variables: bool
) -> Truth:
    """Whether the operator holds when the key holds these values.

    An empty list of values is no value.
    """
    if asked.name == "null":
        return any_of(_is_null(text, values) for text in texts)
    if values == ():
        return _when_absent(asked)
    matched = [_value(asked, value, texts, request, variables) for value in values or (None,)]
    return {"forallvalues": all_of, "foranyvalue": any_of, "": agreed}[asked.each](matched)


def _when_absent(asked: _Operator) -> bool:
    """Without the key IfExists and ForAllValues hold, ForAnyValue does not, and of the others only
    the negated.
    """
    if asked.exists or asked.each == "forallvalues":
        return True
    return asked.negated and asked.each != "foranyvalue"


def _is_null(text: str | None, values: Values) -> Truth:
    wanted = _boolean(text)
    return None if wanted is None else (values == ()) == wanted


def _value(
    asked: _Operator, value: str | None, texts: list[str | None], request: Request, variables: bool
) -> Truth:
    """Whether one value of the key, which may be known to nobody (None), passes the texts of the
    policy.
    """
    if asked.name in _TEXT:
        matched = _among_texts(asked, value, texts, request, variables)
    else:
        matched = any_of(_other(asked.name, value, text) for text in texts)
    return negated(matched) if asked.negated else matched


def _among_texts(
    asked: _Operator, value: str | None, texts: list[str | None], request: Request, variables: bool
) -> Truth:
    style, any_case = _TEXT[asked.name], asked.name.endswith("ignorecase")
    readable = [text for text in texts if text is not None]
    read = [
        filled(text, request, style, variables=variables, any_case=any_case) for text in readable
    ]
    folded = value.casefold() if value is not None and any_case else value
    matched = [text.matches_unknown() if folded is None else text.matches(folded) for text in read]
    unreadable: list[Truth] = [None] * (len(texts) - len(read))
    truth = any_of(matched + unreadable)
    # "If AWS cannot resolve a variable this might cause the entire statement to be invalid": no
    # certain match then.
    spoilt = truth is True and not asked.negated and any(text.may_lack_a_value for text in read)
    return None if spoilt else truth


def _other(name: str, value: str | None, text: str | None) -> Truth:
    """Whether a value matches one text under an operator without wildcards and variables."""
    if value is None or text is None:
        return None
    return _OTHERS[name](value, text)


def _compared(read: Callable[[str], Any], compare: Compare) -> Callable[[str, str], Truth]:
    def compared(value: str, text: str) -> Truth:
        left, right = read(value), read(text)
        return None if left is None or right is None else compare(left, right)

    return compared


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date or of such a number (Conditions_Date)."""
    if _EPOCH.fullmatch(text):
        return float(text)
    whole = f"{text}-01-01"[:10] if _YEAR_OR_MONTH.fullmatch(text) else text
    try:
        moment = datetime.fromisoformat(whole)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _boolean(text: str | None) -> bool | None:
    return {"true": True, "false": False}.get((text or "").lower())


def _in_network(value: str, text: str) -> Truth:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


_OTHERS: dict[str, Callable[[str, str], Truth]] = {
    **{f"numeric{name}": _compared(_number, compare) for name, compare in _COMPARE.items()},
    **{f"date{name}": _compared(_date, compare) for name, compare in _COMPARE.items()},
    "bool": _compared(_boolean, operator.eq),
    "binaryequals": operator.eq,
    "ipaddress": _in_network,
}
