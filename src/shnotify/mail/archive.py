"""The archive that the formatter's function runs: the same bytes everywhere, so that its digest can
be compared.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import zipfile
from importlib.resources import files

from shnotify.formatter.settings import FILE

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


@functools.cache
def archive(settings: str) -> bytes:
    """Makes the ZIP of `formatter/` with its settings.

    Stored, because a compressor's output depends on its version.
    """
    sources = sorted(files("shnotify.formatter").iterdir(), key=lambda item: item.name)
    texts = {
        item.name: item.read_bytes().replace(b"\r\n", b"\n")
        for item in sources
        if item.name.endswith(".py")
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name, text in {**texts, FILE: settings.encode()}.items():
            entry = zipfile.ZipInfo(f"formatter/{name}", _LONG_AGO)
            entry.create_system, entry.external_attr = 3, _READABLE
            target.writestr(entry, text)
    return buffer.getvalue()


def code_sha256(content: bytes) -> str:
    """Returns an archive's digest as Lambda gives it: SHA-256 in base64
    (API_FunctionConfiguration).
    """
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
