"""Whatever stands in a file, it gives a configuration or says what is wrong and where; never anything else.

Each file within 100 MB. `make test-all` looks at 50,000 files, `make test` at a sample of them.
"""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shnotify.config.advice import advice
from shnotify.config.load import load, load_file
from shnotify.config.models import Config
from shnotify.config.yamlfile import MAX_MESSAGE
from shnotify.errors import ConfigError
from shnotify.schema.model import Model
from shnotify.schema.reading import Listed, forms, models_in, readers_of
from tests.conftest import Cases
from tests.support.example import EXAMPLE, fields_of

SAMPLE = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
BYTES = 100 * 1024 * 1024
"""What one file may cost."""

RAW = EXAMPLE.read_bytes()
LINES = [line for line in RAW.splitlines(keepends=True) if not line.lstrip().startswith(b"#")]
OTHER_LINES = b"""\
name: other
tags: {Owner: me, owner: you}
routes:
  - name: mails
    source: auto
    findings:
      products: {guardduty: [HIGH, CRITICAL], any: [CRITICAL]}
      exclude:
        controls: [S3.1]
    message:
      format: lambda
      time_zone: Asia/Tokyo
      subject: "[{severity}] {title}"
      body: "{title} {{}} {account}"
      resolved: true
  - name: raw
    pattern:
      source: [aws.securityhub]
      detail:
        a: [{prefix: x}, {anything-but: {suffix: y}}, {numeric: [">", 0, "<=", 5]}, {wildcard: "a*b"}]
        $or: [{b: [1]}, {c: [{exists: false}]}, {d: [{cidr: 10.0.0.0/8}]}]
    subscribers: &team
      - {protocol: sms, endpoint: "+819012345678"}
      - {protocol: sqs, endpoint: "arn:aws:sqs:us-east-1:123456789012:q"}
  - &base {name: shared, subscribers: *team}
  - {<<: *base, name: again}
""".splitlines(keepends=True)
"""What the example does not show."""
NAMES = sorted({path[-1] for path in fields_of(Config)} | {"<<", "arn", "any", ""})


def measured(path: Path) -> tuple[Config | ConfigError, int]:
    """What loading gives, and the bytes that it held at the most."""
    tracemalloc.start()
    try:
        found: Config | ConfigError = load(path)
    except ConfigError as error:
        found = error
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return found, peak


def check(path: Path, raw: bytes) -> Config | ConfigError:
    """Loads a file of these bytes; every position that is told must lie inside it."""
    path.write_bytes(raw)
    found, peak = measured(path)
    assert peak < BYTES
    if isinstance(found, Config):
        warned = advice(load_file(path))
        assert all(
            line.isprintable() and re.match(re.escape(str(path)) + r":[1-9][0-9]*:[1-9]", line) for line in warned
        )
        return found
    lines = re.split("\r\n|[\n\r]", raw.decode("utf-8-sig", "replace"))
    for problem in found.problems:
        assert problem.message
        assert 1 <= problem.line <= len(lines), problem
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
        assert problem.path.isprintable(), problem
        assert problem.message.isprintable(), problem
        assert len(problem.message) <= MAX_MESSAGE
    assert found.problems == sorted(set(found.problems)) != []
    return found


# -- generated files ------------------------------------------------------------------------------------------------

# fmt: off
EDGES = [
    "any", "a@b.co", "A@B.CO", "あ@例.jp", "a@b", "x" * 65 + "@b.co", "4d", "999999999d", "256KiB", "99999MiB", "0s",
    "HIGH", "high", "guardduty", "alias/x", "alias/aws/x", "alias/" + "a" * 250, "alias/" + "a" * 251, "S3.1", "*", "",
    "arn:aws:kms:us-east-1:123456789012:key/x", "arn:aws-cn:sqs:us-east-1:123456789012:q", "012345670123", "https://x",
    "https://u:p@h", "https://[::1", "https://h:99999/", "+1", "+819012345678", "mars-north-1", "cn-north-1", "AWS:x",
    "{severity}", "{nope}", "{", "{title!r}", "{title.__class__}", "{0}", "Asia/Tokyo", "../../etc/passwd", "aws:x",
    "AKIAIOSFODNN7EXAMPLE", "e\u0301", "a\u202e", "a\u200bb", "a\nb", "a" * 41, "a" * 81, "a" * 257, "9" * 5000,
    {"prefix": "a"}, {"anything-but": []}, {"numeric": [">", float("nan")]}, {"wildcard": "*a" * 300}, {"$or": [{}]},
    {"any": ["HIGH"]}, {"guardduty": "any"}, {"protocol": "email", "endpoint": "a@b.co"}, 10**400, -1, 0, 185, 86401,
]
# fmt: on
"""Values at, and beyond, some limit."""
SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(EDGES)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


def section(model: type[Model], depth: int = 0) -> st.SearchStrategy[Any]:
    """A mapping with some of the model's fields, each with something that may or may not fit it."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, reader in readers_of(model).items():
        inner = models_in(reader) if depth < 3 else ()
        parts = [section(one, depth + 1) for one in inner]
        if any(isinstance(form, Listed) for form in forms(reader)):
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
    lines = list(draw(st.sampled_from([LINES, OTHER_LINES])))
    for number in draw(st.lists(st.sampled_from(range(len(lines))), min_size=1, max_size=4)):
        name, colon, _ = lines[number].partition(b":")
        value = draw(
            VALUES.map(lambda one: yaml.safe_dump(one, default_flow_style=True, width=10_000)) | st.text(max_size=9)
        )
        lines[number] = (
            name[: draw(st.sampled_from([len(name), len(name) - 1]))] + colon + b" " + value.encode() + b"\n"
        )
    return b"".join(lines)


BYTES_AND_TEXT = st.binary(max_size=60) | st.text().map(str.encode)
KINDS = {
    "generated": (FILES, 15_000),
    "broken bytes": (broken_bytes(), 10_000),
    "shuffled lines": (shuffled_lines(), 10_000),
    "changed values": (changed_values(), 13_000),
    "anything": (BYTES_AND_TEXT, 2_000),
}
"""Each kind of file, and how many of it make the 50,000."""
ANY = st.one_of(*(kind for kind, _ in KINDS.values()))


@SAMPLE
@given(raw=ANY)
def test_any_file_is_a_configuration_or_a_list_of_its_mistakes(tmp_path: Path, raw: bytes) -> None:
    check(tmp_path / "c.yaml", raw)


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("kind", "count"), KINDS.values(), ids=KINDS)
def test_any_file_at_all(tmp_path: Path, cases: Cases, kind: st.SearchStrategy[bytes], count: int) -> None:
    ran = 0

    @settings(SAMPLE, max_examples=count)
    @given(raw=kind)
    def each(raw: bytes) -> None:
        nonlocal ran
        check(tmp_path / "c.yaml", raw)
        ran += 1

    each()
    assert ran >= count
    cases(ran)


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
