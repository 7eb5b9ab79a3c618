"""The installed command as a process: signals, pipes, terminals, and an endpoint that never answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest

from shnotify.sandbox.server import Sandbox
from tests.conftest import SMALLEST
from tests.support.faults import REGION
from tests.support.process import Env, black_hole, command, run, terminal


def topics(sandbox: Sandbox) -> int:
    client = boto3.client(
        "sns",
        endpoint_url=sandbox.endpoint,
        region_name=REGION,
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    return len(client.list_topics()["Topics"])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_ends_it_with_its_code_and_the_next_run_goes_on(env: Env, number: signal.Signals, code: int) -> None:
    for delay in (0.1, 0.6, 0.8):
        process = subprocess.Popen(
            command("apply", "--yes", "-o", "json"), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(delay)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode in (code, 0, -number), err  # before our handler is there, or after the end
        assert "Traceback" not in err
        if process.returncode == code and out:
            json.loads(out)
    assert run(env, "apply", "--yes").returncode == 0
    assert run(env, "status").returncode == 4  # in sync, and nobody has clicked


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"], ["status", "-o", "json"]])
def test_a_reader_that_goes_away_stops_nothing(sandbox: Sandbox, env: Env, arguments: list[str]) -> None:
    process = subprocess.Popen(command(*arguments), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=30) == {"plan": 0, "apply": 0, "status": 3}[arguments[0]], errors
    assert "Traceback" not in errors
    assert topics(sandbox) == (1 if arguments[0] == "apply" else 0)


def test_closed_streams_are_no_crash(sandbox: Sandbox, env: Env) -> None:
    shell = f"{sys.executable} -m shnotify apply --yes >&- 2>&-"
    assert subprocess.run(["sh", "-c", shell], env=env, timeout=60, check=False).returncode == 0
    assert topics(sandbox) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_result_that_cannot_be_written_is_an_error(env: Env) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = subprocess.run(
            command("plan"), env=env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert process.returncode == 1
    assert "could not be written" in process.stderr


def test_without_a_terminal_nobody_is_asked_and_nothing_is_coloured(sandbox: Sandbox, env: Env) -> None:
    ran = run(env, "apply")
    assert (ran.returncode, topics(sandbox)) == (2, 0)
    assert "--yes" in ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr


def test_an_ascii_terminal_gets_ascii(env: Env) -> None:
    path = Path(env["SHNOTIFY_CONFIG"])
    path.write_text(SMALLEST + "    topic: {display_name: 警報}\n", encoding="utf-8")
    plain = env | {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "20"}
    ran = subprocess.run(command("apply", "--yes", "-v"), env=plain, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert b"\\u8b66\\u5831" in ran.stdout
    assert ran.stdout.isascii()


def read_until(handle: int, text: bytes, seconds: float = 30) -> bytes:
    found, end = b"", time.monotonic() + seconds
    while text not in found and time.monotonic() < end:
        try:
            found += os.read(handle, 4096)
        except OSError:
            break
    assert text in found, found[-500:]
    return found


@pytest.mark.parametrize(("answer", "code", "made"), [(b"y\n", 0, 1), (b"n\n", 2, 0), (b"\n", 2, 0)])
def test_on_a_terminal_it_asks(sandbox: Sandbox, env: Env, answer: bytes, code: int, made: int) -> None:
    with terminal(env, "apply") as (handle, process):
        read_until(handle, b"[y/N]")
        os.write(handle, answer)
        with contextlib.suppress(OSError):
            while os.read(handle, 4096):
                pass
        assert process.wait(timeout=30) == code
    assert topics(sandbox) == made


def test_the_live_line_is_gone_when_the_result_begins(env: Env) -> None:
    """It used to be drawn anew between all the lines of the result, with the wait that was its last news."""
    with terminal(env, "status") as (handle, process):
        found = read_until(handle, b"not in sync")
        process.wait(timeout=30)
    before, _, after = found.partition(b"Status of")
    assert "\u280b".encode() in before
    assert b"reading AWS" in before
    assert b"reading AWS" not in after
    assert b"\x1b[?25l" not in after


def test_init_asks_on_a_terminal_and_leaves_nothing_when_it_is_interrupted(env: Env, tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    for ended, code in ((b"", 130), (b"\x04", 2)):
        with terminal(env, "init", "-c", str(path)) as (handle, process):
            read_until(handle, b"Name of the notifier")
            os.write(handle, b"\xff\n")
            read_until(handle, b"must be a small letter")
            os.write(handle, ended) if ended else process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == code
    assert os.listdir(tmp_path) == ["shnotify.yaml"]
    with terminal(env, "init", "-c", str(path)) as (handle, process):
        for question, answer in (
            (b"Name", b"\n"),
            (b"told", b"a@b.co\n"),
            (b"Region", b"\n"),
            (b"Account", b"\n"),
            (b"Which mail", b"\n"),
            (b"Language", b"\n"),
            (b"itself fails", b"\n"),
        ):
            read_until(handle, question)
            os.write(handle, answer)
        read_until(handle, b"Wrote")
        assert process.wait(timeout=30) == 0
    assert path.read_text("utf-8").endswith("- a@b.co\n")


def test_a_sandbox_that_is_ended_printed_one_document(env: Env) -> None:
    process = subprocess.Popen(
        command("sandbox", "-o", "json"), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while "Ctrl-C" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert json.loads(out)["error"] is None


def test_what_changed_behind_the_question_is_refused(sandbox: Sandbox, env: Env) -> None:
    assert run(env, "apply", "--yes").returncode == 0
    path = Path(env["SHNOTIFY_CONFIG"])
    path.write_text(SMALLEST + "tags: {Owner: me}\n", encoding="utf-8")
    with terminal(env, "apply") as (handle, process):
        read_until(handle, b"[y/N]")
        events = boto3.client(
            "events",
            endpoint_url=sandbox.endpoint,
            region_name=REGION,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )
        events.disable_rule(Name="security-alerts-urgent")
        os.write(handle, b"y\n")
        read_until(handle, b"AWS changed while you were reading the plan")
        assert process.wait(timeout=30) == 1
    assert events.describe_rule(Name="security-alerts-urgent")["State"] == "DISABLED"


def test_a_black_hole_ends_within_the_commands_time(env: Env) -> None:
    with black_hole() as url:
        ran = run(env | {"AWS_ENDPOINT_URL": url}, "status", "--timeout", "3", "-o", "json")
    assert ran.returncode == 1
    assert "3 s" in json.loads(ran.stdout)["error"]["message"]


def test_nobody_there_and_nobody_known(env: Env) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ran = run(env | {"AWS_ENDPOINT_URL": url}, "status")
    assert ran.returncode == 1
    assert url in ran.stderr
    keyless = {k: v for k, v in env.items() if "ACCESS_KEY" not in k}
    ran = run(keyless, "status", "-o", "json")
    assert (ran.returncode, "credentials" in json.loads(ran.stdout)["error"]["message"]) == (1, True)
    ran = run(env, "status", "--profile", "nobody")
    assert (ran.returncode, "nobody" in ran.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["plan", "--nope"], ["status", "--timeout", "x"], ["plan", "-c", "/nowhere.yaml"]]
)
def test_a_wrong_command_line_is_one_json_document_too(env: Env, arguments: list[str]) -> None:
    ran = run(env, *arguments, "-o", "json")
    assert ran.returncode == 2
    assert json.loads(ran.stdout)["error"]["message"]
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["apply", "--help"], ["sandbox", "--help"]])
def test_help_is_instant_because_it_imports_nothing_heavy(env: Env, arguments: list[str]) -> None:
    code = (
        "import sys\nfrom shnotify.cli import run\n"
        f"assert run({arguments!r}) == 0\n"
        "heavy = {'boto3', 'botocore', 'yaml', 'rich', 'asyncio', 'moto'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "ours = {name for name in sys.modules if name.startswith('shnotify.commands.')}\n"
        f"assert ours <= {{'shnotify.commands.{arguments[0]}', 'shnotify.commands._flow'}}, ours\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


def test_who_we_are_is_asked_before_the_rest_of_the_program_is_loaded(env: Env) -> None:
    """Loading it takes as long as an answer of AWS, so both go side by side."""
    code = (
        "import sys\nimport shnotify.commands._each\n"
        "late = [name for name in sys.modules if name.startswith(('shnotify.notifier', 'shnotify.engine.plan'))]\n"
        "assert not late, late\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
