"""The size of our code: files of at most 300 lines, functions of at most 50."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support import ROOT

_FILE, _FUNCTION = 300, 50
_FILES = sorted((ROOT / "builder").rglob("*.py"))


def long_functions(source: str) -> list[str]:
    """The functions with more lines than allowed, from `def` to their last line, without decorators."""
    found = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lines = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]
    return [f"{name}: {count} lines" for name, count in lines if count > _FUNCTION]


@pytest.mark.parametrize("path", _FILES, ids=lambda path: str(path.relative_to(ROOT / "builder")))
def test_file_and_its_functions_are_short(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= _FILE
    assert long_functions(source) == []


def test_long_functions_above_the_limit_are_found() -> None:
    body = "    x = 1\n"
    assert long_functions("def f():\n" + body * 49) == []
    assert long_functions("@d\nasync def g():\n" + body * 50) == ["g: 51 lines"]
