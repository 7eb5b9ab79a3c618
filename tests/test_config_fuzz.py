"""Whatever stands in a file, it gives a configuration or says what is wrong and where; never anything else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from shnotify.config import Config, load
from shnotify.errors import ConfigError
from tests.test_example import EXAMPLE, fields_of

SAMPLE = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FULL = settings(SAMPLE, max_examples=50_000)

RAW = EXAMPLE.read_bytes()
LINES = [line for line in RAW.splitlines(keepends=True) if not line.lstrip().startswith(b"#")]
NAMES = sorted({path[-1] for path in fields_of(Config)} | {"<<", "arn", "any", ""})


def check(path: Path, raw: bytes) -> Config | ConfigError:
    """Loads a file of these bytes; every position that is told must lie inside it."""
    path.write_bytes(raw)
    try:
        return load(path)
    except ConfigError as error:
        caught = error
    lines = re.split("\r\n|[\n\r]", raw.decode("utf-8-sig", "replace"))
    for problem in caught.problems:
        assert problem.message
        assert 1 <= problem.line <= len(lines), problem
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
        assert problem.path.isprintable(), problem
        assert problem.message.isprintable(), problem
    assert caught.problems == sorted(set(caught.problems)) != []
    return caught


# -- generated files ------------------------------------------------------------------------------------------------

SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["any", "a@b.co", "4d", "256KiB", "HIGH", "guardduty", "alias/x", "arn:aws:kms:x-1:123456789012:key/x"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


def models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in getattr(annotation, "__args__", ()) for model in models(argument)]


def section(model: type[BaseModel], depth: int = 0) -> st.SearchStrategy[Any]:
    """A mapping with some of the model's fields, each with something that may or may not fit it."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        inner = models(field.annotation) if depth < 3 else []
        parts = [section(one, depth + 1) for one in inner]
        if "tuple" in str(field.annotation):
            parts = [st.lists(part, max_size=3) for part in parts]
        fields[name] = st.one_of(*parts, VALUES)
    return st.fixed_dictionaries({}, optional=fields)


FILES = section(Config).map(lambda data: yaml.safe_dump(data, allow_unicode=True, sort_keys=False).encode())


# -- mutations of the example ---------------------------------------------------------------------------------------

# fmt: off
MARKS = [
    "&x ", "*x", "!!str ", "<<: ", "? ", "- ", ": ", "[", "]", "{", "}", "#", "%", "'", '"', "|", ">", "\t", "\r",
    "\x00", "\x85", "\u2028", "\ufeff", "---\n", "...\n", "null", "0x1f", ".inf", "-1", "yes", "\ud800",
    "[" * 50, "{a: " * 50, "9" * 40, '"\\ud800"', '"\\x00"', '"\\u2028"', '"\\e[31m": ',
]
# fmt: on
PIECES = st.sampled_from([mark.encode("utf-8", "surrogatepass") for mark in MARKS])


def spliced(change: tuple[int, int, bytes], raw: bytes) -> bytes:
    at, length, piece = change
    at %= len(raw) + 1
    return raw[:at] + piece + raw[at + length :]


@st.composite
def broken_bytes(draw: st.DrawFn) -> bytes:
    """The example with bytes taken out and put in."""
    raw = RAW
    where = st.integers(0, len(RAW))
    for change in draw(st.lists(st.tuples(where, st.integers(0, 8), PIECES | st.binary(max_size=4)), max_size=4)):
        raw = spliced(change, raw)
    return raw


@st.composite
def shuffled_lines(draw: st.DrawFn) -> bytes:
    """Lines left out, repeated, moved, and indented otherwise."""
    chosen = draw(st.lists(st.sampled_from(range(len(LINES))), max_size=12))
    kept = draw(st.lists(st.booleans(), min_size=len(LINES), max_size=len(LINES)))
    lines = [line for line, keep in zip(LINES, kept, strict=True) if keep or draw(st.booleans())]
    for number in chosen:
        line = b" " * draw(st.integers(0, 8)) + LINES[number].lstrip()
        lines.insert(draw(st.integers(0, len(lines))), line)
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + b"".join(lines)


@st.composite
def changed_values(draw: st.DrawFn) -> bytes:
    """A few values replaced by something else, a few fields misspelled; the layout stays."""
    lines = list(LINES)
    for number in draw(st.lists(st.sampled_from(range(len(LINES))), min_size=1, max_size=4)):
        name, colon, _ = lines[number].partition(b":")
        value = draw(
            VALUES.map(lambda one: yaml.safe_dump(one, default_flow_style=True, width=10_000)) | st.text(max_size=9)
        )
        lines[number] = (
            name[: draw(st.sampled_from([len(name), len(name) - 1]))] + colon + b" " + value.encode() + b"\n"
        )
    return b"".join(lines)


ANY = FILES | broken_bytes() | shuffled_lines() | changed_values() | st.binary(max_size=60) | st.text().map(str.encode)


@SAMPLE
@given(raw=ANY)
def test_any_file_is_a_configuration_or_a_list_of_its_mistakes(tmp_path: Path, raw: bytes) -> None:
    check(tmp_path / "c.yaml", raw)


@pytest.mark.full
@pytest.mark.timeout(3600)
@FULL
@given(raw=ANY)
def test_any_file_at_all(tmp_path: Path, raw: bytes) -> None:
    check(tmp_path / "c.yaml", raw)


@SAMPLE
@given(raw=ANY)
def test_a_configuration_says_the_same_twice(tmp_path: Path, raw: bytes) -> None:
    first, second = (check(tmp_path / "c.yaml", raw) for _ in range(2))
    assert str(first) == str(second)
    assert isinstance(first, Config) == isinstance(second, Config)


@SAMPLE
@given(spaces=st.integers(1, 6), end=st.sampled_from(["\n", "\r\n"]), bom=st.booleans(), flow=st.booleans())
def test_layout_changes_nothing(tmp_path: Path, spaces: int, end: str, bom: bool, flow: bool) -> None:
    """The example's data, written otherwise, is the same configuration."""
    path = tmp_path / "c.yaml"
    data = yaml.load(RAW, Loader=yaml.BaseLoader)
    text = yaml.safe_dump(data, indent=spaces, default_flow_style=flow or None, sort_keys=bom, allow_unicode=True)
    text = re.sub(r"'(true|false|null)'", r"\1", text).replace("max_attempts: '185'", "max_attempts: 185")
    path.write_bytes((("\ufeff" if bom else "") + text.replace("\n", end)).encode())
    assert load(path) == load(EXAMPLE)
