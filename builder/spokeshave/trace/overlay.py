"""A copy of an install's packages without some components: as their wheels are, but for compiled code."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from spokeshave.build.plan import make_plan
from spokeshave.context import Context
from spokeshave.errors import PatchError
from spokeshave.inside import stubs
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan, Environment, Removed, Target
from spokeshave.inside.stub_message import MARK
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.schema import ComponentTable, Profile
from spokeshave.recipes.select import (
    chosen_components,
    library_names,
    pick_version,
    removal_patch_names,
)
from spokeshave.removal.check import stack_recipes
from spokeshave.sources.patches import apply_patches

_NOWHERE = Environment(engine="host", image="", image_digest="")
_TOOL = {"compile": "", "finish": ""}
_NEW_FILE = b"--- /dev/null"
_SECTION = re.compile(rb"^--- (?P<old>\S+).*\n\+\+\+ (?P<new>\S+).*\n(?=@@ )", re.MULTILINE)
_RAISING = re.compile(r"\b(raise|return) (ModuleNotFoundError|AttributeError|ImportError)\(")
_REPORTER = "_spokeshave_told"
_TEXT = f'''"""Lets the recorder hear of each message of a stub, also of those that nobody shows."""

import builtins
import sys


def __getattr__(name):
    made = getattr(builtins, name)

    def fault(*args, **more):
        if args and {MARK!r} in str(args[0]):
            sys.audit("spokeshave.stub", str(args[0]))
        return made(*args, **more)

    return fault
'''


def needs_a_build(part: ComponentTable) -> bool:
    """Whether only a build shows the effect of the removal, because kept compiled code changes with it."""
    return bool(part.variants) or part.needed_by_pypi


def lay_over(
    context: Context, profile: Profile, target: Target, roots: Mapping[str, Path], site: Path
) -> None:
    """Makes a folder for `sys.path` with the packages in `roots`, without the profile's removals.

    Files are hard links where the disk allows that, and none of the install's own is written to. Raises
    PatchError where the install's Python files are not those that the recipe's patches are for, or lack a
    module of a component.
    """
    site.mkdir(parents=True)
    (site / f"{_REPORTER}.py").write_text(_TEXT, "utf-8")
    for loaded in stack_recipes(context):
        if root := roots.get(loaded.recipe.import_name):
            for folder in _folders(loaded, root):
                shutil.copytree(folder, site / folder.name, symlinks=True, copy_function=_link)
            _remove(context, loaded, profile, target, site)


def _folders(loaded: Loaded, root: Path) -> Iterator[Path]:
    """The package's folder, and that of its vendored libraries, which ext modules find by a relative path."""
    yield root
    names = {loaded.recipe.import_name, loaded.recipe.distribution.replace("-", "_")}
    yield from (folder for name in sorted(names) if (folder := root.parent / f"{name}.libs").is_dir())


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        return str(shutil.copy2(source, target))
    return target


def _remove(context: Context, loaded: Loaded, profile: Profile, target: Target, site: Path) -> None:
    plan = _plan(context, loaded.recipe.name, profile, target)
    changed = _patch(loaded, profile, target, site)
    tree = Tree(root=site, tests=site / f"{_REPORTER}.tests")
    for removed in (_there(row, site) for row in plan.removed):
        if removed.modules or removed.files:
            try:
                stubs.remove(plan, removed, tree)
            except ValueError as fault:
                raise PatchError(
                    f"the traced {plan.distribution} differs from the recipe's: {fault}"
                ) from fault
        changed += _stubs(removed, site)
    for path in changed:
        if path.is_file():  # else it went with its component
            _let_report(path)


def _there(removed: Removed, site: Path) -> Removed:
    """The component less modules that this install lacks, such as numpy.distutils from Python 3.12 on."""
    paths = {module: site.joinpath(*module.split(".")) for module in removed.modules}
    there = tuple(m for m, at in paths.items() if at.is_dir() or any(at.parent.glob(f"{at.name}.*")))
    return replace(removed, modules=there, late=tuple(m for m in removed.late if m in there))


def _plan(context: Context, recipe: str, profile: Profile, target: Target) -> BuildPlan:
    """A plan that nobody builds: stubs take their messages from one."""
    loaded = context.book.load(recipe)
    libraries = tuple(_plan(context, name, profile, target) for name in library_names(loaded.recipe, profile))
    return make_plan(loaded, profile, target, _NOWHERE, tool=_TOOL, libraries=libraries)


def _patch(loaded: Loaded, profile: Profile, target: Target, site: Path) -> list[Path]:
    """Applies the components' patches; the files that they change.

    The version's own patches come first, as in a build, where they touch the same files; a wheel of ours has
    them already.
    """
    version = pick_version(loaded.recipe, target.python_version)
    own = removal_patch_names(chosen_components(loaded, profile))
    texts = {name: loaded.files[name].encode() for name in (*version.patches, *own)}
    added = {file for name in version.patches for file in _added(texts[name])}
    parts = {name: list(_python_parts(text, site, added)) for name, text in texts.items()}
    files = {file for name in own for file, _ in parts[name]}
    before = [(name, part) for name in version.patches for file, part in parts[name] if file in files]
    after = [(name, part) for name in own for _, part in parts[name]]
    try:
        apply_patches(site, [*before, *after])
    except PatchError:
        if not before:
            raise
        apply_patches(site, after)
    return [site / file for file in sorted(files)]


def _python_parts(patch: bytes, site: Path, added: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
    """The parts of a patch that change Python files of the install, or add one to a package there.

    `added` are the files that patches of the version add; a removal patch may change them.
    """
    for name, part in _sections(patch):
        new = name in added or name in _added(part)
        there = (site / name).is_file() or (new and (site / name).parent.is_dir())
        if name.endswith(".py") and there:
            yield name, part


def _added(patch: bytes) -> set[str]:
    return {name for name, part in _sections(patch) if part.startswith(_NEW_FILE)}


def _sections(patch: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of a unified diff, one a file, each with the file's name below the source."""
    starts = [*_SECTION.finditer(patch)]
    ends = [*(found.start() for found in starts[1:]), len(patch)]
    for found, end in zip(starts, ends, strict=True):
        side = found["old"] if found["new"] == b"/dev/null" else found["new"]
        yield os.fsdecode(side).partition("/")[2], patch[found.start() : end]


def _stubs(removed: Removed, site: Path) -> list[Path]:
    paths = (site.joinpath(*module.split(".")) for module in removed.modules)
    return [stub for path in paths if (stub := path.with_name(f"{path.name}.py")).is_file()]


def _let_report(path: Path) -> None:
    """Has a patched file or a stub raise its messages through the module that reports to the recorder."""
    text = _RAISING.sub(rf'\1 __import__("{_REPORTER}").\2(', path.read_text("utf-8"))
    path.unlink()  # it may be a link to the install's own
    path.write_text(text, "utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def without(profile: Profile, names: Iterable[str]) -> Profile:
    """The profile less its removals of other components than these (`recipe/name`)."""
    kept = set(names)
    rows = tuple(row for row in profile.remove if row.component in kept)
    return profile.model_copy(update={"remove": rows})
