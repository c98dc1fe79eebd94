"""The paths that a module spells: where each starts, as far as the code says it, and its parts."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

_JOINS = frozenset({"join", "joinpath", "Path", "PurePath", "PosixPath", "glob", "iglob", "rglob"})
_SAME = frozenset({"abspath", "realpath", "normpath", "resolve", "absolute", "str", "fspath", "expanduser"})
_OF_PACKAGE = frozenset({"files", "resource_filename", "resource_listdir", "get_data", "resource_stream"})
_SEPARATOR = re.compile(r"[/\\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelt:
    """A path; `above` counts the folders from the module's folder up to where it starts.

    0 is the module's folder and -1 the module itself; None says that only a run shows where it starts.
    """

    above: int | None = None
    parts: tuple[str, ...] = ()

    def up(self) -> Spelt:
        """The folder that this path is in."""
        if self.parts:
            return replace(self, parts=self.parts[:-1])
        return self if self.above is None else replace(self, above=self.above + 1)

    def then(self, other: Spelt) -> Spelt:
        """This path with another one behind it, which is relative."""
        path = self
        for part in other.parts:
            if part == ".." and (path.parts or path.above is not None):
                path = path.up()
            elif part not in ("", "."):
                path = replace(path, parts=(*path.parts, part))
        return path


def spelt_paths(tree: ast.AST) -> frozenset[Spelt]:
    """All paths in a module's syntax tree. A string with white space is none."""
    reader = _Reader()
    reader.visit(tree)
    return frozenset(path for path in reader.found if path.parts)


class _Reader(ast.NodeVisitor):
    """Collects paths; names that were assigned a path stand for it."""

    def __init__(self) -> None:
        self.found: set[Spelt] = set()
        self._visited: set[int] = set()  # ids of nodes: an expression is looked at from each that it is in
        self._folded: dict[int, Spelt | None] = {}
        self._names: dict[str, Spelt] = {"__file__": Spelt(above=-1), "__path__": Spelt(above=0)}

    def visit(self, node: ast.AST) -> None:
        if id(node) in self._visited:
            return
        self._visited.add(id(node))
        path = self._fold(node) if isinstance(node, ast.expr) else None
        if path is None:
            super().visit(node)
        else:
            self.found.add(path)

    def visit_Assign(self, node: ast.Assign) -> None:
        path = self._fold(node.value)
        if path is None:
            self.visit(node.value)
            return
        self.found.add(path)
        if path.above is not None:
            self._names |= {target.id: path for target in node.targets if isinstance(target, ast.Name)}

    def _fold(self, node: ast.expr) -> Spelt | None:
        """The path that an expression spells, or nothing."""
        if id(node) not in self._folded:
            self._folded[id(node)] = self._spelt(node)
        return self._folded[id(node)]

    def _spelt(self, node: ast.expr) -> Spelt | None:
        path: Spelt | None = None
        match node:
            case ast.Constant(value=str(text)) if text and not re.search(r"\s", text):
                path = Spelt().then(Spelt(parts=tuple(_SEPARATOR.split(text))))
            case ast.Name(id=name) | ast.Subscript(value=ast.Name(id="__path__" as name)):
                path = self._names.get(name)
            case ast.Attribute(value=value, attr="parent"):
                path = _up(self._fold(value), 1)
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(n))
            ):
                path = _up(self._fold(value), n + 1)
            case ast.BinOp(left=left, op=ast.Div() | ast.Add(), right=right):
                path = self._joined([left, right])
            case ast.JoinedStr(values=values):
                path = self._joined([v.value if isinstance(v, ast.FormattedValue) else v for v in values])
            case ast.Call():
                path = self._called(node)
        return path

    def _called(self, node: ast.Call) -> Spelt | None:
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        owner = [function.value] if isinstance(function, ast.Attribute) else []
        if name == "dirname" and node.args:
            return _up(self._fold(node.args[0]), 1)
        if name in _SAME:
            return self._joined([*node.args[:1]] or owner)
        if name in _OF_PACKAGE and node.args:
            first, *rest = node.args
            package = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
            return Spelt(parts=tuple(package.split(".")) if package else ()).then(
                self._joined(rest) or Spelt()
            )
        if name in _JOINS:
            method = [part for part in owner if self._fold(part) is not None]
            return self._joined([*method, *node.args])
        return None

    def _joined(self, nodes: list[ast.expr]) -> Spelt | None:
        """The parts together; what stands before a part that only a run shows is no beginning."""
        path: Spelt | None = None
        used: list[ast.expr] = []
        for node in nodes:
            part = self._fold(node)
            if part is None:
                if path is not None:
                    self.found.add(path)
                    self._visited |= {id(one) for one in used}  # they are no paths alone
                self.visit(node)
                path, used = None, []
            elif path is None or part.above is not None:
                path, used = part, [node]
            else:
                path = path.then(part)
                used.append(node)
        return path


def _up(path: Spelt | None, levels: int) -> Spelt | None:
    for _ in range(levels):
        path = path and path.up()
    return path
