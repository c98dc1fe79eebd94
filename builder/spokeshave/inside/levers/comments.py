"""Blanks comments of Python modules; every token keeps its line and column.

A file changes only if the outcome is proven: its syntax tree is the old one, node by node at the same
position. Any other file is unchanged, and so are the lines that Python itself reads: a `#!` line and the
declaration of the encoding.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree
from spokeshave.inside.levers.rewriting import LINE, attempt, shave_modules

_ENCODING = re.compile(rb"^[ \t\f]*#.*?coding[:=]")  # PEP 263, in the first two lines only


def strip_comments(source: bytes) -> bytes | None:
    """The module without its comments; None where that cannot be done and proven."""
    return attempt(_proven, source)


def _proven(source: bytes) -> bytes | None:
    tree = ast.parse(source)
    shaved = _without_comments(source)
    return shaved if _dump(ast.parse(shaved)) == _dump(tree) else None


def _dump(tree: ast.Module) -> str:
    return ast.dump(tree, include_attributes=True)


def _without_comments(source: bytes) -> bytes:
    """Blanks comments and the white space before them; lines keep their number and their ends."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    lines = LINE.findall(source.decode(encoding))
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        number, column = token.start
        line = lines[number - 1]
        if number <= 2 and (line.startswith("#!") or _ENCODING.match(line.encode(encoding))):
            continue
        end = line[len(line.rstrip("\r\n")) :]
        lines[number - 1] = line[:column].rstrip(" \t\f") + end
    return "".join(lines).encode(encoding)


def shave(tree: Tree, options: Options) -> Shaved:
    """Blanks the comments of all modules but those of the recipe's `keep`; the note counts what stayed."""
    return shave_modules(tree, options, lambda _, source: strip_comments(source))


LEVER = Lever(name="comments", summary="blank comments, keep line numbers", options=("keep",), shave=shave)
