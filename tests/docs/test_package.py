"""The wheel and the sdist: the same bytes twice, and all that an installation needs in them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from shnotify import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    """Wheel and sdist, built twice."""
    found = []
    for number in range(2):
        folder = tmp_path_factory.mktemp(f"dist{number}")
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=120,
        )
        found.append(sorted(folder.iterdir()))
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_both_are_the_same_bytes_twice(built: list[list[Path]]) -> None:
    first, second = built
    assert [path.name for path in first] == [
        f"shnotify-{__version__}-py3-none-any.whl",
        f"shnotify-{__version__}.tar.gz",
    ]
    assert [digest(path) for path in first] == [digest(path) for path in second]


def test_the_wheel_holds_what_an_installation_needs(built: list[list[Path]]) -> None:
    with zipfile.ZipFile(built[0][0]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"shnotify-{__version__}.dist-info/METADATA").decode()
        example = wheel.read("shnotify/config.example.yaml")
    assert {"shnotify/py.typed", f"shnotify-{__version__}.dist-info/licenses/LICENSE"} <= names
    assert example == (ROOT / "config.example.yaml").read_bytes()
    assert "License-Expression: Apache-2.0\n" in metadata
    assert not [name for name in names if name.startswith("tests") or "__pycache__" in name]


def test_the_sdist_holds_what_a_packager_needs(built: list[list[Path]]) -> None:
    with tarfile.open(built[0][1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    needed = {"LICENSE", "CHANGELOG.md", "README.md", "config.example.yaml", "pyproject.toml", "src/shnotify/cli.py"}
    assert needed <= names
    assert not [name for name in names if name.startswith((".venv", ".git/", "e2e", "benchmarks"))]


def test_the_wheel_runs_from_where_it_is(built: list[list[Path]], tmp_path: Path) -> None:
    """As `python -m shnotify` in an environment that has the dependencies only; `init --full` finds its text in it."""
    home = tmp_path / "site"
    with zipfile.ZipFile(built[0][0]) as wheel:
        wheel.extractall(home)
    for arguments in (["version"], ["init", "--full", "-c", "made.yaml"], ["validate", "-c", "made.yaml"]):
        ran = subprocess.run(
            [sys.executable, "-m", "shnotify", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(home), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "made.yaml").exists()


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project
    assert __version__ not in (ROOT / "pyproject.toml").read_text("utf-8").replace("click>=", "")


def test_a_release_has_its_place_in_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in text or f"## [{__version__}]" in text
