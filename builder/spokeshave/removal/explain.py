"""Why a module is kept or removed under a profile, who needs it, and its size; the removable components."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import RecipeError
from spokeshave.inside.model import Target
from spokeshave.inside.stub_message import MARK
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.schema import TRACED, ComponentTable, Profile
from spokeshave.recipes.select import chosen_components
from spokeshave.removal.check import import_graph, owner_of, removed_modules, stack_recipes
from spokeshave.removal.graph import Edge, ImportGraph, chain_to, needed_by
from spokeshave.removal.readers.reader import covers


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What is known of one module under one profile.

    `component` removes it, for `reason`. `users` are the imports of it from elsewhere. `needed` is the
    shortest way from another package's public modules. Without one, it is a guarded import in one of them (a
    function that asks for it and says what is missing), or the way from other modules of its package.
    `weight` is in bytes unpacked, of the module and all below it, by the wheel that was read; `stubs` are
    the wheels of these that hold a stub for it. `traced` is what a traced profile says of the component
    in its table [trace], and `runs` are the runs that it rests on; empty in other profiles.
    """

    module: str
    profile: str
    component: str | None
    reason: str
    offered: str | None
    needed: str | None
    users: tuple[str, ...]
    weight: Mapping[str, int]
    stubs: tuple[str, ...]
    traced: str = ""
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A component that a profile can remove, and whether this one does, for `reason`.

    `weight` is in bytes unpacked, in the wheel `wheel`; None where none of the wheels has it whole.
    """

    component: str
    summary: str
    modules: tuple[str, ...]
    removed: bool
    reason: str
    weight: int | None
    wheel: str | None


def offers(loaded: Loaded, profile: Profile, wheels: Iterable[Path]) -> list[Offer]:
    """All components of a recipe, with the size in the first of its wheels that has the component whole.

    Raises RecipeError where the profile names one that there is not.
    """
    loaded = loaded.at(loaded.recipe.versions[0].version)
    reasons = {part.name: row.reason for part, row in chosen_components(loaded, profile)}
    own = f"{loaded.recipe.distribution.replace('-', '_')}-"
    mine = [path for path in wheels if path.name.startswith(own)]
    found = []
    for part in loaded.recipe.components:
        whole = next((w for w in mine if not any(_holds_stub(w, m) for m in part.modules)), None)
        offer = Offer(
            component=f"{loaded.recipe.name}/{part.name}",
            summary=part.summary,
            modules=part.modules,
            removed=part.name in reasons,
            reason=reasons.get(part.name, ""),
            weight=_size_of_all(whole, part) if whole else None,
            wheel=whole.name if whole else None,
        )
        found.append(offer)
    return found


def explain(
    context: Context, module: str, profile: Profile, target: Target, wheels: Iterable[Path]
) -> Explanation:
    """Looks the module up in the import graph and the profile, and its size in `wheels`.

    Raises RecipeError for a module that no package of the stack has.
    """
    graph = import_graph(context, profile, target)
    if module not in graph.modules:
        raise RecipeError(f"there is no module {module!r}", next_step=did_you_mean(module, graph.modules))
    removed = removed_modules(context, profile)
    component = owner_of(module, removed)
    reason = next((row.reason for row in profile.remove if row.component == component), "")
    offered = _offered(context, module)
    wheels = tuple(wheels)
    weights = {path.name: size_in(path, module) for path in wheels}
    return Explanation(
        module=module,
        profile=profile.name,
        component=component,
        reason=reason,
        offered=offered,
        needed=_needed(graph, module, removed),
        users=tuple(_describe(edge) for edge in needed_by(graph, module)),
        weight={name: size for name, size in weights.items() if size},
        stubs=tuple(path.name for path in wheels if _holds_stub(path, module)),
        traced=_traced(profile, component, offered, reason),
        runs=tuple(f"{run.date}: {run.command}" for run in profile.trace.runs) if profile.trace else (),
    )


def _traced(profile: Profile, component: str | None, offered: str | None, reason: str) -> str:
    """What the traced runs of a profile showed of a component; empty where they say nothing of it."""
    if profile.trace is None:
        return ""
    if component:
        return reason.removeprefix(TRACED) if reason.startswith(TRACED) else ""
    return profile.trace.kept.get(offered or "", "")


def _describe(edge: Edge) -> str:
    return f"{edge.importer}:{edge.line} ({edge.kind})"


def _offered(context: Context, module: str) -> str | None:
    """The component by which a profile could take the module out."""
    for loaded in stack_recipes(context):
        for part in loaded.recipe.components:
            if any(covers(name, module) for name in part.modules):
                return f"{loaded.recipe.name}/{part.name}"
    return None


def _needed(graph: ImportGraph, module: str, removed: Mapping[str, str]) -> str | None:
    """How kept public modules get there: from other packages first, if need be guarded, then from its own."""
    package = module.partition(".")[0]
    kept = [
        name
        for name in sorted(graph.modules)
        if owner_of(name, removed) is None
        and not covers(module, name)
        and not any(part.startswith("_") for part in name.split("."))
    ]
    if chain := chain_to(graph, [name for name in kept if not covers(package, name)], module):
        return str(chain)
    for edge in needed_by(graph, module):
        if (
            edge.kind == "guarded"
            and not covers(package, edge.importer)
            and not owner_of(edge.importer, removed)
        ):
            return f"{edge.importer}:{edge.line} → {edge.target} ({edge.kind})"
    chain = chain_to(graph, [name for name in kept if covers(package, name)], module)
    return str(chain) if chain else None


def size_in(wheel: Path, module: str) -> int:
    """The bytes, unpacked, that a module and all below it take in a wheel."""
    stem = module.replace(".", "/")
    with zipfile.ZipFile(wheel) as archive:
        return sum(
            info.file_size
            for info in archive.infolist()
            if info.filename.startswith((f"{stem}/", f"{stem}."))
        )


def _size_of_all(wheel: Path, part: ComponentTable) -> int:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    stems = tuple(f"{module.replace('.', '/')}{end}" for module in part.modules for end in "/.")
    return sum(
        size
        for name, size in sizes.items()
        if name.startswith(stems) or any(fnmatch(name, glob) for glob in part.files)
    )


def _holds_stub(wheel: Path, module: str) -> bool:
    name = f"{module.replace('.', '/')}.py"
    with zipfile.ZipFile(wheel) as archive:
        return name in archive.namelist() and MARK.encode() in archive.read(name)
