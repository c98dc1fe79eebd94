"""Symbols of libc that give a wheel a newer platform tag than the pins of symbol versions promise.

auditwheel names the tag by the newest symbol version that a wheel needs. The launchers pin the functions of
`inside/templates/glibc_pins.h` to their first version, so that wheels reach manylinux_2_28. With identical
code folding (ICF), gold undoes this under link-time optimization where a library comes before the objects
that call it: it binds the symbols before the pins are compiled, and keeps both versions.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

from spokeshave.inside.model import BuildPlan
from spokeshave.inside.wheel import parse_name
from spokeshave.own_code import package_root

PROMISED = (2, 28)
_PINS = package_root() / "inside" / "templates" / "glibc_pins.h"
_PIN = re.compile(r"\.symver (?P<name>\w+),(?P=name)@(?P<version>\w+\.[\d.]+)")
_OLD_TAGS = ("manylinux1_", "manylinux2010_", "manylinux2014_")  # aliases of tags below manylinux_2_28
_TAG = re.compile(r"manylinux_(\d+)_(\d+)_")
_UNDOING = ("link-time", "folding")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class NewSymbol:
    """A symbol that a file of a wheel needs in a version newer than the promise, for example `GLIBC_2.29`."""

    file: str
    symbol: str
    version: str


def pinned_versions(text: str) -> dict[str, str]:
    """Function to the symbol version that the header binds it to."""
    return {found["name"]: found["version"] for found in _PIN.finditer(text)}


def reaches_promise(platform: str) -> bool:
    """Whether one of a wheel's platform tags is as old as the promised one."""
    tags = platform.split(".")
    numbers = [(int(found[1]), int(found[2])) for tag in tags if (found := _TAG.match(tag))]
    return any(number <= PROMISED for number in numbers) or any(tag.startswith(_OLD_TAGS) for tag in tags)


def new_symbols(wheel: Path) -> list[NewSymbol]:
    """The symbols of libc in all ELF files of a wheel that are newer than the promise, sorted."""
    found: set[NewSymbol] = set()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            with archive.open(name) as stream:
                if stream.read(4) != b"\x7fELF":
                    continue
            elf = ELFFile(io.BytesIO(archive.read(name)))
            found |= {
                NewSymbol(file=name, symbol=symbol, version=version)
                for symbol, version in _versioned_imports(elf)
                if _is_new(version)
            }
    return sorted(found)


def _versioned_imports(elf: ELFFile) -> Iterator[tuple[str, str]]:
    """Each imported symbol that has a version, with it."""
    symbols, indices = elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".gnu.version")
    needed = elf.get_section_by_name(".gnu.version_r")
    if not isinstance(symbols, SymbolTableSection) or not isinstance(needed, GNUVerNeedSection):
        return
    names = {one["vna_other"]: one.name for _, versions in needed.iter_versions() for one in versions}
    assert isinstance(indices, GNUVerSymSection)
    for at, symbol in enumerate(symbols.iter_symbols()):
        version = names.get(indices.get_symbol(at)["ndx"])
        if symbol["st_shndx"] == "SHN_UNDEF" and version:
            yield symbol.name, version


def _is_new(version: str) -> bool:
    name, _, number = version.partition("_")
    parts = number.split(".")
    return name == "GLIBC" and all(part.isdigit() for part in parts) and tuple(map(int, parts)) > PROMISED


def reach_warning(plan: BuildPlan, wheel: Path) -> str:
    """What gives the wheel a newer tag than promised, and the cure; empty where nothing is to be said.

    It is no error: the tag is true, and the wheel works where libc is as new. `verify` refuses such a wheel
    of the Docker engine. On the host engine the machine's libc decides: only pinned functions count there.
    """
    platform = parse_name(wheel.name).platform
    if reaches_promise(platform):
        return ""
    pins = pinned_versions(_PINS.read_text("utf-8")) if plan.target.arch == "x86_64" else {}
    found = [one for one in new_symbols(wheel) if plan.environment.engine == "docker" or one.symbol in pins]
    if not found:
        return ""
    files: dict[str, list[str]] = {}
    for one in found:
        files.setdefault(one.file, []).append(f"{one.symbol}@{one.version}")
    listed = "".join(f"\n  {file}: {', '.join(names)}" for file, names in files.items())
    promised = f"manylinux_{PROMISED[0]}_{PROMISED[1]}"
    cures = "".join(f"\n  cure: {cure}" for cure in _cures(plan, found, pins))
    return (
        f"warning: {plan.distribution} {plan.local_version} is tagged {platform}, newer than {promised}:"
        f" it needs newer symbols of libc{listed}{cures}"
    )


def _cures(plan: BuildPlan, found: list[NewSymbol], pins: Mapping[str, str]) -> Iterator[str]:
    pinned = sorted({one.symbol for one in found if one.symbol in pins})
    others = sorted({one.symbol for one in found if one.symbol not in pins})
    if pinned and {setting.name for setting in plan.levers}.issuperset(_UNDOING):
        why = f"ICF binds {pinned[0]} to a new version of libc"
        yield (
            f"the levers {' and '.join(_UNDOING)} together undo the pins of {', '.join(pinned)};"
            f' in the recipe of {plan.recipe} write `[levers.link-time] off = ["{why}"]`'
        )
    elif pinned:
        yield (
            f"the pins of {', '.join(pinned)} had no effect: the objects that call them were not compiled by"
            " the launchers; see in the log how the build calls its compiler"
        )
    if others:
        yield f"patch the calls of {', '.join(others)} out, or make wheels for newer systems only"
