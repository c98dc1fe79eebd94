"""From the loaded modules to the removals: the largest set of unused components that no kept module needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from spokeshave.context import Context
from spokeshave.errors import TraceError
from spokeshave.inside.model import Target
from spokeshave.recipes.schema import ComponentTable, Profile, RemoveTable
from spokeshave.removal.check import find_breaks, graph_of, import_graph, owner_of, read_stack, stack_recipes
from spokeshave.removal.graph import Edge, ImportGraph
from spokeshave.removal.readers.package import PackageImports
from spokeshave.removal.readers.reader import covers, parents
from spokeshave.trace.evidence import evidence, harness, is_loaded, is_rechecked, unseen
from spokeshave.trace.record import Run

_SEEN = "(seen at run time)"
_UNSEEN = "loaded; use not visible"
_RECHECKED = "loaded; its use is not visible; the command passed without it"
_BY_HAND = "removed by hand only: PyPI's wheel has no separate module or file for it, so no run shows its use"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """One component: whether it is removed, and why; `weight` is in bytes as installed when traced."""

    component: str
    removed: bool
    why: str
    weight: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """All components in the stack's order, each once, without those inside another removed one."""

    base: str
    verdicts: tuple[Verdict, ...]

    @property
    def removed(self) -> tuple[Verdict, ...]:
        return tuple(one for one in self.verdicts if one.removed)


def components(context: Context) -> dict[str, ComponentTable]:
    """Every component of the stack by its full name (`recipe/name`), in the order of the recipes."""
    return {
        f"{loaded.recipe.name}/{part.name}": part
        for loaded in stack_recipes(context)
        for part in loaded.recipe.components
    }


def resolve(context: Context, base: Profile, target: Target, runs: Sequence[Run]) -> Resolution:
    """Removes from the base profile's wheels all that the runs did not use and no kept module needs.

    A component whose use a run cannot show is kept, unless the recheck passed without it. As in every
    profile, all that kept modules need is kept, though the program may never load those. Raises TraceError
    where nothing of the stack was loaded, and where the base profile removes a component that is used.
    """
    if not any(run.loads for run in runs):
        raise TraceError("the program loaded nothing of the stack", next_step="trace a command that does")
    parts, recipes = components(context), stack_recipes(context)
    stack = read_stack(context, recipes, base, target)
    used, doubts = _used(parts, runs), _doubts(parts, stack, runs)
    gone = [row.component for row in base.remove]
    if lacking := [f"  {name}: {used[name]}" for name in gone if name in used]:
        raise TraceError(
            f"profile {base.name!r} removes what the program uses:\n" + "\n".join(lacking),
            next_step="name another --profile to begin with, such as lean",
        )
    open_to = [name for name in parts if name not in {*used, *doubts, *gone}]
    extra = list(_unseen(graph_of(recipes, stack), runs))
    going, needed = _settle(context, base, target, {name: parts[name] for name in open_to}, extra)
    weights = {name: size for run in runs for name, size in run.weights.items()}
    verdicts = []
    for name in [name for name in parts if name not in gone and not _is_within(name, going, parts)]:
        why = used.get(name) or doubts.get(name) or needed.get(name) or _unused(parts[name], runs)
        size = weights.get(name, 0)
        verdicts.append(Verdict(component=name, removed=name in going, why=why, weight=size))
    return Resolution(base=base.name, verdicts=tuple(verdicts))


def reasons_to_keep(context: Context, base: Profile, target: Target, runs: Sequence[Run]) -> dict[str, str]:
    """The components that the runs used or may have used, each with the reason."""
    parts, stack = components(context), read_stack(context, stack_recipes(context), base, target)
    return {**_doubts(parts, stack, runs), **_used(parts, runs)}


def _used(parts: Mapping[str, ComponentTable], runs: Sequence[Run]) -> dict[str, str]:
    return {name: why for name, part in parts.items() if (why := evidence(name, part, runs))}


def _doubts(
    parts: Mapping[str, ComponentTable], stack: Sequence[PackageImports], runs: Sequence[Run]
) -> dict[str, str]:
    """Why components without a sign of use are kept all the same."""
    known = frozenset(name for read in stack for name in read.modules)
    return {name: why for name, part in parts.items() if (why := _doubt(name, part, known, runs))}


def _unseen(graph: ImportGraph, runs: Sequence[Run]) -> Iterator[Edge]:
    """Imports of one module of the stack by another that loads, which no source shows.

    A package's lazy loader has separate edges, whichever module it serves (`from numpy import *`). Compiled
    code has no frame: its imports seem to be those of the module that loads it.
    """
    known: dict[str, set[str]] = {}
    for edge in graph.edges:
        known.setdefault(edge.importer, set()).add(edge.target)
    loads = {load for run in runs for load in run.loads}
    ext = frozenset(load.module for load in loads if load.kind == "ext")
    for load in sorted(loads, key=lambda one: (one.importer, one.line, one.module)):
        if load.moment != "loading" or not {load.importer, load.module} <= graph.modules:
            continue
        speakers = (*_with_compiled(load.importer, known, ext), *parents(load.module))
        if not any(covers(load.module, name) for module in speakers for name in known.get(module, ())):
            yield Edge(importer=load.importer, line=load.line, file=_SEEN, target=load.module, kind="import")


def _with_compiled(module: str, known: Mapping[str, AbstractSet[str]], ext: AbstractSet[str]) -> set[str]:
    """A module and the ext modules that it gets to without other Python modules."""
    found, waiting = {module}, [module]
    while waiting:
        new = (known.get(waiting.pop(), frozenset()) & ext) - found
        found |= new
        waiting += new
    return found


def _settle(
    context: Context,
    base: Profile,
    target: Target,
    candidates: Mapping[str, ComponentTable],
    extra: Sequence[Edge],
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Returns the components to remove, after keeping what kept modules need, and why the others are kept.

    It begins with all, so that components that need only each other are removed together. Those inside
    another one then have their patches when that one is kept. A kept component has no patches, so the graph
    is read again with the patches that are left.
    """
    going, needed = tuple(candidates), dict[str, str]()
    while True:
        before = going
        for only_outer in (False, True):
            rows = _outer(going, candidates) if only_outer else going
            graph = import_graph(context, with_removals(base, rows), target)
            while back := _needed(context, with_removals(base, rows), graph, candidates, extra):
                needed |= back
                going, rows = (tuple(name for name in names if name not in back) for names in (going, rows))
        if going == before:
            return _outer(going, candidates), needed


def _needed(
    context: Context,
    profile: Profile,
    graph: ImportGraph,
    candidates: Mapping[str, ComponentTable],
    extra: Sequence[Edge],
) -> dict[str, str]:
    """The candidates that the profile removes and kept modules need, with the chain of imports."""
    found, removed = find_breaks(context, profile, graph, extra)
    back: dict[str, str] = {}
    for chain in found.chains:
        owner = owner_of(chain.target, removed)
        if owner is not None and owner in candidates:
            back.setdefault(owner, f"needed: {chain}")
    for importer, module in found.stale:
        for name in {row.component for row in profile.remove} & set(candidates):
            if any((row.importer, row.target) == (importer, module) for row in candidates[name].allow):
                back.setdefault(name, f"its recipe expects {importer} to import {module}, which it does not")
    return back


def _is_within(name: str, going: Sequence[str], parts: Mapping[str, ComponentTable]) -> bool:
    """Whether all modules of a component are in another removed one: nothing is left of it to remove."""
    part = parts[name]
    others = [module for other in going if other != name for module in parts[other].modules]
    return bool(part.modules) and all(
        any(covers(module, own) and module != own for module in others) for own in part.modules
    )


def _outer(going: Sequence[str], parts: Mapping[str, ComponentTable]) -> tuple[str, ...]:
    """The components with a part that no other one removes."""
    return tuple(name for name in going if not _is_within(name, going, parts))


def with_removals(base: Profile, going: Sequence[str]) -> Profile:
    """The profile that removes these components too."""
    rows = [RemoveTable(component=name, reason="not used by the traced program") for name in going]
    return base.model_copy(update={"remove": (*base.remove, *rows)})


def _doubt(name: str, part: ComponentTable, known: frozenset[str], runs: Sequence[Run]) -> str | None:
    """Why a component without a sign of use is kept all the same; None where it may go."""
    if not part.files and known.isdisjoint(part.modules):
        return _BY_HAND
    for run in runs:
        if unseen(part, run) and not is_rechecked(name, run):
            untried = run.recheck.untried.get(name) if run.recheck else None
            return f"{_UNSEEN}; {untried}" if untried else _UNSEEN
    return harness(part, runs)


def _unused(part: ComponentTable, runs: Sequence[Run]) -> str:
    if any(unseen(part, run) for run in runs):
        return _RECHECKED
    if not part.modules:
        return "not read"
    return "loaded with its package, but not used" if is_loaded(part, runs) else "not loaded"
