"""Removes symbol tables and debug information of a file if all that the loader maps is unchanged.

Files that patchelf has rewritten can break under `strip`, and some carry data behind their last section:
each is stripped on the side and taken over only if its image in memory is the same, byte by byte.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from spokeshave.build.elf import ElfFacts, read_elf
from spokeshave.errors import EngineMissing
from spokeshave.inside.levers.lever import Shaved, Tree, is_elf
from spokeshave.inside.run import Command, run
from spokeshave.slim.loaded_image import Image, loaded_image
from spokeshave.slim.model import Left

_LINKED = ("ET_DYN", "ET_EXEC")  # an ET_REL is not linked yet: its symbols are what it is for
# Debian's cross tools, by machine; `strip` of binutils-multiarch knows all of them.
_CROSS = {
    "EM_X86_64": "x86_64-linux-gnu",
    "EM_386": "i686-linux-gnu",
    "EM_AARCH64": "aarch64-linux-gnu",
    "EM_ARM": "arm-linux-gnueabihf",
    "EM_PPC64": "powerpc64le-linux-gnu",
    "EM_S390": "s390x-linux-gnu",
    "EM_RISCV": "riscv64-linux-gnu",
}
_LLVM = "llvm-strip"
_DAMAGE = (ELFError, ValueError, KeyError, OverflowError, UnicodeDecodeError)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loaded:
    """What the loader and the linker read: the image in memory, and the dynamic facts."""

    image: Image
    facts: ElfFacts


def strip_symbols(tree: Tree, keep: frozenset[Path]) -> tuple[Shaved, tuple[Left, ...]]:
    """Strips every ELF file but those of `keep`; says which ones were left as they were, and why.

    Raises EngineMissing where there is no tool for it.
    """
    found = [path for path in tree.files() if path not in keep and is_elf(path)]
    if found and not any(shutil.which(tool) for tool in ("strip", _LLVM)):
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
            name, size = tree.name(path), path.stat().st_size
            left.append(Left(name=name, reason=f"left as it is: {reason}", size=size))
    return Shaved(saved=saved, files=files), tuple(left)


def _strip_one(path: Path, name: str) -> tuple[int, str]:
    """Bytes saved, and why the file was not touched (empty where there is nothing to take)."""
    before = path.read_bytes()
    try:
        if reason := _unfit(before):
            return 0, reason
        if not _has_symbols(before):
            return 0, ""
        loaded = _loaded(name, before)
        machine = str(ELFFile(io.BytesIO(before))["e_machine"])
    except _DAMAGE as fault:
        return 0, f"it cannot be read as ELF ({fault or type(fault).__name__})"
    known = False
    for tool in _tools(machine):
        after = _stripped(tool, path)
        if after is not None and _loads_alike(name, loaded, after):
            path.write_bytes(after)
            return len(before) - len(after), ""
        known |= after is not None and tool != _LLVM
    if known:
        return 0, "strip would change what is loaded"
    package = f"binutils-{_CROSS[machine].replace('_', '-')}" if machine in _CROSS else "binutils-multiarch"
    return 0, f"no tool here strips {machine} as safely: `apt-get install {package}`"


def _tools(machine: str) -> Iterator[str]:
    """The tools on PATH that may know a machine.

    LLVM's knows every machine, but misplaces segments that patchelf has added: hence the last.
    """
    names = ("strip", f"{_CROSS[machine]}-strip" if machine in _CROSS else "", _LLVM)
    return (name for name in names if name and shutil.which(name))


def _stripped(tool: str, path: Path) -> bytes | None:
    """What the tool makes of a copy of the file; None where it does not know it."""
    with tempfile.TemporaryDirectory(prefix="spokeshave-") as scratch:
        copy = shutil.copyfile(path, Path(scratch) / "file")
        done = run(Command(argv=(tool, "--strip-all", "-R", ".comment", str(copy))))
        return copy.read_bytes() if done.ok else None


def _loads_alike(name: str, before: _Loaded, stripped: bytes) -> bool:
    try:
        after = _loaded(name, stripped)
    except _DAMAGE:
        return False
    return after.facts == before.facts and after.image.loads_as(before.image)


def _unfit(data: bytes) -> str:
    """Why a file must not be stripped at all; empty where it may.

    Zero bytes behind the last section are padding (patchelf 0.17 and later write one); all else is data that
    the program may read from its own file.
    """
    elf = ELFFile(io.BytesIO(data))
    if elf["e_type"] not in _LINKED:
        return f"it is of type {elf['e_type']}"
    if not elf.num_sections():
        return "it has no section headers"
    ends = [elf["e_shoff"] + elf["e_shnum"] * elf["e_shentsize"]]
    ends += [elf["e_phoff"] + elf["e_phnum"] * elf["e_phentsize"]]
    ends += [part["p_offset"] + part["p_filesz"] for part in elf.iter_segments()]
    ends += [s["sh_offset"] + s["sh_size"] for s in elf.iter_sections() if s["sh_type"] != "SHT_NOBITS"]
    behind = data[max(ends) :]
    if len(data) < max(ends):
        return "it is shorter than its headers say"
    return f"{len(behind):,} bytes of data follow its last section" if behind.strip(b"\0") else ""


def _has_symbols(data: bytes) -> bool:
    sections = ELFFile(io.BytesIO(data)).iter_sections()
    return any(s.name in (".symtab", ".strtab") or s.name.startswith((".debug", ".zdebug")) for s in sections)


def _loaded(name: str, data: bytes) -> _Loaded:
    facts = replace(read_elf(name, data), sections=frozenset())
    return _Loaded(image=loaded_image(data), facts=facts)
