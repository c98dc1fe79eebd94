"""The wheel of the shared BLAS: read from a file, and found where it is available without a network."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from spokeshave.build.elf import read_elf
from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.sizes import sizes
from spokeshave.inside.wheel import DAMAGE, MalformedWheel, WheelName, beside, parse_name, wheels_of
from spokeshave.machine.files import copy_whole

_LEGACY = {"1": 5, "2010": 12, "2014": 17}  # minor versions of glibc 2 (PEP 600)
_TAG = re.compile(r"manylinux(?:_2_(?P<minor>\d+)|(?P<legacy>1|2010|2014))_(?P<arch>\w+)")
_COMPANIONS = (".record.json", ".verify.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """A wheel of a shared BLAS: its import package, the library's soname, and the names that it exports.

    `unpacked` is the size of the wheel in bytes, unpacked.
    """

    wheel: Path
    name: WheelName
    package: str
    soname: str
    exports: frozenset[str]
    unpacked: int

    @property
    def requirement(self) -> str:
        """The requirement of wheels that need it, as our compiled wheels have it."""
        return f"{self.distribution}=={self.name.version}"

    @property
    def distribution(self) -> str:
        return self.name.distribution.replace("_", "-")

    @property
    def folder(self) -> str:
        """The folder of the library, below site-packages."""
        return f"{self.package}/lib"

    def platform_of(self, platform: str) -> str:
        """The platform tag of a wheel once it needs this library; empty where both cannot be installed.

        A tag that promises an older glibc than the library's own does not hold any more.
        """
        mine, theirs = _glibc(self.name.platform), _glibc(platform)
        if not mine or not theirs or {arch for _, arch in mine.values()} != {a for _, a in theirs.values()}:
            return ""
        needed = min(minor for minor, _ in mine.values())
        return ".".join(t for t, (minor, _) in theirs.items() if minor >= needed) or self.name.platform


def _glibc(platform: str) -> dict[str, tuple[int, str]]:
    """The glibc (minor version) and the machine of each manylinux tag; nothing for other platforms."""
    found = {tag: _TAG.fullmatch(tag) for tag in platform.split(".")}
    return {
        tag: (int(match["minor"]) if match["minor"] else _LEGACY[match["legacy"]], match["arch"])
        for tag, match in found.items()
        if match
    }


def read_library(path: Path) -> Library:
    """Reads the wheel of a library; raises WheelError where it is none."""
    try:
        name = parse_name(path.name)
        with zipfile.ZipFile(path) as archive:
            places = [one for one in archive.namelist() if re.fullmatch(r"\w+/lib/lib[^/]+\.so[.\d]*", one)]
            if len(places) != 1:
                raise MalformedWheel(f"it holds {len(places)} shared libraries in PACKAGE/lib, not one")
            facts = read_elf(places[0], archive.read(places[0]))
    except (MalformedWheel, OSError, *DAMAGE) as fault:
        raise WheelError(
            f"{path} is no wheel of a shared BLAS: {fault}",
            next_step="name a wheel of slim-openblas (`spokeshave build openblas` makes one)",
        ) from fault
    return Library(
        wheel=path,
        name=name,
        package=places[0].partition("/")[0],
        soname=facts.soname,
        exports=facts.exports,
        unpacked=sizes(path).unpacked,
    )


def available(context: Context, distribution: str, named: Path | None, output: Path) -> Iterator[Library]:
    """The wheels of the library, best first: the named one, or those of the output folder and the store.

    Of the store's, the largest come first, since they have the most names, so that the wheels of a stack
    agree on one; of equals, the newest. Each is read when its turn comes. A wheel of the store is passed over
    where the output folder has another of its name.
    """
    if named:
        paths = wheels_of(named, distribution) if named.is_dir() else [named]
        if not paths:
            raise WheelError(
                f"{named} has no wheel of {distribution}",
                next_step="`spokeshave build openblas` makes one; or name the wheel itself",
            )
        yield from map(read_library, _newest(paths))
        return
    near = _newest(wheels_of(output, distribution))
    yield from map(read_library, near)
    stem = distribution.replace("-", "_")
    made = [path for path in context.store.root.glob(f"entries/built/*/{stem}-*.whl")]
    made.sort(key=lambda path: (path.stat().st_size, path.stat().st_mtime), reverse=True)
    names = {path.name for path in near}
    yield from (read_library(path) for path in made if path.name not in names)


def _newest(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: Version(parse_name(path.name).version), reverse=True)


def deliver(library: Library, folder: Path) -> None:
    """Copies the wheel with its records into a folder that does not have it; the wheel comes last."""
    target = folder / library.wheel.name
    if target.exists():
        return
    for ending in _COMPANIONS:
        near = beside(library.wheel, ending)
        inside = library.wheel.with_name(ending.removeprefix("."))  # an entry of the store
        if found := next((path for path in (near, inside) if path.is_file()), None):
            copy_whole(found, beside(target, ending))
    copy_whole(library.wheel, target)
