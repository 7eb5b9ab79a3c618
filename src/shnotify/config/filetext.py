"""The text of the configuration file, read without being led astray by what is no plain file.

Knows no YAML.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path as FilePath

from shnotify.errors import ConfigError, ConfigProblem

MAX_BYTES = 512 * 1024
"""5,000 accounts of a roll-out, each with an address of its own."""
LINE_BREAK = re.compile("\r\n|[\n\r]")


def text_of(path: FilePath) -> str:
    """Reads the file's text.

    Raises `ConfigError` when it is no regular file of UTF-8 text of at most `MAX_BYTES`.
    """

    def refuse(message: str) -> ConfigError:
        return ConfigError([ConfigProblem(str(path), 1, 1, "", message)])

    def regular(status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise refuse("this is a directory: name the file in it")
        if not stat.S_ISREG(status.st_mode):
            raise refuse("this is not a regular file")
        if status.st_size > MAX_BYTES:
            raise refuse(f"the file has {status.st_size} bytes; at most {MAX_BYTES} are read")

    try:
        regular(os.stat(path))  # a device may not even be opened
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
        )  # a FIFO must not make us wait
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise refuse(
                "there is no such file: write one with `shnotify init`, or name it with --config"
            ) from error
        raise refuse(f"the file cannot be read: {error.strerror}") from error
    except ValueError as error:  # Python's own words differ from version to version
        raise refuse("the file's name cannot be used: there is a null character in it") from error
    try:
        regular(os.fstat(handle))
        with os.fdopen(handle, "rb", closefd=False) as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise refuse(f"the file cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)
    if len(raw) > MAX_BYTES:
        raise refuse(f"the file has more than {MAX_BYTES} bytes")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("the file is UTF-16: save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        position = after(error.object[: error.start].decode("utf-8"))
        text = "the file is not UTF-8 here: save it as UTF-8"
        raise ConfigError([ConfigProblem(str(path), *position, "", text)]) from error


def after(text: str) -> tuple[int, int]:
    """Returns line and column, both from 1, of the character after this text."""
    lines = LINE_BREAK.split(text)
    return len(lines), len(lines[-1]) + 1
