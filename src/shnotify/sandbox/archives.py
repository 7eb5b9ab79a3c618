"""A function's archive as importable modules, from memory and for one run only."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import io
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, ModuleType

_ROOT = "/var/task"


class _Archive(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the modules of one archive (lambda-python: /var/task is on the path)."""

    def __init__(self, files: Mapping[str, bytes], codes: Mapping[str, CodeType]) -> None:
        self._files = files
        self._codes = codes
        self._loaded: list[str] = []

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 the base class's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        name = self._file(fullname)
        if name is None:
            return None
        spec = importlib.machinery.ModuleSpec(
            fullname, self, origin=f"{_ROOT}/{name}", is_package=self.is_package(fullname)
        )
        spec.has_location = True
        self._loaded.append(fullname)
        return spec

    def is_package(self, fullname: str) -> bool:
        return (self._file(fullname) or "").endswith("__init__.py")

    def get_source(self, fullname: str) -> str:
        return self._files[self._file(fullname) or ""].decode()

    def get_code(self, fullname: str) -> CodeType | None:
        return self._codes.get(self._file(fullname) or "")

    def get_data(self, path: str) -> bytes:
        try:
            return self._files[path.removeprefix(f"{_ROOT}/")]
        except KeyError as error:
            raise OSError(path) from error

    def forget(self) -> None:
        for name in self._loaded:
            sys.modules.pop(name, None)

    def _file(self, fullname: str) -> str | None:
        base = fullname.replace(".", "/")
        return next((n for n in (f"{base}/__init__.py", f"{base}.py") if n in self._files), None)


@contextmanager
def modules_of(content: bytes, digest: str) -> Iterator[None]:
    """The archive's modules can be imported while this is open, each run anew."""
    archive = _Archive(*_read(content, digest))
    sys.meta_path.insert(0, archive)
    try:
        yield
    finally:
        sys.meta_path.remove(archive)
        archive.forget()


@functools.lru_cache(maxsize=16)
def _read(content: bytes, digest: str) -> tuple[dict[str, bytes], dict[str, CodeType]]:  # noqa: ARG001 it is what is hashed
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        files = {name: given.read(name) for name in given.namelist() if not name.endswith("/")}
    codes = {
        name: compile(text, f"{_ROOT}/{name}", "exec", dont_inherit=True)
        for name, text in files.items()
        if name.endswith(".py")
    }
    return files, codes
