"""The import graph over the sources of several packages: which removals of modules are safe.

Nothing is imported or run. An import that only a run shows (a name made of variables) makes no edge.
A package's lazy loader, which serves any submodule that its user asks for, makes none either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from spokeshave.errors import RecipeError
from spokeshave.nearest import did_you_mean
from spokeshave.removal.readers.package import PackageImports, SourceFile
from spokeshave.removal.readers.reader import EdgeKind, covers, longest_known, parents

Allowance = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Edge:
    """One import: `importer` uses `target` on a line of a file (below the root of its source)."""

    importer: str
    line: int
    file: str
    target: str
    kind: EdgeKind


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportGraph:
    """All modules of some packages and who imports whom; without imports from outside."""

    modules: frozenset[str]
    edges: tuple[Edge, ...]

    def below(self, *prefixes: str) -> frozenset[str]:
        """The modules that are or lie below one of the given ones."""
        return frozenset(m for m in self.modules if any(covers(prefix, m) for prefix in prefixes))


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A way of imports, from a module that a user may name to the last edge's target."""

    steps: tuple[Edge, ...]

    @property
    def target(self) -> str:
        """The module at the end."""
        return self.steps[-1].target

    def __str__(self) -> str:
        """Each importer with the line on which it imports the next, then the target."""
        return " → ".join([*(f"{edge.importer}:{edge.line}" for edge in self.steps), self.target])


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaks:
    """What a removal breaks, one chain an import, and the allowances that fit no import at all."""

    chains: tuple[Chain, ...]
    stale: tuple[Allowance, ...]


def build_graph(packages: Sequence[PackageImports], *, extra_modules: Collection[str] = ()) -> ImportGraph:
    """Puts together what several packages name.

    `extra_modules` are names of modules that exist only once built and that no meson.build names.
    """
    modules = frozenset(extra_modules).union(*(package.modules for package in packages))
    files = [file for package in packages for file in package.files]
    passed_on = _passed_on(files, modules)
    edges = {edge for package in packages for edge in _entry_edges(package, modules)}
    for file in files:
        edges.update(_file_edges(file, modules, passed_on))
    return ImportGraph(modules=modules, edges=tuple(sorted(edges)))


def _passed_on(files: Iterable[SourceFile], modules: frozenset[str]) -> dict[str, str]:
    """Names that a module has from another one by a guarded import, which may leave it without: to that one.

    `from scipy.io import loadmat` needs scipy.io.matlab, though scipy.io lives on without it.
    """
    return {
        f"{file.module}.{reference.name.rpartition('.')[2]}": target
        for file in files
        for reference in file.references
        if reference.kind == "guarded"
        and (target := longest_known(reference.name, modules))
        and target == reference.name.rpartition(".")[0]
        and target != file.module
    }


def _entry_edges(package: PackageImports, modules: frozenset[str]) -> Iterator[Edge]:
    for reference in package.entry_points:
        if target := longest_known(reference.name, modules):
            yield Edge(
                importer=package.name,
                line=reference.line,
                file="pyproject.toml",
                target=target,
                kind=reference.kind,
            )


def _file_edges(file: SourceFile, modules: frozenset[str], passed_on: Mapping[str, str]) -> Iterator[Edge]:
    for reference in file.references:
        known = longest_known(reference.beyond, modules)
        target = longest_known(reference.name, modules)
        behind = passed_on.get(longest_known(reference.name, passed_on), "")
        for name in (target if not reference.beyond or target != known else "", behind):
            if name and name != file.module:
                yield Edge(
                    importer=file.module,
                    line=reference.line,
                    file=file.file,
                    target=name,
                    kind=reference.kind,
                )


def _allows(allowance: Allowance, edge: Edge) -> bool:
    return fnmatchcase(edge.importer, allowance[0]) and covers(allowance[1], edge.target)


def broken(
    graph: ImportGraph,
    removed: frozenset[str],
    extra: Sequence[Edge] = (),
    allowed: Collection[Allowance] = (),
) -> Breaks:
    """The imports that fail without `removed` and all below, each with how a user gets there.

    `extra` are imports that no source shows. `allowed` are pairs of a glob for the importer and the
    target, which stands for all below it too. A guarded import is no break. Raises RecipeError for a
    removed module that does not exist.
    """
    if unknown := sorted(removed - graph.modules):
        hints = "; ".join(f"{name}: {did_you_mean(name, _siblings(graph, name))}" for name in unknown)
        raise RecipeError(f"no module {', '.join(unknown)} to remove", next_step=hints)
    gone = graph.below(*removed)
    edges = sorted({*graph.edges, *extra})
    kept = [edge for edge in edges if edge.importer not in gone and edge.target not in gone]
    public = sorted(module for module in graph.modules - gone if _is_public(module))
    reached = _reach(kept, public)
    chains = [
        Chain(steps=(*_way(reached, edge.importer), edge))
        for edge in edges
        if edge.kind != "guarded"
        and edge.target in gone
        and edge.importer not in gone
        and not any(_allows(pair, edge) for pair in allowed)
    ]
    firm = [edge for edge in edges if edge.kind != "guarded"]
    stale = [pair for pair in allowed if not any(_allows(pair, edge) for edge in firm)]
    return Breaks(chains=tuple(chains), stale=tuple(sorted(stale)))


def _siblings(graph: ImportGraph, name: str) -> list[str]:
    """The modules right below the closest package of a name that is no module."""
    package = longest_known(name, graph.modules)
    return [module for module in graph.modules if module.rpartition(".")[0] == package]


def _is_public(module: str) -> bool:
    return not any(part.startswith("_") for part in module.split("."))


def needed_by(graph: ImportGraph, module: str) -> tuple[Edge, ...]:
    """The imports of a module or anything below it from outside it, of every kind."""
    return tuple(e for e in graph.edges if covers(module, e.target) and not covers(module, e.importer))


def reachable(
    graph: ImportGraph,
    roots: Iterable[str],
    *,
    include_deferred: bool = True,
    skip_guarded: bool = True,
    allowed: Collection[Allowance] = (),
) -> dict[str, Edge | None]:
    """Every module that runs when the roots do, with the import that got there first; None for a root.

    The packages around a module run before it: the edge of such a package has it as its target. With
    `include_deferred` also what functions and entry points import. Imports that `allowed` fits are not
    followed.
    """
    kinds = {"import", *(("deferred", "entry point") if include_deferred else ())}
    kinds |= set() if skip_guarded else {"guarded"}
    edges = [e for e in graph.edges if e.kind in kinds and not any(_allows(pair, e) for pair in allowed)]
    return _reach(edges, sorted(roots))


def _reach(edges: Iterable[Edge], roots: Sequence[str]) -> dict[str, Edge | None]:
    """Breadth first, so that each module's edge lies on a shortest way; edges in their order."""
    leaving: dict[str, list[Edge]] = {}
    for edge in edges:
        leaving.setdefault(edge.importer, []).append(edge)
    reached: dict[str, Edge | None] = {name: None for root in roots for name in (*parents(root), root)}
    waiting = deque(reached)
    while waiting:
        for edge in leaving.get(waiting.popleft(), ()):
            for name in (edge.target, *reversed(parents(edge.target))):
                if name not in reached:
                    reached[name] = _aimed(edge, name)
                    waiting.append(name)
    return reached


def _aimed(edge: Edge, target: str) -> Edge:
    return Edge(importer=edge.importer, line=edge.line, file=edge.file, target=target, kind=edge.kind)


def _way(reached: Mapping[str, Edge | None], module: str) -> tuple[Edge, ...]:
    """The edges by which a module was reached, first to last; none for a root or one that was not."""
    steps: list[Edge] = []
    while edge := reached.get(module):
        steps.append(edge)
        module = edge.importer
    return tuple(reversed(steps))


def chain_to(
    graph: ImportGraph,
    roots: Iterable[str],
    module: str,
    *,
    include_deferred: bool = True,
    skip_guarded: bool = True,
    allowed: Collection[Allowance] = (),
) -> Chain | None:
    """A shortest way from one of the roots to a module; None if there is none or it is itself a root."""
    reached = reachable(
        graph, roots, include_deferred=include_deferred, skip_guarded=skip_guarded, allowed=allowed
    )
    steps = _way(reached, module)
    return Chain(steps=steps) if steps else None
