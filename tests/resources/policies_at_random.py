"""Policies and calls at random, for property tests: most of them readable, some with a part that is not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from shnotify.frozen import frozen
from shnotify.resources.requests import ABSENT, PRESENT, UNKNOWN, Request, States, known, perhaps

ROLE = "arn:aws:iam::111122223333:role/path/formatter"
ROOT = "arn:aws:iam::111122223333:root"
TOPIC = "arn:aws:sns:us-east-1:111122223333:alerts"
RULE = "arn:aws:events:us-east-1:111122223333:rule/r"
EVENTS = "events.amazonaws.com"


@frozen
class Family:
    """Operators that go together with a key, with values of the key and texts of policies."""

    operators: tuple[str, ...]
    key: str
    values: tuple[str, ...]
    texts: tuple[Any, ...]


_ORDER = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_STRING = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
FAMILIES = (
    Family(
        tuple(f"String{each}" for each in _STRING),
        "aws:PrincipalOrgID",
        ("o-abc", "O-ABC", "a", "o-a"),
        ("o-abc", "o-ABC", "*", "o-*", "?", "a", "o-${k:Name}", "${k:Name}", "${k:Name, 'a'}", "${*}", "*b*"),
    ),
    Family(
        ("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"),
        "AWS:SourceArn",
        (RULE, TOPIC, "a"),
        (
            RULE,
            "arn:aws:events:*:*:rule/*",
            "arn:*:*:*:*:?*",
            "*",
            "arn:aws:*",
            "arn:aws:sns:us-east-1:111122223333:${k:Name}",
        ),
    ),
    Family(
        tuple(f"Numeric{each}" for each in _ORDER), "k:Number", ("5", "10", "-1.5"), (5, "10", "5.0", "-2", "x", "1e3")
    ),
    Family(
        tuple(f"Date{each}" for each in _ORDER),
        "aws:CurrentTime",
        ("2026-01-01T00:00:00Z", "1767225600", "2025"),
        ("2026", "2026-01", "2026-01-01T00:00:00+00:00", "1767225601", "soon"),
    ),
    Family(("Bool",), "aws:PrincipalIsAWSService", ("true", "false"), (True, "false", "TRUE", "maybe")),
    Family(("BinaryEquals",), "k:Binary", ("QQ==", "Qg=="), ("QQ==", "Qg==")),
    Family(
        ("IpAddress", "NotIpAddress"),
        "aws:SourceIp",
        ("192.0.2.7", "2001:db8::1", "198.51.100.1"),
        ("192.0.2.0/24", "2001:db8::/32", "198.51.100.1", "0.0.0.0/0", "here"),
    ),
    Family(("Null",), "aws:PrincipalOrgID", ("o-abc",), ("true", "false", True, "no")),
)
KEYS = (*(family.key for family in FAMILIES), "k:Name")
VALUES = {**{family.key: family.values for family in FAMILIES}, "k:Name": ("alerts", "abc", "a")}


def one_or_more(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return items | st.lists(items, max_size=3)


def rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 19)) == 0


@st.composite
def conditions(draw: st.DrawFn) -> Any:
    """A Condition of one or two operators; with two variables texts would not be independent."""
    found: dict[str, Any] = {}
    for family in draw(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=2)):
        each = draw(st.sampled_from(("", "", "", "ForAllValues:", "ForAnyValue:")))
        suffix = draw(st.sampled_from(("", "", "IfExists")))
        name = draw(st.sampled_from(family.operators))
        plain = name == "Null" and not rarely(draw)
        texts = draw(st.lists(st.sampled_from(family.texts), min_size=0 if rarely(draw) else 1, max_size=3))
        variables = [text for text in texts if isinstance(text, str) and "${k" in text]
        kept = [text for text in texts if text not in variables[1:]]
        whole = name if plain else f"{each}{name}{suffix}"
        found[whole] = {family.key: kept[0] if len(kept) == 1 else [*kept, *([None, {}] if rarely(draw) else [])]}
    return found


SESSION = "arn:aws:sts::111122223333:assumed-role/formatter/s"
STRANGERS = ("arn:aws:iam::444455556666:root", "AROAEXAMPLE", "s3.amazonaws.com", 7)
NAMES = ("*", "111122223333", ROOT, ROLE, ROLE, EVENTS, EVENTS, f"{ROLE}*", SESSION, *STRANGERS)
principals = one_or_more(st.sampled_from(NAMES))
kinds_of_principals = st.sampled_from(("AWS", "AWS", "AWS", "Service", "Service", "Federated", "CanonicalUser"))
who = st.sampled_from(("*", {"AWS": [ROLE, ROOT]}, {"Service": EVENTS})) | st.dictionaries(
    kinds_of_principals, principals, min_size=1, max_size=2
)
actions = one_or_more(st.sampled_from(("sns:Publish", "SNS:*", "*", "sns:P?blish", "sqs:SendMessage", "sns:Get*")))
resources = one_or_more(
    st.sampled_from(
        (TOPIC, "*", "arn:aws:sns:*", f"{TOPIC}x", "arn:aws:sns:us-east-1:111122223333:${k:Name}", "arn:*:?")
    )
)


@st.composite
def statements(draw: st.DrawFn, *, identity: bool = False) -> Any:
    def twin(name: str, values: st.SearchStrategy[Any]) -> dict[str, Any]:
        if rarely(draw):
            return draw(st.sampled_from(({}, {name: None}, {name: "*", f"Not{name}": "*"})))
        return {draw(st.sampled_from((name, name, f"Not{name}"))): draw(values)}

    found = {"Sid": draw(st.sampled_from("abc")), "Effect": draw(st.sampled_from(("Allow", "allow", "ALLOW", "Deny")))}
    found |= {} if identity and not rarely(draw) else twin("Principal", who)
    found |= twin("Action", actions) | twin("Resource", resources)
    if rarely(draw):
        broken: tuple[dict[str, Any], ...] = ({"Effect": "?"}, {"Condition": [1]}, {"Condition": {"Bool": {}}})
        return draw(st.sampled_from((5, [], {}, *({**found, **part} for part in broken))))
    return {**found, "Condition": draw(conditions())} if draw(st.booleans()) else found


def policies(*, identity: bool = False, most: int = 3) -> st.SearchStrategy[Any]:
    versions = st.sampled_from(("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"))
    several = st.lists(statements(identity=identity), min_size=1, max_size=most)
    return st.fixed_dictionaries({"Version": versions, "Statement": several})


def states(key: str) -> st.SearchStrategy[States]:
    value = st.sampled_from(VALUES[key])
    certain = value.map(known)
    several = st.tuples(value, value).map(lambda two: known(*two))
    return certain | certain | several | value.map(perhaps) | st.sampled_from((ABSENT, ABSENT, PRESENT, UNKNOWN))


contexts = st.fixed_dictionaries({key.lower(): states(key) for key in KEYS})
requests = st.builds(
    Request, st.sampled_from((EVENTS, ROLE, ROOT)), st.just("sns:Publish"), st.just(TOPIC), contexts, st.booleans()
)
