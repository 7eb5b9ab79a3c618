"""The file's JSON schema, for editors: what a person may write, not what the models hold. Pure.

The models know the completed file: every name filled in, every duration in seconds. The schema says
the same about the file as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BeforeValidator

from shnotify.config.models import Config
from shnotify.schema.model import Model
from shnotify.schema.scalars import spoken

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = {"pattern": "^[0-9]{1,9}[smhd]?$", "examples": ["30s", "5m", "24h", "4d"]}
_WRITTEN: dict[str, dict[str, Any]] = {
    "duration": _DURATION,
    "_days": _DURATION,
    "size": {"pattern": "^[0-9]{1,9}(B|KiB|MiB)?$", "examples": ["256KiB", "1MiB"]},
}
"""The reader of a scalar, by its name in `schema/scalars.py` -> how the scalar is written."""
_DEFAULTED = frozenset(("encryption", "dead_letter_queue", "topic_key", "dlq_key", "topic", "rule"))
"""Sections that the models need and a file may leave out: their defaults are made from names."""
_NAMED = frozenset(("ManagedKey", "DeadLetterQueue", "TopicSection", "RuleSection"))
"""The models of which nothing need be written, for the same reason."""
_SWITCHED_OFF = {("Config", "encryption"), ("Config", "dead_letter_queue")}


def json_schema() -> dict[str, Any]:
    """Returns the schema of a file as it is written (JSON Schema 2020-12)."""
    whole = Config.model_json_schema()
    definitions = whole.pop("$defs")
    for model in {*_models(Config)}:
        _as_written(whole if model is Config else definitions[model.__name__], model)
    return {
        "$schema": DIALECT,
        "title": "shnotify configuration",
        **{key: value for key, value in whole.items() if key != "title"},
        "$defs": definitions,
    }


def _models(annotation: Any) -> Iterator[type[Model]]:
    """Finds the models that a type names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)


def _as_written(schema: dict[str, Any], model: type[Model]) -> None:
    """Changes one model's schema in place."""
    name = model.__name__
    needed = [
        field
        for field in schema.pop("required", ())
        if name not in _NAMED and field not in _DEFAULTED
    ]
    schema.pop("title", None)
    if needed:
        schema["required"] = needed
    for field, properties in schema["properties"].items():
        properties.pop("title", None)
        if properties.get("type") == "array" and "minLength" in properties:
            properties["minItems"] = properties.pop("minLength")
        schema["properties"][field] = _property(name, field, properties, model)


def _property(
    model_name: str, field: str, properties: dict[str, Any], model: type[Model]
) -> dict[str, Any]:
    reader = _reader(model, field)
    if reader in _WRITTEN:
        kept: dict[str, Any] = {
            key: properties[key] for key in ("description", "default") if key in properties
        }
        if reader == "duration" and "default" in kept:
            kept["default"] = spoken(kept["default"])
        if reader == "_days" and "default" in kept:
            kept["default"] = f"{kept['default']}d"
        return {"type": ["string", "integer"], **_WRITTEN[reader], **kept}
    if (model_name, field) in _SWITCHED_OFF:
        return _or(properties, {"type": ["boolean", "null"]})
    if model_name in ("Findings", "Exclude") and field != "exclude":
        found = _or(_with_any(properties), {"const": "any"})
        return found | ({"default": "any"} if found.get("default", 0) is None else {})
    if (model_name, field) == ("Route", "subscribers"):
        properties["items"] = {"anyOf": [{"type": "string"}, properties["items"]]}
        return _or(properties, {"type": "null"})
    if "$ref" in properties or "oneOf" in properties:  # a section: null means its defaults
        return _or(properties, {"type": "null"})
    return properties


def _with_any(properties: dict[str, Any]) -> dict[str, Any]:
    """Lets a product's severities be `any`, too."""
    for choice in properties.get("oneOf", ()):
        if isinstance(levels := choice.get("additionalProperties"), dict):
            choice["additionalProperties"] = _or(levels, {"const": "any"})
    return properties


def _or(properties: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Lets a property be something else as well."""
    told: dict[str, Any] = {
        key: properties.pop(key) for key in ("description", "default") if key in properties
    }
    choices = properties.pop("anyOf", None) or [properties]
    return {"anyOf": [*choices, other], **told}


def _reader(model: type[Model], field: str) -> str:
    """Names the function that reads the field's scalar, "" for a field without one."""
    for one in model.model_fields[field].metadata:
        if isinstance(one, BeforeValidator):
            name = getattr(one.func, "__qualname__", "").partition(".")[0]
            if name in _WRITTEN:
                return name
    return ""
