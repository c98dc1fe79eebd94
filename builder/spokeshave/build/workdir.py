"""Lays out the work folder of a compile: `source/` to build, `kit/` with all that the build needs.

The same layout serves both engines; cibuildwheel copies it to /project in the container.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from spokeshave.build import project
from spokeshave.errors import RecipeError
from spokeshave.inside import wheel
from spokeshave.inside.model import BuildPlan
from spokeshave.own_code import copy_inside
from spokeshave.sources import patches
from spokeshave.sources.archive import unpack
from spokeshave.sources.fetch import Fetched


def prepare(plan: BuildPlan, fetched: Fetched, libraries: tuple[Path, ...], work: Path) -> Path:
    """Fills `work` with `kit/` and, where something is compiled, `source/`; returns it.

    Raises UnsafeArchive, PatchError, or RecipeError where a bundled licence is not in the source.
    """
    kit = work / "kit"
    kit.mkdir()
    if plan.compile.backend != "prebuilt":  # prebuilt.py takes what it needs, licences too
        _prepare_source(plan, fetched, work)
    (kit / "plan.json").write_text(json.dumps(plan.to_json(), indent=1, sort_keys=True), "utf-8")
    (kit / "requirements.txt").write_text(plan.compile.requirements, "utf-8")
    _copy_all(fetched.requirements, kit / "wheels")
    for library in libraries:
        wheel.unpack(library, kit / "libraries" / wheel.parse_name(library.name).distribution)
    copy_inside(kit / "code")
    project.write_launchers(plan, kit)
    return work


def _prepare_source(plan: BuildPlan, fetched: Fetched, work: Path) -> None:
    """The source as it is compiled, and the licences that are in it."""
    tree = unpack(fetched.source, work / "unpacked")
    patches.apply_patches(tree, [(name, plan.compile.files[name].encode()) for name in plan.patches])
    patches.take_out_lines(tree, [(edit.file, edit.line) for edit in plan.compile.edits])
    _copy_licenses(plan, tree, fetched.license_sdists, work / "kit" / "licenses")
    if plan.compile.backend == "make":
        project.write_library_project(plan, tree, work / "source")
    else:
        shutil.move(tree, work / "source")
    shutil.rmtree(work / "unpacked")


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
