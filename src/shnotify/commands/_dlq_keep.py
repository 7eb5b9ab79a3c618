"""`shnotify dlq export` and `purge`: messages into a file, and out of the queue for good."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from shnotify.aws.failures import AwsError
from shnotify.commands._dlq import Box, chosen, in_each_box
from shnotify.commands._dlq_view import group_lines, kept_lines, unread_line
from shnotify.commands._each import only_one
from shnotify.commands._session import Work
from shnotify.errors import ShnotifyError, UsageError
from shnotify.notifier.deadletters import Letter, Summary, grouped
from shnotify.notifier.queuereading import BATCH
from shnotify.terminal.options import Options


def exported(settings: Options, file: Path, *, ids: tuple[str, ...], force: bool) -> int:
    """Writes the messages to the file; returns the exit code."""
    if file.exists() and not force:
        raise UsageError(f"{file} exists", hint="--force overwrites it")

    def work(box: Box) -> Work:
        yield None  # asks nothing
        written: list[str] = []
        with _new(file) as target:

            def take(message: Mapping[str, Any]) -> None:
                name = str(message["MessageId"])
                if not ids or name.startswith(ids):
                    target.write(f"{json.dumps(record(message), ensure_ascii=True)}\n")
                    written.append(name)

            box.messages(take, frozenset(ids))
            if absent := sorted(set(ids) - chosen(ids, dict.fromkeys(written)).keys()):
                raise ShnotifyError(f"no message could be read with the id {', '.join(absent)}")
        screen = box.run.screen
        screen.document(
            box.document(file=str(file), exported=len(written), unread=box.unread, error=None)
        )
        screen.result(f"{len(written)} messages are in {file}, and still in {box.name}.")
        if box.unread:
            screen.warn(unread_line(box.unread))
        return screen.code(0)

    return in_each_box(settings, "export", work, check=only_one)


@contextmanager
def _new(file: Path) -> Iterator[TextIO]:
    """Opens a file that only its owner can read, and that appears when it is whole."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    except OSError as error:
        raise ShnotifyError(f"{file} could not be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def record(message: Mapping[str, Any]) -> dict[str, Any]:
    """Makes the line of an export: the message as SQS gives it, bytes in base64."""
    attributes = {
        name: {
            key: base64.b64encode(item).decode() if isinstance(item, bytes) else item
            for key, item in value.items()
        }
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    return {
        "id": str(message["MessageId"]),
        "system": dict(message.get("Attributes") or {}),
        "attributes": attributes,
        "body": str(message.get("Body", "")),
    }


def digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def in_export(file: Path) -> dict[str, str]:
    """Maps each message of an export to its body's digest. Raises UsageError for any other file."""
    found = {}
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                one = json.loads(line)
                if not isinstance(one, dict) or not {"id", "body"} <= one.keys():
                    raise UsageError(f"{file}:{number}: that is no line of `dlq export`")
                found[str(one["id"])] = digest(str(one["body"]))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no file of `dlq export`: {error}") from error
    return found


def purged(
    settings: Options, *, ids: tuple[str, ...], exported: Path | None, force: bool, yes: bool
) -> int:
    """Shows what goes, asks, and drops exactly that; returns the exit code."""
    if not exported and not force:
        raise UsageError(
            "nothing was dropped: these are alerts that nobody got",
            hint="shnotify dlq export FILE, then shnotify dlq purge --exported FILE; or --force",
        )
    saved = in_export(exported) if exported else None

    def work(box: Box) -> Work:
        box.must_be_ours()
        doomed, kept = _chosen(box, ids, saved)
        screen = box.run.screen
        screen.result(box.run.title(f"Drop from {box.name} of"))
        screen.result()
        for line in (*group_lines(list(doomed.values())), *kept_lines(kept)):
            screen.result(line)
        screen.sum_up(f"{len(doomed)} messages to drop, {len(kept)} kept")
        yield f"Drop {len(doomed)} messages for good?" if doomed and not yes else None
        dropped: list[str] = []
        error: ShnotifyError | None = None
        code = 0
        try:
            _drop(box, set(doomed), dropped, kept)
        except AwsError as failure:
            error = failure
        except KeyboardInterrupt as interrupt:
            error, code = ShnotifyError("interrupted"), int(getattr(interrupt, "exit_code", 130))
        return _finish(box, doomed, dropped, kept, error, code)

    return in_each_box(settings, "purge", work)


def _chosen(
    box: Box, ids: tuple[str, ...], saved: Mapping[str, str] | None
) -> tuple[dict[str, Summary], dict[str, str]]:
    """Reads the queue; returns what is to go, and why the rest stays."""
    fits: dict[str, Summary] = {}
    kept: dict[str, str] = {}

    def take(letter: Letter) -> None:
        if ids and not letter.id.startswith(ids):
            return
        if saved is not None and saved.get(letter.id) != digest(letter.body):
            kept[letter.id] = "it is not in the export"
        else:
            fits[letter.id] = letter.summary()

    box.letters(take, frozenset(ids))
    if not ids:
        return fits, kept
    found = chosen(ids, {**fits, **kept})
    if absent := [one for one in ids if one not in found]:
        raise ShnotifyError(
            f"nothing was dropped: no message could be read with the id {', '.join(absent)}"
        )
    return {one: fits[one] for one in found.values() if one in fits}, kept


def _drop(box: Box, doomed: set[str], dropped: list[str], kept: dict[str, str]) -> None:
    """Takes exactly these out. `PurgeQueue` would take what came since, too."""
    left, total = set(doomed), len(doomed)
    if not left:
        return
    with box.reading() as reading:
        batch: list[str] = []
        for message in reading:
            name = str(message["MessageId"])
            if name in left:
                batch.append(name)
                left.discard(name)
            if len(batch) == BATCH or (batch and not left):
                failed = reading.delete_all(batch)
                kept |= failed
                dropped += [one for one in batch if one not in failed]
                box.advanced("dropping", len(dropped), total)
                batch = []
            if not left:
                break
        if batch:
            failed = reading.delete_all(batch)
            kept |= failed
            dropped += [one for one in batch if one not in failed]
        box.advanced("dropping", 1, 1)
    kept |= dict.fromkeys(left, "it could not be read again: another reader has it at the moment")


def _finish(
    box: Box,
    doomed: Mapping[str, Summary],
    dropped: list[str],
    kept: dict[str, str],
    error: ShnotifyError | None,
    code: int,
) -> int:
    gone = set(dropped)
    kept |= {
        one: "the work was ended before it was dropped"
        for one in doomed
        if one not in gone and one not in kept
    }
    if not error and len(dropped) < len(doomed):
        error = ShnotifyError(
            f"{len(doomed) - len(dropped)} messages could not be dropped", hint="run it again"
        )
    screen = box.run.screen
    screen.document(
        box.document(
            dropped=[doomed[one].to_json() for one in dropped],
            groups=grouped(doomed[one] for one in dropped),
            kept=[{"id": one, "why": why} for one, why in kept.items()],
            unread=box.unread,
            error=error.to_json() if error else None,
        )
    )
    screen.result(f"Dropped {len(dropped)} of {len(doomed)}.")
    if box.unread:
        screen.warn(unread_line(box.unread))
    if error:
        screen.error(error.message, error.hint)
    return code or screen.code(1 if error else 0)
