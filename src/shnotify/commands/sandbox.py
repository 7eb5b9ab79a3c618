"""`shnotify sandbox`: an embedded AWS in the foreground."""

from __future__ import annotations

import shlex
import threading
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import output_options, settings

if TYPE_CHECKING:
    from shnotify.sandbox.server import Sandbox
    from shnotify.terminal.screen import Screen


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on 127.0.0.1 (default: a free one).",
)
@click.option(
    "--stack-seconds",
    type=click.FloatRange(0, 3600),
    default=0.0,
    help="How long StackSets take for one account (default: no time).",
)
@click.option(
    "--stack-fails",
    "failing",
    metavar="ACCOUNT",
    multiple=True,
    help="An account in which StackSets fail; may be given again.",
)
@output_options
def command(port: int, stack_seconds: float, failing: tuple[str, ...], **options: Any) -> int:
    """Runs an embedded AWS on 127.0.0.1 until interrupted, and prints the environment that points
    any tool at it.
    """
    from shnotify.sandbox.server import Sandbox
    from shnotify.sandbox.stackoperations import NO_ROLE, PACE
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    PACE.seconds, PACE.failing = stack_seconds, dict.fromkeys(failing, NO_ROLE)
    try:
        with Sandbox(port=port) as sandbox:
            _tell(screen, sandbox)
            threading.Event().wait()
    except KeyboardInterrupt as ended:  # how it is meant to end
        return int(getattr(ended, "exit_code", 130))
    return 0


def _tell(screen: Screen, sandbox: Sandbox) -> None:
    screen.document(
        {"endpoint": sandbox.endpoint, "environment": sandbox.environment, "error": None}
    )
    for name, value in sandbox.environment.items():
        screen.result(f"export {name}={shlex.quote(value)}", exact=True)
    screen.say(f"embedded AWS on {sandbox.endpoint}")
    screen.say(f"mails, and the links in them: {sandbox.endpoint}/sandbox/mail")
    screen.say(f"who has not confirmed yet: {sandbox.endpoint}/sandbox/subscriptions")
    screen.say(f"schedules, such as a heartbeat's, to fire: {sandbox.endpoint}/sandbox/schedules")
    screen.say("Ctrl-C ends it; nothing is kept")
