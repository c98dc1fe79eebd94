"""Which PGO profile a build uses, and how its files reach the build context."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from spokeshave.build.pgo.bundle import REACHED, names_in_bundle, read_manifest, unpack_bundle
from spokeshave.build.pgo.fit import fitting
from spokeshave.build.pgo.plans import FOLDER, HEADER, bundle_of, is_instrumented, trained
from spokeshave.inside.model import BuildPlan
from spokeshave.recipes.book import Loaded

# ccache keeps no object compiled with -fprofile-use=FOLDER unless it finds profile data there, to distinguish
# apart: gcc's it seeks under names that objects in subfolders do not have, clang's under this one. (What is
# compiled with -fprofile-partial-training it never keeps: that is an option that it does not know.)
_FOR_CCACHE = "default.profdata"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Plans with their PGO profiles, in build order; `notes` says by recipe which one it has, or why none."""

    plans: tuple[BuildPlan, ...]
    notes: Mapping[str, str]


def choose_all(load: Callable[[str], Loaded], plans: Iterable[BuildPlan]) -> Choice:
    """Gives each plan the PGO profile that fits it, libraries before the packages that link them.

    A package is compiled anew where a library that it links is, so that it takes the library's new key.
    Raises RecipeError for a PGO profile that is missing or not the pinned one.
    """
    done: dict[str, BuildPlan] = {}
    notes: dict[str, str] = {}
    for plan in plans:
        keys = {name: done[name].compile_key for name in plan.compile.libraries}
        linked = replace(plan, compile=replace(plan.compile, libraries=keys))
        done[plan.distribution], note = choose(load(plan.recipe), linked)
        if note:
            notes[plan.recipe] = note
    return Choice(plans=tuple(done.values()), notes=notes)


def choose(loaded: Loaded, plan: BuildPlan, *, anywhere: bool = False) -> tuple[BuildPlan, str]:
    """The plan with the PGO profile of the recipe that fits it, else as it is; and a line that says which.

    The line is empty where the recipe is never compiled with profile data.
    Raises RecipeError for a PGO profile that is missing or not the pinned one.
    """
    table = loaded.recipe.training
    if table is None:
        return plan, ""
    manifests = {row.file: read_manifest(loaded.folder / row.file, row.sha256) for row in table.bundles}
    label = f"{plan.distribution} {plan.local_version}"
    bundle = fitting(plan, table, manifests, anywhere=anywhere)
    if bundle is None:
        why = "none fits its sources, flags and release of gcc" if manifests else "its recipe has none"
        return plan, f"{label}: without a PGO profile: {why} (spokeshave train)"
    found = manifests[bundle.file]
    counted = names_in_bundle(loaded.folder / bundle.file, bundle.sha256) if table.level else ()
    note = f"{label}: with the PGO profile {bundle.file} ({found.ran:,} of {found.functions:,} functions)"
    return trained(plan, loaded.recipe, table, bundle, counted), note


def provide(loaded: Loaded, plan: BuildPlan, kit: Path) -> None:
    """Puts what such a compile reads into its build context: the profile data, or a header."""
    if is_instrumented(plan):
        (kit / FOLDER).mkdir()
        shutil.copyfile(Path(__file__).with_name(HEADER), kit / FOLDER / HEADER)
    bundle = bundle_of(plan, loaded.recipe.training)
    if bundle:
        unpack_bundle(loaded.folder / bundle.file, bundle.sha256, kit / FOLDER)
        for folder in (kit / FOLDER, kit / FOLDER / REACHED):
            if folder.is_dir():
                (folder / _FOR_CCACHE).write_text(bundle.sha256, "utf-8")
