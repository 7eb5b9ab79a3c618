"""`shnotify demo`: the whole life cycle against an embedded AWS on this machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import output_options, settings

if TYPE_CHECKING:
    from shnotify.sandbox.server import Sandbox
    from shnotify.terminal.screen import Screen

NAME = "demo-alerts"
CONFIG = f"""\
name: {NAME}
routes:
  - name: urgent
    subscribers: [secops@example.com]
"""


@click.command("demo", short_help="Show the whole life cycle against an embedded AWS.")
@output_options
def command(**options: Any) -> int:
    """Plans, applies, drifts, mends and destroys a notifier in an embedded AWS.

    Needs no account and no network.
    """
    from shnotify.sandbox.server import Sandbox
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="shnotify-demo-") as folder:
        path = Path(folder) / "shnotify.yaml"
        path.write_text(CONFIG, encoding="utf-8")
        steps = _story(sandbox, screen, path)
        screen.document({"steps": steps, "error": None})
    return 0


def _story(sandbox: Sandbox, screen: Screen, path: Path) -> list[dict[str, Any]]:
    """Lists every step: what a person would type, and what must come of it.

    Raises `ShnotifyError` if something else does.
    """
    story: list[tuple[str, Callable[[], None] | None, list[str], int]] = [
        ("The whole configuration:", lambda: _quote(screen, path.read_text("utf-8")), [], 0),
        ("What would be made?", None, ["plan"], 0),
        ("Make it.", None, ["apply", "--yes"], 0),
        (
            "Does it deliver? Not yet: nobody has clicked the link in the confirmation mail.",
            None,
            ["status"],
            4,
        ),
        ("Somebody clicks the link ...", lambda: _click(sandbox), ["status"], 0),
        (
            "Behind our back, somebody changes queue, key policy and rule.",
            _meddle(sandbox),
            ["status"],
            3,
        ),
        ("Mend it: only what differs is written.", None, ["apply", "--yes"], 0),
        ("Once more: nothing to do.", None, ["apply", "--yes"], 0),
        ("And away with it.", None, ["destroy", "--yes"], 0),
    ]
    done: list[dict[str, Any]] = []
    for title, before, arguments, expected in story:
        screen.result()
        screen.result(f"## {title}")
        if before:
            before()
        if arguments:
            screen.result(f"$ shnotify {' '.join(arguments)}")
            _run(sandbox, screen, path, arguments, expected)
            done.append({"command": arguments, "exit_code": expected})
    screen.result()
    screen.result(
        "That was all of it. Yours: `shnotify init --email you@example.com`, then `shnotify plan`."
    )
    return done


def _click(sandbox: Sandbox) -> None:
    sandbox.confirm("secops@example.com")


def _quote(screen: Screen, text: str) -> None:
    for line in text.splitlines():
        screen.result(f"    {line}")


def _run(sandbox: Sandbox, screen: Screen, path: Path, arguments: list[str], expected: int) -> None:
    """Runs the installed command as a person would, in an environment that can reach nothing but
    the sandbox.
    """
    from shnotify.errors import ShnotifyError

    ran = subprocess.run(  # noqa: S603 our own interpreter, our own arguments
        [sys.executable, "-m", "shnotify", *arguments, "--config", str(path)],
        env=sandbox.child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    for line in ran.stdout.splitlines():
        screen.result(line)
    screen.result(f"(exit code {ran.returncode})")
    if ran.returncode != expected:
        raise ShnotifyError(
            f"`shnotify {' '.join(arguments)}` ended with {ran.returncode} instead of {expected}: {ran.stderr.strip()}",
            hint="this is a bug: please report it with this text",
        )


def _meddle(sandbox: Sandbox) -> Callable[[], None]:
    """Makes edits by hand, as an outsider would."""

    def edit() -> None:
        import json

        sqs, kms, events = (_client(sandbox, service) for service in ("sqs", "kms", "events"))
        url = sqs.get_queue_url(QueueName=f"{NAME}-dlq")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
        key = kms.describe_key(KeyId=f"alias/{NAME}-topic")["KeyMetadata"]["KeyId"]
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        policy["Statement"] = policy["Statement"][:1]
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        events.disable_rule(Name=f"{NAME}-urgent")

    return edit


def _client(sandbox: Sandbox, service: str) -> Any:
    import boto3

    env = sandbox.environment
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=sandbox.endpoint,
        region_name=env["AWS_DEFAULT_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
