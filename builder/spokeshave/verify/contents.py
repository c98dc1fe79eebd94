"""Checks of a wheel's content that need no installation: every fault is listed, not only the first."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from spokeshave.build.elf import ElfFacts, elf_files
from spokeshave.errors import WheelError
from spokeshave.inside.levers.lever import fits
from spokeshave.inside.levers.test_stubs import stub_text
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.run import Command, Runner
from spokeshave.inside.wheel import DAMAGE, MalformedWheel, parse_name, record_faults
from spokeshave.recipes.schema import Recipe

_REACH = "manylinux_2_28_x86_64"
_OLDER = ("manylinux1_", "manylinux2010_", "manylinux2014_")  # aliases of tags that reach further
# Python's own, and what libc has had under this name since glibc 2.34 and libdl before.
_ELSEWHERE = ("Py", "_Py", "dladdr")
# What no wheel may need unless its plan says so.
_FORBIDDEN_LIBRARIES = ("libgfortran*", "libquadmath*", "libopenblas64*", "libscipy_openblas*")


def inspect(
    path: Path, recipe: Recipe, plan: BuildPlan, companions: tuple[Path, ...], runner: Runner
) -> list[str]:
    """All faults of a wheel: RECORD, content, licences, libraries, symbols, platform tag.

    `companions` are the wheels it is installed with. Raises WheelError where it is no wheel at all.
    """
    try:
        name = parse_name(path.name)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            stubs = frozenset(_test_stubs(archive, plan))
            faults = record_faults(archive)
            metadata = archive.read(f"{name.dist_info}/METADATA").decode()
    except (MalformedWheel, KeyError, *DAMAGE) as fault:
        raise WheelError(
            f"{path} is not a well-formed wheel: {fault}", next_step="build it again, or copy it again"
        ) from fault
    faults += _content_faults([name for name in names if name not in stubs], recipe, plan)
    faults += [
        f"METADATA does not require {library}=={version}"
        for library, version in plan.libraries.items()
        if f"Requires-Dist: {library}=={version}\n" not in metadata + "\n"
    ]
    faults += library_faults(list(elf_files(path)), plan, companions)
    faults += _platform_faults(path, name.platform, plan, runner)
    return faults


def _test_stubs(archive: zipfile.ZipFile, plan: BuildPlan) -> Iterator[str]:
    """The stub modules of test modules."""
    text = stub_text(plan.import_name).encode()
    for info in archive.infolist():
        if info.filename.endswith(".py") and info.file_size == len(text) and archive.read(info) == text:
            yield info.filename


def _content_faults(names: list[str], recipe: Recipe, plan: BuildPlan) -> list[str]:
    verify = recipe.verify
    removed = _removed_globs(plan)
    faults = [
        f"no file fits {glob!r}"
        for glob in verify.present
        if not fits(glob, removed) and not _any(names, glob)
    ]
    faults += [
        f"{name} must not be there ({glob!r})"
        for glob in verify.absent
        for name in names
        if fits(name, (glob,))
    ]
    faults += [
        f"the licence of bundled {part.name} ({part.license}) is missing"
        for part in plan.bundled
        if not _any(names, f"*.dist-info/licenses/{part.name}/*")
        and (part.license_source or not _any(names, f"*.dist-info/licenses/{part.license_file}"))
    ]
    for glob in ("*.dist-info/sboms/*.cdx.json", "*.dist-info/licenses/*"):
        if (plan.bundled or "sboms" in glob) and not _any(names, glob):
            faults.append(f"no file fits {glob!r}")
    return faults


def _removed_globs(plan: BuildPlan) -> list[str]:
    """Globs of the files that are removed with components."""
    modules = [module.replace(".", "/") for part in plan.removed for module in part.modules]
    return [
        *(f"{module}{rest}" for module in modules for rest in ("/*", ".*")),
        *(glob for part in plan.removed for glob in part.files),
    ]


def _any(names: list[str], glob: str) -> bool:
    return any(fits(name, (glob,)) for name in names)


def library_faults(elves: list[ElfFacts], plan: BuildPlan, companions: tuple[Path, ...]) -> list[str]:
    """The faults of a wheel's compiled files: libraries, run paths, symbol tables, calls of no library."""
    offered = {elf.name.rsplit("/", 1)[-1]: elf.exports for path in companions for elf in elf_files(path)}
    offered |= {elf.name.rsplit("/", 1)[-1]: elf.exports for elf in elves}
    planned = {*plan.sonames, *_carried(plan)}
    faults = []
    for elf in elves:
        for needed in elf.needed:
            if fits(needed, _FORBIDDEN_LIBRARIES) and needed not in planned:
                faults.append(f"{elf.name} needs {needed}")
            if needed in plan.sonames and "$ORIGIN" not in elf.runpath:
                faults.append(f"{elf.name} needs {needed} but has no run path relative to itself")
        if any(part.startswith("/") for part in elf.runpath.split(":")):
            faults.append(f"{elf.name} has an absolute run path: {elf.runpath}")
        if ".symtab" in elf.sections:
            faults.append(f"{elf.name} still has its symbol table")
        linked = [offered[soname] for soname in elf.needed if soname in offered]
        wanted = {s for s in elf.unversioned if not s.startswith(_ELSEWHERE)} - elf.exports
        faults += [
            f"{elf.name} calls {symbol}, which no library it needs exports"
            for symbol in sorted(wanted)
            if not any(symbol in exports for exports in linked)
        ]
    return faults


def _carried(plan: BuildPlan) -> tuple[str, ...]:
    """The libraries that a prebuilt one needs and brings along, by file name."""
    library = plan.compile.settings.get("library") or {}
    return tuple(library.get("carries", ()))


def _platform_faults(path: Path, platform: str, plan: BuildPlan, runner: Runner) -> list[str]:
    """Whether auditwheel, asked anew, agrees with the tag; and that Docker builds reach manylinux_2_28."""
    import sys  # noqa: PLC0415

    done = runner(Command(argv=(sys.executable, "-m", "auditwheel", "show", "--json", str(path))))
    if not done.ok:
        return [f"auditwheel cannot read the wheel: {done.output.splitlines()[-1:]}"]
    found = json.loads(done.output[done.output.index("{") :])
    tag = str(found["sym_tag"])  # the overall tag minds libraries that companions bring
    if tag and not _covers(platform, tag):
        return [f"tagged {platform}, but auditwheel finds {tag}"]
    reaches = any(tag.startswith(_OLDER) or _covers(_REACH, tag) for tag in platform.split("."))
    if plan.environment.engine == "docker" and not reaches:
        return [f"tagged {platform}, but wheels of the Docker engine are to reach {_REACH}"]
    return []


def _covers(platform: str, found: str) -> bool:
    """Whether every tag of the wheel is at least as new as what auditwheel says it needs."""

    def level(tag: str) -> tuple[int, int]:
        parts = tag.split("_")
        return (int(parts[1]), int(parts[2])) if tag.startswith("manylinux_") else (99, 99)

    return all(level(tag) >= level(found) for tag in platform.split("."))
