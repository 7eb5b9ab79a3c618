"""The fault list, row by row: what no other test holds. `docs/fault-rows.md` says which test holds each row."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError, ProxyConnectionError, ReadTimeoutError, SSLError

from shnotify import cli
from shnotify.__main__ import catch_signals
from shnotify.aws import READS, elsewhere
from tests import faults
from tests.canonical import live_keys
from tests.conftest import SMALLEST, Ran, World
from tests.faults import Fault
from tests.test_crashes import emptied

URL = "http://aws.invalid"
Calm = Callable[[int, str], Fault | None]


def calm(_n: int, _operation: str) -> Fault | None:
    return None


def always(operation: str, fault: Fault) -> Calm:
    return faults.on(operation, times=10_000)(fault)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """A command with the real gateway: nothing stands between it and the SDK."""
    path = tmp_path / "shnotify.yaml"
    path.write_text(SMALLEST, encoding="utf-8")

    def run(*arguments: str) -> Ran:
        code = cli.run([*arguments, "-c", str(path), "-o", "json"])
        return Ran(code, *capsys.readouterr())

    return run


CALLER = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>x</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@contextlib.contextmanager
def answering(status: int, body: bytes, *, caller: bool = True) -> Iterator[str]:
    """An endpoint that gives every call this answer; `caller`: all but the first, which says who we are."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            first = caller and b"GetCallerIdentity" in asked
            code, reply = (200, CALLER) if first else (status, body)
            self.send_response(code)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- B. network, throttling, bad replies -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["status"], ["plan"], ["apply", "--yes"], ["destroy", "--yes"]])
def test_row_13_a_storm_of_throttling_ends_in_time_and_names_the_call(world: World, command: list[str]) -> None:
    world.apply()
    storm = faults.refuse("ThrottlingException", message="Rate exceeded")
    world.faults.rule = lambda _n, operation: None if operation.startswith("sts:") else storm
    began = world.faults.time.seconds
    ran = world.run(*command, "--timeout", "9")
    assert (ran.code, world.faults.writes) == (1, [])
    assert world.faults.time.seconds - began <= 9
    error = ran.json["error"]
    assert "9 s is reached, waiting for" in error["message"]
    assert error["operation"] in READS


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "RequestThrottled", "Throttled", "SlowDown"])
def test_row_13_create_key_is_asked_again_after_a_refusal_by_any_throttling_code(world: World, code: str) -> None:
    world.faults.rule = faults.on("kms:CreateKey", 3)(faults.refuse(code))
    assert world.apply().code == 0
    assert world.faults.writes.count("kms:CreateKey") == 5


def test_row_16_reads_end_within_a_minute_though_each_hangs(world: World) -> None:
    def hang(_call: Callable[[], Any], _operation: str) -> Any:
        world.faults.time.sleep(20)
        raise ReadTimeoutError(endpoint_url=URL)

    world.faults.rule = always("sns:GetTopicAttributes", hang)
    began = world.faults.time.seconds
    ran = world.run("status")
    assert ran.code == 1
    assert world.faults.time.seconds - began <= 60 + 20  # the call under way when the minute is over
    assert "60 s is reached" in ran.json["error"]["message"]


JUNK = {
    "a proxy's page": (200, b"<html>log in first</html>"),
    "nothing": (200, b""),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "another kind of field": (200, b'{"KeyMetadata": []}'),
    "half a reply": (200, b'{"KeyMetadata": {"KeyId"'),
    "no UTF-8": (200, b"\xff\xfe{"),
    "refused by a proxy": (403, b"<html>blocked</html>"),
    "an error of another kind": (400, b"[1]"),
}


@pytest.mark.parametrize("what", JUNK)
def test_row_17_18_a_reply_that_is_not_awss_is_an_error_that_names_the_call(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with answering(*JUNK[what]) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ran = bare("status")
    assert ran.code == 1
    assert "missing" not in ran.states().values()
    assert "Traceback" not in ran.err
    error = ran.json["error"]
    assert error["operation"] or error["resource"]
    assert "this is a bug" not in error["hint"]


def test_row_17_18_an_unreadable_caller_is_an_error_too(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(200, b"<html>log in first</html>", caller=False) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ran = bare("status")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "sts:GetCallerIdentity")
    with answering(200, CALLER.replace(b"Account", b"Other"), caller=False) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ran = bare("status")
    assert (ran.code, ran.json["error"]["code"]) == (1, "KeyError")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (ProxyConnectionError(proxy_url="http://proxy.invalid"), "HTTPS_PROXY"),
        (SSLError(endpoint_url=URL, error=OSError("self-signed certificate")), "AWS_CA_BUNDLE"),
        (OSError("Could not find a suitable TLS CA certificate bundle"), "proxy"),
    ],
    ids=["proxy refuses", "proxy opens TLS", "no such CA file"],
)
def test_row_20_a_way_that_is_closed_is_told_with_what_to_set(world: World, error: Exception, hint: str) -> None:
    world.faults.rule = always("sts:GetCallerIdentity", faults.fail_with(error))
    began = world.faults.time.seconds
    ran = world.run("status")
    assert (ran.code, ran.json["error"]["operation"]) == (1, "sts:GetCallerIdentity")
    assert hint in ran.json["error"]["hint"]
    assert world.faults.time.seconds - began <= 30


def test_row_20_a_proxys_password_is_not_shown(bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:9")
    ran = bare("status")
    assert ran.code == 1
    assert "127.0.0.1:9" in ran.json["error"]["message"]
    assert "hunter2" not in ran.out + ran.err


def test_row_21_services_sent_elsewhere_are_told() -> None:
    assert elsewhere({}) is None
    assert elsewhere({"AWS_ENDPOINT_URL": URL}) == f"talking to {URL} (AWS_ENDPOINT_URL is set), not to AWS itself"
    assert (
        elsewhere({"AWS_ENDPOINT_URL_SNS": URL}) == f"only these are sent elsewhere, all others go to AWS: sns at {URL}"
    )
    assert f"sqs at {URL}/q" in str(elsewhere({"AWS_ENDPOINT_URL": URL, "AWS_ENDPOINT_URL_SQS": f"{URL}/q"}))


# -- H. credentials, permissions, account ------------------------------------------------------------------------------


def test_row_75_credentials_that_end_at_any_call_stop_it_at_once_and_a_rerun_goes_on(world: World) -> None:
    world.apply()
    calls = len(world.faults.calls)
    world.run("destroy", "--yes")
    world.faults.time.sleep(100)
    for number in range(2, calls + 8, 4):
        world.faults.rule = lambda n, _o, number=number: (  # type: ignore[misc]
            faults.refuse("ExpiredTokenException") if n >= number else None
        )
        ran = world.apply()
        world.faults.rule = calm
        if number <= calls:
            assert ran.code == 1, number
            assert "aws sso login" in ran.json["error"]["hint"]
            assert len(world.faults.calls) <= number + 16  # those that were under way; no one is tried again
            if world.faults.writes:
                assert len({a["result"] for a in ran.json["actions"]} - {"skipped"}) > 0, number
        assert world.apply().code == 0
        world.run("destroy", "--yes")
        world.faults.time.sleep(100)


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"])
def test_row_76_a_wrong_clock_is_told_with_both_times(world: World, code: str) -> None:
    def skewed(_call: Callable[[], Any], operation: str) -> Any:
        meta = {"HTTPStatusCode": 403, "HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}
        reply: Any = {"Error": {"Code": code, "Message": "Signature expired"}, "ResponseMetadata": meta}
        raise ClientError(reply, operation.partition(":")[2])

    world.faults.rule = always("sts:GetCallerIdentity", skewed)
    ran = world.run("plan")
    assert (ran.code, len(world.faults.calls)) == (1, 1)
    assert "AWS's says Thu, 01 Jan 2026 00:00:00 GMT, ours " in ran.json["error"]["hint"]


@pytest.mark.parametrize("kind", ["service control policy", "permissions boundary", "resource-based policy"])
def test_row_78_an_explicit_deny_is_not_mended_by_a_permission(world: World, kind: str) -> None:
    text = f"User: x is not authorized to perform: kms:CreateKey with an explicit deny in a {kind}"
    world.faults.rule = always("kms:CreateKey", faults.refuse("AccessDeniedException", message=text))
    hint = world.apply().json["error"]["hint"]
    if "policy" in kind:
        assert f"a {kind} forbids it" in hint
    else:
        assert "allow kms:CreateKey" in hint


@pytest.mark.parametrize("status", [400, 403])
def test_row_78_every_write_that_is_not_allowed_names_the_action_and_the_thing(world: World, status: int) -> None:
    def told(operation: str, *command: str) -> None:
        world.faults.rule = always(operation, faults.refuse("AccessDeniedException", status))
        ran = world.run(*command)
        world.faults.rule = calm
        assert (ran.code, ran.json["error"]["operation"]) == (1, operation)
        assert f"allow {operation} for the caller" in ran.json["error"]["hint"]
        assert world.faults.operations.count(operation) <= 2  # two keys side by side, never a second try

    world.apply()
    creating = set(world.faults.writes)
    world.run("destroy", "--yes")
    removing = set(world.faults.writes)
    world.faults.time.sleep(100)
    assert len(creating | removing) > 12
    for operation in sorted(creating):
        with emptied(world):
            told(operation, "apply", "--yes")
            assert world.apply().code == 0
    for operation in sorted(removing):
        with emptied(world):
            world.apply()
            told(operation, "destroy", "--yes")
            assert world.run("destroy", "--yes").code == 0


SETTINGS: dict[str, tuple[dict[str, str], str, int, str]] = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "", 1, "no usable AWS credentials"),
    "half of them": ({"AWS_SECRET_ACCESS_KEY": ""}, "", 1, "no usable AWS credentials"),
    "a program that fails": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        "[default]\ncredential_process = false\n",
        1,
        "no usable AWS credentials",
    ),
    "a profile that is not there": ({"AWS_PROFILE": "gone"}, "", 1, "gone"),
    "its source is not there": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "a"},
        "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = gone\n",
        1,
        "AWS settings cannot be used",
    ),
    "a torn file": ({}, "[default\nfoo", 1, "AWS settings cannot be used"),
    "no endpoint": ({"AWS_ENDPOINT_URL": "not a url"}, "", 1, "AWS settings cannot be used"),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_row_79_credentials_and_settings_that_cannot_be_used(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    environment, text, code, says = SETTINGS[what]
    (tmp_path / "config").write_text(text)
    for name, value in ({"AWS_CONFIG_FILE": str(tmp_path / "config")} | environment).items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    began = time.monotonic()
    ran = bare("status")
    assert time.monotonic() - began < 10  # generous: two seconds where nothing else runs
    assert (ran.code, says in ran.json["error"]["message"]) == (code, True), ran.err
    assert "this is a bug" not in ran.err


def test_row_79_a_program_for_credentials_that_hangs_is_not_waited_for(
    bare: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\ncredential_process = sleep 8\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    began = time.monotonic()
    ran = bare("status", "--timeout", "1")
    assert time.monotonic() - began < 6
    assert (ran.code, ran.json["error"]["code"]) == (1, "Timeout")


def test_row_79_a_role_that_may_not_be_taken_is_about_credentials(world: World) -> None:
    def refused(_call: Callable[[], Any], _operation: str) -> Any:
        reply: Any = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}}
        raise ClientError(reply, "AssumeRole")

    world.faults.rule = always("sts:GetCallerIdentity", refused)
    ran = world.run("status")
    assert (ran.code, len(world.faults.calls)) == (1, 1)
    assert "no usable AWS credentials" in ran.json["error"]["message"]
    assert "sts:AssumeRole" in ran.json["error"]["message"]


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired"])
def test_row_79_a_region_that_is_not_enabled_is_told(world: World, code: str) -> None:
    world.faults.rule = always("kms:DescribeKey", faults.refuse(code, 403))
    ran = world.run("plan")
    assert (ran.code, world.faults.writes) == (1, [])
    assert "a Region that is not enabled" in ran.json["error"]["hint"]


def test_row_80_the_region_comes_from_the_file_the_option_or_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = world.run("plan", "--region", "us-east-1")
    assert (ran.code, world.faults.calls) == (2, [])
    world.write(world.path.read_text().replace("region: eu-west-1\n", ""))
    assert world.run("plan").json["region"] == "eu-west-1"  # AWS_DEFAULT_REGION of the tests
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert world.run("plan").json["region"] == "eu-north-1"
    assert world.run("plan", "--region", "eu-west-3").json["region"] == "eu-west-3"
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    assert world.run("plan").code == 2


def test_row_80_a_region_that_is_none(bare: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "shnotify.yaml"
    path.write_text(path.read_text().replace("region: eu-west-1\n", ""))
    ran = bare("plan", "--region", "eu west")
    assert (ran.code, "looks like eu-west-1" in ran.json["error"]["hint"]) == (2, True)


QUOTAS = {
    "kms:CreateKey": ("LimitExceededException", 400),
    "kms:CreateAlias": ("LimitExceededException", 400),
    "sns:CreateTopic": ("TopicLimitExceeded", 403),
    "sns:Subscribe": ("SubscriptionLimitExceeded", 403),
    "sqs:CreateQueue": ("OverLimit", 403),
    "events:PutRule": ("LimitExceededException", 400),
    "events:PutTargets": ("LimitExceededException", 400),
}


@pytest.mark.parametrize("operation", QUOTAS)
def test_row_82_a_quota_is_told_as_one_and_not_tried_again(world: World, operation: str) -> None:
    world.faults.rule = always(operation, faults.refuse(*QUOTAS[operation]))
    ran = world.apply()
    assert ran.code == 1
    error = ran.json["error"]
    assert (error["operation"], error["code"]) == (operation, QUOTAS[operation][0])
    assert "a quota of the account is used up" in error["hint"]
    assert world.faults.operations.count(operation) <= 2  # two keys side by side
    world.faults.rule = calm
    assert world.apply().code == 0


# -- J. terminal and process -------------------------------------------------------------------------------------------


def test_row_96_97_a_signal_that_python_drops_in_a_callback_of_its_own_comes_again() -> None:
    code = (
        "import os, signal, time, weakref\n"
        "from shnotify.__main__ import catch_signals\n"
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
                else:
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
