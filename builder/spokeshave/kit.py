"""Lays out the work folder of a compile: `source/` to build, `kit/` with all that the build needs.

The same layout serves both engines; cibuildwheel copies it to /project in the container.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from spokeshave import project, sources, wheel
from spokeshave.archive import unpack
from spokeshave.errors import RecipeError
from spokeshave.fetch import Fetched
from spokeshave.model import Backend, BuildPlan

_COMPILE_CODE = ("project.py", "library.py", "backend/*")
_PREBUILT_CODE = ("prebuilt.py", "elf.py", "wheel.py", "backend/library_init.py")
_FINISH_CODE = ("finish.py", "components.py", "model.py", "run.py", "wheel.py", "levers/*.py")
_INSIDE_CODE = (
    *("__init__.py", "model.py", "run.py", "library.py", "finish.py", "components.py", "wheel.py"),
    *("levers/*.py", "prove/*.py"),
)


def package_root() -> Path:
    """The folder of the installed `spokeshave` package."""
    return Path(str(resources.files("spokeshave")))


def code_digests(backend: Backend) -> dict[str, str]:
    """The sha256 of our own code that decides a wheel's bytes: `compile` and `finish`."""
    compiling = _PREBUILT_CODE if backend == "prebuilt" else _COMPILE_CODE
    return {"compile": _code_digest(compiling), "finish": _code_digest(_FINISH_CODE)}


def judge_digest() -> str:
    """The sha256 of our own code that judges results."""
    judging = ("compare.py", "inspect_wheel.py", "elf.py", "places.py", "trial.py", "verify.py", "wheel.py")
    return _code_digest((*judging, "levers/base.py"))


def closure_digest() -> str:
    """The sha256 of our own code that reads imports."""
    return _code_digest(("closure.py", "imports/*.py"))


def prove_digest() -> str:
    """The sha256 of our own code that runs the tests."""
    return _code_digest(("prove/*.py",))


def _code_digest(globs: tuple[str, ...]) -> str:
    root = package_root()
    digest = hashlib.sha256()
    for path in sorted(p for glob in globs for p in root.glob(glob) if p.is_file()):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def prepare(plan: BuildPlan, fetched: Fetched, libraries: tuple[Path, ...], work: Path) -> Path:
    """Fills `work` with kit/ and, where something is compiled, source/; returns it.

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
    copy_code(kit / "code")
    project.write_launchers(plan, kit)
    return work


def _prepare_source(plan: BuildPlan, fetched: Fetched, work: Path) -> None:
    """The source as it is compiled, and the licences that are in it."""
    tree = unpack(fetched.source, work / "unpacked")
    sources.apply_patches(tree, [(name, plan.compile.files[name].encode()) for name in plan.patches])
    sources.take_out_lines(tree, [(edit.file, edit.line) for edit in plan.compile.edits])
    _copy_licenses(plan, tree, fetched.license_sdists, work / "kit" / "licenses")
    if plan.compile.backend == "make":
        project.write_library_project(plan, tree, work / "source")
    else:
        shutil.move(tree, work / "source")
    shutil.rmtree(work / "unpacked")


def copy_code(folder: Path) -> None:
    """Copies the part of spokeshave that runs inside containers, as package `spokeshave`."""
    root = package_root()
    for path in sorted(p for glob in _INSIDE_CODE for p in root.glob(glob)):
        target = folder / "spokeshave" / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


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
                f"recipe {plan.recipe}: bundled {part.name}: {part.license_file} is not in the source"
            )
        shutil.copyfile(source, folder / part.name)
        shutil.rmtree(folder / "sdist", ignore_errors=True)
