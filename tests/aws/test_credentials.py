"""Every way to sign in that the SDK knows, each with a stub of what stands behind it.

Source: the SDK's guide, "Credentials" (the order of its credential providers), and its configuration guide.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import RefreshWithMFAUnsupportedError

from shnotify.aws.credentials import SignIn, no_credentials
from shnotify.aws.failures import StopError
from shnotify.sandbox.server import Sandbox
from tests.conftest import SMALLEST
from tests.support.faults import REGION

KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "canary-of-a-stub"}
START_URL = "https://example.awsapps.com/start"
ROLE = "arn:aws:iam::123456789012:role/ops"


def hours_from_now(hours: float) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


class Stub(BaseHTTPRequestHandler):
    """IAM Identity Center and a container's credential endpoint, as far as the SDK asks them."""

    refuse = False

    def do_GET(self) -> None:
        if self.refuse:
            self._answer(401, {"message": "Session token not found or invalid"}, "UnauthorizedException")
        elif self.path.startswith("/federation/credentials"):
            keys = {"accessKeyId": KEYS["aws_access_key_id"], "secretAccessKey": "s", "sessionToken": "t"}
            later = datetime.now(UTC) + timedelta(hours=1)
            self._answer(200, {"roleCredentials": {**keys, "expiration": int(later.timestamp() * 1000)}})
        else:
            keys = {"AccessKeyId": KEYS["aws_access_key_id"], "SecretAccessKey": "s", "Token": "t"}
            self._answer(200, {**keys, "Expiration": hours_from_now(1)})

    def _answer(self, status: int, document: dict[str, Any], code: str = "") -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(region=REGION) as found:
        yield found


@pytest.fixture
def stub() -> Iterator[type[Stub]]:
    class Mine(Stub):
        address = ""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mine)
    Mine.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Mine
    server.shutdown()
    thread.join()
    server.server_close()


class Person:
    """Somebody at a terminal: a home with AWS settings, and the command."""

    def __init__(self, sandbox: Sandbox, stub: Any, home: Path) -> None:
        self.home = home
        (home / ".aws").mkdir()
        (home / "shnotify.yaml").write_text(SMALLEST, encoding="utf-8")
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
        self.env = {
            **kept,
            "HOME": str(home),
            "SHNOTIFY_CONFIG": str(home / "shnotify.yaml"),
            "AWS_ENDPOINT_URL": sandbox.endpoint,
            "AWS_ENDPOINT_URL_SSO": stub.address,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def config(self, **profiles: dict[str, str]) -> None:
        sections = {name.replace("__", " "): values for name, values in profiles.items()}
        text = "".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
            for name, values in sections.items()
        )
        (self.home / ".aws" / "config").write_text(text, encoding="utf-8")

    def signed_in(self, session: str, hours: float = 1) -> None:
        """What `aws sso login` leaves behind."""
        cache = self.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        token = {"startUrl": START_URL, "region": REGION, "accessToken": "t", "expiresAt": hours_from_now(hours)}
        name = hashlib.sha1(session.encode(), usedforsecurity=False).hexdigest()
        (cache / f"{name}.json").write_text(json.dumps(token), encoding="utf-8")

    def status(self, *arguments: str, timeout: float = 60) -> Any:
        ran = subprocess.run(
            [sys.executable, "-m", "shnotify", "status", "-o", "json", *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in ran.stderr
        return ran.returncode, json.loads(ran.stdout), ran.stderr


@pytest.fixture
def person(sandbox: Sandbox, stub: type[Stub], tmp_path: Path) -> Person:
    return Person(sandbox, stub, tmp_path)


SESSION = {"sso_start_url": START_URL, "sso_region": REGION, "sso_registration_scopes": "sso:account:access"}
SSO = {"sso_account_id": "123456789012", "sso_role_name": "ops"}
PROCESS = json.dumps({"Version": 1, "AccessKeyId": KEYS["aws_access_key_id"], "SecretAccessKey": "s"})


def by_environment(person: Person) -> None:
    person.env |= {name.upper(): value for name, value in KEYS.items()}


def by_file(person: Person) -> None:
    person.config(default=KEYS)


def by_sso_session(person: Person) -> None:
    person.config(**{"default": {**SSO, "sso_session": "corp"}, "sso-session corp": SESSION})
    person.signed_in("corp")


def by_legacy_sso(person: Person) -> None:
    person.config(default={**SSO, "sso_start_url": START_URL, "sso_region": REGION})
    person.signed_in(START_URL)


def by_role_of_sso(person: Person) -> None:
    base = {**SSO, "sso_session": "corp"}
    role = {"role_arn": ROLE, "source_profile": "base"}
    person.config(**{"default": role, "profile base": base, "sso-session corp": SESSION})
    person.signed_in("corp")


def by_role(person: Person) -> None:
    person.config(**{"default": {"role_arn": ROLE, "source_profile": "base"}, "profile base": KEYS})


def by_role_of_environment(person: Person) -> None:
    person.config(default={"role_arn": ROLE, "credential_source": "Environment"})
    by_environment(person)
    for name in KEYS:
        person.env[name.upper()] = KEYS[name]


def by_web_identity(person: Person) -> None:
    token = person.home / "token"
    token.write_text("a.b.c", encoding="utf-8")
    person.env |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE, "AWS_ROLE_SESSION_NAME": "ops"}


def by_process(person: Person) -> None:
    script = person.home / "keys.py"
    script.write_text(f"print({PROCESS!r})", encoding="utf-8")
    person.config(default={"credential_process": f"{sys.executable} {script}"})


def by_container(person: Person) -> None:
    person.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{person.env['AWS_ENDPOINT_URL_SSO']}/container"


WAYS: tuple[Callable[[Person], None], ...] = (
    by_environment,
    by_file,
    by_sso_session,
    by_legacy_sso,
    by_role_of_sso,
    by_role,
    by_role_of_environment,
    by_web_identity,
    by_process,
    by_container,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_to_sign_in_works(person: Person, way: Callable[[Person], None]) -> None:
    way(person)
    code, document, err = person.status()
    assert (code, document["error"]) == (3, None), err
    assert document["account"] == "123456789012"


# -- what does not work says what to do --------------------------------------------------------------------------------


def refused(person: Person, *arguments: str) -> tuple[str, str]:
    """(message, hint) of a command that found no credentials: exit 1, one document, nothing else."""
    code, document, _ = person.status(*arguments)
    assert code == 1
    error = document["error"]
    assert "network" not in f"{error['hint']}"
    return error["message"], error["hint"]


def test_a_session_that_has_expired_names_its_profile(person: Person) -> None:
    role = {"role_arn": ROLE, "source_profile": "base"}
    profiles = {"profile ops": role, "profile base": {**SSO, "sso_session": "corp"}, "sso-session corp": SESSION}
    person.config(**profiles)
    person.signed_in("corp", hours=-1)
    _, hint = refused(person, "--profile", "ops")
    assert hint == "run `aws sso login --profile base`, then the same command again"


def test_nobody_has_signed_in(person: Person) -> None:
    person.config(**{"default": {**SSO, "sso_session": "corp"}, "sso-session corp": SESSION})
    assert "aws sso login --profile default" in refused(person)[1]


def test_a_token_that_the_service_no_longer_takes(person: Person, stub: type[Stub]) -> None:
    by_sso_session(person)
    stub.refuse = True
    assert "aws sso login --profile default" in refused(person)[1]


def test_a_login_session_names_its_own_command(person: Person) -> None:
    """`aws login` writes `login_session` into the profile (AWS CLI User Guide, sign in with console credentials)."""
    person.config(default={"login_session": "arn:aws:iam::123456789012:user/me", "region": REGION})
    message, hint = refused(person)
    without_crt = "login credential provider requires" in message
    assert ("'.[login]'" if without_crt else "aws login --profile default") in hint


def test_an_mfa_code_is_not_asked_for_where_nobody_is(person: Person) -> None:
    mfa = {"role_arn": ROLE, "source_profile": "base", "mfa_serial": "arn:aws:iam::123456789012:mfa/me"}
    person.config(**{"profile ops": mfa, "profile base": KEYS})
    message, hint = refused(person, "--profile", "ops")
    assert message == (
        "no usable AWS credentials: profile ops wants an MFA code (mfa_serial arn:aws:iam::123456789012:mfa/me), "
        "and nobody can be asked here"
    )
    assert "aws sts get-session-token" in hint


def test_every_thread_says_why_the_mfa_code_was_not_asked_for() -> None:
    """The SDK asks once; whoever comes second it tells only that it cannot refresh, and may be heard first."""
    refusal = StopError("profile ops wants an MFA code", code="MfaCodeNeeded")
    second = RefreshWithMFAUnsupportedError()
    assert no_credentials(second, SignIn("ops", unasked=[refusal])).message == refusal.message
    assert "MFA token required" in no_credentials(second, SignIn("ops")).message


def test_what_a_credential_process_writes_is_not_shown(person: Person) -> None:
    script = person.home / "keys.py"
    script.write_text("import sys; sys.exit('secret-in-stderr')", encoding="utf-8")
    person.config(**{"profile ops": {"credential_process": f"{sys.executable} {script}"}})
    code, document, err = person.status("--profile", "ops")
    assert code == 1
    assert "secret-in-stderr" not in json.dumps(document) + err
    assert "(profile ops): its credential_process ended with exit code 1" in document["error"]["message"]


def test_a_credential_process_that_hangs_ends_with_the_command(person: Person) -> None:
    script = person.home / "keys.py"
    script.write_text("import time; time.sleep(60)", encoding="utf-8")
    person.config(default={"credential_process": f"{sys.executable} {script}"})
    code, document, _ = person.status("--timeout", "3")
    assert (code, document["error"]["code"]) == (1, "Timeout")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"profile other": KEYS}, "The config profile (ops) could not be found"),
        ({"profile ops": {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"}}, "aws_secret_access_key"),
        ({"profile ops": {"role_arn": ROLE, "web_identity_token_file": "/nowhere/token"}}, "/nowhere/token"),
        ({"profile ops": {"role_arn": ROLE, "source_profile": "nobody"}}, "nobody"),
        ({"profile ops": {"region": REGION}}, "no usable AWS credentials"),
    ],
    ids=["no such profile", "half a key", "no token file", "no source", "nothing"],
)
def test_settings_that_lead_nowhere(person: Person, settings: dict[str, dict[str, str]], expected: str) -> None:
    person.config(**settings)
    message, hint = refused(person, "--profile", "ops")
    assert expected in message
    assert hint


def test_a_container_that_does_not_answer(person: Person) -> None:
    person.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/container"
    person.env["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] = "1"
    assert "credentials" in refused(person, "--timeout", "20")[0]
