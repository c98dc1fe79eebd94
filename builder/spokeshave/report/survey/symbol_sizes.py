"""The bytes of symbol tables and debug information in compiled files: what lever `symbols` removes."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

_TABLES = (".symtab", ".strtab")
_DEBUG = (".debug", ".zdebug")
_LINKED = ("ET_DYN", "ET_EXEC")
_MOST = 100_000  # ELF sections; the largest libraries have some thousand


def symbol_bytes(path: Path) -> int:
    """The bytes that `strip` would remove of a linked ELF file; 0 for any other file."""
    with path.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return 0
        stream.seek(0)
        try:
            return _removable(stream, path.stat().st_size)
        except (ELFError, ValueError, KeyError, OverflowError, UnicodeDecodeError, AttributeError):
            return 0  # damaged, or of a kind that pyelftools does not know: nothing is claimed


def _removable(stream: BinaryIO, size: int) -> int:
    elf = ELFFile(stream)
    if elf["e_type"] not in _LINKED or elf.num_sections() > _MOST:
        return 0
    found = sum(
        section["sh_size"] + elf["e_shentsize"]
        for section in elf.iter_sections()
        if section.name in _TABLES or section.name.startswith(_DEBUG)
    )
    return int(found) if found < size else 0
