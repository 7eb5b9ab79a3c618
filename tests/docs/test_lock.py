"""The hash-pinned requirements fit pyproject.toml, and name nothing but packages, versions and hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FILES = {"dev.txt": "dev", "demo.txt": "build"}
"""Each lock file, and the dependency group that it holds beside the run-time requirements and the extra `sandbox`."""

ENTRY = re.compile(r"(?P<pin>[^ ]+==[^ ]+(?: ; [^\\]+)?) \\\n(?P<hashes>(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


def lock(name: str) -> dict[str, list[Requirement]]:
    """Package -> its pins (one for each environment); fails on any line that is none."""
    text = re.sub(r"\A(#.*\n)+", "", (ROOT / "requirements" / name).read_text(encoding="utf-8"))
    assert ENTRY.sub("", text) == "", "only pins with hashes may be in the file"
    pins: dict[str, list[Requirement]] = {}
    for entry in ENTRY.finditer(text):
        pin = Requirement(entry["pin"])
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


def group(name: str) -> list[str]:
    """A dependency group's requirements, those of the groups it includes too."""
    found: list[str] = []
    for item in PROJECT["dependency-groups"][name]:
        found += group(item["include-group"]) if isinstance(item, dict) else [item]
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_locked_within_its_range(name: str) -> None:
    project = PROJECT["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["sandbox"] + PROJECT["build-system"]["requires"]
    pins = lock(name)
    for requirement in map(Requirement, [*wanted, *group(FILES[name])]):
        found = pins.get(canonicalize_name(requirement.name), [])
        assert found, f"{requirement} is not in requirements/{name}: run `make lock`"
        for pin in found:
            [version] = [s.version for s in pin.specifier]
            assert requirement.specifier.contains(version), f"{pin} is not {requirement}: run `make lock`"


def test_the_demonstration_uses_what_the_tests_use() -> None:
    tested = {str(pin) for pins in lock("dev.txt").values() for pin in pins}
    assert {str(pin) for pins in lock("demo.txt").values() for pin in pins} <= tested


def test_the_mutants_are_tested_with_what_the_tests_use() -> None:
    """Both are installed into one environment (`make mutants`)."""
    tested = lock("dev.txt")
    for name, pins in lock("mutants.txt").items():
        assert {str(pin.specifier) for pin in pins} == {str(pin.specifier) for pin in tested.get(name, pins)}


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_no_address_of_an_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host| @ ", text)


def test_the_plain_install_has_no_embedded_aws() -> None:
    assert not any("moto" in requirement for requirement in PROJECT["project"]["dependencies"])
    assert any(Requirement(r).name == "moto" for r in PROJECT["project"]["optional-dependencies"]["sandbox"])
