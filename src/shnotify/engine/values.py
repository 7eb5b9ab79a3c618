"""Values that know when they mean the same, so that a difference is `!=` and no field needs a
comparator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Self

from shnotify.frozen import frozen

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)\.([A-Za-z]+)\}")


class Late(str):
    """Text in CloudFormation's `Fn::Sub` form, whose `${Id.Attribute}` parts are known after a
    create.
    """

    __slots__ = ()

    def references(self) -> list[tuple[str, str]]:
        """Lists the (resource id, attribute) pairs that the text waits for."""
        return _REFERENCE.findall(self)

    def resolved(self, known: Mapping[str, str]) -> str:
        """Fills in what is `known` (`"Id.Attribute"` -> value).

        `Late` while anything is missing.
        """
        text = _REFERENCE.sub(lambda m: known.get(f"{m[1]}.{m[2]}", m[0]), self)
        return Late(text) if _REFERENCE.search(text) else text


def late_parts(value: object) -> Iterable[tuple[str, str]]:
    """Finds all references inside a field's value, however deep."""
    if isinstance(value, Late):
        yield from value.references()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from late_parts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from late_parts(item)
    elif isinstance(value, Policy):
        yield from late_parts(value.document)


def resolve(value: Any, known: Mapping[str, str]) -> Any:
    """Fills in every `Late` text of a value as far as `known` goes."""
    if isinstance(value, Late):
        return value.resolved(known)
    if isinstance(value, dict):
        return {key: resolve(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, known) for item in value]
    if isinstance(value, Policy):
        return Policy(resolve(value.document, known), value.own)
    return value


@frozen
class Tags:
    """Tags as a set of pairs: order never matters."""

    pairs: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Self:
        return cls(frozenset(tags.items()))

    @classmethod
    def from_list(cls, tags: Iterable[Any], key: str = "Key", value: str = "Value") -> Self:
        """Reads tags from AWS's list form; KMS spells the parts `TagKey` and `TagValue` (API_Tag)."""
        return cls(frozenset((tag[key], tag[value]) for tag in tags))

    def to_dict(self) -> dict[str, str]:
        return dict(sorted(self.pairs))

    def to_list(self) -> list[Any]:
        return [{"Key": key, "Value": value} for key, value in sorted(self.pairs)]

    def get(self, key: str) -> str | None:
        return self.to_dict().get(key)

    def onto(self, live: Tags) -> Tags:
        """What the resource must carry: ours, and whatever else it carries already (it is not ours
        to remove).
        """
        return Tags.of(live.to_dict() | self.to_dict())

    def minus(self, other: Tags) -> Tags:
        return Tags(self.pairs - other.pairs)


@frozen(eq=False)
class Pattern:
    """An EventBridge event pattern.

    The order inside value arrays is irrelevant (except in `numeric`).
    """

    document: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(json.loads(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self._form == other._form

    def __hash__(self) -> int:
        return hash(self._form)

    @cached_property
    def _form(self) -> str:
        return _pattern_form(self.document)

    def to_text(self) -> str:
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))


def _pattern_form(value: Any) -> str:
    if isinstance(value, dict):
        inner = (
            f"{json.dumps(key)}:{json.dumps(item) if key == 'numeric' else _pattern_form(item)}"
            for key, item in sorted(value.items())
        )
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({_pattern_form(item) for item in value})) + "]"
    return json.dumps(value)


@frozen(eq=False)
class Policy:
    """A resource policy. Equality is by meaning; `own` names the Sids that are ours to keep right.

    The rules of equality are those of hashicorp/awspolicyequivalence and of Ansible's policy
    module: statements, actions and principals are sets, a scalar is a list of one, `*` is `{"AWS":
    "*"}`, an account id is its root ARN, booleans and numbers are text, actions and condition keys
    ignore case, a missing Version is 2008-10-17.
    """

    document: dict[str, Any]
    own: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str | None) -> Policy:
        """Reads the value from AWS's reply.

        What is no JSON object becomes an empty policy: all of ours is missing from it.
        """
        try:
            document = json.loads(text or "")
        except ValueError:
            return cls({})
        return cls(document if isinstance(document, dict) else {})

    @property
    def statements(self) -> list[dict[str, Any]]:
        found = self.document.get("Statement")
        return [s for s in (found if isinstance(found, list) else [found]) if isinstance(s, dict)]

    def onto(self, live: Policy) -> Policy:
        """The live policy with our statements in it exactly once and all others where they stand."""
        if not live.statements:
            return self
        ours = {s["Sid"]: s for s in self.statements if s.get("Sid") in self.own}
        merged: list[dict[str, Any]] = []
        for statement in live.statements:
            sid = statement.get("Sid")
            if sid not in self.own:
                merged.append(statement)
            elif sid in ours:
                merged.append(ours.pop(sid))
        merged.extend(ours.values())
        return Policy({**live.document, "Statement": merged}, self.own)

    def named_as_in(self, live: Policy) -> Policy:
        """Returns the policy with our statements under the Sids that the live policy gives them.

        CloudFormation chooses the Sid of an AWS::Lambda::Permission.
        """
        sids = {repr(_statement_form(_unnamed(s))): s.get("Sid") for s in live.statements}
        renamed = []
        for statement in self.statements:
            sid = sids.get(repr(_statement_form(_unnamed(statement))))
            renamed.append({**statement, "Sid": sid} if sid else statement)
        own = frozenset(str(s.get("Sid")) for s in renamed)
        return Policy({**self.document, "Statement": renamed}, own)

    def without(self, sids: frozenset[str]) -> Policy:
        """Returns the policy without the statements of these Sids."""
        return Policy(
            {**self.document, "Statement": [s for s in self.statements if s.get("Sid") not in sids]}
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self._form() == other._form()

    def __hash__(self) -> int:
        return hash(self._form())

    def _form(self) -> tuple[Any, ...]:
        version = self.document.get("Version", "2008-10-17")
        statements = sorted(repr(_statement_form(s)) for s in self.statements)
        return version, self.document.get("Id"), tuple(statements)

    def to_text(self) -> str:
        return json.dumps(self.document, separators=(",", ":"))


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return sorted({json.dumps(i) if isinstance(i, bool | int | float) else str(i) for i in items})


def _principals(value: Any) -> Any:
    if value == "*":
        value = {"AWS": "*"}
    if not isinstance(value, dict):
        return repr(value)
    return {
        kind: sorted({_account(text) for text in _texts(names)})
        for kind, names in sorted(value.items())
    }


def _account(principal: str) -> str:
    root = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):root", principal)
    return root[1] if root else principal


def _conditions(value: Any) -> Any:
    if not isinstance(value, dict):
        return repr(value)
    return {
        operator: {
            key.lower(): _texts(values)
            for key, values in sorted(keys.items(), key=lambda item: item[0].lower())
        }
        for operator, keys in sorted(value.items())
        if isinstance(keys, dict)
    }


def _statement_form(statement: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for name, value in sorted(statement.items()):
        match name:
            case "Action" | "NotAction":
                form[name] = sorted({text.lower() for text in _texts(value)})
            case "Resource" | "NotResource":
                form[name] = _texts(value)
            case "Principal" | "NotPrincipal":
                form[name] = _principals(value)
            case "Condition":
                form[name] = _conditions(value)
            case "Effect":
                form[name] = str(value).lower()
            case _:
                form[name] = value
    return form


def _unnamed(statement: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name != "Sid"}


def to_json(value: Any) -> Any:
    """Turns a field's value into plain data for a plan, a drift or a JSON document."""
    if isinstance(value, Late):
        return "(known after apply)"
    if isinstance(value, Policy | Pattern):
        return value.document
    if isinstance(value, Tags):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value
