"""From inputs to PyPI's wheels for the target, which need not be the machine that this runs on."""

from __future__ import annotations

import platform
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from packaging.markers import Environment
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from spokeshave.context import Context
from spokeshave.errors import EngineMissing, HashMismatch, UsageFault
from spokeshave.inside.model import Target
from spokeshave.inside.run import Command
from spokeshave.shrink.inputs import Inputs, pinned_hashes, read_environment, read_inputs
from spokeshave.shrink.model import Left, Pick, Resolved, ShrinkRequest
from spokeshave.shrink.pip_report import resolve_with_pip
from spokeshave.shrink.uv_tool import Uv, find_uv, glibc_tag
from spokeshave.slim.arguments import target_environment

_OLD_NAMES = {17: "2014", 12: "2010", 5: "1"}  # PEP 600: glibc 2.N of manylinuxYEAR
Source = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist


def resolve(context: Context, request: ShrinkRequest, scratch: Path) -> Resolved:
    """The wheels that an install of the inputs takes on the target, sorted by project.

    Raises UsageFault where there is no solution, HashMismatch where a pinned file is not offered, and
    EngineMissing where the tool that owns a format is not on this machine.
    """
    inputs = read_inputs(request.inputs)
    uv = None if request.resolver == "pip" else find_uv(context, request.target)
    if request.resolver == "uv" and uv is None:
        raise EngineMissing(
            "uv is not on PATH", next_step="install it (`pip install uv`), or omit --resolver uv"
        )
    if inputs.kind == "pylock.toml":
        return _from_lock(inputs.path, request, inputs.path.parent, by="pylock.toml")
    if inputs.kind == "uv.lock":
        if uv is None:
            raise EngineMissing("uv.lock is read by uv, which is not on PATH", next_step="`pip install uv`")
        lock = uv.export(inputs.path, scratch, extras=request.extras, groups=request.groups)
        plain = replace(request, extras=(), groups=())  # uv has applied them
        return _from_lock(lock, plain, scratch, by=f"{uv.version()} export")
    left: tuple[Left, ...] = ()
    deps = inputs.kind in ("requirements", "pyproject.toml")
    if inputs.kind == "environment":
        inputs, left = _installed(context, inputs, scratch)
    elif inputs.kind == "poetry.lock":
        inputs = _poetry_export(context, request, inputs.path, scratch)
    found = _resolved(context, request, inputs, scratch, uv, deps=deps)
    return replace(found, left=tuple(sorted((*found.left, *left), key=lambda one: one.project)))


def _resolved(
    context: Context, request: ShrinkRequest, inputs: Inputs, scratch: Path, uv: Uv | None, *, deps: bool
) -> Resolved:
    if uv is None:
        _refuse_foreign(request.target)
        return resolve_with_pip(context, request, inputs, scratch, deps=deps)
    lock = uv.compile(inputs, scratch, extras=request.extras, groups=request.groups, deps=deps)
    plain = replace(request, extras=(), groups=())  # uv has applied them
    return _from_lock(lock, plain, scratch, by=uv.version(), hashes=pinned_hashes(inputs.paths))


def _refuse_foreign(target: Target) -> None:
    """pip evaluates markers for the machine that it runs on: for others it would pick wrong packages."""
    if target.arch != platform.machine():
        raise EngineMissing(
            f"pip resolves for this machine's {platform.machine()} alone, and the target is {target.arch}",
            next_step="install uv (`pip install uv`), which resolves for any target",
        )


def _installed(context: Context, inputs: Inputs, scratch: Path) -> tuple[Inputs, tuple[Left, ...]]:
    found = read_environment(inputs.path, (*context.book.profile_names(), "slim"))
    path = scratch / "installed.txt"
    path.write_text("".join(f"{pin}\n" for pin in found.pins), "utf-8")
    left = tuple(Left(project=canonicalize_name(name), version=v, why=why) for name, v, why in found.left)
    return Inputs(kind="requirements", paths=(path,)), left


def _poetry_export(context: Context, request: ShrinkRequest, path: Path, scratch: Path) -> Inputs:
    """poetry.lock as requirements with hashes, written by poetry's plugin."""
    program = shutil.which("poetry", path=context.environ.get("PATH", ""))
    if program is None:
        raise EngineMissing(
            "poetry.lock is read by poetry, which is not on PATH",
            next_step="install it (`pipx install poetry`, `pipx inject poetry poetry-plugin-export`),"
            " or give the output of `poetry export`",
        )
    output, log = scratch / "poetry.txt", context.logs / "shrink-poetry.log"
    options = [
        *("--format", "requirements.txt", "--directory", str(path.parent), "--output", str(output)),
        *(word for name in request.extras for word in ("--extras", name)),
        *(word for name in request.groups for word in ("--with", name)),
    ]
    done = context.runner(Command(argv=(program, "export", *options), env=context.environ, log=log))
    if not done.ok or not output.is_file():
        lines = "\n  ".join(done.output.strip().splitlines()[-4:])
        raise EngineMissing(
            f"poetry cannot export {path}:\n  {lines}",
            next_step="install its plugin: `pipx inject poetry poetry-plugin-export`",
            log=log,
        )
    return Inputs(kind="requirements", paths=(output,))


def _from_lock(
    path: Path, request: ShrinkRequest, folder: Path, *, by: str, hashes: frozenset[str] = frozenset()
) -> Resolved:
    """What a pylock.toml installs on the target; with `hashes`, files with another sha256 are not taken."""
    lock = read_lock(path)
    if hashes:
        lock = replace(lock, packages=[_only_pinned(package, hashes) for package in lock.packages])
    environment = cast("Environment", target_environment(request.target))
    picks: list[Pick] = []
    left: list[Left] = []
    try:
        chosen = list(
            lock.select(
                environment=environment,
                tags=list(target_tags(request.target)),
                extras=request.extras,
                dependency_groups=request.groups or None,
            )
        )
    except PylockSelectError as fault:
        raise UsageFault(
            f"{path.name} has no wheels for {request.target.identifier}: {fault}",
            next_step="name another Python with --python, or lock for that target too",
        ) from fault
    for package, source in chosen:
        one = _pick(package, source, folder)
        if isinstance(one, Pick):
            picks.append(one)
        else:
            left.append(one)
    return Resolved(
        picks=tuple(sorted(picks, key=lambda pick: pick.project)),
        left=tuple(sorted(left, key=lambda one: one.project)),
        by=by,
    )


def read_lock(path: Path) -> Pylock:
    """A pylock.toml; raises UsageFault where it is not one."""
    try:
        return Pylock.from_dict(tomllib.loads(path.read_text("utf-8")))
    except (
        tomllib.TOMLDecodeError,
        UnicodeDecodeError,
        PylockValidationError,
        PylockUnsupportedVersionError,
    ) as fault:
        raise UsageFault(
            f"{path} is not a lock of PEP 751: {fault}", next_step="write it anew with the tool that made it"
        ) from fault


def _only_pinned(package: Package, hashes: frozenset[str]) -> Package:
    """The package with the wheels that the requirements pin; raises HashMismatch where none is."""
    if not package.wheels:
        return package
    kept = [wheel for wheel in package.wheels if wheel.hashes.get("sha256") in hashes]
    if not kept:
        offered = ", ".join(f"{one.filename} (sha256 {one.hashes.get('sha256')})" for one in package.wheels)
        raise HashMismatch(
            f"no wheel of {package.name} {package.version} for this target has a pinned sha256;"
            f" the index offers {offered}",
            next_step="pin the wheel of this target too, or name the target that is pinned with --python"
            " and --arch; if the file itself changed, do not trust this index",
        )
    return replace(package, wheels=kept)


def _pick(package: Package, source: Source, folder: Path) -> Pick | Left:
    version = str(package.version or "")
    if isinstance(source, PackageVcs | PackageDirectory | PackageSdist):
        why = {PackageVcs: "from a repository", PackageDirectory: "a folder", PackageSdist: "an sdist alone"}
        return Left(project=package.name, version=version, why=f"{why[type(source)]}: there is no wheel")
    path, url = source.path, source.url or ""
    filename = getattr(source, "filename", "") or (path or url).rpartition("/")[2]
    try:
        _, known, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return Left(project=package.name, version=version, why=f"{filename} is not a wheel")
    if "sha256" not in source.hashes:
        return Left(project=package.name, version=version, why="the lock has no sha256 of it")
    return Pick(
        project=package.name,
        version=known,
        filename=filename,
        sha256=source.hashes["sha256"],
        url=url,
        path=folder / path if path else None,
    )


def target_tags(target: Target) -> Iterator[Tag]:
    """The tags of wheels that the target can install, best first."""
    version = (int(target.python[2]), int(target.python[3:].rstrip("t")))
    newest = int(glibc_tag(target).rpartition("_")[2])
    platforms = []
    for minor in range(newest, 4, -1):
        platforms.append(f"manylinux_2_{minor}_{target.arch}")
        platforms += [f"manylinux{_OLD_NAMES[minor]}_{target.arch}"] if minor in _OLD_NAMES else []
    platforms.append(f"linux_{target.arch}")
    yield from cpython_tags(version, abis=[target.python], platforms=platforms)
    yield from compatible_tags(version, interpreter=target.python.rstrip("t"), platforms=platforms)
