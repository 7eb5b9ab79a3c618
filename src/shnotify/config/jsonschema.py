"""The file's JSON schema, for editors: what a person may write, not what the models hold. Pure.

The models know the completed file: every name filled in, every duration in seconds. The schema says
the same about the file as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from shnotify.config.models import Config
from shnotify.schema import reading
from shnotify.schema.model import Before, Field, Limits, Model, fields_of
from shnotify.schema.scalars import spoken

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {str: "string", bool: "boolean", int: "integer"}
_DURATION = {
    "pattern": "^[0-9]{1,9}[smhd]?$",
    "minimum": 0,
    "examples": ["30s", "5m", "24h", "4d"],
}
_WRITTEN: dict[str, dict[str, Any]] = {
    "duration": _DURATION,
    "days": _DURATION,
    "size": {
        "pattern": "^[0-9]{1,9}(B|KiB|MiB)?$",
        "minimum": 0,
        "examples": ["256KiB", "1MiB"],
    },
}
"""The form of a scalar (`schema/model.py`, Before) -> how the scalar is written."""
_NULL = {"type": "null"}
_ANY = {"const": "any"}
_DEFAULTED = frozenset(("encryption", "dead_letter_queue", "topic_key", "dlq_key", "topic", "rule"))
"""Sections that the models need and a file may leave out: their defaults are made from names."""
_NAMED = frozenset(("ManagedKey", "DeadLetterQueue", "TopicSection", "RuleSection"))
"""The models of which nothing need be written, for the same reason."""
_FILTERS = frozenset(("Findings", "Exclude"))
"""The models whose fields may be `any`, which the models hold as None."""
_SWITCHED: dict[tuple[str, str], Any] = {
    ("Config", "encryption"): {"type": ["boolean", "null"]},
    ("Config", "dead_letter_queue"): {"type": ["boolean", "null"]},
    ("Config", "watchdog"): {"enum": [False, None]},
    ("Encryption", "topic_key"): {"enum": [True, None]},
    ("Encryption", "dlq_key"): {"enum": [True, None]},
}
"""Sections that may be switched on or off, and how."""


def json_schema() -> dict[str, Any]:
    """Returns the schema of a file as it is written (JSON Schema 2020-12)."""
    inner = sorted({*_below(Config)}, key=lambda model: model.__name__)
    return {
        "$schema": DIALECT,
        "title": "shnotify configuration",
        **_section(Config),
        "$defs": {model.__name__: _section(model) for model in inner},
    }


def _below(model: type[Model]) -> Iterator[type[Model]]:
    """Yields the models of a model's fields, however deep."""
    for reader in reading.readers_of(model).values():
        for inner in reading.models_in(reader):
            yield inner
            yield from _below(inner)


def _section(model: type[Model]) -> dict[str, Any]:
    """Describes a model's mapping."""
    fields, readers, name = fields_of(model), reading.readers_of(model), model.__name__
    needed = [one for one, field in fields.items() if field.required and one not in _DEFAULTED]
    properties = {
        one: {**_property(name, one, readers[one]), **_told(name, readers[one], field)}
        for one, field in fields.items()
    }
    return {
        "additionalProperties": False,
        **({"description": cleandoc(model.__doc__)} if model.__doc__ else {}),
        "properties": properties,
        "type": "object",
        **({"required": needed} if needed and name not in _NAMED else {}),
    }


def _told(model: str, reader: reading.Reader, field: Field) -> dict[str, Any]:
    """Returns a field's description, and its default as a person would write it."""
    told: dict[str, Any] = {"description": field.description} if field.description else {}
    if field.required or field.default_factory:
        return told
    written: Any = field.default
    match reader:
        case reading.Prepared(step=Before(form="duration")):
            written = spoken(written)
        case reading.Prepared(step=Before(form="days")):
            written = f"{written}d"
    if written is None and model in _FILTERS:
        written = "any"
    return {**told, "default": list(written) if isinstance(written, tuple) else written}


def _property(model: str, field: str, reader: reading.Reader) -> dict[str, Any]:
    """Describes what may be written for a field."""
    schema: dict[str, Any] = _schema(reader)
    if switch := _SWITCHED.get((model, field)):
        return _or(schema, switch)
    if model in _FILTERS and field != "exclude":
        return _or(_filtering(schema), _ANY)
    if field == "subscribers":
        schema |= {"items": _or({"type": "string"}, schema["items"])}
        return schema if "minItems" in schema else _or(schema, _NULL)
    if {"$ref", "oneOf", "additionalProperties"} & schema.keys():  # null means its defaults
        return _or(schema, _NULL)
    return schema


def _filtering(schema: dict[str, Any]) -> dict[str, Any]:
    """Lets a product's severities be `any`, too, and nothing be empty: that would match nothing."""
    for choice in schema.get("oneOf") or schema.get("anyOf") or [schema]:
        if choice.get("type") == "array":
            choice["minItems"] = 1
        if "additionalProperties" in choice:
            choice["minProperties"] = 1
            choice["additionalProperties"] = _or(choice["additionalProperties"], _ANY)
    return schema


def _or(schema: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Lets a value be something else as well."""
    return {"anyOf": [*(schema.get("anyOf") or [schema]), other]}


def _limits(limits: Limits, kind: str) -> dict[str, Any]:
    """Names the limits of a number, or of the length of something, in the schema's words."""
    what = {"array": "Items", "object": "Properties"}.get(kind, "Length")
    said = {
        "minimum": limits.ge,
        "maximum": limits.le,
        f"min{what}": limits.min_length,
        f"max{what}": limits.max_length,
        "pattern": limits.pattern,
    }
    return {name: limit for name, limit in said.items() if limit is not None}


def _schema(reader: reading.Reader) -> Any:
    """Describes what a reader takes."""
    inner = [_schema(one) for one in reader.inner]
    match reader:
        case reading.Scalar():
            return {"type": _TYPES[reader.kind]}
        case reading.Choice():
            return {"enum": list(reader.words), "type": "string"}
        case reading.Listed():
            return {"items": inner[0], "type": "array"}
        case reading.Mapped():
            return {"additionalProperties": inner[1], "type": "object"}
        case reading.Section():
            return {"$ref": f"#/$defs/{reader.model.__name__}"}
        case reading.Optional():
            return _or(inner[0], _NULL)
        case reading.Alternatives():
            return {"oneOf": inner}
        case reading.Prepared() if reader.step.form:
            return {"type": ["string", "integer"], **_WRITTEN[reader.step.form]}
        case reading.Limited():
            return inner[0] | _limits(reader.limits, inner[0]["type"])
        case reading.Nothing():
            return _NULL
    return inner[0] if inner else True
