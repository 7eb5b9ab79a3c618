"""The archive that the formatter's function runs: the same bytes everywhere, so that its digest can be compared."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import zipfile
from importlib.resources import files

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


@functools.cache
def archive() -> bytes:
    """A ZIP of `formatter/`; stored, because a compressor's output depends on its version."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for source in sorted(files("shnotify.formatter").iterdir(), key=lambda item: item.name):
            if source.name.endswith(".py"):
                entry = zipfile.ZipInfo(f"formatter/{source.name}", _LONG_AGO)
                entry.create_system, entry.external_attr = 3, _READABLE
                text = source.read_bytes().replace(b"\r\n", b"\n")
                target.writestr(entry, text)
    return buffer.getvalue()


@functools.cache
def code_sha256() -> str:
    """The archive's digest as Lambda gives it: SHA-256 in base64 (API_FunctionConfiguration)."""
    return base64.b64encode(hashlib.sha256(archive()).digest()).decode()
