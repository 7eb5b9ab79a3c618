"""The sentences that a module's source holds: what a person may read of it, with `X1` for each value put in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_COMMANDS = ("aws ", "shnotify ", "AWS::", "arn:", ":")
"""How texts begin that are typed, or are names of AWS's."""


def sentences(path: Path) -> Iterator[str]:
    """Yields every text of three words or more, docstrings left out."""
    tree = ast.parse(path.read_text("utf-8"))
    known = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
    left_out = {id(node) for node in _docstrings(tree)} | {id(node) for node in _pieces(tree)}
    for node in ast.walk(tree):
        if id(node) not in left_out and (text := _text(node, known)):
            plain = text.replace("X1", " ")
            words = re.findall(r"[A-Za-z]{2,}", plain)
            if len(words) >= 3 and " " in plain.strip() and not text.startswith(_COMMANDS):
                yield text.strip()


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        for inner in getattr(node, "body", ()) if not isinstance(node, ast.IfExp | ast.Lambda) else ():
            if isinstance(inner, ast.Expr):
                yield inner.value


def _pieces(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from (inner for inner in ast.walk(node) if inner is not node)


def _text(node: ast.AST, known: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        known.get(ast.unparse(value.value), "X1") if isinstance(value, ast.FormattedValue) else _text(value, known)
        for value in node.values
    )
