"""Several files, directories of files, and files with several Regions: one configuration each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from shnotify.config import load
from shnotify.config.crosschecks import in_regions
from shnotify.config.load import Loaded
from shnotify.errors import ConfigError, ConfigProblem, UsageError

SUFFIXES = (".yaml", ".yml")


def files_of(given: Iterable[Path]) -> tuple[Path, ...]:
    """Lists the files that are meant: a directory stands for its YAML files, sorted by name.

    A file that is named twice is one. Raises `UsageError` for a directory without any.
    """
    found: dict[Path, Path] = {}
    for path in given:
        for file in _in(path) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return tuple(found.values())


def _in(directory: Path) -> list[Path]:
    try:
        files = sorted(
            file
            for file in directory.iterdir()
            if file.suffix in SUFFIXES and not file.name.startswith(".")
        )
    except OSError as error:
        raise UsageError(f"{directory} cannot be read: {error.strerror}") from error
    if not files:
        raise UsageError(f"{directory}: no file in it ends with .yaml")
    return files


def load_all(files: Iterable[Path], region: str | None = None) -> tuple[Loaded, ...]:
    """Loads files as one configuration for each notifier, all in their order.

    region: the one Region to which `--region` narrows a file with several. Raises `ConfigError`
    with what is wrong in all of them, and `UsageError` for a Region that a file does not name.
    """
    loaded: list[Loaded] = []
    problems: list[ConfigProblem] = []
    for file in files:
        try:
            loaded += by_region(load.load_file(file), region)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return tuple(loaded)


def by_region(loaded: Loaded, region: str | None = None) -> Iterator[Loaded]:
    """Yields what a file means in each of its Regions, or in the one that is asked for."""
    regions = loaded.config.regions
    if regions and region and region not in regions:
        raise UsageError(f"{loaded.document.file} is for {', '.join(regions)}, not for {region}")
    for one in in_regions(loaded.config):
        if not regions or region in (None, one.region):
            yield loaded._replace(config=one)


def one_of(loaded: Loaded, region: str | None = None) -> Loaded:
    """Returns what a file means for a command that takes one notifier.

    Raises `UsageError` when the file has several Regions, and none of them is asked for.
    """
    found = tuple(by_region(loaded, region))
    if len(found) > 1:
        raise UsageError(
            f"{loaded.document.file} has {len(found)} Regions, and this command takes one",
            hint=f"give --region: {', '.join(str(one.config.region) for one in found)}",
        )
    return found[0]
