"""Configuration files as text: what they give, and what is wrong with them."""

from __future__ import annotations

from shnotify.config.load import explain
from shnotify.config.models import Config
from shnotify.config.yamlfile import parse
from shnotify.errors import ConfigError

ROUTE = "name: a\nroutes:\n  - name: urgent\n"
"""The smallest file; lines of its route may follow, four spaces in."""


def loaded(text: str) -> Config:
    return explain(parse(text, "f"))


def refused(text: str) -> list[str]:
    """What is said about a text, without the file's name; nothing when it is taken."""
    try:
        loaded(text)
    except ConfigError as error:
        return [str(problem).removeprefix("f:") for problem in error.problems]
    return []
