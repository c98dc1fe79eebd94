"""Indentation of Python modules shrinks to one space a level; every token keeps its line.

Tracebacks name the same lines; only columns differ, and `inspect.getsource` gives text that parses where
upstream's did. A file changes only if the outcome is proven: its syntax tree is the old one, node by node on
the same lines. Any other file is unchanged.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree
from spokeshave.inside.levers.rewriting import LINE, attempt, shave_modules

_NO_CODE = {tokenize.NL, tokenize.COMMENT, tokenize.ENCODING, tokenize.ENDMARKER}
_ENDS_OF_STRINGS = {
    tokenize.STRING,
    getattr(tokenize, "FSTRING_END", -1),
    getattr(tokenize, "TSTRING_END", -1),
}
_STARTS_OF_STRINGS = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")}


def shrink_indentation(source: bytes) -> bytes | None:
    """The module with one space a level; None where that cannot be done and proven."""
    return attempt(_proven, source)


def _proven(source: bytes) -> bytes | None:
    tree = ast.parse(source)
    shaved = _shrunk(source)
    return shaved if _shape(ast.parse(shaved)) == _shape(tree) else None


def _shape(tree: ast.Module) -> tuple[str, list[tuple[int | None, int | None]]]:
    lines = [(getattr(node, "lineno", None), getattr(node, "end_lineno", None)) for node in ast.walk(tree)]
    return ast.dump(tree), lines


def _shrunk(source: bytes) -> bytes:
    """Every line with the indentation that it needs, and strings as they are.

    Lines that continue a statement are as deep as its first line, so that the source of a function, as
    `inspect.getsource` cuts it out, parses once `textwrap.dedent` has taken the indentation of its `def` off.
    No line gets deeper than it was.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    lines = LINE.findall(source.decode(encoding))
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    levels = dict(_levels(tokens))
    fixed = set(_inside_strings(tokens))
    for index, line in enumerate(lines):
        if index + 1 in fixed:
            continue
        code = line.lstrip(" \t\f")
        level = min(levels.get(index + 1, 0), len(line) - len(code)) if code.strip("\r\n") else 0
        after_backslash = index > 0 and lines[index - 1].rstrip("\r\n").endswith("\\")
        lines[index] = " " * max(level, int(after_backslash)) + code
    return "".join(lines).encode(encoding)


def _levels(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[int, int]]:
    """The depth of each line that is not blank: of code by its block, of other comments by their column."""
    columns: list[int] = []
    first = 0  # the line on which the current statement starts; 0 between statements
    for token in tokens:
        row, column = token.start
        if token.type == tokenize.INDENT:
            columns.append(len(token.string.expandtabs()))
        elif token.type == tokenize.DEDENT:
            columns.pop()
        elif token.type == tokenize.NEWLINE:
            yield from ((line, len(columns)) for line in range(first, row + 1))
            first = 0
        elif token.type == tokenize.COMMENT and not first:
            yield row, _depth_of_comment(columns, len(token.line[:column].expandtabs()))
        elif not first and token.type not in _NO_CODE:
            first = row


def _depth_of_comment(columns: list[int], column: int) -> int:
    """Where a comment belongs that lies between statements: below those that it is not left of.

    One that is further right than the statement before it opens the next block, or might as well.
    """
    deepest = columns[-1] if columns else 0
    return sum(block <= column for block in columns) + (column > deepest)


def _inside_strings(tokens: list[tokenize.TokenInfo]) -> Iterator[int]:
    """The lines that begin inside a string."""
    opened: list[int] = []
    for token in tokens:
        if token.type in _STARTS_OF_STRINGS:
            opened.append(token.start[0])
        elif token.type in _ENDS_OF_STRINGS:
            first = token.start[0] if token.type == tokenize.STRING else opened.pop()
            yield from range(first + 1, token.end[0] + 1)


def shave(tree: Tree, options: Options) -> Shaved:
    """Shrinks all modules but those of the recipe's `keep`; the note counts what stayed as it was."""
    return shave_modules(tree, options, lambda _, source: shrink_indentation(source))


LEVER = Lever(
    name="indentation",
    summary="indent by one space a level, keep line numbers",
    options=("keep",),
    shave=shave,
)
