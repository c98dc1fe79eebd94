"""What the loader maps of an ELF file, by virtual address: the same before and after a tool, or not.

Where a tool puts a segment in the file is no matter, as long as the loader maps the same bytes to the same
addresses. The ELF header and the program headers, which name file offsets, are compared field by field.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from elftools.elf.elffile import ELFFile

# Positions and numbers of the two tables, which a tool may move.
_PLACES = ("e_phoff", "e_shoff", "e_shnum", "e_shstrndx")
_ALLOC, _TLS = 0x2, 0x400  # SHF_ALLOC and SHF_TLS of the ELF specification; .tbss takes no memory here
# patchelf overwrites a section that it has moved elsewhere with this byte (rewriteSections in its source).
_FILLER = b"X"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Segment:
    """Its program header without file offset and sizes, its content, and its size in memory (bytes).

    Filler counts as zero bytes; the content of a loaded segment has none of those at its end. `needed` is
    the size that a tool must leave: padding behind the last section may be cut off.
    """

    header: str
    content: bytes
    memory: int
    needed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """The ELF header, the segments in their order, and type, address and size of each loaded section."""

    header: tuple[tuple[str, str], ...]
    segments: tuple[_Segment, ...]
    sections: tuple[tuple[str, int, int], ...]

    def loads_as(self, other: Image) -> bool:
        """Whether the loader makes the same of this file as of `other`, from which a tool has made it."""
        if (self.header, self.sections, len(self.segments)) != (
            other.header,
            other.sections,
            len(other.segments),
        ):
            return False
        return all(
            mine.needed <= theirs.memory
            and theirs.needed <= mine.memory <= theirs.memory
            and replace(mine, memory=0, needed=0) == replace(theirs, memory=0, needed=0)
            for mine, theirs in zip(self.segments, other.segments, strict=True)
        )


def loaded_image(data: bytes) -> Image:
    """The image of an ELF file.

    Raises ValueError where a segment is not in the file, cannot be mapped at its address, or has another file
    offset than its address says; elftools' ELFError where the file is damaged.
    """
    elf = ELFFile(io.BytesIO(data))
    headers = [segment.header for segment in elf.iter_segments()]
    loads = [header for header in headers if header["p_type"] == "PT_LOAD"]
    sections = [section.header for section in elf.iter_sections() if section["sh_flags"] & _ALLOC]
    plain = bytearray(data)
    for start, size in ((0, elf["e_ehsize"]), (elf["e_phoff"], elf["e_phnum"] * elf["e_phentsize"])):
        plain[start : start + size] = bytes(size)
    for load in loads:
        _clear(plain, load, sections)
    for header in headers:
        _check(header, loads, len(data))
    return Image(
        header=tuple((key, str(value)) for key, value in elf.header.items() if key not in _PLACES),
        segments=tuple(_segment(one, plain, sections) for one in headers),
        sections=tuple(sorted((str(s["sh_type"]), s["sh_addr"], s["sh_size"]) for s in sections)),
    )


def _clear(plain: bytearray, load: Mapping[str, Any], sections: list[Any]) -> None:
    """Makes filler that no section of the file covers zero."""
    for first, last in _gaps(load, sections):
        start, end = (load["p_offset"] + place - load["p_vaddr"] for place in (first, last))
        plain[start:end] = plain[start:end].replace(_FILLER, b"\0")


def _gaps(load: Mapping[str, Any], sections: list[Any]) -> Iterator[tuple[int, int]]:
    """The address ranges of a segment, as far as it is in the file, that no section covers."""
    place, end = load["p_vaddr"], load["p_vaddr"] + load["p_filesz"]
    held = (s for s in sections if not (s["sh_flags"] & _TLS and s["sh_type"] == "SHT_NOBITS"))
    for first, size in sorted((s["sh_addr"], s["sh_size"]) for s in held):
        if place < min(first, end):
            yield place, min(first, end)
        place = max(place, first + size)
    if place < end:
        yield place, end


def _segment(header: Mapping[str, Any], plain: bytearray, sections: list[Any]) -> _Segment:
    loaded = header["p_type"] == "PT_LOAD"
    free = ("p_offset", "p_filesz", "p_memsz") if loaded else ("p_offset",)
    facts = " ".join(f"{key}={value}" for key, value in sorted(header.items()) if key not in free)
    content = bytes(plain[header["p_offset"] : header["p_offset"] + header["p_filesz"]])
    start, memory = header["p_vaddr"], header["p_memsz"]
    needed = memory
    if loaded:
        content = content.rstrip(b"\0")
    if loaded and memory == header["p_filesz"]:
        ends = [s["sh_addr"] + s["sh_size"] - start for s in sections if 0 <= s["sh_addr"] - start < memory]
        needed = min(memory, max([len(content), *ends]))
    return _Segment(header=facts, content=content, memory=memory, needed=needed)


def _check(header: Mapping[str, Any], loads: list[Any], size: int) -> None:
    kind, start, address, length = (header[f"p_{key}"] for key in ("type", "offset", "vaddr", "filesz"))
    if kind == "PT_LOAD" and header["p_align"] > 1 and (start - address) % header["p_align"]:
        # The loader refuses an empty one too: glibc's _dl_map_object_from_fd checks each before it maps any.
        raise ValueError("a segment cannot be mapped from where it is in the file")
    if start + length > size:
        raise ValueError(f"segment {kind} ends behind the file's end")
    if kind == "PT_LOAD" or not length:
        return
    for load in loads:
        inside = address - load["p_vaddr"]
        if inside >= 0 and inside + length <= load["p_filesz"] and start != load["p_offset"] + inside:
            raise ValueError(f"segment {kind} is not where its address says")
