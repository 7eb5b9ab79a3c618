"""Text in a policy that stands for other text: wildcards, and variables that a call fills. Pure.

A variable that the call may fill in several ways makes several patterns; one without a value makes
a pattern that matches nothing (reference_policies_variables, "Policy variables with no value").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, product
from typing import Literal

from shnotify.frozen import frozen
from shnotify.resources.requests import Request, Truth, Values, agreed

Style = Literal["equal", "like", "arn"]

_TOKEN = re.compile(r"(\$\{[^}]*\})|(.)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{\s*([^,]*?)\s*(?:,\s*'(.*)'\s*)?\}", re.DOTALL)
_WILDCARD = re.compile(r"([*?])")
_SPECIAL = ("*", "?", "$")
_COLONS_OF_AN_ARN = 5


@frozen
class Wild:
    """A wildcard: any characters or just one, colons among them or not."""

    many: bool
    colons: bool = True


Part = str | Wild

_ANYTHING = Wild(many=True)


@frozen
class Pattern:
    """One text that a policy may mean.

    parts    letters and wildcards; None when a variable in it has no value: the pattern matches
             nothing
    certain  False when a part of it is known to nobody: a match is then only possible
    """

    parts: tuple[Part, ...] | None
    certain: bool = True

    def matches(self, value: str) -> Truth:
        if self.parts is None or not _fits(self.parts, value):
            return False
        return True if self.certain else None

    @property
    def matches_all(self) -> bool:
        """Whether it matches every text, so that the text need not be known."""
        return self.certain and bool(self.parts) and set(self.parts or ()) == {_ANYTHING}


@frozen
class Text:
    """A text of a policy with its variables filled in, in every way that the call leaves open."""

    patterns: tuple[Pattern, ...]

    @property
    def may_lack_a_value(self) -> bool:
        return any(pattern.parts is None for pattern in self.patterns)

    def matches(self, value: str) -> Truth:
        return agreed(pattern.matches(value) for pattern in self.patterns)

    def matches_unknown(self) -> Truth:
        """Whether it matches a value that nobody knows."""
        return agreed(_matches_unknown(pattern) for pattern in self.patterns)


def filled(
    text: str, request: Request, style: Style, *, variables: bool, any_case: bool = False
) -> Text:
    """Reads a text of a policy.

    style      equal: wildcards are letters; like: * and ? match across everything; arn: each part
               for itself
    variables  False in a policy whose Version is older than 2012-10-17: `${...}` is then plain text
    any_case   the text will be compared with values that are case-folded
    """
    tokens = (
        [variable or char for variable, char in _TOKEN.findall(text)] if variables else list(text)
    )
    choices = [_ways(token, request) for token in tokens if len(token) > 1]
    patterns = [_pattern(tokens, way, style) for way in product(*choices)]
    return Text(
        tuple(dict.fromkeys(_folded(pattern) if any_case else pattern for pattern in patterns))
    )


def matches_any_case(text: str, value: str) -> bool:
    """Whether an action matches; actions know no variables and no case
    (reference_policies_elements_action).
    """
    pieces = _WILDCARD.split(text.lower())
    return _fits(tuple(_wildcard(piece, colons=True) for piece in pieces), value.lower())


def _folded(pattern: Pattern) -> Pattern:
    parts = tuple(
        part.casefold() if isinstance(part, str) else part for part in pattern.parts or ()
    )
    return pattern if pattern.parts is None else Pattern(parts, pattern.certain)


def _matches_unknown(pattern: Pattern) -> Truth:
    if pattern.parts is None:
        return False
    return True if pattern.matches_all else None


def _ways(token: str, request: Request) -> tuple[Values, ...]:
    """What a variable may stand for: (text,), () for no value, None for text that nobody knows."""
    inner = token[2:-1]
    if inner in _SPECIAL:
        return ((inner,),)
    found = _VARIABLE.fullmatch(token)
    name, default = found.groups() if found else (inner, None)
    instead = () if default is None else (default,)
    return tuple(dict.fromkeys(_way(values, instead) for values in request.states(name)))


def _way(values: Values, instead: tuple[str, ...]) -> Values:
    """A key with more than one value cannot be a variable."""
    if values == ():
        return instead
    return values if values is not None and len(values) == 1 else None


def _pattern(tokens: list[str], way: tuple[Values, ...], style: Style) -> Pattern:
    if () in way:
        return Pattern(None)
    parts = _joined(_parts(tokens, way, style))
    colons = sum(part.count(":") for part in parts if isinstance(part, str))
    if style != "arn" or (colons >= _COLONS_OF_AN_ARN and not _early_variable(tokens)):
        return Pattern(parts, certain=None not in way)
    # No ARN, or a variable where ARNs take none: what AWS makes of such a text is not documented.
    return Pattern(
        tuple(_ANYTHING if isinstance(part, Wild) and part.many else part for part in parts),
        certain=False,
    )


def _parts(tokens: list[str], way: tuple[Values, ...], style: Style) -> Iterator[Part]:
    values = iter(way)
    colons = 0
    for piece in tokens:
        if len(piece) > 1:
            value = next(values)
            yield _ANYTHING if value is None else value[0]
        elif style == "equal":
            yield piece
        else:
            yield _wildcard(piece, colons=style == "like" or colons >= _COLONS_OF_AN_ARN)
        colons += piece == ":"


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Makes one part of letters that follow each other: each part is looked for by itself."""
    runs = groupby(parts, key=lambda part: isinstance(part, str))
    return tuple(
        chain.from_iterable(["".join(map(str, run))] if text else run for text, run in runs)
    )


def _early_variable(tokens: list[str]) -> bool:
    """Whether a variable stands before the fifth colon, where an ARN takes none ("Resource
    element").
    """
    first = next((index for index, token in enumerate(tokens) if len(token) > 1), len(tokens))
    return first < len(tokens) and tokens[:first].count(":") < _COLONS_OF_AN_ARN


def _wildcard(char: str, *, colons: bool) -> Part:
    if char in ("*", "?"):
        return Wild(many=char == "*", colons=colons)
    return char


def _fits(parts: tuple[Part, ...], value: str) -> bool:
    """Whether the parts make up the value.

    The time grows with the product of both lengths, never faster.
    """
    ends = {0}
    for part in parts:
        ends = set(_ends(part, value, ends))
        if not ends:
            return False
    return len(value) in ends


def _ends(part: Part, value: str, starts: set[int]) -> Iterator[int]:
    """Where the part can end in the value when it begins at one of the starts."""
    if isinstance(part, str):
        yield from (start + len(part) for start in starts if value.startswith(part, start))
        return
    if not part.many:
        yield from (
            start + 1
            for start in starts
            if start < len(value) and (part.colons or value[start] != ":")
        )
        return
    end = -1
    for start in sorted(starts):
        end = max(end, start)
        yield start
        while end < len(value) and (part.colons or value[end] != ":"):
            end += 1
            yield end
