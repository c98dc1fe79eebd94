"""Lays out the work folder of a compile or finish step: `kit/` with all that it needs, `source/` to compile.

The same layout serves both engines; cibuildwheel copies it to /project in the container.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from spokeshave.build import project
from spokeshave.errors import PatchError, RecipeError
from spokeshave.inside import wheel
from spokeshave.inside.library import ARCHIVES
from spokeshave.inside.model import BuildPlan
from spokeshave.own_code import copy_inside
from spokeshave.sources import patches
from spokeshave.sources.archive import unpack
from spokeshave.sources.fetch import Fetched


def prepare(plan: BuildPlan, fetched: Fetched, libraries: tuple[Path, ...], work: Path) -> None:
    """Fills `work` with `kit/` and `source/` for a compile that links these compiled libraries.

    Raises UnsafeArchive, PatchError, or RecipeError where a bundled licence is not in the source.
    """
    kit = _make_kit(plan, work)
    tree = _source(plan, fetched, work)
    _copy_licenses(plan, tree, fetched.license_sdists, kit / "licenses")  # a missing one is an error now
    if plan.compile.backend == "make":
        project.write_library_project(plan, tree, work / "source")
    else:
        shutil.move(tree, work / "source")
    shutil.rmtree(work / "unpacked")
    (kit / "requirements.txt").write_text(plan.compile.requirements, "utf-8")
    _copy_all(fetched.requirements, kit / "wheels")
    for library in libraries:
        folder = wheel.unpack(library, kit / "libraries" / wheel.parse_name(library.name).distribution)
        for archives in folder.glob(f"*/{ARCHIVES}"):  # for the finish step; nothing links them
            shutil.rmtree(archives)
    project.write_launchers(plan, kit)


def prepare_finish(plan: BuildPlan, fetched: Fetched, work: Path) -> None:
    """Fills `work` with `kit/` for the finish step: plan, code, launchers, and the licences in the source.

    Raises UnsafeArchive, or RecipeError where a bundled licence is not in the source.
    """
    kit = _make_kit(plan, work)
    project.write_launchers(plan, kit)
    if plan.compile.backend == "prebuilt":  # prebuilt.py takes what it needs, licences too
        return
    tree = _source(plan, fetched, work)
    _copy_licenses(plan, tree, fetched.license_sdists, kit / "licenses")
    shutil.rmtree(work / "unpacked")


def with_removal_patches(plan: BuildPlan, raw: Path, work: Path) -> Path:
    """The compiled wheel with the patches that removals need; it is the same one where there are none.

    Raises PatchError where a patch does not fit the wheel's files.
    """
    if not plan.removal_patches:
        return raw
    tree = wheel.unpack(raw, work / "patched")
    try:
        patches.apply_patches(tree, [(name, text.encode()) for name, text in plan.removal_patches.items()])
    except PatchError as fault:
        fault.next_step = (
            "make it anew against the files of the compiled wheel, which have the version's patches"
        )
        raise
    return wheel.pack(tree, work / "patched-wheel", wheel.parse_name(raw.name))


def _make_kit(plan: BuildPlan, work: Path) -> Path:
    kit = work / "kit"
    kit.mkdir()
    (kit / "plan.json").write_text(json.dumps(plan.to_json(), indent=1, sort_keys=True), "utf-8")
    copy_inside(kit / "code")
    return kit


def _source(plan: BuildPlan, fetched: Fetched, work: Path) -> Path:
    tree = unpack(fetched.source, work / "unpacked")
    patches.apply_patches(tree, [(name, plan.compile.files[name].encode()) for name in plan.patches])
    return tree


def _copy_all(files: tuple[Path, ...], folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)


def _copy_licenses(plan: BuildPlan, tree: Path, sdists: Mapping[str, Path], folder: Path) -> None:
    folder.mkdir()
    for part in plan.bundled:
        home = tree
        if part.license_source:
            home = unpack(sdists[part.license_source["sha256"]], folder / "sdist")
        source = home / part.license_file
        if not source.is_file():
            raise RecipeError(
                f"recipe {plan.recipe}: bundled {part.name}: {part.license_file} is not in the source",
                next_step="under [[bundled]], give license-file as a path below the unpacked source",
            )
        shutil.copyfile(source, folder / part.name)
        shutil.rmtree(folder / "sdist", ignore_errors=True)
