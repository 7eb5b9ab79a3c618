"""`validate`: little is loaded, and its warnings are those of `plan`, with their positions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shnotify import cli
from tests.conftest import World

NOT_NEEDED = (
    "rich",
    "pydantic",
    "boto3",
    "botocore",
    "moto",
    "shnotify.aws",
    "shnotify.engine",
    "shnotify.notifier",
    "shnotify.resources",
    "shnotify.config.wording",
    "email",
    "importlib.metadata",
    "importlib.resources",
    "secrets",
    "zipfile",
)
"""What a `validate` of a right file must not load: it starts in the time that its libraries take."""
PROGRAM = """
import sys, zoneinfo
def refuse():
    raise AssertionError("the whole time zone database is read")
zoneinfo.available_timezones = refuse
from shnotify import cli
code = cli.run(["validate", "-o", "json", "-c", sys.argv[1]])
print("\\n".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def test_only_what_is_needed_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    text = "name: a\nroutes:\n  - name: urgent\n    message: {format: lambda, time_zone: Asia/Tokyo}\n"
    path.write_text(text + "    subscribers: [a@b.co]\n", encoding="utf-8")
    ran = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["warnings"] == []
    loaded = ran.stderr.split("\n")
    assert "shnotify.schema.reading" in loaded
    assert [name for name in loaded if name.startswith(NOT_NEEDED) and name != "shnotify.aws.progress"] == []


def test_plan_warns_of_what_validate_warns_of(world: World) -> None:
    more = (
        "  - name: silent\n    pattern: {source: [aws.security-hub]}\n  - name: cheap\n    findings: {severity: any}\n"
    )
    world.write(world.path.read_text("utf-8") + more)
    warnings = world.run("validate").json["warnings"]
    assert [line.partition(": ")[2].partition(":")[0] for line in warnings] == [
        "routes[1].subscribers",
        "routes[1].pattern.source[0]",
        "routes[2].subscribers",
        "routes[2].findings",
    ]
    assert all(line.startswith(f"{world.path}:") for line in warnings)
    said = world.text("plan").err
    assert all(f"warning: {line}" in said for line in warnings)


@pytest.mark.parametrize("command", ["plan", "status", "apply", "destroy"])
def test_a_region_that_can_be_none_is_refused_before_any_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("name: a\nroutes: [{name: b}]\n", encoding="utf-8")
    assert cli.run([command, "-c", str(path), "--region", "moon"]) == 2
    assert "error: --region moon: must be an AWS Region such as ap-northeast-1" in capsys.readouterr().err
    assert cli.run([command, "-c", str(path), "--region", "tokyo"]) == 2
    assert "did you mean ap-northeast-1?" in capsys.readouterr().err


QUIET = "name: a\nroutes: [{name: urgent, subscribers: [a@b.co]}]\n"
SAID = """\
F: a is valid (1 route)

  Security Hub CSPM findings
  ├─> rule a-urgent: CRITICAL or HIGH, NEW, ACTIVE
  │   ├─> topic a-urgent: short mails, encrypted with alias/a-topic
  │   │   └─> email a@b.co: must confirm within 48 hours
  │   └─> queue a-dlq: keeps what could not be delivered for 4d, encrypted with alias/a-dlq
  └─> rule a-urgent-plain: findings whose text would break a mail: to the same topic, without that text

`shnotify apply` would make 2 KMS keys, 1 SQS queue, 1 SNS topic, 1 subscription, 2 EventBridge rules.
"""
ODD = """\
name: a
encryption: false
dead_letter_queue: false
routes:
  - {name: one, subscribers: [a@b.co], rule: {enabled: false}, findings: {severity: any, record_state: any}}
  - {name: two, subscribers: [b@b.co], pattern: {source: [aws.securityhub]}, unlisted_subscribers: remove}
"""


def test_it_says_what_would_be_made_and_who_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(QUIET, encoding="utf-8")
    assert cli.run(["validate", "-c", str(path), "--strict"]) == 0
    assert capsys.readouterr().out.replace(str(path), "F") == SAID


def test_it_says_what_is_unusual(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(ODD, encoding="utf-8")
    assert cli.run(["validate", "-c", str(path), "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [text.partition(": ")[0] + ": " + text.split(": ")[1] for text in said["unusual"]] == [
        "encryption: false",
        "dead_letter_queue: false",
        "route one: its rule is disabled, so it sends nothing",
        "route one: severity any",
        "route one: record_state any",
        "route two: a raw event pattern",
        "route two: unlisted_subscribers remove",
    ]
    assert said["makes"] == {"SNS topic": 2, "subscription": 2, "EventBridge rule": 3}


def test_strict_makes_an_error_of_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("name: a\nroutes: [{name: silent}]\n", encoding="utf-8")
    assert cli.run(["validate", "-c", str(path)]) == 0
    capsys.readouterr()
    assert cli.run(["validate", "-c", str(path), "--strict", "-o", "json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert (len(said["warnings"]), said["error"]["message"]) == (1, "1 warning, and --strict takes no warning")
