"""Modules whose docstrings are read when the package runs: found in the code, kept module by module.

A module's docstrings are kept where it reads `__doc__`, where another module of the wheel reads that of a
function or class that it defines, and where it imports a library that makes help or a grammar out of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from spokeshave.removal.readers.reader import Unit, absolute
from spokeshave.slim.wheel_layout import Source

# Command lines of these libraries show docstrings as help; PLY's parsers have their grammar in them.
_LIBRARIES = frozenset({"click", "cyclopts", "docopt", "fire", "plac", "ply", "rich_click", "typer", "yacc"})
_CALLS = frozenset({"getdoc", "getcomments"})
_MAY_READ = re.compile(rf"__doc__|\b(?:{'|'.join(sorted(_CALLS | _LIBRARIES))})\b")
_DEFINITION = re.compile(r"^(?:class|def|async[ \t]+def)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reads:
    """Why a module's own docstrings are kept, and the objects of other modules whose docstrings it reads."""

    reason: str = ""
    names: frozenset[str] = frozenset()


def doc_readers(sources: Iterable[Source]) -> Mapping[str, str]:
    """The modules whose docstrings must be kept, by their names in the wheel, and why."""
    reasons: dict[str, str] = {}
    wanted: set[str] = set()
    definers: dict[str, list[str]] = {}
    for source in sources:
        for name in set(_DEFINITION.findall(source.text)):
            definers.setdefault(name, []).append(source.member)
        if _MAY_READ.search(source.text):
            reads = _reads(source)
            wanted |= reads.names
            if reads.reason:
                reasons[source.member] = reads.reason
    for name in sorted(wanted):
        for member in definers.get(name, ()):
            reasons.setdefault(member, "another module reads the docstring of something in them")
    return reasons


def _reads(source: Source) -> _Reads:
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError):
        return _Reads()
    nodes = list(ast.walk(tree))
    unit = Unit(text=source.text, module=source.module, package=source.path.name == "__init__.py")
    bound = dict(_imports(nodes, unit))
    if any(set(name.split(".")) & _LIBRARIES for name, _ in bound.values()):
        return _Reads(reason="a library that they import makes help or a grammar of docstrings")
    read = [owner for node in nodes for owner in _owners(node)]
    if not read:
        return _Reads()
    names = frozenset(name for owner in read if owner and (name := _foreign(owner, bound)))
    return _Reads(reason="they read __doc__", names=names)


def _imports(nodes: list[ast.AST], unit: Unit) -> Iterator[tuple[str, tuple[str, bool]]]:
    """The local names of imports, with the full name, and whether that is known to be a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], (alias.name, True)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(unit, node.module or "", node.level)
            for alias in node.names:
                yield alias.asname or alias.name, (f"{base}.{alias.name}", False)


def _owners(node: ast.AST) -> Iterator[ast.expr | None]:
    """The object whose docstring a node reads; None for the module itself or what only a run shows."""
    match node:
        case ast.Attribute(value=value, attr="__doc__", ctx=ast.Load()):
            yield value
        case ast.AugAssign(target=ast.Attribute(value=value, attr="__doc__")):
            yield value
        case ast.Name(id="__doc__", ctx=ast.Load()) | ast.AugAssign(target=ast.Name(id="__doc__")):
            yield None
        case ast.Subscript(slice=ast.Constant(value="__doc__"), ctx=ast.Load()):
            yield None
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value="__doc__"), *_]):
            yield value
        case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[ast.Constant(value="__doc__"), *_]):
            yield None
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[value, *_]) if name in _CALLS:
            yield value


def _foreign(owner: ast.expr, bound: Mapping[str, tuple[str, bool]]) -> str:
    """The function or class of another module that an expression starts with; empty where it is none."""
    parts: list[str] = []
    while isinstance(owner, ast.Attribute):
        parts.insert(0, owner.attr)
        owner = owner.value
    if not isinstance(owner, ast.Name) or owner.id not in bound:
        return ""
    full, module = bound[owner.id]
    if module or (parts and not parts[0].startswith("_") and full.rpartition(".")[2].islower()):
        return parts[0] if parts else ""
    return full.rpartition(".")[2]
