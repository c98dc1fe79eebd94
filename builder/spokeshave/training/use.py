"""Which bundle a build is trained with, and how it gets there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from spokeshave.model import BuildPlan
from spokeshave.recipes import Loaded
from spokeshave.training.bundle import REACHED, names_in_bundle, read_manifest, unpack_bundle
from spokeshave.training.plans import FOLDER, HEADER, bundle_of, fitting, is_instrumented, trained

# ccache keeps no object compiled with -fprofile-use=FOLDER unless it finds counters there, to tell trainings
# apart: gcc's it seeks under names that objects in subfolders do not have, clang's under this one. (What is
# compiled with -fprofile-partial-training it never keeps: that is an option that it does not know.)
_FOR_CCACHE = "default.profdata"


def choose(
    loaded: Loaded, plan: BuildPlan, say: Callable[[str], None], *, anywhere: bool = False
) -> BuildPlan:
    """The trained plan where a bundle of the recipe fits, else the plan as it is; says which.

    Raises RecipeError for a bundle that is missing or not the pinned one.
    """
    table = loaded.recipe.training
    if table is None:
        return plan
    manifests = {row.file: read_manifest(loaded.folder / row.file, row.sha256) for row in table.bundles}
    label = f"{plan.distribution} {plan.local_version}"
    bundle = fitting(plan, loaded.recipe, table, manifests, anywhere=anywhere)
    if bundle is None:
        why = "no bundle fits its sources, flags and build image" if manifests else "its recipe has no bundle"
        say(f"{label}: not trained: {why} (spokeshave train)")
        return plan
    found = manifests[bundle.file]
    say(f"{label}: trained with {bundle.file} ({found.ran:,} of {found.functions:,} functions)")
    counted = names_in_bundle(loaded.folder / bundle.file, bundle.sha256) if table.level else ()
    return trained(plan, loaded.recipe, table, bundle, counted)


def provide(loaded: Loaded, plan: BuildPlan, kit: Path) -> None:
    """Puts what such a compile reads into its kit: the counters of a bundle, or a header."""
    if is_instrumented(plan):
        (kit / FOLDER).mkdir()
        shutil.copyfile(Path(__file__).with_name(HEADER), kit / FOLDER / HEADER)
    bundle = bundle_of(plan, loaded.recipe.training)
    if bundle:
        unpack_bundle(loaded.folder / bundle.file, bundle.sha256, kit / FOLDER)
        for folder in (kit / FOLDER, kit / FOLDER / REACHED):
            if folder.is_dir():
                (folder / _FOR_CCACHE).write_text(bundle.sha256, "utf-8")
