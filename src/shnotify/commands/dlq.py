"""`shnotify dlq`: what could not be delivered, in words, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shnotify.terminal.options import aws_options, settings

if TYPE_CHECKING:
    from shnotify.commands._dlq import Box
    from shnotify.commands._session import Work
    from shnotify.notifier.deadletters import Letter, Summary

_ids = click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Only this message; may be given several times.",
)
_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.group("dlq")
def command() -> None:
    """Shows what could not be delivered, in words, and sends it again.

    The messages come from EventBridge (what a rule could not hand over), from the formatter's
    function, and from SNS (mails it gave up). Reading leaves every message where it is.

    SQS's own move task (StartMessageMoveTask, "Start DLQ redrive" in the console) does not work
    here: it moves messages only back to an SQS queue that they came from, and these came from
    none. `redrive` sends each through its route as the file has it now.
    """


@command.command("list", short_help="What is in the queue, by cause, with the cure.")
@aws_options
def list_(**options: Any) -> int:
    """Lists every message by cause, with what helps. The messages stay in the queue."""
    from shnotify.commands._dlq import in_each_box
    from shnotify.commands._dlq_view import group_lines, unread_line
    from shnotify.notifier.deadletters import grouped
    from shnotify.notifier.metrics import counted_as

    def work(box: Box) -> Work:
        yield None  # asks nothing
        screen = box.run.screen
        found: list[Summary] = []
        box.letters(lambda letter: found.append(letter.summary()))
        screen.document(
            box.document(
                messages=[one.to_json() for one in found],
                groups=grouped(found),
                unread=box.unread,
                error=None,
            )
        )
        screen.result(box.run.title(f"Dead letters in {box.name} of"))
        screen.result()
        for line in group_lines(found):
            screen.result(line)
        screen.result(f"{counted_as(len(found), 'message')}." if found else "No message.")
        if box.unread:
            screen.warn(unread_line(box.unread))
        return screen.code(0)

    return in_each_box(settings(**options), "list", work)


@command.command("show", short_help="One message, whole.")
@click.argument("message_id", metavar="ID")
@aws_options
def show(message_id: str, **options: Any) -> int:
    """Shows one message whole: why it is here, its attributes and its body.

    ID may be the beginning of an id.
    """
    from shnotify.commands._dlq import in_each_box
    from shnotify.commands._dlq_view import letter_lines
    from shnotify.commands._each import only_one

    def work(box: Box) -> Work:
        yield None  # asks nothing
        letter = _one(box, message_id)
        document = {
            **letter.summary().to_json(),
            "error_message": letter.error_message,
            "attributes": dict(letter.attributes),
            "body": letter.body,
        }
        box.run.screen.document(box.document(message=document, error=None))
        for line in letter_lines(letter):
            box.run.screen.result(line)
        return box.run.screen.code(0)

    return in_each_box(settings(**options), "show", work, check=only_one)


def _one(box: Box, message_id: str) -> Letter:
    """Finds a message by its id or the beginning of it. Raises ShnotifyError when it is not there."""
    from shnotify.commands._dlq import chosen
    from shnotify.errors import ShnotifyError

    fits: dict[str, Letter] = {}

    def take(letter: Letter) -> None:
        if letter.id.startswith(message_id):
            fits[letter.id] = letter

    box.letters(take, frozenset([message_id]))
    found = chosen((message_id,), fits)
    if not found:
        more = f", of which {box.unread} could not be read" if box.unread else ""
        raise ShnotifyError(
            f"{box.name} has no message {message_id} among {box.read + box.unread}{more}",
            hint="shnotify dlq list shows what is there",
        )
    return fits[found[message_id]]


@command.command("redrive", short_help="Send messages again, through the route as it is now.")
@_ids
@click.option("--to-route", metavar="ROUTE", help="Send to this route, whoever sent the message.")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent, and to whom.")
@_yes
@aws_options
def redrive(
    ids: tuple[str, ...], to_route: str | None, dry_run: bool, yes: bool, **options: Any
) -> int:
    """Sends what could not be delivered through the route and the formatter as they are now.

    Shows first what goes to whom, and asks. Fewer than five mails a second, because SNS suspends a
    mailbox that gets more than ten. A message leaves the queue only after its mail was accepted.
    It can be interrupted at any time, and run again.

    A message of somebody else stays, unless --id and --to-route both name what to do with it.
    """
    from shnotify.commands._dlq_redrive import redriven

    return redriven(settings(**options), ids=ids, to_route=to_route, dry_run=dry_run, yes=yes)


@command.command("export", short_help="Write every message to a file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_ids
@click.option("--force", is_flag=True, help="Overwrite the file.")
@aws_options
def export(file: Path, ids: tuple[str, ...], force: bool, **options: Any) -> int:
    """Writes every message to FILE, one JSON document a line, and leaves all in the queue.

    Nobody but you can read the file: findings are in it.
    """
    from shnotify.commands._dlq_keep import exported

    return exported(settings(**options), file, ids=ids, force=force)


@command.command("purge", short_help="Drop messages for good, after an export.")
@_ids
@click.option(
    "--exported",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="What `dlq export` wrote: only what is in it is dropped.",
)
@click.option("--force", is_flag=True, help="Drop without an export.")
@_yes
@aws_options
def purge(
    ids: tuple[str, ...], exported: Path | None, force: bool, yes: bool, **options: Any
) -> int:
    """Drops messages for good. They are alerts that nobody got.

    Needs the file that `dlq export` wrote, or --force; names what it drops, and asks. What comes
    into the queue meanwhile stays.
    """
    from shnotify.commands._dlq_keep import purged

    return purged(settings(**options), ids=ids, exported=exported, force=force, yes=yes)
