"""What all tests share: no real credentials, an embedded AWS that says no where AWS says no, a command runner."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from moto import mock_aws

from shnotify import cli
from shnotify.commands import _opening as opening
from shnotify.sandbox.strict import strict
from tests.support import faults as faults_module
from tests.support.faults import REGION, Faults

# The same examples on every machine, and no wall time judged: the first text alone takes Hypothesis seconds in a
# fresh checkout, for it first writes down Unicode's categories.
settings.register_profile(
    "the same everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("the same everywhere")

SMALLEST = f"""\
name: security-alerts
region: {REGION}
routes:
  - name: urgent
    subscribers: [secops@example.com]
"""


@pytest.fixture(autouse=True)
def _no_real_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "SHNOTIFY_CONFIG",
        "SHNOTIFY_LANG",
        "NO_COLOR",
        "COLUMNS",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)


CANARY = "canary-secret-never-to-be-shown-anywhere"
"""The secret key of every test."""


@dataclass
class Ran:
    """What a command did: its exit code and what it printed, which never holds the secret key."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert CANARY not in self.out + self.err

    @property
    def json(self) -> dict[str, Any]:
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document

    def actions(self) -> dict[str, str]:
        return {a["id"]: a["action"] for a in self.json["actions"] if a["action"] != "none"}

    def states(self) -> dict[str, str]:
        return {r["id"]: r["state"] for r in self.json["resources"] if r["state"] != "in_sync"}

    def drift(self) -> dict[str, list[str]]:
        return {r["id"]: [d["path"] for d in r["drift"]] for r in self.json["resources"] if r["drift"]}


@dataclass
class World:
    """One embedded account, and shnotify in it."""

    path: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.monkeypatch.setattr(opening, "Aws", faults_module.gateway(self.faults))
        self.write(SMALLEST)

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    def client(self, service: str) -> Any:
        return self.faults.client(service)

    def run(self, *arguments: str) -> Ran:
        """A command, `-o json`; counts its calls from zero."""
        self.faults.calls.clear()
        self.capsys.readouterr()
        code = cli.run([*arguments, "-c", str(self.path), "-o", "json"])
        return Ran(code, *self.capsys.readouterr())

    def text(self, *arguments: str) -> Ran:
        """A command in text form."""
        self.faults.calls.clear()
        self.capsys.readouterr()
        code = cli.run([*arguments, "-c", str(self.path)])
        return Ran(code, *self.capsys.readouterr())

    def apply(self, *arguments: str) -> Ran:
        return self.run("apply", "--yes", *arguments)


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    found = World(tmp_path / "shnotify.yaml", capsys, monkeypatch)
    with mock_aws(), strict(clock=found.faults.time.now):
        yield found


Cases = Callable[[int], None]


@pytest.fixture
def cases(record_property: Callable[[str, object], None]) -> Cases:
    """Says how many cases a sweep really ran; none is a failure. The sums stand at the end of the run."""

    def say(count: int) -> None:
        assert count > 0
        record_property("cases", count)

    return say


def pytest_terminal_summary(terminalreporter: Any) -> None:
    sums: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "cases":
                sums[report.nodeid.rpartition("::")[2].partition("[")[0]] += value
    for test, count in sorted(sums.items()):
        terminalreporter.write_line(f"{test}: {count} cases")
