"""The imports of Python source, through its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from spokeshave.removal.readers.reader import EdgeKind, Reference, Unit, absolute

_CATCHING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
# clone_module("numpy.fft", globals()) is of array_api_compat, which scipy and scikit-learn carry.
_LOADERS = frozenset({"import_module", "__import__", "clone_module"})
_OPTIONAL = "import_optional_dependency"
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def python_references(unit: Unit) -> list[Reference]:
    """Every import of a Python file, in the order of its syntax tree. Raises SyntaxError."""
    tree = ast.parse(unit.text)
    reader = _Reader(unit, _bindings(unit, tree.body), lazy_annotations=_has_lazy_annotations(tree))
    reader.visit(tree)
    return reader.found


def _has_lazy_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and node.names[0].name == "annotations"
        for node in tree.body
    )


def _last_name(node: ast.expr | None) -> str:
    """The last part of a dotted expression: `suppress` for `suppress` and `contextlib.suppress`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _survives(handlers: Iterable[ast.ExceptHandler]) -> bool:
    """Whether a handler lives on without the module.

    One that ends by raising does not, nor does one that imports something in its stead: nobody knows
    whether that is there.
    """
    for handler in handlers:
        caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        catches = handler.type is None or any(_last_name(node) in _CATCHING for node in caught)
        replaces = any(isinstance(node, ast.Import | ast.ImportFrom) for node in handler.body)
        if catches and not replaces and not _raises(handler.body[-1]):
            return True
    return False


def _raises(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(statement, ast.Raise) or (
        isinstance(call, ast.Call) and _last_name(call.func).startswith("raise")
    )


def _suppresses(items: Iterable[ast.withitem]) -> bool:
    return any(
        isinstance(call := item.context_expr, ast.Call)
        and _last_name(call.func) == "suppress"
        and any(_last_name(argument) in _CATCHING for argument in call.args)
        for item in items
    )


def _imported(unit: Unit, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    """Per alias: the name imported, the local name it binds (if any), and what that stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield alias.name, alias.asname or top, alias.name if alias.asname else top
        return
    base = absolute(unit, node.module or "", node.level)
    for alias in node.names:
        full = base if alias.name == "*" else f"{base}.{alias.name}"
        if base:
            yield full, "" if alias.name == "*" else alias.asname or alias.name, full


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All statements of one scope, handlers and cases among them: what a function holds is its own scope."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for part in ("body", "handlers", "orelse", "finalbody", "cases"):
                yield from _statements(getattr(statement, part, ()))


def _assigned(statement: ast.AST) -> Iterator[str]:
    """The names that a statement gives another meaning than that of an import."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    targets = [getattr(statement, "target", None), *getattr(statement, "targets", ())]
    targets += [item.optional_vars for item in getattr(statement, "items", ())]
    for target in targets:
        for node in ast.walk(target) if target else ():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _bindings(unit: Unit, body: Iterable[ast.AST]) -> dict[str, str]:
    """What the names of a scope stand for; empty for one that holds something else than an import.

    An import wins over an assignment: `scipy = None` is what a guard does when there is no scipy.
    """
    plain: dict[str, str] = {}
    imported: dict[str, str] = {}
    for statement in _statements(body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imported.update({local: full for _, local, full in _imported(unit, statement)})
        else:
            plain.update(dict.fromkeys(_assigned(statement), ""))
    return plain | imported


def _arguments(node: _Function) -> list[ast.arg]:
    a = node.args
    starred = [arg for arg in (a.vararg, a.kwarg) if arg]
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *starred]


class _Reader(ast.NodeVisitor):
    """Walks a module with the state that gives an import's kind and a name's meaning."""

    def __init__(self, unit: Unit, names: dict[str, str], *, lazy_annotations: bool) -> None:
        self.unit = unit
        self.found: list[Reference] = []
        self._scopes = [names]
        self._deferred = 0
        self._guarded = 0
        self._lazy_annotations = lazy_annotations

    def _add(
        self, node: ast.expr | ast.stmt, name: str, beyond: str = "", kind: EdgeKind | None = None
    ) -> None:
        now: EdgeKind = "guarded" if self._guarded else "deferred" if self._deferred else "import"
        self.found.append(Reference(name=name, line=node.lineno, kind=kind or now, beyond=beyond))

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    @contextmanager
    def _guard(self, on: bool) -> Iterator[None]:
        self._guarded += on
        yield
        self._guarded -= on

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, _, _ in _imported(self.unit, node):
            self._add(node, name)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Attribute(self, node: ast.Attribute) -> None:
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.visit(inner)
        elif stands_for := next((scope[inner.id] for scope in self._scopes[::-1] if inner.id in scope), ""):
            self._add(node, ".".join([stands_for, *reversed(parts)]), beyond=stands_for)

    def visit_Call(self, node: ast.Call) -> None:
        called = _last_name(node.func)
        if node.args and (called in _LOADERS or called == _OPTIONAL):
            name = self._text(node.args[0])
            level = len(name) - len(name.lstrip("."))
            if full := absolute(self.unit, name.lstrip("."), level):
                self._add(node, full, kind="guarded" if called == _OPTIONAL else None)
        self.generic_visit(node)

    def _text(self, node: ast.expr) -> str:
        """The string that an expression always has, or nothing where only a run shows it."""
        text = ""
        match node:
            case ast.Constant(value=str(literal)):
                text = literal
            case ast.Name(id="__name__") | ast.Attribute(value=ast.Name(id="__spec__"), attr="name"):
                text = self.unit.module
            case ast.Name(id="__package__") | ast.Attribute(value=ast.Name(id="__spec__"), attr="parent"):
                text = absolute(self.unit, "", 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                text = self._joined([left, right])
            case ast.JoinedStr(values=values):
                text = self._joined(values)
            case ast.FormattedValue(value=value):
                text = self._text(value)
        return text

    def _joined(self, nodes: Sequence[ast.expr]) -> str:
        texts = [self._text(node) for node in nodes]
        return "".join(texts) if all(texts) else ""

    def visit_FunctionDef(self, node: _Function) -> None:
        arguments = _arguments(node)
        names = {argument.arg: "" for argument in arguments}
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        if isinstance(node, ast.Lambda):
            body: Sequence[ast.AST] = [node.body]
        else:
            body = node.body
            names |= _bindings(self.unit, body)
            self._visit_all(node.decorator_list)
            if not self._lazy_annotations:
                self._visit_all([*(argument.annotation for argument in arguments), node.returns])
        self._scopes.append(names)
        self._deferred += 1
        # A guard around a definition has ended when the body runs.
        guards, self._guarded = self._guarded, 0
        self._visit_all(body)
        self._guarded = guards
        self._deferred -= 1
        self._scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815
    visit_Lambda = visit_FunctionDef  # noqa: N815

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all([node.target, None if self._lazy_annotations else node.annotation, node.value])

    def visit_If(self, node: ast.If) -> None:
        inverted = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
        if _last_name(test) != "TYPE_CHECKING":
            self.generic_visit(node)
        else:
            self._visit_all(node.body if inverted else node.orelse)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        with self._guard(_survives(node.handlers)):
            self._visit_all(node.body)
        self._visit_all([*node.handlers, *node.orelse, *node.finalbody])

    visit_TryStar = visit_Try  # noqa: N815

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self._visit_all(node.items)
        with self._guard(_suppresses(node.items)):
            self._visit_all(node.body)

    visit_AsyncWith = visit_With  # noqa: N815
