"""`shnotify demo`: what it is all for, against an embedded AWS on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import output_options, settings

if TYPE_CHECKING:
    from shnotify.commands._stage import Stage

NAME = "demo-alerts"
ADDRESS = "secops@example.com"
CONFIG = f"""\
name: {NAME}
routes:
  - name: urgent
    subscribers: [{ADDRESS}]
"""
HOSTILE = 'Bucket "customer-exports" is\nopen \\ to the world'
"""Quotes, a line break and a backslash: what breaks a message that is put together from text."""


@click.command("demo")
@output_options
def command(**options: Any) -> int:
    """Plans and applies a notifier, lets findings come in and shows the mail that arrives, breaks
    it, diagnoses, mends and destroys it, all in an embedded AWS.

    Needs no account and no network.
    """
    from shnotify.commands._stage import Stage
    from shnotify.sandbox.server import Sandbox
    from shnotify.terminal.screen import Screen

    chosen = settings(**options)
    screen = Screen(json_output=chosen.json, no_color=chosen.no_color)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="shnotify-demo-") as folder:
        path = Path(folder) / "shnotify.yaml"
        path.write_text(CONFIG, encoding="utf-8")
        stage = Stage(sandbox, screen, path)
        _build(stage)
        _break_and_mend(stage)
        _end(stage)
        screen.document({"steps": stage.steps, "mails": stage.mails, "error": None})
    return 0


def _build(stage: Stage) -> None:
    stage.say("The whole configuration:")
    stage.quote(CONFIG)
    stage.say("What would be made? (Left out here: the properties of each.)")
    stage.run("plan", shown=_picture)
    stage.say("Make it.")
    stage.run("apply", "--yes", shown=_news)
    stage.say("SNS asks the owner of the address, who clicks the link in the mail:")
    stage.show_new_mails(lines=2)
    stage.click(ADDRESS)
    stage.say("Does it deliver?")
    stage.run("status", shown=_delivery)
    stage.say("A finding comes in, and this mail arrives:")
    stage.finding(1, "S3 general purpose buckets should block public read access")
    _need(stage.show_new_mails(), 1)


def _break_and_mend(stage: Stage) -> None:
    stage.say("Somebody tidies up the topic key's policy. The next finding comes in ...")
    stage.forget_eventbridge(f"alias/{NAME}-topic")
    stage.finding(2, HOSTILE)
    _need(stage.show_new_mails(), 0)
    stage.say("... and no mail arrives. In AWS nothing says so. What is wrong?")
    stage.run("doctor", expected=4)
    stage.say("Mend it: only what differs is written.")
    stage.run("apply", "--yes", shown=_news)
    stage.say("The finding is not lost. Its title has quotes and a line break in it:")
    stage.run("dlq", "list")
    stage.say("Send it again.")
    stage.run("dlq", "redrive", "--yes")
    _need(stage.show_new_mails(), 1)


def _end(stage: Stage) -> None:
    stage.say("And away with it.")
    stage.run("destroy", "--yes", shown=_news)
    stage.screen.result()
    stage.screen.result("That was all of it. Yours: `shnotify init --email you@example.com`,")
    stage.screen.result("then `shnotify plan`.")


def _need(found: int, expected: int) -> None:
    from shnotify.errors import ShnotifyError

    if found != expected:
        hint = "this is a bug: please report it with this text"
        raise ShnotifyError(f"{found} mails arrived instead of {expected}", hint=hint)


def _picture(lines: list[str]) -> list[str]:
    """The chain and the sums, without a line for each thing."""
    things = next(n for n, line in enumerate(lines) if line.startswith("+ "))
    sums = next(n for n, line in enumerate(lines) if line.startswith("Plan: "))
    return [line for line in (*lines[:things], *lines[sums:]) if line and "Fingerprint" not in line]


def _news(lines: list[str]) -> list[str]:
    """What became of each thing, and what comes next."""
    done = ("  created ", "  updated ", "  deleted ", "  deletion scheduled ")
    start = next(n for n, line in enumerate(lines) if line.startswith(done))
    return [line for line in lines[start:] if line]


def _delivery(lines: list[str]) -> list[str]:
    start = next(n for n, line in enumerate(lines) if line.startswith("  route"))
    return [line for line in lines[start:] if line]
