"""Checks the removals of a profile: its components against the import graph of the stack.

The graph is made from the patched sources of every recipe, since a package can need another one's module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spokeshave import own_code
from spokeshave.context import Context
from spokeshave.errors import RemovalRefused
from spokeshave.inside.model import Target, bare_text, digest_of
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.schema import Profile
from spokeshave.recipes.select import (
    Chosen,
    chosen_components,
    patch_names,
    pick_version,
    removal_patch_names,
    source_pin,
)
from spokeshave.removal.graph import Breaks, Edge, ImportGraph, broken, build_graph
from spokeshave.removal.readers.package import PackageImports, package_from_json, read_package
from spokeshave.removal.readers.reader import parents
from spokeshave.sources import patches
from spokeshave.sources.archive import unpack
from spokeshave.sources.fetch import fetch_sdist

_SHOWN = 12
_IMPORTS = "imports.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """One package's source as a profile compiles it."""

    import_name: str
    source: dict[str, str]
    patches: tuple[tuple[str, str], ...]


def stack_recipes(context: Context) -> list[Loaded]:
    """All recipes of Python packages, in the order in which they can be built and verified."""
    loaded = {name: context.book.load(name) for name in context.book.names()}
    python = {name: one for name, one in loaded.items() if one.recipe.kind == "python"}
    done: dict[str, Loaded] = {}
    while len(done) < len(python):
        ready = [
            name
            for name, one in python.items()
            if name not in done and all(s in done or s not in python for s in one.recipe.verify.stack)
        ]
        for name in ready or sorted(set(python) - set(done)):
            done[name] = python[name]
    return list(done.values())


def import_graph(context: Context, profile: Profile, target: Target) -> ImportGraph:
    """The import graph of the whole stack as this profile compiles it; what was read is kept in the store."""
    recipes = stack_recipes(context)
    return graph_of(recipes, read_stack(context, recipes, profile, target))


def graph_of(recipes: Sequence[Loaded], stack: Sequence[PackageImports]) -> ImportGraph:
    """The import graph of what was read of the stack, with the modules that only its recipes name."""
    modules = {m for loaded in recipes for part in loaded.recipe.components for m in part.modules}
    return build_graph(stack, extra_modules=modules)


def read_stack(
    context: Context, recipes: Sequence[Loaded], profile: Profile, target: Target
) -> list[PackageImports]:
    """The imports in the stack's sources, as this profile compiles them; kept in the store."""
    return [_imports_of(context, _source(loaded, profile, target)) for loaded in recipes]


def _imports_of(context: Context, one: _Source) -> PackageImports:
    patches = [(name, bare_text(name, text)) for name, text in one.patches]
    key = digest_of([one.import_name, one.source, patches, own_code.code_digest("read")])
    entry = context.store.get("imports", key)
    if entry is None:
        sdist = fetch_sdist(context, one.source)
        with context.reporter.stage(f"reading the imports in the source of {one.import_name}"):
            text = json.dumps(_read(context, one, sdist).to_json())
        entry = context.store.put("imports", key, lambda new: _write(new / _IMPORTS, text))
    return package_from_json(json.loads((entry / _IMPORTS).read_text("utf-8")))


def _source(loaded: Loaded, profile: Profile, target: Target) -> _Source:
    version = pick_version(loaded.recipe, target.python_version)
    patches = (*patch_names(version), *removal_patch_names(chosen_components(loaded, profile)))
    return _Source(
        import_name=loaded.recipe.import_name,
        source=source_pin(version, target),
        patches=tuple((name, loaded.files[name]) for name in patches),
    )


def _read(context: Context, one: _Source, sdist: Path) -> PackageImports:
    with context.store.scratch() as work:
        tree = unpack(sdist, work)
        patches.apply_patches(tree, tuple((name, text.encode()) for name, text in one.patches))
        return read_package(tree, one.import_name)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def selected(context: Context, profile: Profile) -> dict[str, Chosen]:
    """Recipe name to the components that the profile removes, for the whole stack."""
    return {loaded.recipe.name: chosen_components(loaded, profile) for loaded in stack_recipes(context)}


def removed_modules(context: Context, profile: Profile) -> dict[str, str]:
    """Every module that the profile removes, to its component (`recipe/name`)."""
    return _modules(selected(context, profile))


def _modules(chosen: Mapping[str, Chosen]) -> dict[str, str]:
    return {
        module: f"{recipe}/{part.name}"
        for recipe, rows in chosen.items()
        for part, _ in rows
        for module in part.modules
    }


def find_breaks(
    context: Context, profile: Profile, graph: ImportGraph, extra: Sequence[Edge] = ()
) -> tuple[Breaks, dict[str, str]]:
    """What the profile's removals break, and `removed_modules`; `extra` are imports that no source shows."""
    return _breaks(selected(context, profile), profile, graph, extra)


def _breaks(
    chosen: Mapping[str, Chosen], profile: Profile, graph: ImportGraph, extra: Sequence[Edge] = ()
) -> tuple[Breaks, dict[str, str]]:
    removed = _modules(chosen)
    rows = [*profile.allow, *(row for parts in chosen.values() for part, _ in parts for row in part.allow)]
    allowed = [(row.importer, row.target) for row in rows]
    return broken(graph, frozenset(removed), extra, allowed), removed


def check_removals(context: Context, profile: Profile, target: Target) -> None:
    """Raises RemovalRefused, with the chains of imports, where kept code needs what the profile removes."""
    chosen = selected(context, profile)
    if not _modules(chosen):
        return  # at most files go, or what happens on an import: nothing that anyone could import
    found, removed = _breaks(chosen, profile, import_graph(context, profile, target))
    lines = [f"  {chain}   (component {owner_of(chain.target, removed)})" for chain in found.chains]
    lines += [f"  allow: nothing in {importer} imports {to}" for importer, to in found.stale]
    if lines:
        more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise RemovalRefused(
            f"profile {profile.name!r} removes what kept modules need:\n"
            + "\n".join([*lines[:_SHOWN], *more]),
            next_step="keep that component; or, where that code is not to run, say so with a reason "
            "under [[allow]] in the profile",
        )


def owner_of(module: str, removed: Mapping[str, str]) -> str | None:
    """The component that removes a module, or a package around it; or nothing."""
    around = [module, *reversed(parents(module))]
    return next((removed[name] for name in around if name in removed), None)
