"""Removes symbol tables and debug information of a file if all that the loader reads is unchanged.

Files that patchelf has rewritten can break under `strip`, and some carry data behind their last section:
each is stripped on the side and taken over only if all that is loaded is the same, byte by byte.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from spokeshave.build.elf import ElfFacts, read_elf
from spokeshave.errors import EngineMissing
from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Shaved, Tree, is_elf

_LINKED = ("ET_DYN", "ET_EXEC")  # an ET_REL is not linked yet: its symbols are what it is for
# Where the section headers are, and how many: the one part of an ELF header that strip has to change.
_FREE = ("e_shoff", "e_shnum", "e_shstrndx")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loaded:
    """What the loader and the linker read: header, program headers, their bytes, the dynamic facts."""

    header: tuple[tuple[str, str], ...]
    segments: tuple[str, ...]
    content: tuple[bytes, ...]
    facts: ElfFacts


def strip_symbols(tree: Tree, keep: frozenset[Path]) -> tuple[Shaved, tuple[str, ...]]:
    """Strips every ELF file but those of `keep`; says which ones were left as they were, and why.

    Raises EngineMissing where there is no `strip`.
    """
    found = [path for path in tree.files() if path not in keep and is_elf(path)]
    if found and not shutil.which("strip"):
        raise EngineMissing(
            "lever symbols needs `strip`, which is not on PATH",
            next_step="`apt-get install binutils`, or `--without symbols`",
        )
    saved = files = 0
    left = []
    for path in found:
        took, reason = _strip_one(path, tree.name(path))
        saved, files = saved + took, files + (took > 0)
        if reason:
            left.append(f"{tree.name(path)} left as it is: {reason}")
    return Shaved(saved=saved, files=files), tuple(left)


def _strip_one(path: Path, name: str) -> tuple[int, str]:
    """Bytes saved, and why the file was not touched (empty where there is nothing to take)."""
    before = path.read_bytes()
    try:
        if reason := _unfit(before):
            return 0, reason
        if not _has_symbols(before):
            return 0, ""
        after, reason = _stripped(path, name)
        if after is None:
            return 0, reason
        if _loaded(name, after) != _loaded(name, before):
            return 0, "strip would change what is loaded"
    except (ELFError, ValueError, KeyError, OverflowError, UnicodeDecodeError) as fault:
        return 0, f"it cannot be read as ELF ({fault or type(fault).__name__})"
    path.write_bytes(after)
    return len(before) - len(after), ""


def _stripped(path: Path, name: str) -> tuple[bytes | None, str]:
    """The outcome of the lever on a copy of the file."""
    act = lever_named("symbols").shave
    assert act is not None
    with tempfile.TemporaryDirectory(prefix="spokeshave-") as scratch:
        root = Path(scratch) / "root"
        root.mkdir()
        copy = shutil.copyfile(path, root / path.name)
        try:
            act(Tree(root=root, tests=root), {})
        except RuntimeError as fault:
            told = str(fault).strip().splitlines()[-1].replace(str(copy), name)
            return None, f"strip does not know it: {told.rpartition(': ')[2]}"
        return copy.read_bytes(), ""


def _unfit(data: bytes) -> str:
    """Why a file must not be stripped at all; empty where it may."""
    elf = ELFFile(io.BytesIO(data))
    if elf["e_type"] not in _LINKED:
        return f"it is of type {elf['e_type']}"
    if not elf.num_sections():
        return "it has no section headers"
    ends = [elf["e_shoff"] + elf["e_shnum"] * elf["e_shentsize"]]
    ends += [elf["e_phoff"] + elf["e_phnum"] * elf["e_phentsize"]]
    ends += [part["p_offset"] + part["p_filesz"] for part in elf.iter_segments()]
    ends += [s["sh_offset"] + s["sh_size"] for s in elf.iter_sections() if s["sh_type"] != "SHT_NOBITS"]
    behind = len(data) - max(ends)
    if behind < 0:
        return "it is shorter than its headers say"
    return f"{behind:,} bytes of data follow its last section" if behind else ""


def _has_symbols(data: bytes) -> bool:
    sections = ELFFile(io.BytesIO(data)).iter_sections()
    return any(s.name in (".symtab", ".strtab") or s.name.startswith((".debug", ".zdebug")) for s in sections)


def _loaded(name: str, data: bytes) -> _Loaded:
    elf = ELFFile(io.BytesIO(data))
    start = elf["e_ehsize"]
    contents = []
    for part in elf.iter_segments():
        first, end = part["p_offset"], part["p_offset"] + part["p_filesz"]
        # The ELF header itself is compared field by field.
        contents.append(data[max(first, start) : end] if part["p_type"] == "PT_LOAD" else b"")
    header = tuple((key, str(value)) for key, value in elf.header.items() if key not in _FREE)
    return _Loaded(
        header=header,
        segments=tuple(str(sorted(part.header.items())) for part in elf.iter_segments()),
        content=tuple(contents),
        facts=replace(read_elf(name, data), sections=frozenset()),
    )
