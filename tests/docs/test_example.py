"""`config.example.yaml`: every default written there is the model's, and every field of the model is in it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shnotify.config.load import completed, load
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse, read
from tests.support.example import EXAMPLE, fields_of

TEXT = EXAMPLE.read_text(encoding="utf-8")
COMMENTS = "\n".join(line.partition("#")[2] for line in TEXT.splitlines())

SMALLEST = """\
name: security-alerts
region: ap-northeast-1
account: "123456789012"
tags: {Owner: security-team}
routes:
  - name: urgent
    subscribers:
      - secops@example.com
      - {protocol: https, endpoint: "https://example.com/hook"}
"""


def find(data: Any, path: tuple[str, ...]) -> list[Any]:
    """All that stands at the path; a list holds the path in each of its items."""
    if isinstance(data, list):
        return [found for item in data for found in find(item, path)]
    if not path:
        return [data]
    return find(data[path[0]], path[1:]) if isinstance(data, dict) and path[0] in data else []


def present(path: tuple[str, ...]) -> bool:
    """In the data, or as an alternative in a comment."""
    commented = (path[-1] == "arn" and "{arn: " in COMMENTS) or (
        path[0] in ("rollout", "regions", "watchdog") and f"{path[-1]}:" in COMMENTS
    )
    folded = "fold" in path and re.search(rf"[{{ ]{path[-1]}: ", COMMENTS)
    return bool(find(read(EXAMPLE).data, path) or commented or folded)


def test_the_example_is_the_smallest_file_with_all_defaults_written_out() -> None:
    assert load(EXAMPLE) == completed(parse(SMALLEST))


@pytest.mark.parametrize("path", sorted(set(fields_of(Config))), ids=".".join)
def test_every_field_is_in_the_example(path: tuple[str, ...]) -> None:
    assert present(path), f"{'.'.join(path)} is a field of the model, but not in config.example.yaml"


def test_the_walk_over_the_models_reaches_their_depths() -> None:
    found = set(fields_of(Config))
    assert ("routes", "findings", "severity") in found
    assert ("encryption", "topic_key", "arn") in found
    assert ("routes", "subscribers", "endpoint") in found


def test_the_smallest_file_in_its_comments_loads() -> None:
    lines = [line.removeprefix("#     ") for line in TEXT.splitlines() if line.startswith("#     ")]
    assert completed(parse("\n".join(lines))).name == "security-alerts"
