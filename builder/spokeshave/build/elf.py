"""What the ELF files of a wheel need and offer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerSymSection
from elftools.elf.sections import SymbolTableSection


@dataclass(frozen=True, kw_only=True, slots=True)
class ElfFacts:
    """Of one ELF file: libraries needed, symbols imported and exported, ELF sections, run path, soname.

    `unversioned` are the imports that ask for no symbol version: not libc's, so Python's or a library's.
    """

    name: str
    needed: tuple[str, ...]
    imports: frozenset[str]
    unversioned: frozenset[str]
    exports: frozenset[str]
    sections: frozenset[str]
    runpath: str
    soname: str = ""


def read_elf(name: str, data: bytes) -> ElfFacts:
    """Reads one ELF file; raises elftools' ELFError where it is damaged."""
    elf = ELFFile(io.BytesIO(data))
    needed, runpath, soname = [], "", ""
    dynamic = elf.get_section_by_name(".dynamic")
    if isinstance(dynamic, DynamicSection):
        for tag in dynamic.iter_tags():
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(tag.needed)  # type: ignore[attr-defined]
            elif tag.entry.d_tag == "DT_SONAME":
                soname = str(tag.soname)  # type: ignore[attr-defined]
            elif tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH"):
                key = "rpath" if tag.entry.d_tag == "DT_RPATH" else "runpath"
                runpath = str(getattr(tag, key))
    imports, unversioned, exports = set(), set(), set()
    versions = elf.get_section_by_name(".gnu.version")
    symbols = elf.get_section_by_name(".dynsym")
    if isinstance(symbols, SymbolTableSection):
        for index, symbol in enumerate(symbols.iter_symbols()):
            if symbol["st_shndx"] == "SHN_UNDEF":
                imports.add(symbol.name)
                bound = symbol["st_info"]["bind"] != "STB_WEAK"
                if bound and not (isinstance(versions, GNUVerSymSection) and _versioned(versions, index)):
                    unversioned.add(symbol.name)
            else:
                exports.add(symbol.name)
    return ElfFacts(
        name=name,
        needed=tuple(needed),
        imports=frozenset(imports - {""}),
        unversioned=frozenset(unversioned - {""}),
        exports=frozenset(exports - {""}),
        sections=frozenset(section.name for section in elf.iter_sections()),
        runpath=runpath,
        soname=soname,
    )


def _versioned(versions: GNUVerSymSection, index: int) -> bool:
    ndx = versions.get_symbol(index)["ndx"]
    return isinstance(ndx, int) and ndx > 1


def elf_files(wheel: Path) -> Iterator[ElfFacts]:
    """The facts of every ELF file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            with archive.open(name) as stream:
                if stream.read(4) != b"\x7fELF":
                    continue
            yield read_elf(name, archive.read(name))
