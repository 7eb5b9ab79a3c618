"""YAML text and files: all that bites is refused by name and place, and what is read is read as it is spelled."""

from __future__ import annotations

import os
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shnotify.config.filetext import MAX_BYTES
from shnotify.config.yamlfile import MAX_PROBLEMS, Document, dotted, parse, read
from shnotify.errors import ConfigError


def refused(text: str) -> list[str]:
    """What is said about a text, without the file's name, whether or not it could be read."""
    try:
        problems = parse(text, "f").problems
    except ConfigError as error:
        problems = error.problems
    return [str(problem).removeprefix("f:") for problem in problems]


def refused_file(path: Path) -> list[str]:
    """The same for a file."""
    with pytest.raises(ConfigError) as caught:
        read(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


ALPHABET = [chr(number) for number in range(ord("a"), ord("z"))]
REFUSED: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", ["1:1: the file is empty: `shnotify init` writes one to start from"]),
    "only a comment": ("# x\n", ["1:1: the file is empty: `shnotify init` writes one to start from"]),
    "only a document mark": ("---\n", ["1:1: the file is empty: `shnotify init` writes one to start from"]),
    "two documents": ("a: b\n---\nc: d\n", ["2:1: a second document begins here: a file describes one notifier"]),
    "an anchor": ("a: &x b\n", []),
    "an alias": ("a: &x b\nc: *x\n", []),
    "an alias alone": ("a: *x\n", ["1:4: *x has no anchor &x before it"]),
    "a value in itself": ("&x [*x]\n", ["1:5: *x stands within &x: a value cannot hold itself"]),
    "a mapping in itself": ("&x {a: {<<: *x}}\n", ["1:13: *x stands within &x: a value cannot hold itself"]),
    "a small bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", []),
    "the bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in pairwise("abcdefghi")),
        ["5:8: aliases make the file too large: at most 10,000 values"],
    ),
    "a deep bomb": (
        "a: &a [x]\n" + "".join(f"{name}: &{name} [*{before}]\n" for before, name in pairwise(ALPHABET)),
        ["1:4: t[0][0]: nested deeper than 20 levels"],
    ),
    "a merge key": ("<<: {a: b}\nc: d\n", []),
    "a merge key that is no mapping": ("<<: 1\n", ["1:5: a merge key (<<) takes a mapping, or a list of mappings"]),
    "merge keys of two kinds": (
        '<<: 1\n"<<": 2\n',
        ["1:5: a merge key (<<) takes a mapping, or a list of mappings"],
    ),
    "a Python tag": (
        "a: !!python/object/apply:os.system [ls]\n",
        ["1:4: a: tags (!!python/object/apply:os.system) are not supported: write a plain value"],
    ),
    "a binary tag": ("a: !!binary aGk=\n", ["1:4: a: tags (!!binary) are not supported: write a plain value"]),
    "a timestamp tag": (
        "a: !!timestamp 2023-07-01\n",
        ["1:4: a: tags (!!timestamp) are not supported: write a plain value"],
    ),
    "a tag of one's own": ("a: !x b\n", ["1:4: a: tags (!x) are not supported: write a plain value"]),
    "a tag of no kind": ("a: ! 5\n", ["1:4: a: tags (!) are not supported: write a plain value"]),
    "a tagged key": ("!!str a: b\n", ["1:1: tags (!!str) are not supported: write a plain value"]),
    "a key twice": ("a: 1\nb: 2\na: 3\n", ["3:1: a: written twice, first in line 1: keep one"]),
    "a key three times": (
        "a: 1\na: 2\na: 3\n",
        ["2:1: a: written twice, first in line 1: keep one", "3:1: a: written twice, first in line 1: keep one"],
    ),
    "a key twice, deep": ("r:\n  - {n: 1, n: 2}\n", ["2:12: r[0].n: written twice, first in line 2: keep one"]),
    "a mapping as key": ("? {a: b}\n: c\n", ["1:3: a key must be a plain word"]),
    "a list as key": ("? [a]\n: c\n", ["1:3: a key must be a plain word"]),
    "an anchored list as key": ("? &x [a]\n: c\n", ["1:3: a key must be a plain word"]),
    "a tab that indents": (
        "a:\n\t- b\n",
        [("2:1: this is not YAML: found character that cannot start any token: tabs cannot indent, use spaces")],
    ),
    "an open bracket": ("a: [b\n", ["2:1: this is not YAML: did not find expected ',' or ']'"]),
    "an open quote": ('a: "b\n', ["2:1: this is not YAML: found unexpected end of stream"]),
    "an unknown escape": ('a: "\\q"\n', ["1:5: this is not YAML: found unknown escape character"]),
    "two colons": ("a: b: c\n", ["1:5: this is not YAML: mapping values are not allowed in this context"]),
    "a wrong indentation": ("a:\n    b: 1\n  c: 2\n", ["3:3: this is not YAML: did not find expected key"]),
    "a NUL": ("a: b\u0000\n", ["1:5: a control character (U+0000) in the file"]),
    "a form feed": ("a: b\nc: \f\n", ["2:4: a control character (U+000C) in the file"]),
    "a C1 character": ("a: \u0080\n", ["1:4: a control character (U+0080) in the file"]),
    "not a character": ("a: \ufffe\n", ["1:4: a control character (U+FFFE) in the file"]),
    "an escape": ("a: \u001b[31m\n", ["1:4: a control character (U+001B) in the file"]),
    "a delete": ("\u007f: b\n", ["1:1: a control character (U+007F) in the file"]),
    "a NUL after odd line ends": (
        "a: b\r\nc: d\re: f\u0001\n",
        ["3:5: a control character (U+0001) in the file"],
    ),
    "a line break for YAML alone": ("a: b\u2028c\n", ["1:5: a control character (U+2028) in the file"]),
    "another one": ("a: b\n\u0085\n", ["2:1: a control character (U+0085) in the file"]),
    "digits after a 0": (
        "a: 012345670123\nb: [012, '012', 0, 0.5]\n",
        [
            '1:4: a: digits after a 0 are not a plain number: write it in quotes, "012345670123"',
            '2:5: b[0]: digits after a 0 are not a plain number: write it in quotes, "012"',
        ],
    ),
    "a number as key": ("2024: a\n", ['1:1: 2024: a key must be text: write it in quotes, "2024"']),
    "20 brackets": ("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", []),
    "21 brackets": ("[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]", ["1:21: [0][0][0]: nested deeper than 20 levels"]),
    "20,000 brackets": ("[" * 20000, ["1:21: [0][0][0]: nested deeper than 20 levels"]),
    "20,000 braces": ("{a: " * 20000, ["1:81: a.a.a: nested deeper than 20 levels"]),
    "20,000 dashes": ("- " * 20000, ["1:41: [0][0][0]: nested deeper than 20 levels"]),
    "a directive of nobody": ("%FOO\n--- a\n", ["1:5: this is not YAML: found unknown directive name"]),
    "an unknown version": ("%YAML 3.0\n---\na: b\n", ["1:1: this is not YAML: found incompatible YAML document"]),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_bites_is_refused(text: str, expected: list[str]) -> None:
    assert refused(text) == expected


def test_at_most_a_hundred_problems_are_listed() -> None:
    assert len(refused("a: 1\n" * 1000)) == MAX_PROBLEMS
    assert len(refused("a: 1\n" * (MAX_PROBLEMS + 1) + "[")) == MAX_PROBLEMS
    assert len(refused("a: 1\n" * MAX_PROBLEMS + "[")) == MAX_PROBLEMS


TEXTS = "yes no on off y tRUE +5 +81312345678 0x1f 0o17 0b1 1_000 12:30:45 2023-07-01 1e3 .5 .inf -.inf .nan = 30s 日本"
WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "null": None, "Null": None, "~": None, "": None}
NUMBERS = {"0": 0, "12": 12, "-3": -3, "123456789012": 123456789012, "1.5": 1.5, "9" * 18: int("9" * 18)}
QUOTED = {"'true'": "true", '"null"': "null", "''": "", "'5'": "5"}
SPELLINGS: dict[str, Any] = {text: text for text in [*TEXTS.split(), "9" * 19]} | WORDS | NUMBERS | QUOTED


@pytest.mark.parametrize(("text", "value"), SPELLINGS.items())
def test_values_are_what_they_look_like(text: str, value: Any) -> None:
    found = parse(f"a: {text}\n").data["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_text() -> None:
    assert parse("on: 1\n'12': 2\n'true': 3\n'012': 4\n").data == {"on": 1, "12": 2, "true": 3, "012": 4}


LAYOUTS = {
    "LF": b"a:\n  - b\n  - c: d\n",
    "CRLF": b"a:\r\n  - b\r\n  - c: d\r\n",
    "CR": b"a:\r  - b\r  - c: d\r",
    "a BOM": b"\xef\xbb\xbfa:\n  - b\n  - c: d\n",
    "no line end": b"a:\n  - b\n  - c: d",
    "a document's marks": b"---\na:\n  - b\n  - c: d\n...\n",
    "comments": b"# x\na: # y\n  - b\n  - c: d # z\n",
    "flow": b"{a: [b, {c: d}]}",
    "block text": b"a:\n  - >-\n    b\n  - c: |-\n      d\n",
}


@pytest.mark.parametrize("raw", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_are_read_alike(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(raw)
    assert read(path).data == {"a": ["b", {"c": "d"}]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_positions_count_lines_and_characters_from_one(tmp_path: Path, end: str, bom: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes((bom + "a:\n  - 日本: d\n".replace("\n", end)).encode())
    document = read(path)
    assert document.keys == {("a",): (1, 1), ("a", 0, "日本"): (2, 5)}
    assert document.values == {(): (1, 1), ("a",): (2, 3), ("a", 0): (2, 5), ("a", 0, "日本"): (2, 9)}


def test_what_is_not_in_the_file_stands_where_its_holder_stands() -> None:
    document = parse("a:\n  b: {c: 1}\n")
    assert document.where(("a", "b", "c")) == (2, 10)
    assert document.where(("a", "b", "c"), key=True) == (2, 7)
    assert document.where(("a", "b", "x", 0)) == (2, 6)
    assert document.where(("a", "b", "x"), key=True) == (2, 6)
    assert document.where(("x",)) == (1, 1)
    assert Document("f").where(("x",)) == (1, 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", 0, "b"), "a[0].b"),
        ((0, 1), "[0][1]"),
        (("日本", "aws:x"), "日本.aws:x"),
        (("a", ""), 'a[""]'),
        (("a b", "c.d"), '["a b"]["c.d"]'),
        (("a", "\x1b[31m\n"), 'a["\\u001b[31m\\n"]'),
        (("a", "x" * 81), f'a["{"x" * 79}…"]'),
    ],
)
def test_paths_are_written_with_dots(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


# -- files ----------------------------------------------------------------------------------------------------------

RAW = {
    "UTF-16": ("a: b\n".encode("utf-16"), "1:1: the file is UTF-16: save it as UTF-8"),
    "UTF-16, big end first": (b"\xfe\xff\x00a", "1:1: the file is UTF-16: save it as UTF-8"),
    "UTF-16 without a mark": ("a: b\n".encode("utf-16-le"), "1:2: a control character (U+0000) in the file"),
    "Shift JIS": ("a: b\nc: 日本\n".encode("cp932"), "2:4: the file is not UTF-8 here: save it as UTF-8"),
    "Latin 1": ("ä: b\n".encode("latin-1"), "1:1: the file is not UTF-8 here: save it as UTF-8"),
    "Latin 1 after a BOM": (b"\xef\xbb\xbfa: b\r\xe4", "2:1: the file is not UTF-8 here: save it as UTF-8"),
    "half a character": (b"a: \xe6\x97", "1:4: the file is not UTF-8 here: save it as UTF-8"),
    "a surrogate": (b"a: \xed\xa0\x80", "1:4: the file is not UTF-8 here: save it as UTF-8"),
    "a byte too many": (b"a" * (MAX_BYTES + 1), "1:1: the file has 524289 bytes; at most 524288 are read"),
    "no byte": (b"", "1:1: the file is empty: `shnotify init` writes one to start from"),
    "only a BOM": (b"\xef\xbb\xbf", "1:1: the file is empty: `shnotify init` writes one to start from"),
    "NUL bytes": (b"\x00" * 100, "1:1: a control character (U+0000) in the file"),
}


@pytest.mark.parametrize(("raw", "expected"), RAW.values(), ids=RAW)
def test_what_is_no_text_is_refused(tmp_path: Path, raw: bytes, expected: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(raw)
    assert refused_file(path) == [expected]


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"a: b\n#" + b"x" * (MAX_BYTES - 6))
    assert read(path).data == {"a": "b"}


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo, loop, other, plug = (tmp_path / name for name in ("fifo", "loop", "other", "plug"))
    os.mkfifo(fifo)
    loop.symlink_to(other)
    other.symlink_to(loop)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(plug))
        assert refused_file(plug) == ["1:1: this is not a regular file"]
    assert refused_file(fifo) == ["1:1: this is not a regular file"]
    assert refused_file(tmp_path) == ["1:1: this is a directory: name the file in it"]
    assert refused_file(Path("/dev/zero")) == ["1:1: this is not a regular file"]
    assert refused_file(Path("/dev/null")) == ["1:1: this is not a regular file"]
    assert refused_file(loop) == ["1:1: the file cannot be read: Too many levels of symbolic links"]
    assert refused_file(tmp_path / "none") == [
        "1:1: there is no such file: write one with `shnotify init`, or name it with --config"
    ]
    assert refused_file(tmp_path / "x\x00y") == ["1:1: the file's name cannot be used: there is a null character in it"]
    assert refused_file(tmp_path / ("x" * 300)) == ["1:1: the file cannot be read: File name too long"]
    assert refused_file(fifo / "x") == ["1:1: the file cannot be read: Not a directory"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert refused_file(path) == ["1:1: the file has 1099511627776 bytes; at most 524288 are read"]


def test_a_file_that_hides_its_size_is_cut_off() -> None:
    big = Path("/proc/kallsyms")
    if not big.exists():
        pytest.skip("no /proc")
    assert refused_file(big) == ["1:1: the file has more than 524288 bytes"]


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stub: root may read everything."""

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "c.yaml"
    path.write_text("a: b\n")
    monkeypatch.setattr("shnotify.config.filetext.os.open", refuse)
    assert refused_file(path) == ["1:1: the file cannot be read: Permission denied"]


def test_no_file_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a: b\n")
    for _ in range(3):
        one = os.open(path, os.O_RDONLY)
        os.close(one)
        read(path)
        refused_file(tmp_path)
        two = os.open(path, os.O_RDONLY)
        os.close(two)
        assert one == two


def test_aliases_and_merge_keys_are_expanded_with_their_positions() -> None:
    text = "a: &x [p, q]\nb: *x\nbase: &b {k: 1, l: {m: 2}}\nc:\n  <<: *b\n  k: 3\ne: {<<: [*b, {k: 4, z: 5}]}\n"
    document = parse(text, "f")
    assert document.problems == []
    assert document.data == {
        "a": ["p", "q"],
        "b": ["p", "q"],
        "base": {"k": 1, "l": {"m": 2}},
        "c": {"k": 3, "l": {"m": 2}},
        "e": {"k": 1, "l": {"m": 2}, "z": 5},
    }
    assert document.where(("b", 1)) == (1, 11)
    assert document.where(("c", "k")) == (6, 6)
    assert document.where(("c", "l", "m")) == (3, 24)
    assert document.where(("e", "z"), key=True) == (7, 21)
    assert document.where(("e", "k"), key=True) == (3, 11)
