"""Loads the file: a complete configuration, or everything that is wrong with it at its position."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from shnotify.config import crosschecks
from shnotify.config.defaults import with_defaults
from shnotify.config.models import Config
from shnotify.config.variables import variable_in
from shnotify.config.yamlfile import MAX_PROBLEMS, Document, Path, dotted, read
from shnotify.errors import ConfigError, ConfigProblem
from shnotify.schema import reading


class Loaded(NamedTuple):
    """Holds a configuration and its document, which knows where everything stands."""

    config: Config
    document: Document


def load(path: FilePath) -> Config:
    """Loads the file as a complete configuration, with every default filled in.

    Raises `ConfigError` with all that is wrong.
    """
    return load_file(path).config


def load_file(path: FilePath) -> Loaded:
    """Loads the file with its document. Raises `ConfigError` with everything that is wrong."""
    document = read(path)
    return Loaded(completed(document), document)


def completed(document: Document) -> Config:
    """Turns the document into a complete configuration. Raises `ConfigError` with every problem at
    once.
    """
    if not isinstance(document.data, dict):
        shape = document.problem(
            (1, 1), "", "the file must be a mapping that begins with `name: ...`"
        )
        raise ConfigError([*document.problems, shape])
    problems = [
        *document.problems,
        *(_problem(document, *one) for one in dict.fromkeys(_found(document.data))),
    ]
    lines = {problem.line for problem in problems}
    problems += [
        document.problem(
            position, "", "looks like an AWS access key: take it out of the file (and revoke it)"
        )
        for position in crosschecks.secret_lines(document.text)
        if position[0] not in lines
    ]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems))[:MAX_PROBLEMS])
    return reading.read(Config, with_defaults(document.data))


def _found(written: dict[str, Any]) -> Iterator[tuple[Path, str, bool]]:
    """Yields path, message, and whether the message is about the key rather than the value."""
    data = with_defaults(written)
    yield from ((path, message, False) for path, message in crosschecks.secrets(written))
    yield from ((path, message, True) for path, message in crosschecks.tags(written.get("tags")))
    yield from (
        (path, message, False) for path, message in crosschecks.contradictions(data, written)
    )
    try:
        config = reading.read(Config, data)
    except reading.Wrong as wrong:
        from shnotify.config.pruning import without
        from shnotify.config.wording import in_words, is_derived, standing

        told = [one for one in wrong.mistakes if not is_derived(written, one)] or wrong.mistakes
        yield from (in_words(written, Config, one) for one in told[:MAX_PROBLEMS])
        rest = without(written, [standing(data, one) for one in wrong.mistakes])
        try:
            config = reading.read(Config, with_defaults(rest))
        except reading.Wrong:
            return
    yield from ((path, message, False) for path, message in crosschecks.whole(config))


def _problem(document: Document, path: Path, message: str, at_key: bool) -> ConfigProblem:
    if not at_key and (variable := variable_in(document.data, path)):
        message = f"{message} ({variable})"
    return document.problem(document.where(path, key=at_key), dotted(path), message)
