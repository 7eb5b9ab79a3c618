"""The published JSON schema takes what the loader takes, and refuses what an editor can see."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shnotify.config.jsonschema import json_schema
from shnotify.config.load import completed
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse
from shnotify.errors import ConfigError
from tests.support.example import EXAMPLE, fields_of

SCHEMA = json_schema()
PUBLISHED = Path(__file__).parents[2] / "docs" / "shnotify.schema.json"


def problems(text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema_and_the_published_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(PUBLISHED.read_text("utf-8")) == SCHEMA, "shnotify schema > docs/shnotify.schema.json"


ROUTE = "name: a\nroutes:\n  - name: urgent\n"
TAKEN = {
    "the example": EXAMPLE.read_text("utf-8"),
    "the smallest": ROUTE,
    "nothing of ours": f"{ROUTE}encryption: false\ndead_letter_queue: false\n",
    "switched on": f"{ROUTE}encryption: true\ndead_letter_queue: null\n",
    "an existing key": f"{ROUTE}encryption: {{topic_key: {{arn: 'arn:aws:kms:eu-west-1:123456789012:key/1'}}}}\n",
    "a key in part": f"{ROUTE}encryption: {{topic_key: {{rotation: false, deletion_window: 7d}}}}\n",
    "durations": f"{ROUTE}dead_letter_queue: {{retention: 14d, visibility_timeout: 30, max_message_size: 1MiB}}\n",
    "no filters": f"{ROUTE}    findings: {{severity: any, products: [guardduty], exclude: {{controls: [S3.1]}}}}\n",
    "thresholds": f"{ROUTE}    findings: {{severity: any, products: {{guardduty: any, any: [CRITICAL]}}}}\n",
    "subscribers": f"{ROUTE}    subscribers: [a@b.co, {{protocol: sms, endpoint: '+819012345678'}}]\n",
    "a watchdog": f"{ROUTE}watchdog: {{subscribers: [a@b.co], heartbeat: null}}\n",
    "a pattern": f"{ROUTE}    pattern: {{source: [aws.securityhub]}}\n",
    "empty sections": f"{ROUTE}    findings:\n    message:\n    topic:\n    subscribers:\n",
}
REFUSED = {
    "no name": "routes: [{name: a}]\n",
    "no routes": "name: a\nroutes: []\n",
    "an unknown field": f"{ROUTE}colour: red\n",
    "an unknown field, deep": f"{ROUTE}    topic: {{colour: red}}\n",
    "no such severity": f"{ROUTE}    findings: {{severity: [FATAL]}}\n",
    "text for a list": f"{ROUTE}    findings: {{severity: HIGH}}\n",
    "a duration": f"{ROUTE}dead_letter_queue: {{retention: 4 days}}\n",
    "a format": f"{ROUTE}    message: {{format: html}}\n",
    "a subscriber without an endpoint": f"{ROUTE}    subscribers: [{{protocol: sms}}]\n",
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_what_the_loader_takes_is_taken(text: str) -> None:
    completed(parse(text))
    assert problems(text) == []


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_plainly_wrong_is_refused_by_both(text: str) -> None:
    with pytest.raises(ConfigError):
        completed(parse(text))
    assert problems(text)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a document."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(data)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def is_taken(data: Any) -> bool:
    try:
        completed(parse(yaml.safe_dump(data)))
    except ConfigError:
        return False
    return True


WHOLE = {
    **yaml.safe_load(EXAMPLE.read_text("utf-8")),
    "watchdog": {"subscribers": ["oncall@example.com"], "heartbeat": "weekly"},
}
WHOLE["routes"][0]["message"]["format"] = "lambda"  # it takes every field of a message
SHAPES = [None, True, False, -1, 1.5, [], [1], [None], {}, {"x": 1}]
"""Values of which none is right or wrong by what it says."""


def test_whatever_stands_in_a_field_both_judge_its_shape_alike() -> None:
    """But for `pattern`, of which the schema says no more than that it is a mapping."""
    differ = [
        (path, value)
        for path in places(WHOLE)
        if "pattern" not in path
        for value in SHAPES
        if is_taken(changed := with_value(WHOLE, path, value)) != Draft202012Validator(SCHEMA).is_valid(changed)
    ]
    assert differ == []


def property_at(path: tuple[str, ...]) -> Any:
    """The schema of the field at a path, through references, lists and choices."""

    def inside(node: Any, name: str) -> Any:
        if "$ref" in node:
            node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
        if name in node.get("properties", {}):
            return node["properties"][name]
        for inner in [*node.get("anyOf", ()), *node.get("oneOf", ()), *([node["items"]] if "items" in node else ())]:
            if (found := inside(inner, name)) is not None:
                return found
        return None

    found: Any = SCHEMA
    for name in path:
        found = inside(found, name)
        assert found is not None, path
    return found


@pytest.mark.parametrize("path", sorted(set(fields_of(Config))), ids=".".join)
def test_every_field_is_in_it(path: tuple[str, ...]) -> None:
    assert property_at(path)
