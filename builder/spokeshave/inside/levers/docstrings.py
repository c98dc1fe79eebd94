"""Blanks docstrings, as `python -OO` does; every other token keeps its line and column.

A file changes only if the outcome is proven: it compiles, has no docstring left, and its syntax
tree is the old one without the docstrings, node by node at the same position. Any other file is
unchanged.

`options`: `keep`, globs of files to leave alone; `add-newdocs`, globs of files in which numpy has
the docstrings of C objects, as arguments of calls or as docstrings of placeholder objects. There `__doc__`
becomes None too, but the signatures are kept: Python reads `__text_signature__` out of the same text,
up to a line of two dashes, and upstream's tests ask for it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree, fits
from spokeshave.inside.levers.rewriting import attempt, shave_modules

_SPACE = b" \t\f"
_NEWLINE = re.compile(rb"(\r\n|\r|\n)")
_IDLE_SEMICOLON = re.compile(rb"[ \t\f]*;[ \t\f]*(?=#|$)")
_TRIPLE = re.compile(rb"[a-zA-Z]*(\"\"\"|''')")
# What splits a C docstring into signature and text: SIGNATURE_END_MARKER in CPython's typeobject.c.
_SIGNATURE_END = re.compile(rb"\n([ \t]*)--\n[ \t]*\n")
# The functions of numpy that set a C object's docstring, and the mark in the text by which
# add_newdoc knows that the object belongs in ARRAY_FUNCTIONS as well.
_ATTACH = frozenset({"add_newdoc", "add_docstring"})
_LIKE = b"${ARRAY_FUNCTION_LIKE}"

_Place = tuple[int, int]  # line from 1, column in UTF-8 bytes from 0, as in `ast`
_Owner = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edit:
    """Turns `start` to `end` into spaces that begin with `fill` and end with `close`."""

    start: _Place
    end: _Place
    fill: bytes = b""
    close: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """The edits, and where the tree may differ for them: statements `gone`, strings `changed`."""

    edits: list[_Edit] = field(default_factory=list)
    gone: set[_Place] = field(default_factory=set)
    changed: set[_Place] = field(default_factory=set)

    def remove(self, lines: list[bytes], statement: ast.stmt, *, needed: bool) -> None:
        """Takes a statement out; `needed` says that its block cannot do without one."""
        self.edits.append(_removal(lines, statement, needed=needed))
        self.gone.add(_start(statement))

    def replace(self, literal: ast.expr, edit: _Edit) -> None:
        """Changes the text of a string."""
        self.edits.append(edit)
        self.changed.add(_start(literal))


def blank(source: bytes) -> bytes:
    """The module without its docstrings, or as it was where that cannot be done and proven."""
    shaved = _shaved(source)
    return source if shaved is None else shaved


def _shaved(source: bytes, *, newdocs: bool = False) -> bytes | None:
    """The module without its docstrings; None if it does not parse or the check fails."""
    return attempt(lambda text: _proven(text, newdocs=newdocs), source)


def _proven(source: bytes, *, newdocs: bool) -> bytes | None:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    text = source.decode(encoding)
    tree = ast.parse(source)
    parts = _NEWLINE.split(text.encode())
    lines = parts[::2]
    plan = _Plan()
    if newdocs:
        _plan_newdocs(tree, lines, plan)
    _plan_docstrings(tree, lines, plan)
    if not plan.edits:
        return source
    for edit in sorted(plan.edits, key=lambda edit: edit.start, reverse=True):
        _overwrite(lines, edit)
    parts[::2] = lines
    shaved = b"".join(parts).decode().encode(encoding)
    proven = text.encode(encoding) == source and _same(tree, shaved, plan)
    return shaved if proven else None


def _start(node: ast.stmt | ast.expr) -> _Place:
    return node.lineno, node.col_offset


def _end(node: ast.stmt | ast.expr) -> _Place:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _docstrings(tree: ast.AST) -> Iterator[tuple[_Owner, ast.Expr]]:
    """All that have a docstring, with the statement that is it."""
    for node in ast.walk(tree):
        if isinstance(node, _Owner) and node.body and _is_string(first := node.body[0]):
            yield node, first


def _is_string(node: ast.stmt) -> TypeGuard[ast.Expr]:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _plan_docstrings(tree: ast.Module, lines: list[bytes], plan: _Plan) -> None:
    for owner, statement in _docstrings(tree):
        if _start(statement.value) in plan.changed:
            continue
        rest = owner.body[1:]
        alone = not rest and not isinstance(owner, ast.Module)
        # Else the string after the docstring would become the docstring.
        follows_string = bool(rest) and _is_string(rest[0])
        plan.remove(lines, statement, needed=alone or follows_string)


def _removal(lines: list[bytes], statement: ast.stmt, *, needed: bool) -> _Edit:
    """Removes a statement, leaving `pass` (or 0 where that does not fit) where one is needed."""
    (first, column), (last, end) = start, stop = _start(statement), _end(statement)
    tail = lines[last - 1][end:]
    if idle := _IDLE_SEMICOLON.match(tail):
        stop, tail = (last, end + tail.index(b";") + 1), tail[idle.end() :]
    tail = tail.strip(_SPACE)
    before = lines[first - 2] if first > 1 else b""
    joined = tail.startswith((b";", b"\\"))
    continued = before.endswith(b"\\") and b"#" not in before
    if not (needed or joined or continued or lines[first - 1][:column].strip(_SPACE)):
        return _Edit(start=start, end=stop)
    if first != last and joined:
        return _Edit(start=start, end=stop, fill=b"(0", close=b")")
    roomy = first != last or not tail or stop[1] - column >= len(b"pass")
    return _Edit(start=start, end=stop, fill=b"pass" if roomy else b"0")


def _overwrite(lines: list[bytes], edit: _Edit) -> None:
    (first, column), (last, end) = edit.start, edit.end
    for number in range(first, last + 1):
        line = lines[number - 1]
        left = line[:column] if number == first else b""
        right = line[end:] if number == last else b""
        close = edit.close if number == last else b""
        width = len(line) - len(left) - len(right) - len(close)
        fill = (edit.fill if number == first else b"").ljust(width)
        line = left + fill + close + right
        lines[number - 1] = line if right.strip(_SPACE) else line.rstrip(_SPACE)


def _plan_newdocs(tree: ast.Module, lines: list[bytes], plan: _Plan) -> None:
    for literal in _literals(tree):
        if edit := _cut(lines, literal):
            plan.replace(literal, edit)
    helpers = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[-1].arg == "doc"
    }
    for statement, name, literal in _documenting_calls(tree):
        text = _text(lines, literal)
        if _SIGNATURE_END.search(text):
            continue
        if name in helpers:
            fill = b'""'
        elif name not in _ATTACH:
            continue
        elif _LIKE in text:
            fill = b'"\\0' + _LIKE + b'"'
        else:
            plan.remove(lines, statement, needed=statement not in tree.body)
            continue
        plan.replace(literal, _Edit(start=_start(literal), end=_end(literal), fill=fill))


def _documenting_calls(tree: ast.Module) -> Iterator[tuple[ast.Expr, str, ast.expr]]:
    """The statements `name(…, "doc")` and `name(…, (attribute, "doc"))`."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[_, *_, last], keywords=[])):
                literal = last.elts[-1] if isinstance(last, ast.Tuple) and last.elts else last
                if literal in _literals(literal):
                    yield node, name, literal


def _literals(node: ast.AST) -> Iterator[ast.expr]:
    """The strings and f-strings at or below a node, without the pieces of f-strings."""
    if isinstance(node, ast.JoinedStr):
        yield node
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from _literals(child)


def _text(lines: list[bytes], node: ast.expr) -> bytes:
    (first, column), (last, end) = _start(node), _end(node)
    if first == last:
        return lines[first - 1][column:end]
    return b"\n".join([lines[first - 1][column:], *lines[first : last - 1], lines[last - 1][:end]])


def _cut(lines: list[bytes], literal: ast.expr) -> _Edit | None:
    """Ends a string after its signature.

    The null byte ends the C text, so that `__doc__` is None; it also keeps `inspect.cleandoc`, which
    add_newdoc calls, from stripping the blank line by which Python knows the signature.
    """
    text = _text(lines, literal)
    head, mark = _TRIPLE.match(text), _SIGNATURE_END.search(text)
    if not head or not mark or text.find(head[1], head.end()) != len(text) - len(head[1]):
        return None
    line = literal.lineno + text.count(b"\n", 0, mark.end())
    fill = mark[1] + head[1] + b' "\\0' + (_LIKE if _LIKE in text else b"") + b'"'
    return _Edit(start=(line, 0), end=_end(literal), fill=fill)


def _same(tree: ast.Module, shaved: bytes, plan: _Plan) -> bool:
    """Whether the shaved module compiles, has no docstring, and is the old one otherwise."""
    after = ast.parse(shaved)
    compile(after, "<shaved>", "exec", dont_inherit=True)
    left = {_start(statement.value) for _, statement in _docstrings(after)}
    return left <= plan.changed and _essence(after, plan) == _essence(tree, plan)


def _essence(tree: ast.Module, plan: _Plan) -> str:
    """The tree with all positions where nodes start, but for what the plan removes or changes."""
    _Masked(plan).visit(tree)
    return ast.dump(tree, include_attributes=True)


class _Masked(ast.NodeTransformer):
    def __init__(self, plan: _Plan) -> None:
        self.plan = plan

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Expr | ast.Pass) and _start(node) in self.plan.gone:
            return None
        if isinstance(node, ast.stmt | ast.expr):
            node.end_lineno = node.end_col_offset = None
        if isinstance(node, ast.Constant | ast.JoinedStr) and _start(node) in self.plan.changed:
            return ast.copy_location(ast.Constant(value=None), node)
        return self.generic_visit(node)


def shave(tree: Tree, options: Options) -> Shaved:
    """Blanks docstrings in all modules but those to keep; the note names what stayed as it was."""
    newdocs = options.get("add-newdocs", ())
    return shave_modules(
        tree, options, lambda name, source: _shaved(source, newdocs=fits(name, newdocs)), _note
    )


def _note(odd: list[str]) -> str:
    more = ", …" if len(odd) > 5 else ""
    return f"left as they were: {len(odd)} ({', '.join(odd[:5])}{more})" if odd else ""


LEVER = Lever(
    name="docstrings",
    summary="blank docstrings, keep line numbers",
    options=("keep", "add-newdocs"),
    shave=shave,
)
