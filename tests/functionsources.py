"""The source of each function in a module, as `inspect.getsource` gives it, and whether it parses alone."""

from __future__ import annotations

import ast
import inspect
import textwrap
import tokenize
from collections.abc import Iterator

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def definitions(source: bytes) -> Iterator[int]:
    """The line (from 1) on which each function, class and lambda starts, with its decorators."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DEFINITIONS):
            decorators: list[ast.expr] = getattr(node, "decorator_list", [])
            yield min(one.lineno for one in (*decorators, node))


def lost(before: bytes, after: bytes) -> list[int]:
    """The definitions whose dedented source parses in the module `before`, and not in `after`."""
    old, new = lines_of(before), lines_of(after)
    return [n for n in definitions(before) if not parses_alone(new, n) and parses_alone(old, n)]


def lines_of(source: bytes) -> list[str]:
    """The lines of a module, as `linecache` has them."""
    return source.decode("utf-8", "replace").splitlines(keepends=True)


def parses_alone(lines: list[str], first: int) -> bool:
    """Whether the definition that starts on a line (from 1) parses once its indentation is taken off."""
    try:
        ast.parse(textwrap.dedent("".join(inspect.getblock(lines[first - 1 :]))))
    except (SyntaxError, tokenize.TokenError):
        return False
    return True
