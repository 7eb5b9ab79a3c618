"""Loads the file: a complete configuration, or everything that is wrong with it at its position."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from shnotify.config import crosschecks
from shnotify.config.defaults import with_defaults
from shnotify.config.models import Config
from shnotify.config.wording import in_words, is_derived
from shnotify.config.yamlfile import MAX_PROBLEMS, Document, Path, dotted, read
from shnotify.errors import ConfigError, ConfigProblem


def load(path: FilePath) -> Config:
    """The file's configuration, complete: every default filled in. Raises `ConfigError` with all that is wrong."""
    document = read(path)
    return explain(document)


def explain(document: Document) -> Config:
    """The document as a complete configuration. Raises `ConfigError` with every problem at once."""
    if not isinstance(document.data, dict):
        shape = document.problem((1, 1), "", "the file must be a mapping that begins with `name: ...`")
        raise ConfigError([*document.problems, shape])
    problems = [*document.problems, *(_problem(document, *one) for one in dict.fromkeys(_found(document.data)))]
    lines = {problem.line for problem in problems}
    problems += [
        document.problem(position, "", "looks like an AWS access key: take it out of the file (and revoke it)")
        for position in crosschecks.secret_lines(document.text)
        if position[0] not in lines
    ]
    if problems:
        raise ConfigError(problems[:MAX_PROBLEMS])
    return Config.model_validate(with_defaults(document.data))


def _found(written: dict[str, Any]) -> Iterator[tuple[Path, str, bool]]:
    """Path, message, and whether it is about the key rather than the value."""
    data = with_defaults(written)
    yield from ((path, message, False) for path, message in crosschecks.secrets(written))
    yield from ((path, message, True) for path, message in crosschecks.tags(written.get("tags")))
    yield from ((path, message, False) for path, message in crosschecks.contradictions(data, written))
    numbers = list(range(len(data["routes"]))) if isinstance(data.get("routes"), list) else []
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        told = [detail for detail in details if not is_derived(written, detail)] or details
        yield from (in_words(written, Config, detail) for detail in told[:MAX_PROBLEMS])
        data, numbers = _without(data, [detail["loc"] for detail in details])
        try:
            config = Config.model_validate(data)
        except ValidationError:
            return
    for path, message in crosschecks.whole(config):
        yield (("routes", numbers[int(path[1])], *path[2:]) if path[0] == "routes" else path), message, False


def _without(data: dict[str, Any], wrong: list[tuple[str | int, ...]]) -> tuple[dict[str, Any], list[int]]:
    """The data less what is wrong in it, so that the rest can be looked at as a whole; the routes that stay."""
    bad = {loc[:3] if loc[0] == "routes" else loc[:1] for loc in wrong}
    kept = {name: value for name, value in data.items() if (name,) not in bad}
    kept |= {"name": "unnamed"} if ("name",) in bad else {}
    kept |= {name: None for name in ("encryption", "dead_letter_queue") if (name,) in bad}
    if "routes" not in kept:
        return kept, []
    routes = []
    stay = []
    for number, route in enumerate(data["routes"]):
        fields = {str(loc[2]) if len(loc) > 2 else "name" for loc in bad if loc[:2] == ("routes", number)}
        if not fields & {"name", "topic", "rule"}:
            routes.append({name: value for name, value in route.items() if name not in fields})
            stay.append(number)
    kept["routes"] = routes
    return kept, stay


def _problem(document: Document, path: Path, message: str, at_key: bool) -> ConfigProblem:
    return document.problem(document.where(path, key=at_key), dotted(path), message)
