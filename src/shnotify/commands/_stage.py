"""What the demonstration plays on: the embedded AWS, the installed command and the mailbox."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shnotify.errors import ShnotifyError
from shnotify.sandbox.arrivals import arrive
from shnotify.sandbox.findingstore import moment_text
from shnotify.sandbox.mailbox import mails
from shnotify.sandbox.rows import LOCK
from shnotify.sandbox.server import Sandbox
from shnotify.terminal.screen import Screen

Shown = Callable[[list[str]], list[str]]
"""Which lines of an output are shown."""

WIDTH = 80
_ACCOUNT = "123456789012"


@dataclass
class Stage:
    """Where one demonstration plays.

    steps  what was typed and what it ended with
    mails  the mails that were shown
    """

    sandbox: Sandbox
    screen: Screen
    path: Path
    steps: list[dict[str, Any]] = field(default_factory=list)
    mails: list[dict[str, str]] = field(default_factory=list)

    def say(self, title: str) -> None:
        self.screen.result()
        self._wrapped(f"## {title}")

    def quote(self, text: str, margin: str = "    ") -> None:
        for line in text.splitlines():
            self._wrapped(line, margin)

    def run(self, *arguments: str, expected: int = 0, shown: Shown = list) -> None:
        """Runs the installed command as a person would, in an environment that can reach nothing
        but the sandbox, and shows some of its lines.

        Raises `ShnotifyError` when it ends otherwise than expected.
        """
        self.screen.result(f"$ shnotify {' '.join(arguments)}")
        ran = subprocess.run(  # noqa: S603 our own interpreter, our own arguments
            [sys.executable, "-m", "shnotify", *arguments, "--config", str(self.path)],
            env={
                **self.sandbox.child_environment(),
                "COLUMNS": str(WIDTH),
                "SHNOTIFY_LANG": "en",  # the story is told in English
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        for line in shown(ran.stdout.splitlines()):
            self._wrapped(line)
        if ran.returncode:
            self.screen.result(f"(exit code {ran.returncode})")
        if ran.returncode != expected:
            told = f"ended with {ran.returncode} instead of {expected}: {ran.stderr.strip()}"
            raise ShnotifyError(
                f"`shnotify {' '.join(arguments)}` {told}",
                hint="this is a bug: please report it with this text",
            )
        self.steps.append({"command": list(arguments), "exit_code": expected})

    def _wrapped(self, line: str, margin: str = "") -> None:
        """Prints a line within the width; what is too long goes on, further in."""
        indent = margin + " " * (len(line) - len(line.lstrip()))
        pieces = textwrap.wrap(
            line.strip(),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_on_hyphens=False,
        )
        for piece in pieces or [margin.rstrip()]:
            self.screen.result(piece)

    # -- what happens in AWS -------------------------------------------------------------------------

    def finding(self, number: int, title: str) -> None:
        """Security Hub's control S3.2 fails for a bucket."""
        region, moment = self.sandbox.environment["AWS_REGION"], moment_text()
        finding = {
            "SchemaVersion": "2018-10-08",
            "Id": f"arn:aws:securityhub:{region}:{_ACCOUNT}:security-control/S3.2/finding/{number}",
            "ProductArn": f"arn:aws:securityhub:{region}::product/aws/securityhub",
            "ProductName": "Security Hub",
            "CompanyName": "AWS",
            "GeneratorId": "security-control/S3.2",
            "AwsAccountId": _ACCOUNT,
            "CreatedAt": moment,
            "UpdatedAt": moment,
            "Title": title,
            "Description": "This control checks whether an S3 bucket lets the public read it.",
            "Severity": {"Label": "CRITICAL"},
            "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.2"},
            "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::customer-exports"}],
        }
        with LOCK:
            arrive(_ACCOUNT, region, finding)

    def click(self, address: str) -> None:
        """The owner of the address clicks the link in the confirmation mail."""
        self.sandbox.confirm(address)

    def forget_eventbridge(self, alias: str) -> None:
        """Somebody tidies up a key policy, and EventBridge is not in it any more."""
        kms = self.client("kms")
        key = kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        policy["Statement"] = policy["Statement"][:1]
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))

    def show_new_mails(self, *, lines: int | None = None) -> int:
        """Shows what arrived since the last time, or the first lines of it; returns how many."""
        found = mails()[len(self.mails) :]
        for mail in found:
            self.mails.append({"to": mail.to, "subject": mail.subject, "body": mail.body})
            body = mail.body.splitlines()[:lines]
            head = f"To:      {mail.to}\nSubject: {mail.subject}\n\n"
            self.quote(head + "\n".join(body), "  | ")
        return len(found)

    def client(self, service: str) -> Any:
        import boto3

        env = self.sandbox.environment
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.sandbox.endpoint,
            region_name=env["AWS_DEFAULT_REGION"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        )
