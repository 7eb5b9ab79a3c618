"""Terminal and process: rows 94-103."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from shnotify.aws.progress import Waiting
from shnotify.escaping import escaped
from shnotify.terminal.live import Console
from shnotify.terminal.screen import Screen
from shnotify.terminal.signals import catch_signals
from tests.conftest import SMALLEST, World
from tests.support import faults
from tests.support.canonical import live_keys
from tests.support.crashes import emptied
from tests.support.lifecycle import TOPIC
from tests.support.process import Env, black_hole, run, terminal
from tests.support.rows import always, calm
from tests.support.samples import HOSTILE

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NASTY = "\x1b]8;;http://evil\x07[/b][red] \r\x9b31m \u202egpj.exe \u200b \U000e0041"


@given(HOSTILE)
def test_row_94_no_text_holds_what_a_terminal_would_obey(text: str) -> None:
    made = escaped(text)
    assert not FORBIDDEN.search(made)
    assert all(unicodedata.category(c) not in ("Cc", "Cs") or c in "\n\t" for c in made)


@pytest.mark.parametrize("command", [["status"], ["plan"], ["apply", "--yes"], ["destroy", "--yes"]])
def test_row_95_what_aws_says_cannot_steer_the_terminal(world: World, command: list[str]) -> None:
    world.apply()
    sns = world.client("sns")
    bidi = "\u202egpj.exe [/b]"  # the worst that the XML of SNS can carry
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="DisplayName", AttributeValue=bidi)
    sns.tag_resource(ResourceArn=TOPIC, Tags=[{"Key": "managed-by", "Value": bidi}])

    def listed(call: Callable[[], Any], _operation: str) -> Any:
        reply = call()
        one = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": NASTY}
        return {**reply, "Subscriptions": [*reply["Subscriptions"], one]}

    lie = always("sns:ListSubscriptionsByTopic", listed)
    refused = always("sqs:GetQueueAttributes", faults.refuse(NASTY, message=NASTY))
    for rule in (lie, refused):
        world.faults.rule = rule
        shown = world.text(*command, "-v")
        assert not FORBIDDEN.search(shown.out + shown.err)
        assert "gpj.exe" in shown.out + shown.err or command[0] == "destroy"
        assert not FORBIDDEN.search(world.run(*command).out)


def test_row_95_what_aws_says_is_no_markup_of_the_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    written = io.StringIO()
    screen.err.file = written
    screen.err.console = Console(file=written, force_terminal=True, soft_wrap=True, width=200)
    monkeypatch.setenv("TERM", "xterm")
    with screen.progress() as report:
        report(Waiting("kms:CreateKey", "AWS said [/b]", 3.0))
        screen.say("aside")
    assert "aside" in written.getvalue()


@pytest.mark.parametrize("how", ["NO_COLOR", "TERM", "--no-color"])
def test_row_101_no_colour_means_no_control_sequence_at_all(env: Env, how: str) -> None:
    plain = env | {"COLUMNS": "20"} | {"NO_COLOR": {"NO_COLOR": "1"}, "TERM": {"TERM": "dumb"}}.get(how, {})
    arguments = ["status", *([how] if how.startswith("--") else [])]
    found = b""
    with terminal(plain, *arguments) as (handle, process):
        with contextlib.suppress(OSError):
            while more := os.read(handle, 4096):
                found += more
        assert process.wait(timeout=30) == 3
    assert b"not in sync" in found
    assert b"\x1b" not in found


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"], ["destroy", "--yes"]])
def test_row_16_every_command_ends_in_time_where_nobody_answers(
    env: Env,
    arguments: list[str],
) -> None:
    with black_hole() as url:
        ran = run(env | {"AWS_ENDPOINT_URL": url}, *arguments, "--timeout", "1", "-o", "json")
    assert ran.returncode == 1
    error = json.loads(ran.stdout)["error"]
    assert error["code"] in ("Timeout", "ReadTimeoutError")
    assert error["operation"] in ("sts:GetCallerIdentity", "kms:DescribeKey")  # both are asked first


def test_row_96_97_a_signal_that_python_drops_in_a_callback_of_its_own_comes_again() -> None:
    code = (
        "import os, signal, time, weakref\n"
        "from shnotify.terminal.signals import catch_signals\n"
        "class Thing: pass\n"
        "catch_signals()\n"
        "thing = Thing()\n"
        "watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))\n"
        "try:\n"
        "    del thing\n"
        "    time.sleep(20)\n"
        "except KeyboardInterrupt as error:\n"
        "    print(error.exit_code)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.stderr) == ("143\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_row_96_97_a_signal_at_any_call_is_told_in_one_document_and_the_next_run_goes_on(
    world: World, number: signal.Signals
) -> None:
    def interrupt(call: Callable[[], Any], _operation: str) -> Any:
        os.kill(os.getpid(), number)
        return call()

    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    hook = sys.unraisablehook
    try:
        catch_signals()
        for call in range(1, 37, 5):
            with emptied(world):
                world.faults.rule = faults.at(call)(interrupt)
                ran = world.apply()
                assert ran.code == 128 + number, call
                assert "interrupted" in ran.err
                assert "Traceback" not in ran.err
                if world.faults.writes:
                    assert "result" in ran.json["actions"][0], call
                assert ran.json["error"]["message"] == "interrupted"
                world.faults.rule = calm
                assert world.apply().code == 0
                assert live_keys(world) == ["DlqKey", "TopicKey"]
    finally:
        sys.unraisablehook = hook
        for name, handler in before.items():
            signal.signal(name, handler)


def test_row_98_a_reader_that_is_gone_when_an_error_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "shnotify", "plan", "-c", str(tmp_path / "none.yaml"), "-o", "json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert ran.returncode == 2
    assert "none.yaml" in ran.stderr
    assert "Traceback" not in ran.stderr


RAW = SMALLEST + "    pattern: {source: [aws.securityhub], detail: {findings: {Title: [{wildcard: 'a*b*c*d*e'}]}}}\n"


def test_row_93_a_raw_pattern_that_eventbridge_refuses_is_told_before_any_write(world: World) -> None:
    """How complex a pattern may be, only EventBridge knows (EventBridge User Guide, wildcard matching)."""
    why = "Event pattern is not valid. Reason: Rule is too complex - try using fewer wildcard characters"
    world.write(RAW)
    world.faults.rule = faults.on("events:TestEventPattern", 9)(
        faults.refuse("InvalidEventPatternException", message=why)
    )
    for command in (["plan"], ["apply", "--yes"]):
        ran = world.run(*command)
        assert (ran.code, world.faults.writes) == (2, [])
        assert "route urgent" in ran.json["error"]["message"]
        assert "too complex" in ran.json["error"]["message"]


def test_row_93_a_raw_pattern_that_nobody_may_ask_about_is_left_to_put_rule(world: World) -> None:
    world.write(RAW)
    world.faults.rule = faults.on("events:TestEventPattern", 9)(faults.refuse("AccessDeniedException"))
    assert world.apply().code == 0
    assert "events:TestEventPattern" in world.faults.operations
    for command in (["plan"], ["apply", "--yes"], ["status"]):
        assert world.run(*command).code in (0, 4)
        assert "events:TestEventPattern" not in world.faults.operations  # nothing of it is to be written
